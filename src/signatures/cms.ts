/**
 * CAdES baseline signatures as CMS SignedData (RFC 5652 §5, ETSI EN 319 122-1) with one signer, detached or around their
 * content. Written as DER from the very bytes of certificates and attributes; nothing is encoded anew.
 */
import * as asn1js from 'asn1js';
import { Certificate, ContentInfo, IssuerAndSerialNumber, SignedData } from 'pkijs';
import { SHA256, signatureIdentifier } from '../pki/algorithms.ts';
import { constructed, der } from '../pki/der.ts';
import type { SignatureAlgorithm } from '../pki/pki.ts';
import { parseCertificate } from '../pki/x509.ts';
import { OID } from './algorithms.ts';

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
  /** What is signed, for a signature that holds its content; absent where it is detached. */
  readonly content?: Uint8Array;
}

/** @returns DER ContentInfo */
export function buildCms(parts: CmsParts): Uint8Array {
  const { issuer, serial } = parseCertificate(parts.certificate);
  const content = parts.content && der.constructed(0, der.octetString(parts.content));
  const timestamp = der.sequence(der.oid(OID.signatureTimeStampToken), der.set(parts.timestamp));
  const signerInfo = der.sequence(
    der.integer(1),
    der.sequence(issuer, der.integer(serial)),
    SHA256,
    der.retag(constructed(0), parts.signedAttributes),
    signatureIdentifier(parts.algorithm),
    der.octetString(parts.signature),
    der.constructed(1, timestamp),
  );
  const signedData = der.sequence(
    der.integer(1),
    der.set(SHA256),
    der.sequence(der.oid(OID.data), ...(content ? [content] : [])),
    der.constructed(0, parts.certificate, ...parts.issuers),
    der.set(signerInfo),
  );
  return der.sequence(der.oid(OID.signedData), der.constructed(0, signedData));
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
