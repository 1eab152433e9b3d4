/** Where the key of our mail's DKIM signatures lies: keys/dkim.p8, and its public half, for everybody, in certs/dkim.pem. */
import { createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { KeyFileError, openKeyFile, writeKeyFile, writeNewFile } from '../pki/key-file.ts';
import { createMailSigner, type DkimRecord, dkimRecord, type MailSigner } from './dkim.ts';

const keyPath = (folder: string): string => join(folder, 'keys', 'dkim.p8');
const publicPath = (folder: string): string => join(folder, 'certs', 'dkim.pem');

/** RFC 8301 §3.2: receivers must know RSA, and signers should have 2048 bits. */
const BITS = 2048;

/** Makes the key and its public half. @throws KeyFileError 'exists' */
export async function makeDkimKey(folder: string, passphrase: string): Promise<void> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: BITS });
  await writeKeyFile(keyPath(folder), privateKey, passphrase);
  await publish(folder, publicKey);
}

function publish(folder: string, publicKey: KeyObject): Promise<void> {
  return writeNewFile(publicPath(folder), publicKey.export({ type: 'spki', format: 'pem' }).toString(), 0o644);
}

/** The DNS record of the key, for whoever shows it; null before there is one. */
export async function dkimRecordOf(folder: string, domain: string): Promise<DkimRecord | null> {
  const path = publicPath(folder);
  return existsSync(path) ? dkimRecord(createPublicKey(await readFile(path)), domain) : null;
}

/**
 * What signs our mail. An installation without the key gets one now; where keys/ can't be written to (under systemd), mail
 * goes out unsigned, and the log says how to mend it.
 *
 * @param domain of our From address
 * @throws KeyFileError when there is a key that can't be used
 */
export async function openMailSigner(
  folder: string,
  domain: string,
  passphrase: string,
  logger: Logger,
): Promise<MailSigner | null> {
  const path = keyPath(folder);
  if (!existsSync(path)) {
    try {
      await makeDkimKey(folder, passphrase);
    } catch (error) {
      logger.warn(
        { err: error },
        `our mail is not signed (DKIM): ${path} is missing and can't be made here. Make it once, as the service's user, then restart: ` +
          'umask 077; openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 | ' +
          `openssl pkcs8 -topk8 -scrypt -passout file:PASSPHRASE-FILE -out ${path}`,
      );
      return null;
    }
  }
  const key = await openKeyFile(path, passphrase);
  if (key.asymmetricKeyType !== 'rsa') {
    throw new KeyFileError('wrong-kind', `${path} holds a ${key.asymmetricKeyType} key; for DKIM it must be RSA`);
  }
  const publicKey = createPublicKey(key);
  const signer = createMailSigner(key, publicKey, domain);
  const shown = await dkimRecordOf(folder, domain);
  if (shown?.name !== signer.record.name) {
    logger.warn({ record: signer.record.zoneLine }, 'our mail is signed with a new DKIM key: publish this record');
    if (shown === null) await publish(folder, publicKey).catch(error => logger.warn({ err: error }, 'not written'));
    else logger.warn(`${publicPath(folder)} is of another key: remove it, and the next start writes it again`);
  }
  return signer;
}
