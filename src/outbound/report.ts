/** Reads delivery reports (RFC 3464): most servers that find a mail too big refuse it after our own Postfix took it. */
import { saysTooBig } from './attempt.ts';

/** RFC 3464 §2.1: always 7bit, so what stands there is what it says. RFC 6533 §3 has the global- form. */
const STATUS_PART = /^content-type:[ \t]*message\/(global-)?delivery-status\b/im;

/** True when the report says that a recipient will never get the mail because of its size; false for whatever else came. */
export function reportsTooBig(report: Uint8Array): boolean {
  const message = Buffer.from(report).toString('latin1').replaceAll('\r\n', '\n');
  const start = message.search(STATUS_PART);
  const headerEnd = start < 0 ? -1 : message.indexOf('\n\n', start);
  if (headerEnd < 0) return false;
  const partEnd = message.indexOf('\n--', headerEnd);
  const fields = message.slice(headerEnd + 2, partEnd < 0 ? undefined : partEnd).replace(/\n[ \t]+/g, ' ');
  return fields.split(/\n{2,}/).some(recipientTooBig);
}

/** One per-recipient group of fields (RFC 3464 §2.3). */
function recipientTooBig(fields: string): boolean {
  if (!/^action:[ \t]*failed\b/im.test(fields)) return false;
  const enhanced = /^status:[ \t]*(5\.\d{1,3}\.\d{1,3})\b/im.exec(fields)?.[1] ?? null;
  const code = /^diagnostic-code:[ \t]*smtp[ \t]*;[ \t]*(\d{3})\b/im.exec(fields)?.[1];
  return saysTooBig(code === undefined ? null : Number(code), enhanced);
}
