/** Verdicts ⇄ replies, with the SMTP reply text checked and laid out here. */
import type { Verdict } from './handler.ts';
import type { Reply } from './wire.ts';

/** RFC 5321 §4.5.3.1.5: a reply line has at most 512 octets, code and CRLF included. */
const LINE_LIMIT = 512 - 2;
/** sendmail's libmilter takes at most 32 lines (smfi_setmlreply). */
const LINES_LIMIT = 32;

export function rejects(verdict: Verdict): boolean {
  return verdict.action === 'reject' || verdict.action === 'tempfail' || verdict.action === 'reply';
}

/**
 * @throws RangeError for a reply whose code is not 4xx or 5xx or whose enhanced code is of another class (RFC 3463 §2).
 */
export function verdictReply(verdict: Verdict): Reply {
  return verdict.action === 'reply' ? { reply: 'replyCode', text: replyText(verdict) } : { reply: verdict.action };
}

function replyText({ code, enhanced, text }: Extract<Verdict, { action: 'reply' }>): string {
  if (!Number.isInteger(code) || code < 400 || code > 599) throw new RangeError(`reply code ${code} is not 4xx or 5xx`);
  if (!/^[45]\.\d{1,3}\.\d{1,3}$/.test(enhanced) || enhanced[0] !== String(code)[0]) {
    throw new RangeError(`enhanced status code ${JSON.stringify(enhanced)} does not go with ${code}`);
  }
  const width = LINE_LIMIT - `${code} ${enhanced} `.length;
  const lines = text.flatMap(line => wrapped(printable(line), width)).slice(0, LINES_LIMIT);
  if (lines.length === 0) lines.push('');
  return lines.map((line, at) => `${code}${at < lines.length - 1 ? '-' : ' '}${enhanced} ${line}`).join('\r\n');
}

/** Printable ASCII (RFC 5321 §4.2): a control would break the reply, and not every client understands UTF-8. */
function printable(line: string): string {
  return line.replace(/[\x00-\x1f\x7f]+/g, ' ').replace(/[^\x20-\x7e]/gu, '?');
}

/** Breaks at spaces where it can. */
function wrapped(line: string, width: number): string[] {
  const lines: string[] = [];
  let rest = line;
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width);
    const end = space > 0 ? space : width;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

/** The verdict that a reply carries; null when it carries none (progress, a modification, …). */
export function replyVerdict(reply: Reply): Verdict | null {
  switch (reply.reply) {
    case 'continue':
    case 'accept':
    case 'reject':
    case 'tempfail':
    case 'discard':
    case 'skip':
      return { action: reply.reply };
    case 'shutdown':
    case 'connectionFailed':
      // Postfix answers 421 and hangs up; for who only hears verdicts that is a temporary failure.
      return { action: 'tempfail' };
    case 'replyCode':
      return parseReplyText(reply.text);
    default:
      return null;
  }
}

/** Null for a text that is not an SMTP reply of class 4 or 5 (milter8.c judges alike). */
function parseReplyText(reply: string): Verdict | null {
  const lines = reply.split('\r\n').map(line => /^([45]\d\d)[ -](?:([45]\.\d{1,3}\.\d{1,3}) ?)?(.*)$/s.exec(line));
  const first = lines[0];
  if (!first || lines.some(line => line?.[1] !== first[1])) return null;
  const code = Number(first[1]);
  return { action: 'reply', code, enhanced: first[2] ?? `${first[1]![0]}.0.0`, text: lines.map(line => line![3]!) };
}
