/**
 * Pictures of every mail, to be looked at: node test/unit/outbound/shots.ts FOLDER [LANGUAGE]
 * Phone (320 px) and desktop (600 px and a margin), light and dark, in headless Chromium.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { chromium } from 'playwright-core';
import { LANGUAGES } from '../../../src/directory/directory.ts';
import { composeSample, samples } from './samples.ts';

const [folder = 'shots', wanted] = process.argv.slice(2);
const language = LANGUAGES.find(known => known === wanted) ?? 'en';
mkdirSync(folder, { recursive: true });
const profile = mkdtempSync(join(tmpdir(), 'shots-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: '/usr/bin/chromium',
  args: [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
try {
  const page = await context.newPage();
  for (const name of Object.keys(samples)) {
    const { bytes } = await composeSample(name, language);
    // simpleParser puts cid: pictures inline as data:.
    const { html } = await simpleParser(Buffer.from(bytes));
    await page.setContent(html || '');
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const width of [320, 660]) {
        await page.setViewportSize({ width, height: 400 });
        await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      }
    }
  }
} finally {
  await context.close();
  rmSync(profile, { recursive: true });
}
