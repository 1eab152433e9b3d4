/** The contract on SQLite and files, and what only they have: the schema, other processes, a full disk, a kill. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FileBlobs } from '../../../src/store/blobs.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { isDiskFull } from '../../../src/store/errors.ts';
import { lockState, StateLocked } from '../../../src/store/lock.ts';
import { MIGRATIONS } from '../../../src/store/migrations.ts';
import { SqliteStore } from '../../../src/store/sqlite.ts';
import { storeContract } from './contract.ts';
import { job, later, request, row, T0 } from './samples.ts';

const node = process.execPath;
const here = import.meta.dirname;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signpost-store-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function openStore(now = () => T0): Promise<SqliteStore> {
  const blobs = await FileBlobs.open(join(folder, 'blobs'));
  return new SqliteStore(openDatabase(join(folder, 'signpost.db'), MIGRATIONS), blobs, now);
}

storeContract('SqliteStore', async () => {
  let now = T0;
  const stores = [await openStore(() => now)];
  return {
    store: stores[0]!,
    setNow(date) {
      now = date;
    },
    async another() {
      const store = await openStore(() => now);
      stores.push(store);
      return store;
    },
    async close() {
      for (const store of stores) await store.close();
    },
  };
});

describe('SQLite', () => {
  test('two processes that change one request at once lose nothing', async () => {
    const store = await openStore();
    await store.requests.commit({ requests: [request('R1', { subject: '' })] });
    const processes = ['a', 'b'].map(letter =>
      spawn(node, [join(here, 'committer.ts'), folder, 'R1', letter, '40'], { stdio: ['ignore', 'ignore', 'inherit'] }),
    );
    const ends = await Promise.all(processes.map(process => once(process, 'exit')));
    expect(ends.map(([code]) => code)).toEqual([0, 0]);
    const after = await store.requests.find('R1');
    expect(after?.version).toBe(81);
    expect([...after!.subject].filter(letter => letter === 'a')).toHaveLength(40);
    expect([...after!.subject].filter(letter => letter === 'b')).toHaveLength(40);
    expect(await store.outbox.listForRequest('R1')).toHaveLength(80);
    await store.close();
  });

  test('a process killed while it commits leaves whole changes only', async () => {
    const store = await openStore();
    await store.requests.commit({ requests: [request('R1', { subject: '' })] });
    const process = spawn(node, [join(here, 'committer.ts'), folder, 'R1', 'a', '100000'], { stdio: 'ignore' });
    while ((await store.requests.find('R1'))!.version < 20) await new Promise(resolve => setTimeout(resolve, 5));
    process.kill('SIGKILL');
    await once(process, 'exit');
    const after = await store.requests.find('R1');
    expect(after!.subject).toHaveLength(after!.version - 1);
    expect(await store.outbox.listForRequest('R1')).toHaveLength(after!.version - 1);
    expect(await store.requests.commit({ requests: [{ ...after!, version: after!.version + 1 }] })).toBe(true);
    await store.close();
  });

  test('after a kill the next gateway takes over at once what the first one held', async () => {
    const first = await openStore();
    await first.requests.commit({ addJobs: [job('J1')], outbox: [row('row1')] });
    expect(await first.jobs.lease(1, 60_000, T0)).toHaveLength(1);
    expect(await first.outbox.lease(1, 60_000, T0)).toHaveLength(1);
    const second = await openStore();
    expect(await second.jobs.lease(1, 60_000, later(1))).toHaveLength(0);
    second.forgetLeases();
    expect(await second.jobs.lease(1, 60_000, later(1))).toHaveLength(1);
    expect(await second.outbox.lease(1, 60_000, later(1))).toHaveLength(1);
    await first.close();
    await second.close();
  });

  test('commits are durable: write-ahead log, synced at every commit', async () => {
    const database = openDatabase(join(folder, 'signpost.db'), MIGRATIONS);
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    expect(database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
    database.close();
  });

  test('a database that root makes belongs to whoever owns the state', async context => {
    if (process.getuid?.() !== 0) return context.skip('not root');
    chownSync(folder, 1234, 1235);
    const database = openDatabase(join(folder, 'signpost.db'), MIGRATIONS);
    const files = ['signpost.db', 'signpost.db-wal', 'signpost.db-shm'];
    for (const file of files) expect(statSync(join(folder, file))).toMatchObject({ uid: 1234, gid: 1235 });
    database.close();
  });

  test('a full database says so, changes nothing, and works again when there is room', async () => {
    const database = openDatabase(join(folder, 'signpost.db'), MIGRATIONS);
    const store = new SqliteStore(database, await FileBlobs.open(join(folder, 'blobs')), () => T0);
    const { page_count: pages } = database.prepare('PRAGMA page_count').get() as { page_count: number };
    database.exec(`PRAGMA max_page_count = ${pages + 2}`);
    const big = { requests: [request('R1', { text: 'x'.repeat(100_000) })], addJobs: [job('J1')] };
    const error = await store.requests.commit(big).catch((thrown: unknown) => thrown);
    expect(isDiskFull(error)).toBe(true);
    expect(await store.requests.find('R1')).toBeNull();
    database.exec('PRAGMA max_page_count = 1000000');
    expect(await store.requests.commit(big)).toBe(true);
    await store.close();
  });

  test('every look-up on the way of a message uses an index', async () => {
    const database = openDatabase(':memory:', MIGRATIONS);
    for (const sql of [
      'SELECT body FROM requests WHERE key = ?',
      'SELECT body FROM requests WHERE id = (SELECT request_id FROM sessions WHERE link_hash = ?)',
      `SELECT body FROM requests WHERE id IN (SELECT request_id FROM sessions WHERE person = ? AND state = 'open')`,
      'SELECT count(*) FROM requests WHERE sender = ? AND ended_at IS NULL',
      'SELECT id FROM jobs WHERE due_at <= ?',
      `SELECT id FROM outbox WHERE state = 'pending' AND next_attempt_at <= ?`,
      'SELECT id FROM outbox WHERE request_id = ?',
    ]) {
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all('x');
      expect(JSON.stringify(plan), sql).not.toContain('SCAN requests"');
      expect(JSON.stringify(plan), sql).toMatch(/USING (COVERING )?INDEX/);
    }
    database.close();
  });
});

describe('the state lock', () => {
  test('refuses a second gateway in words, and is given back', () => {
    const lock = lockState(folder);
    expect(() => lockState(folder)).toThrow(StateLocked);
    expect(() => lockState(folder)).toThrow(/already running on .*signpost-store-/);
    lock.release();
    lockState(folder).release();
  });

  test('holds between processes and ends with kill -9', async () => {
    const holder = spawn(node, [join(here, 'holder.ts'), folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(holder.stdout, 'data');
    expect(() => lockState(folder)).toThrow(StateLocked);
    // The command line works beside the gateway.
    const store = await openStore();
    expect(await store.requests.commit({ requests: [request('R1')] })).toBe(true);
    await store.close();
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    lockState(folder).release();
  });

  test('a second process hears the same sentence', () => {
    const lock = lockState(folder);
    let output = '';
    try {
      execFileSync(node, [join(here, 'holder.ts'), folder], { stdio: 'pipe' });
    } catch (error) {
      output = String((error as { stderr: Buffer }).stderr);
    }
    expect(output).toContain('already running');
    lock.release();
  });
});
