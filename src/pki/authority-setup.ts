/** New certificate authorities: a root of the company's own, one below an enterprise's CA, another key. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Person } from '../directory/directory.ts';
import { describeName } from '../signatures/verify/subject.ts';
import { countAuthorities, parseCrls, readAuthorities } from './authority-files.ts';
import { certificatePath } from './create.ts';
import { DerError, equal } from './der.ts';
import { KEY_USAGE } from './extensions.ts';
import { companyOf, issuerOf } from './issuing.ts';
import { unstage } from './key-exchange.ts';
import { handOver, KeyFileError, writeNewFile } from './key-file.ts';
import { kindOf, type NewKey } from './key-kinds.ts';
import { certificationRequest } from './key-request.ts';
import { nextKeyPath } from './keys.ts';
import { OID } from './oids.ts';
import { register } from './own-certificates.ts';
import { parsePathCertificate } from './path/certificate.ts';
import type { Crl } from './path/crl.ts';
import { validatePath } from './path/path.ts';
import type { Scope, SigningKey } from './pki.ts';
import {
  authorityExtensions,
  authorityName,
  personProfile,
  rootProfile,
  sealProfile,
  timestampProfile,
} from './profiles.ts';
import {
  type AuthoritySetup,
  exists,
  forgetStaged,
  replaceCrls,
  type Succession,
  settleAuthority,
  succeed,
} from './succession.ts';
import {
  type Certificate,
  fromPem,
  isIssuedBy,
  isSelfSigned,
  parseCertificate,
  publicKeyInfoOf,
  signCertificate,
  toPem,
} from './x509.ts';

/** The authority can't be made or taken; `message` says why and what to do. */
export class AuthorityRefused extends Error {
  override readonly name = 'AuthorityRefused';
}

/** What a CA of this scope is called; each later one has its number. */
function purposeOf(scope: Scope, number: number): string {
  const purpose = scope === 'local' ? 'Signing CA' : 'Global Signing CA';
  return number === 1 ? purpose : `${purpose} ${number}`;
}

/**
 * The first CA of a scope that has none: a root of the company's own.
 * @throws AuthorityRefused, KeyFileError, TokenError
 */
export async function createAuthority(setup: AuthoritySetup, kind: NewKey): Promise<Certificate> {
  const { folder, authorityKeys, config, now } = setup;
  const path = certificatePath(folder, 'ca');
  if (await exists(path))
    throw new AuthorityRefused(`${path} exists: this CA is there. To replace it: signpost keys rotate ca`);
  for (const [name, mode] of [
    ['keys', 0o700],
    ['certs', 0o755],
  ] as const) {
    const made = join(folder, name);
    if ((await mkdir(made, { recursive: true, mode })) === undefined) continue;
    await handOver(folder);
    await handOver(made);
  }
  const key = await authorityKeys.generate('ca', kind);
  const fields = rootProfile(companyOf(config), key.publicKey, now(), purposeOf(setup.scope, 1));
  const root = parseCertificate(await signCertificate(fields, key));
  await register(setup.certificates, root, root);
  await writeNewFile(path, toPem(root.der), 0o644);
  return root;
}

/**
 * Another key and another root of the company's own.
 * @param kind as before where null
 * @throws AuthorityRefused where the CA in use is below an enterprise's; KeyFileError, TokenError, PkiUnusable
 */
export async function rotateAuthority(setup: AuthoritySetup, kind: NewKey | null): Promise<Succession> {
  const { folder, authorityKeys, config, now, scope } = setup;
  const current = await inUse(setup);
  if (!isSelfSigned(current))
    throw new AuthorityRefused(
      `this CA is below another one (${describeName(current.issuer).name}), which must certify the new key: ` +
        'signpost ca csr --new-key, then signpost ca install CHAIN',
    );
  if (await exists(nextKeyPath(folder, 'ca')))
    throw new AuthorityRefused(
      `${nextKeyPath(folder, 'ca')} waits for its certificate (signpost ca install CHAIN). To give that up, remove the file`,
    );
  const before = await authorityKeys.open('ca', current);
  const key = await authorityKeys.generateNext('ca', kind ?? kindOf(before));
  try {
    const purpose = purposeOf(scope, (await countAuthorities(folder)) + 1);
    const fields = rootProfile(companyOf(config), key.publicKey, now(), purpose);
    const root = parseCertificate(await signCertificate(fields, key));
    await register(setup.certificates, root, root);
    return await succeed(setup, [root], key, null);
  } catch (error) {
    // A full disk, say. The key stays where its certificate is in use already.
    const settled = await inUse(setup).catch(() => null);
    if (settled && equal(settled.der, current.der)) await unstage(nextKeyPath(folder, 'ca'));
    throw error;
  }
}

/**
 * A request (PKCS#10, DER) for an enterprise's CA to certify the CA's key.
 * @param another null: the key in use; else the kind of a new one, which waits in keys/ca.next.p8 (or on the token)
 * @throws AuthorityRefused, KeyFileError, TokenError, PkiUnusable
 */
export async function authorityRequest(setup: AuthoritySetup, another: NewKey | null): Promise<Uint8Array> {
  const { folder, authorityKeys, config, scope } = setup;
  const current = await inUse(setup);
  if (another === null) {
    const key = await authorityKeys.open('ca', current);
    return certificationRequest(current.subject, key, authorityExtensions());
  }
  const purpose = purposeOf(scope, (await countAuthorities(folder)) + 1);
  const key = await authorityKeys.generateNext('ca', another).catch((error: unknown) => {
    if (!(error instanceof KeyFileError && error.fault === 'exists')) throw error;
    throw new AuthorityRefused(
      `${nextKeyPath(folder, 'ca')} waits for a certificate already. Have that one certified, or remove the file to give it up`,
    );
  });
  return certificationRequest(authorityName(companyOf(config), purpose), key, authorityExtensions());
}

/**
 * Takes the certificate that an enterprise's CA has made, with its issuers up to the root.
 * @param pem certificates in any order
 * @param crls what those issuers have revoked, PEM or DER; null where there is none
 * @returns null when it is in use already; then only the CRLs are taken
 * @throws AuthorityRefused, KeyFileError, TokenError, PkiUnusable
 */
export async function installAuthority(
  setup: AuthoritySetup,
  pem: string,
  crls: Uint8Array | null,
): Promise<Succession | null> {
  const current = await inUse(setup);
  const given = certificatesIn(pem);
  const { certificate, key } = await ours(setup, given, current);
  const chain = chainOf(certificate, given);
  const lists = crls === null ? null : parseCrls(crls, 'the file of --crl');
  checkAuthority(certificate, setup.now());
  checkPurposes(chain, setup.scope);
  checkPath(chain, lists, setup.now());
  await checkUse(setup, chain, key);
  if (!equal(certificate.der, current.der)) return succeed(setup, chain, key, lists);
  if (lists !== null) await replaceCrls(setup.folder, lists);
  return null;
}

/** The certificate of the CA in use, after what a killed command has left is tidied. */
async function inUse(setup: AuthoritySetup): Promise<Certificate> {
  await forgetStaged(setup.folder);
  const { current } = await readAuthorities(setup.folder);
  await settleAuthority(setup, current.chain[0]!);
  return current.chain[0]!;
}

function certificatesIn(pem: string): Certificate[] {
  try {
    return fromPem(pem).map(parseCertificate);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new AuthorityRefused(`it holds no sound certificates in PEM form: ${error.message}`);
  }
}

/** The certificate among these whose private key we have. */
async function ours(
  { authorityKeys, folder }: AuthoritySetup,
  given: readonly Certificate[],
  current: Certificate,
): Promise<{ certificate: Certificate; key: SigningKey }> {
  for (const certificate of given) {
    const key = await authorityKeys.open('ca', certificate).catch((error: unknown) => {
      if (equal(certificate.publicKeyInfo, current.publicKeyInfo)) throw error;
      return null;
    });
    if (key && equal(publicKeyInfoOf(key.publicKey), certificate.publicKeyInfo)) return { certificate, key };
  }
  const waiting = (await exists(nextKeyPath(folder, 'ca'))) ? ` or ${nextKeyPath(folder, 'ca')}` : '';
  throw new AuthorityRefused(
    `none of its certificates belongs to the CA's key, ${authorityKeys.where('ca')}${waiting}. ` +
      'Have the request of signpost ca csr certified',
  );
}

/** From the CA to the root. @throws AuthorityRefused */
function chainOf(certificate: Certificate, given: readonly Certificate[]): readonly Certificate[] {
  const chain = [certificate];
  for (let last = certificate; !isSelfSigned(last); ) {
    const issuer = given.find(one => !chain.includes(one) && isIssuedBy(last, one));
    if (!issuer)
      throw new AuthorityRefused(
        `the issuer of “${describeName(last.subject).name}” is missing: put the certificate of ` +
          `“${describeName(last.issuer).name}” into the file, and all others up to the root`,
      );
    chain.push(issuer);
    last = issuer;
  }
  return chain;
}

/** @throws AuthorityRefused */
function checkAuthority(certificate: Certificate, now: Date): void {
  const title = `the certificate of “${describeName(certificate.subject).name}”`;
  if (certificate.notAfter < now) throw new AuthorityRefused(`${title} expired on ${day(certificate.notAfter)}`);
  if (certificate.notBefore > now)
    throw new AuthorityRefused(`${title} is not valid before ${day(certificate.notBefore)}`);
  const { isCa, keyUsage, version } = parsePathCertificate(certificate.der);
  if (!isCa || version < 3)
    throw new AuthorityRefused(
      `${title} is not one of a CA (basicConstraints without CA:TRUE): ask for a subordinate CA`,
    );
  const missing = (['keyCertSign', 'cRLSign'] as const).filter(use => !(keyUsage?.has(KEY_USAGE[use]) ?? true));
  if (missing.length > 0)
    throw new AuthorityRefused(
      `${title} doesn't allow the key to sign certificates and CRLs: its keyUsage lacks ${missing.join(' and ')}`,
    );
}

/** @throws AuthorityRefused */
function checkPath(chain: readonly Certificate[], crls: readonly Crl[] | null, time: Date): void {
  const [certificate, ...candidates] = chain;
  const input = { certificate: certificate!, candidates, anchors: [chain.at(-1)!], time };
  const lists = crls && { crls: crls.map(({ der }) => der) };
  const verdict = validatePath({ ...input, revocation: lists });
  if (verdict.valid) return;
  const whose = verdict.certificate && `, in the certificate of “${describeName(verdict.certificate.subject).name}”`;
  if (verdict.rule === 'revocation-unknown')
    throw new AuthorityRefused(
      `the revocation lists don't say whether each CA below the root is revoked: ${verdict.message}${whose ?? ''}. Give the current list of each of their issuers`,
    );
  throw new AuthorityRefused(`its path to the root breaks a rule: ${verdict.message}${whose ?? ''}`);
}

/**
 * An extendedKeyUsage in a CA below the root limits what it issues for OpenSSL, GnuTLS and Windows, though RFC 5280 §4.2.1.12
 * doesn't say so. @throws AuthorityRefused
 */
function checkPurposes(chain: readonly Certificate[], scope: Scope): void {
  const mail = ['emailProtection', OID.emailProtection] as const;
  const needed = scope === 'local' ? [mail, ['timeStamping', OID.timeStamping] as const] : [mail];
  for (const { der, subject } of chain.filter(one => !isSelfSigned(one))) {
    const { purposes } = parsePathCertificate(der);
    if (!purposes || purposes.oids.has(OID.anyExtendedKeyUsage)) continue;
    const missing = needed.filter(([, oid]) => !purposes.oids.has(oid)).map(([name]) => name);
    if (missing.length > 0)
      throw new AuthorityRefused(
        `the extendedKeyUsage of “${describeName(subject).name}” lacks ${missing.join(' and ')}: many programs would ` +
          'believe no signature below it. Ask for a CA certificate without that extension',
      );
  }
}

/** Whether all that the CA would issue holds: length of the path, names, policies. @throws AuthorityRefused */
async function checkUse(
  { config, now, scope }: AuthoritySetup,
  chain: readonly Certificate[],
  key: SigningKey,
): Promise<void> {
  const [ca, ...above] = chain;
  const issuer = issuerOf(config, ca!, 'trial');
  const company = companyOf(config);
  const profiles = config.domains
    .flatMap(({ mail }) => mail)
    .map(domain => personProfile(nobody(domain), company, publicKeyInfoOf(key.publicKey), issuer, now(), DAY));
  if (scope === 'local')
    for (const profile of [sealProfile, timestampProfile])
      profiles.push(profile(company, key.publicKey, issuer, now()));
  const anchors = [above.at(-1) ?? ca!];
  for (const fields of profiles) {
    const certificate = parseCertificate(await signCertificate(fields, key));
    const verdict = validatePath({ certificate, candidates: chain, anchors, time: now(), revocation: null });
    if (!verdict.valid)
      throw new AuthorityRefused(
        `certificates that this CA issues would not be valid: ${verdict.message} (${verdict.rule})`,
      );
  }
}

const DAY = 86_400_000;

/** Somebody with an address of this domain. */
const nobody = (domain: string): Person => ({
  id: 'trial',
  name: 'Trial',
  givenName: 'Trial',
  surname: 'Trial',
  mail: `trial@${domain}`,
  addresses: [`trial@${domain}`],
  language: 'en',
  title: null,
  groups: [],
  delegates: [],
  mobile: null,
});

const day = (date: Date): string => date.toISOString().slice(0, 10);
