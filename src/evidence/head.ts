/**
 * The head of the evidence log, timestamped (RFC 3161): from then on nobody can write the entries up to it differently,
 * the gateway's owner included. Each token goes into the log, and into a folder beside the database: copies of that
 * folder kept elsewhere show when somebody cuts off the log's end, tokens and all.
 */
import { chown, mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { TimestampAuthority } from '../pki/pki.ts';
import { otherOwner } from '../store/owner.ts';
import { hashOf, parseEntry, TIMESTAMPED, timestampOf } from './entry.ts';
import type { EvidenceLog } from './log.ts';

export interface HeadParts {
  readonly log: EvidenceLog;
  readonly timestamps: TimestampAuthority;
  /** Where tokens are kept, one file each; made if needed. Its parent exists. */
  readonly folder: string;
}

/**
 * Timestamps the head unless nothing was written since the last time.
 * @returns whether it did @throws TimestampUnavailable
 */
export async function stampHead({ log, timestamps, folder }: HeadParts): Promise<boolean> {
  const newest = log.newest();
  // A timestamp of an earlier head: something was written while the authority answered.
  if (newest === null || timestampOf(parseEntry(newest.body))?.sequence === newest.sequence - 1) return false;
  const { sequence } = newest;
  const { token } = await timestamps.stamp(new Uint8Array(Buffer.from(hashOf(newest), 'hex')));
  // First the file: a token over a head that the log doesn't know it has does no harm.
  await keep(folder, `${String(sequence).padStart(9, '0')}.tst`, token);
  await log.note({
    kind: TIMESTAMPED,
    subjects: {},
    facts: { sequence, token: Buffer.from(token).toString('base64') },
  });
  return true;
}

/** A token in the folder beside the database. */
export interface KeptToken {
  readonly file: string;
  readonly token: Uint8Array;
}

/** @returns none where there is no such folder */
export async function keptTokens(folder: string): Promise<KeptToken[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const files = names.filter(name => name.endsWith('.tst')).sort();
  return Promise.all(
    files.map(async name => ({ file: join(folder, name), token: new Uint8Array(await readFile(join(folder, name))) })),
  );
}

/** Written durably, and never seen half-written. */
async function keep(folder: string, name: string, token: Uint8Array): Promise<void> {
  const owner = otherOwner(join(folder, '..'));
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (made !== undefined && owner) await chown(folder, owner.uid, owner.gid);
  const temporary = join(folder, `${name}.${process.pid}`);
  const file = await open(temporary, 'w', 0o600);
  try {
    if (owner) await file.chown(owner.uid, owner.gid);
    await file.writeFile(token);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, join(folder, name));
  const directory = await open(folder, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

export interface Timestamping {
  /** Timestamps what is new, for the last time. */
  stop(): Promise<void>;
}

/** setInterval takes no more. */
const LONGEST = 2 ** 31 - 1;

/** @param every milliseconds between timestamps while there is something new; the first comes at once */
export function startTimestamping(
  parts: HeadParts & { readonly every: number; readonly logger: Logger },
): Timestamping {
  const { every, logger } = parts;
  let running: Promise<void> = Promise.resolve();
  const stamp = (): Promise<void> => {
    // One after the other. What fails is tried again next time: the chain loses nothing.
    running = running.then(async () => {
      try {
        if (await stampHead(parts)) logger.info('the evidence log is timestamped');
      } catch (error) {
        logger.warn({ err: error }, 'the evidence log could not be timestamped; trying again later');
      }
    });
    return running;
  };
  const timer = setInterval(stamp, Math.min(every, LONGEST));
  void stamp();
  return {
    async stop() {
      clearInterval(timer);
      await stamp();
    },
  };
}
