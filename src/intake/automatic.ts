/** Mail that no person sent: it never opens a request and never gets an answer (RFC 3834). */
import { fieldsOf, type RawMessage, textValue } from './raw-message.ts';

/** A message that went through more servers than this before ours is looping (RFC 5321 §6.3). */
export const MAX_RECEIVED = 25;

/**
 * Why this message is automatic, in a few words, or null when nothing says so.
 *
 * @param ownDomains our sign domains: a Message-ID there is a mail of ours that came back
 */
export function automaticReason(
  message: RawMessage,
  ownDomains: readonly string[],
  maxReceived = MAX_RECEIVED,
): string | null {
  return selfAnswering(message) ?? listOrLoopReason(message, ownDomains, maxReceived);
}

/** Why it comes from a list or in a circle; null for other mail. */
export function listOrLoopReason(
  message: RawMessage,
  ownDomains: readonly string[],
  maxReceived = MAX_RECEIVED,
): string | null {
  for (const { key, value } of message.fields) {
    const precedence = /^(bulk|list|junk)\b/.exec(lowerCase(value));
    if (key === 'precedence' && precedence && selfAnswering(message) === null) return `Precedence: ${precedence[1]}`;
    if (key === 'list-id') return 'it comes from a mailing list';
  }
  const domain = /@([^@>\s]+)>?\s*$/.exec(textValue(message, 'message-id') ?? '')?.[1]?.toLowerCase();
  if (domain !== undefined && ownDomains.some(own => domain === own || domain.endsWith(`.${own}`))) {
    return 'its Message-ID is one of our own';
  }
  if (fieldsOf(message, 'received').length > maxReceived) return `it passed more than ${maxReceived} servers`;
  return null;
}

/** Whether a reply is a mailbox's own, such as that somebody is away. */
export function isSelfAnswer(message: RawMessage): boolean {
  // Outlook and Exchange mark what they write by themselves so; people's mail has it too rarely to matter in replies.
  return selfAnswering(message) !== null || fieldsOf(message, 'x-auto-response-suppress').length > 0;
}

const MARKS = ['x-autoreply', 'x-autorespond', 'x-mail-autoreply', 'x-autoresponder'];

/** The field that says so, or null. */
function selfAnswering(message: RawMessage): string | null {
  for (const { name, key, value } of message.fields) {
    const text = lowerCase(value);
    // RFC 3834 §5: the keyword may be followed by parameters or a comment.
    if (key === 'auto-submitted' && !/^no(\s*[;(].*)?$/.test(text)) return 'Auto-Submitted';
    if (MARKS.includes(key) && !/^(no|false|0)$/.test(text)) return name;
    if (key === 'precedence' && /^auto[_-]reply\b/.test(text)) return 'Precedence: auto_reply';
  }
  return null;
}

function lowerCase(value: Buffer): string {
  return value.toString('latin1').replace(/\r?\n/g, '').trim().toLowerCase();
}
