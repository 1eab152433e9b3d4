/** The watch in a whole gateway: its mails go out by Postfix into the admin's mailbox, each once, restarts included. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Gateway, startGateway } from '../../../src/gateway/gateway.ts';
import { addressOf, type Site } from '../../../src/tryout/site.ts';
import { type Company, startCompany } from '../../support/company.ts';

const DAY = 86_400_000;
const logger = pino({ level: 'silent' });
let company: Company;
let site: Site;

beforeAll(async () => {
  company = await startCompany({
    people: [{ id: 'anna.muller', name: 'Anna Müller', language: 'de' }],
    configure: config => {
      config.admin = [addressOf('anna.muller'), 'postmaster@company.com'];
      config.language = 'fr';
      config.watch = { every: '1 second' };
    },
  });
  site = company.site;
  await company.gateway.stop();
});
afterAll(() => company.stop());

/** Runs a gateway until it has looked a few times; the subjects of the mails that came meanwhile. */
async function run(change: { now?: () => Date; freeSpace?: number }, expected: number): Promise<string[]> {
  const before = site.mailboxes.mails.length;
  const { watch } = site.config;
  const config = { ...site.config, watch: { ...watch, ...(change.freeSpace && { freeSpace: change.freeSpace }) } };
  const gateway: Gateway = await startGateway(config, { logger, ...(change.now && { now: change.now }) });
  try {
    await expect
      .poll(() => site.mailboxes.mails.length - before, { timeout: 30_000, interval: 100 })
      .toBeGreaterThanOrEqual(expected);
    // Two more looks: nothing is said twice.
    await new Promise(resolve => setTimeout(resolve, 2500));
  } finally {
    await gateway.stop();
  }
  const mails = site.mailboxes.mails.slice(before);
  const said = await Promise.all(mails.map(async ({ to, raw }) => `${to}: ${(await simpleParser(raw)).subject}`));
  return said.sort();
}

test('a fault is mailed once when it begins, whatever restarts, and once when it is over', async () => {
  expect(await run({}, 0)).toEqual([]);
  const full = { freeSpace: Number.MAX_SAFE_INTEGER };
  expect(await run(full, 2)).toEqual([
    'anna.muller@company.com: Die Festplatte ist fast voll',
    'postmaster@company.com: Le disque est presque plein',
  ]);
  expect(await run(full, 0)).toEqual([]);
  expect(await run({}, 2)).toEqual([
    'anna.muller@company.com: Behoben: Die Festplatte ist fast voll',
    'postmaster@company.com: Rétabli\u00a0: Le disque est presque plein',
  ]);
});

test('the seal’s end is mailed 30, 14, 7 and 1 days before, once each, with a gateway that restarts in between', async () => {
  const pem = readFileSync(join(site.config.folder, 'certs/seal.pem'));
  const notAfter = Date.parse(new X509Certificate(pem).validTo);
  const said: string[][] = [];
  for (const days of [31, 29.5, 29, 13.5, 6.5, 2, 0.5, 0.4]) {
    const offset = notAfter - days * DAY - Date.now();
    const due = [29.5, 13.5, 6.5, 0.5].includes(days) ? 2 : 0;
    said.push((await run({ now: () => new Date(Date.now() + offset) }, due)).filter(line => line.startsWith('anna')));
  }
  const warning = (text: string) => [
    `anna.muller@company.com: Das Zertifikat des Unternehmenssiegels läuft ${text} ab`,
  ];
  expect(said).toEqual([
    [],
    warning('in 30 Tagen'),
    [],
    warning('in 14 Tagen'),
    warning('in 7 Tagen'),
    [],
    warning('morgen'),
    [],
  ]);
}, 300_000);
