/**
 * The life of a person's certificate, seen through mail and a device: revoked, held, enabled, renewed. OpenSSL and poppler
 * judge beside `signpost verify`.
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Requests } from '../../../src/requests/requests.ts';
import { linkIn, waitForLetter } from '../../../src/tryout/letters.ts';
import { addressOf } from '../../../src/tryout/site.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { has, hasPostfix, run } from '../../support/tools.ts';

const BIN = new URL('../../../bin/signpost.js', import.meta.url).pathname;
const JOHN = addressOf('john.doe');
/** Many commands, each a process; the machine may be busy. Milliseconds. */
const PATIENCE = 300_000;

interface Facts {
  readonly serial: string;
  readonly deviceId: string;
  readonly state: string;
  readonly reason: string | null;
  readonly revokedAt: string | null;
  readonly subject: string;
}

function signpost(...args: string[]): Promise<{ status: number; output: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, [BIN, ...args], (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code) : 0, output: `${stdout}${stderr}` });
    });
  });
}

describe.skipIf(!hasPostfix || !has('openssl', 'poppler-utils'))('certificates of persons', () => {
  let company: Company;
  /** Done once between the next grant of a turn and its completion. */
  let betweenGrantAndSignature: (() => Promise<unknown>) | null = null;
  const interfering = (requests: Requests): Requests => ({
    ...requests,
    async completeTurn(...args) {
      const act = betweenGrantAndSignature;
      betweenGrantAndSignature = null;
      await act?.();
      return requests.completeTurn(...args);
    },
  });

  beforeAll(async () => {
    company = await startCompany({ gateway: { wrapRequests: interfering } });
    await enrol();
  });
  afterAll(() => company?.stop());

  const at = (name: string): string => join(company.folder, name);
  const certs = (...args: string[]) => signpost('certs', ...args, '--config', company.site.configFile);
  const listed = async (): Promise<Facts[]> => JSON.parse((await certs('list', '--json')).output) as Facts[];
  const newest = async (): Promise<Facts> => (await listed()).at(-1)!;
  let store = 0;

  async function enrol(): Promise<void> {
    const { output } = await signpost('user', 'code', 'john.doe', '--config', company.site.configFile);
    const code = output.split('\n')[0]!;
    store++;
    const to = [company.site.config.publicUrl, JOHN, '--code', code, '--store', at(`device-${store}`)];
    expect(await signpost('device', 'enrol', ...to)).toMatchObject({ status: 0 });
  }

  async function ask(): Promise<{ link: string; request: string }> {
    const [letter] = await company.ask('mary.smith', ['john.doe']);
    return { link: linkIn(letter!), request: letter!.request! };
  }

  const sign = ({ link }: { link: string }) =>
    signpost('device', 'sign', link, '--yes', '--store', at(`device-${store}`));

  async function finished(request: string): Promise<string> {
    const letter = await waitForLetter(company.site.mailboxes, JOHN, 'finished', mail => mail.request === request);
    const path = at(`${request}.pdf`);
    writeFileSync(path, letter.parsed.attachments[0]!.content);
    return path;
  }

  async function expectPassed(path: string): Promise<void> {
    const verified = await signpost('verify', path, '--config', company.site.configFile, '--json');
    expect(verified, verified.output).toMatchObject({ status: 0, output: expect.stringContaining('TOTAL-PASSED') });
    expect(verified.output).not.toMatch(/TOTAL-FAILED|INDETERMINATE/);
    const { output } = run('pdfsig', [path]);
    expect(output.match(/Signature is Valid/g) ?? [], output).toHaveLength(3);
  }

  /** What the public list says, read by OpenSSL. */
  async function crl(): Promise<string> {
    const { publicUrl } = company.site.config;
    writeFileSync(at('company.crl'), Buffer.from(await (await fetch(`${publicUrl}/crl/company.crl`)).arrayBuffer()));
    writeFileSync(at('trust.pem'), await (await fetch(`${publicUrl}/trust.pem`)).text());
    const { output } = run('openssl', ['crl', '-inform', 'DER', '-in', at('company.crl'), '-noout', '-text']);
    return output;
  }

  async function ocsp({ serial }: Facts): Promise<string> {
    const about = ['-issuer', at('trust.pem'), '-CAfile', at('trust.pem'), '-serial', `0x${serial}`];
    const url = `${company.site.config.publicUrl}/ocsp`;
    const answer = await new Promise<string>(resolve => {
      execFile('openssl', ['ocsp', ...about, '-url', url], (_error, stdout, stderr) => resolve(stdout + stderr));
    });
    expect(answer).toContain('Response verify OK');
    return answer;
  }

  let before: string;

  test(
    'C3 held: the device signs nothing, not even in a turn it has; enabled: it signs again, with the same certificate',
    async () => {
      const first = await ask();
      expect(await sign(first)).toMatchObject({ status: 0 });
      before = await finished(first.request);
      const certificate = await newest();
      expect(certificate).toMatchObject({ state: 'valid', subject: expect.stringContaining('John Doe') });

      const second = await ask();
      betweenGrantAndSignature = () => certs('revoke', certificate.serial.slice(0, 12), '--reason', 'certificateHold');
      const inFlight = await sign(second);
      expect(inFlight).toMatchObject({ status: 1, output: expect.stringContaining('suspended') });
      expect(betweenGrantAndSignature).toBeNull();
      expect(await sign(second)).toMatchObject({ status: 1 });
      expect(await listed()).toEqual([expect.objectContaining({ serial: certificate.serial, state: 'on hold' })]);
      const held = await crl();
      expect(held).toContain(certificate.serial.toUpperCase());
      expect(held).toContain('Certificate Hold');
      expect(await ocsp(certificate)).toMatch(/revoked[\s\S]*certificateHold/);

      expect(await certs('enable', certificate.serial)).toMatchObject({ status: 0 });
      expect(await crl()).toContain('No Revoked Certificates');
      expect(await ocsp(certificate)).toMatch(/: good/);
      expect(await sign(second)).toMatchObject({ status: 0 });
      await expectPassed(await finished(second.request));
      expect(await listed()).toEqual([expect.objectContaining({ serial: certificate.serial, state: 'valid' })]);
      expect(await certs('enable', certificate.serial)).toMatchObject({
        status: 1,
        output: expect.stringContaining('is not on hold'),
      });
    },
    PATIENCE,
  );

  test(
    'C3 superseded: renewed by itself inside the signing flow, a turn that it has included',
    async () => {
      const certificate = await newest();
      const request = await ask();
      betweenGrantAndSignature = () => certs('revoke', certificate.serial, '--reason', 'superseded');
      expect(await sign(request)).toMatchObject({ status: 0 });
      const renewed = await newest();
      expect(renewed.serial).not.toBe(certificate.serial);
      expect(renewed).toMatchObject({ state: 'valid', deviceId: certificate.deviceId });
      const path = await finished(request.request);
      await expectPassed(path);
      const verified = await signpost('verify', path, '--config', company.site.configFile, '--json');
      expect(verified.output).toContain(renewed.serial);
      expect(verified.output).not.toContain(certificate.serial);
    },
    PATIENCE,
  );

  test(
    'C3 revoked: refused at once and for good, what was signed and timestamped before stays valid',
    async () => {
      const certificate = await newest();
      const request = await ask();
      const revoked = await certs('revoke', certificate.serial, '--reason', 'keyCompromise');
      expect(revoked, revoked.output).toMatchObject({ status: 0 });
      expect(await sign(request)).toMatchObject({ status: 1, output: expect.stringContaining('revoked') });
      expect(await newest()).toMatchObject({ serial: certificate.serial, state: 'revoked', reason: 'keyCompromise' });
      expect(await ocsp(certificate)).toMatch(/revoked[\s\S]*keyCompromise/);
      for (const again of [
        await certs('enable', certificate.serial),
        await certs('revoke', certificate.serial, '--reason', 'certificateHold'),
      ])
        expect(again).toMatchObject({ status: 1, output: expect.stringContaining('keyCompromise') });
      await expectPassed(before);

      // A device that is set up anew has keys of its own.
      await enrol();
      expect(await sign(request)).toMatchObject({ status: 0 });
      await expectPassed(await finished(request.request));
    },
    PATIENCE,
  );

  test(
    'C3 a removed device: its certificate is revoked, a hold on it becomes final',
    async () => {
      const certificate = await newest();
      expect(await certs('revoke', certificate.serial, '--reason', 'certificateHold')).toMatchObject({ status: 0 });
      const removed = await signpost('devices', 'revoke', certificate.deviceId, '--config', company.site.configFile);
      expect(removed).toMatchObject({ status: 0 });
      expect(await newest()).toMatchObject({ serial: certificate.serial, state: 'revoked', reason: 'unspecified' });
      expect(await certs('enable', certificate.serial)).toMatchObject({ status: 1 });
      expect(await sign(await ask())).toMatchObject({ status: 1 });
      await expectPassed(before);
    },
    PATIENCE,
  );

  test(
    'C2 list, show and export: openssl reads every form, and verifies the chain',
    async () => {
      const { serial } = await newest();
      expect((await certs('list', '--person', 'john.doe')).output).toContain(serial.slice(0, 12));
      expect((await certs('list', '--person', 'mary.smith')).output).not.toContain(serial.slice(0, 12));
      const shown = await certs('show', serial);
      for (const part of [serial, 'John Doe', 'revoked', 'unspecified']) expect(shown.output).toContain(part);
      for (const format of ['pem', 'der', 'p7c'])
        expect(await certs('export', serial, '--format', format, '--out', at(`out.${format}`))).toMatchObject({
          status: 0,
        });
      expect(await certs('export', serial, '--out', at('out.pem'))).toMatchObject({ status: 1 });
      const [leaf, issuer] = readFileSync(at('out.pem'), 'utf8').split(/(?<=-----END CERTIFICATE-----\n)/);
      writeFileSync(at('leaf.pem'), leaf!);
      writeFileSync(at('issuer.pem'), issuer!);
      const verified = run('openssl', ['verify', '-x509_strict', '-CAfile', at('issuer.pem'), at('leaf.pem')]);
      expect(verified, verified.output).toMatchObject({ status: 0 });
      const printed = run('openssl', ['x509', '-inform', 'DER', '-in', at('out.der'), '-noout', '-serial']);
      expect(printed.output.trim()).toBe(`serial=${serial.toUpperCase()}`);
      const both = run('openssl', ['pkcs7', '-inform', 'DER', '-in', at('out.p7c'), '-print_certs', '-noout']);
      expect(both.output.match(/subject=/g)).toHaveLength(2);
      const none = await certs('show', 'ffff');
      expect(none).toMatchObject({ status: 1, output: expect.stringMatching(/^signpost: there is no certificate/) });
    },
    PATIENCE,
  );
});
