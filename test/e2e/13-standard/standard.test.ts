/**
 * Standard and seal as people meet them: mailed through Postfix, drawn in Chromium with a finger, a mouse or the keyboard
 * alone, judged by poppler, qpdf and OpenSSL.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hex, sha256, utf8 } from '../../../src/client/bytes.ts';
import type { Requests } from '../../../src/requests/requests.ts';
import { parseReport } from '../../../src/signatures/report.ts';
import { enrolByMail, type Phone, type Phones, startPhones } from '../../../src/tryout/browser.ts';
import { linkIn, waitForLetter } from '../../../src/tryout/letters.ts';
import { addressOf, SIGN_DOMAIN } from '../../../src/tryout/site.ts';
import { findings, withBigText } from '../../support/accessibility.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { simplePdf } from '../../support/pdfs.ts';
import { has, hasPostfix, run } from '../../support/tools.ts';

const BIN = new URL('../../../bin/signpost.js', import.meta.url).pathname;
const MARY = addressOf('mary.smith');

function signpost(...args: string[]): Promise<{ status: number; output: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, [BIN, ...args], (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code) : 0, output: `${stdout}${stderr}` });
    });
  });
}

/** A loop across the pad, from its left to its right. */
async function loop(page: Page, upwards: 1 | -1 = 1): Promise<[number, number][]> {
  const box = (await page.locator('canvas.ink').boundingBox())!;
  return Array.from({ length: 50 }, (_, step) => {
    const part = step / 49;
    return [
      box.x + box.width * (0.1 + 0.8 * part) + 15 * Math.cos(part * 20),
      box.y + box.height * (0.5 + upwards * 0.25 * Math.sin(part * 20)),
    ];
  });
}

/** With a finger: what the browser itself makes of it would scroll the page. */
async function drawWithFinger({ page, context }: Phone, upwards: 1 | -1 = 1): Promise<void> {
  const [first, ...rest] = await loop(page, upwards);
  const devtools = await context.newCDPSession(page);
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', points: [number, number][]) =>
    devtools.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y]) => ({ x, y })) });
  await touch('touchStart', [first!]);
  for (const point of rest) await touch('touchMove', [point]);
  await touch('touchEnd', []);
}

async function drawWithMouse({ page }: Phone): Promise<void> {
  const [first, ...rest] = await loop(page);
  await page.mouse.move(...first!);
  await page.mouse.down();
  for (const point of rest) await page.mouse.move(...point);
  await page.mouse.up();
}

/** How many pixels of the pad have ink. */
const inkOf = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('canvas.ink')!;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, index) => index % 4 === 3 && value > 0).length;
  });

async function openRequest(phone: Phone, link: string): Promise<void> {
  await phone.page.goto(link);
  await phone.page.getByRole('button', { name: 'Sign…' }).waitFor();
  await phone.page.locator('.page canvas').first().waitFor();
}

async function signNow({ page }: Phone): Promise<void> {
  await page.getByRole('button', { name: 'Sign now' }).click();
  await page.getByRole('heading', { name: 'Signed', exact: true }).waitFor();
}

describe.skipIf(!hasPostfix || !has('chromium', 'poppler-utils', 'qpdf', 'openssl'))('Standard', () => {
  let company: Company;
  let phones: Phones;
  let mary: Phone;
  let lie = false;

  /** Asks honestly, or to approve another document than the phone shows. */
  const hostile = (requests: Requests): Requests => ({
    ...requests,
    async askApproval(...ask) {
      const question = await requests.askApproval(...ask);
      const data = Buffer.from(question.data).toString();
      return lie ? { ...question, data: utf8(data.replace(/SHA-256 ..../, 'SHA-256 0000')) } : question;
    },
  });

  beforeAll(async () => {
    company = await startCompany({
      people: [
        { id: 'mary.smith', name: 'Mary Smith', title: 'Chief Financial Officer' },
        { id: 'john.doe', name: 'John Doe' },
        { id: 'seal', name: 'Sea Lion' },
      ],
      configure: data =>
        Object.assign(data, {
          levels: { offered: ['standard', 'advanced', 'seal'] },
          seal: { allowed: ['mary.smith'] },
        }),
      gateway: { wrapRequests: hostile },
    });
    phones = await startPhones();
    mary = await phones.open();
    const [letter] = await company.ask('mary.smith', ['self'], 'Standard: to set up the phone');
    await mary.page.goto(linkIn(letter!));
    await enrolByMail(mary, company.site.mailboxes, MARY);
    await mary.page.getByRole('button', { name: 'Sign…' }).waitFor();
  });
  afterAll(async () => {
    await phones?.close();
    await company?.stop();
  });

  async function finishedPdf(request: string, to = MARY): Promise<string> {
    const letter = await waitForLetter(company.site.mailboxes, to, 'finished', mail => mail.request === request);
    const path = join(company.folder, `${request}.pdf`);
    writeFileSync(path, letter.parsed.attachments[0]!.content);
    return path;
  }

  /** Poppler's word on every signature but the document timestamp, which it doesn't judge. */
  function expectValid(path: string, signatures: number): void {
    const { output } = run('pdfsig', [path]);
    expect(output.match(/Signature is Valid/g) ?? [], output).toHaveLength(signatures);
    expect(output).not.toMatch(/invalid|mismatch/i);
    const check = run('qpdf', ['--check', path]);
    expect(check.status, check.output).toBe(0);
  }

  test('B2 B10 drawn with a finger and typed by a colleague: valid, with marks, place, and reports that check', async () => {
    const pdf = simplePdf({ pages: 3, text: 'Contract' });
    const [hers, his] = await company.ask('mary.smith', ['self', 'john.doe'], 'Standard: the contract', pdf);
    await openRequest(mary, linkIn(hers!));
    const { page } = mary;
    await page.getByRole('button', { name: 'Sign…' }).click();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByText('Draw your signature first').waitFor();
    await drawWithFinger(mary);
    const drawn = await inkOf(page);
    expect(drawn).toBeGreaterThan(500);
    // A hundredth for what lies between two pixels: the pad grew when the message went away.
    const asDrawn = async (): Promise<boolean> => Math.abs((await inkOf(page)) / drawn - 1) < 0.01;
    await drawWithFinger(mary, -1);
    expect(await asDrawn()).toBe(false);
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(asDrawn).toBe(true);
    // Turned and turned back: the strokes stay, and stay the same.
    await page.setViewportSize({ width: 844, height: 390 });
    await expect.poll(() => page.evaluate(() => document.querySelector('canvas')!.clientWidth)).toBeGreaterThan(700);
    await expect.poll(() => inkOf(page)).toBeGreaterThan(300);
    await page.setViewportSize({ width: 390, height: 844 });
    await expect.poll(asDrawn).toBe(true);
    expect(await page.evaluate(() => [scrollX, scrollY, document.querySelector('dialog')!.scrollTop])).toEqual([
      0,
      expect.any(Number),
      0,
    ]);
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('heading', { name: 'Your initials' }).waitFor();
    expect(await page.getByLabel('Your initials').last().inputValue()).toBe('MS');
    await page.getByRole('button', { name: 'Draw instead' }).click();
    await drawWithFinger(mary);
    await page.getByRole('button', { name: 'Done' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.textContent()).toContain('with a standard (simple) electronic signature');
    await page.getByRole('radio', { name: 'City' }).check();
    await page.getByRole('textbox', { name: 'City' }).fill('Esch-sur-Alzette');
    await page.getByRole('checkbox', { name: 'Remember' }).check();
    await signNow(mary);

    // John has no mouse: Tab, letters, Enter.
    const john = await phones.open({ width: 1280, height: 800, desktop: true });
    await john.page.goto(linkIn(his!));
    await enrolByMail(john, company.site.mailboxes, addressOf('john.doe'));
    await john.page.getByRole('button', { name: 'Sign…' }).waitFor();
    const { keyboard } = john.page;
    await john.page.getByRole('button', { name: 'Sign…' }).focus();
    await keyboard.press('Enter');
    await tabTo(john.page, 'Type instead');
    await keyboard.press('Enter');
    await keyboard.press('Enter');
    await john.page.getByRole('heading', { name: 'Your initials' }).waitFor();
    await keyboard.press('Enter');
    await tabTo(john.page, 'Sign now');
    await keyboard.press('Enter');
    await john.page.getByRole('heading', { name: 'Signed', exact: true }).waitFor();
    await john.context.close();

    const path = await finishedPdf(hers!.request!, addressOf('john.doe'));
    // Certifying seal, two approvals, closing seal.
    expectValid(path, 4);
    const { output: text } = run('pdftotext', ['-layout', path, '-']);
    for (const shown of ['Mary Smith', 'John Doe', 'Esch-sur-Alzette', 'Example Company S.A.', 'LU12345678'])
      expect(text).toContain(shown);
    await expectReports(hers!.request!, pdf);
  });

  /** Written out by the command, checked with OpenSSL; they name what the phone read. */
  async function expectReports(request: string, mailed: Uint8Array): Promise<void> {
    const folder = join(company.folder, 'reports');
    const config = ['--config', company.site.configFile];
    const shown = await signpost('requests', 'show', request, ...config);
    expect(shown.output).toContain(`signpost requests report ${request} ${MARY}`);
    const written = await signpost('requests', 'report', request, '--out', folder, ...config);
    expect(written, written.output).toMatchObject({ status: 0 });
    expect(readdirSync(folder)).toHaveLength(6);
    const stored = (await company.gateway.core.requests.find(request))!;
    for (const number of [1, 2]) {
      const path = join(folder, `${request}-${number}-report.txt`);
      const report = parseReport(readFileSync(path, 'utf8'));
      const data = Buffer.from(report.data).toString();
      const read = stored.documents[0]!.revisions![number - 1]!;
      expect(data).toContain(`Document: SHA-256 ${read.blob} document-`);
      expect(data).not.toContain(hex(await sha256(mailed)));
      expect(data).toContain(`Place: ${number === 1 ? 'Esch-sur-Alzette' : '-'}\r\n`);
      const trust = join(company.folder, 'trust.pem');
      writeFileSync(trust, await (await fetch(`${company.site.config.publicUrl}/trust.pem`)).text());
      const args = ['cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-purpose', 'any', '-CAfile', trust];
      const verified = run('openssl', [...args, '-in', `${path}.p7s`, '-content', path, '-out', '/dev/null']);
      expect(verified.status, verified.output).toBe(0);
    }
    const none = await signpost('requests', 'report', request, 'nobody@company.com', ...config);
    expect(none).toMatchObject({ status: 1, output: expect.stringContaining('no transaction report') });
  }

  test('what is remembered is there the next time, on one page without initials; coordinates when granted', async () => {
    await mary.context.grantPermissions(['geolocation'], { origin: company.site.config.publicUrl });
    await mary.context.setGeolocation({ latitude: 49.61162, longitude: -6.13194 });
    const [letter] = await company.ask('mary.smith', ['self'], 'Standard: one page', simplePdf({ pages: 1 }));
    await openRequest(mary, linkIn(letter!));
    const { page } = mary;
    await page.getByRole('button', { name: 'Sign…' }).click();
    await expect.poll(() => inkOf(page)).toBeGreaterThan(300);
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('radio', { name: 'My coordinates' }).check();
    await page.getByText('49.6116° N, 6.1319° W').waitFor();
    // Not wanted any more: forgotten.
    await page.getByRole('checkbox', { name: 'Remember' }).uncheck();
    await signNow(mary);
    expectValid(await finishedPdf(letter!.request!), 3);
    const [session] = (await company.gateway.core.requests.find(letter!.request!))!.sessions;
    const evidence = await company.gateway.core.requests.readEvidence(session!);
    const { data } = parseReport(Buffer.from(evidence!.report).toString());
    expect(Buffer.from(data).toString()).toContain('Place: 49.6116° N, 6.1319° W\r\n');
    const [again] = await company.ask('mary.smith', ['self'], 'Standard: forgotten');
    await openRequest(mary, linkIn(again!));
    await page.getByRole('button', { name: 'Sign…' }).click();
    await page.locator('canvas.ink').waitFor();
    expect(await inkOf(page)).toBe(0);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
  });

  test('A4 a gateway that asks to approve another document: the phone refuses and says so', async () => {
    const [letter] = await company.ask('mary.smith', ['self'], 'Standard: a lie', simplePdf({ pages: 1 }));
    await openRequest(mary, linkIn(letter!));
    const { page } = mary;
    await page.getByRole('button', { name: 'Sign…' }).click();
    await drawWithFinger(mary);
    await page.getByRole('button', { name: 'Done' }).click();
    lie = true;
    try {
      await page.getByRole('button', { name: 'Sign now' }).click();
      await page.getByText('Not signed: the document has changed').waitFor();
      expect(await page.getByRole('button', { name: 'Sign now' }).count()).toBe(0);
    } finally {
      lie = false;
    }
    expect((await company.gateway.core.requests.find(letter!.request!))!.state).toBe('open');
  });

  test.each([
    { name: 'small and light', options: { width: 320, height: 568 } },
    { name: 'a phone held sideways, in the dark', options: { width: 740, height: 360, dark: true } },
    { name: 'desktop', options: { width: 1280, height: 900, desktop: true } },
  ])('axe-core finds nothing on pad, initials and confirmation: $name', async ({ options }) => {
    const phone = await phones.open(options);
    const { page } = phone;
    const complaints: string[] = [];
    page.on('console', message => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', error => complaints.push(String(error)));
    const [letter] = await company.ask('mary.smith', ['self'], `Standard: for everybody ${options.width}`);
    await page.goto(linkIn(letter!));
    await enrolByMail(phone, company.site.mailboxes, MARY, mary);
    await page.getByRole('button', { name: 'Sign…' }).waitFor();
    const seen: Record<string, string[]> = {};
    const look = async (name: string): Promise<void> => {
      seen[name] = await findings(page);
      seen[`${name}, text twice as big`] = await withBigText(page, () => findings(page));
    };
    await page.getByRole('button', { name: 'Sign…' }).click();
    await look('pad');
    await page.getByRole('button', { name: 'Done' }).click();
    await look('pad with an error');
    await drawWithMouse(phone);
    await page.getByRole('button', { name: 'Type instead' }).click();
    expect(await page.getByRole('button', { name: 'Undo' }).isVisible()).toBe(false);
    await look('typed');
    await page.getByRole('button', { name: 'Done' }).click();
    await look('initials');
    await page.getByRole('button', { name: 'Done' }).click();
    await look('confirmation');
    await page.getByRole('radio', { name: 'City' }).check();
    await look('confirmation with a city');
    expect(Object.entries(seen).filter(([, found]) => found.length > 0)).toEqual([]);
    expect(complaints).toEqual([]);
    await phone.context.close();
  });

  describe('the company seal alone', () => {
    const seal = (from: string, more: { subject: string; cc?: string[]; to?: string }) =>
      company.site.send({
        from: addressOf(from),
        to: [more.to ?? `seal@${SIGN_DOMAIN}`],
        cc: more.cc ?? [],
        subject: more.subject,
        attachments: [{ filename: 'prices.pdf', content: simplePdf({ pages: 2, text: 'Prices' }) }],
      });

    test('B2 an entitled sender gets it back sealed, and so does Cc; nobody is asked anything', async () => {
      expect(await seal('mary.smith', { subject: 'price list', cc: [addressOf('john.doe')] })).toMatch(/^250/);
      for (const to of [MARY, addressOf('john.doe')]) {
        const letter = await waitForLetter(company.site.mailboxes, to, 'finished', ({ parsed }) =>
          Boolean(parsed.subject?.includes('price list')),
        );
        expect(letter.parsed.text).toContain('The company has sealed and timestamped the document');
        const path = join(company.folder, `sealed-${to}.pdf`);
        writeFileSync(path, letter.parsed.attachments[0]!.content);
        expectValid(path, 2);
      }
      const { mails } = company.site.mailboxes;
      // Beside the sender's own mail to Cc.
      const ours = mails.filter(({ raw }) => raw.includes('price list') && raw.includes('Signpost-Status'));
      expect(ours.map(({ raw }) => /^Signpost-Status: (.*)\r$/m.exec(raw.toString())?.[1])).toEqual([
        'finished',
        'finished',
      ]);
    });

    test('is asked for by a tag to self@, too, and the finished page shows it', async () => {
      await seal('mary.smith', { subject: '[seal] by tag', to: `self@${SIGN_DOMAIN}` });
      const fits = ({ parsed }: { parsed: { subject?: string | undefined } }) =>
        Boolean(parsed.subject?.includes('by tag'));
      const letter = await waitForLetter(company.site.mailboxes, MARY, 'finished', fits);
      await mary.page.goto(`${company.site.config.publicUrl}/r/${letter.request}`);
      await mary.page.getByRole('heading', { name: 'The sealed document' }).waitFor();
      await mary.page.locator('.page canvas').first().waitFor();
      expect(await mary.page.locator('main').textContent()).not.toContain('Signed by');
    });

    test('is refused to others, in words, and nobody called seal is ever asked', async () => {
      await expect(seal('john.doe', { subject: 'price list' })).rejects.toThrow(
        /550-5\.7\.1 You may not have documents sealed/,
      );
      await expect(seal('mary.smith', { subject: '[seal] x', to: `john.doe@${SIGN_DOMAIN}` })).rejects.toThrow(
        /not a person's signature/,
      );
      const toSeaLion = company.site.mailboxes.mails.filter(({ to }) => to.includes(addressOf('seal')));
      expect(toSeaLion).toEqual([]);
    });
  });
});

/** Focuses what Tab reaches next until it is the button of this name. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    if ((await page.evaluate(() => document.activeElement?.textContent)) === name) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the keyboard does not reach “${name}”`);
}
