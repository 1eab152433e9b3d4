/**
 * CAdES baseline B-T (ETSI EN 319 122-1) for documents that aren't PDFs: around the content (.p7m) or beside it (.p7s).
 * One signature is about one file; several files give several signatures.
 *
 * In two steps, so that a person's device can sign, or the seal:
 *
 *     const prepared = prepareCades(content, { certificate, signingTime });
 *     const signature = await key.sign(prepared.toBeSigned);
 *     const p7s = await completeCades(prepared, content, { certificate, issuers, algorithm, signature }, { detached: true, timestamps });
 */
import { createHash } from 'node:crypto';
import { equal } from '../pki/der.ts';
import type { SignatureAlgorithm, TimestampAuthority } from '../pki/pki.ts';
import { buildCms } from './cms.ts';
import { cadesAttributes } from './signed-attributes.ts';
import { BadSignature, verifySignature } from './verify.ts';

export interface Signer {
  /** DER. */
  readonly certificate: Uint8Array;
  /** DER, the signer's issuer first. */
  readonly issuers: readonly Uint8Array[];
  readonly algorithm: SignatureAlgorithm;
  /** DER ECDSA-Sig-Value or PKCS#1 v1.5, over what the preparing step returned. */
  readonly signature: Uint8Array;
}

export interface PreparedCades {
  readonly signingTime: Date;
  /** DER of signedAttrs as SET OF: exactly what the key signs. */
  readonly toBeSigned: Uint8Array;
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

/** Equal input, equal octets. @param signingTime as claimed; whole seconds */
export function prepareCades(
  content: Uint8Array,
  { certificate, signingTime }: { readonly certificate: Uint8Array; readonly signingTime: Date },
): PreparedCades {
  return { signingTime, toBeSigned: cadesAttributes(sha256(content), certificate, signingTime) };
}

/**
 * @param prepared made from this content and certificate
 * @returns DER ContentInfo with a signature-time-stamp
 * @throws BadSignature when the attributes or the signature don't fit; TimestampUnavailable
 */
export async function completeCades(
  prepared: PreparedCades,
  content: Uint8Array,
  signer: Signer,
  { detached, timestamps }: { readonly detached: boolean; readonly timestamps: TimestampAuthority },
): Promise<Uint8Array> {
  const { signingTime, toBeSigned } = prepared;
  if (!equal(cadesAttributes(sha256(content), signer.certificate, signingTime), toBeSigned)) {
    throw new BadSignature('the signed attributes belong to another content or certificate');
  }
  verifySignature(toBeSigned, signer.signature, signer.algorithm, signer.certificate);
  const { token } = await timestamps.stamp(sha256(signer.signature));
  return buildCms({
    ...signer,
    signedAttributes: toBeSigned,
    timestamp: token,
    ...(detached ? {} : { content }),
  });
}
