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
  for (const { key, value } of message.fields) {
    const text = value.toString('latin1').replace(/\r?\n/g, '').trim().toLowerCase();
    // RFC 3834 §5: the keyword may be followed by parameters or a comment.
    if (key === 'auto-submitted' && !/^no(\s*[;(].*)?$/.test(text)) return 'Auto-Submitted';
    if (key === 'precedence' && /^(bulk|list|junk)\b/.test(text)) return `Precedence: ${text.slice(0, 4)}`;
    if (key === 'list-id') return 'it comes from a mailing list';
  }
  const domain = /@([^@>\s]+)>?\s*$/.exec(textValue(message, 'message-id') ?? '')?.[1]?.toLowerCase();
  if (domain !== undefined && ownDomains.some(own => domain === own || domain.endsWith(`.${own}`))) {
    return 'its Message-ID is one of our own';
  }
  if (fieldsOf(message, 'received').length > maxReceived) return `it passed more than ${maxReceived} servers`;
  return null;
}
