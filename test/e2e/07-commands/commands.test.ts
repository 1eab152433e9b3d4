/** The admin's commands, as an admin runs them: through bin/signpost.js, beside a running gateway. */
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linkIn, waitForLetter } from '../../../src/tryout/letters.ts';
import { addressOf } from '../../../src/tryout/site.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { hasPostfix, run } from '../../support/tools.ts';

const BIN = new URL('../../../bin/signpost.js', import.meta.url).pathname;

function signpost(...args: string[]): Promise<{ status: number; output: string }> {
  return new Promise(resolve => {
    execFile(
      process.execPath,
      [BIN, ...args],
      { env: { PATH: process.env.PATH, HOME: '/nonexistent' } },
      (error, stdout, stderr) => {
        resolve({ status: error ? Number(error.code) : 0, output: `${stdout}${stderr}` });
      },
    );
  });
}

const FLAGS = [
  '--company',
  'Société Générale d’Essai S.A.',
  '--vat',
  'LU12345678',
  '--country',
  'LU',
  '--mail-domain',
  'company.com',
  '--sign-domain',
  'sign.company.com',
  '--url',
  'https://sign.company.com',
];

describe('signpost init', () => {
  const folder = mkdtempSync('/tmp/signpost-init-');
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(['ecdsa', 'rsa'])(
    'makes a whole installation with %s keys, and prints the Postfix and DNS lines',
    async keys => {
      const dir = join(folder, keys);
      const made = await signpost('init', dir, ...FLAGS, '--keys', keys);
      expect(made, made.output).toMatchObject({ status: 0 });
      expect(made.output).toContain('smtpd_milters = inet:127.0.0.1:8891');
      expect(made.output).toContain('{ sign.company.com = lmtp:inet:127.0.0.1:8892 }');
      expect(made.output).toMatch(/sign\.company\.com\.\s+IN MX/);
      for (const secret of [
        'passphrase',
        'keys/ca.p8',
        'keys/seal.p8',
        'keys/tsa.p8',
        'keys/ocsp.p8',
        'keys/gateway.p8',
        'keys/verdict.key',
        'keys/link.key',
        'keys/token.key',
      ]) {
        expect(statSync(join(dir, secret)).mode & 0o777, secret).toBe(0o600);
      }
      // OpenSSL opens the keys with the passphrase, and not without.
      const key = ['pkey', '-in', join(dir, 'keys/ca.p8'), '-noout', '-text'];
      expect(run('openssl', [...key, '-passin', `file:${join(dir, 'passphrase')}`]).output).toContain(
        keys === 'rsa' ? '(3072 bit' : 'prime256v1',
      );
      expect(run('openssl', [...key, '-passin', 'pass:wrong']).status).not.toBe(0);
      expect(
        run('openssl', [
          'verify',
          '-x509_strict',
          '-CAfile',
          join(dir, 'certs/ca.pem'),
          join(dir, 'certs/seal.pem'),
          join(dir, 'certs/tsa.pem'),
        ]).status,
      ).toBe(0);
      expect((await signpost('check-config', '--config', join(dir, 'signpost.yaml'))).status).toBe(0);
    },
  );

  test('check-config finds what stands in the people file and the relays, too', async () => {
    const dir = join(folder, 'checked');
    expect((await signpost('init', dir, ...FLAGS)).status).toBe(0);
    const config = join(dir, 'signpost.yaml');
    const check = () => signpost('check-config', '--config', config);
    const people = readFileSync(join(dir, 'people.yaml'), 'utf8');
    writeFileSync(join(dir, 'people.yaml'), people.replace('mail: john.doe@', 'mail: john.doe at '));
    expect(await check()).toMatchObject({
      status: 1,
      output: expect.stringContaining('such as mary.smith@company.com'),
    });
    writeFileSync(join(dir, 'people.yaml'), people);
    writeFileSync(
      config,
      readFileSync(config, 'utf8').replace('# authenticatingRelays: []', 'authenticatingRelays: [mail]'),
    );
    expect(await check()).toMatchObject({
      status: 1,
      output: expect.stringContaining('write an IP address or a range'),
    });
  });

  test('an installation of an earlier version gets the key that it lacks, once', async () => {
    const dir = join(folder, 'ecdsa');
    const key = join(dir, 'keys/token.key');
    const list = () => signpost('requests', 'list', '--config', join(dir, 'signpost.yaml'));
    rmSync(key);
    expect((await list()).status).toBe(0);
    expect(statSync(key).mode & 0o777).toBe(0o600);
    const made = readFileSync(key, 'utf8');
    expect(made).toMatch(/^[0-9a-f]{64}\n$/);
    await list();
    expect(readFileSync(key, 'utf8')).toBe(made);
  });

  test('never overwrites', async () => {
    const file = join(folder, 'ecdsa', 'signpost.yaml');
    const before = readFileSync(file, 'utf8');
    const again = await signpost('init', join(folder, 'ecdsa'), ...FLAGS, '--company', 'Other');
    expect(again.status).toBe(1);
    expect(again.output).toContain('nothing is ever overwritten');
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  test('asks on no terminal: names the missing flag', async () => {
    const made = await signpost('init', join(folder, 'none'));
    expect(made).toMatchObject({ status: 1, output: expect.stringContaining('--company') });
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });
});

describe.skipIf(!hasPostfix)('beside a running gateway', () => {
  let company: Company;
  const config = (): string[] => ['--config', company.site.configFile];
  const store = (): string[] => ['--store', join(company.folder, 'device')];

  beforeAll(async () => {
    company = await startCompany({ configure: data => Object.assign(data, { enrolment: { mailedCode: false } }) });
  });
  afterAll(() => company?.stop());

  test('a second start on the same state folder is refused', async () => {
    const second = spawn(process.execPath, [BIN, 'serve', ...config()], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [second.stdout, second.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const status = await new Promise(resolve => second.on('exit', resolve));
    expect(status).toBe(1);
    expect(output).toContain('already running');
  });

  test('user code, device enrol, list, show, sign; requests list, show; devices list, revoke', async () => {
    const code = (await signpost('user', 'code', 'john.doe', ...config())).output.slice(0, 9);
    expect(code).toMatch(/^\d{9}$/);
    const enrolled = await signpost(
      'device',
      'enrol',
      company.site.config.publicUrl,
      addressOf('john.doe'),
      '--code',
      code,
      ...store(),
    );
    expect(enrolled, enrolled.output).toMatchObject({ status: 0 });
    const reused = await signpost(
      'device',
      'enrol',
      company.site.config.publicUrl,
      addressOf('john.doe'),
      '--code',
      code,
      '--store',
      join(company.folder, 'second'),
    );
    expect(reused.status).toBe(1);

    const [letter] = await company.ask('mary.smith', ['john.doe'], 'Advanced: the lease');
    expect((await signpost('device', 'list', ...store())).output).toContain('the lease');
    expect((await signpost('device', 'show', linkIn(letter!), ...store())).output).toContain('Mary Smith');
    const listed = await signpost('requests', 'list', ...config());
    expect(listed.output).toContain(letter!.request!);
    const signed = await signpost('device', 'sign', linkIn(letter!), '--yes', ...store());
    expect(signed, signed.output).toMatchObject({ status: 0 });
    await waitForLetter(
      company.site.mailboxes,
      addressOf('mary.smith'),
      'finished',
      ({ request }) => request === letter!.request,
    );
    const shown = await signpost('requests', 'show', letter!.request!, '--json', ...config());
    expect(JSON.parse(shown.output)).toMatchObject({
      state: 'finished',
      signatories: [{ mail: addressOf('john.doe'), state: 'signed' }],
    });

    const devices = JSON.parse((await signpost('devices', 'list', '--json', ...config())).output) as {
      id: string;
      state: string;
    }[];
    expect(devices.filter(({ state }) => state === 'active')).toHaveLength(1);
    const [another] = await company.ask('mary.smith', ['john.doe']);
    expect((await signpost('devices', 'revoke', devices[0]!.id.slice(0, 12), ...config())).status).toBe(0);
    // A revoked device sees what an unknown link shows, at once.
    expect((await signpost('device', 'sign', linkIn(another!), '--yes', ...store())).status).toBe(1);
    await waitForLetter(company.site.mailboxes, addressOf('john.doe'), 'device-removed');
  });

  test('requests cancel: every party is told, the link is dead', async () => {
    const [letter] = await company.ask('mary.smith', ['john.doe']);
    const cancelled = await signpost('requests', 'cancel', letter!.request!, ...config());
    expect(cancelled, cancelled.output).toMatchObject({ status: 0 });
    for (const person of ['mary.smith', 'john.doe'])
      await waitForLetter(
        company.site.mailboxes,
        addressOf(person),
        'cancelled',
        ({ request }) => request === letter!.request,
      );
    expect((await signpost('requests', 'cancel', letter!.request!, ...config())).status).toBe(1);
  });

  test('what an admin can mend is one sentence, without a stack', async () => {
    for (const args of [
      ['requests', 'show', 'NOSUCH', ...config()],
      ['user', 'code', 'nobody', ...config()],
      ['requests', 'list', '--config', '/nonexistent.yaml'],
    ]) {
      const { status, output } = await signpost(...args);
      expect(status).toBe(1);
      expect(output).toMatch(/^signpost: .+\n$/);
    }
  });
});
