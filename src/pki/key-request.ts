/** Certification requests (PKCS#10, RFC 2986) for our own keys, for another CA to certify. */
import { signed } from './algorithms.ts';
import { der } from './der.ts';
import { OID } from './oids.ts';
import type { SigningKey } from './pki.ts';
import { publicKeyInfoOf } from './x509.ts';

/**
 * @param subject Name, DER
 * @param extensions that are asked for (RFC 2985 §5.4.2), encoded
 * @returns CertificationRequest, DER
 * @throws TokenError
 */
export function certificationRequest(
  subject: Uint8Array,
  key: SigningKey,
  extensions: readonly Uint8Array[] = [],
): Promise<Uint8Array> {
  const attributes =
    extensions.length === 0 ? [] : [der.sequence(der.oid(OID.extensionRequest), der.set(der.sequence(...extensions)))];
  const publicKeyInfo = publicKeyInfoOf(key.publicKey);
  return signed(der.sequence(der.integer(0), subject, publicKeyInfo, der.constructed(0, ...attributes)), key);
}
