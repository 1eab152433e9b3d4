/** What certificates and CRLs need of DER beyond der.ts: negative numbers, whole seconds, tagged flags. */
import { booleanOf, children, DerError, type Element, integerOf, read, TAG, timeOf } from '../der.ts';

/**
 * A serial number as lower-case hex without leading zeros, a minus sign before a negative one: "certificate users SHOULD be
 * prepared to gracefully handle such certificates" (RFC 5280 §4.1.2.2).
 */
export function serialOf(element: Element): string {
  const { tag, content } = element;
  if (tag !== TAG.integer || content.length === 0 || content[0]! < 0x80) return integerOf(element);
  if (content.length > 1 && content[0] === 0xff && content[1]! >= 0x80) throw new DerError('INTEGER is not minimal');
  const raw = BigInt(`0x${Buffer.from(content).toString('hex')}`);
  return (raw - (1n << BigInt(content.length * 8))).toString(16);
}

/** INTEGER (0..MAX) that counts certificates; Infinity beyond 2^28, where no path ends. */
export function countOf(element: Element): number {
  const digits = integerOf(element);
  return digits.length > 7 ? Number.POSITIVE_INFINITY : Number.parseInt(digits, 16);
}

/** UTCTime or GeneralizedTime without fractions (RFC 5280 §4.1.2.5.2). */
export function wholeTimeOf(element: Element): Date {
  if (element.tag === TAG.generalizedTime && element.content.length !== 15) throw new DerError('bad time');
  return timeOf(element);
}

/** A BOOLEAN under an IMPLICIT tag, FALSE where it is left out. */
export function implicitFlag(element: Element | null): boolean {
  return element !== null && booleanOf({ ...element, tag: TAG.boolean });
}

/** A named-bit list's contents as bit numbers; unused bits must be zero (X.690 §11.2.1). */
export function namedBits(content: Uint8Array): ReadonlySet<number> {
  const unused = content[0];
  const last = content.at(-1)!;
  if (unused === undefined || unused > 7 || (content.length === 1 && unused > 0)) throw new DerError('bad BIT STRING');
  if (content.length > 1 && (last & ((1 << unused) - 1)) !== 0) throw new DerError('unused bits are set');
  const bits = new Set<number>();
  content.subarray(1).forEach((octet, index) => {
    for (let bit = 0; bit < 8; bit++) if (octet & (0x80 >> bit)) bits.add(index * 8 + bit);
  });
  return bits;
}

/** The elements of a SEQUENCE SIZE (1..MAX) that fills `value`. */
export function listOf(value: Uint8Array): Element[] {
  const list = children(read(value, TAG.sequence).content);
  if (list.length === 0) throw new DerError('an empty list');
  return list;
}
