/** Content-Type, Content-Disposition and Content-Transfer-Encoding (RFC 2045 §5, RFC 2183, RFC 2231), strictly. */
import { fieldsOf, type RawMessage, rawValue } from './raw-message.ts';
import { refusals } from './refusal.ts';

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
  const text = body.toString('latin1');
  if (encoding === 'base64') {
    const compact = text.replace(/[\r\n]+/g, '');
    const decoded = Buffer.from(compact, 'base64');
    // Encoding it again shows everything at once: foreign letters, padding inside, bits after the end.
    if (decoded.toString('base64') !== compact) throw refusals.malformed('an attachment is not proper base64');
    return decoded;
  }
  // Trailing white space is not content (RFC 2045 §6.7 rule 3), then soft line breaks, then escapes.
  const lines = text.split('\n').map(line => line.trimEnd());
  const joined = lines.join('\r\n').replaceAll('=\r\n', '').replace(/=$/, '');
  if (strict && /=(?![0-9A-Fa-f]{2})/.test(joined)) throw refusals.malformed('a part is not proper quoted-printable');
  return Buffer.from(
    joined.replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}
