/** PKCS#12 files (RFC 7292), read only: one private key and the certificates beside it. */
import { createHmac, createPrivateKey, createPublicKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { hashOf } from './algorithms.ts';
import { children, constructed, DerError, equal, Fields, oidOf, primitive, read, smallIntegerOf, TAG } from './der.ts';
import { OID } from './oids.ts';
import { decrypt, deriveOld, iterationsOf, NotDecrypted, UnknownScheme } from './pkcs12-encryption.ts';
import { parseCertificate, publicKeyInfoOf } from './x509.ts';

const ENCRYPTED_DATA = '1.2.840.113549.1.7.6';
const BAG = {
  key: '1.2.840.113549.1.12.10.1.1',
  shroudedKey: '1.2.840.113549.1.12.10.1.2',
  certificate: '1.2.840.113549.1.12.10.1.3',
} as const;
const X509_CERTIFICATE = '1.2.840.113549.1.9.22.1';
const PBMAC1 = '1.2.840.113549.1.5.14';

export type Pkcs12Fault =
  | 'damaged'
  | 'wrong-password'
  | 'unknown-scheme'
  | 'no-key'
  | 'several-keys'
  | 'no-certificate'
  | 'other-certificate';

/** The file can't be used; `message` says why, without naming it. */
export class Pkcs12Error extends Error {
  override readonly name = 'Pkcs12Error';
  readonly fault: Pkcs12Fault;
  constructor(fault: Pkcs12Fault, message: string) {
    super(message);
    this.fault = fault;
  }
}

export interface Pkcs12 {
  readonly privateKey: KeyObject;
  /** The key's certificate, DER. */
  readonly certificate: Uint8Array;
}

/**
 * @param file DER
 * @throws Pkcs12Error
 */
export async function readPkcs12(file: Uint8Array, password: string): Promise<Pkcs12> {
  const bags = { keys: [] as Uint8Array[], certificates: [] as Uint8Array[] };
  try {
    for (const contents of await openSafes(file, password)) await collect(contents, password, bags);
  } catch (error) {
    if (error instanceof NotDecrypted) throw new Pkcs12Error('wrong-password', 'the password is wrong');
    if (error instanceof UnknownScheme) throw new Pkcs12Error('unknown-scheme', error.message);
    if (error instanceof DerError) throw new Pkcs12Error('damaged', `it is not a sound PKCS#12 file: ${error.message}`);
    throw error;
  }
  const [key, ...others] = bags.keys;
  if (!key) throw new Pkcs12Error('no-key', 'it has no private key: export the certificate with its key');
  if (others.length > 0)
    throw new Pkcs12Error('several-keys', `it has ${bags.keys.length} private keys: export one alone`);
  const privateKey = privateKeyOf(key);
  if (bags.certificates.length === 0) throw new Pkcs12Error('no-certificate', 'it has a key but no certificate');
  const publicKeyInfo = publicKeyInfoOf(createPublicKey(privateKey));
  const certificate = bags.certificates.find(der => belongsTo(der, publicKeyInfo));
  if (!certificate) throw new Pkcs12Error('other-certificate', 'the certificate in it belongs to another key');
  return { privateKey, certificate };
}

/** The SafeContents, decrypted, after their MAC. */
async function openSafes(file: Uint8Array, password: string): Promise<Uint8Array[]> {
  const outer = new Fields(read(file, TAG.sequence).content);
  if (smallIntegerOf(outer.next(TAG.integer)) !== 3) throw new DerError('not version 3');
  const authSafe = outer.sequence();
  if (oidOf(authSafe.next(TAG.oid)) !== OID.data)
    throw new UnknownScheme('it is protected by a key instead of a password');
  const content = read(authSafe.next(constructed(0)).content, TAG.octetString).content;
  const mac = outer.optional(TAG.sequence);
  outer.finish();
  if (mac) checkMac(new Fields(mac.content), content, password);
  const safes: Uint8Array[] = [];
  for (const info of children(read(content, TAG.sequence).content)) {
    const fields = new Fields(info.content);
    const type = oidOf(fields.next(TAG.oid));
    const inner = fields.next(constructed(0)).content;
    if (type === OID.data) safes.push(read(inner, TAG.octetString).content);
    else if (type === ENCRYPTED_DATA) safes.push(await decryptSafe(inner, password));
    else throw new UnknownScheme('it is protected by a key instead of a password');
  }
  return safes;
}

/** MacData (RFC 7292 §4): tells a wrong password from a damaged file. */
function checkMac(fields: Fields, content: Uint8Array, password: string): void {
  const digestInfo = fields.sequence();
  const algorithm = digestInfo.next(TAG.sequence);
  if (oidOf(new Fields(algorithm.content).next(TAG.oid)) === PBMAC1)
    throw new UnknownScheme('its integrity is protected by PBMAC1, which is not read here');
  const hash = hashOf(algorithm);
  if (!hash) throw new UnknownScheme("its MAC's hash isn't known");
  const expected = digestInfo.next(TAG.octetString).content;
  const salt = fields.next(TAG.octetString).content;
  const count = fields.optional(TAG.integer);
  const key = deriveOld(hash, 'mac', password, salt, count ? iterationsOf(count) : 1, HASH_SIZES[hash]);
  const mac = createHmac(hash, key).update(content).digest();
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) throw new NotDecrypted();
}

const HASH_SIZES = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 } as const;

/** EncryptedData (RFC 5652 §8). */
function decryptSafe(encryptedData: Uint8Array, password: string): Promise<Uint8Array> {
  const fields = new Fields(read(encryptedData, TAG.sequence).content);
  fields.next(TAG.integer);
  const info = fields.sequence();
  info.next(TAG.oid);
  const algorithm = info.next(TAG.sequence);
  return decrypt(algorithm, info.next(primitive(0)).content, password);
}

async function collect(
  safeContents: Uint8Array,
  password: string,
  bags: { readonly keys: Uint8Array[]; readonly certificates: Uint8Array[] },
): Promise<void> {
  for (const bag of children(read(safeContents, TAG.sequence).content)) {
    const fields = new Fields(bag.content);
    const type = oidOf(fields.next(TAG.oid));
    const value = fields.next(constructed(0)).content;
    if (type === BAG.key) bags.keys.push(value);
    else if (type === BAG.shroudedKey) {
      const encrypted = new Fields(read(value, TAG.sequence).content);
      const algorithm = encrypted.next(TAG.sequence);
      bags.keys.push(await decrypt(algorithm, encrypted.next(TAG.octetString).content, password));
    } else if (type === BAG.certificate) {
      const certificate = new Fields(read(value, TAG.sequence).content);
      if (oidOf(certificate.next(TAG.oid)) !== X509_CERTIFICATE) continue;
      bags.certificates.push(new Uint8Array(read(certificate.next(constructed(0)).content, TAG.octetString).content));
    }
  }
}

/** @param info PrivateKeyInfo, DER */
function privateKeyOf(info: Uint8Array): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(info), format: 'der', type: 'pkcs8' });
  } catch {
    throw new Pkcs12Error('damaged', "its private key can't be read");
  }
}

function belongsTo(certificate: Uint8Array, publicKeyInfo: Uint8Array): boolean {
  try {
    return equal(parseCertificate(certificate).publicKeyInfo, publicKeyInfo);
  } catch (error) {
    if (error instanceof DerError) return false;
    throw error;
  }
}
