/**
 * Documents that aren't PDFs, where the configuration allows them: mailed through Postfix, shown and signed in Chromium
 * and on a command line, judged by OpenSSL and xmlsec1. XML is signed by devices like every other file, octet by octet;
 * the company seal alone goes inside of it.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Requests } from '../../../src/requests/requests.ts';
import { enrolByMail, type Phone, type Phones, startPhones } from '../../../src/tryout/browser.ts';
import { type Letter, linkIn, waitForLetter } from '../../../src/tryout/letters.ts';
import { addressOf, SIGN_DOMAIN } from '../../../src/tryout/site.ts';
import { findings } from '../../support/accessibility.ts';
import { startCompany } from '../../support/company.ts';
import { simplePdf } from '../../support/pdfs.ts';
import { has, hasPostfix, run } from '../../support/tools.ts';

const BIN = new URL('../../../bin/signpost.js', import.meta.url).pathname;
const MARY = addressOf('mary.smith');
const JOHN = addressOf('john.doe');

function signpost(...args: string[]): Promise<{ status: number; output: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, [BIN, ...args], (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code) : 0, output: `${stdout}${stderr}` });
    });
  });
}

interface File {
  readonly filename: string;
  readonly content: Uint8Array;
  readonly contentType: string;
}

/** A red square of 40 by 40 (PNG, ISO/IEC 15948). */
function redSquare(): Buffer {
  const chunk = (type: string, data: Uint8Array): Buffer => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const whole = Buffer.alloc(body.length + 8);
    whole.writeUInt32BE(data.length, 0);
    body.copy(whole, 4);
    whole.writeUInt32BE(crc32(body), body.length + 4);
    return whole;
  };
  const head = Buffer.from([0, 0, 0, 40, 0, 0, 0, 40, 8, 2, 0, 0, 0]);
  const rows = Buffer.concat(
    Array.from({ length: 40 }, () => Buffer.from([0, ...Array.from({ length: 40 }, () => [255, 0, 0]).flat()])),
  );
  const start = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const chunks = [chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([start, ...chunks]);
}

const TEXT: File = {
  filename: 'letter.txt',
  // The second line would read backwards.
  content: Buffer.from('Dear John,\nI agree to \u202epay 1000 euros\u202c.\n<b>Mary</b>\n'),
  contentType: 'text/plain',
};
const PICTURE: File = { filename: 'plan.png', content: redSquare(), contentType: 'image/png' };
const ARCHIVE: File = {
  filename: 'drawings.zip',
  content: Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), Buffer.alloc(3000, 7)]),
  contentType: 'application/zip',
};
const XML: File = {
  filename: 'invoice.xml',
  content: Buffer.from('<?xml version="1.0"?>\n<invoice number="7"><total currency="EUR">100</total></invoice>\n'),
  contentType: 'application/xml',
};
const PDF: File = {
  filename: 'contract.pdf',
  content: simplePdf({ pages: 1, text: 'Contract' }),
  contentType: 'application/pdf',
};
const VCARD: File = {
  filename: 'mary.vcf',
  content: Buffer.from('BEGIN:VCARD\r\nEND:VCARD'),
  contentType: 'text/vcard',
};
const EXPANSION: File = {
  ...XML,
  filename: 'bomb.xml',
  content: Buffer.from('<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><a>&d;</a>'),
};

const FILES = [TEXT, PICTURE, ARCHIVE, XML];
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** One company. @param cades as in the configuration */
async function openCompany(cades: 'embedded' | 'detached', wrapRequests?: (requests: Requests) => Requests) {
  const company = await startCompany({
    configure: data =>
      Object.assign(data, {
        documents: { otherFiles: true, cades },
        levels: { offered: ['standard', 'advanced', 'seal'] },
        seal: { allowed: ['mary.smith'] },
      }),
    gateway: wrapRequests ? { wrapRequests } : {},
  });
  const store = ['--store', join(company.folder, 'device')];
  const { code } = await company.gateway.core.devices.createAdminCode('john.doe');
  const url = company.site.config.publicUrl;
  const enrolled = await signpost('device', 'enrol', url, JOHN, '--code', code, ...store);
  expect(enrolled, enrolled.output).toMatchObject({ status: 0 });
  const trust = join(company.folder, 'trust.pem');
  writeFileSync(trust, await (await fetch(`${url}/trust.pem`)).text());

  return {
    ...company,
    trust,
    send: (subject: string, to: readonly string[], files: readonly File[]) =>
      company.site.send({
        from: MARY,
        to: to.map(name => `${name}@${SIGN_DOMAIN}`),
        subject,
        text: 'Please sign.',
        attachments: files,
      }),
    letter: (to: string, kind: string, subject: string): Promise<Letter> =>
      waitForLetter(
        company.site.mailboxes,
        to,
        kind,
        ({ parsed }) => parsed.subject?.replace(/\s+/g, ' ').includes(subject) ?? false,
      ),
    device: (...args: string[]) => signpost('device', ...args, ...store),
    async signAsJohn(letter: Letter): Promise<string> {
      const signed = await this.device('sign', linkIn(letter), '--yes');
      expect(signed, signed.output).toMatchObject({ status: 0 });
      return signed.output;
    },
    /** The attachments of the finished mail, each written where other programs can read it. */
    async finished(subject: string, to = MARY): Promise<ReadonlyMap<string, string>> {
      const { parsed } = await this.letter(to, 'finished', subject);
      return new Map(
        parsed.attachments.map(({ filename = '', content }) => {
          const path = join(company.folder, `${sha256(Buffer.from(subject)).slice(0, 8)}-${filename}`);
          writeFileSync(path, content);
          return [filename, path];
        }),
      );
    },
  };
}

type OpenCompany = Awaited<ReturnType<typeof openCompany>>;

/** OpenSSL's word on every signature of a CMS. @returns what was signed, null when it doesn't hold */
function openssl(trust: string, signature: string, content: string | null): Uint8Array | null {
  const out = `${signature}.out`;
  const { status } = run('openssl', [
    ...['cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-purpose', 'any', '-CAfile', trust],
    ...['-in', signature, '-out', out, ...(content === null ? [] : ['-content', content])],
  ]);
  return status === 0 ? new Uint8Array(readFileSync(out)) : null;
}

/** How many have signed, each with a timestamp. */
function signers(signature: string): number {
  const { output } = run('openssl', ['cms', '-cmsout', '-print', '-inform', 'DER', '-in', signature]);
  const count = output.match(/\bsignedAttrs:/g)?.length ?? 0;
  expect(output.match(/id-smime-aa-timeStampToken/g) ?? []).toHaveLength(count);
  return count;
}

describe.skipIf(!hasPostfix || !has('openssl'))('files that are not PDFs', () => {
  let company: OpenCompany;
  let lie: 'content' | 'appended' | 'time' | null = null;

  /** Grants honestly, or something else to sign than the phone shows. */
  const hostile = (requests: Requests): Requests => ({
    ...requests,
    async grantTurn(...ask) {
      const grant = await requests.grantTurn(...ask);
      if (lie === null) return grant;
      if (lie === 'time') return { ...grant, signingTime: new Date(grant.signingTime.getTime() - 60_000) };
      const [first, ...others] = grant.documents;
      if (lie === 'appended') {
        return { ...grant, documents: [{ ...first!, appended: Buffer.from('not a bit') }, ...others] };
      }
      const signedAttributes = Buffer.from(first!.signedAttributes);
      const at = signedAttributes.indexOf(createHash('sha256').update(TEXT.content).digest());
      expect(at).toBeGreaterThan(0);
      signedAttributes[at]! ^= 1;
      return { ...grant, documents: [{ ...first!, signedAttributes }, ...others] };
    },
  });

  beforeAll(async () => {
    company = await openCompany('embedded', hostile);
  });
  afterAll(() => company?.stop());

  describe.skipIf(!has('chromium'))('on a phone', () => {
    let phones: Phones;
    let mary: Phone;

    beforeAll(async () => {
      phones = await startPhones();
      mary = await phones.open();
    });
    afterAll(() => phones?.close());

    test('B3 text, picture, archive, XML and a PDF in one mail: shown as they are, signed by two, verified by openssl', async () => {
      const subject = 'Advanced: all kinds';
      await company.send(subject, ['self', 'john.doe'], [...FILES, PDF, VCARD]);
      const accepted = await company.letter(MARY, 'accepted', subject);
      expect(accepted.parsed.text).toContain('mary.vcf');
      const { page } = mary;
      await page.goto(linkIn(await company.letter(MARY, 'please-sign', subject)));
      await enrolByMail(mary, company.site.mailboxes, MARY);
      await page.getByRole('button', { name: 'Sign…' }).waitFor();

      const section = (index: number) => page.locator('section.document').nth(index);
      expect(await section(0).locator('pre').textContent()).toBe(
        'Dear John,\nI agree to [U+202E]pay 1000 euros[U+202C].\n<b>Mary</b>\n',
      );
      const picture = section(1).getByRole('img', { name: 'plan.png' });
      expect(await picture.evaluate(image => (image as HTMLImageElement).naturalWidth)).toBe(40);
      await section(2).getByText('Only programs made for this kind of file can show it').waitFor();
      expect(await section(3).locator('pre').textContent()).toContain('<total currency="EUR">100</total>');
      for (const [index, { content, filename }] of FILES.entries()) {
        expect(await section(index).locator('.name').textContent()).toBe(filename);
        expect(await section(index).locator('.digest').textContent()).toBe(`SHA-256 ${sha256(content)}`);
      }
      await section(4).locator('.page').first().scrollIntoViewIfNeeded();
      await section(4).locator('canvas').first().waitFor();
      expect(await findings(page)).toEqual([]);

      await page.getByRole('button', { name: 'Sign…' }).click();
      const sentence = await page.getByRole('dialog').textContent();
      expect(sentence).toContain('“drawings.zip” (3 kB)');
      expect(sentence).toContain('“contract.pdf” (1 page)');
      await page.getByRole('button', { name: 'Sign now' }).click();
      await page.getByRole('heading', { name: 'Signed', exact: true }).waitFor();
      const said = await company.signAsJohn(await company.letter(JOHN, 'please-sign', subject));
      expect(said).toContain(`invoice.xml, ${XML.content.length} bytes, SHA-256 ${sha256(XML.content)}`);

      const files = await company.finished(subject);
      expect([...files.keys()]).toEqual([...FILES.map(({ filename }) => `${filename}.p7m`), 'contract signed.pdf']);
      expect([...(await company.finished(subject, JOHN)).keys()]).toEqual([...files.keys()]);
      for (const { filename, content } of FILES) {
        const path = files.get(`${filename}.p7m`)!;
        // Mary, John, the company.
        expect(signers(path)).toBe(3);
        expect(openssl(company.trust, path, null)).toEqual(new Uint8Array(content));
        const changed = Buffer.from(readFileSync(path));
        changed[changed.indexOf(content)]! ^= 1;
        writeFileSync(`${path}.changed`, changed);
        expect(openssl(company.trust, `${path}.changed`, null)).toBeNull();
        if (filename !== 'letter.txt') continue;
        const judged = await signpost('verify', path, '--json', '--config', company.site.configFile);
        expect(judged, judged.output).toMatchObject({ status: 0 });
        for (const signer of ['Mary Smith', 'John Doe', 'Example Company S.A.'])
          expect(judged.output).toContain(signer);
        expect((await signpost('verify', `${path}.changed`, '--config', company.site.configFile)).status).toBe(2);
      }
      // Every party finds them on the page of the request, too.
      await page.goto(`${company.site.config.publicUrl}/r/${accepted.request}`);
      await page.getByRole('heading', { name: 'The signed documents' }).waitFor();
      await expect.poll(() => page.locator('section.document').count()).toBe(5);
      expect(await page.locator('section.document .name').first().textContent()).toBe('letter.txt.p7m');
    });

    test.each(['content', 'appended', 'time'] as const)(
      'A4 a gateway that has the phone sign another %s than it showed: refused, and said so',
      async what => {
        const subject = `Advanced: a lie about the ${what}`;
        await company.send(subject, ['self'], [TEXT]);
        const { page } = mary;
        await page.goto(linkIn(await company.letter(MARY, 'please-sign', subject)));
        await page.getByRole('button', { name: 'Sign…' }).click();
        lie = what;
        try {
          await page.getByRole('button', { name: 'Sign now' }).click();
          await page.getByText('Not signed: the document has changed').waitFor();
        } finally {
          lie = null;
        }
      },
    );
  });

  test.each<[string, string, readonly File[], readonly string[], string]>([
    ['level standard', 'Standard: a letter', [PDF, TEXT], ['john.doe'], 'not a PDF, so there is no page to draw'],
    ['hostile XML', 'Advanced: a bomb', [EXPANSION], ['john.doe'], "can't be signed as XML: "],
    ['hostile XML to be sealed', 'A bomb', [EXPANSION], ['seal'], "can't be signed as XML: "],
    ['a false PDF', 'Advanced: false', [{ ...TEXT, filename: 'a.pdf' }], ['john.doe'], 'called a PDF but is none'],
    ['nothing at all', 'Advanced: empty', [{ ...TEXT, content: Buffer.alloc(0) }], ['john.doe'], 'is empty'],
    ['what the mail program added alone', 'Advanced: card', [VCARD], ['john.doe'], 'There is no file attached'],
  ])('%s: refused in words', async (_, subject, files, to, says) => {
    const reply = await company.send(subject, to, files).then(
      () => 'accepted',
      (error: Error) => error.message,
    );
    expect(reply).toContain(says);
  });

  test.skipIf(!has('xmlsec1'))('B3 sealed: XML inside of it by xmlsec1, text around it by openssl', async () => {
    const subject = 'Please seal these';
    await company.send(subject, ['seal'], [XML, TEXT]);
    const files = await company.finished(subject);
    expect([...files.keys()]).toEqual(['invoice signed.xml', 'letter.txt.p7m']);
    const xml = files.get('invoice signed.xml')!;
    const verified = run('xmlsec1', [
      ...['--verify', '--id-attr:Id', 'http://uri.etsi.org/01903/v1.3.2#:SignedProperties'],
      ...['--enabled-key-data', 'x509', '--trusted-pem', company.trust, xml],
    ]);
    expect(verified, verified.output).toMatchObject({ status: 0 });
    expect(openssl(company.trust, files.get('letter.txt.p7m')!, null)).toEqual(new Uint8Array(TEXT.content));
    expect((await signpost('verify', xml, '--config', company.site.configFile)).status).toBe(0);
  });
});

describe.skipIf(!hasPostfix || !has('openssl'))('files that are not PDFs, signatures beside them', () => {
  let company: OpenCompany;
  beforeAll(async () => {
    company = await openCompany('detached');
  });
  afterAll(() => company?.stop());

  test('B3 file and signature both come back, also where two files have one name', async () => {
    const subject = 'Advanced: beside';
    const other: File = { ...TEXT, content: Buffer.from('Another letter.\n') };
    await company.send(subject, ['john.doe'], [TEXT, other]);
    await company.signAsJohn(await company.letter(JOHN, 'please-sign', subject));
    const files = await company.finished(subject);
    const names = ['letter.txt', 'letter.txt.p7s', 'letter (2).txt', 'letter (2).txt.p7s'];
    expect([...files.keys()]).toEqual(names);
    const [first, firstSignature, second, secondSignature] = names.map(name => files.get(name)!);
    expect(new Uint8Array(readFileSync(first!))).toEqual(new Uint8Array(TEXT.content));
    expect(signers(firstSignature!)).toBe(2);
    expect(openssl(company.trust, firstSignature!, first!)).toEqual(new Uint8Array(TEXT.content));
    expect(openssl(company.trust, secondSignature!, second!)).toEqual(new Uint8Array(other.content));
    expect(openssl(company.trust, firstSignature!, second!)).toBeNull();
    const args = ['--content', first!, '--config', company.site.configFile];
    const judged = await signpost('verify', firstSignature!, ...args);
    expect(judged, judged.output).toMatchObject({ status: 0 });
    const { request } = await company.letter(JOHN, 'finished', subject);
    const folder = join(company.folder, 'saved');
    const saved = await company.device('save', request!, '--save', folder);
    expect(saved, saved.output).toMatchObject({ status: 0 });
    expect(readdirSync(folder).sort()).toEqual([
      '1 letter.txt',
      '2 letter.txt.p7s',
      '3 letter _2_.txt',
      '4 letter _2_.txt.p7s',
    ]);
    expect(new Uint8Array(readFileSync(join(folder, '1 letter.txt')))).toEqual(new Uint8Array(TEXT.content));
  });
});
