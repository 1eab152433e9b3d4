/**
 * One person's way through every page in their language, with something to be done at each: taken as pictures
 * (pictures.ts) or looked over (test/e2e/32-languages).
 */
import type { Page } from 'playwright-core';
import type { Language } from '../../src/directory/directory.ts';
import type { Phones } from '../../src/tryout/browser.ts';
import { codeIn, type Letter, linkIn, waitForLetter } from '../../src/tryout/letters.ts';
import { sampleContract } from '../../src/tryout/sample.ts';
import { addressOf, SIGN_DOMAIN, type SitePerson } from '../../src/tryout/site.ts';
import { chooseTexts } from '../../src/web/texts/index.ts';
import { VERIFY_TEXTS } from '../../src/web/texts/verify.ts';
import { type Company, startCompany } from '../support/company.ts';

/** Who goes on the tour: names that are hard to fit, and no word of them is English. */
export const TOURISTS: Readonly<Record<Language, string>> = { en: 'zoe', fr: 'lea', de: 'anna' };
export const LOCALES: Readonly<Record<Language, string>> = { en: 'en-GB', fr: 'fr-FR', de: 'de-DE' };

const PEOPLE: readonly SitePerson[] = [
  { id: 'john.doe', name: 'John Doe' },
  { id: 'zoe', name: 'Zoë Smith-Featherstonehaugh' },
  { id: 'lea', name: 'Léa Martin-Lefèvre', language: 'fr' },
  { id: 'anna', name: 'Anna Müller-Westernhagen', language: 'de' },
];

export function startTourCompany(): Promise<Company> {
  return startCompany({
    postfix: false,
    people: PEOPLE,
    configure: data =>
      Object.assign(data, {
        documents: { otherFiles: true },
        levels: { offered: ['standard', 'advanced', 'seal'] },
        seal: { allowed: Object.values(TOURISTS) },
        enrolment: { mailedCode: true, codesPerDay: 50 },
      }),
  });
}

/** Looks at the state that the page is in. */
export type Look = (page: Page, state: string) => Promise<unknown>;

interface Attached {
  readonly filename: string;
  readonly content: Uint8Array;
  readonly contentType?: string;
}

/** @param variant of the phone; its language is the tour's */
export async function tour(
  company: Company,
  phones: Phones,
  language: Language,
  variant: Parameters<Phones['open']>[0],
  look: Look,
): Promise<void> {
  const { site, gateway } = company;
  const url = site.config.publicUrl;
  const texts = chooseTexts([language]);
  const who = TOURISTS[language];
  const contract = await sampleContract('Contrat 2026 / Vertrag 2026', ['Zoë', 'John Doe']);
  const phone = await phones.open({ ...variant, language: LOCALES[language] });
  const { page } = phone;
  const press = (name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click();
  const heading = (name: string): Promise<void> => page.getByRole('heading', { name, exact: true }).waitFor();
  const state = (name: string): Promise<unknown> => look(page, name);

  let number = 0;
  /** Mails documents; the please-sign letter of the person on the tour. */
  async function ask(
    from: string,
    to: readonly string[],
    tag: string,
    files: readonly Attached[] = [{ filename: 'Contrat-2026.pdf', content: contract }],
  ): Promise<Letter> {
    number += 1;
    const subject = `${tag} Contrat / Vertrag ${language}-${number}`;
    await site.send({
      from: addressOf(from),
      to: to.map(name => `${name}@${SIGN_DOMAIN}`),
      subject,
      text: '1, 2, 3 …',
      attachments: files,
    });
    return waitForLetter(
      site.mailboxes,
      addressOf(who),
      tag.includes('seal') ? 'finished' : 'please-sign',
      ({ parsed }) => parsed.subject?.includes(`${language}-${number}`) ?? false,
    );
  }
  async function review(letter: Letter): Promise<void> {
    await page.goto(linkIn(letter));
    await page.getByRole('button', { name: texts.sign }).waitFor();
    await page.locator('.document').first().waitFor();
  }
  const signNow = async (): Promise<void> => {
    await press(texts.signNow);
    await heading(texts.signedTitle);
  };

  const withOther = await ask('john.doe', [who, 'john.doe'], '[advanced]');

  // Nobody yet.
  await page.goto(url);
  await heading(texts.homeTitle);
  await state('01-welcome');
  await page.goto(`${url}/trust`);
  await heading(texts.trustTitle);
  await state('02-trust');
  await page.goto(linkIn(withOther));
  await heading(texts.enrolTitle);
  await state('03-enrolment');
  await page.getByLabel(texts.address).fill(who);
  await press(texts.sendCode);
  await page.getByText(texts.badAddress).waitFor();
  await state('04-bad-address');
  await page.getByLabel(texts.address).fill(addressOf(who));
  await press(texts.sendCode);
  await page.getByText(texts.codeSent).waitFor();
  await state('05-code-sent');
  const code = codeIn(await waitForLetter(site.mailboxes, addressOf(who), 'enrolment-code'));
  await page.getByLabel(texts.code).fill('12');
  await press(texts.setUp);
  await page.getByText(texts.badCode).waitFor();
  await page.getByLabel(texts.code).fill(code === '123456' ? '654321' : '123456');
  await press(texts.setUp);
  await page.getByText(texts.problem['enrolment-refused']).waitFor();
  await state('06-wrong-code');
  await page.getByLabel(texts.code).fill(code);
  await press(texts.setUp);

  // A request, and its ends.
  await page.getByRole('button', { name: texts.sign }).waitFor();
  await page.locator('.page canvas').first().waitFor();
  await state('07-review');
  await press(texts.zoomIn);
  await state('08-zoomed');
  await press(texts.later);
  await heading(texts.laterTitle);
  await state('09-later');
  await review(withOther);
  await press(texts.reject);
  await state('10-reject');
  await press(texts.cancel);
  await press(texts.sign);
  await state('11-confirm');
  await page.route('**/api/**', route => route.abort());
  await press(texts.signNow);
  await page.getByText(texts.offline).waitFor();
  await state('12-connection-lost');
  await page.unroute('**/api/**');
  await signNow();
  await state('13-signed-others-left');
  const toReject = await ask('john.doe', [who], '[advanced]');
  await review(toReject);
  await press(texts.reject);
  await page.getByLabel(texts.comment).fill('§ 4');
  await press(texts.rejectNow);
  await heading(texts.rejectedTitle);
  await state('14-rejected');
  const toCancel = await ask('john.doe', [who], '[advanced]');
  await gateway.core.requests.cancel(toCancel.request!);
  await page.goto(linkIn(toCancel));
  await heading(texts.endedTitle);
  await state('15-cancelled');
  await page.goto(`${url}/s/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`);
  await heading(texts.unknownTitle);
  await state('16-unknown');

  // Alone: finished, and the finished documents.
  const own = await ask(who, ['self'], '[advanced]');
  await page.goto(url);
  await heading(texts.waitingForYou);
  await page.getByText(texts.devices.rename).click();
  await state('17-home');
  await press(texts.removeDevice);
  await page.getByText(texts.removeConfirm).waitFor();
  await state('18-remove');
  await review(own);
  await press(texts.sign);
  await signNow();
  const finished = await waitForLetter(
    site.mailboxes,
    addressOf(who),
    'finished',
    ({ request }) => request === own.request,
  );
  await page.reload();
  await page.getByRole('link', { name: texts.openFinished(1) }).waitFor();
  await state('19-signed-by-all');
  await page.getByRole('link', { name: texts.openFinished(1) }).click();
  await page.locator('.page canvas').first().waitFor();
  await state('20-finished');
  const sealed = await ask(who, ['seal'], '[seal]');
  await page.goto(`${url}/r/${sealed.request}`);
  await page.locator('.page canvas').first().waitFor();
  await state('21-sealed');

  // Several documents, some of them no PDFs.
  const files = await ask('john.doe', [who], '[advanced]', [
    { filename: 'Contrat-2026.pdf', content: contract },
    {
      filename: 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerk.txt',
      content: Buffer.from('1\n2\n'),
      contentType: 'text/plain',
    },
    { filename: 'plan.dwg', content: Buffer.from([1, 2, 3, 0, 200]), contentType: 'application/octet-stream' },
  ]);
  await review(files);
  await page.getByText(texts.notShown).waitFor();
  await state('22-several');
  await press(texts.sign);
  await state('23-confirm-several');

  // Standard: drawn, typed, placed.
  const standard = await ask('john.doe', [who], '[standard]');
  await review(standard);
  await press(texts.sign);
  await page.locator('canvas.ink').waitFor();
  await press(texts.pad.done);
  await page.getByText(texts.pad.signature.missing).waitFor();
  await state('24-pad-nothing-drawn');
  const box = (await page.locator('canvas.ink').boundingBox())!;
  await page.mouse.move(box.x + 30, box.y + box.height / 2);
  await page.mouse.down();
  for (let step = 1; step <= 60; step++)
    await page.mouse.move(box.x + 30 + step * 3, box.y + box.height / 2 + 30 * Math.sin(step / 4));
  await page.mouse.up();
  await state('25-pad');
  await press(texts.pad.done);
  await page.getByRole('textbox', { name: texts.pad.paraph.typed }).waitFor();
  await state('26-initials');
  await press(texts.pad.drawInstead);
  await state('27-initials-drawn');
  await press(texts.pad.typeInstead);
  await press(texts.pad.done);
  await page.getByLabel(texts.place.city).first().check();
  await state('28-confirm-standard');

  // The verification page: right, changed, and nothing in it.
  const check = VERIFY_TEXTS[language];
  const good = finished.parsed.attachments[0]!.content;
  const changed = Buffer.from(good);
  changed[Math.floor(changed.length / 3)]! ^= 1;
  await page.goto(`${url}/verify`);
  await heading(check.title);
  await state('29-verify');
  for (const [name, content, title] of [
    ['30-verify-good', good, null],
    ['31-verify-changed', changed, check.failed],
    ['32-verify-none', contract, check.none],
  ] as const) {
    await page.goto(`${url}/verify`);
    await page
      .locator('#file')
      .setInputFiles({ name: '2026.pdf', mimeType: 'application/pdf', buffer: Buffer.from(content) });
    await (title === null ? page.locator('.verdict').waitFor() : heading(title));
    for (const more of await page.locator('summary').all()) await more.click();
    await state(name);
  }

  // Browsers that can't.
  await page.goto(url);
  await heading(texts.waitingForYou);
  await press(texts.removeDevice);
  await press(texts.removeDevice);
  await page.getByText(texts.removed).waitFor();
  await state('33-removed');
  await phone.context.addInitScript(() => void Object.defineProperty(globalThis, 'indexedDB', { value: undefined }));
  await page.goto(linkIn(withOther));
  await page.getByText(texts.noStorage).waitFor();
  await state('34-no-storage');
  await phone.context.addInitScript(() => void Object.defineProperty(globalThis, 'isSecureContext', { value: false }));
  await page.goto(linkIn(withOther));
  await page.getByText(texts.insecure).waitFor();
  await state('35-insecure');
  await phone.context.close();
}
