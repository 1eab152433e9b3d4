import { expect, test } from 'vitest';
import { openDatabase } from '../../../src/store/database.ts';
import { MIGRATIONS } from '../../../src/store/migrations.ts';
import { SqliteOnce } from '../../../src/store/sqlite-once.ts';

test('counters stay small: refused tries beyond any limit leave no row, and nobody’s row outlives two days', async () => {
  const database = openDatabase(':memory:', MIGRATIONS);
  const once = new SqliteOnce(database, () => new Date());
  const rows = (): unknown => database.prepare('SELECT count(*) AS rows FROM events').get();
  const start = new Date('2026-11-24T10:00:00Z');
  const since = new Date(start.getTime() - 3_600_000);
  let last = 0;
  for (let tries = 0; tries < 1200; tries++) last = await once.count('enrolment-client', '192.0.2.1', start, since);
  expect(last).toBe(1001);
  for (let stranger = 0; stranger < 50; stranger++) await once.count('enrolment-try', `x ${stranger}`, start, since);
  expect(rows()).toEqual({ rows: 1050 });
  const later = new Date(start.getTime() + 3 * 86_400_000);
  expect(await once.count('enrolment-client', '192.0.2.2', later, new Date(later.getTime() - 1000))).toBe(1);
  expect(rows()).toEqual({ rows: 1 });
  database.close();
});
