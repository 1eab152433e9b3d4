/** `signpost sign` and `signpost seal`, as people run them, and what other software says of the results. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitForLetter } from '../../../src/tryout/letters.ts';
import { proofs } from '../../../src/tryout/proofs.ts';
import { addressOf } from '../../../src/tryout/site.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { scriptedPdf, simplePdf } from '../../support/pdfs.ts';
import { has, run } from '../../support/tools.ts';
import { pem } from '../02-pades/signed-file.ts';

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

let company: Company;
let folder: string;
let trust: string;
const config = (): string[] => ['--config', company.site.configFile];
const path = (...parts: string[]): string => join(folder, ...parts);

beforeAll(async () => {
  company = await startCompany({
    postfix: false,
    configure: data => Object.assign(data, { levels: { default: 'advanced', offered: ['standard', 'advanced'] } }),
  });
  folder = join(company.folder, 'files');
  mkdirSync(folder);
  trust = path('trust.pem');
  writeFileSync(trust, company.gateway.core.pki.anchors.map(pem).join(''));
  writeFileSync(path('contract.pdf'), simplePdf({ pages: 2, text: 'A contract' }));
  writeFileSync(path('second.pdf'), simplePdf({ text: 'Another one' }));
  writeFileSync(path('invoice.xml'), '<?xml version="1.0"?>\n<invoice xmlns="urn:i"><total>100</total></invoice>\n');
  writeFileSync(path('letter.txt'), 'Dear Mary,\nyes.\n');
  writeFileSync(
    path('picture.png'),
    Uint8Array.from({ length: 9000 }, (_, index) => index),
  );
  writeFileSync(path('evil.pdf'), scriptedPdf());
  writeFileSync(path('evil.xml'), '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>');
});
afterAll(() => company?.stop());

function openssl(cms: string, content?: string): number {
  return run('openssl', [
    ...['cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-in', cms, '-CAfile', trust, '-out', '/dev/null'],
    ...(content === undefined ? [] : ['-content', content]),
  ]).status;
}

function xmlsec(file: string): number {
  return run('xmlsec1', [
    ...['--verify', '--id-attr:Id', 'http://uri.etsi.org/01903/v1.3.2#:SignedProperties'],
    ...['--enabled-key-data', 'x509', '--trusted-pem', trust, file],
  ]).status;
}

async function pdfIsProven(file: string): Promise<void> {
  const found = await proofs(file, trust);
  expect(found.filter(({ good }) => !good)).toEqual([]);
  expect(found.length).toBeGreaterThan(0);
}

describe('signpost seal', () => {
  const tools = has('openssl', 'xmlsec1', 'poppler-utils', 'libnss3-tools', 'qpdf');

  test.skipIf(!tools)('B3 seals a PDF, XML and anything else; openssl, xmlsec1, pdfsig and qpdf agree', async () => {
    const out = path('sealed');
    const names = ['contract.pdf', 'invoice.xml', 'letter.txt', 'picture.png'];
    const sealed = await signpost('seal', ...names.map(name => path(name)), '--out', out, ...config());
    expect(sealed, sealed.output).toMatchObject({ status: 0 });
    expect(sealed.output).toContain('2 files, 2 signature files');
    await pdfIsProven(join(out, 'contract-sealed.pdf'));
    expect(xmlsec(join(out, 'invoice-sealed.xml'))).toBe(0);
    for (const name of ['letter.txt', 'picture.png']) expect(openssl(join(out, `${name}.p7m`))).toBe(0);
  });

  test.skipIf(!tools)('B3 --detached leaves every file alone', async () => {
    const names = ['contract.pdf', 'invoice.xml', 'letter.txt'];
    const before = names.map(name => readFileSync(path(name)));
    const sealed = await signpost('seal', ...names.map(name => path(name)), '--detached', ...config());
    expect(sealed, sealed.output).toMatchObject({ status: 0 });
    for (const [index, name] of names.entries()) {
      expect(openssl(path(`${name}.p7s`), path(name))).toBe(0);
      expect(openssl(path(`${name}.p7s`), trust)).not.toBe(0);
      expect(readFileSync(path(name)).equals(before[index]!)).toBe(true);
    }
  });

  test('what can not be sealed is said in one sentence, the others are sealed, nothing is overwritten', async () => {
    const out = path('mixed');
    const mixed = await signpost(
      'seal',
      path('evil.pdf'),
      path('evil.xml'),
      path('letter.txt'),
      '--out',
      out,
      ...config(),
    );
    expect(mixed.status).toBe(1);
    expect(mixed.output).toMatch(/^signpost: \S+evil\.pdf: .*script.*$/im);
    expect(mixed.output).toMatch(/^signpost: \S+evil\.xml: XML files with a DOCTYPE are not accepted$/m);
    expect(existsSync(join(out, 'letter.txt.p7m'))).toBe(true);
    expect(existsSync(join(out, 'evil-sealed.xml'))).toBe(false);
    for (const args of [
      [path('letter.txt'), '--out', out],
      [path('nothing.pdf')],
      [path('letter.txt'), path('letter.txt'), '--out', path('twice')],
      [path('letter.txt'), '--out', path('contract.pdf')],
    ]) {
      const { status, output } = await signpost('seal', ...args, ...config());
      expect(status).toBe(1);
      expect(output).toMatch(/^signpost: .+\n$/);
    }
  });
});

describe('signpost sign', () => {
  const store = (): string[] => ['--store', path('device')];
  const tools = has('openssl', 'xmlsec1', 'poppler-utils', 'libnss3-tools', 'qpdf');

  beforeAll(async () => {
    const { code } = await company.gateway.core.devices.createAdminCode('john.doe');
    const ask = [company.site.config.publicUrl, addressOf('john.doe'), '--code', code];
    const enrolled = await signpost('device', 'enrol', ...ask, ...store());
    expect(enrolled, enrolled.output).toMatchObject({ status: 0 });
  });

  test.skipIf(!tools)("B3 signs with the person's own key; several PDFs are one request", async () => {
    const out = path('signed');
    const names = ['contract.pdf', 'second.pdf', 'invoice.xml', 'letter.txt'];
    const files = names.map(name => path(name));
    const signed = await signpost('sign', ...files, '--as', 'john.doe', '--out', out, ...store(), ...config());
    expect(signed, signed.output).toMatchObject({ status: 0 });
    expect(signed.output).toMatch(/^Request [0-9A-Z]{12} is opened/m);
    for (const name of ['contract', 'second']) {
      await pdfIsProven(join(out, `${name}-signed.pdf`));
      expect(run('pdfsig', ['-nocert', join(out, `${name}-signed.pdf`)]).output).toContain('John Doe');
    }
    expect(xmlsec(join(out, 'invoice-signed.xml'))).toBe(0);
    expect(openssl(join(out, 'letter.txt.p7m'))).toBe(0);
    const printed = run('openssl', ['cms', '-cmsout', '-print', '-inform', 'DER', '-in', join(out, 'letter.txt.p7m')]);
    expect(printed.output).toContain('CN=John Doe');
    const finished = await waitForLetter(company.site.mailboxes, addressOf('john.doe'), 'finished');
    expect(finished.parsed.attachments.filter(({ contentType }) => contentType === 'application/pdf')).toHaveLength(2);
  });

  test.skipIf(!tools)('standard: the typed name, sealed by the company', async () => {
    const out = path('standard');
    const args = ['--as', 'john.doe', '--level', 'standard', '--out', out, ...store(), ...config()];
    const signed = await signpost('sign', path('contract.pdf'), ...args);
    expect(signed, signed.output).toMatchObject({ status: 0 });
    await pdfIsProven(join(out, 'contract-signed.pdf'));
    expect(run('pdftotext', [join(out, 'contract-signed.pdf'), '-']).output).toContain('John Doe');
    const xml = await signpost('sign', path('invoice.xml'), ...args);
    expect(xml).toMatchObject({ status: 1, output: expect.stringContaining('Standard is for PDFs') });
  });

  test('what stands in the way is one sentence', async () => {
    const letter = path('letter.txt');
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['--as', 'nobody', ...store()], /nobody in the directory is called "nobody"/],
      [['--as', 'mary.smith', ...store()], /is John Doe's, not Mary Smith's; make one with: signpost device enrol/],
      [['--as', 'john.doe', '--store', path('none')], /there is no device of this gateway in .*; make one with/],
    ];
    for (const [args, expected] of cases) {
      const { status, output } = await signpost('sign', letter, '--out', path('refused'), ...args, ...config());
      expect(status).toBe(1);
      expect(output).toMatch(/^signpost: .+\n$/);
      expect(output).toMatch(expected);
    }
    const evil = await signpost('sign', path('evil.pdf'), '--as', 'john.doe', ...store(), ...config());
    expect(evil).toMatchObject({ status: 1, output: expect.stringMatching(/^signpost: \S+evil\.pdf: .+\n$/) });
    expect((await company.gateway.core.requests.list({ ended: false })).length).toBe(0);
  });

  test('without the gateway it says so; the seal needs none', async () => {
    await company.gateway.stop();
    const signed = await signpost(
      'sign',
      path('letter.txt'),
      '--as',
      'john.doe',
      '--out',
      path('down'),
      ...store(),
      ...config(),
    );
    expect(signed.status).toBe(1);
    expect(signed.output).toMatch(/^signpost: the gateway does not answer at \S+; start it .*\n$/);
    const sealed = await signpost('seal', path('second.pdf'), '--out', path('down'), ...config());
    expect(sealed, sealed.output).toMatchObject({ status: 0 });
  });
});
