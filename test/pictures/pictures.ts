/**
 * Pictures of every page, taken from a running company: `npm run pictures -- DIR`. For people to look at; no test.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { enrolByMail, type Phone, sign, startPhones, waitForReview } from '../../src/tryout/browser.ts';
import { linkIn, waitForLetter } from '../../src/tryout/letters.ts';
import { sampleContract } from '../../src/tryout/sample.ts';
import { addressOf } from '../../src/tryout/site.ts';
import { startCompany } from '../support/company.ts';
import { devicesTour, startStrictCompany } from './devices.ts';

const out = process.argv[2] ?? 'pictures';
mkdirSync(out, { recursive: true });

const VARIANTS = [
  { name: 'phone-light', width: 390, height: 844 },
  { name: 'phone-dark', width: 390, height: 844, dark: true },
  { name: 'small-light', width: 320, height: 568 },
  { name: 'desktop-light', width: 1280, height: 800, desktop: true },
  { name: 'desktop-dark', width: 1280, height: 800, desktop: true, dark: true },
] as const;

const company = await startCompany();
const phones = await startPhones();
try {
  for (const variant of VARIANTS) {
    const phone = await phones.open(variant);
    const shoot = (name: string): Promise<unknown> =>
      phone.page.screenshot({ path: join(out, `${variant.name}-${name}.png`) });
    await tour(phone, shoot);
    await phone.context.close();
    console.log(variant.name);
  }
} finally {
  await phones.close();
  await company.stop();
}

const strict = await startStrictCompany();
const strictPhones = await startPhones();
try {
  const variants = [
    ['mary.smith', { name: 'phone-light-en', language: 'en-GB', width: 390, height: 844 }],
    ['john.doe', { name: 'small-light-fr', language: 'fr-FR', width: 320, height: 568 }],
    ['anna.muller', { name: 'small-dark-de', language: 'de-DE', width: 320, height: 568, dark: true }],
  ] as const;
  for (const [person, variant] of variants) {
    await devicesTour(strict, strictPhones, variant, person, (page, name) =>
      page.screenshot({ path: join(out, `${variant.name}-${name}.png`), fullPage: true }),
    );
    console.log(variant.name);
  }
} finally {
  await strictPhones.close();
  await strict.stop();
}

async function tour(phone: Phone, shoot: (name: string) => Promise<unknown>): Promise<void> {
  const { page } = phone;
  const { mailboxes } = company.site;
  const [forMary, forJohn] = await ask(['self', 'john.doe']);
  await page.goto(company.site.config.publicUrl);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await shoot('01-welcome');
  await page.goto(linkIn(forMary!));
  await page.getByLabel('Your company address').fill('mary');
  await page.getByRole('button', { name: 'Mail me a code' }).click();
  await shoot('02-enrolment-bad-address');
  await enrolByMail(phone, mailboxes, addressOf('mary.smith'));
  await waitForReview(phone);
  await page.waitForTimeout(500);
  await shoot('03-review');
  await page.getByRole('button', { name: 'Zoom in' }).click();
  await page.waitForTimeout(500);
  await shoot('04-zoomed');
  await page.getByRole('button', { name: 'Reject…' }).click();
  await shoot('05-reject');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Sign…' }).click();
  await shoot('06-confirm');
  await page.getByRole('button', { name: 'Sign now' }).click();
  await page.getByRole('heading', { name: 'Signed', exact: true }).waitFor();
  await shoot('07-signed');
  await page.goto(linkIn(forJohn!));
  await page.getByRole('heading', { level: 1 }).waitFor();
  await shoot('08-not-yours');
  await drawing(phone, shoot);
  const [own] = await ask(['self']);
  await page.goto(company.site.config.publicUrl);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await shoot('09-home');
  await page.getByRole('button', { name: 'Remove this device…' }).click();
  await shoot('10-remove');
  await page.goto(`${company.site.config.publicUrl}/trust`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await shoot('11-trust');
  await page.goto(linkIn(own!));
  await waitForReview(phone);
  await sign(phone);
  await waitForLetter(mailboxes, addressOf('mary.smith'), 'finished', ({ request }) => request === own!.request);
  await page.reload();
  await page.getByRole('link', { name: 'Open the signed document' }).waitFor();
  await shoot('12-signed-and-finished');
  await page.getByRole('link', { name: 'Open the signed document' }).click();
  await page.locator('.page canvas').first().waitFor();
  await page.waitForTimeout(500);
  await shoot('13-finished');
}

/** Standard: the pad in both directions, initials, confirmation. */
async function drawing({ page }: Phone, shoot: (name: string) => Promise<unknown>): Promise<void> {
  const [letter] = await ask(['self'], 'Standard');
  await page.goto(linkIn(letter!));
  await page.getByRole('button', { name: 'Sign…' }).click();
  const pad = page.locator('canvas.ink');
  await pad.waitFor();
  const box = (await pad.boundingBox())!;
  const at = (part: number): [number, number] => [
    box.x + box.width * (0.12 + 0.7 * part) + 25 * Math.cos(part * 30),
    box.y + box.height / 2 + 60 * Math.sin(part * 30) * (1 - part * 0.6),
  ];
  await page.mouse.move(...at(0));
  await page.mouse.down();
  for (let step = 1; step <= 120; step++) await page.mouse.move(...at(step / 120));
  await page.mouse.up();
  await shoot('16-pad');
  const { width, height } = page.viewportSize()!;
  await page.setViewportSize({ width: height, height: width });
  await page.waitForTimeout(300);
  await shoot('17-pad-turned');
  await page.setViewportSize({ width, height });
  await page.getByRole('button', { name: 'Done' }).click();
  await shoot('18-initials');
  await page.getByRole('button', { name: 'Done' }).click();
  await shoot('19-confirm-standard');
  await page.getByRole('button', { name: 'Sign now' }).click();
  await page.getByRole('heading', { name: 'Signed', exact: true }).waitFor();
}

async function ask(
  signatories: readonly string[],
  level = 'Advanced',
): Promise<Awaited<ReturnType<typeof company.ask>>> {
  const content = await sampleContract('Cooperation agreement', ['Mary Smith', 'John Doe']);
  return company.ask(
    'mary.smith',
    signatories,
    `${level}: cooperation agreement ${Math.random().toString(36).slice(2, 6)}`,
    content,
  );
}
