/** The attributes that a signature covers (RFC 5652 §5.3), in the shapes of PAdES and CAdES baseline signatures. */
import { createHash } from 'node:crypto';
import { der } from '../pki/der.ts';
import { OID } from './algorithms.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

const attribute = (type: string, value: Uint8Array) => der.sequence(der.oid(type), der.set(value));

/** What PAdES and CAdES have in common. */
function baseline(messageDigest: Uint8Array, certificate: Uint8Array): Uint8Array[] {
  // ESSCertIDv2 with its default hash, SHA-256, left out as DER wants it; issuerSerial is only a hint (EN 319 122-1 §5.2.2).
  const certId = der.sequence(der.octetString(sha256(certificate)));
  return [
    attribute(OID.contentType, der.oid(OID.data)),
    attribute(OID.messageDigest, der.octetString(messageDigest)),
    attribute(OID.signingCertificateV2, der.sequence(der.sequence(certId))),
  ];
}

/**
 * content-type, message-digest and signing-certificate-v2, nothing else: ETSI EN 319 142-1 §6.3 forbids signing-time
 * (the PDF has M), and the device signs exactly this form (src/client/grant.ts).
 *
 * @param messageDigest SHA-256 of the octets that the ByteRange covers
 * @param certificate the signer's, DER
 * @returns DER of a SET OF Attribute: what the key signs (RFC 5652 §5.4)
 */
export function signedAttributes(messageDigest: Uint8Array, certificate: Uint8Array): Uint8Array {
  return der.set(...baseline(messageDigest, certificate));
}

/**
 * The same and signing-time, as ETSI EN 319 122-1 §6.3 wants it of a CAdES baseline signature.
 *
 * @param messageDigest SHA-256 of the content
 * @param certificate the signer's, DER
 * @param signingTime as claimed; whole seconds
 * @returns DER of a SET OF Attribute
 */
export function cadesAttributes(messageDigest: Uint8Array, certificate: Uint8Array, signingTime: Date): Uint8Array {
  return der.set(...baseline(messageDigest, certificate), attribute(OID.signingTime, der.time(signingTime)));
}

/** The SHA-256 digest of all octets that a ByteRange covers. */
export function digestByteRange(
  file: Uint8Array,
  [start, first, second, rest]: readonly [number, number, number, number],
): Uint8Array {
  return createHash('sha256')
    .update(file.subarray(start, start + first))
    .update(file.subarray(second, second + rest))
    .digest();
}
