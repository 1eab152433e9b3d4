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

/** Several CAs: each certificate has its issuer, each CA a CRL of its own. */
export const ISSUERS_SCHEMA = `
-- authorityId (x509.ts); '' for rows of an earlier version, until adopt() gives them theirs.
ALTER TABLE certificates ADD COLUMN issuer TEXT NOT NULL DEFAULT '';
DROP INDEX certificates_revoked;
CREATE INDEX certificates_revoked ON certificates (issuer, not_after) WHERE revoked_at IS NOT NULL;
CREATE TABLE crls (
  issuer TEXT PRIMARY KEY,
  revision INTEGER NOT NULL,
  number INTEGER NOT NULL,
  made_at_revision INTEGER,
  crl BLOB,
  next_update TEXT
) STRICT;
INSERT INTO crls SELECT '', revision, number, made_at_revision, crl, next_update FROM crl;
DROP TABLE crl;
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
  readonly issuer: string;
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
        .prepare('INSERT INTO certificates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING')
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
          record.issuer,
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

  async listRevoked(issuer: string, after: Date): Promise<readonly CertificateRecord[]> {
    return this.#database
      .prepare(
        `SELECT * FROM certificates WHERE issuer = ? AND revoked_at IS NOT NULL AND not_after > ?
         ORDER BY revoked_at, serial`,
      )
      .all(issuer, after.toISOString())
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
    const record = this.#find(serial)!;
    this.#addCrlRow(record.issuer);
    this.#database.prepare('UPDATE crls SET revision = revision + 1 WHERE issuer = ?').run(record.issuer);
    appendEvidence(this.#database, this.#now, [statusHappening(record)]);
  }

  #addCrlRow(issuer: string): void {
    this.#database
      .prepare('INSERT INTO crls (issuer, revision, number) VALUES (?, 0, 0) ON CONFLICT DO NOTHING')
      .run(issuer);
  }

  async crl(issuer: string): ReturnType<CertificateStore['crl']> {
    const row = this.#database.prepare('SELECT * FROM crls WHERE issuer = ?').get(issuer) as unknown as
      | CrlRow
      | undefined;
    if (!row) return { revision: 0, number: 0, current: null };
    const { revision, number, made_at_revision, crl, next_update } = row;
    const current =
      made_at_revision === revision && crl && next_update
        ? { number, crl: new Uint8Array(crl), nextUpdate: new Date(next_update) }
        : null;
    return { revision, number, current };
  }

  async saveCrl(issuer: string, revision: number, { number, crl, nextUpdate }: CurrentCrl): Promise<boolean> {
    this.#addCrlRow(issuer);
    const { changes } = this.#database
      .prepare(
        `UPDATE crls SET number = ?, made_at_revision = ?, crl = ?, next_update = ?
         WHERE issuer = ? AND revision = ? AND number < ?`,
      )
      .run(number, revision, crl, nextUpdate.toISOString(), issuer, revision, number);
    return changes === 1;
  }

  async currentCrls(): Promise<readonly Uint8Array[]> {
    return this.#database
      .prepare('SELECT crl FROM crls WHERE made_at_revision = revision AND crl IS NOT NULL')
      .all()
      .map(({ crl }) => new Uint8Array(crl as Uint8Array));
  }

  async adopt(issuerOf: (certificate: Uint8Array) => string, only: string): Promise<void> {
    transaction(this.#database, () => {
      const rows = this.#database.prepare("SELECT serial, certificate FROM certificates WHERE issuer = ''").all();
      const update = this.#database.prepare('UPDATE certificates SET issuer = ? WHERE serial = ?');
      for (const { serial, certificate } of rows as unknown as Pick<Row, 'serial' | 'certificate'>[])
        update.run(issuerOf(new Uint8Array(certificate)), serial);
      this.#database.prepare("UPDATE OR IGNORE crls SET issuer = ? WHERE issuer = ''").run(only);
    });
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
    issuer: row.issuer,
  };
}
