/** Opens the authorities of a gateway, in use and retired, with their keys. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../config/schema.ts';
import type { AuthoritiesState } from './authorities.ts';
import { CompanyAuthority } from './authority.ts';
import {
  type AuthorityFiles,
  type AuthorityFolder,
  authorityNamer,
  PkiUnusable,
  readAuthorities,
  scopeFolder,
} from './authority-files.ts';
import { certificatePath, keyPath } from './create.ts';
import { equal } from './der.ts';
import { companyOf, urlsOf } from './issuing.ts';
import { generateKey, KeyFileError, loadKeyFile, writeKeyFile } from './key-file.ts';
import { Keys, type KeysOptions } from './keys.ts';
import { buildChain } from './path/path.ts';
import { PathInvalid } from './path/rules.ts';
import { TokenError } from './pkcs11/token.ts';
import type { Scope, SignatureAlgorithm, SigningKey } from './pki.ts';
import type { CertificateStore } from './records.ts';
import { authorityId, type Certificate, isSelfSigned, publicKeyInfoOf } from './x509.ts';

/** What the PKI takes of the configuration; where a part is left out, its defaults count. */
export type PkiConfig = Pick<Config, 'folder' | 'company' | 'publicUrl'> & {
  readonly certificates: Pick<Config['certificates'], 'validity'> & Partial<Config['certificates']>;
  readonly pki?: Config['pki'];
};

export interface AuthoritiesInput {
  readonly config: PkiConfig;
  readonly passphrase: string;
  readonly certificates: CertificateStore;
  readonly now: () => Date;
  readonly logger: Logger;
}

/** @throws KeyFileError, TokenError, PkiUnusable */
export async function openAuthorities(options: AuthoritiesInput, keys: ScopedKeys): Promise<AuthoritiesState> {
  const { config, passphrase, now, logger } = options;
  const { folder } = config;
  let responder: SigningKey | null | undefined;
  const open = async (scope: Scope) => {
    const place = scopeFolder(folder, scope);
    if (scope === 'global' && !existsSync(certificatePath(place, 'ca')))
      throw new PkiUnusable(`pki.global: there is no CA in ${place} yet; make it: signpost ca create --scope global`);
    const files = await readAuthorities(place);
    const nameOf = authorityNamer(files, scope);
    const make = (chain: readonly Certificate[], key: SigningKey): CompanyAuthority => {
      const name = nameOf(chain[0]!);
      return new CompanyAuthority({
        key,
        chain,
        name,
        urls: urlsOf(config, name),
        responderKey: responder ?? null,
        company: companyOf(config),
        publicUrl: config.publicUrl,
        ...(config.certificates.policies && { policies: config.certificates.policies }),
        validity: config.certificates.validity,
        store: options.certificates,
        now,
        logger,
      });
    };
    const { path, chain } = files.current;
    const [certificate, ...issuers] = chain;
    const key = await keys[scope].open('ca', certificate!);
    checkKey(path, certificate!, key);
    checkChain(path, certificate!, issuers, now());
    responder ??= await responderKey(folder, passphrase, key.algorithm, logger);
    const current = make(chain, key);
    const retired: CompanyAuthority[] = [];
    const silent: string[] = [];
    for (const one of files.retired) {
      const ca = one.chain[0]!;
      // A CA with several certificates is one CA. One that has expired can't say anything any more.
      if ([current, ...retired].some(({ id }) => id === authorityId(ca)) || ca.notAfter < now()) continue;
      const itsKey = await retiredKey(one, files, keys[scope], passphrase, logger);
      if (itsKey) retired.push(make(one.chain, itsKey));
      else silent.push(one.path);
    }
    return { current, retired, silent, files };
  };
  const local = await open('local');
  const global = config.pki?.global ? await open('global') : null;
  const scopes = global ? [local, global] : [local];
  const all = scopes.flatMap(({ files }) => [files.current, ...files.retired]);
  const currentCrls = scopes.flatMap(({ files }) => files.current.crls);
  const known = once(all.flatMap(({ chain }) => chain));
  return {
    scope: config.certificates.scope ?? 'local',
    local: local.current,
    global: global?.current ?? null,
    retired: scopes.flatMap(({ retired }) => retired),
    known,
    anchors: known.filter(isSelfSigned),
    outsideCrls: all.flatMap(({ crls }) => crls),
    earlierCrls: all.flatMap(({ crls }) => crls).filter(one => !currentCrls.some(({ der }) => equal(der, one.der))),
    silent: scopes.flatMap(({ silent }) => silent),
  };
}

/**
 * The key of a CA that isn't in use any more: kept beside its certificate, or with a later certificate of the same CA, or on
 * the token. Null where it is gone: the CA can't say anything any more, but is trusted still.
 */
async function retiredKey(
  ca: AuthorityFiles,
  { retired }: AuthorityFolder,
  keys: Keys,
  passphrase: string,
  logger: Logger,
): Promise<SigningKey | null> {
  const certificate = ca.chain[0]!;
  const sameKey = [ca, ...retired].filter(one => equal(one.chain[0]!.publicKeyInfo, certificate.publicKeyInfo));
  const places = [
    ...sameKey.map(
      ({ path }) =>
        () =>
          loadKeyFile(join(dirname(path), 'ca.p8'), passphrase),
    ),
    () => keys.open('ca', certificate),
  ];
  let fault: unknown = null;
  for (const open of places) {
    try {
      const key = await open();
      if (fits(key, certificate)) return key;
    } catch (error) {
      if (!(error instanceof KeyFileError || error instanceof TokenError)) throw error;
      if (!(error instanceof KeyFileError && error.fault === 'missing')) fault = error;
    }
  }
  logger.error({ err: fault, ca: ca.path }, 'a retired CA answers no more: its key is not to be found');
  return null;
}

export interface ScopedKeys {
  readonly local: Keys;
  readonly global: Keys;
}

/** The seal and timestamps have no global keys. */
export function keysOfScopes(options: KeysOptions): ScopedKeys {
  const { config } = options;
  const place = config.pki?.global?.key ?? 'file';
  // Its paths are relative to the configuration, not to its own folder.
  const key =
    place === 'file' ? place : { pkcs11: { ...place.pkcs11, pinFile: resolve(config.folder, place.pkcs11.pinFile) } };
  const global = {
    folder: scopeFolder(config.folder, 'global'),
    pki: { keys: { ca: key, seal: 'file', tsa: 'file' }, global: null },
  } as const;
  return { local: new Keys(options), global: new Keys({ ...options, config: global }) };
}

/**
 * The OCSP responder's key. An installation of an earlier version lacks it: it is made, and where keys/ can't be written to
 * (as under systemd) the CA goes on signing OCSP answers itself. @throws KeyFileError
 */
async function responderKey(
  folder: string,
  passphrase: string,
  algorithm: SignatureAlgorithm,
  logger: Logger,
): Promise<SigningKey | null> {
  const path = keyPath(folder, 'ocsp');
  const present = () =>
    loadKeyFile(path, passphrase).catch((error: unknown) => {
      if (error instanceof KeyFileError && error.fault === 'missing') return null;
      throw error;
    });
  const found = await present();
  if (found) return found;
  const made = await writeKeyFile(path, await generateKey(algorithm), passphrase).then(
    () => null,
    (error: unknown) => error,
  );
  // Where another process was faster, its key counts.
  const key = await present();
  if (key) logger.info({ path }, 'key of the OCSP responder made');
  else logger.warn({ err: made, path }, "the OCSP responder's key can't be made; the CA signs OCSP answers");
  return key;
}

/** @throws PkiUnusable */
export function checkChain(path: string, certificate: Certificate, issuers: readonly Certificate[], now: Date): void {
  try {
    buildChain(certificate, issuers, [issuers.at(-1) ?? certificate], now);
  } catch (error) {
    if (error instanceof PathInvalid) throw new PkiUnusable(`${path} can't be used: ${error.message}`);
    throw error;
  }
}

/** @throws PkiUnusable */
export function checkKey(path: string, certificate: Certificate, key: SigningKey): void {
  if (!fits(key, certificate)) throw new PkiUnusable(`${path} does not belong to its key file`);
}

export const fits = (key: SigningKey, { publicKeyInfo }: Certificate): boolean =>
  equal(publicKeyInfo, publicKeyInfoOf(key.publicKey));

function once(certificates: readonly Certificate[]): Certificate[] {
  return [...new Map(certificates.map(one => [Buffer.from(one.der).toString('latin1'), one])).values()];
}
