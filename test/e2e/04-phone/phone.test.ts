/** The person's way, in a real browser: mail → link → set-up → view → sign → the finished mail. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { enrolByMail, type Phone, type Phones, sign, startPhones, waitForReview } from '../../../src/tryout/browser.ts';
import { linkIn, waitForLetter } from '../../../src/tryout/letters.ts';
import { addressOf } from '../../../src/tryout/site.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { dumpDatabase } from '../../support/dump.ts';
import { has, hasPostfix } from '../../support/tools.ts';

const MARY = addressOf('mary.smith');

describe.skipIf(!hasPostfix || !has('chromium'))('the phone', () => {
  let company: Company;
  let phones: Phones;
  let mary: Phone;
  let john: Phone;

  beforeAll(async () => {
    company = await startCompany();
    phones = await startPhones();
    mary = await phones.open();
    john = await phones.open();
  });
  afterAll(async () => {
    await phones?.close();
    await company?.stop();
  });

  test('A3 mail, link from the mail, enrolment, view, sign, finished mail', async () => {
    const [letter] = await company.ask('mary.smith', ['self']);
    await mary.page.goto(linkIn(letter!));
    await enrolByMail(mary, company.site.mailboxes, MARY);
    await waitForReview(mary);
    expect(await mary.page.getByRole('heading', { level: 1 }).textContent()).toContain(
      'Mary Smith asks for your signature',
    );
    // What a screen reader reads is the page's own text.
    await expect.poll(() => mary.page.locator('.textLayer').first().textContent()).toContain('Document');
    await sign(mary);
    expect(await mary.page.locator('main').textContent()).toContain('You were the last to sign');
    const finished = await waitForLetter(
      company.site.mailboxes,
      MARY,
      'finished',
      ({ request }) => request === letter!.request,
    );
    expect(finished.parsed.attachments.filter(({ contentType }) => contentType === 'application/pdf')).toHaveLength(1);
  });

  test('A3 a second signatory signs between review and press; a reload and a second press change nothing', async () => {
    const [forMary, forJohn] = await company.ask('mary.smith', ['self', 'john.doe']);
    await john.page.goto(linkIn(forJohn!));
    await enrolByMail(john, company.site.mailboxes, addressOf('john.doe'));
    await waitForReview(john);
    await mary.page.goto(linkIn(forMary!));
    await waitForReview(mary);
    await sign(mary);
    // John reviewed the revision before Mary's: his device checks hers and signs on top, without a second look.
    await john.page.getByRole('button', { name: 'Sign…' }).click();
    await john.page.getByRole('button', { name: 'Sign now' }).dblclick();
    await john.page.getByRole('heading', { name: 'Signed', exact: true }).waitFor();
    await john.page.reload();
    await john.page.getByRole('heading', { name: 'Signed', exact: true }).waitFor();
    const finished = await waitForLetter(
      company.site.mailboxes,
      MARY,
      'finished',
      ({ request }) => request === forMary!.request,
    );
    expect(finished.parsed.attachments).not.toHaveLength(0);
    const toJohn = addressOf('john.doe');
    await waitForLetter(company.site.mailboxes, toJohn, 'finished', ({ request }) => request === forMary!.request);
    const signed = company.site.mailboxes.mails.filter(
      ({ raw }) => raw.includes(`Signpost-Request: ${forMary!.request}`) && raw.includes('Signpost-Status: finished'),
    );
    expect(signed.map(({ to }) => to[0]).sort()).toEqual([toJohn, MARY]);
  });

  test('A3 reject with a comment: every party is told', async () => {
    const [forJohn] = await company.ask('mary.smith', ['john.doe']);
    await john.page.goto(linkIn(forJohn!));
    await waitForReview(john);
    await john.page.getByRole('button', { name: 'Reject…' }).click();
    await john.page.getByLabel('Why?').fill('The price is wrong: <b>12</b> not 21');
    await john.page.getByRole('button', { name: 'Reject', exact: true }).click();
    await john.page.getByRole('heading', { name: 'Rejected' }).waitFor();
    const rejected = await waitForLetter(
      company.site.mailboxes,
      MARY,
      'rejected',
      ({ request }) => request === forJohn!.request,
    );
    expect(rejected.parsed.text).toContain('The price is wrong: <b>12</b> not 21');
    await john.page.reload();
    await john.page.getByRole('heading', { name: 'Rejected' }).waitFor();
  });

  test("A3 another person's browser and a wrong device see the same page as an unknown link", async () => {
    const [forMary] = await company.ask('mary.smith', ['self']);
    const unknown = linkIn(forMary!).replace(/[^/]{6}$/, 'AAAAAA');
    const seen = async (phone: Phone, link: string): Promise<string> => {
      await phone.page.goto(link);
      await phone.page.getByRole('heading', { level: 1 }).waitFor();
      return phone.page.locator('body').innerHTML();
    };
    // John's phone is set up, but the link is Mary's.
    expect(await seen(john, linkIn(forMary!))).toBe(await seen(john, unknown));
    const stranger = await phones.open();
    const before = await seen(stranger, linkIn(forMary!));
    expect(before).toContain('Set up this device');
    expect(before).toBe(await seen(stranger, unknown));
    expect(before).not.toContain('Mary');
    await stranger.context.close();
  });

  test('A3 GET, HEAD and OPTIONS on every mailed address change nothing in the database', async () => {
    const [letter] = await company.ask('mary.smith', ['self', 'john.doe']);
    await company.gateway.pause();
    const urls = new Set<string>();
    for (const { raw } of company.site.mailboxes.mails) {
      const text = raw.toString().replace(/=\r\n/g, '').replaceAll('=3D', '=');
      for (const [url] of text.matchAll(/http:\/\/localhost:\d+[^\s"'<>)]*/g)) urls.add(url);
    }
    expect([...urls].some(url => url === linkIn(letter!))).toBe(true);
    const state = join(company.site.config.folder, company.site.config.state);
    const before = dumpDatabase(state);
    for (const url of urls) {
      for (const method of ['GET', 'HEAD', 'OPTIONS']) await (await fetch(url, { method })).arrayBuffer();
      // A scanner that runs the page's scripts, too.
      const scanner = await phones.open();
      await scanner.page.goto(url);
      await scanner.page.waitForLoadState('networkidle');
      await scanner.context.close();
    }
    expect(dumpDatabase(state)).toBe(before);
    company.gateway.resume();
  });
});
