/**
 * Several documents in one mail: one request, one approval, each file signed, all of them in the finished mail. Mailed
 * through Postfix, signed in Chromium and on a command line, judged by poppler and qpdf.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { enrolByMail, type Phone, type Phones, startPhones } from '../../../src/tryout/browser.ts';
import { type Letter, linkIn, waitForLetter } from '../../../src/tryout/letters.ts';
import { addressOf, SIGN_DOMAIN } from '../../../src/tryout/site.ts';
import { findings } from '../../support/accessibility.ts';
import { type Company, startCompany } from '../../support/company.ts';
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

/** Two of one name, and one that no file system would take as it is. */
const NAMES = ['Contract.pdf', 'contract.pdf', 'Annex: prices/2026?.pdf'];
const SHOWN = ['Contract.pdf', 'contract.pdf', '2026?.pdf'];
const SIGNED = ['Contract signed.pdf', 'contract signed (2).pdf', '2026 signed.pdf'];
const TEXTS = ['The contract itself', 'Its general terms', 'The prices'];

describe.skipIf(!hasPostfix || !has('chromium', 'poppler-utils', 'qpdf'))('several documents in one mail', () => {
  let company: Company;
  let phones: Phones;
  let mary: Phone;
  const store = (): string[] => ['--store', join(company.folder, 'device')];

  beforeAll(async () => {
    company = await startCompany();
    phones = await startPhones();
    mary = await phones.open();
    await enrolJohn();
  });
  afterAll(async () => {
    await phones?.close();
    await company?.stop();
  });

  async function ask(subject: string): Promise<readonly [hers: Letter, his: Letter]> {
    await company.site.send({
      from: MARY,
      to: [`self@${SIGN_DOMAIN}`, `john.doe@${SIGN_DOMAIN}`],
      subject,
      text: 'All three, please.',
      attachments: NAMES.map((filename, index) => ({
        filename,
        content: simplePdf({ pages: index + 1, text: TEXTS[index]! }),
      })),
    });
    const fits = ({ parsed }: Letter): boolean => parsed.subject?.includes(subject) ?? false;
    const letter = (to: string) => waitForLetter(company.site.mailboxes, to, 'please-sign', fits);
    return [await letter(MARY), await letter(JOHN)];
  }

  /** John has no phone at hand. */
  async function signOnCommandLine(letter: Letter, level: string): Promise<void> {
    const signed = await signpost('device', 'sign', linkIn(letter), '--yes', ...store());
    expect(signed, signed.output).toMatchObject({ status: 0 });
    for (const name of SHOWN) expect(signed.output).toContain(name);
    expect(signed.output).toContain(level);
  }

  /** Every party's mail has every file, each valid by poppler's word. @param signatures but the document timestamp */
  async function expectFinished(request: string, signatures: number): Promise<void> {
    for (const to of [MARY, JOHN]) {
      const letter = await waitForLetter(company.site.mailboxes, to, 'finished', mail => mail.request === request);
      const files = letter.parsed.attachments;
      expect(files.map(({ filename }) => filename)).toEqual(SIGNED);
      for (const name of SIGNED) expect(letter.parsed.text).toContain(name);
      if (to === JOHN) continue;
      for (const [index, { content }] of files.entries()) {
        const path = join(company.folder, `${request}-${index}.pdf`);
        writeFileSync(path, content);
        const { output } = run('pdfsig', [path]);
        expect(output.match(/Signature is Valid/g) ?? [], output).toHaveLength(signatures);
        expect(output).not.toMatch(/invalid|mismatch/i);
        expect(run('qpdf', ['--check', path])).toMatchObject({ status: 0 });
        const { output: text } = run('pdftotext', [path, '-']);
        for (const [other, words] of TEXTS.entries()) expect(text.includes(words)).toBe(other === index);
        for (const signer of ['Mary Smith', 'John Doe']) expect(text).toContain(signer);
      }
    }
  }

  test('one request and one approval for three files, Advanced: on a phone and on a command line', async () => {
    const [hers, his] = await ask('Advanced: three at once');
    expect(hers.request).toBe(his.request);
    for (const [index, name] of SHOWN.entries()) {
      expect(hers.parsed.text).toContain(name);
      expect(hers.parsed.text).toContain(index === 0 ? '(1\u00a0page)' : `(${index + 1}\u00a0pages)`);
    }
    const { page } = mary;
    await page.goto(linkIn(hers));
    await enrolByMail(mary, company.site.mailboxes, MARY);
    await page.getByRole('button', { name: 'Sign…' }).waitFor();

    // Each is there, and reached without scrolling past the others.
    const contents = page.getByRole('navigation', { name: '3 documents' });
    expect(await contents.getByRole('button').allTextContents()).toEqual(SHOWN);
    const shown = page.locator('section.document');
    for (const [index, name] of SHOWN.entries()) {
      await contents.getByRole('button').nth(index).click();
      const one = shown.nth(index);
      expect(await one.locator('.name').textContent()).toBe(name);
      await expect.poll(() => one.evaluate(element => element === document.activeElement)).toBe(true);
      await expect.poll(async () => (await one.boundingBox())!.y).toBeLessThan(400);
      await one.getByText(TEXTS[index]!).first().waitFor();
    }
    expect(await findings(page)).toEqual([]);

    await page.getByRole('button', { name: 'Sign…' }).click();
    const sentence = await page.getByRole('dialog').textContent();
    for (const name of SHOWN) expect(sentence).toContain(`“${name}”`);
    await page.getByRole('button', { name: 'Sign now' }).click();
    await page.getByRole('heading', { name: 'Signed', exact: true }).waitFor();

    await signOnCommandLine(his, 'advanced');
    await expectFinished(hers.request!, 4);
  });

  test('the same at the level Standard: drawn once, in every file', async () => {
    const [hers, his] = await ask('Standard: three at once');
    const { page } = mary;
    await page.goto(linkIn(hers));
    await page.getByRole('button', { name: 'Sign…' }).click();
    await page.getByRole('button', { name: 'Type instead' }).click();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('heading', { name: 'Your initials' }).waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Sign now' }).waitFor();
    const sentence = await dialog.textContent();
    for (const name of SHOWN) expect(sentence).toContain(`“${name}”`);
    await dialog.getByRole('button', { name: 'Sign now' }).click();
    await page.getByRole('heading', { name: 'Signed', exact: true }).waitFor();
    await signOnCommandLine(his, 'standard');
    await expectFinished(hers.request!, 4);
  });

  /** With a code from the admin, as the command line takes it. */
  async function enrolJohn(): Promise<void> {
    const { code } = await company.gateway.core.devices.createAdminCode('john.doe');
    const url = company.site.config.publicUrl;
    const enrolled = await signpost('device', 'enrol', url, JOHN, '--code', code, ...store());
    expect(enrolled, enrolled.output).toMatchObject({ status: 0 });
  }
});
