/** `signpost keys list|generate|import`: the company's private keys, in files or on PKCS#11 tokens. */
import { readFile } from 'node:fs/promises';
import { Argument, Command, Option } from 'commander';
import { loadConfig } from '../config/load.ts';
import { passphraseOf } from '../gateway/core.ts';
import { createLogger } from '../gateway/logger.ts';
import { certificatePath, KEY_NAMES, keyPath } from '../pki/create.ts';
import { loadKeyFile, readPassphrase } from '../pki/key-file.ts';
import {
  generateCertified,
  generateRequested,
  importCertificate,
  importPkcs12,
  type KeySetup,
} from '../pki/key-setup.ts';
import { type KeyName, Keys, PLACED_KEYS } from '../pki/keys.ts';
import type { SignatureAlgorithm } from '../pki/pki.ts';
import { fromPem, parseCertificate } from '../pki/x509.ts';
import { describeName } from '../signatures/verify/subject.ts';
import { type ConfigOptions, configOption, jsonOption } from './options.ts';
import { say } from './say.ts';
import { printTable } from './table.ts';

const ALGORITHMS: Readonly<Record<string, SignatureAlgorithm>> = {
  'ecdsa-p256': 'ecdsa-p256-sha256',
  'ecdsa-p384': 'ecdsa-p384-sha256',
  'rsa-3072': 'rsa-sha256',
};

interface ListOptions extends ConfigOptions {
  readonly json?: boolean;
}

interface GenerateOptions extends ConfigOptions {
  readonly algorithm: string;
  readonly csr?: string;
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
    .addArgument(nameArgument())
    .addOption(
      new Option('--algorithm <algorithm>', 'kind of key').choices(Object.keys(ALGORITHMS)).default('ecdsa-p256'),
    )
    .option('--csr <file>', 'write a certification request (PKCS#10) instead of making a certificate')
    .addOption(configOption())
    .action(generate);
  keys
    .command('import')
    .description('take a key and its certificate from a PKCS#12 file, or the certificate (PEM) of a key that is there')
    .addArgument(nameArgument())
    .argument('<file>', 'PKCS#12 (.p12, .pfx), or a PEM certificate')
    .option('--password-file <file>', "file with the PKCS#12 file's password, mode 0600")
    .addOption(configOption())
    .action(importFile);
  return keys;
}

const nameArgument = (): Argument => new Argument('<key>', 'which key').choices(PLACED_KEYS);

async function setupOf(options: ConfigOptions): Promise<KeySetup> {
  const config = loadConfig(options.config);
  const passphrase = await passphraseOf(config);
  const credentials = process.env.CREDENTIALS_DIRECTORY;
  const keys = new Keys({ config, passphrase, credentials, logger: createLogger('error') });
  return { config, keys, passphrase, now: () => new Date() };
}

async function list(options: ListOptions): Promise<void> {
  const setup = await setupOf(options);
  const all = await Promise.all(KEY_NAMES.map(name => describe(setup, name)));
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
  readonly algorithm: SignatureAlgorithm | null;
  readonly subject: string | null;
  readonly until: string | null;
  readonly problems: readonly string[];
}

/** One key that can't be used doesn't hide the others. */
async function describe({ config, keys, passphrase }: KeySetup, name: (typeof KEY_NAMES)[number]): Promise<Described> {
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
  const key = await orNull(keys.open(name));
  const certificate = await orNull(readCertificate(certificatePath(config.folder, name)));
  return {
    name,
    where: keys.where(name),
    algorithm: key?.algorithm ?? null,
    subject: certificate && describeName(certificate.subject).name,
    until: certificate?.notAfter.toISOString() ?? null,
    problems,
  };
}

async function readCertificate(path: string) {
  return parseCertificate(fromPem(await readFile(path, 'utf8'))[0]!);
}

const isPlaced = (name: string): name is KeyName => (PLACED_KEYS as readonly string[]).includes(name);

async function generate(name: KeyName, options: GenerateOptions): Promise<void> {
  const setup = await setupOf(options);
  const algorithm = ALGORITHMS[options.algorithm]!;
  if (options.csr !== undefined) {
    await generateRequested(setup, name, algorithm, options.csr);
    say(
      `The key ${setup.keys.where(name)} is made; let a CA certify ${options.csr}, then: signpost keys import ${name} CERTIFICATE`,
    );
    return;
  }
  const certificate = await generateCertified(setup, name, algorithm);
  say(`The key ${setup.keys.where(name)} is made, its certificate is ${certificate}. Restart the gateway to use it.`);
}

async function importFile(name: KeyName, file: string, options: ImportOptions): Promise<void> {
  const setup = await setupOf(options);
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${file} can't be read (${error.code})`);
  });
  try {
    const certificate = await take(setup, name, bytes, options.passwordFile);
    say(`${setup.keys.where(name)} has the certificate ${certificate} now. Restart the gateway to use it.`);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new Error(`${file} is not imported: ${error.message}`, { cause: error });
  }
}

async function take(setup: KeySetup, name: KeyName, bytes: Buffer, passwordFile: string | undefined): Promise<string> {
  if (bytes.includes('-----BEGIN')) return importCertificate(setup, name, bytes.toString('utf8'));
  if (passwordFile === undefined) throw new Error('its password is needed: give it with --password-file');
  return importPkcs12(setup, name, bytes, await readPassphrase(passwordFile, process.env.CREDENTIALS_DIRECTORY));
}
