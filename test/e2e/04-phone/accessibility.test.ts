/**
 * Every page for everybody: axe-core finds nothing against WCAG 2.2 AA in light and dark, nothing scrolls sideways at
 * 320 px or with text twice as big, the keyboard alone signs and rejects, and the first view is small. Nothing is
 * asked of any other host, and no page writes an error to the console.
 */

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { enrolByMail, type Phone, type Phones, startPhones, waitForReview } from '../../../src/tryout/browser.ts';
import { linkIn } from '../../../src/tryout/letters.ts';
import { addressOf } from '../../../src/tryout/site.ts';
import { findings, withBigText } from '../../support/accessibility.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { simplePdf } from '../../support/pdfs.ts';
import { has } from '../../support/tools.ts';

const MARY = addressOf('mary.smith');

/** Whether some of what has the focus can be seen (WCAG 2.2, 2.4.11): nothing lies on all of it. */
const focusIsSeen = (page: Page): Promise<boolean> =>
  page.evaluate(() => {
    const { activeElement } = document;
    const box = activeElement?.getBoundingClientRect();
    if (!activeElement || !box || activeElement === document.body) return true;
    return [0.02, 0.5, 0.98].some(part => {
      const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height * part);
      return hit !== null && (activeElement.contains(hit) || hit.contains(activeElement));
    });
  });

/** Focuses what Tab reaches next until it is the button of this name. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    await page.keyboard.press('Tab');
    expect(await focusIsSeen(page), 'what has the focus is hidden').toBe(true);
    if ((await page.evaluate(() => document.activeElement?.textContent)) === name) return;
  }
  throw new Error(`the keyboard does not reach “${name}”`);
}

describe.skipIf(!has('chromium'))('accessibility', () => {
  let company: Company;
  let phones: Phones;
  const problems: string[] = [];

  /** A phone that notes console errors, page errors and requests to other hosts. */
  async function open(options: Parameters<Phones['open']>[0]): Promise<Phone> {
    const phone = await phones.open(options);
    const { host } = new URL(company.site.config.publicUrl);
    phone.page.on('console', message => {
      // The API's "nothing here" to the unknown link is what the browser itself notes.
      const unknown = message.text().includes('404') && message.location().url.includes('/api/sessions/');
      if (!unknown && (message.type() === 'error' || message.type() === 'warning')) problems.push(message.text());
    });
    phone.page.on('pageerror', error => problems.push(String(error)));
    phone.page.on('request', request => {
      if (!request.url().startsWith('blob:') && new URL(request.url()).host !== host) problems.push(request.url());
    });
    return phone;
  }

  beforeAll(async () => {
    company = await startCompany({ postfix: false });
    phones = await startPhones();
  });
  afterAll(async () => {
    await phones?.close();
    await company?.stop();
  });

  test.each([
    { name: 'small and light', options: { width: 320, height: 568 } },
    { name: 'desktop and dark', options: { width: 1280, height: 900, dark: true, desktop: true } },
  ])('axe-core finds nothing on any page, and nothing is wider than the screen: $name', async ({ options }) => {
    const phone = await open(options);
    const { page } = phone;
    const seen: Record<string, string[]> = {};
    const look = async (name: string): Promise<void> => {
      seen[name] = await findings(page);
      seen[`${name}, text twice as big`] = await withBigText(page, () => findings(page));
    };
    const pdf = await simplePdf({ pages: 3, text: 'A contract' });
    const subject = `Advanced: Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft ${options.width}`;
    const [letter] = await company.ask('mary.smith', ['self', 'john.doe'], subject, pdf);
    const [other] = await company.ask('john.doe', ['mary.smith'], `Advanced: another ${options.width}`);
    const [foreign] = await company.ask('john.doe', ['self'], `Advanced: not hers ${options.width}`);

    await page.goto(`${company.site.config.publicUrl}/`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await look('welcome');
    await page.goto(`${company.site.config.publicUrl}/trust`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await look('trust');
    await page.goto(linkIn(letter!));
    await page.getByRole('heading', { level: 1 }).waitFor();
    await look('enrolment');
    await page.getByRole('button', { name: 'Set up', exact: true }).click();
    await page.getByRole('alert').waitFor();
    await look('enrolment with an error');
    await enrolByMail(phone, company.site.mailboxes, MARY);
    await waitForReview(phone);
    await look('review');
    await page.getByRole('button', { name: 'Sign…' }).click();
    await look('sign dialog');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Reject…' }).click();
    await look('reject dialog');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Later' }).click();
    await look('later');
    await page.goto(linkIn(foreign!));
    await page.getByRole('heading', { name: 'Nothing to sign here' }).waitFor();
    await look('unknown link');
    await page.goto(`${company.site.config.publicUrl}/`);
    await page.getByRole('heading', { name: 'Waiting for you' }).waitFor();
    await look('home');
    await page.getByRole('button', { name: 'Remove this device…' }).click();
    await look('home, before removal');
    await page.goto(linkIn(other!));
    await waitForReview(phone);
    await page.getByRole('button', { name: 'Reject…' }).click();
    await page.getByRole('button', { name: 'Reject', exact: true }).click();
    await page.getByRole('heading', { name: 'Rejected' }).waitFor();
    await look('rejected');
    await page.goto(linkIn(letter!));
    await waitForReview(phone);
    await page.getByRole('button', { name: 'Sign…' }).click();
    await page.getByRole('button', { name: 'Sign now' }).click();
    await page.getByRole('heading', { name: 'Signed', exact: true }).waitFor();
    await look('signed');
    expect(Object.entries(seen).filter(([, found]) => found.length > 0)).toEqual([]);
    await phone.context.close();
  });

  test('the keyboard alone signs and rejects: Tab stays in a dialog, Escape leaves it, the focus comes back', async () => {
    const phone = await open({ width: 320, height: 568, desktop: true });
    const { page } = phone;
    const focused = (): Promise<string | null> => page.evaluate(() => document.activeElement?.textContent ?? null);
    const [letter] = await company.ask('mary.smith', ['self'], 'Advanced: by keyboard');
    const [other] = await company.ask('mary.smith', ['self'], 'Advanced: rejected by keyboard');
    await page.goto(linkIn(letter!));
    await enrolByMail(phone, company.site.mailboxes, MARY);
    await waitForReview(phone);
    // The document's pages take the focus, too: arrows scroll them.
    await tabTo(page, 'Sign…');
    await page.keyboard.press('Enter');
    for (let presses = 0; presses < 8; presses++) {
      await page.keyboard.press('Tab');
      expect(['Sign now', 'Cancel', null]).toContain(
        await page.evaluate(() => {
          const { activeElement } = document;
          // Between the last and the first the browser's own controls have their turn.
          return activeElement === document.body ? null : (activeElement?.textContent ?? null);
        }),
      );
    }
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    expect(await focused()).toBe('Sign…');
    await page.keyboard.press('Enter');
    await tabTo(page, 'Sign now');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Signed', exact: true }).waitFor();
    expect(await focused()).toBe('Signed');

    await page.goto(linkIn(other!));
    await waitForReview(phone);
    await tabTo(page, 'Reject…');
    await page.keyboard.press('Space');
    await page.getByLabel('Why?').focus();
    await page.keyboard.type('not this one');
    await tabTo(page, 'Reject');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Rejected' }).waitFor();
    expect(await focused()).toBe('Rejected');
    await phone.context.close();
  });

  test('the first view is under 100 kB before the document itself', async () => {
    const [letter] = await company.ask('mary.smith', ['self'], 'Advanced: on a slow line');
    const phone = await open({ width: 360, height: 640 });
    const devtools = await phone.context.newCDPSession(phone.page);
    let received = 0;
    await devtools.send('Network.enable');
    devtools.on('Network.loadingFinished', ({ encodedDataLength }) => {
      received += encodedDataLength;
    });
    await phone.page.goto(linkIn(letter!));
    await phone.page.getByRole('heading', { level: 1 }).waitFor();
    await phone.page.waitForLoadState('networkidle');
    expect(received).toBeGreaterThan(5_000);
    expect(received).toBeLessThan(100_000);
    await phone.context.close();
  });

  test('no page wrote an error or asked another host', () => {
    expect(problems).toEqual([]);
  });
});
