/** The signature and digest algorithms that we make and accept; node:crypto does all of it. */
import { createHash, type KeyObject, verify } from 'node:crypto';
import { DerError, der, type Element, Fields, oidOf, TAG } from './der.ts';
import { OID } from './oids.ts';
import type { SignatureAlgorithm, SigningKey } from './pki.ts';

export type Hash = 'sha1' | 'sha256' | 'sha384' | 'sha512';

const HASHES: ReadonlyMap<string, Hash> = new Map([
  [OID.sha1, 'sha1'],
  [OID.sha256, 'sha256'],
  [OID.sha384, 'sha384'],
  [OID.sha512, 'sha512'],
]);

const SIGNATURES: ReadonlyMap<string, { readonly key: 'ec' | 'rsa'; readonly hash: Hash }> = new Map([
  [OID.ecdsaWithSHA256, { key: 'ec', hash: 'sha256' }],
  [OID.ecdsaWithSHA384, { key: 'ec', hash: 'sha384' }],
  [OID.ecdsaWithSHA512, { key: 'ec', hash: 'sha512' }],
  [OID.sha256WithRSAEncryption, { key: 'rsa', hash: 'sha256' }],
  [OID.sha384WithRSAEncryption, { key: 'rsa', hash: 'sha384' }],
  [OID.sha512WithRSAEncryption, { key: 'rsa', hash: 'sha512' }],
]);

const CURVES = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/** An AlgorithmIdentifier's OID; parameters must be absent or NULL, as for every algorithm used here. */
export function algorithmOf(identifier: Element): string {
  const fields = new Fields(identifier.content);
  const oid = oidOf(fields.next(TAG.oid));
  const parameters = fields.optional(TAG.null);
  if (parameters && parameters.content.length > 0) throw new DerError('bad NULL');
  fields.finish();
  return oid;
}

/** The hash that a digest AlgorithmIdentifier names, or null when it isn't one of ours. */
export function hashOf(identifier: Element): Hash | null {
  return HASHES.get(algorithmOf(identifier)) ?? null;
}

export function digest(hash: Hash, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(hash).update(data).digest());
}

/** AlgorithmIdentifier of SHA-256, parameters absent (RFC 5754 §2). */
export const SHA256 = der.sequence(der.oid(OID.sha256));

/** AlgorithmIdentifier of a signature (RFC 5758 §3.2: no parameters; RFC 4055 §5: NULL). */
export function signatureIdentifier(algorithm: SignatureAlgorithm): Uint8Array {
  return algorithm === 'rsa-sha256'
    ? der.sequence(der.oid(OID.sha256WithRSAEncryption), der.null)
    : der.sequence(der.oid(OID.ecdsaWithSHA256));
}

/** SEQUENCE { data, algorithm, signature }: the shape of certificates, CRLs and OCSP answers. */
export async function signed(data: Uint8Array, key: SigningKey, ...more: readonly Uint8Array[]): Promise<Uint8Array> {
  const signature = await key.sign(data);
  return der.sequence(data, signatureIdentifier(key.algorithm), der.bitString(signature), ...more);
}

/**
 * Checks a signature by an algorithm and a key that are strong enough (SHA-256 or better; RSA from 2048 bits, NIST curves
 * from P-256). @param digestHash CMS names the hash apart and may say plain rsaEncryption (RFC 3370 §3.2)
 */
export function signatureHolds(
  identifier: Element,
  key: KeyObject,
  data: Uint8Array,
  signature: Uint8Array,
  digestHash?: Hash,
): boolean {
  const oid = algorithmOf(identifier);
  const algorithm =
    oid === OID.rsaEncryption && digestHash ? { key: 'rsa' as const, hash: digestHash } : SIGNATURES.get(oid);
  if (!algorithm || algorithm.hash === 'sha1' || (digestHash && algorithm.hash !== digestHash)) return false;
  return key.asymmetricKeyType === algorithm.key && strongEnough(key) && verify(algorithm.hash, data, key, signature);
}

function strongEnough(key: KeyObject): boolean {
  const details = key.asymmetricKeyDetails;
  return (details?.modulusLength ?? 0) >= 2048 || CURVES.has(details?.namedCurve ?? '');
}
