/** What became of each message: found by each key, bounded, and never in the way of mail. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ADMISSIONS_SCHEMA, type Admission, SqliteAdmissions } from '../../../src/store/admissions.ts';
import { openDatabase } from '../../../src/store/database.ts';

const T0 = new Date('2026-11-24T09:00:00Z');
const DAY = 86_400_000;
let database: ReturnType<typeof openDatabase>;
let admissions: SqliteAdmissions;

beforeEach(() => {
  database = openDatabase(':memory:', [ADMISSIONS_SCHEMA]);
  admissions = new SqliteAdmissions(database);
});
afterEach(() => {
  if (database.isOpen) database.close();
});

function admission(change: Partial<Admission> = {}): Admission {
  return {
    at: T0,
    stage: 'gate',
    queueId: '4XAbCd',
    messageId: '<a@company.com>',
    sender: 'mary@company.com',
    client: '192.0.2.1',
    recipients: ['john@sign.company.com'],
    method: 'sasl',
    code: 250,
    text: 'admitted',
    requestId: null,
    ...change,
  };
}

test('each is found by its queue id, Message-ID, request and sender, as it was noted and in order', async () => {
  const [gate, intake] = [admission(), admission({ stage: 'intake', requestId: '7K3M9QTX2B4C', client: null })];
  for (const one of [gate, intake, admission({ queueId: null, messageId: null, sender: 'X@evil.org', code: 550 })])
    admissions.note(one);
  expect(await admissions.find({ queueId: '4XAbCd' })).toEqual([gate, intake]);
  expect(await admissions.find({ messageId: '<a@company.com>' })).toEqual([gate, intake]);
  expect(await admissions.find({ requestId: '7K3M9QTX2B4C' })).toEqual([intake]);
  expect((await admissions.find({ sender: 'x@EVIL.org' })).map(({ code }) => code)).toEqual([550]);
  expect(await admissions.find({ queueId: '4xabcd' })).toEqual([]);
});

test('90 days are kept, and at most 50,000 of them', async () => {
  const count = () => Number(database.prepare('SELECT count(*) AS n FROM admissions').get()?.n);
  admissions.note(admission({ at: new Date(T0.getTime() - 91 * DAY), queueId: 'old' }));
  admissions.flush();
  expect(count()).toBe(1);
  admissions.note(admission());
  admissions.flush();
  expect(count()).toBe(1);
  database.exec(`
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50100)
    INSERT INTO admissions (at, stage, sender, recipients, code, text)
    SELECT '${T0.toISOString()}', 'gate', 'flood@evil.org', '[]', 550, 'no' FROM n;`);
  admissions.note(admission({ queueId: 'newest' }));
  expect(await admissions.find({ queueId: 'newest' })).toHaveLength(1);
  expect(count()).toBe(50_000);
});

test('what is too long is cut, and a database that takes nothing stops no mail', async () => {
  const long = 'x'.repeat(100_000);
  admissions.note(admission({ text: long, sender: long, messageId: long, recipients: Array(500).fill(long) }));
  const [kept] = await admissions.find({ queueId: '4XAbCd' });
  expect(JSON.stringify(kept).length).toBeLessThan(40_000);
  database.close();
  admissions.note(admission());
  expect(() => admissions.flush()).not.toThrow();
});
