/**
 * Reads delivery reports (RFC 3464), which come to the return path of our mails long after our own Postfix took them.
 * Other things come there, too: absence notices (RFC 3834 §4), warnings that a mail is only late, news that it arrived.
 */
import { saysTooBig } from './attempt.ts';

/** RFC 3464 §2.1: always 7bit, so what stands there is what it says. RFC 6533 §3 has the global- form. */
const STATUS_PART = /^content-type:[ \t]*message\/(global-)?delivery-status\b/im;

/**
 * `too-big`: a recipient will never get the mail because of its size; `failed`: for another reason; `other`: whatever
 * else came, which says nothing about the delivery.
 */
export type Report = 'failed' | 'too-big' | 'other';

/** What a message to one of our return paths says. */
export function readReport(report: Uint8Array): Report {
  const message = Buffer.from(report).toString('latin1').replaceAll('\r\n', '\n');
  const start = message.search(STATUS_PART);
  const headerEnd = start < 0 ? -1 : message.indexOf('\n\n', start);
  if (headerEnd < 0) return 'other';
  const partEnd = message.indexOf('\n--', headerEnd);
  const fields = message.slice(headerEnd + 2, partEnd < 0 ? undefined : partEnd).replace(/\n[ \t]+/g, ' ');
  const failures = fields.split(/\n{2,}/).filter(group => /^action:[ \t]*failed\b/im.test(group));
  if (failures.length === 0) return 'other';
  return failures.some(isTooBig) ? 'too-big' : 'failed';
}

/** One per-recipient group of fields (RFC 3464 §2.3). */
function isTooBig(fields: string): boolean {
  const enhanced = /^status:[ \t]*(5\.\d{1,3}\.\d{1,3})\b/im.exec(fields)?.[1] ?? null;
  const code = /^diagnostic-code:[ \t]*smtp[ \t]*;[ \t]*(\d{3})\b/im.exec(fields)?.[1];
  return saysTooBig(code === undefined ? null : Number(code), enhanced);
}
