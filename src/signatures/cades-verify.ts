/**
 * Whether a CAdES signature (RFC 5652 §5, ETSI EN 319 122-1) holds: form, digest, signer's identity and signature value.
 * Chain, revocation and timestamps are the caller's to judge, from what is returned.
 */
import { digest, type Hash } from '../pki/algorithms.ts';
import { constructed, DerError, equal, primitive, timeOf } from '../pki/der.ts';
import { OID } from '../pki/oids.ts';
import {
  checkSigner,
  parseSignedData,
  type SignedData,
  type SignedDataFault,
  SignedDataInvalid,
  signerOf,
} from '../pki/signed-data.ts';
import type { Certificate } from '../pki/x509.ts';
import { SignatureInvalid, type SubIndication } from './invalid.ts';

/** A signature whose value holds over its content by the key of `signer`. */
export interface VerifiedSignature {
  readonly signer: Certificate;
  /** As they came with the signature, the signer's first; nobody has checked the others. */
  readonly certificates: readonly Certificate[];
  readonly hash: Hash;
  /** As the signer claims. */
  readonly signingTime: Date | null;
  /** The octets whose digest a signature timestamp holds. */
  readonly timestamped: Uint8Array;
  /** TimeStampTokens, DER, unchecked. */
  readonly timestamps: readonly Uint8Array[];
}

export interface VerifiedCades extends VerifiedSignature {
  /** What is signed: use these octets and no others. */
  readonly content: Uint8Array;
  readonly detached: boolean;
}

const SUB_INDICATIONS: Readonly<Record<SignedDataFault, SubIndication>> = {
  format: 'FORMAT_FAILURE',
  'no-signer': 'NO_SIGNING_CERTIFICATE_FOUND',
  digest: 'HASH_FAILURE',
  signature: 'SIG_CRYPTO_FAILURE',
  'signing-certificate': 'SIG_CONSTRAINTS_FAILURE',
  algorithm: 'CRYPTO_CONSTRAINTS_FAILURE',
};

/**
 * @param cms DER ContentInfo
 * @param content what is signed, where the signature is detached; else null, or what it should hold
 * @throws SignatureInvalid
 */
export function verifyCades(cms: Uint8Array, content: Uint8Array | null): VerifiedCades {
  try {
    return verify(cms, content);
  } catch (error) {
    if (error instanceof DerError) throw new SignatureInvalid('FORMAT_FAILURE', error.message);
    if (error instanceof SignedDataInvalid) throw new SignatureInvalid(SUB_INDICATIONS[error.fault], error.message);
    throw error;
  }
}

function verify(cms: Uint8Array, given: Uint8Array | null): VerifiedCades {
  const data = parseSignedData(cms);
  if (data.content !== null && given !== null && !equal(data.content, given))
    throw new SignatureInvalid('HASH_FAILURE', 'the signature holds another content than this file');
  const content = data.content ?? given;
  if (content === null) throw new SignatureInvalid('SIGNED_DATA_NOT_FOUND', 'the file that was signed is needed, too');

  checkVersions(data);
  const signer = signerOf(data);
  checkSigner(data, {
    contentType: OID.data,
    digestOf: hash => digest(hash, content),
    signer,
    signingCertificate: 'required',
  });
  const { hash, signed, unsigned, signature } = data.signerInfo;
  const claimed = signed.get(OID.signingTime)?.[0];
  return {
    content,
    detached: data.content === null,
    signer,
    certificates: [signer, ...data.certificates.filter(other => other !== signer)],
    hash,
    signingTime: claimed ? timeOf(claimed) : null,
    timestamped: signature,
    timestamps: (unsigned.get(OID.signatureTimeStampToken) ?? []).map(({ bytes }) => bytes),
  };
}

/** Versions follow from what is inside (RFC 5652 §5.1, §5.3), and the digest algorithm is announced. */
function checkVersions({ version, digestAlgorithms, certificateElements, revocations, signerInfo }: SignedData): void {
  const byKeyIdentifier = signerInfo.signer.tag === primitive(0);
  const others = certificateElements.map(({ tag }) => tag);
  let due = byKeyIdentifier || others.includes(constructed(1)) ? 3 : 1;
  if (others.includes(constructed(2))) due = 4;
  if (others.includes(constructed(3)) || revocations.some(({ tag }) => tag === constructed(1))) due = 5;
  if (version !== due || signerInfo.version !== (byKeyIdentifier ? 3 : 1))
    throw new SignatureInvalid('FORMAT_FAILURE', 'a version that does not fit what is inside');
  if (!digestAlgorithms.includes(signerInfo.hash))
    throw new SignatureInvalid('FORMAT_FAILURE', 'the digest algorithm is not announced');
}
