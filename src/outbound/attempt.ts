/** One delivery attempt's outcome, and when to try again. No I/O. */

const MINUTE = 60_000;
/** Postfix itself gives up after five days (maximal_queue_lifetime); so do we. */
const GIVE_UP_AFTER = 5 * 24 * 60 * MINUTE;
const FIRST_WAIT = MINUTE;
const LONGEST_WAIT = 60 * MINUTE;
/** An unreachable Postfix is not the recipient's fault and usually back soon. */
const LONGEST_WAIT_UNREACHABLE = 5 * MINUTE;

export type Outcome =
  | { readonly kind: 'sent'; readonly reply: string }
  /** This mail, not now (SMTP 4xx). */
  | { readonly kind: 'later'; readonly reply: string }
  /** The server can't be talked to at all: other mails needn't be tried either for a moment. */
  | { readonly kind: 'unreachable'; readonly reply: string }
  /** Never (SMTP 5xx). */
  | { readonly kind: 'refused'; readonly reply: string }
  /** Never in this size (552, or enhanced code 5.3.4 or 5.2.3; RFC 1870 §6, RFC 3463). */
  | { readonly kind: 'too-big'; readonly reply: string };

/** Reads an error of nodemailer's SMTP client. */
export function classifyError(error: unknown): Outcome {
  const { code, command, response, responseCode, message } = (error ?? {}) as {
    code?: string;
    command?: string;
    response?: string;
    responseCode?: number;
    message?: string;
  };
  const reply = oneLine(response ?? message ?? String(error));
  if (code === 'EMESSAGE' && responseCode === undefined && command === 'MAIL FROM') return { kind: 'too-big', reply };
  if (responseCode === undefined || responseCode === 421) {
    // "API": the client itself refused the envelope, which no later attempt mends.
    return { kind: code === 'EENVELOPE' && command === 'API' ? 'refused' : 'unreachable', reply };
  }
  // A 5xx to the greeting or EHLO is about us and this server, not about this mail.
  if (command === 'CONN' || command === 'EHLO' || command === 'HELO' || command === 'LHLO') {
    return { kind: 'unreachable', reply };
  }
  if (responseCode < 500) return { kind: 'later', reply };
  const enhanced = /^\d{3}[ -](5\.\d{1,3}\.\d{1,3})\b/.exec(reply)?.[1] ?? null;
  return { kind: saysTooBig(responseCode, enhanced) ? 'too-big' : 'refused', reply };
}

/**
 * Whether a permanent refusal means the mail's size: 552 (RFC 1870 §6.1) or the enhanced codes 5.3.4 and 5.2.3
 * (RFC 3463). 552 is also "mailbox full" (5.2.2), where a smaller mail wouldn't help.
 */
export function saysTooBig(code: number | null, enhanced: string | null): boolean {
  return enhanced === '5.3.4' || enhanced === '5.2.3' || (code === 552 && enhanced !== '5.2.2');
}

/**
 * When to try again, or null when the mail is too old: waits double from a minute to an hour, each cut by up to half at
 * random, so that mails which failed together don't return together.
 *
 * @param attempts how many attempts have failed, this one included
 * @param random in [0, 1)
 */
export function nextAttempt(
  row: { readonly createdAt: Date },
  attempts: number,
  unreachable: boolean,
  now: Date,
  random: number,
): Date | null {
  if (now.getTime() - row.createdAt.getTime() >= GIVE_UP_AFTER) return null;
  const ceiling = unreachable ? LONGEST_WAIT_UNREACHABLE : LONGEST_WAIT;
  const wait = Math.min(ceiling, FIRST_WAIT * 2 ** Math.min(attempts - 1, 16));
  return new Date(now.getTime() + wait * (1 - random / 2));
}

/** A reply as it is kept and logged: one line, bounded. */
export function oneLine(reply: string): string {
  return reply
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim()
    .slice(0, 500);
}
