/**
 * The evidence log in SQLite. Nothing updates or deletes a row; triggers refuse it to everybody who comes by SQL. Who
 * changes the file itself is found out by the chain and its timestamps (src/evidence/verify.ts).
 */
import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { canonical, type Entry, GENESIS, type Happening, hashOf, type Row, TIMESTAMPED } from '../evidence/entry.ts';
import type { EvidenceLog } from '../evidence/log.ts';
import { transaction } from './database.ts';

export const EVIDENCE_SCHEMA = `
CREATE TABLE evidence (
  sequence INTEGER PRIMARY KEY,
  previous TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX evidence_by_request ON evidence (json_extract(body, '$.subjects.request'));
CREATE INDEX evidence_timestamps ON evidence (sequence) WHERE json_extract(body, '$.kind') = '${TIMESTAMPED}';
CREATE TRIGGER evidence_never_updated BEFORE UPDATE ON evidence
  BEGIN SELECT RAISE(ABORT, 'the evidence log is append-only'); END;
CREATE TRIGGER evidence_never_deleted BEFORE DELETE ON evidence
  BEGIN SELECT RAISE(ABORT, 'the evidence log is append-only'); END;
-- REPLACE deletes without asking the trigger above.
CREATE TRIGGER evidence_only_appended BEFORE INSERT ON evidence
  WHEN NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM evidence)
  BEGIN SELECT RAISE(ABORT, 'the evidence log is append-only'); END;
`;

const TIMESTAMPS = `json_extract(body, '$.kind') = '${TIMESTAMPED}'`;

/** Appends to the log, within the transaction of the change that is recorded. */
export function appendEvidence(database: DatabaseSync, now: () => Date, happenings: readonly Happening[]): void {
  if (happenings.length === 0) return;
  if (!database.isTransaction) throw new Error('evidence is written in the transaction of what it records');
  let newest = newestRow(database);
  const insert = database.prepare('INSERT INTO evidence (sequence, previous, body) VALUES (?, ?, ?)');
  for (const happening of happenings) {
    const entry: Entry = {
      ...happening,
      sequence: (newest?.sequence ?? 0) + 1,
      time: now().toISOString(),
      salt: randomBytes(16).toString('hex'),
    };
    const previous = newest === null ? GENESIS : hashOf(newest);
    newest = { sequence: entry.sequence, previous, body: canonical(entry) };
    insert.run(newest.sequence, newest.previous, newest.body);
  }
}

export class SqliteEvidence implements EvidenceLog {
  readonly #database: DatabaseSync;
  readonly #now: () => Date;

  constructor(database: DatabaseSync, now: () => Date) {
    this.#database = database;
    this.#now = now;
  }

  async note(happening: Happening): Promise<void> {
    transaction(this.#database, () => appendEvidence(this.#database, this.#now, [happening]));
  }

  *rows(): Iterable<Row> {
    const statement = this.#database.prepare('SELECT sequence, previous, body FROM evidence ORDER BY sequence');
    for (const row of statement.iterate()) yield rowOf(row);
  }

  range(first: number, last: number): readonly Row[] {
    return this.#database
      .prepare('SELECT * FROM evidence WHERE sequence BETWEEN ? AND ? ORDER BY sequence')
      .all(first, last)
      .map(rowOf);
  }

  ofRequest(requestId: string): readonly Row[] {
    return this.#database
      .prepare(`SELECT * FROM evidence WHERE json_extract(body, '$.subjects.request') = ? ORDER BY sequence`)
      .all(requestId)
      .map(rowOf);
  }

  newest(): Row | null {
    return newestRow(this.#database);
  }

  timestampAfter(sequence: number): Row | null {
    return this.#one(`SELECT * FROM evidence WHERE ${TIMESTAMPS} AND sequence > ? ORDER BY sequence LIMIT 1`, sequence);
  }

  newestTimestamp(): Row | null {
    return this.#one(`SELECT * FROM evidence WHERE ${TIMESTAMPS} ORDER BY sequence DESC LIMIT 1`);
  }

  #one(sql: string, ...values: number[]): Row | null {
    const row = this.#database.prepare(sql).get(...values);
    return row ? rowOf(row) : null;
  }
}

function newestRow(database: DatabaseSync): Row | null {
  const row = database.prepare('SELECT * FROM evidence ORDER BY sequence DESC LIMIT 1').get();
  return row ? rowOf(row) : null;
}

function rowOf(row: Record<string, unknown>): Row {
  return { sequence: Number(row.sequence), previous: String(row.previous), body: String(row.body) };
}
