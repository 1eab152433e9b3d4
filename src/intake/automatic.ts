/** Mail that no person sent: it never opens a request and never gets an answer (RFC 3834). */
import { fieldsOf, type RawMessage, textValue } from './raw-message.ts';

/** A message that went through more hops than this is looping (RFC 5321 §6.3). */
const MAX_RECEIVED = 25;

/**
 * Why this message is automatic, in a few words, or null when nothing says so.
 *
 * @param ownDomains our sign domains: a Message-ID there is a mail of ours that came back
 */
export function automaticReason(message: RawMessage, ownDomains: readonly string[]): string | null {
  for (const { key, value } of message.fields) {
    const text = value.toString('latin1').replace(/\r?\n/g, '').trim().toLowerCase();
    // RFC 3834 §5: the keyword may be followed by parameters or a comment.
    if (key === 'auto-submitted' && !/^no(\s*[;(].*)?$/.test(text)) return 'Auto-Submitted';
    if (key === 'precedence' && /^(bulk|list|junk)\b/.test(text)) return `Precedence: ${text.slice(0, 4)}`;
    if (key === 'list-id' || key === 'list-unsubscribe') return 'it comes from a mailing list';
    if (key === 'x-auto-response-suppress' && fieldsOf(message, 'x-autoreply').length > 0) return 'X-Autoreply';
  }
  const domain = /@([^@>\s]+)>?\s*$/.exec(textValue(message, 'message-id') ?? '')?.[1]?.toLowerCase();
  if (domain !== undefined && ownDomains.some(own => domain === own || domain.endsWith(`.${own}`))) {
    return 'its Message-ID is one of our own';
  }
  if (fieldsOf(message, 'received').length > MAX_RECEIVED) return `it passed more than ${MAX_RECEIVED} servers`;
  return null;
}
