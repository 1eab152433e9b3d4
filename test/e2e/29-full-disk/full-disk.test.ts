/**
 * A disk that is really full while certificates are issued and revoked: a small tmpfs holds the gateway's state. Nobody gets
 * half a certificate, nothing has to be started again, and OpenSSL reads what was published before, meanwhile and afterwards.
 */
import { execFile, execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Problem } from '../../../src/client/connection.ts';
import { linkToken, SignpostDevice } from '../../../src/client/device.ts';
import { linkIn, waitForLetter } from '../../../src/tryout/letters.ts';
import { addressOf, makeSite, SIGN_DOMAIN, type Site } from '../../../src/tryout/site.ts';
import { memoryStore } from '../../support/device-store.ts';
import { type GatewayProcess, startGatewayProcess } from '../../support/gateway-process.ts';
import { simplePdf } from '../../support/pdfs.ts';
import { has, run } from '../../support/tools.ts';

const BIN = new URL('../../../bin/signpost.js', import.meta.url).pathname;
const MARY = addressOf('mary.smith');
/** Many commands, each a process; the machine may be busy. Milliseconds. */
const PATIENCE = 300_000;

interface Facts {
  readonly serial: string;
  readonly state: string;
  readonly deviceId: string | null;
}

describe.skipIf(!has('openssl') || process.getuid?.() !== 0)('a full disk', { timeout: PATIENCE }, () => {
  let folder: string;
  let site: Site;
  let gateway: GatewayProcess;
  let device: SignpostDevice;
  let mounted = false;
  const at = (...names: string[]): string => join(folder, ...names);
  const numbers: number[] = [];

  beforeAll(async () => {
    folder = mkdtempSync('/tmp/signpost-disk-');
    mkdirSync(at('state'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=0700', 'tmpfs', at('state')], { stdio: 'ignore' });
      mounted = true;
    } catch {
      return;
    }
    site = await makeSite({
      folder,
      postfix: false,
      configure: config => Object.assign(config, { state: at('state') }),
    });
    gateway = await startGatewayProcess(site, at('log'));
    device = await enrol();
  }, 120_000);
  afterAll(async () => {
    await gateway?.stop();
    await site?.stop();
    if (mounted) execFileSync('umount', [at('state')]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Takes all that is left, to the last byte. */
  function fill(): void {
    const file = openSync(at('state', 'filler'), 'w');
    for (let size = 1 << 20; size >= 1; size >>= 1) {
      try {
        for (;;) writeSync(file, Buffer.alloc(size));
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
      }
    }
    closeSync(file);
  }
  const free = (): void => rmSync(at('state', 'filler'));

  function signpost(...args: string[]): Promise<{ status: number; output: string }> {
    return new Promise(resolve => {
      execFile(process.execPath, [BIN, ...args, '--config', site.configFile], (error, stdout, stderr) => {
        resolve({ status: error ? Number(error.code) : 0, output: `${stdout}${stderr}` });
      });
    });
  }

  async function enrol(): Promise<SignpostDevice> {
    const { output } = await signpost('user', 'code', 'mary.smith');
    const made = await SignpostDevice.open({ origin: site.config.publicUrl, store: memoryStore() });
    const code = output.split('\n')[0]!;
    await made.enrol({ address: MARY, code, link: null, name: 'Test device', kind: 'command-line' });
    return made;
  }

  const persons = async (): Promise<Facts[]> =>
    JSON.parse((await signpost('certs', 'list', '--json')).output) as Facts[];

  async function ask(subject: string): Promise<string> {
    await site.send({
      from: MARY,
      to: [`self@${SIGN_DOMAIN}`],
      subject: `Advanced: ${subject}`,
      attachments: [{ filename: 'contract.pdf', content: simplePdf({ text: subject }) }],
    });
    const fits = ({ parsed }: { parsed: { subject?: string } }): boolean => parsed.subject!.includes(subject);
    return linkToken(linkIn(await waitForLetter(site.mailboxes, MARY, 'please-sign', fits)))!;
  }

  async function sign(token: string): Promise<unknown> {
    const view = await device.view(token);
    return device.sign(token, view, await device.download(token, view)).then(
      () => null,
      (error: unknown) => error,
    );
  }

  /** The published list's number and entries, read and verified by openssl; null where there is none just now. */
  async function crl(): Promise<string | null> {
    const answer = await fetch(`${site.config.publicUrl}/crl/company.crl`);
    if (answer.status !== 200) {
      expect(answer.status).toBe(503);
      return null;
    }
    writeFileSync(at('crl.der'), Buffer.from(await answer.arrayBuffer()));
    const trust = join(site.config.folder, 'certs', 'ca.pem');
    const told = 'exec openssl crl -inform DER -in "$0" -noout -text -CAfile "$1" 2>&1';
    const { output } = run('/bin/sh', ['-c', told, at('crl.der'), trust]);
    expect(output).toContain('verify OK');
    numbers.push(Number(/CRL Number: \s*(\d+)/.exec(output)![1]));
    return output;
  }

  test('while a certificate is issued: a temporary fault, no certificate, and then one without a restart', async context => {
    if (!mounted) return context.skip('no right to mount a small disk');
    const token = await ask('one');
    await crl();
    fill();
    const faults = [await sign(token), await sign(token), await sign(token)];
    for (const fault of faults) {
      expect(fault).toBeInstanceOf(Problem);
      // Not the person's fault, and not for good.
      expect(fault).toMatchObject({ status: 503, type: 'try-later' });
    }
    free();
    expect(await persons()).toEqual([]);
    expect(await sign(token)).toBeNull();
    await waitForLetter(site.mailboxes, MARY, 'finished');
    const [issued, ...others] = await persons();
    expect(issued).toMatchObject({ state: 'valid' });
    expect(others).toEqual([]);
  });

  test('while one is revoked: said, and nothing is half revoked; afterwards it is, and the numbers went on', async context => {
    if (!mounted) return context.skip('no right to mount a small disk');
    const [{ serial }] = (await persons()) as [Facts];
    const before = await crl();
    expect(before).toContain('No Revoked Certificates');
    fill();
    const failed = await signpost('certs', 'revoke', serial, '--reason', 'superseded');
    expect(failed.status).not.toBe(0);
    expect(failed.output).toMatch(/full|space/i);
    const meanwhile = await crl();
    if (meanwhile !== null) expect(meanwhile).toContain('No Revoked Certificates');
    free();
    expect(await persons()).toEqual([expect.objectContaining({ serial, state: 'valid' })]);
    const revoked = await signpost('certs', 'revoke', serial, '--reason', 'superseded');
    expect(revoked, revoked.output).toMatchObject({ status: 0 });
    expect(await crl()).toContain(serial.toUpperCase());
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(numbers.at(-1)).toBeGreaterThan(numbers[0]!);
  });

  test('full and free again, many times: every serial is one certificate', async context => {
    if (!mounted) return context.skip('no right to mount a small disk');
    for (let round = 0; round < 3; round++) {
      const token = await ask(`round ${round}`);
      fill();
      const early = sign(token);
      await new Promise(resolve => setTimeout(resolve, 20 * round));
      free();
      if ((await early) !== null) expect(await sign(token)).toBeNull();
      for (const { serial, state } of await persons())
        if (state === 'valid') await signpost('certs', 'revoke', serial, '--reason', 'superseded');
    }
    const serials = (await persons()).map(({ serial }) => serial);
    expect(serials.length).toBeGreaterThanOrEqual(4);
    expect(new Set(serials).size).toBe(serials.length);
    for (const serial of serials) expect(await crl()).toContain(serial.toUpperCase());
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  });
});
