/** Opens the directory that the configuration names. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Logger } from 'pino';
import { pathIn } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { readPassphrase } from '../pki/key-file.ts';
import type { Directory } from './directory.ts';
import { createLdapDirectory } from './ldap/directory.ts';
import { LdapDomain } from './ldap/domain.ts';
import { Servers } from './ldap/servers.ts';
import { openYamlDirectory } from './yaml-file.ts';

export interface OpenOptions {
  readonly now: () => Date;
  readonly log: Logger;
}

/**
 * LDAP servers may be away at the start: mail is put off until they are back.
 *
 * @throws Error when the people file has a mistake
 */
export async function openDirectory(
  config: Pick<Config, 'directory' | 'language' | 'folder'>,
  { now, log }: OpenOptions,
): Promise<Directory> {
  const { directory, language } = config;
  if (directory.file !== undefined) return openYamlDirectory(pathIn(config, directory.file), language, log);
  const domains = directory.ldap.map(settings => {
    const servers = new Servers({
      settings,
      ca: settings.ca === null ? null : pathIn(config, settings.ca),
      password: () => readLdapPassword(pathIn(config, settings.bind.passwordFile)),
      now,
      log,
    });
    return { servers, domain: new LdapDomain({ settings, servers, language, now }) };
  });
  return createLdapDirectory({ domains, now, log });
}

/** Under systemd the credential of the file's name, where there is one; read anew for each login, so that it can be changed. */
function readLdapPassword(path: string): Promise<string> {
  const credentials = process.env.CREDENTIALS_DIRECTORY;
  const credential = credentials === undefined ? null : join(credentials, basename(path));
  return readPassphrase(credential !== null && existsSync(credential) ? credential : path, credentials);
}
