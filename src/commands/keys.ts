/** `signpost keys list|generate|import|rotate|renew`: the company's private keys, in files or on PKCS#11 tokens. */
import { readFile } from 'node:fs/promises';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { ConfigError } from '../config/load.ts';
import { sha256 } from '../evidence/entry.ts';
import { readCertificates } from '../pki/authority-files.ts';
import { certificatePath, KEY_NAMES, keyPath } from '../pki/create.ts';
import { equal } from '../pki/der.ts';
import { loadKeyFile, readPassphrase } from '../pki/key-file.ts';
import { KEY_KIND_NAMES, KEY_KINDS, type KeyKind } from '../pki/key-kinds.ts';
import { type Exchanged, renewCertificate, rotateKey } from '../pki/key-rotation.ts';
import { generateCertified, generateRequested, importCertificate, importPkcs12 } from '../pki/key-setup.ts';
import { type KeyName, PLACED_KEYS } from '../pki/keys.ts';
import type { CertifiedName, KeySetup } from '../pki/own-certificates.ts';
import type { SignatureAlgorithm } from '../pki/pki.ts';
import { retiredFolder, rotateSecret, SECRET_NAMES, type SecretName, Secrets, secretPath } from '../pki/secrets.ts';
import { publicKeyInfoOf } from '../pki/x509.ts';
import { describeName } from '../signatures/verify/subject.ts';
import { rotateCa, type ScopeOptions, scopeOption } from './ca.ts';
import { actOnKeys, type Brought, type OpenedKeys, openKeys } from './key-acts.ts';
import { type ConfigOptions, configOption, jsonOption } from './options.ts';
import { say } from './say.ts';
import { printTable } from './table.ts';

const CERTIFIED: readonly CertifiedName[] = ['seal', 'tsa'];
const ROTATED: readonly (KeyName | SecretName)[] = ['ca', ...CERTIFIED, ...SECRET_NAMES];

interface ListOptions extends ConfigOptions {
  readonly json?: boolean;
}

interface GenerateOptions extends ConfigOptions {
  readonly algorithm: KeyKind;
  readonly csr?: string;
}

interface RotateOptions extends ScopeOptions {
  readonly algorithm?: KeyKind;
}

interface ImportOptions extends ConfigOptions {
  readonly passwordFile?: string;
}

export function keysCommand(): Command {
  const keys = new Command('keys').description("the company's private keys: where they are, new ones, imported ones");
  keys
    .command('list')
    .description('where each key is, its algorithm, and its certificate')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(list);
  keys
    .command('generate')
    .description("make a key where the configuration (pki.keys) has it, certified by the company's CA")
    .addArgument(choice(PLACED_KEYS))
    .addOption(new Option('--algorithm <algorithm>', 'kind of key').choices(KEY_KIND_NAMES).default('ecdsa-p256'))
    .option('--csr <file>', 'write a certification request (PKCS#10) instead of making a certificate')
    .addOption(configOption())
    .action(generate);
  keys
    .command('import')
    .description('take a key and its certificate from a PKCS#12 file, or the certificate (PEM) of a key that is there')
    .addArgument(choice(PLACED_KEYS))
    .argument('<file>', 'PKCS#12 (.p12, .pfx), or a PEM certificate')
    .option('--password-file <file>', "file with the PKCS#12 file's password, mode 0600")
    .addOption(configOption())
    .action(importFile);
  keys
    .command('rotate')
    .description('a new key takes the place of one in use, while the gateway runs; what the old one made stays good')
    .addArgument(choice(ROTATED))
    .addOption(
      new Option('--algorithm <algorithm>', 'kind of the new key; as before when missing').choices(KEY_KIND_NAMES),
    )
    .addOption(scopeOption())
    .addOption(configOption())
    .action(rotate);
  keys
    .command('renew')
    .description('a new certificate for the same key, while the gateway runs')
    .addArgument(choice(CERTIFIED))
    .addOption(configOption())
    .action(renew);
  return keys;
}

function choice(names: readonly string[]): Argument {
  return new Argument('<key>', `which key: ${names.join(', ')}`).argParser(text => {
    const name = text === 'timestamp' ? 'tsa' : text;
    if (!names.includes(name)) throw new InvalidArgumentError(`Write one of ${names.join(', ')}.`);
    return name;
  });
}

async function list(options: ListOptions): Promise<void> {
  const setup = await openKeys(options);
  const all = [
    ...(await Promise.all(KEY_NAMES.map(name => describe(setup, name)))),
    ...SECRET_NAMES.map(name => describeSecret(setup, name)),
  ];
  if (options.json) return console.log(JSON.stringify(all, null, 2));
  printTable(
    ['KEY', 'ALGORITHM', 'UNTIL', 'CERTIFICATE', 'WHERE'],
    all.map(({ name, algorithm, until, subject, where }) => [
      name,
      algorithm ?? '-',
      until?.slice(0, 10) ?? '-',
      subject ?? '-',
      where,
    ]),
  );
  for (const { name, problems } of all) for (const problem of problems) say(`${name}: ${problem}`);
  if (all.some(({ problems }) => problems.length > 0)) process.exitCode = 1;
}

interface Described {
  readonly name: string;
  readonly where: string;
  readonly algorithm: SignatureAlgorithm | 'hmac-sha256' | null;
  readonly subject: string | null;
  readonly until: string | null;
  readonly problems: readonly string[];
}

/** One key that can't be used doesn't hide the others. */
async function describe(
  { config, keys, passphrase }: OpenedKeys,
  name: (typeof KEY_NAMES)[number],
): Promise<Described> {
  const problems: string[] = [];
  const orNull = async <T>(work: Promise<T>): Promise<T | null> => {
    try {
      return await work;
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
      return null;
    }
  };
  if (!isPlaced(name)) {
    const where = keyPath(config.folder, name);
    const key = await orNull(loadKeyFile(where, passphrase));
    return { name, where, algorithm: key?.algorithm ?? null, subject: null, until: null, problems };
  }
  const certificate = await orNull(readCertificates(certificatePath(config.folder, name)).then(([first]) => first!));
  const key = await orNull(keys.open(name, certificate ?? undefined));
  if (key && certificate && !equal(publicKeyInfoOf(key.publicKey), certificate.publicKeyInfo))
    problems.push(`the key does not belong to ${certificatePath(config.folder, name)}`);
  return {
    name,
    where: keys.where(name),
    algorithm: key?.algorithm ?? null,
    subject: certificate && describeName(certificate.subject).name,
    until: certificate?.notAfter.toISOString() ?? null,
    problems,
  };
}

function describeSecret({ config }: OpenedKeys, name: SecretName): Described {
  const place = secretPath(config.folder, name);
  const nothing = { name, algorithm: null, subject: null, until: null };
  try {
    const older = new Secrets(config.folder, name).all().length - 1;
    const where = older === 0 ? place : `${place}, older ones (${older}) in ${retiredFolder(config.folder)}`;
    return { ...nothing, algorithm: 'hmac-sha256', where, problems: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { ...nothing, where: place, problems: [error.message] };
  }
}

const isPlaced = (name: string): name is KeyName => (PLACED_KEYS as readonly string[]).includes(name);

async function generate(name: KeyName, options: GenerateOptions): Promise<void> {
  const { algorithm, csr } = options;
  await actOnKeys(options, 'keys generate', { key: name, algorithm }, async setup => {
    const kind = KEY_KINDS[algorithm];
    if (csr !== undefined) {
      await generateRequested(setup, name, kind, csr);
      say(
        `The key ${setup.keys.where(name)} is made; let a CA certify ${csr}, then: signpost keys import ${name} CERTIFICATE`,
      );
      return null;
    }
    const path = await generateCertified(setup, name, kind);
    say(`The key ${setup.keys.where(name)} is made, its certificate is ${path}. ${SOON}`);
    return serialIn(path);
  });
}

const SOON = 'A running gateway uses it within seconds.';

async function serialIn(path: string): Promise<Brought> {
  const [certificate] = await readCertificates(path);
  return { certificate: certificate!.serial };
}

async function rotate(name: KeyName | SecretName, options: RotateOptions): Promise<void> {
  const { algorithm } = options;
  if (name === 'ca') return rotateCa(options, algorithm ?? null);
  if (options.scope !== 'local')
    throw new Error('--scope is for the key of a CA: signpost keys rotate ca --scope global');
  const facts = { key: name, ...(algorithm !== undefined && { algorithm }) };
  await actOnKeys(options, 'keys rotate', facts, setup =>
    isSecret(name) ? rotateOne(setup, name, algorithm) : rotateCertified(setup, name, algorithm),
  );
}

const isSecret = (name: string): name is SecretName => (SECRET_NAMES as readonly string[]).includes(name);

async function rotateCertified(setup: KeySetup, name: CertifiedName, algorithm: KeyKind | undefined): Promise<Brought> {
  const exchanged = await rotateKey(setup, name, algorithm === undefined ? null : KEY_KINDS[algorithm]);
  say(`The new key ${setup.keys.where(name)} ${inUse(exchanged)}`);
  return { certificate: exchanged.now.serial };
}

async function rotateOne(
  { config, now }: KeySetup & OpenedKeys,
  name: SecretName,
  algorithm: KeyKind | undefined,
): Promise<Brought> {
  if (algorithm !== undefined) throw new Error(`the key of ${name}s is 32 random bytes; leave --algorithm away`);
  const time = now();
  const { newest, retired } = await rotateSecret(config.folder, name, time);
  const until = new Date(time.getTime() + config.mail.verdictLifetime).toISOString().slice(0, 10);
  const old =
    name === 'link'
      ? `Links that are out go on working with the old key, ${retired}: keep it until the requests that are open now have ended.`
      : `Mail that Postfix holds with a verdict by the old one is believed until ${until}; then ${retired} is of no more use. Was that key stolen, delete it now: mail that waits comes back to its sender in the end.`;
  say(`The new key of ${name}s is ${newest.id}. ${SOON} ${old}`);
  return { id: newest.id };
}

async function renew(name: CertifiedName, options: ConfigOptions): Promise<void> {
  await actOnKeys(options, 'keys renew', { key: name }, async setup => {
    const exchanged = await renewCertificate(setup, name);
    say(`The key ${setup.keys.where(name)} ${inUse(exchanged)}`);
    return { certificate: exchanged.now.serial };
  });
}

const inUse = ({ before, now }: Exchanged): string =>
  `has certificate ${now.serial} until ${now.notAfter.toISOString().slice(0, 10)}. ${SOON} ` +
  `What was signed before stays good: certificate ${before.serial} goes on being valid, ` +
  `unless you revoke it (signpost certs revoke), as when its key was stolen.`;

async function importFile(name: KeyName, file: string, options: ImportOptions): Promise<void> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${file} can't be read (${error.code})`);
  });
  await actOnKeys(options, 'keys import', { key: name, file: sha256(bytes) }, async setup => {
    try {
      const path = await take(setup, name, bytes, options.passwordFile);
      say(`${setup.keys.where(name)} has the certificate ${path} now. ${SOON}`);
      return await serialIn(path);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new Error(`${file} is not imported: ${error.message}`, { cause: error });
    }
  });
}

async function take(setup: KeySetup, name: KeyName, bytes: Buffer, passwordFile: string | undefined): Promise<string> {
  if (bytes.includes('-----BEGIN')) return importCertificate(setup, name, bytes.toString('utf8'));
  if (passwordFile === undefined) throw new Error('its password is needed: give it with --password-file');
  return importPkcs12(setup, name, bytes, await readPassphrase(passwordFile, process.env.CREDENTIALS_DIRECTORY));
}
