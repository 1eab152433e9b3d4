/** The embedded timestamp authority's last time, in SQLite: genTime never decreases, restarts included. */
import type { DatabaseSync } from 'node:sqlite';
import type { TimestampStore } from '../pki/records.ts';

export const TIMESTAMPS_SCHEMA = `
CREATE TABLE timestamp_state (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  last_time TEXT
) STRICT;
INSERT INTO timestamp_state (id, last_time) VALUES (1, NULL);
`;

export class SqliteTimestampStore implements TimestampStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async lastTime(): Promise<Date | null> {
    const row = this.#database.prepare('SELECT last_time FROM timestamp_state').get() as { last_time: string | null };
    return row.last_time === null ? null : new Date(row.last_time);
  }

  async advance(expected: Date | null, time: Date): Promise<boolean> {
    const { changes } = this.#database
      .prepare('UPDATE timestamp_state SET last_time = ? WHERE last_time IS ?')
      .run(time.toISOString(), expected?.toISOString() ?? null);
    return changes === 1;
  }
}
