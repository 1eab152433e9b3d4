/** What all commands that change keys have in common: one at a time, and each in the evidence log. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig, pathIn } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { Fact } from '../evidence/entry.ts';
import { passphraseOf } from '../gateway/core.ts';
import { createLogger } from '../gateway/logger.ts';
import { changingKeys } from '../pki/key-exchange.ts';
import { Keys } from '../pki/keys.ts';
import type { KeySetup } from '../pki/own-certificates.ts';
import { SqliteCertificateStore } from '../store/certificates.ts';
import { openDatabase } from '../store/database.ts';
import { isDiskFull } from '../store/errors.ts';
import { SqliteEvidence } from '../store/evidence.ts';
import { MIGRATIONS } from '../store/migrations.ts';
import { noteAdminAct } from './admin-act.ts';
import type { ConfigOptions } from './options.ts';

export interface OpenedKeys {
  readonly config: Config;
  readonly passphrase: string;
  readonly keys: Keys;
}

export async function openKeys(options: ConfigOptions): Promise<OpenedKeys> {
  const config = loadConfig(options.config);
  const passphrase = await passphraseOf(config);
  const credentials = process.env.CREDENTIALS_DIRECTORY;
  return { config, passphrase, keys: new Keys({ config, passphrase, credentials, logger: createLogger('error') }) };
}

/** What an act has brought: the certificate's serial, or the id of a key that has none. */
export type Brought = { readonly certificate: string } | { readonly id: string } | null;

/**
 * Does something to the keys beside a running gateway. What was asked for is in the evidence log before anything is done,
 * and what came of it afterwards.
 *
 * @param command as it is written: "keys rotate"
 * @throws KeysBusy and what `work` throws
 */
export async function actOnKeys(
  options: ConfigOptions,
  command: string,
  facts: { readonly [name: string]: Fact },
  work: (setup: KeySetup & OpenedKeys) => Promise<Brought>,
): Promise<void> {
  const opened = await openKeys(options);
  const { config } = opened;
  const state = pathIn(config, config.state);
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const now = (): Date => new Date();
  const database = openDatabase(join(state, 'signpost.db'), MIGRATIONS);
  const evidence = new SqliteEvidence(database, now);
  const certificates = new SqliteCertificateStore(database, now);
  try {
    await changingKeys(config.folder, async () => {
      await noteAdminAct({ store: { evidence } }, command, {}, facts);
      const brought = await work({ ...opened, certificates, now }).catch((error: unknown) => {
        throw isDiskFull(error) ? new Error('the disk is full: nothing was changed; make room, then try again') : error;
      });
      if (brought === null) return;
      const { subjects, more } =
        'certificate' in brought ? { subjects: brought, more: {} } : { subjects: {}, more: brought };
      await evidence.note({ kind: 'key.changed', subjects, facts: { ...facts, ...more } });
    });
  } finally {
    database.close();
  }
}
