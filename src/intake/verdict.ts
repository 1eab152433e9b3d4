/**
 * The gatekeeper's verdict: one header field that LMTP believes, and nothing else (DESIGN.md decision 2). It says who
 * sent the message, how that was proven, when, under which queue id and to whom, and binds all of it to the header
 * fields that are used later and to the body with an HMAC (RFC 2104, SHA-256).
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { fieldsOf, type RawMessage, unfold } from './raw-message.ts';

export const VERDICT_HEADER = 'X-Signpost-Verdict';

/** An HMAC key; `id` is public and names it, so that keys can be changed while mail is in the queue. */
export interface VerdictKey {
  /** [A-Za-z0-9_-]{1,32} */
  readonly id: string;
  /** At least 32 bytes. */
  readonly secret: Uint8Array;
}

export interface Verdict {
  /** Id of the person who sent it, for another where they are a delegate; '' for a delivery report (null sender). */
  readonly senderId: string;
  readonly method: 'sasl' | 'relay' | 'dmarc' | 'arc' | 'bounce';
  readonly time: Date;
  readonly queueId: string;
  /** Canonical envelope recipients on the sign domains. LMTP may see a part of them. */
  readonly recipients: readonly string[];
}

/** Why a verdict isn't believed: for the log, never for the other side. */
export class VerdictInvalid extends Error {
  override readonly name = 'VerdictInvalid';
}

const BOUND_FIELDS = [
  'from',
  'sender',
  'to',
  'cc',
  'subject',
  'date',
  'message-id',
  'in-reply-to',
  'references',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
  'content-disposition',
  'auto-submitted',
];
/** The name of every installation's key before keys could be changed: mail in the queue has it through an upgrade. */
const ONLY_KEY = 'v1';
/** Clocks of one machine differ by nothing; of two, by a little. */
const MAX_CLOCK_DIFFERENCE = 5 * 60_000;

const payloadSchema = z.strictObject({
  v: z.literal(1),
  k: z.string().regex(/^[A-Za-z0-9_-]{1,32}$/),
  s: z.string(),
  m: z.enum(['sasl', 'relay', 'dmarc', 'arc', 'bounce']),
  t: z.number().int(),
  q: z.string(),
  r: z.array(z.string()),
});

/**
 * Value of the header field for a message that was admitted, folded with LF (RFC 5322 §2.2.3).
 *
 * @param key the newest key
 */
export function signVerdict(verdict: Verdict, message: RawMessage, key: VerdictKey): string {
  const payload = Buffer.from(
    JSON.stringify({
      v: 1,
      k: key.id,
      s: verdict.senderId,
      m: verdict.method,
      t: verdict.time.getTime(),
      q: verdict.queueId,
      r: [...verdict.recipients],
    } satisfies z.infer<typeof payloadSchema>),
  );
  const value = `${payload.toString('base64url')}.${mac(payload, message, key).toString('base64url')}`;
  return value.match(/.{1,76}/g)!.join('\n ');
}

/**
 * The verdict that a delivered message carries.
 *
 * @param keys every key that may still be in use
 * @param lifetime milliseconds
 * @throws VerdictInvalid
 */
export function checkVerdict(message: RawMessage, keys: readonly VerdictKey[], lifetime: number, now: Date): Verdict {
  const [field, second] = fieldsOf(message, VERDICT_HEADER.toLowerCase());
  if (!field) throw new VerdictInvalid('there is none');
  if (second) throw new VerdictInvalid('there are several');
  const [payloadText, macText, ...more] = unfold(field.value)
    .replace(/[ \t]+/g, '')
    .split('.');
  if (payloadText === undefined || macText === undefined || more.length > 0)
    throw new VerdictInvalid('not well-formed');
  const payload = Buffer.from(payloadText, 'base64url');
  let json: unknown;
  try {
    json = JSON.parse(payload.toString());
  } catch {
    throw new VerdictInvalid('not well-formed');
  }
  const parsed = payloadSchema.safeParse(json);
  if (!parsed.success) throw new VerdictInvalid('not well-formed');
  const candidates = keys.filter(({ id }) => id === parsed.data.k || parsed.data.k === ONLY_KEY);
  if (candidates.length === 0) throw new VerdictInvalid('made with an unknown key');
  const given = Buffer.from(macText, 'base64url');
  const fits = (key: VerdictKey): boolean => {
    const expected = mac(payload, message, key);
    return given.length === expected.length && timingSafeEqual(given, expected);
  };
  if (!candidates.some(fits)) throw new VerdictInvalid('does not fit the message');
  const age = now.getTime() - parsed.data.t;
  if (age > lifetime) throw new VerdictInvalid('too old');
  if (age < -MAX_CLOCK_DIFFERENCE) throw new VerdictInvalid('from the future');
  return {
    senderId: parsed.data.s,
    method: parsed.data.m,
    time: new Date(parsed.data.t),
    queueId: parsed.data.q,
    recipients: parsed.data.r,
  };
}

/**
 * The message as it looks on both sides of the queue: field values unfolded and trimmed, body lines ended by CRLF and
 * without empty lines at the end (RFC 6376 §3.4.3 "simple"). JSON keeps neighbours apart.
 */
function mac(payload: Buffer, message: RawMessage, key: VerdictKey): Buffer {
  const fields = BOUND_FIELDS.map(name => [name, fieldsOf(message, name).map(({ value }) => unfold(value))]);
  return createHmac('sha256', key.secret)
    .update(`signpost verdict 1\n${payload.toString('base64url')}\n${bodyHash(message.body)}\n`)
    .update(JSON.stringify(fields))
    .digest();
}

function bodyHash(body: Buffer): string {
  const hash = createHash('sha256');
  let end = body.length;
  while (end > 0 && (body[end - 1] === 0x0a || body[end - 1] === 0x0d)) end -= 1;
  let start = 0;
  for (let newline = body.indexOf(0x0a); newline !== -1 && newline < end; newline = body.indexOf(0x0a, newline + 1)) {
    if (newline > 0 && body[newline - 1] === 0x0d) continue;
    hash.update(body.subarray(start, newline)).update('\r');
    start = newline;
  }
  return hash.update(body.subarray(start, end)).digest('hex');
}
