/** Certification requests (PKCS#10, RFC 2986) for our own keys, for another CA to certify. */
import { signed } from './algorithms.ts';
import { der } from './der.ts';
import type { SigningKey } from './pki.ts';
import { publicKeyInfoOf } from './x509.ts';

/** @param subject Name, DER @returns CertificationRequest, DER @throws TokenError */
export function certificationRequest(subject: Uint8Array, key: SigningKey): Promise<Uint8Array> {
  const info = der.sequence(der.integer(0), subject, publicKeyInfoOf(key.publicKey), der.constructed(0));
  return signed(info, key);
}
