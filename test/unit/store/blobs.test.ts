/** The files of the blob store: damage, leftovers, and a disk that is really full. */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BlobUnreadable, FileBlobs } from '../../../src/store/blobs.ts';
import { isDiskFull } from '../../../src/store/errors.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signpost-blobs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('blob files', () => {
  test('are named by their hash, readable by the owner alone, and leave no temporary files', async () => {
    const blobs = await FileBlobs.open(folder);
    const id = await blobs.put(Buffer.from('hello'));
    const path = join(folder, id.slice(0, 2), id.slice(2));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
  });

  test('that root makes belong to whoever owns the state', async context => {
    if (process.getuid?.() !== 0) return context.skip('not root');
    chownSync(folder, 1234, 1235);
    const blobs = await FileBlobs.open(join(folder, 'blobs'));
    const id = await blobs.put(Buffer.from('hello'));
    const made = ['.', 'tmp', id.slice(0, 2), join(id.slice(0, 2), id.slice(2))];
    for (const path of made) expect(statSync(join(folder, 'blobs', path))).toMatchObject({ uid: 1234, gid: 1235 });
  });

  test('a damaged one is never handed out, and writing it again heals it', async () => {
    const blobs = await FileBlobs.open(folder);
    const id = await blobs.put(Buffer.from('hello'));
    const path = join(folder, id.slice(0, 2), id.slice(2));
    writeFileSync(path, 'hellO');
    await expect(blobs.get(id)).rejects.toThrow(BlobUnreadable);
    writeFileSync(path, 'hel');
    await expect(blobs.get(id)).rejects.toThrow(BlobUnreadable);
    expect(await blobs.put(Buffer.from('hello'))).toBe(id);
    expect(Buffer.from(await blobs.get(id)).toString()).toBe('hello');
  });

  test('leftovers of dead processes are removed, those of a living one stay until they are old', async () => {
    const blobs = await FileBlobs.open(folder);
    const dead = Number(execFileSync(process.execPath, ['-e', 'console.log(process.pid)']).toString());
    const temporary = (name: string) => join(folder, 'tmp', name);
    writeFileSync(temporary(`${dead}-a`), 'half');
    writeFileSync(temporary(`${process.pid}-b`), 'an earlier process with our id');
    writeFileSync(temporary(`${process.ppid}-c`), 'a command that runs beside us');
    await blobs.clean(new Date());
    expect(readdirSync(join(folder, 'tmp'))).toEqual([`${process.ppid}-c`]);
    utimesSync(temporary(`${process.ppid}-c`), new Date(0), new Date(0));
    await blobs.clean(new Date());
    expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
  });

  test('a full disk says ENOSPC, leaves nothing half-written, and works again when there is room', async context => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      return context.skip('no right to mount a small disk');
    }
    try {
      const blobs = await FileBlobs.open(disk);
      const filler = join(disk, 'filler');
      writeFileSync(filler, Buffer.alloc(150_000));
      const document = Buffer.alloc(200_000, 7);
      const error = await blobs.put(document).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'ENOSPC' });
      expect(isDiskFull(error)).toBe(true);
      expect(readdirSync(join(disk, 'tmp'))).toEqual([]);
      rmSync(filler);
      expect(Buffer.from(await blobs.get(await blobs.put(document)))).toEqual(document);
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});
