/** The two forms of an ECDSA signature: r ‖ s (WebCrypto, RFC 9421) and DER ECDSA-Sig-Value (RFC 3279 §2.2.3). */
import { encode, readChildren, readDer, TAG } from './der.ts';

/** @param raw r ‖ s, of equal lengths */
export function derSignature(raw: Uint8Array): Uint8Array {
  const size = raw.length / 2;
  return encode.seq(encode.integer(raw.subarray(0, size)), encode.integer(raw.subarray(size)));
}

/**
 * @param size octets of a number on the curve: 32 for P-256
 * @throws DerError | RangeError unless `der` is an ECDSA-Sig-Value with numbers that the curve can have
 */
export function rawSignature(der: Uint8Array, size = 32): Uint8Array {
  const value = readDer(der);
  const numbers = readChildren(value);
  const raw = new Uint8Array(2 * size);
  if (value.tag !== TAG.sequence || numbers.length !== 2) throw new RangeError('not an ECDSA-Sig-Value');
  for (const [index, { tag, content }] of numbers.entries()) {
    const digits = content[0] === 0 ? content.subarray(1) : content;
    if (tag !== TAG.integer || digits.length > size) throw new RangeError('not a number of the curve');
    raw.set(digits, size * (index + 1) - digits.length);
  }
  return raw;
}
