/** Content-Type, Content-Disposition and Content-Transfer-Encoding (RFC 2045 §5, RFC 2183, RFC 2231), strictly. */
import { fieldsOf, type RawMessage, rawValue } from './raw-message.ts';
import { refusals } from './refusals.ts';

export interface Parameterized {
  /** Lower-case value such as "application/pdf" or "attachment". */
  readonly value: string;
  /** Parameters by lower-case name; RFC 2231 pieces keep their `*`. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = "[!#$%&'*+\\-.0-9A-Z^_`a-z{|}~]+";
const PARAMETER = new RegExp(
  `[ \\t]*;[ \\t]*(${TOKEN})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|([^ \\t;"()<>@,\\[\\]?=]+))`,
  'y',
);

/** At most one field of that name in a part; null when there is none. @throws Refusal */
export function parameterized(part: Pick<RawMessage, 'fields'>, key: string): Parameterized | null {
  const text = rawValue(part, key);
  if (text === null) return null;
  if (fieldsOf(part, key).length > 1) throw refusals.malformed(`a part has two ${key} lines`);
  const odd = (): never => {
    throw refusals.malformed(`a ${key} line can't be read`);
  };
  const value = (key === 'content-type' ? new RegExp(`^${TOKEN}/${TOKEN}`) : new RegExp(`^${TOKEN}`)).exec(text)?.[0];
  if (value === undefined) return odd();
  const parameters = new Map<string, string>();
  let position = value.length;
  while (position < text.length) {
    PARAMETER.lastIndex = position;
    const match = PARAMETER.exec(text);
    if (!match) {
      // A semicolon at the end is common and harmless.
      if (/^[ \t]*;?[ \t]*$/.test(text.slice(position))) break;
      return odd();
    }
    const name = match[1]!.toLowerCase();
    if (parameters.has(name)) return odd();
    parameters.set(name, match[3] ?? match[2]!.replace(/\\(.)/g, '$1'));
    position = PARAMETER.lastIndex;
  }
  return { value: value.toLowerCase(), parameters };
}

export type TransferEncoding = 'identity' | 'base64' | 'quoted-printable';

/** The transfer encoding of a part. @throws Refusal when it isn't one of RFC 2045 §6.1 */
export function transferEncoding(part: Pick<RawMessage, 'fields'>): TransferEncoding {
  const text = rawValue(part, 'content-transfer-encoding')?.toLowerCase() ?? '7bit';
  if (fieldsOf(part, 'content-transfer-encoding').length > 1) {
    throw refusals.malformed('a part has two content-transfer-encoding lines');
  }
  if (text === 'base64' || text === 'quoted-printable') return text;
  if (text === '7bit' || text === '8bit' || text === 'binary') return 'identity';
  throw refusals.malformed('a part has an unknown transfer encoding');
}

/**
 * Decodes a part's body.
 *
 * @param strict false for the mail's own text, where sloppy quoted-printable is common and decides nothing
 * @throws Refusal when base64 isn't canonical (RFC 4648 §3.5, §12) or quoted-printable has a bad escape
 */
export function decodeBody(body: Buffer, encoding: TransferEncoding, strict: boolean): Buffer {
  if (encoding === 'identity') return body;
  if (encoding === 'quoted-printable') return decodeQuotedPrintable(body, strict);
  return decodeBase64(body);
}

const LF = 0x0a;
const CR = 0x0d;
const EQUALS = 0x3d;

/** Letters of base64 that are decoded at a time: a multiple of four. */
const SLICE = 1 << 18;

/** Canonical base64 only, slice by slice: of a large attachment there must not be several copies at a time. */
function decodeBase64(body: Buffer): Buffer {
  const letters = withoutLineEnds(body);
  const decoded = Buffer.allocUnsafeSlow(Math.ceil((letters.length / 4) * 3));
  let length = 0;
  for (let at = 0; at < letters.length; at += SLICE) {
    const text = letters.toString('latin1', at, at + SLICE);
    const bytes = Buffer.from(text, 'base64');
    const padded = bytes.length * 4 !== text.length * 3;
    // Encoding it again shows everything at once: foreign letters, padding inside, bits after the end.
    if (bytes.toString('base64') !== text || (padded && at + SLICE < letters.length))
      throw refusals.malformed('an attachment is not proper base64');
    length += bytes.copy(decoded, length);
  }
  return decoded.subarray(0, length);
}

function withoutLineEnds(body: Buffer): Buffer {
  const letters = Buffer.allocUnsafeSlow(body.length);
  let length = 0;
  for (let start = 0; start < body.length; ) {
    const newline = body.indexOf(LF, start);
    const next = newline === -1 ? body.length : newline + 1;
    let end = newline === -1 ? body.length : newline;
    while (end > start && body[end - 1] === CR) end -= 1;
    length += body.copy(letters, length, start, end);
    start = next;
  }
  return letters.subarray(0, length);
}

/** RFC 2045 §6.7, line by line: an escape never goes on behind a soft line break. Byte by byte, because it may be large. */
function decodeQuotedPrintable(body: Buffer, strict: boolean): Buffer {
  // Each line can grow by the CR of its line end.
  const decoded = Buffer.alloc(2 * body.length);
  let length = 0;
  for (let start = 0; start < body.length; ) {
    const newline = body.indexOf(LF, start);
    let end = newline === -1 ? body.length : newline;
    // Trailing white space is not content (rule 3).
    while (end > start && isBlank(body[end - 1]!)) end -= 1;
    const soft = end > start && body[end - 1] === EQUALS;
    if (soft) end -= 1;
    for (let at = start; at < end; at += 1) {
      const byte = body[at]!;
      const escaped =
        byte === EQUALS && at + 2 < end ? hexDigit(body[at + 1]!) * 16 + hexDigit(body[at + 2]!) : Number.NaN;
      if (byte !== EQUALS) decoded[length++] = byte;
      else if (!Number.isNaN(escaped)) {
        decoded[length++] = escaped;
        at += 2;
      } else if (strict) throw refusals.malformed('a part is not proper quoted-printable');
      else decoded[length++] = byte;
    }
    if (newline === -1) break;
    if (!soft) {
      decoded[length++] = CR;
      decoded[length++] = LF;
    }
    start = newline + 1;
  }
  return decoded.subarray(0, length);
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === CR;
}

/** NaN when it is none. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : Number.NaN;
}
