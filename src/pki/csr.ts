/** Certification requests (PKCS#10, RFC 2986): only the proven public key is taken from them. */
import { algorithmOf, signatureHolds } from './algorithms.ts';
import { bitsOf, constructed, DerError, der, equal, Fields, read, smallIntegerOf, TAG } from './der.ts';
import { OID } from './oids.ts';
import { CertificateRefused } from './pki.ts';
import { publicKeyOf } from './x509.ts';

/** An honest P-256 request has about 300 bytes. */
const MAX_SIZE = 4096;

const P256 = der.sequence(der.oid(OID.ecPublicKey), der.oid(OID.prime256v1));

/**
 * The SubjectPublicKeyInfo of a request whose signature proves that its maker has the private key.
 * Subject and attributes are ignored. @throws CertificateRefused
 */
export function provenPublicKey(csr: Uint8Array): Uint8Array {
  if (csr.length > MAX_SIZE) throw new CertificateRefused('the request is too big');
  try {
    return parse(csr);
  } catch (error) {
    if (error instanceof DerError) throw new CertificateRefused(`the request is not sound PKCS#10: ${error.message}`);
    throw error;
  }
}

function parse(csr: Uint8Array): Uint8Array {
  const outer = new Fields(read(csr, TAG.sequence).content);
  const info = outer.next(TAG.sequence);
  const algorithm = outer.next(TAG.sequence);
  const signature = bitsOf(outer.next(TAG.bitString));
  outer.finish();

  const fields = new Fields(info.content);
  if (smallIntegerOf(fields.next(TAG.integer)) !== 0) throw new DerError('not version 1');
  fields.next(TAG.sequence);
  const publicKeyInfo = fields.next(TAG.sequence);
  fields.next(constructed(0));
  fields.finish();

  const key = new Fields(publicKeyInfo.content);
  if (!equal(key.next(TAG.sequence).bytes, P256)) throw new CertificateRefused('only P-256 keys get certificates');
  const point = bitsOf(key.next(TAG.bitString));
  key.finish();
  // RFC 5480 §2.2: the uncompressed form, so that one key has one encoding (and one hash).
  if (point.length !== 65 || point[0] !== 4)
    throw new CertificateRefused('the public key must be an uncompressed point');
  if (algorithmOf(algorithm) !== OID.ecdsaWithSHA256) {
    throw new CertificateRefused('the request must be signed with ECDSA and SHA-256');
  }
  // node:crypto refuses a point that is not on the curve.
  if (!signatureHolds(algorithm, publicKeyOf(publicKeyInfo.bytes), info.bytes, signature)) {
    throw new CertificateRefused('the request does not prove possession of its key');
  }
  return new Uint8Array(publicKeyInfo.bytes);
}
