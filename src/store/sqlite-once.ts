/** Nonces, codes and counters in SQLite. What has expired is removed as others come. */
import { timingSafeEqual } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { transaction } from './database.ts';
import type { OnceStore } from './store.ts';

const WRONG_TRIES = 5;
/** The longest window that anything is counted in is a day. */
const LONGEST_WINDOW = 2 * 86_400_000;
/** More than any limit: who goes on after being refused fills no disk. */
const MOST_COUNTED = 1000;

export class SqliteOnce implements OnceStore {
  readonly #database: DatabaseSync;
  readonly #now: () => Date;

  constructor(database: DatabaseSync, now: () => Date) {
    this.#database = database;
    this.#now = now;
  }

  async useOnce(kind: string, value: string, expiresAt: Date): Promise<boolean> {
    const now = this.#now().toISOString();
    return transaction(this.#database, () => {
      this.#database.prepare('DELETE FROM used_once WHERE expires_at <= ?').run(now);
      const { changes } = this.#database
        .prepare('INSERT INTO used_once (kind, value, expires_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
        .run(kind, value, expiresAt.toISOString());
      return changes === 1;
    });
  }

  async putCode(kind: string, subject: string, codeHash: string, expiresAt: Date): Promise<void> {
    const now = this.#now().toISOString();
    transaction(this.#database, () => {
      this.#database.prepare('DELETE FROM codes WHERE expires_at <= ?').run(now);
      this.#database
        .prepare('INSERT OR REPLACE INTO codes (kind, subject, hash, expires_at, wrong_tries) VALUES (?, ?, ?, ?, 0)')
        .run(kind, subject, codeHash, expiresAt.toISOString());
    });
  }

  async tryCode(
    kind: string,
    subject: string,
    codeHash: string,
    now: Date,
    wrongTries: number | null = WRONG_TRIES,
  ): Promise<boolean> {
    const database = this.#database;
    return transaction(database, () => {
      const row = database
        .prepare('SELECT hash, wrong_tries FROM codes WHERE kind = ? AND subject = ? AND expires_at > ?')
        .get(kind, subject, now.toISOString()) as { hash: string; wrong_tries: number } | undefined;
      if (!row) return false;
      const right = equal(row.hash, codeHash);
      if (right || (wrongTries !== null && row.wrong_tries + 1 >= wrongTries)) {
        database.prepare('DELETE FROM codes WHERE kind = ? AND subject = ?').run(kind, subject);
      } else {
        database
          .prepare('UPDATE codes SET wrong_tries = wrong_tries + 1 WHERE kind = ? AND subject = ?')
          .run(kind, subject);
      }
      return right;
    });
  }

  async take(kind: string, subject: string, most: number, now: Date, since: Date): Promise<boolean> {
    const database = this.#database;
    return transaction(database, () => {
      const forgotten = new Date(now.getTime() - LONGEST_WINDOW).toISOString();
      database.prepare('DELETE FROM events WHERE at < ?').run(forgotten);
      const { count } = database
        .prepare('SELECT count(*) AS count FROM events WHERE kind = ? AND subject = ? AND at >= ?')
        .get(kind, subject, since.toISOString()) as { count: number };
      if (count >= most) return false;
      database.prepare('INSERT INTO events (kind, subject, at) VALUES (?, ?, ?)').run(kind, subject, now.toISOString());
      return true;
    });
  }

  async giveBack(kind: string, subject: string, count: number): Promise<void> {
    this.#database
      .prepare(
        `DELETE FROM events WHERE rowid IN
           (SELECT rowid FROM events WHERE kind = ? AND subject = ? ORDER BY at DESC LIMIT ?)`,
      )
      .run(kind, subject, count);
  }

  async count(kind: string, subject: string, now: Date, since: Date): Promise<number> {
    const database = this.#database;
    return transaction(database, () => {
      const forgotten = new Date(now.getTime() - LONGEST_WINDOW).toISOString();
      database.prepare('DELETE FROM events WHERE at < ?').run(forgotten);
      database
        .prepare('DELETE FROM events WHERE kind = ? AND subject = ? AND at < ?')
        .run(kind, subject, since.toISOString());
      const { count } = database
        .prepare('SELECT count(*) AS count FROM events WHERE kind = ? AND subject = ?')
        .get(kind, subject) as { count: number };
      if (count < MOST_COUNTED)
        database
          .prepare('INSERT INTO events (kind, subject, at) VALUES (?, ?, ?)')
          .run(kind, subject, now.toISOString());
      return count + 1;
    });
  }
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
