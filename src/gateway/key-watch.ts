/**
 * Keys and certificates that change while the gateway runs (`signpost keys rotate`): looked at every second, and at once
 * when somebody asks (SIGHUP). Whatever doesn't fit together yet is left alone until it changes again.
 */
import { type Stats, unwatchFile, watchFile } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';

/** Milliseconds. */
const INTERVAL = 1000;

const WATCHED = [
  'keys/link.key',
  'keys/verdict.key',
  // Where one is taken away, it counts no more.
  'keys/retired',
  'keys/seal.p8',
  'keys/tsa.p8',
  'keys/ca.p8',
  'certs/seal.pem',
  'certs/tsa.pem',
  'certs/ca.pem',
  'certs/ca.crl',
  'global/keys/ca.p8',
  'global/certs/ca.pem',
  'global/certs/ca.crl',
];

export interface KeyWatch {
  /** Resolves once everything that is there now has been looked at. Never throws: the log says what went wrong. */
  look(): Promise<void>;
  stop(): Promise<void>;
}

/** @param reload one call at a time */
export function watchKeys(folder: string, reload: () => Promise<void>, logger: Logger): KeyWatch {
  let last = Promise.resolve();
  let waiting: Promise<void> | null = null;
  const look = (): Promise<void> => {
    // One look that hasn't begun yet will see this change, too.
    waiting ??= last.then(async () => {
      waiting = null;
      try {
        await reload();
      } catch (error) {
        logger.error({ err: error }, "the keys can't be loaded again; those in use stay");
      }
    });
    last = waiting;
    return waiting;
  };
  const changed = (now: Stats, before: Stats): void => {
    // Reading a file changes its times, too.
    if (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino || now.size !== before.size) void look();
  };
  const paths = WATCHED.map(name => join(folder, name));
  for (const path of paths) watchFile(path, { interval: INTERVAL, persistent: false }, changed);
  return {
    look,
    async stop() {
      for (const path of paths) unwatchFile(path, changed);
      await last;
    },
  };
}
