/**
 * The gateway in a process of its own with the most talkative log, a key on a PKCS#11 token, two people who set up a device,
 * sign and approve; then every secret of theirs and of the company is looked for in all that was written down.
 */
import { execFile, spawn } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linkToken, SignpostDevice } from '../../../src/client/device.ts';
import { fileStore } from '../../../src/commands/device-store.ts';
import { codeIn, type Letter, linkIn, read, waitForLetter } from '../../../src/tryout/letters.ts';
import { addressOf, makeSite, SIGN_DOMAIN, type Site } from '../../../src/tryout/site.ts';
import { type GatewayProcess, startGatewayProcess } from '../../support/gateway-process.ts';
import { simplePdf } from '../../support/pdfs.ts';
import { SOFTHSM_MODULE, SoftHsm } from '../../support/softhsm.ts';
import { has, run } from '../../support/tools.ts';
import { found, type Secret, secretBytes, secretJwk, secretKey, secretText } from './forms.ts';

const BIN = new URL('../../../bin/signpost.js', import.meta.url).pathname;
const MARY = addressOf('mary.smith');
const JOHN = addressOf('john.doe');
/** Where secrets belong: named by the configuration, mode 0600. */
const THEIR_PLACE = /^(passphrase|keys\/.*)$/;

const MARK = { kind: 'typed', text: 'John Doe' } as const;

interface DeviceFile {
  readonly device: {
    readonly authentication: Record<string, unknown>;
    readonly signing: { readonly key: Record<string, unknown> } | null;
    readonly token?: { readonly key: string } | null;
  };
}

describe.skipIf(!has('openssl', 'softhsm2', 'unzip'))('secrets', () => {
  let folder: string;
  let site: Site;
  let hsm: SoftHsm;
  let gateway: GatewayProcess;
  /** Those that stand in nothing but their own files, and those that a mail brings to their owner. */
  const secrets: Secret[] = [];
  const mailed: { readonly secret: Secret; readonly owner: string }[] = [];
  /** Codes are digits: looked for alone between other letters, because they are too short to be looked for as they are. */
  const codes: { readonly code: string; readonly owner: string }[] = [];
  /** Environment and command line of the gateway and its children, seen while they worked. */
  const processes = new Map<string, Buffer>();
  /** All that commands printed, but for the one that shows a code. */
  const printed: string[] = [];
  let watching: NodeJS.Timeout;
  const at = (...names: string[]): string => join(folder, ...names);

  beforeAll(async () => {
    folder = mkdtempSync('/tmp/signpost-secrets-');
    mkdirSync(at('tmp'));
    hsm = new SoftHsm();
    site = await makeSite({
      folder,
      configure: config => {
        config.log = { level: 'debug' };
        config.pki = {
          keys: {
            tsa: { pkcs11: { module: SOFTHSM_MODULE, token: hsm.label, label: 'tsa', pinFile: 'keys/pin' } },
          },
        };
      },
    });
    const { folder: home } = site.config;
    writeFileSync(join(home, 'keys', 'pin'), `${hsm.pin}\n`, { mode: 0o600 });
    for (const name of ['keys/tsa.p8', 'certs/tsa.pem']) renameSync(join(home, name), at(name.replace('/', '-')));
    await signpost('keys', 'generate', 'tsa');
    await signpost('keys', 'list');
    gateway = await startGatewayProcess(site, at('log'), { TMPDIR: at('tmp') });
    watching = setInterval(lookAtProcesses, 100);
    await signAdvancedAndStandard();
    lookAtProcesses();
    collectCompanySecrets();
  }, 240_000);
  afterAll(async () => {
    clearInterval(watching);
    await gateway?.stop();
    await site?.stop();
    hsm?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  function signpost(...args: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const env = { ...process.env, TMPDIR: at('tmp') };
      const all = [BIN, ...args, '--config', site.configFile];
      execFile(process.execPath, all, { env }, (error, stdout, stderr) => {
        if (error) return reject(new Error(`${args.join(' ')}: ${stdout}${stderr}`));
        if (args[1] !== 'code') printed.push(stdout, stderr);
        resolve(stdout);
      });
    });
  }

  function lookAtProcesses(): void {
    const look = (pid: string): void => {
      try {
        for (const name of ['environ', 'cmdline'])
          processes.set(`${pid} ${name}`, readFileSync(`/proc/${pid}/${name}`));
        for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ')) {
          if (child !== '') look(child);
        }
      } catch {
        // It has ended meanwhile.
      }
    };
    look(String(gateway.pid));
  }

  async function ask(subject: string): Promise<Letter[]> {
    await site.send({
      from: MARY,
      to: [`self@${SIGN_DOMAIN}`, `john.doe@${SIGN_DOMAIN}`],
      subject,
      attachments: [{ filename: 'contract.pdf', content: simplePdf({ text: subject }) }],
    });
    return Promise.all(
      [MARY, JOHN].map(to =>
        waitForLetter(site.mailboxes, to, 'please-sign', ({ parsed }) => parsed.subject!.includes(subject)),
      ),
    );
  }

  async function signAdvancedAndStandard(): Promise<void> {
    const devices = new Map<string, SignpostDevice>();
    for (const subject of ['Advanced: one', 'Standard: two']) {
      const letters = await ask(subject);
      for (const [index, owner] of [MARY, JOHN].entries()) {
        const token = linkToken(linkIn(letters[index]!))!;
        mailed.push({ secret: secretText(`link of ${owner} to ${subject}`, token), owner });
        const device = devices.get(owner) ?? (await enrol(owner, token));
        devices.set(owner, device);
        const view = await device.view(token);
        const documents = await device.download(token, view);
        if (subject.startsWith('Advanced')) await device.sign(token, view, documents);
        else await device.approve(token, view, documents, { signature: MARK, paraph: MARK, place: null });
      }
      for (const to of [MARY, JOHN]) {
        await waitForLetter(site.mailboxes, to, 'finished', ({ request }) => request === letters[0]!.request);
      }
      await signpost('requests', 'show', letters[0]!.request!);
      await signpost('evidence', 'export', letters[0]!.request!, '--out', at(`${letters[0]!.request}.zip`));
    }
    for (const owner of [MARY, JOHN]) {
      const name = readdirSync(at(owner)).find(file => file.endsWith('.json') || file.includes('device'))!;
      const { device } = JSON.parse(readFileSync(at(owner, name), 'utf8')) as DeviceFile;
      secrets.push(
        secretJwk(`${owner}: key of the device`, device.authentication),
        secretJwk(`${owner}: signing key`, device.signing!.key),
        secretBytes(`${owner}: token key (the secret of one-time approvals)`, Buffer.from(device.token!.key, 'base64')),
      );
    }
  }

  /** Mary with a mailed code, John with the admin's. */
  async function enrol(owner: string, link: string): Promise<SignpostDevice> {
    const device = await SignpostDevice.open({
      origin: site.config.publicUrl,
      store: fileStore(at(owner), site.config.publicUrl),
    });
    let code: string;
    if (owner === MARY) {
      await device.requestCode(owner, link);
      code = codeIn(await waitForLetter(site.mailboxes, owner, 'enrolment-code'));
    } else code = (await signpost('user', 'code', 'john.doe')).split('\n')[0]!;
    codes.push({ code, owner });
    await device.enrol({ address: owner, code, link, name: 'Test device', kind: 'command-line' });
    return device;
  }

  function collectCompanySecrets(): void {
    const { folder: home } = site.config;
    const passphrase = readFileSync(join(home, 'passphrase'), 'utf8').trim();
    secrets.push(secretText('passphrase', passphrase), secretText('PIN of the token', hsm.pin));
    for (const name of readdirSync(join(home, 'keys'), { recursive: true, encoding: 'utf8' })) {
      const text = name === 'pin' ? '' : readFileSync(join(home, 'keys', name), 'utf8');
      if (name.endsWith('.p8')) secrets.push(secretKey(name, createPrivateKey({ key: text, passphrase })));
      if (name.endsWith('.key')) {
        const bytes = Buffer.from(text.trim(), 'hex');
        expect(bytes.length, name).toBeGreaterThanOrEqual(32);
        secrets.push(secretBytes(name, bytes));
      }
    }
  }

  const filesIn = (path: string): string[] =>
    readdirSync(path, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name));

  /** Everything that was written down, by where. */
  function places(): [string, Buffer][] {
    const { folder: home } = site.config;
    const files = [
      ...filesIn(home),
      ...filesIn(at('tmp')),
      at('log'),
      ...filesIn(folder).filter(name => name.endsWith('postfix/log')),
    ];
    const zips = readdirSync(folder)
      .filter(name => name.endsWith('.zip'))
      .flatMap((name): [string, Buffer][] => {
        mkdirSync(at('unpacked', name), { recursive: true });
        expect(run('unzip', ['-o', '-q', at(name), '-d', at('unpacked', name)]).status).toBe(0);
        return filesIn(at('unpacked', name)).map((file): [string, Buffer] => [`${name} ${file}`, readFileSync(file)]);
      });
    return [
      ...files
        .filter(file => !THEIR_PLACE.test(relative(home, file)))
        .map((file): [string, Buffer] => [file, readFileSync(file)]),
      ...processes,
      ...zips,
      ['what commands printed', Buffer.from(printed.join('\n'))],
    ];
  }

  const alone = (code: string): RegExp => new RegExp(`(?<![0-9A-Za-z.:_-])${code}(?![0-9A-Za-z.:_-])`);

  test('C8 every secret was there to be found', () => {
    expect(secrets.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'passphrase',
        'PIN of the token',
        'ca.p8',
        'seal.p8',
        'ocsp.p8',
        'gateway.p8',
        'verdict.key',
        'link.key',
        'token.key',
      ]),
    );
    expect(secrets.length).toBeGreaterThanOrEqual(15);
    expect(mailed).toHaveLength(4);
    expect(codes).toHaveLength(2);
    for (const { forms } of secrets) for (const form of forms) expect(form.length).toBeGreaterThanOrEqual(5);
  });

  test('C8 none of it is in the log, the database, the state folder, temporary files, evidence, or what commands print', async () => {
    // The bytes of a mail go when it is settled.
    const here = (): string[] =>
      places().flatMap(([place, bytes]) => [
        ...found([...secrets, ...mailed.map(({ secret }) => secret)], bytes).map(name => `${name} in ${place}`),
        ...codes
          .filter(({ code }) => alone(code).test(bytes.toString('latin1')))
          .map(({ owner }) => `code of ${owner} in ${place}`),
      ]);
    await expect.poll(here, { timeout: 20_000, interval: 500 }).toEqual([]);
    const names = places().map(([place]) => place);
    for (const part of ['signpost.db', 'signpost.db-wal', '/blobs/', '/log', ' environ', ' cmdline', '.zip']) {
      expect(
        names.some(name => name.includes(part)),
        part,
      ).toBe(true);
    }
    // The log did talk.
    expect(readFileSync(at('log'), 'utf8').split('\n').length).toBeGreaterThan(20);
  });

  test("C8 links and codes are in mails to their owner alone, everything else in nobody's", async () => {
    let seen = 0;
    for (const mail of site.mailboxes.mails) {
      const { parsed } = await read(mail);
      const bytes = Buffer.concat([
        mail.raw,
        Buffer.from(`${parsed.text}\n${parsed.html}`),
        ...parsed.attachments.map(({ content }) => content),
      ]);
      expect(found(secrets, bytes)).toEqual([]);
      for (const { secret, owner } of mailed) {
        if (!found([secret], bytes).length) continue;
        expect(mail.to).toEqual([owner]);
        seen += 1;
      }
      for (const { code, owner } of codes) {
        if (!new RegExp(`\\b${code}\\b`).test(parsed.text ?? '')) continue;
        expect(mail.to).toEqual([owner]);
        seen += 1;
      }
    }
    expect(seen).toBeGreaterThanOrEqual(5);
  });

  test('C8 the control: each of them in each of its forms is found where it is planted', async () => {
    const state = join(site.config.folder, site.config.state);
    const place = join(state, 'blobs', 'planted');
    for (const secret of [...secrets, ...mailed.map(one => one.secret)]) {
      for (const form of secret.forms) {
        writeFileSync(place, Buffer.concat([Buffer.from('{"level":20,"msg":"'), form, Buffer.from('"}\n')]));
        expect(found([...secrets, ...mailed.map(one => one.secret)], readFileSync(place))).toContain(secret.name);
      }
    }
    rmSync(place);
    for (const { code } of codes) expect(alone(code).test(`{"code":"${code}"}`)).toBe(true);
    // In a database's log that is not yet written back, in an environment and on a command line.
    const database = new DatabaseSync(join(at('tmp'), 'planted.db'));
    database.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (a)');
    database.prepare('INSERT INTO t VALUES (?)').run(secrets.at(-1)!.forms[0]!);
    const passphrase = secrets.find(({ name }) => name === 'passphrase')!.forms[0]!.toString();
    const child = spawn('/bin/sleep', ['60'], { env: { PASSPHRASE: passphrase }, argv0: hsm.pin });
    try {
      processes.set('planted environ', readFileSync(`/proc/${child.pid}/environ`));
      processes.set('planted cmdline', readFileSync(`/proc/${child.pid}/cmdline`));
      const hits = places().flatMap(([name, bytes]) =>
        found(secrets, bytes).map(secret => `${secret} in ${name.split('/').at(-1)}`),
      );
      expect(hits).toEqual(
        expect.arrayContaining([
          `${secrets.at(-1)!.name} in planted.db-wal`,
          'passphrase in planted environ',
          'PIN of the token in planted cmdline',
        ]),
      );
    } finally {
      child.kill();
      database.close();
    }
  });
});
