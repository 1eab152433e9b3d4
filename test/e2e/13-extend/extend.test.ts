/**
 * Signed PDFs stay provable (Build 7): a document from a real request, extended from the shell twice and by the gateway
 * itself, and files that others signed. Judged by poppler, NSS, qpdf and OpenSSL.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, startGateway } from '../../../src/gateway/gateway.ts';
import { linkIn, waitForLetter } from '../../../src/tryout/letters.ts';
import { proofs } from '../../../src/tryout/proofs.ts';
import { commandLineSigners } from '../../../src/tryout/signers.ts';
import { addressOf, makeSite, SIGN_DOMAIN, type Site } from '../../../src/tryout/site.ts';
import { DAY, replaceTimestamper } from '../../support/extending.ts';
import { type ForeignSigner, foreignSigner } from '../../support/foreign.ts';
import { simplePdf } from '../../support/pdfs.ts';
import { has } from '../../support/tools.ts';
import { opensslTs, pdfsig, pem, qpdfCheck } from '../02-pades/signed-file.ts';

const ready = has('openssl', 'poppler-utils', 'libnss3-tools', 'qpdf');
if (!ready) console.warn('SKIPPING extension: needs openssl, poppler-utils, libnss3-tools and qpdf');

const BIN = new URL('../../../bin/signpost.js', import.meta.url).pathname;

function signpost(...args: string[]): Promise<{ status: number; output: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, [BIN, ...args], { env: { PATH: process.env.PATH } }, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code) : 0, output: `${stdout}${stderr}` });
    });
  });
}

/** Every document timestamp of ours, by OpenSSL over the bytes that it covers. @returns how many */
function checkTimestamps(pdf: Uint8Array, trust: string): number {
  const text = Buffer.from(pdf).toString('latin1');
  const tokens = [
    ...text.matchAll(/\/SubFilter \/ETSI\.RFC3161\n\/ByteRange \[0 (\d+) (\d+) (\d+)\] *\n\/Contents <([0-9A-F]+)>/g),
  ];
  for (const [, first, second, rest, hex] of tokens) {
    const token = withoutPadding(Buffer.from(hex!, 'hex'));
    const end = Number(second) + Number(rest);
    const covered = Buffer.concat([pdf.subarray(0, Number(first)), pdf.subarray(Number(second), end)]);
    expect(opensslTs(token, covered, trust)).toMatchObject({ status: 0 });
    expect(opensslTs(token, Buffer.concat([covered, Buffer.from('.')]), trust).status).not.toBe(0);
  }
  return tokens.length;
}

/** A DER value with a length of two octets; zeros alone may follow. */
function withoutPadding(contents: Buffer): Buffer {
  const length = contents.readUInt16BE(2) + 4;
  expect(contents[1]).toBe(0x82);
  expect(contents.subarray(length).every(octet => octet === 0)).toBe(true);
  return contents.subarray(0, length);
}

describe.skipIf(!ready)('signed PDFs stay provable', () => {
  let folder: string;
  let site: Site;
  let gateway: Gateway;
  let foreign: ForeignSigner;
  let trust: string;
  let requestId: string;
  const path = (...parts: string[]): string => join(folder, ...parts);
  const config = (): string[] => ['--config', site.configFile];
  const start = (now: () => Date): Promise<Gateway> =>
    startGateway(site.config, { logger: pino({ level: process.env.SIGNPOST_LOG ?? 'silent' }), now });

  beforeAll(async () => {
    folder = mkdtempSync('/tmp/signpost-extend-');
    site = await makeSite({
      folder,
      postfix: false,
      configure: data => Object.assign(data, { archive: { extendBefore: '30 days' } }),
    });
    await replaceTimestamper(site.config, 60 * DAY);
    gateway = await start(() => new Date());
    trust = gateway.core.pki.anchors.map(pem).join('');
    writeFileSync(path('trust.pem'), trust);
    foreign = foreignSigner();
    await site.send({
      from: addressOf('mary.smith'),
      to: [`john.doe@${SIGN_DOMAIN}`],
      subject: 'A contract to keep',
      text: 'Please sign.',
      attachments: [{ filename: 'contract.pdf', content: simplePdf({ pages: 2, text: 'A contract' }) }],
    });
    const letter = await waitForLetter(site.mailboxes, addressOf('john.doe'), 'please-sign');
    mkdirSync(path('devices'));
    await (await commandLineSigners(site, path('devices'))).sign('john.doe', linkIn(letter));
    await waitForLetter(site.mailboxes, addressOf('john.doe'), 'finished');
    const [request] = await gateway.core.requests.list({ ended: true });
    requestId = request!.id;
    writeFileSync(path('contract.pdf'), await gateway.core.requests.readFinished(request!, 0));
  });
  afterAll(async () => {
    await gateway?.stop();
    await site?.stop();
    foreign?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function expectProven(file: string, timestamps: number): Promise<void> {
    const bytes = readFileSync(file);
    expect((await proofs(file, path('trust.pem'))).filter(({ good }) => !good)).toEqual([]);
    expect((await pdfsig(bytes, trust)).match(/Signature is Valid\./g)).toHaveLength(3);
    expect(checkTimestamps(bytes, trust)).toBe(timestamps);
    const verified = await signpost('verify', file, ...config());
    expect(verified, verified.output).toMatchObject({ status: 0 });
    expect(verified.output).toContain(': TOTAL-PASSED\n');
    expect(verified.output.match(/PAdES B-LTA/g)).toHaveLength(3);
  }

  test('a finished document, extended twice from the shell, proves as much as before, and more', async () => {
    await expectProven(path('contract.pdf'), 1);
    const [first, second] = [path('contract-extended.pdf'), path('out', 'contract-extended-extended.pdf')];
    const once = await signpost('extend', path('contract.pdf'), ...config());
    expect(once, once.output).toMatchObject({ status: 0 });
    expect(once.output).toMatch(
      /^\S+ has fresh evidence and a new timestamp, whose certificate lasts until \d{4}-\d\d-\d\d: \S+\n$/,
    );
    await expectProven(first, 2);
    const twice = await signpost('extend', first, '--out', path('out'), ...config());
    expect(twice, twice.output).toMatchObject({ status: 0 });
    await expectProven(second, 3);
    const files = [path('contract.pdf'), first, second].map(file => readFileSync(file));
    for (const [i, file] of files.slice(0, -1).entries())
      expect(files[i + 1]!.subarray(0, file.length).equals(file)).toBe(true);
    const again = await signpost('extend', path('contract.pdf'), ...config());
    expect(again).toMatchObject({ status: 1 });
    expect(again.output).toContain('nothing is ever overwritten');
  });

  test('what has changed, is not signed, or allows nothing, is refused with its reason; the others are extended', async () => {
    const changed = readFileSync(path('contract.pdf'));
    changed[changed.indexOf('/MediaBox') + 12]! ^= 1;
    writeFileSync(path('changed.pdf'), changed);
    writeFileSync(path('plain.pdf'), simplePdf());
    writeFileSync(path('note.txt'), 'a note');
    writeFileSync(path('locked.pdf'), foreign.openssl(formPdf(), 'Other', { certify: 1 }));
    const names = ['changed.pdf', 'plain.pdf', 'note.txt', 'locked.pdf', 'contract.pdf'];
    const all = await signpost('extend', ...names.map(name => path(name)), '--out', path('mixed'), ...config());
    expect(all.status).toBe(1);
    const lines = all.output.split('\n');
    const about = (name: string): string => lines.filter(line => line.includes(`/${name}`)).join('\n');
    expect(about('changed.pdf')).toMatch(
      /^signpost: \S+ was not extended: the signature of .* does not hold any more: /,
    );
    expect(about('plain.pdf')).toMatch(/it is not signed; there is nothing to extend$/);
    expect(about('note.txt')).toMatch(/it is not a PDF/);
    expect(about('locked.pdf')).toMatch(/its certification allows no changes/);
    expect(existsSync(path('mixed', 'contract-extended.pdf'))).toBe(true);
    for (const name of ['changed', 'plain', 'locked'])
      expect(existsSync(path('mixed', `${name}-extended.pdf`))).toBe(false);
  });

  test('files that others signed are extended; their signatures are what they were', async () => {
    const poppler = foreign.poppler(simplePdf({ text: 'Theirs' }), 'Other');
    const openssl = foreign.openssl(formPdf(), 'Other', { certify: 2 });
    for (const [name, before] of Object.entries({ poppler, openssl })) {
      writeFileSync(path(`${name}.pdf`), before);
      const extended = await signpost('extend', path(`${name}.pdf`), ...config());
      expect(extended, extended.output).toMatchObject({ status: 0 });
      const file = path(`${name}-extended.pdf`);
      const bytes = readFileSync(file);
      expect(bytes.subarray(0, before.length).equals(before)).toBe(true);
      expect((await pdfsig(bytes, foreign.trust)).match(/Signature is Valid\./g)).toHaveLength(1);
      expect(qpdfCheck(bytes)).toMatchObject({ status: 0 });
      expect(checkTimestamps(bytes, trust)).toBe(1);
      // Who signed is not known to this gateway.
      const verified = await signpost('verify', file, ...config());
      expect(verified.status).toBe(1);
      expect(verified.output).toContain('(NO_CERTIFICATE_CHAIN_FOUND)');
      expect(verified.output).toMatch(/Document timestamp by .*: TOTAL-PASSED/);
      expect(verified.output).not.toContain('NOT ALLOWED');
    }
  });

  test('the gateway extends its archive by itself when a timestamp certificate nears its end; nobody is mailed', async () => {
    const { core } = gateway;
    const before = (await core.requests.find(requestId))!;
    const mails = (await core.store.outbox.listForRequest(requestId)).length;
    await gateway.stop();
    await replaceTimestamper(site.config, 3650 * DAY);
    gateway = await start(() => new Date(Date.now() + 31 * DAY));
    let after = before;
    while (after.documents[0]!.finished === before.documents[0]!.finished) {
      await new Promise(resolve => setTimeout(resolve, 50));
      after = (await gateway.core.requests.find(requestId))!;
    }
    const bytes = await gateway.core.requests.readFinished(after, 0);
    expect(after).toMatchObject({ state: 'finished', version: before.version + 1 });
    expect(after.documents[0]).toMatchObject({ finishedLength: bytes.length });
    expect((await gateway.core.store.outbox.listForRequest(requestId)).length).toBe(mails);
    const original = readFileSync(path('contract.pdf'));
    expect(Buffer.from(bytes).subarray(0, original.length).equals(original)).toBe(true);
    expect((await pdfsig(bytes, trust)).match(/Signature is Valid\./g)).toHaveLength(3);
    expect(qpdfCheck(bytes)).toMatchObject({ status: 0 });
    expect(checkTimestamps(bytes, trust)).toBe(2);
  });
});

/** An empty page with a signature field. */
function formPdf(): Uint8Array {
  return simplePdf({
    catalog: '/AcroForm << /Fields [6 0 R] /SigFlags 3 >>',
    page: '/Annots [6 0 R]',
    extra: ['<< /Type /Annot /Subtype /Widget /FT /Sig /T (Other) /F 4 /P 4 0 R /Rect [72 500 272 560] >>'],
  });
}
