/** Certificates of the company's own keys (seal, timestamps): made by its CA beside the gateway, and known to OCSP at once. */
import type { KeyObject } from 'node:crypto';
import { authorityNamer, readAuthorities } from './authority-files.ts';
import { companyOf, type IssuingConfig, issuerOf } from './issuing.ts';
import type { KeyName, Keys } from './keys.ts';
import type { SigningKey } from './pki.ts';
import { type Issuer, sealProfile, timestampProfile } from './profiles.ts';
import { type CertificateStore, recordAgain, recordFor } from './records.ts';
import {
  authorityId,
  type Certificate,
  type CertificateFields,
  isIssuedBy,
  keyHash,
  parseCertificate,
  signCertificate,
} from './x509.ts';

/** Keys that the company's CA certifies. */
export type CertifiedName = Exclude<KeyName, 'ca'>;

/** What key commands work with. */
export interface KeySetup {
  readonly config: IssuingConfig & { readonly folder: string };
  readonly keys: Keys;
  readonly passphrase: string;
  readonly certificates: CertificateStore;
  readonly now: () => Date;
}

/** The company's CA as it is in certs/. */
export interface CompanyIssuer {
  readonly issuer: Issuer;
  /** Its issuers up to the root, nearest first. */
  readonly above: readonly Certificate[];
}

/** @throws PkiUnusable */
export async function companyIssuer({ config }: Pick<KeySetup, 'config'>): Promise<CompanyIssuer> {
  const files = await readAuthorities(config.folder);
  const [certificate, ...above] = files.current.chain;
  return { issuer: issuerOf(config, certificate!, authorityNamer(files, 'local')(certificate!)), above };
}

/** What a certificate of this key says. */
export function ownProfile(
  { config, now }: Pick<KeySetup, 'config' | 'now'>,
  name: CertifiedName,
  publicKey: KeyObject,
  issuer: Issuer,
): CertificateFields {
  const profile = name === 'seal' ? sealProfile : timestampProfile;
  return profile(companyOf(config), publicKey, issuer, now());
}

/** Signs a certificate with the company's CA, and records it. @throws KeyFileError, TokenError, PkiUnusable */
export async function certify(setup: KeySetup, name: CertifiedName, key: SigningKey): Promise<Certificate> {
  const { issuer } = await companyIssuer(setup);
  const caKey = await setup.keys.open('ca', issuer.certificate);
  const made = parseCertificate(await signCertificate(ownProfile(setup, name, key.publicKey, issuer), caKey));
  await register(setup.certificates, made, issuer.certificate);
  return made;
}

/** Has OCSP know a certificate that has been in use, in case that no gateway has run with it yet. */
export async function registerCurrent(setup: KeySetup, certificate: Certificate): Promise<void> {
  const { issuer } = await companyIssuer(setup);
  // One of an earlier CA was recorded when that one was replaced.
  if (isIssuedBy(certificate, issuer.certificate)) await register(setup.certificates, certificate, issuer.certificate);
}

/** OCSP knows it from now on. @throws KeyTaken when its key is a person's */
export async function register(
  certificates: CertificateStore,
  certificate: Certificate,
  issuer: Certificate,
): Promise<void> {
  const hash = keyHash(certificate.publicKeyInfo);
  if ((await certificates.list()).some(one => one.keyHash === hash)) throw new KeyTaken();
  const record = recordFor(certificate, authorityId(issuer), null, null);
  if ((await certificates.add(record)) || (await certificates.find(record.serial))) return;
  await certificates.add(recordAgain(record));
}

/** A person signs with it. */
export class KeyTaken extends Error {
  override readonly name = 'KeyTaken';
  constructor() {
    super('this key is in the certificate of a person; the company needs a key of its own');
  }
}
