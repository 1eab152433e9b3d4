/** Strings of distinguished names, prepared for comparison (RFC 5280 §7.1, RFC 4518 §2). */
import { DerError, type Element, TAG } from '../der.ts';

const NUMERIC_STRING = 0x12;
const VISIBLE_STRING = 0x1a;
const UNIVERSAL_STRING = 0x1c;
const BMP_STRING = 0x1e;
const ASCII = new Set<number>([TAG.printableString, TAG.ia5String, NUMERIC_STRING, VISIBLE_STRING]);

/** RFC 4518 §2.2: format characters, variation selectors and most controls map to nothing. */
const NOTHING = /\u034f|[\u1806\ufffc\p{Cf}\p{Variation_Selector}]|(?![\t-\r\u0085])\p{Cc}/gu;
const SPACES = /[\s\u0085\p{Z}]+/gu;
/** RFC 4518 §2.4, and what has no meaning as text. */
const PROHIBITED = /[\ufffd\p{Co}\p{Cs}\p{Cn}]/u;

/**
 * The text in the form in which equal names are equal: compatibility characters, letter case, and white space at the ends
 * and in rows don't count.
 * @returns null for what can only be compared byte for byte: TeletexString, which says nothing clear, and prohibited characters
 * @throws DerError when it isn't in its own alphabet
 */
export function preparedString(element: Element): string | null {
  const text = decoded(element);
  if (text === null) return null;
  const mapped = text.replace(NOTHING, '').replace(SPACES, ' ');
  const plain = folded(mapped.normalize('NFKC')).normalize('NFKC');
  return PROHIBITED.test(plain) ? null : plain.replace(SPACES, ' ').trim();
}

/** Full case folding. Dotless i is left: it has an upper case in common with i, but is another letter. */
function folded(text: string): string {
  return text
    .split('\u0131')
    .map(part => part.toUpperCase().toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ'))
    .join('\u0131');
}

function decoded({ tag, content }: Element): string | null {
  if (ASCII.has(tag)) {
    if (content.some(octet => octet >= 0x80)) throw new DerError('not ASCII');
    return Buffer.from(content).toString('latin1');
  }
  if (tag === TAG.utf8String) {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
    } catch {
      throw new DerError('not UTF-8');
    }
  }
  if (tag === BMP_STRING) return fromUnits(content, 2);
  if (tag === UNIVERSAL_STRING) return fromUnits(content, 4);
  return null;
}

function fromUnits(content: Uint8Array, width: 2 | 4): string {
  if (content.length % width !== 0) throw new DerError('cut short');
  const view = Buffer.from(content);
  let text = '';
  for (let at = 0; at < view.length; at += width) {
    const code = view.readUIntBE(at, width);
    if (code > 0x10ffff) throw new DerError('not a character');
    text += String.fromCodePoint(code);
  }
  return text;
}
