/**
 * One gateway per state folder. The lock is an exclusive SQLite transaction on a file of its own, so the kernel
 * releases it however the process ends, kill -9 included. The command line works beside the gateway without it.
 */
import { chownSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isBusy } from './errors.ts';
import { otherOwner } from './owner.ts';

/** Another gateway runs on this state folder. */
export class StateLocked extends Error {
  override readonly name = 'StateLocked';
  constructor(folder: string) {
    super(
      `Another Signpost gateway is already running on ${folder}; stop it first, or give this one a state folder of its own.`,
    );
  }
}

export interface StateLock {
  release(): void;
}

/**
 * Takes the folder for this process (creating the folder if needed).
 * @throws StateLocked
 */
export function lockState(folder: string): StateLock {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = lockFile(join(folder, 'lock.db'));
  if (lock === null) throw new StateLocked(folder);
  return lock;
}

/** Takes a lock that is a file (made if needed); null when another process holds it. */
export function lockFile(file: string): StateLock | null {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    const owner = otherOwner(dirname(file));
    if (owner) chownSync(file, owner.uid, owner.gid);
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (isBusy(error)) return null;
    throw error;
  }
  return { release: () => database.close() };
}
