/** What a look finds in a real installation, and in one where something has gone wrong. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createInstallation } from '../../../src/config/installation.ts';
import { type Core, openCore } from '../../../src/gateway/core.ts';
import { signCrl } from '../../../src/pki/crl.ts';
import { parseCrl } from '../../../src/pki/path/crl.ts';
import { type LookParts, look } from '../../../src/watch/look.ts';

const DAY = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'signpost-look-'));
let core: Core;
let shift = 0;
const now = () => new Date(Date.now() + shift);

beforeAll(async () => {
  const { config } = await createInstallation(
    join(folder, 'gateway'),
    {
      company: { name: 'Harbour & Sons Ltd', vat: null, country: 'LU' },
      publicUrl: 'https://sign.company.com',
      signDomain: 'sign.company.com',
      mailDomains: ['company.com'],
      ports: { milter: 1, lmtp: 2, http: 3, smtp: 25 },
    },
    'ecdsa-p256-sha256',
  );
  core = await openCore(config, { logger: pino({ level: 'silent' }), now });
});
afterAll(async () => {
  await core.close();
  rmSync(folder, { recursive: true, force: true });
});

function parts(change: Partial<LookParts> = {}): LookParts {
  const { config, pki, store } = core;
  return { config, pki, watch: store.watch, evidence: store.evidence, now, ...change };
}

const faults = async (change: Partial<LookParts> = {}) =>
  (await look(parts(change))).faults.map(({ kind, detail }) => `${kind}: ${detail}`);

test('a new installation has no fault, and four certificates with their ends', async () => {
  const found = await look(parts());
  expect(found.faults).toEqual([]);
  const years = found.endings.map(({ certificate, notAfter }) => [
    certificate,
    Math.round((notAfter.getTime() - Date.now()) / (365.25 * DAY)),
  ]);
  expect(years).toEqual([
    ['ca', 15],
    ['seal', 5],
    ['tsa', 10],
    ['ocsp', 0],
  ]);
});

test('the web server’s certificate and an outside authority’s roots are read from their files', async () => {
  const [web, trust] = [join(folder, 'web.pem'), join(folder, 'roots.pem')];
  const make = (days: string) =>
    execFileSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', '/dev/null', '-subj', '/CN=test', '-days', days],
    ]);
  writeFileSync(web, Buffer.concat([make('20'), make('3650')]));
  writeFileSync(trust, Buffer.concat([make('10'), make('90')]));
  const { config } = core;
  const found = await look(
    parts({
      config: {
        ...config,
        http: { ...config.http, tls: { certificate: web, key: web } },
        timestamps: { ...config.timestamps, authorities: ['embedded', { url: 'http://127.0.0.1:9/', trust }] },
      },
    }),
  );
  const days = found.endings
    .filter(({ name }) => name === web || name === trust)
    .map(({ certificate, notAfter }) => [certificate, Math.round((notAfter.getTime() - Date.now()) / DAY)]);
  expect(days).toEqual([
    ['tls', 20],
    ['tsa-trust', 10],
    ['tsa-trust', 90],
  ]);
  expect(found.faults).toEqual([]);
});

test('what ended, and what can’t be read, is said by its file', async () => {
  const { config } = core;
  const missing = { ...config, http: { ...config.http, tls: { certificate: 'nowhere.pem', key: 'nowhere.key' } } };
  expect(await faults({ config: missing })).toEqual([
    expect.stringMatching(/^certificate-unreadable: .*\/gateway\/nowhere\.pem: ENOENT/),
  ]);
});

test('C4 a clock that jumped is told, and one that was set right is not', async () => {
  shift = 3_600_000;
  expect(await faults()).toEqual(['clock: the clock is in doubt: the clock jumped ahead by 3600.0 s']);
  shift = -30_000;
  expect((await faults())[0]).toMatch(/^clock: .*stepped back by 30\.0 s$/);
  shift = 0;
  expect(await faults()).toEqual([]);
});

test('a list and an answer that are not of now are faults', async () => {
  // The authority made them; the one who looks lives two weeks later.
  const later = () => new Date(Date.now() + 14 * DAY);
  const found = await faults({ now: later });
  expect(found.filter(line => /^(crl|ocsp)/.test(line))).toEqual([
    expect.stringMatching(/^crl: it was overdue on /),
    expect.stringMatching(/^ocsp: it was overdue on /),
  ]);
});

test('an earlier CA that has fallen silent is a fault; an earlier enterprise’s list that nobody renews is none', async () => {
  const { ca } = core.pki;
  const { state } = ca;
  try {
    ca.use({ ...state, silent: ['authorities/1-abc/ca.pem'] });
    expect(await faults()).toEqual([expect.stringMatching(/^crl: an earlier CA answers no more.*1-abc\/ca\.pem/)]);
    const old = parseCrl(
      await signCrl(
        { number: 1, thisUpdate: new Date(0), nextUpdate: new Date(1000), revoked: [] },
        ca.state.local.certificate,
        core.pki.seal.key,
      ),
    );
    ca.use({ ...state, outsideCrls: [old] });
    expect(await faults()).toEqual([expect.stringMatching(/^crl: the list of .* was overdue on 1970-/)]);
    ca.use({ ...state, outsideCrls: [old], earlierCrls: [old] });
    expect(await faults()).toEqual([]);
  } finally {
    ca.use(state);
  }
});

test('a disk with less room than configured is a fault', async () => {
  const config = { ...core.config, watch: { ...core.config.watch, freeSpace: Number.MAX_SAFE_INTEGER } };
  expect(await faults({ config })).toEqual([expect.stringMatching(/^disk: \d+ MiB of \d+ MiB are free in .*state$/)]);
});

test('a mail that waits too long, and evidence without a timestamp, are faults', async () => {
  const { store, config } = core;
  await store.evidence.note({ kind: 'admin.act', subjects: {}, facts: {} });
  expect(await faults()).toEqual([]);
  await store.requests.commit({
    outbox: [
      {
        id: 'a1b2c3d4e5f6g7h8',
        requestId: null,
        kind: 'enrolment-code',
        topic: '',
        recipient: 'john@company.com',
        envelopeFrom: 'bounce+a1b2c3d4e5f6g7h8@sign.company.com',
        messageId: '<a@b>',
        blob: '',
        state: 'pending',
        attempts: 0,
        nextAttemptAt: now(),
        lastReply: null,
        createdAt: new Date(Date.now() - 5 * 3_600_000),
      },
    ],
  });
  const impatient = { ...config, evidence: { timestampEvery: -1 } };
  expect(await faults({ config: impatient })).toEqual([
    expect.stringMatching(/^outbox: a mail has been waiting since 20/),
    expect.stringMatching(/^evidence: the entries since 20.* are under no timestamp$/),
  ]);
});
