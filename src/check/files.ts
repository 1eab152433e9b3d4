/** The installation's files: who may read them, whether they can be used, and whether a secret is everybody's. */
import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathIn } from '../config/load.ts';
import { sampleSecrets, secretFiles } from '../config/sample-secrets.ts';
import type { Config } from '../config/schema.ts';
import { passphraseOf } from '../gateway/core.ts';
import { KeyFileError, loadKeyFile } from '../pki/key-file.ts';
import { mebibytes, roomIn } from '../watch/look.ts';
import { type Line, ok, warning, wrong } from './line.ts';

/** Everything that needs no key. */
export async function checkFiles(config: Config): Promise<Line[]> {
  return [...(await stateLines(config)), ...permissionLines(config), ...sampleLines(config)];
}

async function stateLines(config: Config): Promise<Line[]> {
  const folder = pathIn(config, config.state);
  const item = 'state folder';
  if (!existsSync(folder)) return [warning(item, `${folder} isn't there yet; the gateway makes it at its first start`)];
  const { mode, uid } = statSync(folder);
  if ((mode & 0o077) !== 0) return [wrong(item, `others may look into ${folder}`, `chmod 700 ${folder}`)];
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return [
      wrong(
        item,
        `${folder} can't be written to by you (uid ${process.getuid?.()})`,
        `run as root, or: chown -R signpost ${folder}`,
      ),
    ];
  }
  const strangers = readdirSync(folder).filter(name => statSync(join(folder, name)).uid !== uid);
  if (strangers.length > 0)
    return [
      wrong(
        item,
        `${strangers.join(', ')} in ${folder} belong to another user`,
        `chown -R --reference=${folder} ${folder}`,
      ),
    ];
  const { free, total } = await roomIn(folder);
  const room = `${mebibytes(free)} of ${mebibytes(total)} free`;
  return [
    ok(item, folder),
    free < config.watch.freeSpace
      ? wrong('disk', `${room}, less than watch.freeSpace`, `make room on the file system of ${folder}`)
      : ok('disk', room),
  ];
}

/** Retired keys included. */
const filesBelow = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(name => join(folder, name)) : [];

/** Keys and secrets are for their owner's eyes. */
function permissionLines(config: Config): Line[] {
  const kept = ['keys', 'authorities', 'global'].flatMap(name => filesBelow(join(config.folder, name)));
  const files = [
    ...new Set([...kept.filter(name => /\.(p8|key)$/.test(name)), ...secretFiles(config).map(({ path }) => path)]),
  ];
  const credentials = process.env.CREDENTIALS_DIRECTORY;
  const open = files.filter(
    path =>
      existsSync(path) && (statSync(path).mode & 0o077) !== 0 && !(credentials && path.startsWith(`${credentials}/`)),
  );
  if (open.length === 0) return [ok('secret files', `${files.length}, none of them for others' eyes`)];
  return open.map(path => wrong('secret files', `others may read ${path}`, `chmod 600 ${path}`));
}

function sampleLines(config: Config): Line[] {
  const found = sampleSecrets(config);
  if (found.length === 0) return [ok('sample secrets', 'none')];
  return found.map(({ path, mend }) =>
    wrong('sample secrets', `${path} comes out of an example; the gateway doesn't start with it`, mend),
  );
}

/** Whether the passphrase opens each key file. */
export async function checkKeyFiles(config: Config): Promise<Line[]> {
  let passphrase: string;
  try {
    passphrase = await passphraseOf(config);
  } catch (error) {
    return [
      wrong('passphrase', (error as Error).message, `write it into ${pathIn(config, config.passphrase)}, mode 0600`),
    ];
  }
  const lines = [ok('passphrase', 'can be read')];
  const keys = join(config.folder, 'keys');
  for (const name of existsSync(keys) ? readdirSync(keys).filter(one => one.endsWith('.p8')) : []) {
    const path = join(keys, name);
    try {
      const { algorithm } = await loadKeyFile(path, passphrase);
      lines.push(ok(`key ${name.slice(0, -3)}`, `${path}, ${algorithm}`));
    } catch (error) {
      if (!(error instanceof KeyFileError)) throw error;
      lines.push(wrong(`key ${name.slice(0, -3)}`, error.message, mendOf(error, path)));
    }
  }
  return lines;
}

function mendOf({ fault }: KeyFileError, path: string): string {
  if (fault === 'readable-by-others') return `chmod 600 ${path}`;
  if (fault === 'not-encrypted')
    return `openssl pkcs8 -topk8 -scrypt -in ${path} -out ${path}.new && mv ${path}.new ${path}`;
  return `put ${path} and the passphrase back from your backups`;
}
