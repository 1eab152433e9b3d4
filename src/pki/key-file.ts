/**
 * Private keys in files: PKCS#8, encrypted with PBES2 (RFC 8018 §6.2), scrypt (RFC 7914 §7) and AES-256-CBC, PEM, mode 0600.
 * `openssl pkey` reads them. Never overwritten.
 */
import {
  createCipheriv,
  createPrivateKey,
  createPublicKey,
  generateKeyPair as generateKeyPairWithCallback,
  type KeyObject,
  randomBytes,
  scrypt,
  sign as signWithCallback,
} from 'node:crypto';
import { chown, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { otherOwner } from '../store/owner.ts';
import { concat, der, read, TAG } from './der.ts';
import { type NewKey, rsaBits } from './key-kinds.ts';
import { OID } from './oids.ts';
import type { SignatureAlgorithm, SigningKey } from './pki.ts';

const generateKeyPair = promisify(generateKeyPairWithCallback);

/** 16 MiB is what OpenSSL's default limit lets it open; p makes a try five times as dear (OWASP's figures). */
const SCRYPT = { N: 16_384, r: 8, p: 5 } as const;

export type KeyFileFault =
  | 'missing'
  | 'exists'
  | 'readable-by-others'
  | 'not-encrypted'
  | 'damaged'
  | 'wrong-passphrase'
  | 'wrong-kind';

/** The key file can't be used; `message` names the file and says what to do. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
  readonly fault: KeyFileFault;
  constructor(fault: KeyFileFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/** P-256, P-384, or RSA with 3072 or 4096 bits. */
export async function generateKey(kind: NewKey): Promise<KeyObject> {
  const { privateKey } =
    kind === 'rsa-sha256' || kind === 'rsa-4096'
      ? await generateKeyPair('rsa', { modulusLength: rsaBits(kind) })
      : await generateKeyPair('ec', { namedCurve: kind === 'ecdsa-p384-sha256' ? 'P-384' : 'P-256' });
  return privateKey;
}

/** A key in memory as SigningKey; it signs in the thread pool. @throws TypeError for kinds other than P-256, P-384 and RSA from 2048 bits */
export function signingKey(privateKey: KeyObject): SigningKey {
  const algorithm = keyAlgorithm(privateKey);
  if (!algorithm) throw new TypeError('only P-256, P-384 and RSA keys (2048 bits or more) can sign');
  return {
    algorithm,
    publicKey: createPublicKey(privateKey),
    sign: (data, hash = 'sha256') =>
      new Promise((resolve, reject) => {
        signWithCallback(hash, data, privateKey, (error, signature) =>
          error ? reject(error) : resolve(new Uint8Array(signature)),
        );
      }),
  };
}

/** How a private or public key of this kind signs; null for kinds that may not. */
export function keyAlgorithm(key: KeyObject): SignatureAlgorithm | null {
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === 'ec' && details?.namedCurve === 'prime256v1') return 'ecdsa-p256-sha256';
  if (key.asymmetricKeyType === 'ec' && details?.namedCurve === 'secp384r1') return 'ecdsa-p384-sha256';
  if (key.asymmetricKeyType === 'rsa' && (details?.modulusLength ?? 0) >= 2048) return 'rsa-sha256';
  return null;
}

/** Writes a new file, durable when it resolves. @throws KeyFileError 'exists' */
export async function writeKeyFile(path: string, privateKey: KeyObject, passphrase: string): Promise<void> {
  const encrypted = await encryptKey(privateKey, passphrase);
  const lines =
    Buffer.from(encrypted)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  const pem = `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${lines.join('\n')}\n-----END ENCRYPTED PRIVATE KEY-----\n`;
  await writeNewFile(path, pem, 0o600);
}

/** Creates a file that must not exist, fsyncs it and its folder. @throws KeyFileError 'exists' */
export async function writeNewFile(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') throw new KeyFileError('exists', `${path} exists; nothing is ever overwritten`);
    throw error;
  });
  try {
    // Whatever the umask: certificates are for everybody.
    await file.chmod(mode);
    await file.writeFile(text);
    await file.sync();
    await handOver(path);
  } catch (error) {
    // Half a file on a full disk.
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await syncFolder(dirname(path));
}

/** What root makes in a folder of another user, as the gateway's keys/ is, belongs to that user. */
export async function handOver(path: string): Promise<void> {
  const owner = otherOwner(dirname(path));
  if (owner) await chown(path, owner.uid, owner.gid);
}

/** Makes new and changed names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** EncryptedPrivateKeyInfo (RFC 5958 §3), DER. */
async function encryptKey(privateKey: KeyObject, passphrase: string): Promise<Uint8Array> {
  const salt = randomBytes(16);
  const iv = randomBytes(16);
  const key = await new Promise<Buffer>((resolve, reject) => {
    scrypt(passphrase, salt, 32, { ...SCRYPT, maxmem: 64 * 1024 * 1024 }, (error, derived) =>
      error ? reject(error) : resolve(derived),
    );
  });
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const plain = privateKey.export({ format: 'der', type: 'pkcs8' });
  const encrypted = concat(cipher.update(plain), cipher.final());
  plain.fill(0);
  const parameters = der.sequence(
    der.octetString(salt),
    der.integer(SCRYPT.N),
    der.integer(SCRYPT.r),
    der.integer(SCRYPT.p),
    der.integer(32),
  );
  const scheme = der.sequence(
    der.oid(OID.pbes2),
    der.sequence(
      der.sequence(der.oid(OID.scrypt), parameters),
      der.sequence(der.oid(OID.aes256Cbc), der.octetString(iv)),
    ),
  );
  return der.sequence(scheme, der.octetString(encrypted));
}

/**
 * Opens a key file: ours, or any encrypted PKCS#8 that OpenSSL reads.
 * @param algorithm what the key must be, where only one kind will do
 * @throws KeyFileError
 */
export async function loadKeyFile(
  path: string,
  passphrase: string,
  algorithm?: SignatureAlgorithm,
): Promise<SigningKey> {
  const key = await openKeyFile(path, passphrase);
  const found = keyAlgorithm(key);
  if (!found || (algorithm && found !== algorithm)) {
    throw new KeyFileError('wrong-kind', `${path} holds a ${key.asymmetricKeyType} key that can't be used here`);
  }
  return signingKey(key);
}

/** Like `loadKeyFile`, for those who need the key itself. @throws KeyFileError */
export async function openKeyFile(path: string, passphrase: string): Promise<KeyObject> {
  const pem = await readPrivateFile(path);
  if (/-----BEGIN (EC |RSA )?PRIVATE KEY-----/.test(pem)) {
    throw new KeyFileError('not-encrypted', `${path} is not encrypted; run: openssl pkcs8 -topk8 -scrypt`);
  }
  const match = /^-----BEGIN ENCRYPTED PRIVATE KEY-----\r?\n([\s\S]+)\n-----END ENCRYPTED PRIVATE KEY-----\s*$/.exec(
    pem,
  );
  const damaged = new KeyFileError('damaged', `${path} is damaged: it is not an encrypted PKCS#8 key in PEM form`);
  if (!match) throw damaged;
  try {
    read(Buffer.from(match[1]!, 'base64'), TAG.sequence);
  } catch {
    throw damaged;
  }
  try {
    return createPrivateKey({ key: pem, format: 'pem', passphrase });
  } catch {
    // With CBC a wrong passphrase and a changed ciphertext look the same.
    throw new KeyFileError(
      'wrong-passphrase',
      `${path} can't be decrypted: the passphrase is wrong, or the file damaged`,
    );
  }
}

/** A secret file's text. @throws KeyFileError when it isn't there or others may read it */
async function readPrivateFile(path: string, othersMayRead = false): Promise<string> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new KeyFileError('missing', `${path} does not exist`);
    throw error;
  });
  if (!othersMayRead && (found.mode & 0o077) !== 0) {
    throw new KeyFileError('readable-by-others', `${path} is readable by others; run: chmod 600 ${path}`);
  }
  return readFile(path, 'utf8');
}

/**
 * Reads the passphrase of the key files; its last line end is cut off.
 * @param credentials $CREDENTIALS_DIRECTORY (systemd.exec(5)): systemd guards the files in it, whatever their mode says
 * @throws KeyFileError
 */
export async function readPassphrase(path: string, credentials: string | undefined): Promise<string> {
  const guarded = credentials !== undefined && path.startsWith(`${credentials}/`);
  const passphrase = (await readPrivateFile(path, guarded)).replace(/\r?\n$/, '');
  if (passphrase === '') throw new KeyFileError('damaged', `${path} is empty: write the passphrase into it`);
  return passphrase;
}
