/**
 * How one file takes another's place, so that whoever is killed at any point leaves the old one whole or the new one: the
 * new one is written beside it, the old one gets a second name among the retired ones, and then one rename decides.
 */
import { link, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { lockFile } from '../store/lock.ts';
import { handOver, syncFolder, writeNewFile } from './key-file.ts';

/** Somebody else is at it. */
export class KeysBusy extends Error {
  override readonly name = 'KeysBusy';
  constructor() {
    super('another command is changing the keys at this moment; nothing was done: try again when it has ended');
  }
}

/** One command at a time changes keys/ and certs/; a killed one holds nobody up. @throws KeysBusy */
export async function changingKeys<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const lock = lockFile(join(folder, 'keys', 'lock.db'));
  if (lock === null) throw new KeysBusy();
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/** Writes what will take another file's place, over what a killed command may have left there. */
export async function stage(path: string, text: string, mode: number): Promise<void> {
  await unstage(path);
  await writeNewFile(path, text, mode);
}

/** Removes what was staged, if there is something. */
export function unstage(path: string): Promise<void> {
  return rm(path, { force: true });
}

/** Gives a file a second name in a folder of retired ones, which is made when it is missing. */
export async function retire(path: string, retired: string): Promise<void> {
  const folder = dirname(retired);
  if ((await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined) await handOver(folder);
  await link(path, retired).catch((error: NodeJS.ErrnoException) => {
    // A killed command was there before.
    if (error.code !== 'EEXIST') throw error;
  });
  await syncFolder(folder);
}

/** The staged file takes its place, durably. */
export async function putInPlace(staged: string, path: string): Promise<void> {
  await rename(staged, path);
  await syncFolder(dirname(path));
}
