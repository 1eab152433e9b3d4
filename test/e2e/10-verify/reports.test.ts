/** `signpost verify` on transaction reports as a gateway wrote them: beside it, with its seal, elsewhere, changed. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linkIn, waitForLetter } from '../../../src/tryout/letters.ts';
import { addressOf } from '../../../src/tryout/site.ts';
import { type Company, startCompany } from '../../support/company.ts';

const SIGNPOST = fileURLToPath(new URL('../../../bin/signpost.js', import.meta.url));

interface Outcome {
  readonly status: number;
  readonly output: string;
}

const signpost = (...args: readonly string[]): Promise<Outcome> =>
  new Promise(resolve => {
    execFile(process.execPath, [SIGNPOST, ...args], (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code) : 0, output: `${stdout}${stderr}` });
    });
  });

describe('transaction reports', () => {
  let company: Company;
  let folder: string;
  let report: string;
  let sha256: string;
  let pdf: string;

  beforeAll(async () => {
    company = await startCompany({ postfix: false });
    folder = mkdtempSync(join(tmpdir(), 'signpost-reports-'));
    const { site, gateway } = company;
    const [letter] = await company.ask('mary.smith', ['self'], 'Standard: a report');
    const { code } = await gateway.core.devices.createAdminCode('mary.smith');
    const store = ['--store', join(folder, 'device')];
    const mail = addressOf('mary.smith');
    const enrolled = await signpost('device', 'enrol', ...store, site.config.publicUrl, mail, '--code', code);
    expect(enrolled.status, enrolled.output).toBe(0);
    const signed = await signpost('device', 'sign', ...store, linkIn(letter!), '--yes', '--type', 'Mary Smith');
    expect(signed.status, signed.output).toBe(0);
    const finished = await waitForLetter(site.mailboxes, mail, 'finished');
    pdf = join(folder, 'finished.pdf');
    writeFileSync(pdf, finished.parsed.attachments[0]!.content);
    const written = await signpost('requests', 'report', letter!.request!, '--out', folder, ...config());
    expect(written.status, written.output).toBe(0);
    report = join(folder, `${letter!.request}-1-report.txt`);
    const request = await gateway.core.requests.find(letter!.request!);
    sha256 = request!.documents[0]!.revisions![0]!.blob;
  });
  afterAll(async () => {
    await company?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const config = (): string[] => ['--config', company.site.configFile];

  /** A copy of the report in a place of its own, changed, with or without its seal. */
  function copy(change: (text: string) => string = text => text, seal = false): string {
    const path = join(mkdtempSync(join(folder, 'copy-')), 'report.txt');
    writeFileSync(path, change(readFileSync(report, 'utf8')));
    if (seal) copyFileSync(`${report}.p7s`, `${path}.p7s`);
    return path;
  }

  test('beside the gateway: who approved which document when; sealed by the company', async () => {
    const { status, output } = await signpost('verify', report, ...config());
    expect(status, output).toBe(0);
    expect(output).toContain('TOTAL-PASSED');
    expect(output).toMatch(
      new RegExp(
        `Mary Smith approved .*\\.pdf \\(SHA-256 ${sha256}\\) on .* UTC, and the person’s own device answered`,
      ),
    );
    expect(output).toMatch(/Company seal by .*: TOTAL-PASSED/);
    const json = await signpost('verify', report, '--json', ...config());
    expect(JSON.parse(json.output)).toMatchObject([
      { format: 'report', transaction: { approval: { level: 'standard', documents: [{ sha256 }] } } },
    ]);
  });

  test('the seal, with the report as its content, says the same', async () => {
    const { status, output } = await signpost('verify', `${report}.p7s`, '--content', report, ...config());
    expect(output).toContain('Mary Smith approved');
    expect(status).toBe(0);
  });

  test('without its seal: the gateway still keeps this very report', async () => {
    expect(await signpost('verify', copy(), ...config())).toMatchObject({ status: 0 });
  });

  test('where nobody has the keys: not known, and where to ask', async () => {
    const { status, output } = await signpost('verify', report, '--config', join(folder, 'none.yaml'));
    expect(status).toBe(1);
    expect(output).toContain('INDETERMINATE (GENERIC)');
    expect(output).toContain('only the gateway that wrote it keeps the token key');
  });

  test.each([
    [
      'another document',
      (text: string) => text.replace(/(Base64\)\n.{12})(.)/, (_, a, b) => a + (b === 'A' ? 'B' : 'A')),
    ],
    ['another nonce', (text: string) => text.replace(/(OTP Nonce: )(.)/, (_, a, b) => a + (b === '0' ? '1' : '0'))],
    ['another checksum of the key', (text: string) => text.replace(/(OTP Key: )\d+/, '$11')],
  ])('%s: TOTAL-FAILED, HASH_FAILURE, without and with the seal', async (_, change) => {
    for (const seal of [false, true]) {
      const { status, output } = await signpost('verify', copy(change, seal), ...config());
      expect(output).toContain('TOTAL-FAILED (HASH_FAILURE)');
      expect(status).toBe(2);
    }
  });

  test('another time, which the HMAC does not cover: never passed', async () => {
    const later = (text: string): string => text.replace(/Stopped: \d{4}/, 'Stopped: 2031');
    const alone = await signpost('verify', copy(later), ...config());
    expect(alone).toMatchObject({ status: 1, output: expect.stringContaining('the seal alone, which is missing') });
    const sealed = await signpost('verify', copy(later, true), ...config());
    expect(sealed).toMatchObject({ status: 2, output: expect.stringContaining('HASH_FAILURE') });
  });

  test('the finished document says whose the Standard signature is', async () => {
    const { status, output } = await signpost('verify', pdf, ...config());
    expect(status, output).toBe(0);
    expect(output).toContain('every signature in it is valid: Mary Smith.');
    expect(output).toMatch(/Standard signature \(drawn or typed\) of Mary Smith, sealed by .*: TOTAL-PASSED/);
  });
});
