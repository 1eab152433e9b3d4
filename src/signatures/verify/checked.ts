/**
 * Whether a CMS signature or a timestamp token holds in itself: form, digest, signer's identity, signature value,
 * algorithms. Whom to trust, and at what time, is judged in judge.ts.
 */
import { algorithmOf, digest, type Hash } from '../../pki/algorithms.ts';
import {
  children,
  constructed,
  DerError,
  der,
  type Element,
  equal,
  Fields,
  oidOf,
  primitive,
  read,
  TAG,
  timeOf,
} from '../../pki/der.ts';
import { OID } from '../../pki/oids.ts';
import {
  checkBareSigner,
  checkSigner,
  parseSignedData,
  type SignedData,
  type SignedDataFault,
  SignedDataInvalid,
  signerOf,
} from '../../pki/signed-data.ts';
import { checkPurpose, parseToken, TokenInvalid } from '../../pki/token.ts';
import type { Certificate } from '../../pki/x509.ts';
import { fault, type SubIndication, type Verdict } from './result.ts';
import type { RevocationSource } from './statements.ts';

/** A signature, checked as far as it could be read. */
export interface CheckedSignature {
  /** Null when it holds. */
  readonly fault: Verdict | null;
  /** What it lacks although it holds. */
  readonly doubt: Verdict | null;
  readonly signer: Certificate | null;
  readonly algorithm: string | null;
  readonly claimedTime: Date | null;
  /** Certificates and revocation data that came with it. */
  readonly certificates: readonly Certificate[];
  readonly sources: readonly RevocationSource[];
  /** The octets whose digest a signature timestamp holds. */
  readonly timestamped: Uint8Array;
  /** TimeStampTokens, DER, unchecked. */
  readonly timestamps: readonly Uint8Array[];
}

export interface CheckedToken {
  readonly fault: Verdict | null;
  readonly time: Date | null;
  readonly signer: Certificate | null;
  readonly algorithm: string | null;
  readonly certificates: readonly Certificate[];
}

const FAULTS: Readonly<Record<SignedDataFault, SubIndication>> = {
  format: 'FORMAT_FAILURE',
  'no-signer': 'NO_SIGNING_CERTIFICATE_FOUND',
  digest: 'HASH_FAILURE',
  signature: 'SIG_CRYPTO_FAILURE',
  'signing-certificate': 'SIG_CONSTRAINTS_FAILURE',
  algorithm: 'CRYPTO_CONSTRAINTS_FAILURE',
};
const WORDS: Readonly<Partial<Record<SignedDataFault, string>>> = {
  digest: 'what was signed has changed since',
  signature: 'the signature does not fit the signer’s key',
};

/** What an error of the readers means. @throws whatever else it is */
export function faultOf(error: unknown): Verdict {
  if (error instanceof SignedDataInvalid) return fault(FAULTS[error.fault], WORDS[error.fault] ?? error.message);
  if (error instanceof DerError) return fault('FORMAT_FAILURE', `the signature is damaged: ${error.message}`);
  throw error;
}

/** Adobe's signed attribute with CRLs and OCSP answers (ISO 32000-2 §12.8.3.3.2). */
const REVOCATION_ARCHIVAL = '1.2.840.113583.1.1.8';
const OCSP_RESPONSE = '1.3.6.1.5.5.7.16.2';

export interface CmsExpectation {
  readonly digestOf: (hash: Hash) => Uint8Array;
  /** Whether the signature must name its certificate (CAdES), or may (PKCS#7). */
  readonly signingCertificate: 'required' | 'optional';
  /** Whether the content may stand inside. */
  readonly content: 'detached' | 'any';
  /** All that is signed, where a signature without signed attributes is allowed (PKCS#7). */
  readonly bare?: () => Uint8Array;
}

/** @param cms DER ContentInfo, nothing after it. @param others where the signer's certificate may be, too */
export function checkCms(cms: Uint8Array, expected: CmsExpectation, others: readonly Certificate[]): CheckedSignature {
  let known: Omit<CheckedSignature, 'fault'> = NOTHING;
  try {
    const data = parseSignedData(cms);
    const { signerInfo } = data;
    known = { ...NOTHING, certificates: data.certificates, timestamped: signerInfo.signature };
    const signer = signerOf(data, others);
    const claimed = signerInfo.signed.get(OID.signingTime)?.[0];
    known = {
      ...known,
      signer,
      claimedTime: claimed ? timeOf(claimed) : null,
      sources: [...sourcesIn(data), ...archivedSources(signerInfo.signed.get(REVOCATION_ARCHIVAL)?.[0])],
      timestamps: (signerInfo.unsigned.get(OID.signatureTimeStampToken) ?? []).map(({ bytes }) => bytes),
    };
    if (expected.content === 'detached' && data.content !== null)
      throw new SignedDataInvalid('format', 'it holds a content of its own');
    const algorithm = algorithmName(signerInfo.signatureAlgorithm, signerInfo.hash, signer);
    if (algorithm === null) throw new SignedDataInvalid('algorithm', 'an algorithm or key that is not strong enough');
    known = { ...known, algorithm };
    const { signedAttributes } = signerInfo;
    const isBare = signedAttributes === null && expected.bare !== undefined;
    if (isBare) checkBareSigner(data, signer, expected.bare());
    else checkSigner(data, { ...expected, contentType: OID.data, signer });
    if (signedAttributes) checkOrder(signedAttributes);
    return { ...known, fault: formFault(data, [OID.signatureTimeStampToken]), doubt: isBare ? BARE : null };
  } catch (error) {
    return { ...known, fault: faultOf(error) };
  }
}

/** EN 319 102-1 §5.2.8: nothing is wrong, but what a signature must assert is not there. */
const BARE = fault(
  'SIG_CONSTRAINTS_FAILURE',
  'it has no signed attributes: it holds by the key in this certificate, but does not say which certificate was meant',
);

/** Before anything could be read. */
export const NOTHING: Omit<CheckedSignature, 'fault'> = {
  doubt: null,
  signer: null,
  algorithm: null,
  claimedTime: null,
  certificates: [],
  sources: [],
  timestamped: new Uint8Array(),
  timestamps: [],
};

/** @param digestOf of what the token should be about */
export function checkTimestamp(token: Uint8Array, digestOf: (hash: Hash) => Uint8Array): CheckedToken {
  let known: Omit<CheckedToken, 'fault'> = { time: null, signer: null, algorithm: null, certificates: [] };
  try {
    const { data, content, info } = parseToken(token);
    known = { ...known, time: info.time, certificates: data.certificates };
    const signer = signerOf(data);
    known = { ...known, signer };
    checkPurpose(signer);
    const { signerInfo } = data;
    const algorithm = algorithmName(signerInfo.signatureAlgorithm, signerInfo.hash, signer);
    if (algorithm === null || info.hash === null || info.hash === 'sha1')
      throw new SignedDataInvalid('algorithm', 'an algorithm or key that is not strong enough');
    known = { ...known, algorithm };
    if (!equal(info.imprint, digestOf(info.hash)))
      throw new SignedDataInvalid('digest', 'the timestamp is about something else');
    checkSigner(data, {
      contentType: OID.tstInfo,
      digestOf: hash => digest(hash, content),
      signer,
      signingCertificate: 'required',
    });
    return { ...known, fault: formFault(data, []) };
  } catch (error) {
    if (error instanceof TokenInvalid) return { ...known, fault: fault('SIG_CONSTRAINTS_FAILURE', error.message) };
    return { ...known, fault: faultOf(error) };
  }
}

/** RFC 5652 §5.4: what was signed is DER, and DER sorts a SET OF. */
function checkOrder({ content, bytes }: Element): void {
  const sorted = der.set(...children(content).map(attribute => attribute.bytes));
  if (!equal(sorted, der.retag(TAG.set, bytes)))
    throw new SignedDataInvalid('format', 'the signed attributes are not DER');
}

export const DAMAGED_CERTIFICATE = 'the signature carries a certificate that can’t be read; it may be damaged';

/** What no signature covers must still be right: nothing in it may be changed unseen. */
function formFault(data: SignedData, unsigned: readonly string[]): Verdict | null {
  const { signerInfo } = data;
  const byKeyIdentifier = signerInfo.signer.tag === primitive(0);
  const tags = data.certificateElements.map(({ tag }) => tag);
  let version = byKeyIdentifier || tags.includes(constructed(1)) || data.contentType !== OID.data ? 3 : 1;
  if (tags.includes(constructed(2))) version = 4;
  if (tags.includes(constructed(3)) || data.revocations.some(({ tag }) => tag === constructed(1))) version = 5;
  if (data.version !== version || signerInfo.version !== (byKeyIdentifier ? 3 : 1))
    return fault('FORMAT_FAILURE', 'the signature has a version that does not fit what is inside (RFC 5652 §5.1)');
  if (data.digestAlgorithms.length !== 1 || data.digestAlgorithms[0] !== signerInfo.hash)
    return fault('FORMAT_FAILURE', 'the digest algorithm is not the one that the signature announces');
  if (data.certificates.length !== data.certificateElements.length) return fault('GENERIC', DAMAGED_CERTIFICATE);
  const strange = [...signerInfo.unsigned.keys()].find(type => !unsigned.includes(type));
  if (strange !== undefined)
    return fault('GENERIC', `the signature carries something that is not known here (${strange})`);
  return null;
}

/** CRLs and OCSP answers beside the certificates (RFC 5652 §10.2.1, RFC 5940 §2). */
function sourcesIn({ revocations }: SignedData): RevocationSource[] {
  return revocations.flatMap(({ tag, content, bytes }): RevocationSource[] => {
    if (tag === TAG.sequence) return [{ kind: 'CRL', der: bytes, where: 'file' }];
    const fields = new Fields(content);
    const isOcsp = oidOf(fields.next(TAG.oid)) === OCSP_RESPONSE;
    return isOcsp ? [{ kind: 'OCSP', der: fields.next(TAG.sequence).bytes, where: 'file' }] : [];
  });
}

/** RevocationInfoArchival: [0] CRLs, [1] OCSP answers, [2] others. @throws DerError */
function archivedSources(attribute: Element | undefined): RevocationSource[] {
  if (!attribute) return [];
  const fields = new Fields(read(attribute.bytes, TAG.sequence).content);
  const list = (n: number, kind: RevocationSource['kind']): RevocationSource[] => {
    const explicit = fields.optional(constructed(n));
    if (!explicit) return [];
    const items = children(read(explicit.content, TAG.sequence).content);
    return items.map(({ bytes }) => ({ kind, der: bytes, where: 'file' }));
  };
  return [...list(0, 'CRL'), ...list(1, 'OCSP')];
}

const HASH_NAMES: Readonly<Partial<Record<Hash, string>>> = { sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' };
const CURVES: ReadonlyMap<string | undefined, string> = new Map([
  ['prime256v1', 'P-256'],
  ['secp384r1', 'P-384'],
]);

/** The algorithm in words, or null when it is none that is accepted: ECDSA on P-256 or P-384, RSA from 2048 bits. */
function algorithmName(identifier: Element, hash: Hash, signer: Certificate): string | null {
  const oid = oidOf(new Fields(identifier.content).any());
  const accepted = signer.publicKey.asymmetricKeyType === 'ec' ? ECDSA : RSA;
  if (oid === OID.rsassaPss) return signatureAlgorithm(hash, signer, 'RSA-PSS');
  return accepted.has(algorithmOf(identifier)) ? signatureAlgorithm(hash, signer) : null;
}

/** By the signer's key and the hash; null when it is none that is accepted. */
export function signatureAlgorithm(
  hash: Hash,
  { publicKey }: Pick<Certificate, 'publicKey'>,
  scheme = 'RSA',
): string | null {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = publicKey;
  const hashName = HASH_NAMES[hash];
  if (hashName === undefined) return null;
  if (type === 'ec') {
    const curve = CURVES.get(details?.namedCurve);
    return curve === undefined ? null : `ECDSA ${curve} with ${hashName}`;
  }
  const bits = details?.modulusLength ?? 0;
  return type === 'rsa' && bits >= 2048 ? `${scheme} ${bits} bits with ${hashName}` : null;
}

const ECDSA = new Set<string>([OID.ecdsaWithSHA256, OID.ecdsaWithSHA384, OID.ecdsaWithSHA512]);
const RSA = new Set<string>([
  OID.rsaEncryption,
  OID.sha256WithRSAEncryption,
  OID.sha384WithRSAEncryption,
  OID.sha512WithRSAEncryption,
]);
