/** `signpost ca list|csr|install|create`, and `signpost keys rotate ca`: the company's certificate authorities. */
import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { sha256 } from '../evidence/entry.ts';
import { createLogger } from '../gateway/logger.ts';
import { authorityNamer, readAuthorities, scopeFolder } from '../pki/authority-files.ts';
import { authorityRequest, createAuthority, installAuthority, rotateAuthority } from '../pki/authority-setup.ts';
import { KEY_KIND_NAMES, KEY_KINDS, type KeyKind } from '../pki/key-kinds.ts';
import { keysOfScopes } from '../pki/open-authorities.ts';
import type { KeySetup } from '../pki/own-certificates.ts';
import { SCOPES, type Scope } from '../pki/pki.ts';
import type { AuthoritySetup, Succession } from '../pki/succession.ts';
import { isSelfSigned, toPem } from '../pki/x509.ts';
import { describeName } from '../signatures/verify/subject.ts';
import { writeCertificate } from './certificate-files.ts';
import { actOnKeys, type Brought, type OpenedKeys } from './key-acts.ts';
import { type ConfigOptions, configOption, jsonOption } from './options.ts';
import { say } from './say.ts';
import { printTable } from './table.ts';

export interface ScopeOptions extends ConfigOptions {
  readonly scope: Scope;
}

export function scopeOption(): Option {
  return new Option('--scope <scope>', "the company's own CA, or the one of pki.global")
    .choices(SCOPES)
    .default('local');
}

const newKeyOption = (flags: string, description: string): Option =>
  new Option(flags, description).choices(KEY_KIND_NAMES);

export function caCommand(): Command {
  const ca = new Command('ca').description(
    "the company's certificate authorities: below an enterprise's CA, or a second one",
  );
  ca.command('list')
    .description('each CA, in use and retired, and how far it leads')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(list);
  ca.command('csr')
    .description("write a certification request (PKCS#10) of the CA's key, for an enterprise's CA")
    .option('--out <file>', 'where it goes, a new file; standard output when missing')
    .addOption(newKeyOption('--new-key <kind>', 'make another key, which waits for its certificate'))
    .addOption(scopeOption())
    .addOption(configOption())
    .action(request);
  ca.command('install')
    .description("take the CA certificate that an enterprise's CA has made, while the gateway runs")
    .argument('<chain>', 'PEM file: the certificate and its issuers up to the root')
    .option('--crl <file>', 'what those issuers have revoked, PEM or DER; the same chain again replaces it')
    .addOption(scopeOption())
    .addOption(configOption())
    .action(install);
  ca.command('create')
    .description('make the second CA (pki.global) with a root of its own')
    .addOption(newKeyOption('--algorithm <kind>', 'kind of key').default('ecdsa-p256'))
    .addOption(scopeOption())
    .addOption(configOption())
    .action(create);
  return ca;
}

function setupOf(setup: KeySetup & OpenedKeys, { scope }: ScopeOptions): AuthoritySetup {
  const { config, passphrase } = setup;
  if (scope === 'global' && config.pki.global === null)
    throw new Error('the configuration has no second CA: write pki.global: { key: file } first');
  const credentials = process.env.CREDENTIALS_DIRECTORY;
  const keys = keysOfScopes({ config, passphrase, credentials, logger: createLogger('error') });
  return { ...setup, scope, folder: scopeFolder(config.folder, scope), authorityKeys: keys[scope] };
}

interface Listed {
  readonly scope: Scope;
  /** What its URLs call it. */
  readonly name: string;
  readonly inUse: boolean;
  readonly subject: string;
  /** The root that it leads to. */
  readonly root: string;
  readonly serial: string;
  readonly until: string;
  readonly file: string;
}

async function list(options: ConfigOptions & { readonly json?: boolean }): Promise<void> {
  const config = loadConfig(options.config);
  const all = (await Promise.all(scopesOf(config).map(scope => listScope(config, scope)))).flat();
  if (options.json) return say(JSON.stringify(all, null, 2));
  printTable(
    ['SCOPE', 'NAME', 'STATE', 'UNTIL', 'SUBJECT', 'ROOT'],
    all.map(one => [
      one.scope,
      one.name,
      one.inUse ? 'in use' : 'retired',
      one.until.slice(0, 10),
      one.subject,
      one.root === one.subject ? '-' : one.root,
    ]),
  );
}

const scopesOf = ({ pki }: Config): readonly Scope[] => (pki.global ? SCOPES : ['local']);

async function listScope({ folder }: Config, scope: Scope): Promise<Listed[]> {
  const files = await readAuthorities(scopeFolder(folder, scope));
  const nameOf = authorityNamer(files, scope);
  return [files.current, ...files.retired].map(({ chain, path }) => ({
    scope,
    name: nameOf(chain[0]!),
    inUse: path === files.current.path,
    subject: describeName(chain[0]!.subject).name,
    root: describeName(chain.at(-1)!.subject).name,
    serial: chain[0]!.serial,
    until: chain[0]!.notAfter.toISOString(),
    file: path,
  }));
}

async function request(options: ScopeOptions & { readonly out?: string; readonly newKey?: KeyKind }): Promise<void> {
  const { scope, newKey, out } = options;
  await actOnKeys(options, 'ca csr', { scope, ...(newKey && { algorithm: newKey }) }, async opened => {
    const der = await authorityRequest(setupOf(opened, options), newKey ? KEY_KINDS[newKey] : null);
    await writeCertificate(Buffer.from(toPem(der, 'CERTIFICATE REQUEST')), out);
    if (out !== undefined)
      say(
        `${out} asks for a subordinate CA. Put its certificate and those above it into one file, then: signpost ca install FILE`,
      );
    return null;
  });
}

async function install(file: string, options: ScopeOptions & { readonly crl?: string }): Promise<void> {
  const { scope, crl } = options;
  const [chain, lists] = [await bytesOf(file), crl === undefined ? null : await bytesOf(crl)];
  const facts = { scope, file: sha256(chain), ...(lists && { crl: sha256(lists) }) };
  await actOnKeys(options, 'ca install', facts, async opened => {
    const setup = setupOf(opened, options);
    const done = await installAuthority(setup, chain.toString('utf8'), lists).catch((error: unknown) => {
      if (!(error instanceof Error)) throw error;
      throw new Error(`${file} is not installed: ${error.message}`, { cause: error });
    });
    if (done === null) {
      say(`The CA of ${file} is in use already. ${lists ? `The list ${crl} is taken.` : 'Nothing was changed.'}`);
      return null;
    }
    say(inUse(done));
    if (lists === null && !isSelfSigned(done.now))
      say(
        `Signatures can't prove that the CA itself is not revoked: give the revocation list of its issuer, and each new one before the last ends, with: signpost ca install ${file} --crl LIST`,
      );
    return { certificate: done.now.serial };
  });
}

async function create(options: ScopeOptions & { readonly algorithm: KeyKind }): Promise<void> {
  const { scope, algorithm } = options;
  await actOnKeys(options, 'ca create', { scope, algorithm }, async opened => {
    const root = await createAuthority(setupOf(opened, options), KEY_KINDS[algorithm]);
    say(
      `“${describeName(root.subject).name}” is made. Restart the gateway; with certificates.scope: global it issues persons' certificates.`,
    );
    return { certificate: root.serial };
  });
}

/** `signpost keys rotate ca`. @param kind as before where null */
export async function rotateCa(options: ScopeOptions, kind: KeyKind | null): Promise<void> {
  const facts = { key: 'ca', scope: options.scope, ...(kind && { algorithm: kind }) };
  await actOnKeys(options, 'keys rotate', facts, async (opened): Promise<Brought> => {
    const done = await rotateAuthority(setupOf(opened, options), kind ? KEY_KINDS[kind] : null);
    say(inUse(done));
    return { certificate: done.now.serial };
  });
}

const inUse = ({ before, now, retired }: Succession): string =>
  `“${describeName(now.subject).name}” is the CA now, until ${now.notAfter.toISOString().slice(0, 10)}; a running gateway uses it ` +
  `within seconds. “${describeName(before.subject).name}” stays in ${retired} and answers for what it issued: keep that folder. ` +
  "Persons get new certificates when theirs end. Trust the new root, too: it is in the gateway's /trust.pem.";

async function bytesOf(file: string): Promise<Buffer> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${file} can't be read (${error.code})`);
  });
}
