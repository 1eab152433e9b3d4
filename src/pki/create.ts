/** A new PKI: company root, seal, timestamping unit, the OCSP responder's key, and the key that signs the gateway's HTTP answers. */
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { generateKey, KeyFileError, signingKey, writeKeyFile, writeNewFile } from './key-file.ts';
import type { NewKey } from './key-kinds.ts';
import { type Company, type Issuer, rootProfile, sealProfile, timestampProfile } from './profiles.ts';
import { parseCertificate, signCertificate, toPem } from './x509.ts';

/** The OCSP responder's certificates are short-lived and therefore in no file (ocsp-responder.ts). */
export const KEY_NAMES = ['ca', 'seal', 'tsa', 'ocsp', 'gateway'] as const;
export const CERTIFICATE_NAMES = ['ca', 'seal', 'tsa'] as const;

export const keyPath = (folder: string, name: (typeof KEY_NAMES)[number]): string => join(folder, 'keys', `${name}.p8`);
export const certificatePath = (folder: string, name: (typeof CERTIFICATE_NAMES)[number]): string =>
  join(folder, 'certs', `${name}.pem`);

export interface CreateOptions {
  readonly company: Company;
  /** Where OCSP, CRL and the CA certificate are served; stands in every certificate. */
  readonly publicUrl: string;
  readonly passphrase: string;
  /** Of the CA, seal, timestamp and OCSP keys; the gateway's key is always P-256. */
  readonly algorithm: NewKey;
  /** Where some are of another kind; the OCSP responder's is of the CA's. */
  readonly algorithms?: Partial<Readonly<Record<(typeof CERTIFICATE_NAMES)[number], NewKey>>>;
  readonly now: () => Date;
}

/**
 * Makes keys/{ca,seal,tsa,ocsp,gateway}.p8 and certs/{ca,seal,tsa}.pem in `folder`.
 * @throws KeyFileError 'exists' when one of them is there; then nothing is made
 */
export async function createPki(folder: string, options: CreateOptions): Promise<void> {
  const { company, passphrase, algorithm, algorithms, publicUrl } = options;
  const files = [
    ...KEY_NAMES.map(name => keyPath(folder, name)),
    ...CERTIFICATE_NAMES.map(name => certificatePath(folder, name)),
  ];
  for (const path of files) {
    if (await exists(path)) throw new KeyFileError('exists', `${path} exists; nothing is ever overwritten`);
  }
  const now = options.now();
  const [ca, seal, tsa, ocsp, gateway] = await Promise.all([
    generateKey(algorithms?.ca ?? algorithm),
    generateKey(algorithms?.seal ?? algorithm),
    generateKey(algorithms?.tsa ?? algorithm),
    generateKey(algorithms?.ca ?? algorithm),
    generateKey('ecdsa-p256-sha256'),
  ]);
  const caKey = signingKey(ca);
  const root = await signCertificate(rootProfile(company, caKey.publicKey, now), caKey);
  const issuer: Issuer = { certificate: parseCertificate(root), publicUrl };
  const certificates = {
    ca: root,
    seal: await signCertificate(sealProfile(company, signingKey(seal).publicKey, issuer, now), caKey),
    tsa: await signCertificate(timestampProfile(company, signingKey(tsa).publicKey, issuer, now), caKey),
  };

  await mkdir(join(folder, 'keys'), { recursive: true, mode: 0o700 });
  await mkdir(join(folder, 'certs'), { recursive: true, mode: 0o755 });
  const keys = { ca, seal, tsa, ocsp, gateway };
  for (const name of KEY_NAMES) await writeKeyFile(keyPath(folder, name), keys[name], passphrase);
  for (const name of CERTIFICATE_NAMES) {
    await writeNewFile(certificatePath(folder, name), toPem(certificates[name]), 0o644);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
