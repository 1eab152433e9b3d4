/** Which entries the changes of requests, devices and certificates leave, and that they share those changes' fate. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { canonical, type Entry, parseEntry } from '../../../src/evidence/entry.ts';
import { verifyLog } from '../../../src/evidence/verify.ts';
import { SqliteCertificateStore } from '../../../src/store/certificates.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { MIGRATIONS } from '../../../src/store/migrations.ts';
import { World } from '../requests/world.ts';

let world: World;

beforeEach(async () => {
  world = await World.open();
});

afterEach(() => world.close());

const entries = (): Entry[] => [...world.store.evidence.rows()].map(({ body }) => parseEntry(body));
const kindsOf = (request: { readonly id: string }) =>
  world.store.evidence.ofRequest(request.id).map(({ body }) => parseEntry(body).kind);

describe('entries of', () => {
  test('a request that John signs: admission, turn, signature, end', async () => {
    const phone = await world.phone('john');
    const request = await world.opened();
    const john = request.sessions[0]!;
    await world.sign(john, phone);
    await world.runJobs();
    const kinds = kindsOf(request);
    expect(kinds[0]).toBe('request.admitted');
    expect(kinds).toEqual(expect.arrayContaining(['request.open', 'session.open', 'turn.granted', 'session.signed']));
    const signed = entries().find(({ kind }) => kind === 'session.signed');
    expect(signed?.subjects).toEqual({
      request: request.id,
      session: john.id,
      person: 'john',
      device: phone.device.id,
      certificate: phone.serial,
    });
    expect(signed?.facts.documents).toEqual([
      expect.objectContaining({
        original: request.documents[0]!.original,
        head: expect.stringMatching(/^[0-9a-f]{64}$/),
      }),
    ]);
    expect(entries()[0]).toMatchObject({ kind: 'device.enrolled', subjects: { device: phone.device.id } });
  });

  test('a cancelled request; and its words, tokens and links are in none', async () => {
    const request = await world.opened();
    await world.requests.cancel(request.id);
    expect(kindsOf(request)).toContain('request.cancelled');
    const all = [...world.store.evidence.rows()].map(({ body }) => body).join('\n');
    for (const secret of [request.subject, ...request.sessions.map(({ linkHash }) => linkHash)])
      expect(all).not.toContain(secret);
    expect(all).not.toContain('/s/');
  });

  test('a change that is refused leaves none', async () => {
    const request = await world.opened();
    const before = entries().length;
    // Its version is the stored one: somebody else was faster.
    expect(await world.store.requests.commit({ requests: [request] })).toBe(false);
    const device = (await world.phone('john')).device;
    expect(
      await world.store.requests.commit({
        requests: [{ ...request, version: request.version + 1 }],
        devices: [device],
      }),
    ).toBe(false);
    expect(entries()).toHaveLength(before + 1);
  });

  test('certificates: issued, revoked once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'signpost-evidence-'));
    const database = openDatabase(join(folder, 'db'), MIGRATIONS);
    const now = () => new Date('2026-11-24T08:00:00Z');
    const certificates = new SqliteCertificateStore(database, now);
    const record = {
      serial: 'a1',
      certificate: Buffer.from('der'),
      personId: 'john',
      deviceId: 'phone',
      notBefore: now(),
      notAfter: now(),
      revokedAt: null,
      reason: null,
      keyHash: 'k',
      issuer: 'ca',
    };
    await certificates.add(record);
    await certificates.add(record);
    await certificates.revoke('a1', now(), 'keyCompromise');
    await certificates.revoke('a1', now(), 'superseded');
    const bodies = database
      .prepare('SELECT body FROM evidence')
      .all()
      .map(({ body }) => parseEntry(String(body)));
    expect(bodies.map(({ kind, facts }) => [kind, facts.reason])).toEqual([
      ['certificate.issued', undefined],
      ['certificate.revoked', 'keyCompromise'],
    ]);
    database.close();
    rmSync(folder, { recursive: true });
  });

  test('many writers form one chain', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        world.store.evidence.note({ kind: 'admin.act', subjects: {}, facts: { index } }),
      ),
    );
    const report = verifyLog(world.store.evidence.rows(), { anchors: [], kept: [], now: new Date() });
    expect(report).toMatchObject({ entries: 20, proven: null, fault: null });
  });
});

describe('canonical JSON', () => {
  test('is JSON of the same value, whatever the order of names (RFC 8785 §3.2.3)', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const text = canonical(value);
        expect(canonical(JSON.parse(text))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    const euro = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
    // The example of RFC 8785 §3.2.3.
    expect(Object.values(JSON.parse(canonical(euro)) as object)).toHaveLength(7);
    expect(canonical(euro)).toBe('{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}');
  });
});
