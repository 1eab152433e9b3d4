/** The signature and digest algorithms that we make and accept; node:crypto does all of it. */
import { constants, createHash, type KeyObject, verify } from 'node:crypto';
import { constructed, DerError, der, type Element, Fields, oidOf, read, smallIntegerOf, TAG } from './der.ts';
import { OID } from './oids.ts';
import type { SignatureAlgorithm, SignatureHash, SigningKey } from './pki.ts';

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
export function signatureIdentifier(algorithm: SignatureAlgorithm, hash: SignatureHash = 'sha256'): Uint8Array {
  return algorithm === 'rsa-sha256'
    ? der.sequence(der.oid(hash === 'sha256' ? OID.sha256WithRSAEncryption : OID.sha384WithRSAEncryption), der.null)
    : der.sequence(der.oid(hash === 'sha256' ? OID.ecdsaWithSHA256 : OID.ecdsaWithSHA384));
}

/** The hash that is as strong as the key (NIST SP 800-57 part 1, table 2): SHA-384 for P-384 and RSA from 4096 bits. */
export function hashFor({ algorithm, publicKey }: Pick<SigningKey, 'algorithm' | 'publicKey'>): SignatureHash {
  if (algorithm === 'rsa-sha256')
    return (publicKey.asymmetricKeyDetails?.modulusLength ?? 0) >= 4096 ? 'sha384' : 'sha256';
  return algorithm === 'ecdsa-p384-sha256' ? 'sha384' : 'sha256';
}

/** SEQUENCE { data, algorithm, signature }: the shape of certificates, CRLs and OCSP answers. */
export async function signed(data: Uint8Array, key: SigningKey, ...more: readonly Uint8Array[]): Promise<Uint8Array> {
  const hash = hashFor(key);
  const signature = await key.sign(data, hash);
  return der.sequence(data, signatureIdentifier(key.algorithm, hash), der.bitString(signature), ...more);
}

interface Scheme {
  readonly key: 'ec' | 'rsa';
  readonly hash: Hash;
  /** Octets of salt, for RSASSA-PSS. */
  readonly salt: number | null;
}

/** What a signature AlgorithmIdentifier stands for; null for anything that isn't accepted. */
function schemeOf(identifier: Element, digestHash: Hash | undefined): Scheme | null {
  if (oidOf(new Fields(identifier.content).any()) === OID.rsassaPss) return pssOf(identifier);
  const oid = algorithmOf(identifier);
  if (oid === OID.rsaEncryption) return digestHash ? { key: 'rsa', hash: digestHash, salt: null } : null;
  const algorithm = SIGNATURES.get(oid);
  return algorithm ? { ...algorithm, salt: null } : null;
}

/** RSASSA-PSS-params (RFC 4055 §3.1): SHA-2, MGF1 with the same hash, trailer field 1 (left out, as DER wants it). */
export function pssOf(identifier: Element): Scheme | null {
  const fields = new Fields(identifier.content);
  fields.any();
  const parameters = fields.sequence();
  fields.finish();
  const explicit = (n: number): Uint8Array | null => parameters.optional(constructed(n))?.content ?? null;
  const [hashBytes, maskBytes, saltBytes] = [explicit(0), explicit(1), explicit(2)];
  parameters.finish();
  if (hashBytes === null || maskBytes === null) return null;
  const hash = hashOf(read(hashBytes, TAG.sequence));
  const mask = new Fields(read(maskBytes, TAG.sequence).content);
  const isMgf1 = oidOf(mask.next(TAG.oid)) === OID.mgf1;
  const maskHash = hashOf(mask.next(TAG.sequence));
  mask.finish();
  if (!isMgf1 || hash === null || maskHash !== hash) return null;
  return { key: 'rsa', hash, salt: saltBytes === null ? 20 : smallIntegerOf(read(saltBytes, TAG.integer)) };
}

/**
 * Checks a signature by an algorithm and a key that are strong enough (SHA-256 or better; RSA from 2048 bits, NIST curves
 * from P-256; RSA PKCS#1 v1.5 and PSS). @param digestHash CMS names the hash apart and may say plain rsaEncryption (RFC 3370 §3.2)
 */
export function signatureHolds(
  identifier: Element,
  key: KeyObject,
  data: Uint8Array,
  signature: Uint8Array,
  digestHash?: Hash,
): boolean {
  const scheme = schemeOf(identifier, digestHash);
  if (scheme === null || scheme.hash === 'sha1' || (digestHash && scheme.hash !== digestHash)) return false;
  if (key.asymmetricKeyType !== scheme.key || !strongEnough(key)) return false;
  if (scheme.salt === null) return verify(scheme.hash, data, key, signature);
  const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: scheme.salt };
  return verify(scheme.hash, data, { key, ...padding }, signature);
}

/** RSA from 2048 bits, NIST curves from P-256. */
export function strongEnough(key: KeyObject): boolean {
  const details = key.asymmetricKeyDetails;
  return (details?.modulusLength ?? 0) >= 2048 || CURVES.has(details?.namedCurve ?? '');
}
