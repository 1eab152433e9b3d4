/** Whether a signature value was made by the key of a certificate. Only node:crypto judges. */
import { type KeyObject, verify, X509Certificate } from 'node:crypto';
import type { SignatureAlgorithm } from '../pki/pki.ts';

/** The signature value does not fit; nothing is committed. */
export class BadSignature extends Error {
  override readonly name = 'BadSignature';
}

const CURVES = { 'ecdsa-p256-sha256': 'prime256v1', 'ecdsa-p384-sha256': 'secp384r1' } as const;

const fits = (key: KeyObject, algorithm: SignatureAlgorithm): boolean =>
  algorithm === 'rsa-sha256'
    ? key.asymmetricKeyType === 'rsa'
    : key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === CURVES[algorithm];

/**
 * @param signature DER ECDSA-Sig-Value (RFC 3279 §2.2.3) or PKCS#1 v1.5, over SHA-256 of `data`
 * @param certificate DER
 * @throws BadSignature
 */
export function verifySignature(
  data: Uint8Array,
  signature: Uint8Array,
  algorithm: SignatureAlgorithm,
  certificate: Uint8Array,
): void {
  let valid = false;
  try {
    const { publicKey } = new X509Certificate(certificate);
    valid = fits(publicKey, algorithm) && verify('sha256', data, { key: publicKey, dsaEncoding: 'der' }, signature);
  } catch {
    // An unreadable certificate or signature is a wrong one.
  }
  if (!valid) throw new BadSignature("the signature does not fit the certificate's key");
}
