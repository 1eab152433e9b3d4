/** The certificates that the company's CA issued, and its CRL, in SQLite. */
import type { DatabaseSync } from 'node:sqlite';
import { issuedHappening, statusHappening } from '../evidence/changes.ts';
import type { CertificateRecord, RevocationReason } from '../pki/pki.ts';
import type { CertificateStore, CurrentCrl } from '../pki/records.ts';
import { transaction } from './database.ts';
import { appendEvidence } from './evidence.ts';

export const CERTIFICATES_SCHEMA = `
CREATE TABLE certificates (
  serial TEXT PRIMARY KEY,
  certificate BLOB NOT NULL,
  person_id TEXT,
  device_id TEXT,
  not_before TEXT NOT NULL,
  not_after TEXT NOT NULL,
  revoked_at TEXT,
  reason TEXT,
  key_hash TEXT NOT NULL UNIQUE
) STRICT;
CREATE INDEX certificates_by_device ON certificates (device_id);
CREATE INDEX certificates_revoked ON certificates (not_after) WHERE revoked_at IS NOT NULL;
-- One row. revision counts revocations and their ends; the CRL is current when it was made at that revision.
CREATE TABLE crl (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  revision INTEGER NOT NULL,
  number INTEGER NOT NULL,
  made_at_revision INTEGER,
  crl BLOB,
  next_update TEXT
) STRICT;
INSERT INTO crl (id, revision, number) VALUES (1, 0, 0);
`;

interface Row {
  readonly serial: string;
  readonly certificate: Uint8Array;
  readonly person_id: string | null;
  readonly device_id: string | null;
  readonly not_before: string;
  readonly not_after: string;
  readonly revoked_at: string | null;
  readonly reason: RevocationReason | null;
  readonly key_hash: string;
}

interface CrlRow {
  readonly revision: number;
  readonly number: number;
  readonly made_at_revision: number | null;
  readonly crl: Uint8Array | null;
  readonly next_update: string | null;
}

export class SqliteCertificateStore implements CertificateStore {
  readonly #database: DatabaseSync;
  readonly #now: () => Date;

  /** @param now the clock of the evidence log */
  constructor(database: DatabaseSync, now: () => Date = () => new Date()) {
    this.#database = database;
    this.#now = now;
  }

  async add(record: CertificateRecord): Promise<boolean> {
    return transaction(this.#database, () => {
      const { changes } = this.#database
        .prepare('INSERT INTO certificates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING')
        .run(
          record.serial,
          record.certificate,
          record.personId,
          record.deviceId,
          record.notBefore.toISOString(),
          record.notAfter.toISOString(),
          record.revokedAt?.toISOString() ?? null,
          record.reason,
          record.keyHash,
        );
      if (changes === 1) appendEvidence(this.#database, this.#now, [issuedHappening(record)]);
      return changes === 1;
    });
  }

  async find(serial: string): Promise<CertificateRecord | null> {
    return this.#find(serial);
  }

  #find(serial: string): CertificateRecord | null {
    const row = this.#database.prepare('SELECT * FROM certificates WHERE serial = ?').get(serial);
    return row ? recordOf(row as unknown as Row) : null;
  }

  async listForDevice(deviceId: string): Promise<readonly CertificateRecord[]> {
    return this.#database
      .prepare('SELECT * FROM certificates WHERE device_id = ? ORDER BY not_before, serial')
      .all(deviceId)
      .map(row => recordOf(row as unknown as Row));
  }

  async list(): Promise<readonly CertificateRecord[]> {
    return this.#database
      .prepare('SELECT * FROM certificates WHERE person_id IS NOT NULL ORDER BY not_before, serial')
      .all()
      .map(row => recordOf(row as unknown as Row));
  }

  async listRevoked(after: Date): Promise<readonly CertificateRecord[]> {
    return this.#database
      .prepare('SELECT * FROM certificates WHERE revoked_at IS NOT NULL AND not_after > ? ORDER BY revoked_at, serial')
      .all(after.toISOString())
      .map(row => recordOf(row as unknown as Row));
  }

  async revoke(serial: string, at: Date, reason: RevocationReason): Promise<boolean> {
    return transaction(this.#database, () => {
      const { changes } = this.#database
        .prepare(
          `UPDATE certificates SET revoked_at = coalesce(revoked_at, :at), reason = :reason
           WHERE serial = :serial
             AND (revoked_at IS NULL OR (reason = 'certificateHold' AND :reason <> 'certificateHold'))`,
        )
        .run({ at: at.toISOString(), reason, serial });
      if (changes === 1) this.#statusChanged(serial);
      return changes === 1;
    });
  }

  async release(serial: string): Promise<boolean> {
    return transaction(this.#database, () => {
      const { changes } = this.#database
        .prepare(
          "UPDATE certificates SET revoked_at = NULL, reason = NULL WHERE serial = ? AND reason = 'certificateHold'",
        )
        .run(serial);
      if (changes === 1) this.#statusChanged(serial);
      return changes === 1;
    });
  }

  #statusChanged(serial: string): void {
    this.#database.exec('UPDATE crl SET revision = revision + 1');
    appendEvidence(this.#database, this.#now, [statusHappening(this.#find(serial)!)]);
  }

  async crl(): ReturnType<CertificateStore['crl']> {
    const row = this.#database.prepare('SELECT * FROM crl').get() as unknown as CrlRow;
    const { revision, number, made_at_revision, crl, next_update } = row;
    const current =
      made_at_revision === revision && crl && next_update
        ? { number, crl: new Uint8Array(crl), nextUpdate: new Date(next_update) }
        : null;
    return { revision, number, current };
  }

  async saveCrl(revision: number, { number, crl, nextUpdate }: CurrentCrl): Promise<boolean> {
    const { changes } = this.#database
      .prepare(
        'UPDATE crl SET number = ?, made_at_revision = ?, crl = ?, next_update = ? WHERE revision = ? AND number < ?',
      )
      .run(number, revision, crl, nextUpdate.toISOString(), revision, number);
    return changes === 1;
  }
}

function recordOf(row: Row): CertificateRecord {
  return {
    serial: row.serial,
    certificate: new Uint8Array(row.certificate),
    personId: row.person_id,
    deviceId: row.device_id,
    notBefore: new Date(row.not_before),
    notAfter: new Date(row.not_after),
    revokedAt: row.revoked_at === null ? null : new Date(row.revoked_at),
    reason: row.reason,
    keyHash: row.key_hash,
  };
}
