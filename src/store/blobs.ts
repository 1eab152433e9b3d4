/**
 * Files named by the SHA-256 of their bytes: DIR/ab/cdef…. Durable by the usual sequence (temporary file, write,
 * fsync, rename, fsync of the directory), so a name that exists always has all of its bytes, whenever power fails.
 */
import { createHash, randomUUID } from 'node:crypto';
import { chown, mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { BlobId } from '../requests/model.ts';
import { type Owner, otherOwner } from './owner.ts';
import type { BlobStore } from './store.ts';

/** A temporary file that old belongs to nobody, even if its process id is in use again. */
const STALE_MS = 3_600_000;

/** There is no such blob, or its bytes have changed. */
export class BlobUnreadable extends Error {
  override readonly name = 'BlobUnreadable';
}

export class FileBlobs implements BlobStore {
  readonly #folder: string;
  readonly #owner: Owner | null;
  /** Sub-directories whose entry in the folder is known to be durable. */
  readonly #durable = new Set<string>();

  private constructor(folder: string, owner: Owner | null) {
    this.#folder = folder;
    this.#owner = owner;
  }

  /** @param folder created if needed */
  static async open(folder: string): Promise<FileBlobs> {
    const absolute = resolve(folder);
    const parent = dirname(absolute);
    await mkdir(parent, { recursive: true, mode: 0o700 });
    const owner = otherOwner(parent);
    for (const path of [absolute, join(absolute, 'tmp')]) await makeFolder(path, owner);
    await syncFolder(absolute);
    await syncFolder(parent);
    return new FileBlobs(absolute, owner);
  }

  /**
   * Durable when it resolves. Errors of the system (ENOSPC, EIO, …) pass through; nothing half-written stays.
   */
  async put(bytes: Uint8Array): Promise<BlobId> {
    const id = hash(bytes);
    const path = this.#path(id);
    const folder = dirname(path);
    await makeFolder(folder, this.#owner);
    if (!(await holds(path, bytes))) {
      const temporary = join(this.#folder, 'tmp', `${process.pid}-${randomUUID()}`);
      try {
        await writeDurably(temporary, bytes, this.#owner);
        await rename(temporary, path);
      } catch (error) {
        await unlink(temporary).catch(() => {});
        throw error;
      }
    }
    // Also for a file that was there: whoever wrote it may have died between the rename and this.
    await syncFolder(folder);
    if (!this.#durable.has(folder)) {
      await syncFolder(this.#folder);
      this.#durable.add(folder);
    }
    return id;
  }

  /** @throws BlobUnreadable */
  async get(id: BlobId): Promise<Uint8Array> {
    if (!/^[0-9a-f]{64}$/.test(id)) throw new BlobUnreadable('not a blob id');
    const bytes = await readFile(this.#path(id)).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new BlobUnreadable(`no blob ${id}`) : error;
    });
    if (hash(bytes) !== id) throw new BlobUnreadable(`blob ${id} has changed on disk`);
    return bytes;
  }

  async remove(id: BlobId): Promise<void> {
    await unlink(this.#path(id)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }

  /** Removes temporary files of processes that died. Those of a command running beside us stay. */
  async clean(now: Date): Promise<void> {
    const folder = join(this.#folder, 'tmp');
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: now.getTime() }));
      if (isOrphan(Number.parseInt(name, 10)) || now.getTime() - mtimeMs > STALE_MS) await unlink(path).catch(() => {});
    }
  }

  #path(id: BlobId): string {
    return join(this.#folder, id.slice(0, 2), id.slice(2));
  }
}

function hash(bytes: Uint8Array): BlobId {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Compares the bytes too: a damaged file is replaced, not believed. */
async function holds(path: string, bytes: Uint8Array): Promise<boolean> {
  try {
    return (await stat(path)).size === bytes.length && (await readFile(path)).equals(bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Nothing when it is there already. */
async function makeFolder(path: string, owner: Owner | null): Promise<void> {
  const made = await mkdir(path, { recursive: true, mode: 0o700 });
  if (made !== undefined && owner) await chown(path, owner.uid, owner.gid);
}

async function writeDurably(path: string, bytes: Uint8Array, owner: Owner | null): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    if (owner) await file.chown(owner.uid, owner.gid);
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Our own id at start means an earlier process (a container's is always 1). */
function isOrphan(pid: number): boolean {
  if (Number.isNaN(pid) || pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
