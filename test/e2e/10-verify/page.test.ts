/**
 * B10 The verification page in a browser: good, changed and unknown files, chosen, dropped, by keyboard; small, in three
 * languages; and nothing of them is left at the gateway. With SIGNPOST_PICTURES=DIR, pictures for people to look at.
 */
import { randomBytes } from 'node:crypto';
import { type Dirent, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { approvalData } from '../../../src/client/approval.ts';
import { createDocuments } from '../../../src/documents/pipeline.ts';
import { formatReport, makeReport } from '../../../src/signatures/report.ts';
import { type Phones, startPhones } from '../../../src/tryout/browser.ts';
import { findings, withBigText } from '../../support/accessibility.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { layoutPlan } from '../../support/documents.ts';
import { simplePdf } from '../../support/pdfs.ts';
import { has } from '../../support/tools.ts';
import { append } from '../../unit/signatures/attacker.ts';
import { markFor } from '../12-standard-file/made.ts';

const PICTURES = process.env.SIGNPOST_PICTURES;

describe.skipIf(!has('chromium'))('verification page', () => {
  let company: Company;
  let phones: Phones;
  let url: string;
  let state: string;
  let before: readonly string[];
  let files: Readonly<Record<'good' | 'changed' | 'unknown', Buffer>>;
  const problems: string[] = [];

  beforeAll(async () => {
    company = await startCompany({ postfix: false });
    phones = await startPhones();
    url = `${company.site.config.publicUrl}/verify`;
    const { pki, worker } = company.gateway.core;
    const documents = createDocuments({ worker, pki, company: company.site.config.company });
    const plan = layoutPlan({
      company: company.site.config.company,
      signatories: ['Mary Smith', 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerk'].map(name => ({
        name,
        title: null,
        level: 'standard',
      })),
      marks: { signaturePage: true, paraphs: true, watermark: true },
    });
    const first = await documents.prepare(await simplePdf({ pages: 1 }), plan);
    let head = first.bytes;
    for (const [index, { name }] of plan.signatories.entries())
      head = await documents.approve(head, first.layout, markFor(index, name, 'standard', index));
    const good = await documents.close(head, first.layout, new Date());
    const [, content] = Buffer.from(good)
      .toString('latin1')
      .match(/\/Contents \[?\s*(\d+) 0 R/)!;
    const changed = append(good, {
      objects: [{ number: Number(content), text: '<< /Length 3 >>\nstream\nq Q\nendstream' }],
    });
    const unknown = await simplePdf({ pages: 1, text: 'Never signed' });
    files = { good: Buffer.from(good), changed: Buffer.from(changed), unknown: Buffer.from(unknown) };
    for (const [name, bytes] of Object.entries(files)) writeFileSync(pathOf(name), bytes);
    state = join(company.site.config.folder, company.site.config.state);
    before = filesIn(state)
      .map(({ name }) => name)
      .toSorted();
    expect(before.length).toBeGreaterThan(0);
  });
  afterAll(async () => {
    await phones?.close();
    await company?.stop();
  });

  const filesIn = (path: string): Dirent[] =>
    readdirSync(path, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());

  const pathOf = (name: string): string => join(company.folder, `${name} contract.pdf`);

  async function open(options: Parameters<Phones['open']>[0]): Promise<Page> {
    const { page } = await phones.open(options);
    page.on('console', message => {
      if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
    });
    page.on('pageerror', error => problems.push(String(error)));
    page.on('request', request => {
      if (new URL(request.url()).origin !== new URL(url).origin) problems.push(request.url());
    });
    // The browser hands choosers over as long as somebody listens.
    page.on('filechooser', () => {});
    await page.goto(url);
    await page.getByRole('heading', { level: 1 }).waitFor();
    return page;
  }

  const heading = (page: Page): Promise<string | null> => page.getByRole('heading', { level: 1 }).textContent();

  async function choose(page: Page, name: string, expected: string): Promise<void> {
    await page.locator('input[type=file]').setInputFiles(pathOf(name));
    await page.getByRole('heading', { level: 1, name: expected }).waitFor();
  }

  async function picture(page: Page, name: string): Promise<void> {
    if (PICTURES) await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
  }

  const WORDS = {
    en: {
      locale: 'en-GB',
      good: 'Unchanged and valid',
      changed: 'Don’t rely on this file',
      unknown: 'No signature found',
      again: 'Check another file',
      standard: 'Standard signature, drawn or typed: valid',
    },
    fr: {
      locale: 'fr-FR',
      good: 'Inchangé et valide',
      changed: 'Ne vous fiez pas à ce fichier',
      unknown: 'Aucune signature trouvée',
      again: 'Vérifier un autre fichier',
      standard: 'Signature simple (standard), tracée ou saisie au clavier\u00a0: valide',
    },
    de: {
      locale: 'de-DE',
      good: 'Unverändert und gültig',
      changed: 'Verlassen Sie sich nicht auf diese Datei',
      unknown: 'Keine Signatur gefunden',
      again: 'Weitere Datei prüfen',
      standard: 'Einfache Signatur (Standard), gezeichnet oder getippt: gültig',
    },
  } as const;

  test.each(['en', 'fr', 'de'] as const)(
    'a good, a changed and an unknown file at 320 px: what is so is said, axe-core finds nothing, nothing scrolls sideways (%s)',
    async language => {
      const words = WORDS[language];
      const page = await open({ width: 320, height: 568, language: words.locale });
      const seen: Record<string, string[]> = {};
      const look = async (name: string): Promise<void> => {
        seen[name] = await findings(page);
        seen[`${name}, text twice as big`] = await withBigText(page, () => findings(page));
        await picture(page, `verify-${language}-${name}`);
      };
      await look('start');
      for (const name of ['good', 'changed', 'unknown'] as const) {
        await choose(page, name, words[name]);
        await page.getByText(`${name} contract.pdf`).waitFor();
        for (const details of await page.locator('summary').all()) await details.click();
        await look(name);
        if (name === 'good') {
          const cards = await page.locator('section.card').allTextContents();
          expect(cards).toHaveLength(5);
          const mary = cards.find(card => card.includes('Mary Smith'))!;
          expect(mary).toContain(words.standard);
          expect(mary).toContain('B-LTA');
        }
        if (name === 'changed') expect(await page.locator('main').textContent()).toMatch(/obj\w+ \d+/i);
        await page.getByRole('button', { name: words.again }).click();
        await page.locator('input[type=file]').waitFor({ state: 'attached' });
      }
      expect(Object.entries(seen).filter(([, found]) => found.length > 0)).toEqual([]);
      await page.context().close();
    },
  );

  test('a transaction report: who approved what, and where it can be confirmed', async () => {
    const documents = ['1', '2'].map(name => ({ name: `${name} contract.pdf`, sha256: name.repeat(64) }));
    const approval = approvalData({
      request: '0123456789AB',
      company: 'Example Company S.A.',
      level: 'standard',
      sender: { name: 'Mary Smith', mail: 'mary.smith@company.com' },
      signatory: { name: 'John Doe', mail: 'john.doe@company.com' },
      subject: 'Contract',
      documents,
      place: null,
    });
    const [started, stopped] = [new Date('2026-11-24T14:02:00Z'), new Date('2026-11-24T14:03:09Z')];
    const more = { userDn: 'CN=John Doe', userIp: '192.0.2.7', clientId: 'sign.company.com', clientIp: '192.0.2.1' };
    const report = makeReport({ started, stopped, ...more, nonce: randomBytes(20), data: approval }, randomBytes(32));
    writeFileSync(pathOf('report'), formatReport(report));
    const page = await open({ width: 320, height: 568 });
    await choose(page, 'report', 'Record of an approval');
    const said = await page.locator('main').textContent();
    for (const words of [
      'John Doe',
      '24 November 2026',
      ...documents.map(({ name, sha256 }) => `${name}, SHA-256 ${sha256}`),
    ])
      expect(said).toContain(words);
    expect(await findings(page)).toEqual([]);
    await picture(page, 'verify-en-report');
    await page.context().close();
  });

  test('dark and wide: axe-core finds nothing', async () => {
    const page = await open({ width: 1280, height: 900, dark: true, desktop: true });
    expect(await findings(page)).toEqual([]);
    for (const name of ['good', 'changed', 'unknown'] as const) {
      await choose(page, name, WORDS.en[name]);
      expect(await findings(page)).toEqual([]);
      await picture(page, `verify-dark-${name}`);
      await page.getByRole('button', { name: WORDS.en.again }).click();
    }
    await page.context().close();
  });

  test('dropped', async () => {
    const page = await open({ width: 1280, height: 900, desktop: true });
    for (const name of ['good', 'changed', 'unknown'] as const) {
      const base64 = readFileSync(pathOf(name)).toString('base64');
      const data = await page.evaluateHandle(content => {
        const transfer = new DataTransfer();
        const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
        transfer.items.add(new File([bytes], 'dropped.pdf', { type: 'application/pdf' }));
        return transfer;
      }, base64);
      await page.dispatchEvent('.drop', 'dragover', { dataTransfer: data });
      expect(await page.locator('.drop.over').count()).toBe(1);
      await page.dispatchEvent('.drop', 'drop', { dataTransfer: data });
      await page.getByRole('heading', { level: 1, name: WORDS.en[name] }).waitFor();
      await page.getByText('dropped.pdf').waitFor();
      await page.getByRole('button', { name: WORDS.en.again }).click();
    }
    await page.context().close();
  });

  test('by keyboard alone: choose, read, open the details, check another; the focus is where one reads on', async () => {
    const page = await open({ width: 320, height: 568, desktop: true });
    const tabTo = async (selector: string): Promise<void> => {
      for (let presses = 0; presses < 40; presses++) {
        if (await page.evaluate(one => document.activeElement?.matches(one) ?? false, selector)) return;
        await page.keyboard.press('Tab');
      }
      throw new Error(`the keyboard does not reach ${selector}`);
    };
    await tabTo('input[type=file]');
    const frame = await page.locator('.drop').evaluate(zone => getComputedStyle(zone).outlineStyle);
    expect(frame, 'the focus is seen').toBe('solid');
    const chooser = page.waitForEvent('filechooser');
    await page.keyboard.press('Enter');
    await (await chooser).setFiles(pathOf('good'));
    await page.getByRole('heading', { level: 1, name: WORDS.en.good }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe(WORDS.en.good);
    await tabTo('summary');
    await page.keyboard.press('Enter');
    expect(await page.locator('details[open]').count()).toBe(1);
    await tabTo('button:not([disabled])');
    await tabTo('main button');
    await page.keyboard.press('Enter');
    await page.locator('input[type=file]').waitFor({ state: 'attached' });
    await tabTo('input[type=file]');
    const again = page.waitForEvent('filechooser');
    await page.keyboard.press('Space');
    await again;
    expect(await heading(page)).toBe('Check a signed file');
    await page.context().close();
  });

  test('nothing of a file is left at the gateway', () => {
    const found = filesIn(state);
    expect(found.map(({ name }) => name).toSorted()).toEqual(before);
    for (const entry of found) {
      const kept = readFileSync(join(entry.parentPath, entry.name));
      for (const bytes of Object.values(files)) {
        // Before the signatures: their certificates are the gateway's own.
        const end = bytes.includes('/ByteRange') ? bytes.indexOf('/ByteRange') : bytes.length;
        for (let at = 0; at + 64 <= end; at += end >> 3)
          expect(kept.includes(bytes.subarray(at, at + 64)), entry.name).toBe(false);
      }
      expect(kept.includes('contract.pdf'), entry.name).toBe(false);
    }
  });

  test('no page wrote an error or asked another host', () => {
    expect(problems).toEqual([]);
  });
});
