/** Signatures on certificates and CRLs, by the algorithms that the caller allows; node:crypto checks all of them. */
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { algorithmOf, type Hash, pssOf } from '../algorithms.ts';
import { DerError, der, type Element, Fields, hex, oidOf, TAG } from '../der.ts';
import { OID } from '../oids.ts';
import type { KeyInfo, SignedObject } from './certificate.ts';

/** id-dsa (RFC 3279 §2.3.2) */
const DSA = '1.2.840.10040.4.1';
const ED25519 = '1.3.101.112';

interface Scheme {
  readonly key: readonly string[];
  readonly hash: Hash | 'sha224' | null;
  /** Octets of salt, for RSASSA-PSS. */
  readonly salt?: number;
}

const SCHEMES = {
  '1.2.840.113549.1.1.5': ['rsa-sha1', { key: ['rsa'], hash: 'sha1' }],
  [OID.sha256WithRSAEncryption]: ['rsa-sha256', { key: ['rsa'], hash: 'sha256' }],
  [OID.sha384WithRSAEncryption]: ['rsa-sha384', { key: ['rsa'], hash: 'sha384' }],
  [OID.sha512WithRSAEncryption]: ['rsa-sha512', { key: ['rsa'], hash: 'sha512' }],
  '1.2.840.10040.4.3': ['dsa-sha1', { key: ['dsa'], hash: 'sha1' }],
  '2.16.840.1.101.3.4.3.1': ['dsa-sha224', { key: ['dsa'], hash: 'sha224' }],
  '2.16.840.1.101.3.4.3.2': ['dsa-sha256', { key: ['dsa'], hash: 'sha256' }],
  '1.2.840.10045.4.1': ['ecdsa-sha1', { key: ['ec'], hash: 'sha1' }],
  [OID.ecdsaWithSHA256]: ['ecdsa-sha256', { key: ['ec'], hash: 'sha256' }],
  [OID.ecdsaWithSHA384]: ['ecdsa-sha384', { key: ['ec'], hash: 'sha384' }],
  [OID.ecdsaWithSHA512]: ['ecdsa-sha512', { key: ['ec'], hash: 'sha512' }],
  [ED25519]: ['ed25519', { key: ['ed25519'], hash: null }],
} as const satisfies Record<string, readonly [string, Scheme]>;

export type SignatureName = (typeof SCHEMES)[keyof typeof SCHEMES][0] | `rsa-pss-${'sha256' | 'sha384' | 'sha512'}`;

/** What the caller trusts. */
export interface AlgorithmPolicy {
  readonly signatures: ReadonlySet<SignatureName>;
  /** Least bits of RSA moduli. */
  readonly rsaBits: number;
  /** Least bits of DSA's p; Infinity where there is no DSA. */
  readonly dsaBits: number;
  /** As node:crypto names them. */
  readonly curves: ReadonlySet<string>;
  /** Whether a key may take its parameters from its issuer's (RFC 5280 §6.1.4 (d) to (f)). */
  readonly inheritedParameters: boolean;
}

/** What counts today (ETSI TS 119 312): SHA-2, RSA from 2048 bits, NIST curves from P-256. */
export const CURRENT_ALGORITHMS: AlgorithmPolicy = {
  signatures: new Set<SignatureName>([
    'rsa-sha256',
    'rsa-sha384',
    'rsa-sha512',
    'rsa-pss-sha256',
    'rsa-pss-sha384',
    'rsa-pss-sha512',
    'ecdsa-sha256',
    'ecdsa-sha384',
    'ecdsa-sha512',
  ]),
  rsaBits: 2048,
  dsaBits: Number.POSITIVE_INFINITY,
  curves: new Set(['prime256v1', 'secp384r1', 'secp521r1']),
  inheritedParameters: false,
};

/** More costs minutes of work to check. */
const MAX_BITS = 8192;

/** A public key that can check signatures. */
export interface WorkingKey {
  readonly info: KeyInfo;
  readonly key: KeyObject;
}

/** A key as it stands in a certificate; null when it can't be used or isn't allowed. */
export function usableKey(info: KeyInfo, policy: AlgorithmPolicy): WorkingKey | null {
  try {
    const key = createPublicKey({ key: Buffer.from(info.bytes), format: 'der', type: 'spki' });
    return isAllowed(key, policy) && !isWrittenOut(info) ? { info, key } : null;
  } catch {
    // node:crypto has no error of its own for keys that it can't read: a point off its curve, say.
    return null;
  }
}

/** RFC 5480 §2.1.1: curves are named. Written out they once let anybody choose the generator (CVE-2020-0601). */
function isWrittenOut({ algorithm, parameters }: KeyInfo): boolean {
  return algorithm === OID.ecPublicKey && parameters?.[0] !== TAG.oid;
}

/** A key with the parameters that it takes from its issuer's (RFC 5280 §6.1.4 (d) to (f)). */
export function withParameters(own: KeyInfo, { parameters, algorithm }: KeyInfo): KeyInfo {
  if (!lacksParameters(own) || !parameters || algorithm !== own.algorithm) return own;
  const bytes = der.sequence(der.sequence(der.oid(own.algorithm), parameters), own.bits);
  return { ...own, parameters, bytes, id: hex(bytes) };
}

/** Whether only its issuer can complete this key. */
export const lacksParameters = (info: KeyInfo): boolean => info.algorithm === DSA && info.parameters === null;

function isAllowed(key: KeyObject, policy: AlgorithmPolicy): boolean {
  const { modulusLength = 0, namedCurve = '', publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss':
      return modulusLength >= policy.rsaBits && modulusLength <= MAX_BITS && publicExponent > 1n;
    case 'dsa':
      return modulusLength >= policy.dsaBits && modulusLength <= MAX_BITS;
    case 'ec':
      return policy.curves.has(namedCurve);
    default:
      return key.asymmetricKeyType === 'ed25519';
  }
}

/** Why a signature doesn't count; null when it holds. @throws DerError for a malformed AlgorithmIdentifier */
export function signatureFault(
  { algorithm, toBeSigned, signature }: SignedObject,
  { key }: WorkingKey,
  policy: AlgorithmPolicy,
): 'algorithm' | 'signature' | null {
  const found = schemeOf(algorithm);
  if (!found || !policy.signatures.has(found[0])) return 'algorithm';
  const scheme: Scheme = found[1];
  if (!scheme.key.includes(key.asymmetricKeyType ?? '')) return 'signature';
  const padding =
    scheme.salt === undefined ? {} : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: scheme.salt };
  try {
    return verify(scheme.hash, toBeSigned, { key, ...padding }, signature) ? null : 'signature';
  } catch {
    // OpenSSL refuses some combinations (a key restricted to another hash, a digest longer than its modulus).
    return 'signature';
  }
}

/** Name and meaning of a signature's AlgorithmIdentifier. Parameters: NULL or none for RSA, none for all others. */
function schemeOf(identifier: Element): readonly [SignatureName, Scheme] | null {
  const oid = oidOf(new Fields(identifier.content).next(TAG.oid));
  if (oid === OID.rsassaPss) {
    const pss = pssOf(identifier);
    if (!pss || pss.hash === 'sha1' || pss.salt === null) return null;
    return [`rsa-pss-${pss.hash}`, { key: ['rsa', 'rsa-pss'], hash: pss.hash, salt: pss.salt }];
  }
  const known = Object.entries(SCHEMES).find(([key]) => key === oid)?.[1];
  if (!known) return null;
  algorithmOf(identifier);
  if (!known[0].startsWith('rsa') && identifier.content.length > 2 + identifier.content[1]!)
    throw new DerError('parameters where there are none');
  return known;
}
