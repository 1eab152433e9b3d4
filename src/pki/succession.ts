/**
 * One certificate authority follows another, while the gateway runs: with a new key, or with a certificate of an
 * enterprise's CA for the same one. The old one's certificate, its revocation list and its key (where it was in a file and
 * another follows) stay in authorities/NUMBER-ID/, so that it goes on answering for what it issued; seal and timestamps get
 * certificates from the new one, persons do when theirs are renewed.
 *
 * The rename of certs/ca.pem decides: until then nothing has changed, from then on the key that belongs to it counts,
 * wherever it lies (Keys.open).
 */
import { createHash } from 'node:crypto';
import { access, link, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import {
  type AuthorityFolder,
  authorityNamer,
  countAuthorities,
  crlPath,
  listRetired,
  readAuthorities,
  readCertificates,
  retiredFolder,
} from './authority-files.ts';
import { certificatePath, keyPath } from './create.ts';
import { equal } from './der.ts';
import { issuerOf } from './issuing.ts';
import { putInPlace, retire, stage, unstage } from './key-exchange.ts';
import { handOver, syncFolder } from './key-file.ts';
import { type Keys, nextKeyPath } from './keys.ts';
import { type CertifiedName, type KeySetup, ownProfile, register } from './own-certificates.ts';
import type { Crl } from './path/crl.ts';
import type { Scope, SigningKey } from './pki.ts';
import { type Certificate, parseCertificate, publicKeyInfoOf, signCertificate, toPem } from './x509.ts';

/** What commands about authorities work with. */
export interface AuthoritySetup extends KeySetup {
  readonly config: KeySetup['config'] & Pick<Config, 'domains'>;
  readonly scope: Scope;
  /** Of the scope: certs/, keys/ and authorities/ are in it. */
  readonly folder: string;
  /** Of the scope. */
  readonly authorityKeys: Keys;
}

export interface Succession {
  readonly before: Certificate;
  readonly now: Certificate;
  /** Where the old one is kept. */
  readonly retired: string;
}

const CERTIFIED: readonly CertifiedName[] = ['seal', 'tsa'];

/**
 * @param chain the new CA's certificate, then its issuers up to the root; checked before
 * @param key its key, in its place or the one that waits for its certificate (nextKeyPath)
 * @param crls of those issuers; null when there are none
 * @throws KeyFileError, TokenError, PkiUnusable; Error of the file system
 */
export async function succeed(
  setup: AuthoritySetup,
  chain: readonly Certificate[],
  key: SigningKey,
  crls: readonly Crl[] | null,
): Promise<Succession> {
  const { folder } = setup;
  const files = await readAuthorities(folder);
  const before = files.current.chain[0]!;
  const now = chain[0]!;
  const certificates = setup.scope === 'local' ? await certifyOwn(setup, files, chain, key) : [];
  const staged = nextCertificatePath(folder, 'ca');
  await stage(staged, chain.map(({ der }) => toPem(der)).join(''), 0o644);
  for (const { name, certificate } of certificates)
    await stage(nextCertificatePath(folder, name), toPem(certificate.der), 0o644);
  const retired = await retireAuthority(setup, before, now);
  await putInPlace(staged, certificatePath(folder, 'ca'));
  await settleAuthority(setup, now);
  for (const { name, old } of certificates) {
    const path = certificatePath(folder, name);
    await retire(path, join(folder, 'certs', 'retired', `${name}-${old.serial}.pem`));
    await putInPlace(nextCertificatePath(folder, name), path);
  }
  await replaceCrls(folder, crls);
  return { before, now, retired };
}

/** What the CAs above say they have revoked; null takes it away. */
export async function replaceCrls(folder: string, crls: readonly Crl[] | null): Promise<void> {
  const path = crlPath(folder);
  if (crls === null) return rm(path, { force: true });
  await stage(`${path}.next`, crls.map(({ der }) => toPem(der, 'X509 CRL')).join(''), 0o644);
  await putInPlace(`${path}.next`, path);
}

/** Brings the key of the CA in use to its place, where a command was killed before it did. @throws KeyFileError, TokenError */
export async function settleAuthority({ folder, authorityKeys }: AuthoritySetup, ca: Certificate): Promise<void> {
  if (!authorityKeys.isFile('ca') || !(await exists(nextKeyPath(folder, 'ca')))) return;
  const atHome = await authorityKeys.open('ca');
  const inUse = await authorityKeys.open('ca', ca);
  if (!equal(publicKeyInfoOf(atHome.publicKey), publicKeyInfoOf(inUse.publicKey)))
    await putInPlace(nextKeyPath(folder, 'ca'), keyPath(folder, 'ca'));
}

interface Certified {
  readonly name: CertifiedName;
  readonly old: Certificate;
  readonly certificate: Certificate;
}

/** New certificates for seal and timestamps, recorded. */
async function certifyOwn(
  setup: AuthoritySetup,
  files: AuthorityFolder,
  chain: readonly Certificate[],
  key: SigningKey,
): Promise<Certified[]> {
  const ca = chain[0]!;
  const next: AuthorityFolder = {
    current: { path: '', chain, crls: [] },
    retired: [files.current, ...files.retired],
  };
  const issuer = issuerOf(setup.config, ca, authorityNamer(next, setup.scope)(ca));
  const certified: Certified[] = [];
  for (const name of CERTIFIED) {
    const [old] = await readCertificates(certificatePath(setup.folder, name));
    const { publicKey } = await setup.keys.open(name, old);
    const certificate = parseCertificate(await signCertificate(ownProfile(setup, name, publicKey, issuer), key));
    await register(setup.certificates, certificate, ca);
    certified.push({ name, old: old!, certificate });
  }
  return certified;
}

/** Second names for what belongs to the CA in use, in a folder that appears with all of it at once. */
async function retireAuthority(setup: AuthoritySetup, before: Certificate, now: Certificate): Promise<string> {
  const { folder } = setup;
  const id = createHash('sha256').update(before.der).digest('hex').slice(0, 16);
  const all = retiredFolder(folder);
  const keepIn = async (place: string): Promise<void> => {
    await keep(certificatePath(folder, 'ca'), join(place, 'ca.pem'));
    if (await exists(crlPath(folder))) await keep(crlPath(folder), join(place, 'ca.crl'));
    if (setup.authorityKeys.isFile('ca') && !equal(before.publicKeyInfo, now.publicKeyInfo))
      await keep(keyPath(folder, 'ca'), join(place, 'ca.p8'));
    await syncFolder(place);
  };
  const there = (await listRetired(folder)).find(name => name.endsWith(`-${id}`));
  if (there !== undefined) {
    // A killed command was there before, or it has been in use twice: then the key may not have been kept, for it went on.
    await keepIn(join(all, there));
    return join(all, there);
  }

  const made = join(all, `.${id}`);
  await rm(made, { recursive: true, force: true });
  if ((await mkdir(all, { recursive: true, mode: 0o755 })) !== undefined) await handOver(all);
  await mkdir(made, { mode: 0o755 });
  await handOver(made);
  await keepIn(made);
  const place = join(all, `${await countAuthorities(folder)}-${id}`);
  await rename(made, place);
  await syncFolder(all);
  return place;
}

/** Gives a file a second name, in place of what an earlier command left there, at once. */
async function keep(path: string, second: string): Promise<void> {
  const staged = `${second}.next`;
  await unstage(staged);
  await link(path, staged);
  await rename(staged, second);
  // Where both names were of one file already, rename (2) leaves them.
  await unstage(staged);
}

const nextCertificatePath = (folder: string, name: CertifiedName | 'ca'): string =>
  join(folder, 'certs', `${name}.next.pem`);

/** Removes what a killed command has staged; a key that waits for its certificate stays. */
export async function forgetStaged(folder: string): Promise<void> {
  for (const name of ['ca', ...CERTIFIED] as const) await unstage(nextCertificatePath(folder, name));
}

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
