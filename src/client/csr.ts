/**
 * A certification request (PKCS#10, RFC 2986) that proves possession of the signing key. It names nobody: the subject
 * comes from the directory.
 */
import { owned } from './bytes.ts';
import { encode } from './der.ts';
import { derSignature } from './ecdsa.ts';

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

/** @returns DER */
export async function certificationRequest(keys: CryptoKeyPair): Promise<Uint8Array> {
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('spki', keys.publicKey));
  const subject = encode.seq();
  const attributes = encode.contextTag(0, new Uint8Array());
  const info = encode.seq(encode.integer(0), subject, publicKey, attributes);
  const raw = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, keys.privateKey, owned(info));
  const algorithm = encode.seq(encode.oid(ECDSA_WITH_SHA256));
  return encode.seq(info, algorithm, encode.bitString(derSignature(new Uint8Array(raw))));
}
