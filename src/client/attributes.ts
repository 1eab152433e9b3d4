/** The signed attributes that this device signs, written by itself (RFC 5652 §11, RFC 5035 §3). Runs in browsers. */
import { encode } from './der.ts';

/** Type and the DER of its one value. */
export type Attribute = readonly [type: string, value: Uint8Array];

/**
 * content-type, message-digest and signing-certificate-v2, and what else there is.
 * @param messageDigest SHA-256 of what is signed
 * @param certificateHash SHA-256 of the signer's certificate, DER
 * @returns DER, SET OF
 */
export function attributesFor(
  messageDigest: Uint8Array,
  certificateHash: Uint8Array,
  ...others: readonly Attribute[]
): Uint8Array {
  const { seq, set, oid, octetString } = encode;
  const all: readonly Attribute[] = [
    ['1.2.840.113549.1.9.3', oid('1.2.840.113549.1.7.1')],
    ['1.2.840.113549.1.9.4', octetString(messageDigest)],
    ['1.2.840.113549.1.9.16.2.47', seq(seq(seq(octetString(certificateHash))))],
    ...others,
  ];
  return set(...all.map(([type, value]) => seq(oid(type), set(value))));
}
