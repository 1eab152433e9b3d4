/** Devices that wait for another device of their person, in SQLite. */
import type { DatabaseSync } from 'node:sqlite';
import type { PendingEnrolment } from '../requests/model.ts';
import { decodeEnrolment, encode } from './codec.ts';
import type { EnrolmentStore } from './store.ts';

export const ENROLMENTS_SCHEMA = `
CREATE TABLE enrolments (
  device TEXT PRIMARY KEY,
  person TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX enrolments_by_person ON enrolments (person);
`;

export class SqliteEnrolments implements EnrolmentStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async put(enrolment: PendingEnrolment): Promise<void> {
    const { device, personId, createdAt, expiresAt } = enrolment;
    this.#database.prepare('DELETE FROM enrolments WHERE expires_at <= ?').run(createdAt.toISOString());
    this.#database
      .prepare('INSERT OR REPLACE INTO enrolments (device, person, expires_at, body) VALUES (?, ?, ?, ?)')
      .run(device.id, personId, expiresAt.toISOString(), encode(enrolment));
  }

  async find(deviceId: string, now: Date): Promise<PendingEnrolment | null> {
    const row = this.#database
      .prepare('SELECT body FROM enrolments WHERE device = ? AND expires_at > ?')
      .get(deviceId, now.toISOString());
    return row ? decodeEnrolment(String(row.body)) : null;
  }

  async listForPerson(personId: string, now: Date): Promise<readonly PendingEnrolment[]> {
    const rows = this.#database
      .prepare('SELECT body FROM enrolments WHERE person = ? AND expires_at > ? ORDER BY expires_at LIMIT 20')
      .all(personId, now.toISOString());
    return rows.map(({ body }) => decodeEnrolment(String(body)));
  }

  async remove(deviceId: string): Promise<boolean> {
    return this.#database.prepare('DELETE FROM enrolments WHERE device = ?').run(deviceId).changes === 1;
  }
}
