/** Pictures of setting up devices where a company asks for more: passwords, a second device, passkeys. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { parse, stringify } from 'yaml';
import { hashPassword } from '../../src/directory/password.ts';
import type { Phone, Phones } from '../../src/tryout/browser.ts';
import { codeIn, linkIn, waitForLetter } from '../../src/tryout/letters.ts';
import { addressOf } from '../../src/tryout/site.ts';
import { chooseTexts } from '../../src/web/texts/index.ts';
import { type Company, startCompany } from '../support/company.ts';
import type { Look } from './tour.ts';

const PASSWORD = 'only for pictures';
/** Who of the company's people speaks what. */
const NEWCOMERS: Readonly<Record<string, string>> = { en: 'mary.smith', fr: 'john.doe', de: 'anna.muller' };

/** The strictest company: two factors, passkeys. */
export async function startStrictCompany(): Promise<Company> {
  const company = await startCompany({
    postfix: false,
    configure: data => {
      data.enrolment = {
        codesPerDay: 50,
        proofs: { standard: ['password', 'admin-code'], advanced: ['password + mailed-code', 'admin-code'] },
        passkeys: { standard: 'off', advanced: 'required' },
      };
    },
  });
  const file = join(company.site.config.folder, 'people.yaml');
  const data = parse(readFileSync(file, 'utf8')) as { people: object[] };
  const password = await hashPassword(PASSWORD);
  writeFileSync(file, stringify({ people: data.people.map(person => ({ ...person, password })) }));
  return company;
}

/** Its person has no device yet. */
export async function devicesTour(
  company: Company,
  phones: Phones,
  variant: Parameters<Phones['open']>[0] & { readonly language: string },
  shoot: Look,
): Promise<void> {
  const person = NEWCOMERS[variant.language.slice(0, 2)]!;
  const texts = chooseTexts([variant.language]);
  const words = texts.devices;
  const old = await phones.open(variant);
  const fresh = await phones.open(variant);
  for (const phone of [old, fresh]) await addAuthenticator(phone);
  const [letter] = await company.ask(person, ['self']);
  const press = (page: Page, name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click();
  const mailCode = async (page: Page): Promise<void> => {
    const earlier = company.site.mailboxes.mails.length;
    await press(page, texts.sendCode);
    const code = await waitForLetter(
      company.site.mailboxes,
      addressOf(person),
      'enrolment-code',
      ({ mail }) => company.site.mailboxes.mails.indexOf(mail) >= earlier,
    );
    await page.getByLabel(texts.code).fill(codeIn(code));
  };
  const setUp = async (page: Page): Promise<void> => {
    await page.getByLabel(texts.address).fill(addressOf(person));
    await page.getByLabel(words.password).fill(PASSWORD);
    await press(page, texts.setUp);
  };

  await old.page.goto(linkIn(letter!));
  await old.page.getByLabel(texts.address).waitFor();
  await shoot(old.page, 'd1-enrolment');
  await setUp(old.page);
  await old.page.getByRole('heading', { name: words.passkeyTitle }).waitFor();
  await shoot(old.page, 'd2-passkey-offered');
  await press(old.page, words.passkeyAdd);
  await press(old.page, texts.sign);
  await old.page.getByRole('heading', { name: words.proveTitle }).waitFor();
  await shoot(old.page, 'd3-more-proof');
  await mailCode(old.page);
  await press(old.page, words.prove);
  await press(old.page, texts.signNow);
  await old.page.getByRole('heading', { name: texts.signedTitle, exact: true }).waitFor();

  await fresh.page.goto(linkIn(letter!));
  await setUp(fresh.page);
  await fresh.page.getByRole('heading', { name: words.waitingTitle }).waitFor();
  await shoot(fresh.page, 'd4-waiting');
  await press(fresh.page, words.replace((await company.gateway.core.devices.listForPerson(person))[0]!.name));
  await fresh.page.getByText(words.replaceNeedsMore).waitFor();
  await shoot(fresh.page, 'd5-replace-needs-more');
  await old.page.goto(company.site.config.publicUrl);
  await old.page.getByRole('heading', { name: words.newcomerTitle }).waitFor();
  await shoot(old.page, 'd6-newcomer');
  await press(old.page, words.newcomerNo);
  await fresh.page.getByText(words.notConfirmed).waitFor();
  await shoot(fresh.page, 'd7-not-confirmed');
  await press(fresh.page, words.startAgain);
  await setUp(fresh.page);
  await fresh.page.getByRole('heading', { name: words.waitingTitle }).waitFor();
  await press(old.page, words.newcomerYes);
  await fresh.page.getByRole('heading', { name: words.passkeyTitle }).waitFor();
  await old.page.reload();
  await old.page.getByRole('heading', { name: words.yours }).waitFor();
  await old.page.getByText(words.rename).click();
  await shoot(old.page, 'd8-home');
  for (const { context } of [old, fresh]) await context.close();
}

async function addAuthenticator({ context, page }: Phone): Promise<void> {
  const session = await context.newCDPSession(page);
  await session.send('WebAuthn.enable');
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}
