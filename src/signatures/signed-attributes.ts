/** The attributes that a signature covers (RFC 5652 §5.3), in the shape of a PAdES baseline signature. */
import { createHash } from 'node:crypto';
import * as asn1js from 'asn1js';
import { OID } from './algorithms.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

function attribute(type: string, value: asn1js.BaseBlock): Uint8Array {
  return new Uint8Array(
    new asn1js.Sequence({
      value: [new asn1js.ObjectIdentifier({ value: type }), new asn1js.Set({ value: [value] })],
    }).toBER(),
  );
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
  // ESSCertIDv2 with its default hash, SHA-256, left out as DER wants it; issuerSerial is only a hint (EN 319 122-1 §5.2.2).
  const certId = new asn1js.Sequence({ value: [new asn1js.OctetString({ valueHex: sha256(certificate) })] });
  const attributes = [
    attribute(OID.contentType, new asn1js.ObjectIdentifier({ value: OID.data })),
    attribute(OID.messageDigest, new asn1js.OctetString({ valueHex: messageDigest })),
    attribute(OID.signingCertificateV2, new asn1js.Sequence({ value: [new asn1js.Sequence({ value: [certId] })] })),
  ].sort(Buffer.compare);
  return new Uint8Array(new asn1js.Set({ value: attributes.map(bytes => asn1js.fromBER(bytes).result) }).toBER());
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
