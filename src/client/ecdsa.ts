/** The two forms of an ECDSA P-256 signature: r ‖ s (WebCrypto, RFC 9421) and DER ECDSA-Sig-Value (RFC 3279 §2.2.3). */
import { encode, readChildren, readDer, TAG } from './der.ts';

/** @param raw r ‖ s, 64 bytes */
export function derSignature(raw: Uint8Array): Uint8Array {
  return encode.seq(encode.integer(raw.subarray(0, 32)), encode.integer(raw.subarray(32, 64)));
}

/** @throws DerError | RangeError unless `der` is an ECDSA-Sig-Value with numbers that P-256 can have */
export function rawSignature(der: Uint8Array): Uint8Array {
  const value = readDer(der);
  const numbers = readChildren(value);
  const raw = new Uint8Array(64);
  if (value.tag !== TAG.sequence || numbers.length !== 2) throw new RangeError('not an ECDSA-Sig-Value');
  for (const [index, { tag, content }] of numbers.entries()) {
    const digits = content[0] === 0 ? content.subarray(1) : content;
    if (tag !== TAG.integer || digits.length > 32) throw new RangeError('not a number of P-256');
    raw.set(digits, 32 * (index + 1) - digits.length);
  }
  return raw;
}
