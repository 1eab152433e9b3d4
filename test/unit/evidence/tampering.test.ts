/** C5: the log is changed as somebody who owns the database can, past every trigger; the walk through it finds out. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canonical, hashOf, parseEntry, type Row } from '../../../src/evidence/entry.ts';
import { type KeptToken, keptTokens, stampHead } from '../../../src/evidence/head.ts';
import { sentenceOf, verifyLog } from '../../../src/evidence/verify.ts';
import { type Certificate, parseCertificate } from '../../../src/pki/x509.ts';
import { openDatabase, transaction } from '../../../src/store/database.ts';
import { EVIDENCE_SCHEMA, SqliteEvidence } from '../../../src/store/evidence.ts';
import { makePki } from '../../support/pades.ts';

const TAMPERINGS = 1000;
const ENTRIES = 60;

let folder: string;
let database: DatabaseSync;
let log: SqliteEvidence;
let anchors: Certificate[];
let kept: KeptToken[];
/** Entries up to here are under a timestamp. */
let head: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signpost-evidence-'));
  database = openDatabase(join(folder, 'db'), [EVIDENCE_SCHEMA]);
  database.exec('PRAGMA synchronous = OFF');
  log = new SqliteEvidence(database, () => new Date());
  const pki = await makePki('ecdsa-p256-sha256');
  anchors = pki.anchors.map(parseCertificate);
  for (let index = 1; index <= ENTRIES; index++) {
    const subjects = { request: `REQUEST${index % 7}`, session: `session${index}` };
    await log.note({ kind: 'session.signed', subjects, facts: { index, documents: [{ head: 'ab'.repeat(32) }] } });
    if (index % 20 === 0) await stampHead({ log, timestamps: pki.timestamps, folder: join(folder, 'evidence') });
  }
  head = ENTRIES + 2;
  for (let index = 0; index < 3; index++) await log.note({ kind: 'gateway.started', subjects: {}, facts: {} });
  kept = await keptTokens(join(folder, 'evidence'));
}, 60_000);

afterAll(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const verify = () => verifyLog(log.rows(), { anchors, kept, now: new Date() });

describe('the evidence log', () => {
  test('is whole, and proven up to its newest timestamp', () => {
    const report = verify();
    expect(report).toMatchObject({ entries: ENTRIES + 6, timestamps: 3, proven: { sequence: head }, fault: null });
    expect(sentenceOf(report)).toMatch(
      /^The evidence log is whole, 66 entries: entries 1 to 62 are proven to stand as they did on .*Z, the newest 4 are chained/,
    );
  });

  test('can not be updated, deleted from, replaced in or left with a gap by SQL', () => {
    for (const sql of [
      "UPDATE evidence SET body = '{}' WHERE sequence = 3",
      'DELETE FROM evidence WHERE sequence = 66',
      "INSERT OR REPLACE INTO evidence VALUES (66, '', '{}')",
      "INSERT INTO evidence VALUES (68, '', '{}')",
    ])
      expect(() => database.exec(sql)).toThrow('the evidence log is append-only');
    expect(verify().fault).toBeNull();
  });

  test(`C5 ${TAMPERINGS} random tamperings before the timestamped head are all found`, { timeout: 300_000 }, () => {
    const random = generator(20_261_124);
    const missed: string[] = [];
    const used = new Map<string, number>();
    for (let round = 0; round < TAMPERINGS; round++) {
      const names = Object.keys(TAMPER);
      const name = names[round % names.length]!;
      const report = tampered(() => TAMPER[name]!(random));
      used.set(name, (used.get(name) ?? 0) + 1);
      if (report.fault === null) missed.push(`${round}: ${name}`);
      // What is said to be proven is never more than what still stands.
      else expect(report.proven?.sequence ?? 0).toBeLessThanOrEqual(head);
    }
    expect(missed).toEqual([]);
    expect([...used.values()].reduce((sum, count) => sum + count)).toBe(TAMPERINGS);
  });

  test('C5 the whole log written anew, with timestamps left out, is found by a copy of its tokens', () => {
    const report = tampered(() => {
      const rows = log.range(1, head).filter(({ body }) => !body.includes('log.timestamped'));
      database.exec('DELETE FROM evidence');
      rechain(
        rows.map(({ body }) => body),
        1,
      );
    });
    expect(report.fault).toMatchObject({ sequence: null, message: expect.stringContaining('no longer has') });
  });

  test('a foreign authority proves nothing', async () => {
    const other = await makePki('ecdsa-p256-sha256');
    const report = verifyLog(log.rows(), { anchors: other.anchors.map(parseCertificate), kept, now: new Date() });
    expect(report.fault?.message).toContain('its timestamp does not hold');
    expect(report.proven).toBeNull();
  });

  test('a timestamp is asked for only when there is something new', async () => {
    const pki = await makePki('ecdsa-p256-sha256');
    const own = openDatabase(':memory:', [EVIDENCE_SCHEMA]);
    const parts = {
      log: new SqliteEvidence(own, () => new Date()),
      timestamps: pki.timestamps,
      folder: join(folder, 'own'),
    };
    expect(await stampHead(parts)).toBe(false);
    await parts.log.note({ kind: 'gateway.started', subjects: {}, facts: {} });
    expect([await stampHead(parts), await stampHead(parts)]).toEqual([true, false]);
    // What is written while the authority answers is new, though the newest entry is a timestamp.
    await parts.log.note({ kind: 'gateway.started', subjects: {}, facts: {} });
    const busy = {
      async stamp(digest: Uint8Array) {
        await parts.log.note({ kind: 'gateway.started', subjects: {}, facts: {} });
        return pki.timestamps.stamp(digest);
      },
    };
    expect(await stampHead({ ...parts, timestamps: busy })).toBe(true);
    expect([await stampHead(parts), await stampHead(parts)]).toEqual([true, false]);
    const trusted = {
      anchors: pki.anchors.map(parseCertificate),
      kept: await keptTokens(parts.folder),
      now: new Date(),
    };
    const { entries, proven, fault } = verifyLog(parts.log.rows(), trusted);
    expect({ fault, proven: proven?.sequence }).toEqual({ fault: null, proven: entries - 1 });
    own.close();
  });
});

/** What an attacker does who has the file: no trigger or index holds him. */
const TAMPER: Record<string, (random: (below: number) => number) => void> = {
  flip(random) {
    const row = at(1 + random(head));
    const column = random(8) === 0 ? 'previous' : 'body';
    const bytes = Buffer.from(row[column]);
    // Stays ASCII, as the log is.
    bytes[random(bytes.length)]! ^= 1 << random(7);
    database.prepare(`UPDATE evidence SET ${column} = ? WHERE sequence = ?`).run(bytes.toString(), row.sequence);
  },
  drop(random) {
    const sequence = 1 + random(head);
    database.prepare('DELETE FROM evidence WHERE sequence = ?').run(sequence);
    // Half of them close the gap.
    if (random(2) === 0) {
      for (const row of log.range(sequence + 1, 1000))
        database.prepare('UPDATE evidence SET sequence = ? WHERE sequence = ?').run(row.sequence - 1, row.sequence);
    }
  },
  swap(random) {
    const [one, other] = [at(1 + random(head)), at(1 + random(head))];
    if (one.sequence === other.sequence) return TAMPER.swap!(random);
    const write = database.prepare('UPDATE evidence SET previous = ?, body = ? WHERE sequence = ?');
    write.run(one.previous, one.body, other.sequence);
    write.run(other.previous, other.body, one.sequence);
  },
  truncate(random) {
    database.prepare('DELETE FROM evidence WHERE sequence > ?').run(random(head));
  },
  /** Changes one entry and computes the whole chain after it anew. */
  rewrite(random) {
    const sequence = 1 + random(head);
    const entry = parseEntry(at(sequence).body);
    const changed = canonical({ ...entry, subjects: { ...entry.subjects, request: 'ANOTHER' } });
    const rest = log.range(sequence + 1, 1000).map(({ body }) => body);
    database.prepare('DELETE FROM evidence WHERE sequence >= ?').run(sequence);
    rechain([changed, ...rest], sequence);
  },
};

function at(sequence: number): Row {
  return log.range(sequence, sequence)[0]!;
}

function rechain(bodies: readonly string[], first: number): void {
  let before = log.newest();
  bodies.forEach((body, index) => {
    const sequence = first + index;
    const renumbered = canonical({ ...parseEntry(body), sequence });
    const row = { sequence, previous: before === null ? '0'.repeat(64) : hashOf(before), body: renumbered };
    database.prepare('INSERT INTO evidence VALUES (?, ?, ?)').run(row.sequence, row.previous, row.body);
    before = row;
  });
}

/** The verdict on the log as `work` leaves it; afterwards it is as before. */
function tampered(work: () => void) {
  class Undo extends Error {}
  let report: ReturnType<typeof verify> | null = null;
  try {
    transaction(database, () => {
      for (const name of ['never_updated', 'never_deleted', 'only_appended'])
        database.exec(`DROP TRIGGER evidence_${name}`);
      for (const name of ['by_request', 'timestamps']) database.exec(`DROP INDEX evidence_${name}`);
      work();
      report = verify();
      throw new Undo();
    });
  } catch (error) {
    if (!(error instanceof Undo)) throw error;
  }
  return report! as ReturnType<typeof verify>;
}

/** mulberry32: the same tamperings every time. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
