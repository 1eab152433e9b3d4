/**
 * Whether an enveloped XAdES signature (ETSI EN 319 132-1) holds. Strict (THREATS.md, XML): one Signature, exactly two
 * References (the whole file, the signed properties), exclusive canonicalisation, the signer known by
 * SigningCertificateV2. Chain, revocation and timestamps are the caller's to judge, from what is returned; of the file,
 * only the canonical octets that are returned are signed (comments are not).
 */
import { verify } from 'node:crypto';
import { digest, strongEnough } from '../pki/algorithms.ts';
import { DerError, equal } from '../pki/der.ts';
import { type Certificate, parseCertificate } from '../pki/x509.ts';
import type { VerifiedSignature } from './cades-verify.ts';
import { SignatureInvalid } from './invalid.ts';
import { DIGESTS, SIGNATURES } from './xml/names.ts';
import type { XadesParts, XmlDigest } from './xml/read.ts';

/** Takes a file apart in a document child. @throws XmlRefused; SignatureInvalid */
export type ReadXades = (xml: Uint8Array) => Promise<XadesParts>;

export interface VerifiedXades extends VerifiedSignature {
  /** The canonical octets that are signed: use these and nothing else of the file. */
  readonly content: Uint8Array;
}

/** @throws XmlRefused; SignatureInvalid */
export async function verifyXades(xml: Uint8Array, readXades: ReadXades): Promise<VerifiedXades> {
  const parts = await readXades(xml);
  const certificates = parts.certificates.flatMap(usable);
  const signer = certificates.find(({ der }) => fits(parts.signingCertificate, der));
  if (signer === undefined)
    throw new SignatureInvalid('NO_SIGNING_CERTIFICATE_FOUND', 'the certificate that it names is not in it');
  if (!fits(parts.contentDigest, parts.content))
    throw new SignatureInvalid('HASH_FAILURE', 'the file has changed since it was signed');
  if (!fits(parts.propertiesDigest, parts.signedProperties))
    throw new SignatureInvalid('HASH_FAILURE', "the signature's own properties have changed since it was made");

  const method = SIGNATURES.get(parts.signatureMethod);
  const { publicKey: key } = signer;
  if (method === undefined || key.asymmetricKeyType !== method.key || !strongEnough(key))
    throw new SignatureInvalid('CRYPTO_CONSTRAINTS_FAILURE', 'its algorithm or key is not strong enough');
  // XMLDSig §6.4.3 (RFC 9231 §2.3.6): ECDSA as r ‖ s.
  if (!verify(method.hash, parts.signedInfo, { key, dsaEncoding: 'ieee-p1363' }, parts.signatureValue))
    throw new SignatureInvalid('SIG_CRYPTO_FAILURE', "the signature does not fit the signer's key");
  return {
    content: parts.content,
    signer,
    certificates: [signer, ...certificates.filter(other => other !== signer)],
    hash: method.hash,
    signingTime: timeOf(parts.signingTime),
    timestamped: parts.signatureValueElement,
    timestamps: parts.timestamps,
  };
}

function usable(der: Uint8Array): Certificate[] {
  try {
    return [parseCertificate(der)];
  } catch (error) {
    if (error instanceof DerError) return [];
    throw error;
  }
}

/** @throws SignatureInvalid for a digest method that is not strong enough */
function fits({ method, value }: XmlDigest, data: Uint8Array): boolean {
  const hash = DIGESTS.get(method);
  if (hash === undefined)
    throw new SignatureInvalid('CRYPTO_CONSTRAINTS_FAILURE', 'a digest method that is not strong enough');
  return equal(digest(hash, data), value);
}

/** An xs:dateTime with its time zone. @throws SignatureInvalid */
function timeOf(text: string | null): Date | null {
  if (text === null) return null;
  const time = new Date(text);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) || Number.isNaN(time.getTime()))
    throw new SignatureInvalid('FORMAT_FAILURE', 'its signing time can not be read');
  return time;
}
