/**
 * Another key or another certificate for the seal or for timestamps, while the gateway runs. What was in use stays in
 * keys/retired/ and certs/retired/, named after the certificate's serial number; that certificate stays valid, so that what
 * was signed with it does.
 *
 * The rename of the certificate decides: until then nothing has changed, from then on the key that belongs to it counts,
 * wherever it lies (Keys.open).
 */
import { join } from 'node:path';
import { PkiUnusable, readCertificates } from './authority-files.ts';
import { certificatePath, keyPath } from './create.ts';
import { equal } from './der.ts';
import { putInPlace, retire, stage, unstage } from './key-exchange.ts';
import { loadKeyFile } from './key-file.ts';
import { kindOf, type NewKey } from './key-kinds.ts';
import { nextKeyPath } from './keys.ts';
import { type CertifiedName, certify, type KeySetup, registerCurrent } from './own-certificates.ts';
import type { SigningKey } from './pki.ts';
import { type Certificate, publicKeyInfoOf, toPem } from './x509.ts';

export interface Exchanged {
  readonly before: Certificate;
  readonly now: Certificate;
}

/**
 * A new key with a new certificate.
 * @param algorithm as before where null
 * @throws KeyFileError, TokenError, PkiUnusable; Error of the file system
 */
export async function rotateKey(setup: KeySetup, name: CertifiedName, algorithm: NewKey | null): Promise<Exchanged> {
  const { folder } = setup.config;
  const before = await currentCertificate(folder, name);
  const old = await settle(setup, name, before);
  try {
    const key = await setup.keys.generateNext(name, algorithm ?? kindOf(old));
    const now = await certify(setup, name, key);
    await exchange(setup, name, { before, now });
    await bringHome(setup, name);
    return { before, now };
  } catch (error) {
    // A full disk, say. What the new certificate needs stays if that is in use already.
    await settle(setup, name, await currentCertificate(folder, name)).catch(() => {});
    throw error;
  }
}

/**
 * A new certificate for the same key.
 * @throws KeyFileError, TokenError, PkiUnusable; Error of the file system
 */
export async function renewCertificate(setup: KeySetup, name: CertifiedName): Promise<Exchanged> {
  const before = await currentCertificate(setup.config.folder, name);
  const now = await certify(setup, name, await settle(setup, name, before));
  await exchange(setup, name, { before, now });
  return { before, now };
}

async function exchange({ config, keys }: KeySetup, name: CertifiedName, { before, now }: Exchanged): Promise<void> {
  const { folder } = config;
  const path = certificatePath(folder, name);
  const next = nextCertificatePath(folder, name);
  await stage(next, toPem(now.der), 0o644);
  await retire(path, join(folder, 'certs', 'retired', `${name}-${before.serial}.pem`));
  if (keys.isFile(name) && !equal(before.publicKeyInfo, now.publicKeyInfo))
    await retire(keyPath(folder, name), join(folder, 'keys', 'retired', `${name}-${before.serial}.p8`));
  await putInPlace(next, path);
}

/**
 * Ends what a killed command has left: a key whose certificate is in use comes to its place, any other one goes.
 * @returns the key in use
 */
async function settle(setup: KeySetup, name: CertifiedName, certificate: Certificate): Promise<SigningKey> {
  const { config, keys, passphrase } = setup;
  const key = await keys.open(name, certificate);
  if (!belongs(key, certificate)) throw new PkiUnusable(`${keys.where(name)} does not belong to its certificate`);
  await registerCurrent(setup, certificate);
  await unstage(nextCertificatePath(config.folder, name));
  if (!keys.isFile(name)) return key;
  if (belongs(await loadKeyFile(keyPath(config.folder, name), passphrase), certificate))
    await unstage(nextKeyPath(config.folder, name));
  else await bringHome(setup, name);
  return key;
}

async function bringHome({ config: { folder }, keys }: KeySetup, name: CertifiedName): Promise<void> {
  if (keys.isFile(name)) await putInPlace(nextKeyPath(folder, name), keyPath(folder, name));
}

const belongs = (key: SigningKey, { publicKeyInfo }: Certificate): boolean =>
  equal(publicKeyInfoOf(key.publicKey), publicKeyInfo);

const nextCertificatePath = (folder: string, name: CertifiedName): string => join(folder, 'certs', `${name}.next.pem`);

async function currentCertificate(folder: string, name: CertifiedName): Promise<Certificate> {
  const path = certificatePath(folder, name);
  const [certificate, ...others] = await readCertificates(path);
  if (!certificate || others.length > 0) throw new PkiUnusable(`${path} must hold one certificate`);
  return certificate;
}
