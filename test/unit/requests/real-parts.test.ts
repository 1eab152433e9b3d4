/** The engine with the real documents, PKI, directory and mails behind it, and a restart in the middle. */
import { sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { pino } from 'pino';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { certificationRequest } from '../../../src/client/csr.ts';
import { exportPublicKey, generateKeys, thumbprint } from '../../../src/client/keys.ts';
import { createInstallation } from '../../../src/config/installation.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { type Answers, configText } from '../../../src/config/template.ts';
import { type Core, openCore } from '../../../src/gateway/core.ts';
import { startJobs } from '../../../src/requests/jobs.ts';
import type { Device, Request, Session } from '../../../src/requests/model.ts';
import { Conflict, type Grant } from '../../../src/requests/requests.ts';
import { simplePdf } from '../../support/pdfs.ts';
import { has, run } from '../../support/tools.ts';
import { submission } from './world.ts';

const folder = mkdtempSync(join(tmpdir(), 'signpost-real-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PEOPLE = `people:
  - { id: mary, name: Mary Smith, mail: mary@company.test }
  - { id: john, name: Jöhn Doe, mail: john@company.test, title: Buyer, language: de }
  - { id: jane, name: Jane Roe, mail: jane@company.test, language: fr }
`;
const ANSWERS: Answers = {
  company: { name: 'Company', vat: null, country: 'LU' },
  publicUrl: 'http://localhost:8080',
  signDomain: 'sign.company.test',
  mailDomains: ['company.test'],
  ports: { milter: 1, lmtp: 2, http: 3, smtp: 4 },
};

async function install(): Promise<() => Promise<Core>> {
  const home = join(folder, 'gateway');
  await createInstallation(home, ANSWERS, 'ecdsa-p256-sha256');
  writeFileSync(join(home, 'people.yaml'), PEOPLE);
  const config = parseConfig(parse(configText(ANSWERS)), join(home, 'signpost.yaml'));
  return () => openCore(config, { logger: pino({ level: 'silent' }) });
}

/** Sets up a device with an admin's code and gives it a certificate. */
async function enrol(core: Core, personId: string) {
  const person = (await core.directory.findById(personId))!;
  const key = await exportPublicKey((await generateKeys(true)).publicKey);
  const { code } = await core.devices.createAdminCode(personId);
  const outcome = await core.devices.enrol({
    address: person.mail,
    password: null,
    code,
    link: null,
    client: '',
    device: { id: await thumbprint(key), key, name: 'Firefox', kind: 'browser' },
    replaces: null,
  });
  if (outcome.state !== 'enrolled') throw new Error('the device waits for another');
  const { device } = outcome;
  const keys = await generateKeys(true);
  const { serial } = await core.pki.ca.issueForPerson(await certificationRequest(keys), person, device.id);
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey));
  const attest = (grant: Grant): Buffer[] =>
    grant.documents.map(({ signedAttributes }) =>
      sign('sha256', signedAttributes, { key: pkcs8, format: 'der', type: 'pkcs8' }),
    );
  return { device, serial, attest };
}

async function signWhenFree(
  core: Core,
  session: Session,
  phone: { device: Device; serial: string; attest: (grant: Grant) => Buffer[] },
  known: readonly number[],
): Promise<void> {
  for (;;) {
    try {
      const ask = { certificateSerial: phone.serial, known, utcOffset: 120 };
      const grant = await core.requests.grantTurn(session.id, phone.device, ask);
      await core.requests.completeTurn(session.id, phone.device, grant.turn, phone.attest(grant));
      return;
    } catch (error) {
      if (!(error instanceof Conflict) || error.reason !== 'busy') throw error;
      await new Promise(resolve => setTimeout(resolve, 20));
    }
  }
}

/** Runs jobs until the request is in this state. */
async function work(core: Core, id: string, state: Request['state']): Promise<Request> {
  const jobs = startJobs(core.deps);
  core.onWork = () => jobs.wake();
  try {
    for (;;) {
      const request = (await core.requests.find(id))!;
      if (request.state === state) return request;
      await new Promise(resolve => setTimeout(resolve, 10));
    }
  } finally {
    await jobs.stop();
  }
}

describe.skipIf(!has('poppler-utils', 'qpdf'))('with the real parts', () => {
  test('two people sign two documents at once, across restarts; poppler finds every signature valid', async () => {
    const open = await install();
    let core = await open();
    const people = await Promise.all(['mary', 'john', 'jane'].map(id => core.directory.findById(id)));
    const [mary, john, jane] = people as [
      NonNullable<(typeof people)[0]>,
      NonNullable<(typeof people)[0]>,
      NonNullable<(typeof people)[0]>,
    ];
    const { request } = await core.requests.open(
      submission({
        sender: mary,
        signatories: [john, jane],
        copies: [],
        documents: ['one', 'two'].map(name => ({ name: `${name}.pdf`, bytes: simplePdf({ pages: 2, text: name }) })),
      }),
    );
    await core.close();

    core = await open();
    const ready = await work(core, request.id, 'open');
    expect(ready.documents.map(({ pages }) => pages)).toEqual([2, 2]);
    const phones = [await enrol(core, 'john'), await enrol(core, 'jane')] as const;
    const known = ready.documents.map(({ headLength }) => headLength);
    await Promise.all(ready.sessions.map((session, i) => signWhenFree(core, session, phones[i as 0 | 1], known)));
    await core.close();

    core = await open();
    const finished = await work(core, request.id, 'finished');
    for (const [index, { finished: blob }] of finished.documents.entries()) {
      const bytes = await core.store.blobs.get(blob!);
      const file = join(folder, `${index}.pdf`);
      writeFileSync(file, bytes);
      const { output } = run('pdfsig', [file]);
      expect(output.match(/Signature is Valid/g)).toHaveLength(4);
      expect(output).not.toMatch(/invalid|mismatch|error/i);
      for (const name of ['Jöhn Doe', 'Jane Roe']) expect(output).toContain(name);
      expect(run('qpdf', ['--check', file]).status).toBe(0);
    }
    const rows = await core.store.outbox.listForRequest(request.id);
    const last = rows.filter(({ kind }) => kind === 'finished');
    expect(last.map(({ recipient }) => recipient).sort()).toEqual([
      'jane@company.test',
      'john@company.test',
      'mary@company.test',
    ]);
    for (const { blob } of last) {
      const mail = await simpleParser(Buffer.from(await core.store.blobs.get(blob)));
      const pdfs = mail.attachments.filter(({ contentType }) => contentType === 'application/pdf');
      expect(pdfs.map(({ content }) => content.length)).toEqual(
        await Promise.all(finished.documents.map(async one => (await core.store.blobs.get(one.finished!)).length)),
      );
    }
    await core.close();
  });
});
