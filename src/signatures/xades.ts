/**
 * XAdES baseline B-T (ETSI EN 319 132-1), enveloped: the signature becomes the last child of the root element, and the
 * rest of the file stays as it was, octet by octet. The file's digest is over its exclusive canonical form, which a
 * document child makes; the signature's own parts are written here in the very form that canonicalisation gives them
 * (namespaces declared where they are used, attributes sorted, no empty-element tags), so what is digested is what stands
 * in the file.
 */
import { createHash } from 'node:crypto';
import { rawSignature } from '../client/ecdsa.ts';
import type { SignatureAlgorithm, TimestampAuthority } from '../pki/pki.ts';
import type { Signer } from './cades.ts';
import { BadSignature, verifySignature } from './verify.ts';
import { ID_PREFIX } from './xml/gate.ts';
import { DS, ENVELOPED, EXCLUSIVE_C14N, SHA256, SIGNATURE_METHODS, SIGNED_PROPERTIES, XADES } from './xml/names.ts';
import type { XmlToSign } from './xml/read.ts';

/** Reads a file in a document child. @throws XmlRefused */
export type ReadXml = (xml: Uint8Array) => Promise<XmlToSign>;

export interface PreparedXades {
  readonly id: string;
  /** The canonical SignedInfo: exactly what the key signs. */
  readonly toBeSigned: Uint8Array;
  readonly signedProperties: string;
  readonly file: XmlToSign;
}

const sha256 = (data: Uint8Array | string) => createHash('sha256').update(data).digest();
const base64 = (data: Uint8Array) => Buffer.from(data).toString('base64');

/**
 * Equal input, equal octets.
 * @param file what ReadXml made of the XML
 * @param signingTime as claimed; whole seconds
 */
export function prepareXades(
  file: XmlToSign,
  {
    certificate,
    algorithm,
    signingTime,
  }: { readonly certificate: Uint8Array; readonly algorithm: SignatureAlgorithm; readonly signingTime: Date },
): PreparedXades {
  const time = signingTime.toISOString().replace(/\.\d+Z$/, 'Z');
  const unique = sha256(Buffer.concat([file.digest, sha256(certificate), Buffer.from(time)])).toString('hex');
  const id = `${ID_PREFIX}${unique.slice(0, 32)}`;
  const signedProperties = propertiesXml(id, certificate, time);
  const signedInfo = signedInfoXml(id, algorithm, file.digest, sha256(signedProperties));
  return { id, toBeSigned: new Uint8Array(Buffer.from(signedInfo)), signedProperties, file };
}

/**
 * @param xml the file that was read and prepared
 * @returns the file with the signature in it
 * @throws BadSignature when the signature doesn't fit; TimestampUnavailable
 */
export async function completeXades(
  prepared: PreparedXades,
  xml: Uint8Array,
  signer: Signer,
  { timestamps }: { readonly timestamps: TimestampAuthority },
): Promise<Uint8Array> {
  const { id, toBeSigned, signedProperties, file } = prepared;
  if (!signedProperties.includes(`>${base64(sha256(signer.certificate))}<`))
    throw new BadSignature('the signed properties name another certificate');
  verifySignature(toBeSigned, signer.signature, signer.algorithm, signer.certificate);
  const value =
    signer.algorithm === 'rsa-sha256'
      ? signer.signature
      : rawSignature(signer.signature, signer.algorithm === 'ecdsa-p384-sha256' ? 48 : 32);
  const signatureValue = `<ds:SignatureValue xmlns:ds="${DS}" Id="${id}-value">${base64(value)}</ds:SignatureValue>`;
  const { token } = await timestamps.stamp(sha256(signatureValue));
  const certificates = [signer.certificate, ...signer.issuers].map(
    der => `<ds:X509Certificate>${base64(der)}</ds:X509Certificate>`,
  );
  const signature =
    `<ds:Signature xmlns:ds="${DS}" Id="${id}">${Buffer.from(toBeSigned)}${signatureValue}` +
    `<ds:KeyInfo><ds:X509Data>${certificates.join('')}</ds:X509Data></ds:KeyInfo><ds:Object>` +
    `<xades:QualifyingProperties xmlns:xades="${XADES}" Target="#${id}">${signedProperties}` +
    `<xades:UnsignedProperties><xades:UnsignedSignatureProperties><xades:SignatureTimeStamp>` +
    `${empty('CanonicalizationMethod', EXCLUSIVE_C14N)}<xades:EncapsulatedTimeStamp>${base64(token)}` +
    '</xades:EncapsulatedTimeStamp></xades:SignatureTimeStamp></xades:UnsignedSignatureProperties>' +
    '</xades:UnsignedProperties></xades:QualifyingProperties></ds:Object></ds:Signature>';
  return insert(xml, file, signature);
}

function insert(xml: Uint8Array, { rootEnd: { offset, empty: name } }: XmlToSign, signature: string): Uint8Array {
  const [inner, rest] = name === null ? [signature, offset] : [`>${signature}</${name}>`, offset + '/>'.length];
  return new Uint8Array(Buffer.concat([xml.subarray(0, offset), Buffer.from(inner), xml.subarray(rest)]));
}

const empty = (name: string, algorithm: string) => `<ds:${name} Algorithm="${algorithm}"></ds:${name}>`;

function propertiesXml(id: string, certificate: Uint8Array, time: string): string {
  // Each of these is the first in its branch to use ds, so canonical XML declares it there.
  const certDigest =
    `<ds:DigestMethod xmlns:ds="${DS}" Algorithm="${SHA256}"></ds:DigestMethod>` +
    `<ds:DigestValue xmlns:ds="${DS}">${base64(sha256(certificate))}</ds:DigestValue>`;
  return (
    `<xades:SignedProperties xmlns:xades="${XADES}" Id="${id}-properties"><xades:SignedSignatureProperties>` +
    `<xades:SigningTime>${time}</xades:SigningTime><xades:SigningCertificateV2><xades:Cert><xades:CertDigest>` +
    `${certDigest}</xades:CertDigest></xades:Cert></xades:SigningCertificateV2></xades:SignedSignatureProperties>` +
    `<xades:SignedDataObjectProperties><xades:DataObjectFormat ObjectReference="#${id}-content">` +
    '<xades:MimeType>application/xml</xades:MimeType></xades:DataObjectFormat></xades:SignedDataObjectProperties>' +
    '</xades:SignedProperties>'
  );
}

function signedInfoXml(
  id: string,
  algorithm: SignatureAlgorithm,
  contentDigest: Uint8Array,
  propertiesDigest: Uint8Array,
): string {
  const reference = (attributes: string, transforms: readonly string[], digest: Uint8Array) =>
    `<ds:Reference ${attributes}><ds:Transforms>${transforms.map(uri => empty('Transform', uri)).join('')}` +
    `</ds:Transforms>${empty('DigestMethod', SHA256)}<ds:DigestValue>${base64(digest)}</ds:DigestValue></ds:Reference>`;
  return (
    `<ds:SignedInfo xmlns:ds="${DS}">${empty('CanonicalizationMethod', EXCLUSIVE_C14N)}` +
    empty('SignatureMethod', SIGNATURE_METHODS[algorithm]) +
    reference(`Id="${id}-content" URI=""`, [ENVELOPED, EXCLUSIVE_C14N], contentDigest) +
    reference(`Type="${SIGNED_PROPERTIES}" URI="#${id}-properties"`, [EXCLUSIVE_C14N], propertiesDigest) +
    '</ds:SignedInfo>'
  );
}
