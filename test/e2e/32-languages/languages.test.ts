/**
 * D10 Every page state in English, French and German, in Chromium on the smallest phone: nothing scrolls sideways, with
 * text twice as big neither; nothing is cut off; no English among French or German; the page says which language it
 * speaks; axe-core finds nothing. The keyboard alone is enough from the link to the signature. And every mail at 320 px.
 */

import { simpleParser } from 'mailparser';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LANGUAGES } from '../../../src/directory/directory.ts';
import { type Phone, type Phones, startPhones } from '../../../src/tryout/browser.ts';
import { codeIn, linkIn, waitForLetter } from '../../../src/tryout/letters.ts';
import { addressOf } from '../../../src/tryout/site.ts';
import { chooseTexts } from '../../../src/web/texts/index.ts';
import { devicesTour, startStrictCompany } from '../../pictures/devices.ts';
import { LOCALES, startTourCompany, TOURISTS, tour } from '../../pictures/tour.ts';
import { findings, withBigText } from '../../support/accessibility.ts';
import type { Company } from '../../support/company.ts';
import { has } from '../../support/tools.ts';
import { composeSample, samples } from '../../unit/outbound/samples.ts';

const SMALL = { width: 320, height: 568 };
/** Fewer would mean that the tour leaves pages out. */
const STATES = 43;

/** What French and German texts don't have, but hardly an English sentence does without. */
const ENGLISH = /\b(?:the|this|your|you|with|please|and|is|of|for)\b/i;

/** How many pixels the page is wider than the screen. */
const tooWide = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Texts that end in the middle because their box is too small, though it doesn't scroll. */
const cutTexts = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('body *:not(.unseen)')]
      .filter(element => {
        const { overflowX, overflowY } = getComputedStyle(element);
        const hidden = (overflow: string): boolean => overflow === 'hidden' || overflow === 'clip';
        if (!element.innerText || element.closest('.textLayer, .unseen')) return false;
        return (
          (hidden(overflowX) && element.scrollWidth > element.clientWidth + 1) ||
          (hidden(overflowY) && element.scrollHeight > element.clientHeight + 1)
        );
      })
      .map(({ innerText }) => innerText.slice(0, 80)),
  );

/** What people read on the page: no document's content. */
const words = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const copy = document.body.cloneNode(true) as HTMLElement;
    for (const element of copy.querySelectorAll('.textLayer, noscript, blockquote, script')) element.remove();
    const labels = [...copy.querySelectorAll('[aria-label], [alt]')].map(
      element => element.getAttribute('aria-label') ?? element.getAttribute('alt'),
    );
    return [copy.textContent, document.title, ...labels].join('\n');
  });

/** What has the focus: a field's name, or what a button or heading says. */
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const { activeElement } = document;
    return (activeElement?.getAttribute('name') ?? activeElement?.textContent ?? '').trim();
  });

/** Presses Tab until that has the focus; on the way, what has it must be seen to have it. */
async function tabTo(page: Page, wanted: string): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    await page.keyboard.press('Tab');
    const unseen = await page.evaluate(() => {
      const { activeElement } = document;
      if (!activeElement || activeElement === document.body) return null;
      return getComputedStyle(activeElement).outlineStyle === 'none' ? activeElement.outerHTML.slice(0, 100) : null;
    });
    expect(unseen, 'has the focus and does not show it').toBe(null);
    if ((await focused(page)) === wanted) return;
  }
  throw new Error(`the keyboard does not reach “${wanted}”`);
}

describe.skipIf(!has('chromium'))('D10 languages', () => {
  let company: Company;
  let strict: Company;
  let phones: Phones;

  beforeAll(async () => {
    company = await startTourCompany();
    strict = await startStrictCompany();
    phones = await startPhones();
  });
  afterAll(async () => {
    await phones?.close();
    await company?.stop();
    await strict?.stop();
  });

  const open = (language: string): Promise<Phone> => phones.open({ ...SMALL, language, desktop: true });

  test.each(LANGUAGES)('D10 every page state, %s', { timeout: 300_000 }, async language => {
    const seen: Record<string, string[]> = {};
    const look = async (page: Page, state: string): Promise<void> => {
      const found = await findings(page);
      found.push(...(await cutTexts(page)).map(text => `cut: ${text}`));
      const wide = await withBigText(page, async () => [`${await tooWide(page)} px too wide with text twice as big`]);
      if (!wide[0]!.startsWith('0 ')) found.push(...wide);
      const spoken = await page.evaluate(() => document.documentElement.lang);
      if (spoken !== language) found.push(`says that it speaks ${spoken}`);
      const [english] = language === 'en' ? [] : (ENGLISH.exec(await words(page)) ?? []);
      if (english !== undefined) found.push(`English: “${english}” in ${await words(page)}`);
      seen[state] = found;
    };
    // German in the dark: contrast is axe-core's matter.
    const variant = { ...SMALL, dark: language === 'de' };
    await tour(company, phones, language, variant, look);
    await devicesTour(strict, phones, { ...variant, language: LOCALES[language] }, look);
    expect(Object.entries(seen).filter(([, found]) => found.length > 0)).toEqual([]);
    expect(Object.keys(seen)).toHaveLength(STATES);
  });

  test('D10 the keyboard alone sets up a device, confirms it on another, and signs; what has the focus is seen', async () => {
    const texts = chooseTexts(['de']);
    const address = addressOf(TOURISTS.de);
    const [first, second] = [await open('de-DE'), await open('de-DE')];
    const [letter] = await company.ask('john.doe', [TOURISTS.de], '[advanced] 7');

    /** Types address and code, and presses the button to set up. */
    async function setUp(page: Page): Promise<void> {
      await page.goto(linkIn(letter!));
      await page.getByRole('heading', { name: texts.enrolTitle }).waitFor();
      const { mails } = company.site.mailboxes;
      const earlier = mails.length;
      await tabTo(page, 'address');
      await page.keyboard.type(address);
      await tabTo(page, texts.sendCode);
      await page.keyboard.press('Enter');
      const code = await waitForLetter(
        company.site.mailboxes,
        address,
        'enrolment-code',
        ({ mail }) => mails.indexOf(mail) >= earlier,
      );
      // The focus is in the field of the code by itself.
      await expect.poll(() => focused(page)).toBe('code');
      await page.keyboard.type(codeIn(code));
      await page.keyboard.press('Enter');
    }

    await setUp(first.page);
    await first.page.getByRole('button', { name: texts.sign }).waitFor();
    await setUp(second.page);
    await second.page.getByRole('heading', { name: texts.devices.waitingTitle }).waitFor();
    expect(await focused(second.page)).toBe(texts.devices.waitingTitle);
    await first.page.goto(company.site.config.publicUrl);
    await first.page.getByRole('heading', { name: texts.devices.newcomerTitle }).waitFor();
    await tabTo(first.page, texts.devices.newcomerYes);
    await first.page.keyboard.press('Enter');
    await second.page.getByRole('button', { name: texts.sign }).waitFor();
    await tabTo(second.page, texts.sign);
    await second.page.keyboard.press('Enter');
    await tabTo(second.page, texts.signNow);
    await second.page.keyboard.press('Enter');
    await second.page.getByRole('heading', { name: texts.signedTitle, exact: true }).waitFor();
    expect(await focused(second.page)).toBe(texts.signedTitle);
    for (const { context } of [first, second]) await context.close();
  });

  test.each(LANGUAGES)('D10 every mail, %s', { timeout: 120_000 }, async language => {
    const { context, page } = await phones.open(SMALL);
    const found: Record<string, unknown> = {};
    for (const name of Object.keys(samples)) {
      const { bytes } = await composeSample(name, language);
      const { html } = await simpleParser(Buffer.from(bytes));
      expect(html, name).toContain(`lang="${language}"`);
      await page.setContent(html || '');
      const wrong = { wide: await tooWide(page), cut: await cutTexts(page) };
      if (wrong.wide > 0 || wrong.cut.length > 0) found[name] = wrong;
    }
    await context.close();
    expect(found).toEqual({});
  });
});
