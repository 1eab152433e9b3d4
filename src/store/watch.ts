/** What the watch has told the admin, in SQLite: a restart repeats nothing. */
import type { DatabaseSync } from 'node:sqlite';
import type { WatchMark, WatchStore } from './store.ts';

export const WATCH_SCHEMA = `
CREATE TABLE watch_marks (
  item TEXT PRIMARY KEY,
  told TEXT NOT NULL,
  at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;

export class SqliteWatch implements WatchStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async marks(): Promise<ReadonlyMap<string, WatchMark>> {
    const rows = this.#database.prepare('SELECT item, told, at FROM watch_marks ORDER BY at, item').all() as {
      item: string;
      told: string;
      at: string;
    }[];
    return new Map(rows.map(({ item, told, at }) => [item, { item, told, at: new Date(at) }]));
  }

  async oldestWaitingMail(): Promise<Date | null> {
    const { oldest } = this.#database
      .prepare(`SELECT min(created_at) AS oldest FROM outbox WHERE state = 'pending'`)
      .get() as { oldest: string | null };
    return oldest === null ? null : new Date(oldest);
  }
}

/** Part of SqliteRequests.commit. */
export function writeMark(database: DatabaseSync, { item, told, at }: WatchMark): void {
  if (told === null) database.prepare('DELETE FROM watch_marks WHERE item = ?').run(item);
  else
    database
      .prepare('INSERT OR REPLACE INTO watch_marks (item, told, at) VALUES (?, ?, ?)')
      .run(item, told, at.toISOString());
}
