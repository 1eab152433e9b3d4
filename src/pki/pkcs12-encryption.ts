/**
 * Password-based encryption of PKCS#12 files: PBES2 with PBKDF2 and AES (RFC 8018), and what older programs write, 3DES and RC2
 * with the key derivation of RFC 7292 Appendix B.
 */
import { createDecipheriv, createHash, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { concat, DerError, type Element, Fields, oidOf, smallIntegerOf, TAG } from './der.ts';
import { OID } from './oids.ts';

const derive = promisify(pbkdf2);

/** A scheme that isn't read here; `message` names it. */
export class UnknownScheme extends Error {
  override readonly name = 'UnknownScheme';
}

/** The ciphertext isn't of this password. */
export class NotDecrypted extends Error {
  override readonly name = 'NotDecrypted';
}

/** OpenSSL writes 2048, careful programs up to a million; more would only stop the reader. */
const MAX_ITERATIONS = 10_000_000;

const PRFS: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.2.7', 'sha1'],
  ['1.2.840.113549.2.9', 'sha256'],
  ['1.2.840.113549.2.10', 'sha384'],
  ['1.2.840.113549.2.11', 'sha512'],
]);

const CIPHERS: ReadonlyMap<string, { readonly name: string; readonly key: number }> = new Map([
  ['2.16.840.1.101.3.4.1.2', { name: 'aes-128-cbc', key: 16 }],
  ['2.16.840.1.101.3.4.1.22', { name: 'aes-192-cbc', key: 24 }],
  [OID.aes256Cbc, { name: 'aes-256-cbc', key: 32 }],
  ['1.2.840.113549.3.7', { name: 'des-ede3-cbc', key: 24 }],
]);

/** RFC 7292 Appendix C; SHA-1 throughout. */
const OLD_SCHEMES: ReadonlyMap<string, { readonly cipher: 'rc2' | 'des-ede3-cbc'; readonly key: number }> = new Map([
  ['1.2.840.113549.1.12.1.3', { cipher: 'des-ede3-cbc', key: 24 }],
  ['1.2.840.113549.1.12.1.5', { cipher: 'rc2', key: 16 }],
  ['1.2.840.113549.1.12.1.6', { cipher: 'rc2', key: 5 }],
]);

/**
 * @param algorithm AlgorithmIdentifier of the encryption
 * @throws DerError, UnknownScheme, NotDecrypted
 */
export async function decrypt(algorithm: Element, encrypted: Uint8Array, password: string): Promise<Uint8Array> {
  const fields = new Fields(algorithm.content);
  const oid = oidOf(fields.next(TAG.oid));
  const parameters = fields.sequence();
  fields.finish();
  if (oid === OID.pbes2) return decryptModern(parameters, encrypted, password);
  const scheme = OLD_SCHEMES.get(oid);
  if (!scheme) throw new UnknownScheme(`it is encrypted in a way that isn't known (${oid})`);
  const salt = parameters.next(TAG.octetString).content;
  const iterations = iterationsOf(parameters.next(TAG.integer));
  const key = deriveOld('sha1', 'key', password, salt, iterations, scheme.key);
  const iv = deriveOld('sha1', 'iv', password, salt, iterations, 8);
  return scheme.cipher === 'rc2' ? decryptRc2(key, iv, encrypted) : decipher(scheme.cipher, key, iv, encrypted);
}

async function decryptModern(parameters: Fields, encrypted: Uint8Array, password: string): Promise<Uint8Array> {
  const derivation = parameters.sequence();
  const encryption = parameters.sequence();
  const kdf = oidOf(derivation.next(TAG.oid));
  if (kdf !== '1.2.840.113549.1.5.12') throw new UnknownScheme(`its key derivation isn't known (${kdf})`);
  const pbkdf2 = derivation.sequence();
  const salt = pbkdf2.next(TAG.octetString).content;
  const iterations = iterationsOf(pbkdf2.next(TAG.integer));
  pbkdf2.optional(TAG.integer);
  const prf = pbkdf2.optional(TAG.sequence);
  const prfOid = prf ? oidOf(new Fields(prf.content).next(TAG.oid)) : '1.2.840.113549.2.7';
  const hash = PRFS.get(prfOid);
  const cipherOid = oidOf(encryption.next(TAG.oid));
  const cipher = CIPHERS.get(cipherOid);
  if (!hash || !cipher) throw new UnknownScheme(`it is encrypted in a way that isn't known (${prfOid}, ${cipherOid})`);
  const iv = encryption.next(TAG.octetString).content;
  const key = await derive(Buffer.from(password, 'utf8'), salt, iterations, cipher.key, hash);
  return decipher(cipher.name, key, iv, encrypted);
}

function decipher(name: string, key: Uint8Array, iv: Uint8Array, encrypted: Uint8Array): Uint8Array {
  try {
    const cipher = createDecipheriv(name, key, iv);
    return concat(cipher.update(encrypted), cipher.final());
  } catch {
    throw new NotDecrypted();
  }
}

/** OpenSSL 3 has no RC2 any more; node-forge does just this. */
async function decryptRc2(key: Uint8Array, iv: Uint8Array, encrypted: Uint8Array): Promise<Uint8Array> {
  const { default: forge } = await import('node-forge');
  const buffer = (bytes: Uint8Array) => forge.util.createBuffer(Buffer.from(bytes).toString('binary'));
  const cipher = forge.rc2.createDecryptionCipher(buffer(key), key.length * 8);
  cipher.start(buffer(iv));
  cipher.update(buffer(encrypted));
  if (!cipher.finish()) throw new NotDecrypted();
  return new Uint8Array(Buffer.from(cipher.output.getBytes(), 'binary'));
}

/** RFC 7292 Appendix B.3: one password, three uses. */
const PURPOSE = { key: 1, iv: 2, mac: 3 } as const;

/**
 * RFC 7292 Appendix B.2.
 * @param size octets wanted
 * @throws UnknownScheme
 */
export function deriveOld(
  hash: string,
  purpose: keyof typeof PURPOSE,
  password: string,
  salt: Uint8Array,
  iterations: number,
  size: number,
): Uint8Array {
  const v = hash === 'sha384' || hash === 'sha512' ? 128 : 64;
  // BMPString with its terminator.
  const bmp = Buffer.from(`${password}\0`, 'utf16le').swap16();
  const blocks = concat(repeated(salt, v), repeated(bmp, v));
  const diversifier = new Uint8Array(v).fill(PURPOSE[purpose]);
  const parts: Uint8Array[] = [];
  for (let length = 0; length < size; ) {
    let a: Uint8Array = createHash(hash).update(diversifier).update(blocks).digest();
    for (let n = 1; n < iterations; n++) a = createHash(hash).update(a).digest();
    parts.push(a);
    length += a.length;
    // Each block of v octets becomes itself + A, repeated to v octets, + 1, modulo 2^8v.
    for (let start = 0; start < blocks.length; start += v) {
      let carry = 1;
      for (let index = v - 1; index >= 0; index--) {
        carry += blocks[start + index]! + a[index % a.length]!;
        blocks[start + index] = carry & 0xff;
        carry >>= 8;
      }
    }
  }
  return concat(...parts).subarray(0, size);
}

/** Repeated to a whole number of blocks. */
function repeated(bytes: Uint8Array, block: number): Uint8Array {
  const size = block * Math.ceil(bytes.length / block);
  return Uint8Array.from({ length: size }, (_, index) => bytes[index % bytes.length]!);
}

/** @throws DerError */
export function iterationsOf(element: Element): number {
  const iterations = smallIntegerOf(element);
  if (iterations < 1 || iterations > MAX_ITERATIONS) throw new DerError('unreasonable number of iterations');
  return iterations;
}
