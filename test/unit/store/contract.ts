/** What every Store must do, whatever keeps it. */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PendingEnrolment } from '../../../src/requests/model.ts';
import type { Store } from '../../../src/store/store.ts';
import { device, job, later, request, row, session, T0 } from './samples.ts';

export interface Opened {
  readonly store: Store;
  /** The clock that the store was given. */
  setNow(now: Date): void;
  /** A second store on the same data, as another process would have. */
  another(): Promise<Store>;
  close(): Promise<void>;
}

export function storeContract(name: string, open: () => Promise<Opened>): void {
  describe(`${name} keeps the store's contract`, () => {
    let opened: Opened;
    let store: Store;
    beforeEach(async () => {
      opened = await open();
      store = opened.store;
    });
    afterEach(() => opened.close());

    describe('blobs', () => {
      test('come back by the SHA-256 of their bytes; twice is once', async () => {
        const bytes = Buffer.from('%PDF-1.7 …');
        const id = await store.blobs.put(bytes);
        expect(id).toBe(createHash('sha256').update(bytes).digest('hex'));
        expect(await store.blobs.put(bytes)).toBe(id);
        expect(Buffer.from(await store.blobs.get(id))).toEqual(bytes);
        expect(Buffer.from(await (await opened.another()).blobs.get(id))).toEqual(bytes);
      });
      test('the empty one too', async () => {
        expect(await store.blobs.get(await store.blobs.put(new Uint8Array()))).toHaveLength(0);
      });
      test('the same bytes twenty times at once', async () => {
        const bytes = Buffer.alloc(100_000, 'x');
        const ids = await Promise.all(Array.from({ length: 20 }, () => store.blobs.put(bytes)));
        expect(new Set(ids).size).toBe(1);
        expect(Buffer.from(await store.blobs.get(ids[0]!))).toEqual(bytes);
      });
      test.each(['0'.repeat(64), '../../etc/passwd', ''])('no blob %j', async id => {
        await expect(store.blobs.get(id)).rejects.toThrow();
      });
    });

    describe('requests', () => {
      test('come back as they were, dates included, by every way of looking', async () => {
        const one = request('R1', {
          turn: {
            id: 't',
            sessionId: 'R1-1',
            deviceId: 'd',
            certificateSerial: '0a',
            signingTime: later(5),
            utcOffset: 120,
            expiresAt: later(60_005),
            heads: ['b'.repeat(64)],
          },
        });
        expect(await store.requests.commit({ requests: [one] })).toBe(true);
        expect(await store.requests.find('R1')).toEqual(one);
        expect(await store.requests.findByKey('key-R1')).toEqual(one);
        expect(await store.requests.findBySession('R1-2')).toEqual(one);
        expect(await store.requests.findByLinkHash('hash-of-R1-1')).toEqual(one);
        expect(await (await opened.another()).requests.find('R1')).toEqual(one);
        for (const nobody of [
          await store.requests.find('R2'),
          await store.requests.findByKey('R1'),
          await store.requests.findBySession('hash-of-R1-1'),
          await store.requests.findByLinkHash('R1-1'),
        ]) {
          expect(nobody).toBeNull();
        }
      });
      test('a key is taken once', async () => {
        expect(await store.requests.commit({ requests: [request('R1')] })).toBe(true);
        expect(await store.requests.commit({ requests: [request('R2', { key: 'key-R1' })] })).toBe(false);
        expect(await store.requests.find('R2')).toBeNull();
      });
      test('a version is taken once, and only the next one', async () => {
        await store.requests.commit({ requests: [request('R1')] });
        expect(await store.requests.commit({ requests: [request('R1', { version: 3 })] })).toBe(false);
        expect(await store.requests.commit({ requests: [request('R1', { version: 2, subject: 'a' })] })).toBe(true);
        expect(await store.requests.commit({ requests: [request('R1', { version: 2, subject: 'b' })] })).toBe(false);
        expect((await store.requests.find('R1'))?.subject).toBe('a');
        expect(await store.requests.commit({ requests: [request('R9', { version: 2 })] })).toBe(false);
      });
      test('of a change that does not fit, nothing is done', async () => {
        await store.requests.commit({ requests: [request('R1')], addJobs: [job('J0')] });
        const all = {
          devices: [device('D1', 'john')],
          outbox: [row('row1')],
          addJobs: [job('J1')],
          finishJobs: ['J0'],
          requests: [request('R2'), request('R1', { version: 3 })],
        };
        expect(await store.requests.commit(all)).toBe(false);
        expect(await store.requests.find('R2')).toBeNull();
        expect(await store.requests.findDevice('D1')).toBeNull();
        expect(await store.outbox.find('row1')).toBeNull();
        expect((await store.jobs.lease(9, 1000, T0)).map(({ id }) => id)).toEqual(['J0']);
      });
      test('who waits is found by person, who has ended is not', async () => {
        await store.requests.commit({ requests: [request('R1')] });
        await store.requests.commit({ requests: [request('R2', { createdAt: later(1) })] });
        expect((await store.requests.listWaiting('john')).map(({ id }) => id)).toEqual(['R1', 'R2']);
        const ended = request('R1', {
          version: 2,
          state: 'cancelled',
          endedAt: later(9),
          sessions: [session('R1-1', 'john', 'closed'), session('R1-2', 'jane', 'signed')],
        });
        await store.requests.commit({ requests: [ended] });
        expect((await store.requests.listWaiting('john')).map(({ id }) => id)).toEqual(['R2']);
        expect(await store.requests.listWaiting('mary')).toEqual([]);
        expect(await store.requests.list({ ended: true })).toEqual([ended]);
        expect((await store.requests.list({ ended: false })).map(({ id }) => id)).toEqual(['R2']);
      });
      test('what one sender has asked for: pending, since a time, and of whom; a new request is judged by it', async () => {
        await store.requests.commit({ requests: [request('R1')] });
        await store.requests.commit({ requests: [request('R2', { createdAt: later(10) })] });
        await store.requests.commit({
          requests: [request('R1', { version: 2, state: 'cancelled', endedAt: later(20) })],
        });
        const load = await store.requests.loadOf('mary', later(5));
        expect({ ...load, perPerson: Object.fromEntries(load.perPerson) }).toEqual({
          pending: 1,
          recent: 1,
          perPerson: { john: 1, jane: 1 },
        });
        expect((await store.requests.loadOf('mary', new Date(0))).recent).toBe(2);
        expect(await store.requests.loadOf('john', new Date(0))).toMatchObject({ pending: 0, recent: 0 });
        const full = new Error('enough');
        const refused = store.requests.commit({
          requests: [request('R3')],
          admit: {
            since: later(5),
            check: ({ pending }) => {
              if (pending === 1) throw full;
            },
          },
        });
        await expect(refused).rejects.toBe(full);
        expect(await store.requests.find('R3')).toBeNull();
      });
      test('of fifty who change the same version at once, one does', async () => {
        await store.requests.commit({ requests: [request('R1')] });
        const other = await opened.another();
        const done = await Promise.all(
          Array.from({ length: 50 }, (_, i) =>
            (i % 2 ? store : other).requests.commit({ requests: [request('R1', { version: 2, subject: `${i}` })] }),
          ),
        );
        expect(done.filter(Boolean)).toHaveLength(1);
        expect((await store.requests.find('R1'))?.subject).toBe(`${done.indexOf(true)}`);
      });
    });

    describe('devices', () => {
      test('an active device gets a token key once, and keeps it when it ends', async () => {
        await store.requests.commit({ devices: [device('D1', 'john')] });
        const set = (key: string) => store.requests.setTokenKey('D1', key);
        expect(await Promise.all([set('k1'), set('k2')])).toEqual([true, false]);
        const found = await store.requests.findDevice('D1');
        expect(found).toEqual({ ...device('D1', 'john'), tokenKey: 'k1' });
        await store.requests.commit({ devices: [{ ...found!, state: 'retired', endedAt: later(1) }] });
        expect(await set('k3')).toBe(false);
        expect((await store.requests.findDevice('D1'))?.tokenKey).toBe('k1');
        expect(await store.requests.setTokenKey('D2', 'k')).toBe(false);
      });

      test('are kept, listed and end once', async () => {
        const one = device('D1', 'john');
        expect(await store.requests.commit({ devices: [one, device('D2', 'jane', { createdAt: later(1) })] })).toBe(
          true,
        );
        expect(await store.requests.findDevice('D1')).toEqual(one);
        expect(await store.requests.listDevices('john')).toEqual([one]);
        expect((await store.requests.listDevices(null)).map(({ id }) => id)).toEqual(['D1', 'D2']);
        const retired = device('D1', 'john', { state: 'retired', endedAt: later(5) });
        expect(await store.requests.commit({ devices: [retired] })).toBe(true);
        expect(await store.requests.findDevice('D1')).toEqual(retired);
      });
      test.each([
        ['an id that is taken', device('D1', 'john')],
        ["another person's", device('D1', 'jane', { state: 'revoked' })],
        ['an unknown one that ends', device('D9', 'john', { state: 'revoked' })],
      ])('%s does not fit', async (_, changed) => {
        const one = device('D1', 'john');
        await store.requests.commit({ devices: [one] });
        expect(await store.requests.commit({ devices: [changed] })).toBe(false);
        expect(await store.requests.listDevices(null)).toEqual([one]);
      });
      test('an ended one never changes again', async () => {
        await store.requests.commit({ devices: [device('D1', 'john')] });
        await store.requests.commit({ devices: [device('D1', 'john', { state: 'revoked' })] });
        for (const state of ['active', 'retired', 'revoked'] as const) {
          expect(await store.requests.commit({ devices: [device('D1', 'john', { state })] })).toBe(false);
        }
      });
    });

    describe('jobs', () => {
      test('are leased when due, earliest first, each to one worker, until the lease runs out', async () => {
        await store.requests.commit({
          addJobs: [
            job('J2', { dueAt: later(2) }),
            job('J1', { dueAt: later(1) }),
            job('J3', { dueAt: later(99_999) }),
          ],
        });
        const other = await opened.another();
        expect(await store.jobs.lease(9, 1000, T0)).toEqual([]);
        const [first] = await store.jobs.lease(1, 1000, later(10));
        expect(first).toMatchObject(job('J1', { dueAt: later(1) }));
        expect((await other.jobs.lease(9, 5000, later(10))).map(({ id }) => id)).toEqual(['J2']);
        expect(await other.jobs.lease(9, 1000, later(1009))).toEqual([]);
        expect((await other.jobs.lease(9, 1000, later(1010))).map(({ id }) => id)).toEqual(['J1']);
        // The first worker is too late now, whatever it does.
        expect(await store.jobs.extend(first!, 1000, later(1011))).toBe(false);
        await store.jobs.retry(first!, later(1012));
        expect(await other.jobs.lease(9, 1000, later(1500))).toEqual([]);
      });
      test('a lease can be extended', async () => {
        await store.requests.commit({ addJobs: [job('J1')] });
        const [held] = await store.jobs.lease(1, 1000, T0);
        expect(await store.jobs.extend(held!, 1000, later(900))).toBe(true);
        expect(await store.jobs.lease(1, 1000, later(1500))).toEqual([]);
        expect(await store.jobs.lease(1, 1000, later(1900))).toHaveLength(1);
      });
      test('given back, one is due again later, with the attempt counted', async () => {
        await store.requests.commit({ addJobs: [job('J1')] });
        const [held] = await store.jobs.lease(1, 60_000, T0);
        await store.jobs.retry(held!, later(5000));
        expect(await store.jobs.lease(1, 1000, later(4999))).toEqual([]);
        expect(await store.jobs.lease(1, 1000, later(5000))).toMatchObject([{ id: 'J1', attempts: 1 }]);
      });
      test('finished, one is gone', async () => {
        await store.requests.commit({ addJobs: [job('J1')] });
        const [held] = await store.jobs.lease(1, 1000, T0);
        expect(await store.requests.commit({ finishJobs: ['J1'] })).toBe(true);
        expect(await store.jobs.extend(held!, 1000, T0)).toBe(false);
        expect(await store.jobs.lease(1, 1000, later(9_000))).toEqual([]);
      });
      test('an id is taken once', async () => {
        expect(await store.requests.commit({ addJobs: [job('J1')] })).toBe(true);
        expect(await store.requests.commit({ addJobs: [job('J1')] })).toBe(false);
      });
    });

    describe('outbox', () => {
      test('one row per request, recipient, kind and topic', async () => {
        expect(await store.requests.commit({ outbox: [row('row1')] })).toBe(true);
        expect(await store.requests.commit({ outbox: [row('row2')] })).toBe(false);
        const different = [
          row('row3', { kind: 'finished' }),
          row('row4', { topic: 'x' }),
          row('row5', { recipient: 'john@company.test' }),
          row('row6', { requestId: 'R2' }),
        ];
        expect(await store.requests.commit({ outbox: different })).toBe(true);
        expect(await store.outbox.listForRequest('R1')).toHaveLength(4);
      });
      test('mails of no request may repeat', async () => {
        const rows = [row('row1', { requestId: null }), row('row2', { requestId: null })];
        expect(await store.requests.commit({ outbox: rows })).toBe(true);
        expect(await store.outbox.find('row2')).toEqual(rows[1]);
      });
      test('are leased oldest first, each to one worker; an attempt frees them', async () => {
        await store.requests.commit({
          outbox: [
            row('row2', { kind: 'b', nextAttemptAt: later(2) }),
            row('row1', { kind: 'a', nextAttemptAt: later(1) }),
            row('row3', { kind: 'c', nextAttemptAt: later(9_999) }),
          ],
        });
        const other = await opened.another();
        expect((await store.outbox.lease(9, 1000, later(5))).map(({ id }) => id)).toEqual(['row1', 'row2']);
        expect(await other.outbox.lease(9, 1000, later(6))).toEqual([]);
        await store.outbox.update('row1', { state: 'pending', nextAttemptAt: later(500), lastReply: '451 later' });
        await store.outbox.update('row2', { state: 'sent', nextAttemptAt: later(5), lastReply: '250 ok' });
        expect(await other.outbox.lease(9, 1000, later(499))).toEqual([]);
        expect(await other.outbox.lease(9, 1000, later(500))).toMatchObject([
          { id: 'row1', attempts: 1, lastReply: '451 later' },
        ]);
        // The second worker died: its lease runs out; what was sent stays sent.
        expect((await store.outbox.lease(9, 1000, later(1500))).map(({ id }) => id)).toEqual(['row1']);
        expect(await store.outbox.find('row2')).toMatchObject({ state: 'sent', attempts: 1 });
      });
      test('what was sent, failed or bounced is not pending again; a bounce may come first', async () => {
        await store.requests.commit({ outbox: [row('row1'), row('row2', { kind: 'b' })] });
        const result = { nextAttemptAt: T0, lastReply: null };
        await store.outbox.update('row1', { ...result, state: 'sent' });
        await store.outbox.update('row1', { ...result, state: 'pending' });
        expect(await store.outbox.find('row1')).toMatchObject({ state: 'sent' });
        await store.outbox.update('row1', { ...result, state: 'bounced', lastReply: '5.1.1 unknown' });
        expect(await store.outbox.find('row1')).toMatchObject({
          state: 'bounced',
          attempts: 1,
          lastReply: '5.1.1 unknown',
        });
        await store.outbox.update('row2', { ...result, state: 'bounced' });
        await store.outbox.update('row2', { ...result, state: 'sent' });
        expect(await store.outbox.find('row2')).toMatchObject({ state: 'bounced' });
        expect(await store.outbox.lease(9, 1000, later(10_000))).toEqual([]);
      });
    });

    describe('things used once', () => {
      test('of parallel uses one is the first; after its end it may come again', async () => {
        const other = await opened.another();
        const uses = await Promise.all(
          Array.from({ length: 20 }, (_, i) => (i % 2 ? store : other).once.useOnce('nonce', 'n1', later(1000))),
        );
        expect(uses.filter(Boolean)).toHaveLength(1);
        expect(await store.once.useOnce('other kind', 'n1', later(1000))).toBe(true);
        opened.setNow(later(999));
        expect(await store.once.useOnce('nonce', 'n1', later(5000))).toBe(false);
        opened.setNow(later(1000));
        expect(await store.once.useOnce('nonce', 'n1', later(5000))).toBe(true);
      });
      test('a code works once, even in parallel', async () => {
        await store.once.putCode('admin', 'john', 'right', later(1000));
        const other = await opened.another();
        const tries = await Promise.all(
          Array.from({ length: 10 }, (_, i) => (i % 2 ? store : other).once.tryCode('admin', 'john', 'right', T0)),
        );
        expect(tries.filter(Boolean)).toHaveLength(1);
      });
      test.each([
        [4, true],
        [5, false],
      ])('after %i wrong tries the right code works: %s', async (wrong, works) => {
        await store.once.putCode('admin', 'john', 'right', later(1000));
        for (let i = 0; i < wrong; i++) expect(await store.once.tryCode('admin', 'john', `wrong${i}`, T0)).toBe(false);
        expect(await store.once.tryCode('admin', 'john', 'right', T0)).toBe(works);
      });
      test('a code is bound to kind, subject and time; a newer one replaces it', async () => {
        await store.once.putCode('admin', 'john', 'right', later(1000));
        expect(await store.once.tryCode('mailed', 'john', 'right', T0)).toBe(false);
        expect(await store.once.tryCode('admin', 'jane', 'right', T0)).toBe(false);
        expect(await store.once.tryCode('admin', 'john', 'right', later(1000))).toBe(false);
        await store.once.putCode('admin', 'john', 'newer', later(2000));
        expect(await store.once.tryCode('admin', 'john', 'right', T0)).toBe(false);
        expect(await store.once.tryCode('admin', 'john', 'newer', T0)).toBe(true);
      });
      test('events are counted within their window', async () => {
        const count = (now: Date) => store.once.count('code', 'john', now, later(-1000, now));
        expect(await count(T0)).toBe(1);
        expect(await count(later(500))).toBe(2);
        expect(await count(later(1200))).toBe(2);
        expect(await store.once.count('code', 'jane', T0, later(-1000))).toBe(1);
      });
      test('wrong tries that somebody else counts use no code up', async () => {
        await store.once.putCode('admin', 'john', 'right', later(1000));
        for (let i = 0; i < 50; i++)
          expect(await store.once.tryCode('admin', 'john', `wrong${i}`, T0, null)).toBe(false);
        expect(await store.once.tryCode('admin', 'john', 'right', T0, null)).toBe(true);
        expect(await store.once.tryCode('admin', 'john', 'right', T0, null)).toBe(false);
      });
      test('a budget: so many within a window, even in parallel; what was refused takes nothing; what is given back is free', async () => {
        const other = await opened.another();
        const take = (now: Date, from = store) => from.once.take('try', 'john', 3, now, later(-1000, now));
        const taken = await Promise.all(Array.from({ length: 20 }, (_, i) => take(T0, i % 2 ? store : other)));
        expect(taken.filter(Boolean)).toHaveLength(3);
        await store.once.giveBack('try', 'john', 1);
        expect([await take(later(500)), await take(later(500))]).toEqual([true, false]);
        expect([await take(later(1001)), await take(later(1001)), await take(later(1001))]).toEqual([
          true,
          true,
          false,
        ]);
        expect(await store.once.take('try', 'jane', 3, T0, later(-1000))).toBe(true);
        await store.once.giveBack('try', 'john', 3);
        expect(await take(later(1001))).toBe(true);
      });
    });

    describe('devices that wait', () => {
      const waiting = (id: string, personId: string, end = 1000): PendingEnrolment => ({
        device: { id, key: device(id, personId).key, name: `Phone ${id}`, kind: 'browser' },
        personId,
        proofs: ['mailed-code'],
        replaces: null,
        matching: '0815',
        createdAt: T0,
        expiresAt: later(end),
      });
      test('are kept until they end, listed by person, and answered once', async () => {
        const other = await opened.another();
        await store.enrolments.put(waiting('D1', 'john'));
        await store.enrolments.put(waiting('D2', 'john', 500));
        await store.enrolments.put({ ...waiting('D1', 'john'), proofs: ['password'] });
        await store.enrolments.put(waiting('D3', 'jane'));
        expect(await other.enrolments.find('D1', T0)).toEqual({ ...waiting('D1', 'john'), proofs: ['password'] });
        const ids = async (now: Date) =>
          (await store.enrolments.listForPerson('john', now)).map(one => one.device.id).sort();
        expect(await ids(T0)).toEqual(['D1', 'D2']);
        expect(await ids(later(500))).toEqual(['D1']);
        expect(await store.enrolments.find('D2', later(500))).toBeNull();
        const removed = await Promise.all([store, other, store, other].map(one => one.enrolments.remove('D1')));
        expect(removed.filter(Boolean)).toHaveLength(1);
        expect(await ids(T0)).toEqual(['D2']);
      });
      test('a device changes while it is active, one change after the other', async () => {
        await store.requests.commit({ devices: [device('D9', 'john')] });
        const other = await opened.another();
        const longer = (from: typeof store) =>
          from.requests.amendDevice('D9', one => ({ ...one, name: `${one.name}+`, provedAt: later(5) }));
        await Promise.all(Array.from({ length: 10 }, (_, i) => longer(i % 2 ? store : other)));
        const found = await store.requests.findDevice('D9');
        expect(found).toEqual({
          ...device('D9', 'john'),
          name: `${device('D9', 'john').name}++++++++++`,
          provedAt: later(5),
        });
        expect(await store.requests.amendDevice('D9', () => null)).toBeNull();
        await store.requests.commit({ devices: [{ ...found!, state: 'retired', endedAt: later(9) }] });
        expect(await longer(store)).toBeNull();
        expect(await store.requests.amendDevice('none', one => one)).toBeNull();
      });
    });
  });
}
