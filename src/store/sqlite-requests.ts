/** Requests and devices in SQLite, and the one transaction that changes them together with jobs and outbox. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { amendHappenings, deviceHappening, requestHappenings } from '../evidence/changes.ts';
import type { Device, Request } from '../requests/model.ts';
import { decodeDevice, decodeRequest, encode } from './codec.ts';
import { transaction } from './database.ts';
import { isUniqueViolation } from './errors.ts';
import { appendEvidence } from './evidence.ts';
import { insertJob } from './sqlite-jobs.ts';
import { insertOutboxRow } from './sqlite-outbox.ts';
import type { Change, RequestStore, SenderLoad } from './store.ts';
import { writeMark } from './watch.ts';

/** Rolls the transaction back; never leaves this file. */
class Stale extends Error {}

export class SqliteRequests implements RequestStore {
  readonly #database: DatabaseSync;
  readonly #now: () => Date;

  /** @param now the clock of the evidence log */
  constructor(database: DatabaseSync, now: () => Date = () => new Date()) {
    this.#database = database;
    this.#now = now;
  }

  async commit(change: Change): Promise<boolean> {
    const database = this.#database;
    try {
      transaction(database, () => {
        for (const request of change.requests ?? []) {
          if (request.version === 1 && change.admit)
            change.admit.check(loadOf(database, request.sender.personId, change.admit.since));
          const before = request.version === 1 ? null : storedRequest(database, request.id);
          writeRequest(database, request);
          appendEvidence(database, this.#now, requestHappenings(before, request));
        }
        for (const device of change.devices ?? []) {
          writeDevice(database, device);
          appendEvidence(database, this.#now, [deviceHappening(device)]);
        }
        appendEvidence(database, this.#now, change.evidence ?? []);
        for (const row of change.outbox ?? []) insertOutboxRow(database, row);
        for (const id of change.finishJobs ?? []) database.prepare('DELETE FROM jobs WHERE id = ?').run(id);
        for (const job of change.addJobs ?? []) insertJob(database, job);
        for (const mark of change.marks ?? []) writeMark(database, mark);
      });
      return true;
    } catch (error) {
      if (error instanceof Stale || isUniqueViolation(error)) return false;
      throw error;
    }
  }

  async find(id: string): Promise<Request | null> {
    return this.#one('SELECT body FROM requests WHERE id = ?', id);
  }

  async findByKey(key: string): Promise<Request | null> {
    return this.#one('SELECT body FROM requests WHERE key = ?', key);
  }

  async findBySession(sessionId: string): Promise<Request | null> {
    return this.#one('SELECT body FROM requests WHERE id = (SELECT request_id FROM sessions WHERE id = ?)', sessionId);
  }

  async findByLinkHash(hash: string): Promise<Request | null> {
    return this.#one(
      'SELECT body FROM requests WHERE id = (SELECT request_id FROM sessions WHERE link_hash = ?)',
      hash,
    );
  }

  async listWaiting(personId: string): Promise<readonly Request[]> {
    const rows = this.#database
      .prepare(
        `SELECT body FROM requests
         WHERE id IN (SELECT request_id FROM sessions WHERE person = ? AND state = 'open') ORDER BY created_at, id`,
      )
      .all(personId);
    return bodies(rows).map(decodeRequest);
  }

  async list(filter: { readonly ended: boolean }): Promise<readonly Request[]> {
    const rows = this.#database
      .prepare(`SELECT body FROM requests WHERE (ended_at IS NOT NULL) = ? ORDER BY created_at, id`)
      .all(filter.ended ? 1 : 0);
    return bodies(rows).map(decodeRequest);
  }

  async loadOf(senderId: string, since: Date): Promise<SenderLoad> {
    return loadOf(this.#database, senderId, since);
  }

  async findDevice(id: string): Promise<Device | null> {
    const row = this.#database.prepare('SELECT body FROM devices WHERE id = ?').get(id);
    return row ? decodeDevice(String(row.body)) : null;
  }

  async listDevices(personId: string | null): Promise<readonly Device[]> {
    const rows =
      personId === null
        ? this.#database.prepare('SELECT body FROM devices ORDER BY created_at, id').all()
        : this.#database.prepare('SELECT body FROM devices WHERE person = ? ORDER BY created_at, id').all(personId);
    return bodies(rows).map(decodeDevice);
  }

  async setTokenKey(deviceId: string, wrapped: string): Promise<boolean> {
    return transaction(this.#database, () => {
      const row = this.#database.prepare(`SELECT body FROM devices WHERE id = ? AND state = 'active'`).get(deviceId);
      const device = row ? decodeDevice(String(row.body)) : null;
      if (!device || device.tokenKey !== undefined) return false;
      this.#database
        .prepare('UPDATE devices SET body = ? WHERE id = ?')
        .run(encode({ ...device, tokenKey: wrapped }), deviceId);
      const subjects = { device: deviceId, person: device.personId };
      appendEvidence(this.#database, this.#now, [{ kind: 'device.token-key', subjects, facts: {} }]);
      return true;
    });
  }

  async amendDevice(deviceId: string, amend: (device: Device) => Device | null): Promise<Device | null> {
    return transaction(this.#database, () => {
      const row = this.#database.prepare(`SELECT body FROM devices WHERE id = ? AND state = 'active'`).get(deviceId);
      const device = row ? decodeDevice(String(row.body)) : null;
      const amended = device && amend(device);
      if (!device || !amended) return null;
      this.#database.prepare('UPDATE devices SET body = ? WHERE id = ?').run(encode(amended), deviceId);
      appendEvidence(this.#database, this.#now, amendHappenings(device, amended));
      return amended;
    });
  }

  #one(sql: string, value: string): Request | null {
    const row = this.#database.prepare(sql).get(value);
    return row ? decodeRequest(String(row.body)) : null;
  }
}

function bodies(rows: ReturnType<StatementSync['all']>): string[] {
  return rows.map(row => String(row.body));
}

function loadOf(database: DatabaseSync, sender: string, since: Date): SenderLoad {
  const count = (where: string, ...values: string[]): number => {
    const row = database.prepare(`SELECT count(*) AS count FROM requests WHERE sender = ? AND ${where}`);
    return Number(row.get(sender, ...values)?.count);
  };
  const perPerson = database
    .prepare(
      `SELECT person, count(*) AS count FROM requests JOIN sessions ON request_id = requests.id
       WHERE sender = ? AND requests.ended_at IS NULL GROUP BY person`,
    )
    .all(sender)
    .map(row => [String(row.person), Number(row.count)] as const);
  return {
    pending: count('ended_at IS NULL'),
    recent: count('created_at > ?', since.toISOString()),
    perPerson: new Map(perPerson),
  };
}

function storedRequest(database: DatabaseSync, id: string): Request | null {
  const row = database.prepare('SELECT body FROM requests WHERE id = ?').get(id);
  return row ? decodeRequest(String(row.body)) : null;
}

/** Version 1 is new, any other replaces its predecessor. */
function writeRequest(database: DatabaseSync, request: Request): void {
  const endedAt = request.endedAt?.toISOString() ?? null;
  if (request.version === 1) {
    database
      .prepare(
        `INSERT INTO requests (id, key, version, state, sender, created_at, expires_at, ended_at, body)
         VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        request.id,
        request.key,
        request.state,
        request.sender.personId,
        request.createdAt.toISOString(),
        request.expiresAt.toISOString(),
        endedAt,
        encode(request),
      );
    const insert = database.prepare(
      'INSERT INTO sessions (id, request_id, link_hash, person, state) VALUES (?, ?, ?, ?, ?)',
    );
    for (const session of request.sessions) {
      insert.run(session.id, request.id, session.linkHash, session.party.personId, session.state);
    }
    return;
  }
  const { changes } = database
    .prepare(
      'UPDATE requests SET version = ?, state = ?, expires_at = ?, ended_at = ?, body = ? WHERE id = ? AND version = ?',
    )
    .run(
      request.version,
      request.state,
      request.expiresAt.toISOString(),
      endedAt,
      encode(request),
      request.id,
      request.version - 1,
    );
  if (changes !== 1) throw new Stale();
  const update = database.prepare('UPDATE sessions SET state = ? WHERE id = ? AND state <> ?');
  for (const session of request.sessions) update.run(session.state, session.id, session.state);
}

function writeDevice(database: DatabaseSync, device: Device): void {
  if (device.state === 'active') {
    database
      .prepare('INSERT INTO devices (id, person, state, created_at, body) VALUES (?, ?, ?, ?, ?)')
      .run(device.id, device.personId, device.state, device.createdAt.toISOString(), encode(device));
    return;
  }
  const { changes } = database
    .prepare(`UPDATE devices SET state = ?, body = ? WHERE id = ? AND person = ? AND state = 'active'`)
    .run(device.state, encode(device), device.id, device.personId);
  if (changes !== 1) throw new Stale();
}
