/** Public keys as PKCS#11 shows them (v2.40 Mechanisms, §2.1.2 and §2.3.3), as SubjectPublicKeyInfo. */
import { DerError, der, read, TAG } from '../der.ts';
import { OID } from '../oids.ts';
import type { SignatureAlgorithm } from '../pki.ts';

/** @param modulus big-endian @param exponent big-endian */
export function rsaPublicKey(modulus: Uint8Array, exponent: Uint8Array): Uint8Array {
  const integer = (bytes: Uint8Array): Uint8Array => der.integer(Buffer.from(bytes).toString('hex'));
  return der.sequence(
    der.sequence(der.oid(OID.rsaEncryption), der.null),
    der.bitString(der.sequence(integer(modulus), integer(exponent))),
  );
}

/** @param point the standard's OCTET STRING around the point, or the bare point, which older modules give */
export function ecPublicKey(parameters: Uint8Array, point: Uint8Array): Uint8Array {
  return der.sequence(der.sequence(der.oid(OID.ecPublicKey), parameters), der.bitString(barePoint(point)));
}

function barePoint(point: Uint8Array): Uint8Array {
  try {
    return read(point, TAG.octetString).content;
  } catch (error) {
    if (error instanceof DerError) return point;
    throw error;
  }
}

/** CKA_EC_PARAMS: the curve's name, DER. */
export function curveParameters(algorithm: Exclude<SignatureAlgorithm, 'rsa-sha256'>): Uint8Array {
  return der.oid(algorithm === 'ecdsa-p384-sha256' ? OID.secp384r1 : OID.prime256v1);
}
