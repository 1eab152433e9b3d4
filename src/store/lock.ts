/**
 * One gateway per state folder. The lock is an exclusive SQLite transaction on a file of its own, so the kernel
 * releases it however the process ends, kill -9 included. The command line works beside the gateway without it.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isBusy } from './errors.ts';

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
  const database = new DatabaseSync(join(folder, 'lock.db'), { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    throw isBusy(error) ? new StateLocked(folder) : error;
  }
  return { release: () => database.close() };
}
