/** The watch with a clock and findings by argument, on the real store, composer and mail parser. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createComposer } from '../../../src/outbound/composer.ts';
import { FileBlobs } from '../../../src/store/blobs.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { MIGRATIONS } from '../../../src/store/migrations.ts';
import { SqliteStore } from '../../../src/store/sqlite.ts';
import { dueWarning, type Ending, FAULTS, type Fault } from '../../../src/watch/matters.ts';
import { openFaults, startWatch, type WatchParts, watchOnce } from '../../../src/watch/watch.ts';

const DAY = 86_400_000;
const END = new Date('2026-06-30T12:00:00Z');
const ADMIN = 'postmaster@company.com';

let folder: string;
let store: SqliteStore;
let now: Date;
let found: { endings: Ending[]; faults: Fault[] };
let told: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signpost-watch-'));
  now = new Date(END.getTime() - 100 * DAY);
  found = { endings: [], faults: [] };
  told = [];
  await open();
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(): Promise<void> {
  const blobs = await FileBlobs.open(join(folder, 'blobs'));
  store = new SqliteStore(openDatabase(join(folder, 'db'), MIGRATIONS), blobs, () => now);
}

async function restart(): Promise<void> {
  await store.close();
  await open();
}

function parts(change: Partial<WatchParts> = {}): WatchParts {
  return {
    look: async () => found,
    store,
    composer: createComposer({
      config: {
        company: { name: 'Harbour & Sons Ltd' },
        domains: [{ sign: 'sign.company.com' }],
        mail: { from: 'signpost' },
      },
      publicUrl: 'https://sign.company.com',
      timeZone: 'UTC',
    }),
    directory: { findByMail: async () => null },
    admin: [ADMIN],
    language: 'en',
    now: () => now,
    randomBytes: size => crypto.getRandomValues(new Uint8Array(size)),
    logger: pino({ level: 'silent' }),
    wake: () => {},
    ...change,
  };
}

/** Looks once; the subjects of the mails that came of it, as their recipient's program shows them. */
async function subjects(change: Partial<WatchParts> = {}): Promise<string[]> {
  await watchOnce(parts(change));
  const rows = await store.outbox.lease(100, 1, new Date(now.getTime() + 1));
  const mails: string[] = [];
  for (const { id, blob, recipient } of rows) {
    const parsed = await simpleParser(Buffer.from(await store.blobs.get(blob)));
    mails.push(`${recipient}: ${parsed.subject}`);
    told.push(parsed.text ?? '');
    await store.outbox.update(id, { state: 'sent', nextAttemptAt: now, lastReply: null });
  }
  return mails.sort();
}

const seal = (serial = '0a'): Ending => ({
  certificate: 'seal',
  name: '/etc/signpost/certs/seal.pem',
  serial,
  notBefore: new Date(END.getTime() - 5 * 365 * DAY),
  notAfter: END,
});

test('the admin is warned 30, 14, 7 and 1 days before an end, each once, whatever restarts come in between', async () => {
  found.endings = [seal()];
  const days: number[] = [];
  // Four looks a day, and a restart of the gateway before each.
  for (let left = 40 * 4; left > 0; left -= 1) {
    now = new Date(END.getTime() - (left * DAY) / 4);
    const mails = await subjects();
    if (mails.length > 0) days.push(left / 4);
    await restart();
  }
  expect(days).toEqual([30, 14, 7, 1]);
  expect(told[2]).toContain('ends in 7 days');
  expect(told[2]).toContain('/etc/signpost/certs/seal.pem');
  expect(told[2]).toContain('Tuesday, 30 June 2026 at 12:00 (UTC+00:00)');
  expect(told[3]).toContain('ends tomorrow');
});

test('a gateway that was away for weeks gives the one warning that is due', async () => {
  found.endings = [seal()];
  now = new Date(END.getTime() - 5 * DAY);
  expect(await subjects()).toEqual([`${ADMIN}: The certificate of the company seal ends in 5 days`]);
  expect(await subjects()).toEqual([]);
});

test('a renewed certificate is watched from the beginning', async () => {
  found.endings = [seal()];
  now = new Date(END.getTime() - DAY / 2);
  expect(await subjects()).toHaveLength(1);
  found.endings = [seal('0b')];
  expect(await subjects()).toHaveLength(1);
});

test('a certificate that lives for days is warned of in its last day alone', () => {
  const short = { ...seal(), notBefore: new Date(END.getTime() - 14 * DAY) };
  const at = (days: number) => dueWarning(short, new Date(END.getTime() - days * DAY));
  expect([14, 7, 4, 1.1, 0.9].map(at)).toEqual([null, null, null, null, 1]);
  const ninety = { ...seal(), notBefore: new Date(END.getTime() - 90 * DAY) };
  expect(dueWarning(ninety, new Date(END.getTime() - 29 * DAY))).toBe(30);
});

test('a fault is told once when it begins and once when it is over, and again when it comes back', async () => {
  const disk: Fault = { kind: 'disk', about: '', detail: '3 MiB of 1024 MiB are free in /var/lib/signpost' };
  const mails: string[][] = [];
  for (const faults of [[disk], [{ ...disk, detail: '2 MiB of 1024 MiB are free' }], [disk], [], [], [disk], []]) {
    found.faults = faults;
    now = new Date(now.getTime() + 3_600_000);
    mails.push(await subjects());
    await restart();
  }
  const begins = [`${ADMIN}: The disk is nearly full`];
  const ends = [`${ADMIN}: Over: The disk is nearly full`];
  expect(mails).toEqual([begins, [], [], ends, [], begins, ends]);
  expect(told[0]).toContain('3 MiB of 1024 MiB are free in /var/lib/signpost');
});

test('two faults of one kind are told apart, and each ends by itself', async () => {
  const ended = (about: string): Fault => ({ kind: 'certificate-ended', about, detail: `${about} ended` });
  found.faults = [ended('/a:b.pem'), ended('/c.pem')];
  expect(await subjects()).toHaveLength(2);
  found.faults = [ended('/a:b.pem')];
  expect(await subjects()).toEqual([`${ADMIN}: Over: A certificate has ended`]);
  expect(openFaults(await store.watch.marks()).map(({ fault }) => fault)).toEqual([ended('/a:b.pem')]);
});

test('what can’t be remembered isn’t told, and is told by the next look', async () => {
  found.faults = [{ kind: 'clock', about: '', detail: 'the clock stepped back' }];
  const full = { ...store.requests, commit: () => Promise.reject(new Error('no room')) };
  const broken = { blobs: store.blobs, requests: full, jobs: store.jobs, outbox: store.outbox, once: store.once };
  const failing = { ...broken, watch: store.watch, close: async () => {} };
  await expect(watchOnce(parts({ store: failing as unknown as WatchParts['store'] }))).rejects.toThrow('no room');
  expect(await subjects()).toEqual([`${ADMIN}: The clock is in doubt`]);
});

test('a watch that runs goes on after a look that failed', async () => {
  let looks = 0;
  const watch = startWatch({
    ...parts({
      look: async () => {
        looks += 1;
        if (looks === 1) throw new Error('a fault of ours');
        return { endings: [], faults: [{ kind: 'disk', about: '', detail: 'full' }] };
      },
    }),
    every: 5,
  });
  await expect.poll(async () => (await store.watch.marks()).size, { timeout: 10_000 }).toBe(1);
  await watch.stop();
});

test('every admin is told, who is in the directory in their own language', async () => {
  found.endings = [seal()];
  found.faults = FAULTS.map(kind => ({ kind, about: '', detail: 'x' }));
  now = new Date(END.getTime() - 7 * DAY);
  const anna = {
    id: 'anna',
    name: 'Anna Müller',
    givenName: 'Anna',
    surname: 'Müller',
    mail: 'anna@company.com',
    addresses: ['anna@company.com'],
    language: 'de' as const,
    title: null,
    groups: [],
    delegates: [],
    mobile: null,
  };
  const mails = await subjects({
    admin: [ADMIN, 'anna@company.com'],
    language: 'fr',
    directory: { findByMail: async address => (address === anna.mail ? anna : null) },
  });
  expect(mails).toHaveLength(2 * (FAULTS.length + 1));
  expect(mails).toContain('anna@company.com: Das Zertifikat des Unternehmenssiegels läuft in 7 Tagen ab');
  expect(mails).toContain(`${ADMIN}: Le certificat du cachet de l’entreprise expire dans 7 jours`);
  expect(mails).toContain(`${ADMIN}: L’heure de la machine est douteuse`);
});
