/** Requests of a version without reminders get theirs; and what a reply did stands in the log or nowhere. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileBlobs } from '../../../src/store/blobs.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { MIGRATIONS } from '../../../src/store/migrations.ts';
import { REMINDERS_SCHEMA } from '../../../src/store/schema.ts';
import { SqliteStore } from '../../../src/store/sqlite.ts';
import { request, T0 } from './samples.ts';

const DAY = 86_400_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signpost-reminders-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function open(migrations: readonly string[]): Promise<SqliteStore> {
  const database = openDatabase(join(folder, 'signpost.db'), migrations);
  return new SqliteStore(database, await FileBlobs.open(join(folder, 'blobs')), () => T0);
}

test('open requests of before are reminded at half time; others are not', async () => {
  const before = await open(MIGRATIONS.slice(0, MIGRATIONS.indexOf(REMINDERS_SCHEMA)));
  const expiresAt = new Date(T0.getTime() + 4 * DAY);
  const times = { createdAt: T0, expiresAt };
  expect(
    await before.requests.commit({ requests: [request('OPEN', { ...times, state: 'open', endedAt: null })] }),
  ).toBe(true);
  await before.requests.commit({ requests: [request('ENDED', { ...times, state: 'cancelled', endedAt: T0 })] });
  const soon = { createdAt: T0, expiresAt: new Date(T0.getTime() + DAY / 2) };
  await before.requests.commit({ requests: [request('SHORT', { ...soon, state: 'open', endedAt: null })] });
  await before.close();
  const now = await open(MIGRATIONS);
  const jobs = await now.jobs.lease(10, 1000, new Date(T0.getTime() + 9 * DAY));
  const reminders = jobs.filter(({ kind }) => kind === 'remind');
  expect(reminders.map(({ id, dueAt }) => [id, dueAt.getTime() - T0.getTime()])).toEqual([['OPEN-remind', 2 * DAY]]);
  await now.close();
});

test('an entry for the log is written with the change that it belongs to, or not at all', async () => {
  const store = await open(MIGRATIONS);
  const first = request('R1');
  const entry = { kind: 'request.reply', subjects: { request: 'R1' }, facts: { command: 'status' } };
  await store.requests.commit({ requests: [first], evidence: [entry] });
  const count = (): number =>
    store.evidence.ofRequest('R1').filter(({ body }) => body.includes('request.reply')).length;
  expect(count()).toBe(1);
  // The version doesn't fit.
  expect(await store.requests.commit({ requests: [{ ...first, version: 7 }], evidence: [entry] })).toBe(false);
  expect(count()).toBe(1);
  await store.close();
});
