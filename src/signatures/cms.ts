/** CAdES baseline signatures as CMS SignedData (RFC 5652 §5, ETSI EN 319 122-1), detached, with one signer. */
import * as asn1js from 'asn1js';
import {
  Attribute,
  Certificate,
  ContentInfo,
  EncapsulatedContentInfo,
  IssuerAndSerialNumber,
  SignedAndUnsignedAttributes,
  SignedData,
  SignerInfo,
} from 'pkijs';
import type { SignatureAlgorithm } from '../pki/pki.ts';
import { OID, sha256Identifier, signatureIdentifier } from './algorithms.ts';

export interface CmsParts {
  /** DER SET OF, as signed. */
  readonly signedAttributes: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
  /** The signature value over signedAttributes. */
  readonly signature: Uint8Array;
  /** Signer's certificate, DER; its issuers follow, nearest first. */
  readonly certificate: Uint8Array;
  readonly issuers: readonly Uint8Array[];
  /** TimeStampToken over the signature value (signature-time-stamp, EN 319 122-1 §5.3). */
  readonly timestamp: Uint8Array;
}

/** @returns DER ContentInfo */
export function buildCms(parts: CmsParts): Uint8Array {
  const certificates = [parts.certificate, ...parts.issuers].map(der => Certificate.fromBER(new Uint8Array(der)));
  const signer = certificates[0] as Certificate;
  const signedData = new SignedData({
    version: 1,
    digestAlgorithms: [sha256Identifier()],
    encapContentInfo: new EncapsulatedContentInfo({ eContentType: OID.data }),
    certificates,
    signerInfos: [
      new SignerInfo({
        version: 1,
        sid: new IssuerAndSerialNumber({ issuer: signer.issuer, serialNumber: signer.serialNumber }),
        digestAlgorithm: sha256Identifier(),
        signedAttrs: new SignedAndUnsignedAttributes({ type: 0, attributes: readAttributes(parts.signedAttributes) }),
        signatureAlgorithm: signatureIdentifier(parts.algorithm),
        signature: new asn1js.OctetString({ valueHex: parts.signature }),
        unsignedAttrs: new SignedAndUnsignedAttributes({
          type: 1,
          attributes: [
            new Attribute({
              type: OID.signatureTimeStampToken,
              values: [asn1js.fromBER(parts.timestamp).result],
            }),
          ],
        }),
      }),
    ],
  });
  const content = new ContentInfo({ contentType: OID.signedData, content: signedData.toSchema(true) });
  return new Uint8Array(content.toSchema().toBER());
}

function readAttributes(der: Uint8Array): Attribute[] {
  const set = asn1js.fromBER(der).result as asn1js.Set;
  return set.valueBlock.value.map(schema => new Attribute({ schema }));
}

export interface CmsContents {
  /** The signer's certificate first. */
  readonly certificates: readonly Uint8Array[];
  /** The signature-time-stamp, where there is one. */
  readonly timestamp: Uint8Array | null;
}

/**
 * Certificates and timestamp of a CMS that we made or received from our timestamp authority; checks nothing.
 *
 * @param cms DER ContentInfo; zeros may follow, as in a PDF's Contents
 * @throws Error when it is no SignedData with one signer whose certificate is inside
 */
export function readCms(cms: Uint8Array): CmsContents {
  const { offset } = asn1js.fromBER(cms);
  if (offset < 0) throw new Error('a signature is no DER value');
  const info = ContentInfo.fromBER(cms.slice(0, offset));
  const signedData = new SignedData({ schema: info.content });
  const [signer, ...others] = signedData.signerInfos;
  if (signer === undefined || others.length > 0) throw new Error('a signature has not one signer');
  const certificates = (signedData.certificates ?? []).filter(item => item instanceof Certificate);
  const own = certificates.find(
    ({ issuer, serialNumber }) =>
      signer.sid instanceof IssuerAndSerialNumber &&
      issuer.isEqual(signer.sid.issuer) &&
      serialNumber.isEqual(signer.sid.serialNumber),
  );
  if (own === undefined) throw new Error("a signature lacks its signer's certificate");
  const token = signer.unsignedAttrs?.attributes.find(({ type }) => type === OID.signatureTimeStampToken)?.values[0];
  return {
    certificates: [own, ...certificates.filter(item => item !== own)].map(
      item => new Uint8Array(item.toSchema().toBER()),
    ),
    timestamp: token instanceof asn1js.BaseBlock ? new Uint8Array(token.toBER()) : null,
  };
}
