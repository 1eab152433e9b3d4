/** New and imported keys of the CA, the seal and timestamps, with their certificates. Nothing is ever overwritten. */
import { access, rm } from 'node:fs/promises';
import { PkiUnusable } from './authority-files.ts';
import { certificatePath, keyPath } from './create.ts';
import { DerError, equal } from './der.ts';
import { KEY_USAGE } from './extensions.ts';
import { companyOf } from './issuing.ts';
import { KeyFileError, keyAlgorithm, signingKey, writeKeyFile, writeNewFile } from './key-file.ts';
import type { NewKey } from './key-kinds.ts';
import { certificationRequest } from './key-request.ts';
import type { KeyName } from './keys.ts';
import {
  type CompanyIssuer,
  certify,
  companyIssuer,
  type KeySetup,
  KeyTaken,
  ownProfile,
  register,
} from './own-certificates.ts';
import { parsePathCertificate } from './path/certificate.ts';
import { buildChain } from './path/path.ts';
import { sealFault, timestampFault } from './path/profiles.ts';
import { PathInvalid } from './path/rules.ts';
import { readPkcs12 } from './pkcs12.ts';
import type { SigningKey } from './pki.ts';
import { rootProfile } from './profiles.ts';
import { type Certificate, fromPem, parseCertificate, publicKeyInfoOf, signCertificate, toPem } from './x509.ts';

export type KeySetupFault = 'certificate' | 'other-key' | 'validity' | 'usage' | 'issuer' | 'key-kind' | 'on-token';

/** The key or certificate can't be taken; `message` says why. */
export class KeySetupError extends Error {
  override readonly name = 'KeySetupError';
  readonly fault: KeySetupFault;
  constructor(fault: KeySetupFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/**
 * Makes a key in its place, and its certificate: the CA signs its own and the others'.
 * @returns the certificate's path
 * @throws KeyFileError, TokenError, KeySetupError
 */
export async function generateCertified(setup: KeySetup, name: KeyName, algorithm: NewKey): Promise<string> {
  const path = certificatePath(setup.config.folder, name);
  await mustNotExist(path);
  // Before there is a key that would be of no use.
  if (name !== 'ca') await issuerOfOthers(setup);
  const key = await setup.keys.generate(name, algorithm);
  return orWithoutKey(setup, name, async () => {
    const certificate = name === 'ca' ? await signRoot(setup, key) : await certify(setup, name, key);
    await writeNewFile(path, toPem(certificate.der), 0o644);
    return path;
  });
}

/** A new key that gets no certificate, on a full disk say, would only be in the way. On a token it stays. */
async function orWithoutKey<T>({ config, keys }: KeySetup, name: KeyName, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (keys.isFile(name)) await rm(keyPath(config.folder, name), { force: true });
    throw error;
  }
}

async function signRoot({ config, certificates, now }: KeySetup, key: SigningKey): Promise<Certificate> {
  const root = parseCertificate(await signCertificate(rootProfile(companyOf(config), key.publicKey, now()), key));
  await register(certificates, root, root);
  return root;
}

/**
 * Makes a key in its place, and a request (PKCS#10, PEM) for a CA elsewhere.
 * @throws KeyFileError, TokenError, KeySetupError
 */
export async function generateRequested(
  setup: KeySetup,
  name: KeyName,
  algorithm: NewKey,
  requestPath: string,
): Promise<void> {
  await mustNotExist(requestPath);
  const ca = name === 'ca' ? null : await issuerOfOthers(setup);
  const key = await setup.keys.generate(name, algorithm);
  const { subject } =
    name === 'ca' || ca === null
      ? rootProfile(companyOf(setup.config), key.publicKey, setup.now())
      : ownProfile(setup, name, key.publicKey, ca.issuer);
  await orWithoutKey(setup, name, async () => {
    const request = await certificationRequest(subject, key);
    await writeNewFile(requestPath, toPem(request).replaceAll(' CERTIFICATE-', ' CERTIFICATE REQUEST-'), 0o644);
  });
}

/**
 * Takes key and certificate from a PKCS#12 file.
 * @returns the certificate's path
 * @throws Pkcs12Error, KeySetupError, KeyFileError
 */
export async function importPkcs12(
  setup: KeySetup,
  name: KeyName,
  file: Uint8Array,
  password: string,
): Promise<string> {
  const { config, keys, passphrase } = setup;
  if (!keys.isFile(name))
    throw new KeySetupError(
      'on-token',
      `the configuration has this key on a token: set pki.keys.${name} to file first`,
    );
  const { privateKey, certificate } = await readPkcs12(file, password);
  if (!keyAlgorithm(privateKey))
    throw new KeySetupError('key-kind', 'its key is neither P-256, P-384 nor RSA from 2048 bits');
  const path = certificatePath(config.folder, name);
  for (const one of [keyPath(config.folder, name), path]) await mustNotExist(one);
  await takeIn(setup, name, parseCertificate(certificate), signingKey(privateKey));
  await writeKeyFile(keyPath(config.folder, name), privateKey, passphrase);
  await orWithoutKey(setup, name, () => writeNewFile(path, toPem(certificate), 0o644));
  return path;
}

/**
 * Takes the certificate of a key that is in its place already: the answer to a request.
 * @returns the certificate's path
 * @throws KeySetupError, KeyFileError, TokenError
 */
export async function importCertificate(setup: KeySetup, name: KeyName, pem: string): Promise<string> {
  const path = certificatePath(setup.config.folder, name);
  await mustNotExist(path);
  const certificate = onlyCertificate(pem, 'it');
  await takeIn(setup, name, certificate, await setup.keys.open(name, certificate));
  await writeNewFile(path, toPem(certificate.der), 0o644);
  return path;
}

/** Records a certificate that will do for its use, as the gateway will see it. @throws KeySetupError */
async function takeIn(setup: KeySetup, name: KeyName, certificate: Certificate, key: SigningKey): Promise<void> {
  const now = setup.now();
  if (!equal(certificate.publicKeyInfo, publicKeyInfoOf(key.publicKey)))
    throw new KeySetupError('other-key', 'the certificate belongs to another key');
  if (certificate.notAfter < now)
    throw new KeySetupError('validity', `the certificate expired on ${day(certificate.notAfter)}`);
  if (certificate.notBefore > now)
    throw new KeySetupError('validity', `the certificate is not valid before ${day(certificate.notBefore)}`);
  const usage = usageFault(name, certificate);
  if (usage !== null) throw new KeySetupError('usage', `the certificate is not for this use: ${usage}`);
  const ca = name === 'ca' ? null : await issuerOfOthers(setup);
  const above = ca ? [ca.issuer.certificate, ...ca.above] : [certificate];
  try {
    buildChain(certificate, above, [above.at(-1)!], now);
  } catch (error) {
    if (!(error instanceof PathInvalid)) throw error;
    throw new KeySetupError('issuer', `the certificate is not a sound one of the company's own CA: ${error.message}`);
  }
  await register(setup.certificates, certificate, above[0]!).catch((error: unknown) => {
    throw error instanceof KeyTaken ? new KeySetupError('other-key', error.message) : error;
  });
}

function usageFault(name: KeyName, certificate: Certificate): string | null {
  if (name === 'seal') return sealFault(certificate)?.message ?? null;
  if (name === 'tsa') return timestampFault(certificate)?.message ?? null;
  const { isCa, keyUsage } = parsePathCertificate(certificate.der);
  if (!isCa) return 'it is not a CA';
  const needed = [KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign];
  return needed.every(usage => keyUsage?.has(usage) ?? true) ? null : 'it may not sign certificates and CRLs';
}

/** @throws KeySetupError */
async function issuerOfOthers(setup: KeySetup): Promise<CompanyIssuer> {
  return companyIssuer(setup).catch((error: unknown) => {
    throw error instanceof PkiUnusable ? new KeySetupError('issuer', error.message) : error;
  });
}

function onlyCertificate(pem: string, what: string): Certificate {
  try {
    const [certificate, ...others] = fromPem(pem);
    if (certificate && others.length === 0) return parseCertificate(certificate);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new KeySetupError('certificate', `${what} is neither PKCS#12 nor a sound PEM certificate: ${error.message}`);
  }
  throw new KeySetupError('certificate', `${what} must hold one certificate`);
}

async function mustNotExist(path: string): Promise<void> {
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (exists) throw new KeyFileError('exists', `${path} exists; nothing is ever overwritten: move it away first`);
}

const day = (date: Date): string => date.toISOString().slice(0, 10);
