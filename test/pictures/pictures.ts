/**
 * Pictures of a signed PDF and of every page in every language, taken from running companies: `npm run pictures -- DIR [LANGUAGE]`. Each on
 * a small phone and on a desktop, light and dark. For people to look at; no test.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { LANGUAGES } from '../../src/directory/directory.ts';
import { startPhones } from '../../src/tryout/browser.ts';
import { devicesTour, startStrictCompany } from './devices.ts';
import { documentPictures } from './documents.ts';
import { LOCALES, startTourCompany, tour } from './tour.ts';

const [out = 'pictures', wanted] = process.argv.slice(2);
mkdirSync(out, { recursive: true });

const SIZES = [
  { width: 320, height: 568 },
  { width: 1280, height: 800 },
] as const;

await documentPictures(out);
const company = await startTourCompany();
const strict = await startStrictCompany();
const phones = await startPhones();
try {
  for (const language of LANGUAGES.filter(known => wanted === undefined || known === wanted)) {
    const shoot = async (page: Page, state: string): Promise<void> => {
      for (const size of SIZES) {
        await page.setViewportSize(size);
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          await page.waitForTimeout(250);
          const path = join(out, `${language}-${state}-${size.width}-${colorScheme}.png`);
          await page.screenshot({ path, fullPage: true });
        }
      }
      await page.setViewportSize(SIZES[0]);
      await page.emulateMedia({ colorScheme: 'light' });
    };
    const variant = { ...SIZES[0], desktop: true };
    await tour(company, phones, language, variant, shoot);
    await devicesTour(strict, phones, { ...variant, language: LOCALES[language] }, shoot);
    console.log(language);
  }
} finally {
  await phones.close();
  await company.stop();
  await strict.stop();
}
