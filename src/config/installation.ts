/** Everything a gateway needs, made once in a new folder; nothing that exists is ever overwritten. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dkimRecordOf, makeDkimKey } from '../outbound/dkim-key.ts';
import { createPki } from '../pki/create.ts';
import type { NewKey } from '../pki/key-kinds.ts';
import { fullHostName } from './host-name.ts';
import { ConfigError, loadConfig } from './load.ts';
import type { Config } from './schema.ts';
import { type Answers, configText, dnsLines, peopleText, postfixLines } from './template.ts';

export interface Installation {
  readonly config: Config;
  /** The exact Postfix and DNS lines; also in postfix-and-dns.txt. */
  readonly instructions: string;
}

/** @throws ConfigError when the folder has a configuration already */
export async function createInstallation(
  folder: string,
  answers: Answers,
  algorithm: NewKey,
  algorithms: Parameters<typeof createPki>[1]['algorithms'] = {},
): Promise<Installation> {
  const file = join(folder, 'signpost.yaml');
  if (existsSync(file))
    throw new ConfigError(
      `${file} exists already; nothing is ever overwritten. Choose another folder, or edit that file.`,
    );
  mkdirSync(folder, { recursive: true, mode: 0o750 });
  const writeNew = (name: string, text: string, mode: number): void =>
    writeFileSync(join(folder, name), text, { mode, flag: 'wx' });

  const passphrase = randomBytes(24).toString('base64url');
  writeNew('signpost.yaml', configText(answers), 0o640);
  const config = loadConfig(file);
  writeNew('people.yaml', peopleText(answers.mailDomains[0]!), 0o640);
  writeNew('passphrase', `${passphrase}\n`, 0o600);
  await createPki(folder, {
    company: config.company,
    publicUrl: config.publicUrl,
    passphrase,
    algorithm,
    algorithms,
    now: () => new Date(),
  });
  for (const name of ['verdict.key', 'link.key', 'token.key'])
    writeNew(join('keys', name), `${randomBytes(32).toString('hex')}\n`, 0o600);

  await makeDkimKey(folder, passphrase);
  const dkim = await dkimRecordOf(folder, answers.signDomain);

  const instructions = [
    '# 1. Postfix: put these lines at the end of /etc/postfix/main.cf, then: postfix reload',
    '',
    postfixLines(config),
    '# 2. DNS: records of the sign domain',
    '',
    dnsLines(config, fullHostName() ?? '<name of this mail server>', dkim!.zoneLine),
  ].join('\n');
  writeNew('postfix-and-dns.txt', instructions, 0o644);
  return { config, instructions };
}
