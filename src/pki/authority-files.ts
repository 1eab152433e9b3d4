/**
 * Certificate authorities in a folder: certs/ca.pem is the one in use, with its issuers up to the root (and beside it ca.crl,
 * what those issuers revoked, where the admin brought that). authorities/NUMBER-ID/ is each one that was in use before: its
 * ca.pem, the key ca.p8 where it was in a file, and the seal's and timestamp certificates of its time. The CA of the scope
 * global has a folder of the same kind, global/.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { certificatePath } from './create.ts';
import { DerError } from './der.ts';
import { type Crl, parseCrl } from './path/crl.ts';
import type { Scope } from './pki.ts';
import { FIRST_CA } from './profiles.ts';
import { authorityId, type Certificate, fromPem, isIssuedBy, isSelfSigned, parseCertificate } from './x509.ts';

/** The PKI's files don't fit together or are out of date; `message` names the file. */
export class PkiUnusable extends Error {
  override readonly name = 'PkiUnusable';
}

export interface AuthorityFiles {
  /** Of ca.pem. */
  readonly path: string;
  /** Its certificate, then that one's issuers up to the root. */
  readonly chain: readonly Certificate[];
  /** Of those issuers. */
  readonly crls: readonly Crl[];
}

export interface AuthorityFolder {
  readonly current: AuthorityFiles;
  /** The last one first. */
  readonly retired: readonly AuthorityFiles[];
}

/** Where the authorities of a scope lie. */
export const scopeFolder = (folder: string, scope: Scope): string =>
  scope === 'local' ? folder : join(folder, 'global');

export const crlPath = (folder: string): string => join(folder, 'certs', 'ca.crl');
export const retiredFolder = (folder: string): string => join(folder, 'authorities');

const RETIRED_NAME = /^(\d+)-[0-9a-f]{16}$/;
const RETIRED_NUMBER = /^\d+/;

/** @throws PkiUnusable */
export async function readAuthorities(folder: string): Promise<AuthorityFolder> {
  const current = await readAuthority(certificatePath(folder, 'ca'), crlPath(folder));
  const retired: AuthorityFiles[] = [];
  for (const name of await listRetired(folder)) {
    const place = join(retiredFolder(folder), name);
    const one = await readAuthority(join(place, 'ca.pem'), join(place, 'ca.crl'));
    // Cut short while it was replaced: it is both.
    if (Buffer.compare(one.chain[0]!.der, current.chain[0]!.der) !== 0) retired.push(one);
  }
  return { current, retired };
}

/** Names of the folders, the last one first. */
export async function listRetired(folder: string): Promise<readonly string[]> {
  const names = await readdir(retiredFolder(folder)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new PkiUnusable(`${retiredFolder(folder)} can't be read (${error.code})`);
  });
  const number = (name: string) => Number(RETIRED_NUMBER.exec(name)?.[0]);
  return names.filter(name => RETIRED_NAME.test(name)).toSorted((a, b) => number(b) - number(a));
}

/** How many CAs the company has had, the one in use included. */
export async function countAuthorities(folder: string): Promise<number> {
  const [last] = await listRetired(folder);
  return last === undefined ? 1 : Number(RETIRED_NUMBER.exec(last)![0]) + 1;
}

/**
 * What URLs call a CA. The first one keeps the name that it printed when there was one only; others have theirs from what
 * they are. The first is the one that was retired first, by name and key: the same CA with a certificate of an enterprise's
 * CA is the first still.
 */
export function authorityNamer({ current, retired }: AuthorityFolder, scope: Scope): (ca: Certificate) => string {
  const first = scope === 'local' ? authorityId((retired.at(-1) ?? current).chain[0]!) : null;
  return ca => {
    const id = authorityId(ca);
    return id === first ? FIRST_CA : id.slice(0, 16);
  };
}

async function readAuthority(path: string, crlFile: string): Promise<AuthorityFiles> {
  const chain = ordered(await readCertificates(path), path);
  return { path, chain, crls: await readCrls(crlFile) };
}

/** The CA's own certificate comes first; each is followed by its issuer, and the last one is self-signed. @throws PkiUnusable */
function ordered(certificates: readonly Certificate[], path: string): readonly Certificate[] {
  for (const [i, certificate] of certificates.entries()) {
    const next = certificates[i + 1];
    if (next && !isIssuedBy(certificate, next))
      throw new PkiUnusable(`${path}: certificate ${i + 2} in it is not the issuer of the one before it`);
    if (!next && !isSelfSigned(certificate))
      throw new PkiUnusable(`${path} must hold the CA's certificate and its issuers up to the root, which is missing`);
  }
  return certificates;
}

/** @throws PkiUnusable */
export async function readCertificates(path: string): Promise<Certificate[]> {
  try {
    return fromPem(await readFile(path, 'utf8')).map(parseCertificate);
  } catch (error) {
    if (error instanceof DerError) throw new PkiUnusable(`${path} is damaged: ${error.message}`);
    throw new PkiUnusable(`${path} can't be read: ${error instanceof Error ? error.message : 'unknown fault'}`);
  }
}

/** None where there is no file. @throws PkiUnusable */
async function readCrls(path: string): Promise<Crl[]> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new PkiUnusable(`${path} can't be read (${error.code})`);
  });
  return bytes === null ? [] : parseCrls(bytes, basename(path));
}

/** CRLs in a file, one in DER or any number in PEM. @param what names the file @throws PkiUnusable */
export function parseCrls(bytes: Uint8Array, what: string): Crl[] {
  const text = Buffer.from(bytes).toString('latin1');
  const blocks = [...text.matchAll(/-----BEGIN X509 CRL-----([\s\S]*?)-----END X509 CRL-----/g)];
  const list = blocks.length > 0 ? blocks.map(block => Buffer.from(block[1]!, 'base64')) : [bytes];
  try {
    return list.map(der => parseCrl(new Uint8Array(der)));
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new PkiUnusable(`${what} is no sound revocation list (CRL, PEM or DER): ${error.message}`);
  }
}
