/** Secrets that came out of an example, and that everybody knows: the gateway doesn't start with one. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, pathIn } from './load.ts';
import type { Config } from './schema.ts';

/** As people and manuals write them, in lower case without what isn't a letter or digit. */
const SAMPLES = new Set([
  ...['passphrase', 'password', 'passwort', 'motdepasse', 'secret', 'geheim', 'example', 'sample', 'default', 'admin'],
  ...['test', 'signpost', 'passw0rd', 'password1', 'password123', 'letmein', 'correcthorsebatterystaple'],
  ...['0000', '1234', '12345', '123456', '1234567', '12345678', '123456789', '1234567890', '00000000', '11111111'],
]);

/** "changeme", "change-this-secret", "your-password-here", "<passphrase>", "xxxx", "000…0", "0123456789abcdef0123…" */
export function isSample(secret: string): boolean {
  const plain = secret.toLowerCase().replace(/[^a-z0-9]/g, '');
  return (
    SAMPLES.has(plain) ||
    /^(change|replace|insert|your|put)[a-z]*(me|this|it|here|passphrase|password|secret|pin)$/.test(plain) ||
    /^<.*>$/.test(secret.trim()) ||
    /^(.{1,4})\1{3,}$/.test(plain) ||
    /^(0123456789abcdef){1,}$/.test(plain)
  );
}

export interface SampleSecret {
  readonly path: string;
  /** The command that mends it. */
  readonly mend: string;
}

/** The secret files of this configuration that hold a sample. Those that can't be read are others' business. */
export function sampleSecrets(config: Config): SampleSecret[] {
  return secretFiles(config).filter(({ path }) => {
    try {
      return isSample(readFileSync(path, 'utf8').trim());
    } catch {
      return false;
    }
  });
}

/** Every file that the configuration names as a secret. Under systemd some are credentials (systemd.exec(5)). */
export function secretFiles(config: Config): SampleSecret[] {
  const credentials = process.env.CREDENTIALS_DIRECTORY;
  const passphrase = credentials === undefined ? pathIn(config, config.passphrase) : join(credentials, 'passphrase');
  const keys = join(config.folder, 'keys');
  const pins = Object.values(config.pki.keys).flatMap(place => (place === 'file' ? [] : [place.pkcs11.pinFile]));
  const passwords = (config.directory.ldap ?? []).map(({ bind }) => bind.passwordFile);
  return [
    { path: passphrase, mend: reencryption(config, passphrase) },
    ...filesIn(keys, '.key').map(path => ({ path, mend: `umask 077; openssl rand -hex 32 > ${path}` })),
    ...pins.map(file => ({
      path: pathIn(config, file),
      mend: 'change the PIN on the token, and write it into the file',
    })),
    ...passwords.map(file => ({
      path: pathIn(config, file),
      mend: 'change the password in the directory, and write it into the file',
    })),
  ];
}

/** A new passphrase, and all key files under it. */
const reencryption = ({ folder }: Config, passphrase: string): string =>
  `cd ${folder} && umask 077 && openssl rand -base64 24 > new && for k in keys/*.p8; do openssl pkcs8 -topk8 -scrypt ` +
  `-in $k -passin file:${passphrase} -passout file:new -out $k.new && mv $k.new $k; done && mv new ${passphrase}`;

function filesIn(folder: string, suffix: string): string[] {
  try {
    return readdirSync(folder)
      .filter(name => name.endsWith(suffix))
      .map(name => join(folder, name));
  } catch {
    return [];
  }
}

/** @throws ConfigError that names each, with what to do */
export function refuseSampleSecrets(config: Config): void {
  const found = sampleSecrets(config);
  if (found.length === 0) return;
  const lines = found.map(({ path, mend }) => `  ${path}: ${mend}`);
  throw new ConfigError(`These secrets come out of an example, and everybody knows them:\n${lines.join('\n')}`);
}
