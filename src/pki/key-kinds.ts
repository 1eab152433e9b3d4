/** Kinds of keys that are made here, as the configuration's author and the command line call them. */
import type { SignatureAlgorithm, SigningKey } from './pki.ts';

/** By how it signs; RSA has 3072 bits, or else 4096. */
export type NewKey = SignatureAlgorithm | 'rsa-4096';

export const KEY_KINDS = {
  'ecdsa-p256': 'ecdsa-p256-sha256',
  'ecdsa-p384': 'ecdsa-p384-sha256',
  'rsa-3072': 'rsa-sha256',
  'rsa-4096': 'rsa-4096',
} as const satisfies Readonly<Record<string, NewKey>>;

export type KeyKind = keyof typeof KEY_KINDS;

export const KEY_KIND_NAMES: readonly KeyKind[] = ['ecdsa-p256', 'ecdsa-p384', 'rsa-3072', 'rsa-4096'];

export const rsaBits = (kind: 'rsa-sha256' | 'rsa-4096'): number => (kind === 'rsa-4096' ? 4096 : 3072);

/** What a new key must be to be of the kind of this one. */
export function kindOf({ algorithm, publicKey }: Pick<SigningKey, 'algorithm' | 'publicKey'>): NewKey {
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
  return algorithm === 'rsa-sha256' && bits > 3072 ? 'rsa-4096' : algorithm;
}
