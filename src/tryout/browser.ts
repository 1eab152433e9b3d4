/** A person with a phone: headless Chromium that opens the link from the mail, sets itself up and signs. */
import { existsSync } from 'node:fs';
import type { BrowserContext, Page } from 'playwright-core';
import { codeIn, waitForLetter } from './letters.ts';
import type { Sink } from './mailboxes.ts';

const CHROMIUM = '/usr/bin/chromium';

export function canRunChromium(): boolean {
  return existsSync(CHROMIUM);
}

export interface Phones {
  /** A new phone: its own storage, a small touch screen. */
  open(options?: {
    readonly width?: number;
    readonly height?: number;
    readonly dark?: boolean;
    readonly language?: string;
    readonly desktop?: boolean;
  }): Promise<Phone>;
  close(): Promise<void>;
}

export interface Phone {
  readonly context: BrowserContext;
  readonly page: Page;
}

export async function startPhones(): Promise<Phones> {
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    // Chromium must contact nothing but the gateway; as root it has no sandbox.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  return {
    async open({ width = 390, height = 844, dark = false, language = 'en-GB', desktop = false } = {}) {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: dark ? 'dark' : 'light',
        locale: language,
        ...(desktop ? {} : { deviceScaleFactor: 2, hasTouch: true, isMobile: true }),
      });
      return { context, page: await context.newPage() };
    },
    close: () => browser.close(),
  };
}

/**
 * Sets up the phone on the page that it shows, with a code that comes by mail.
 * @param other an active phone of the same person that confirms it; without one it takes the place of the earlier phone
 */
export async function enrolByMail({ page }: Phone, mailboxes: Sink, address: string, other?: Phone): Promise<void> {
  await page.getByLabel('Your company address').fill(address);
  const earlier = mailboxes.mails.length;
  await page.getByRole('button', { name: 'Mail me a code' }).click();
  const letter = await waitForLetter(
    mailboxes,
    address,
    'enrolment-code',
    ({ mail }) => mailboxes.mails.indexOf(mail) >= earlier,
  );
  await page.getByLabel('Your code').fill(codeIn(letter));
  await page.getByRole('button', { name: 'Set up', exact: true }).click();
  await page.getByRole('heading', { name: 'Set up this device' }).waitFor({ state: 'hidden' });
  const waiting = page.getByRole('heading', { name: 'Now confirm on your other device' });
  if (!(await waiting.isVisible())) return;
  if (other) {
    await other.page.goto(new URL(page.url()).origin);
    await other.page.getByRole('button', { name: 'Yes, it is mine' }).click();
    await waiting.waitFor({ state: 'hidden' });
  } else await page.getByRole('button', { name: 'Replace' }).first().click();
}

/** Waits until the document is on the screen and may be signed. */
export async function waitForReview({ page }: Phone): Promise<void> {
  await page.getByRole('button', { name: 'Sign…' }).waitFor();
  await page.locator('.page canvas').first().waitFor();
}

/** Presses Sign, then Sign now; resolves when the page says that it's done. */
export async function sign({ page }: Phone): Promise<void> {
  await page.getByRole('button', { name: 'Sign…' }).click();
  await page.getByRole('button', { name: 'Sign now' }).click();
  await page.getByRole('heading', { name: 'Signed', exact: true }).waitFor();
}
