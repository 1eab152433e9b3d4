/**
 * The evidence log of a company that mails, signs and ends: walked, tampered with, exported; and the export judged by a
 * shell script that knows openssl, sha256sum and unzip alone.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { unzipSync, zipSync } from 'fflate';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linkToken, SignpostDevice } from '../../../src/client/device.ts';
import { openCore } from '../../../src/gateway/core.ts';
import { linkIn, waitForLetter } from '../../../src/tryout/letters.ts';
import { addressOf, makeSite, SIGN_DOMAIN, type Site } from '../../../src/tryout/site.ts';
import { Authenticator, type KeyKind } from '../../support/authenticator.ts';
import { memoryStore } from '../../support/device-store.ts';
import { type GatewayProcess, startGatewayProcess } from '../../support/gateway-process.ts';
import { simplePdf } from '../../support/pdfs.ts';
import { has, hasPostfix, run } from '../../support/tools.ts';

const MAIN = new URL('../../../src/commands/main.ts', import.meta.url).pathname;
const CHECK = new URL('check.sh', import.meta.url).pathname;
const PRICES = Buffer.from('item,price\nbolt,2\n');
const MARK = { kind: 'typed', text: 'John Doe' } as const;

describe.skipIf(!hasPostfix || !has('openssl', 'unzip', 'poppler-utils'))('evidence', () => {
  let folder: string;
  let site: Site;
  let gateway: GatewayProcess;
  const links: string[] = [];
  const requests: Record<'advanced' | 'standard' | 'files', string> = { advanced: '', standard: '', files: '' };

  const signpost = (...args: string[]) =>
    run(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args, '--config', site.configFile]);
  const log = () => join(folder, 'gateway.log');

  beforeAll(async () => {
    folder = mkdtempSync('/tmp/signpost-evidence-');
    site = await makeSite({
      folder,
      configure: data =>
        Object.assign(data, {
          levels: { offered: ['standard', 'advanced'] },
          documents: { otherFiles: true },
          enrolment: { mailedCode: true, passkeys: { standard: 'offered', advanced: 'required' } },
          // Often, so that killing finds timestamps half-way.
          evidence: { timestampEvery: '1 second' },
        }),
    });
    gateway = await startGatewayProcess(site, log());
    const address = addressOf('john.doe');
    const devices = { advanced: await deviceOf(address, 'ES256'), standard: await deviceOf(address, 'EdDSA') };
    for (const level of ['advanced', 'standard', 'files'] as const) {
      const subject = `${level === 'files' ? 'Advanced' : level}: the evidence of ${level}`;
      await site.send({
        from: addressOf('mary.smith'),
        to: [`john.doe@${SIGN_DOMAIN}`],
        subject,
        attachments: [
          { filename: 'Contract.pdf', content: await simplePdf({ pages: 1, text: level }) },
          ...(level === 'files' ? [{ filename: 'prices.csv', content: PRICES, contentType: 'text/csv' }] : []),
        ],
      });
      const letter = await waitForLetter(site.mailboxes, address, 'please-sign', ({ parsed }) =>
        (parsed.subject ?? '').includes(subject),
      );
      requests[level] = letter.request!;
      links.push(linkToken(linkIn(letter))!);
      const device = level === 'standard' ? devices.standard : devices.advanced;
      const token = linkToken(linkIn(letter))!;
      const view = await device.view(token);
      const documents = await device.download(token, view);
      if (level !== 'standard') await device.sign(token, view, documents);
      if (level === 'advanced') {
        // In the middle of closing.
        process.kill(gateway.pid, 'SIGKILL');
        await gone(gateway.pid);
        gateway = await startGatewayProcess(site, log());
      } else if (level === 'standard')
        await device.approve(token, view, documents, { signature: MARK, paraph: MARK, place: null });
      await waitForLetter(site.mailboxes, address, 'finished', ({ request }) => request === letter.request);
    }
  }, 180_000);

  /** John's, with a passkey of this kind. */
  async function deviceOf(address: string, kind: KeyKind): Promise<SignpostDevice> {
    const { code } = await withCore(core => core.devices.createAdminCode('john.doe'));
    const { origin, hostname: rpId } = new URL(site.config.publicUrl);
    const authenticator = new Authenticator(kind);
    const device = await SignpostDevice.open({
      origin,
      store: memoryStore(),
      passkeys: {
        available: async () => true,
        create: async ({ challenge }) => authenticator.create(challenge, { origin, rpId }),
        get: async ({ challenge }) => authenticator.get(challenge, { origin, rpId }),
      },
    });
    await device.enrol({ address, code, link: null, name: 'evidence test', kind: 'command-line' });
    await device.own.addPasskey();
    return device;
  }

  afterAll(async () => {
    await gateway?.stop();
    await site?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('kill -9 leaves a whole log, and all of it is proven once the gateway has stopped', async () => {
    expect(signpost('evidence', 'verify')).toMatchObject({
      status: 0,
      output: expect.stringContaining('The evidence log is whole'),
    });
    for (let kill = 0; kill < 2; kill++) {
      await withCore(core => core.devices.createAdminCode('mary.smith'));
      process.kill(gateway.pid, 'SIGKILL');
      await gone(gateway.pid);
      expect(signpost('evidence', 'verify')).toMatchObject({ status: 0 });
      gateway = await startGatewayProcess(site, log());
    }
    await gateway.stop();
    const { entries, proven, fault } = JSON.parse(signpost('evidence', 'verify', '--json').output);
    // The newest entry is the newest timestamp itself.
    expect({ fault, sequence: proven.sequence }).toEqual({ fault: null, sequence: entries - 1 });
    gateway = await startGatewayProcess(site, log());
  }, 120_000);

  test('the story of the request is in the log; no link, token or word of the document is', () => {
    const rows = bodies(site);
    const kinds = rows.filter(({ subjects }) => subjects.request === requests.advanced).map(({ kind }) => kind);
    for (const kind of ['request.admitted', 'request.open', 'turn.granted', 'session.signed', 'request.finished'])
      expect(kinds).toContain(kind);
    for (const kind of ['device.enrolled', 'certificate.issued', 'log.timestamped'])
      expect(rows.some(row => row.kind === kind)).toBe(true);
    const all = JSON.stringify(rows);
    expect(all).not.toContain('the evidence');
    expect(all).not.toMatch(/\/s\/|linkHash|tokenKey/);
  });

  test('what an admin does is in the log with who did it, and without the code', () => {
    const code = /^\S+/.exec(signpost('user', 'code', 'anna.muller').output)![0];
    const acts = bodies(site).filter(({ kind }) => kind === 'admin.act');
    expect(acts).toEqual([
      expect.objectContaining({
        subjects: { person: 'anna.muller' },
        facts: expect.objectContaining({ command: 'user code', user: userInfo().username }),
      }),
    ]);
    expect(code.length).toBeGreaterThan(5);
    expect(JSON.stringify(bodies(site))).not.toContain(code);
  });

  for (const level of ['advanced', 'standard', 'files'] as const) {
    test(`C6 the exported evidence of a request (${level}) is checked by openssl, sha256sum and unzip alone`, () => {
      const zip = join(folder, `${level}.zip`);
      const exported = signpost('evidence', 'export', requests[level], '--out', zip);
      expect(exported, exported.output).toMatchObject({ status: 0 });
      const checked = check(folder, zip);
      expect(checked, checked.output).toMatchObject({ status: 0 });
      const files = unzipSync(readFileSync(zip));
      const names = Object.keys(files);
      for (const name of ['documents/1-original.pdf', 'documents/1-finished.pdf', 'README.txt', 'log/chain.txt'])
        expect(names).toContain(name);
      if (level === 'files')
        expect(names).toEqual(expect.arrayContaining(['documents/2-original.bin', 'documents/2-finished.p7m']));
      if (level === 'standard') expect(names).toContain('signatures/report-1.content');
      for (const name of names)
        for (const link of links) expect(Buffer.from(files[name]!).includes(link), name).toBe(false);
      const passkeys = {
        advanced: /passkeys\/1 \(sha256: signatures\/1-2\.attributes\)/,
        standard: /passkeys\/1 \(ed25519: passkeys\/1-approved\.txt\)/,
        // In CMS the signers stand in the order of their octets (RFC 5652 §5.1, a SET OF in DER).
        files: /passkeys\/1 \(sha256: signatures\/1-2\.attributes signatures\/2-[12]\.attributes\)/,
      };
      expect(checked.output).toMatch(passkeys[level]);
      writeFileSync(join(folder, 'summary.pdf'), files['summary.pdf']!);
      const summary = run('pdftotext', ['-layout', join(folder, 'summary.pdf'), '-']).output;
      for (const word of [requests[level], 'John Doe', 'session.signed', 'Contract.pdf'])
        expect(summary).toContain(word);
    }, 60_000);
  }

  test.each(['advanced', 'standard', 'files'])(
    'C6 each command of README.txt (%s) runs as it stands, and succeeds',
    level => {
      const unpacked = mkdtempSync(join(folder, 'readme-'));
      const files = unzipSync(readFileSync(join(folder, `${level}.zip`)));
      execFileSync('unzip', ['-q', join(folder, `${level}.zip`), '-d', unpacked]);
      const script = Buffer.from(files['README.txt']!)
        .toString()
        .split('\n')
        .filter(line => line.startsWith('    '))
        .map(line => line.slice(4));
      expect(script.filter(line => line.startsWith('openssl')).length).toBeGreaterThan(8);
      const { status, output } = run('/bin/sh', ['-c', `cd '${unpacked}' && set -e\n${script.join('\n')}`]);
      expect({ status, output }).toMatchObject({ status: 0, output: expect.not.stringMatching(/WRONG/) });
    },
  );

  test.each([
    'documents/1-original.pdf',
    'documents/1-finished.pdf',
    'signatures/1-1.p7s',
    'signatures/1-1.content',
    'signatures/1-1.tst',
    'signatures/1-2.attributes',
    'passkeys/1-authenticator.bin',
    'passkeys/1-client.json',
    'passkeys/1-key.pem',
    'passkeys/1-mark.bin',
    'passkeys/1-proof.json',
    'passkeys/1-signature.bin',
    'log/chain.txt',
    'log/entries/*',
    'log/heads/*',
  ])('C6 the script finds one changed byte in %s, though its sum is written anew', pattern => {
    const files = unzipSync(readFileSync(join(folder, 'advanced.zip')));
    const name = Object.keys(files).findLast(each =>
      pattern.endsWith('*') ? each.startsWith(pattern.slice(0, -1)) : each === pattern,
    )!;
    const bytes = files[name]!;
    // A token ends with its signature; in its middle are certificates that it only brings along.
    bytes[name.endsWith('.tst') ? bytes.length - 1 : bytes.length >> 1]! ^= 1;
    writeFileSync(join(folder, 'changed'), bytes);
    const sum = execFileSync('sha256sum', [join(folder, 'changed')])
      .toString()
      .slice(0, 64);
    const sums = Buffer.from(files.SHA256SUMS!).toString();
    const line = new RegExp(`^[0-9a-f]{64}(?=  ${name.replaceAll('.', '\\.')}$)`, 'm');
    expect(sums).toMatch(line);
    files.SHA256SUMS = new Uint8Array(Buffer.from(sums.replace(line, sum)));
    const zip = join(folder, 'changed.zip');
    writeFileSync(zip, zipSync(files));
    const checked = check(folder, zip);
    expect(checked.status).not.toBe(0);
    expect(checked.output).toMatch(/^WRONG: (?!files)/);
  });

  test('verify says in one sentence what was tampered with, and its status is 1', async () => {
    await gateway.stop();
    const file = join(site.config.folder, site.config.state, 'signpost.db');
    const database = new DatabaseSync(file);
    // What comes before it is proven already, and it is no proof itself.
    const kind = "json_extract(body, '$.kind')";
    const first = `SELECT min(sequence) FROM evidence WHERE ${kind} = 'log.timestamped'`;
    const before = database
      .prepare(
        `SELECT sequence, body FROM evidence WHERE sequence > (${first}) AND ${kind} <> 'log.timestamped' ORDER BY sequence LIMIT 1`,
      )
      .get() as { sequence: number; body: string };
    const set = (body: string) => {
      database.exec('DROP TRIGGER evidence_never_updated');
      database.prepare('UPDATE evidence SET body = ? WHERE sequence = ?').run(body, before.sequence);
      database.exec(`CREATE TRIGGER evidence_never_updated BEFORE UPDATE ON evidence
        BEGIN SELECT RAISE(ABORT, 'the evidence log is append-only'); END`);
    };
    set(before.body.replace(/"salt":"./, '"salt":"x'));
    expect(signpost('evidence', 'verify')).toMatchObject({
      status: 1,
      output: expect.stringMatching(new RegExp(`tampered with or damaged: at entry ${before.sequence}, .*proven`)),
    });
    set(before.body);
    database.close();
    expect(signpost('evidence', 'verify')).toMatchObject({ status: 0 });
    gateway = await startGatewayProcess(site, log());
  }, 60_000);

  async function withCore<T>(work: (core: Awaited<ReturnType<typeof openCore>>) => Promise<T>): Promise<T> {
    const core = await openCore(site.config, { logger: pino({ level: 'silent' }) });
    try {
      return await work(core);
    } finally {
      await core.close();
    }
  }
});

function check(folder: string, zip: string) {
  const into = mkdtempSync(join(folder, 'unpacked-'));
  return run('/bin/sh', [CHECK, zip, into]);
}

/** Until the process has ended, and with it its hold on the state. */
async function gone(pid: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  throw new Error(`process ${pid} lives on`);
}

function bodies(site: Site): { kind: string; subjects: { request?: string; person?: string }; facts: object }[] {
  const database = new DatabaseSync(join(site.config.folder, site.config.state, 'signpost.db'), { readOnly: true });
  try {
    return database
      .prepare('SELECT body FROM evidence ORDER BY sequence')
      .all()
      .map(({ body }) => JSON.parse(String(body)));
  } finally {
    database.close();
  }
}
