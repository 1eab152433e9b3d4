/** Several devices of one person, stronger proofs and passkeys, in real browsers. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { hashPassword } from '../../../src/directory/password.ts';
import type { Device } from '../../../src/requests/model.ts';
import { enrolByMail, type Phone, type Phones, sign, startPhones, waitForReview } from '../../../src/tryout/browser.ts';
import { codeIn, linkIn, waitForLetter } from '../../../src/tryout/letters.ts';
import { addressOf } from '../../../src/tryout/site.ts';
import { findings, withBigText } from '../../support/accessibility.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { has } from '../../support/tools.ts';

const MARY = addressOf('mary.smith');
const JOHN = addressOf('john.doe');
const PASSWORD = 'correct horse battery';
const SMALL = { width: 320, height: 568 };

/** Types the address, has a code mailed and hands it in. */
async function showMailedCode(company: Company, { page }: Phone, address: string): Promise<void> {
  await page.getByLabel('Your company address').fill(address);
  await mailCode(company, page, address);
  await page.getByRole('button', { name: 'Set up', exact: true }).click();
}

async function mailCode(company: Company, page: Phone['page'], address: string): Promise<void> {
  const earlier = company.site.mailboxes.mails.length;
  await page.getByRole('button', { name: 'Mail me a code' }).click();
  const isNew = ({ mail }: { mail: (typeof company.site.mailboxes.mails)[number] }): boolean =>
    company.site.mailboxes.mails.indexOf(mail) >= earlier;
  const letter = await waitForLetter(company.site.mailboxes, address, 'enrolment-code', isNew);
  await page.getByLabel('Your code').fill(codeIn(letter));
}

/** Standard, with the name as it is typed first. */
async function signTyped(page: Phone['page']): Promise<void> {
  await page.getByRole('button', { name: 'Sign…' }).click();
  await page.getByRole('button', { name: 'Type instead' }).click();
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('button', { name: 'Sign now' }).click();
}

/** Plays an authenticator inside Chromium. */
async function withAuthenticator({ context, page }: Phone, isUserVerified = true) {
  const session = await context.newCDPSession(page);
  await session.send('WebAuthn.enable');
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified,
      automaticPresenceSimulation: true,
    },
  });
  return {
    verifies: (yes: boolean) =>
      session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: yes }).then(() => undefined),
  };
}

describe.skipIf(!has('chromium'))('devices of one person', () => {
  let company: Company;
  let phones: Phones;

  beforeAll(async () => {
    company = await startCompany({ postfix: false });
    phones = await startPhones();
  });
  afterAll(async () => {
    await phones?.close();
    await company?.stop();
  });

  const devicesOf = (person: string): Promise<readonly Device[]> => company.gateway.core.devices.listForPerson(person);
  const linkFor = async (person: string): Promise<string> => {
    const [letter] = await company.ask(person, ['self']);
    return linkIn(letter!);
  };

  test('D4 a new phone in the middle of a signing flow takes the place of the old one, and only of that', async () => {
    const old = await phones.open();
    await old.page.goto(await linkFor('mary.smith'));
    await enrolByMail(old, company.site.mailboxes, MARY);
    await waitForReview(old);
    await sign(old);
    const john = await phones.open();
    await john.page.goto(await linkFor('john.doe'));
    await enrolByMail(john, company.site.mailboxes, JOHN);
    await waitForReview(john);
    const [before] = await devicesOf('mary.smith');

    const link = await linkFor('mary.smith');
    await old.page.goto(link);
    await waitForReview(old);
    // The old one is lost now; the new one opens the same mail.
    const phone = await phones.open();
    await phone.page.goto(link);
    const started = performance.now();
    await showMailedCode(company, phone, MARY);
    await phone.page.getByRole('heading', { name: 'Now confirm on your other device' }).waitFor();
    await phone.page.getByRole('button', { name: `Replace “${before!.name}”` }).click();
    await waitForReview(phone);
    await sign(phone);
    console.log(`a new phone: ${((performance.now() - started) / 1000).toFixed(1)} s from the link to the signature`);

    const [first, second, ...more] = await devicesOf('mary.smith');
    expect(more).toEqual([]);
    expect([first!.state, second!.state]).toEqual(['retired', 'active']);
    const { ca } = company.gateway.core.pki;
    expect((await ca.listForDevice(first!.id)).map(({ reason }) => reason)).toEqual(['superseded']);
    expect((await ca.listForDevice(second!.id)).map(({ revokedAt }) => revokedAt)).toEqual([null]);
    expect((await devicesOf('john.doe')).map(({ state }) => state)).toEqual(['active']);
    // The old one can do nothing any more.
    await old.page.reload();
    await old.page.getByRole('heading', { name: 'Set up this device' }).waitFor();
    for (const { context } of [old, john, phone]) await context.close();
  });

  test('D4 with another device active, that one must confirm: refused, then confirmed; the older one is told, names and removes', async () => {
    const address = addressOf('anna.muller');
    const old = await phones.open(SMALL);
    const link = await linkFor('anna.muller');
    await old.page.goto(link);
    await enrolByMail(old, company.site.mailboxes, address);
    await waitForReview(old);
    await old.page.goto(company.site.config.publicUrl);
    await old.page.getByText('Rename this device…').click();
    await old.page.getByLabel('What this device is called').fill('Anna’s phone');
    await old.page.getByRole('button', { name: 'Save' }).click();
    await old.page.getByRole('listitem').filter({ hasText: 'Anna’s phone' }).waitFor();

    const fresh = await phones.open(SMALL);
    await fresh.page.goto(link);
    await showMailedCode(company, fresh, address);
    await fresh.page.getByText('You already sign with “Anna’s phone”').waitFor();
    const number = (await fresh.page.locator('.matching').textContent())!;
    expect(number).toMatch(/^\d{4}$/);
    expect(await findings(fresh.page)).toEqual([]);
    expect(await withBigText(fresh.page, () => findings(fresh.page))).toEqual([]);
    // It may do nothing yet.
    expect((await devicesOf('anna.muller')).map(({ name }) => name)).toEqual(['Anna’s phone']);
    // Its page may be closed and opened again meanwhile.
    await fresh.page.reload();
    await fresh.page.getByText(number, { exact: true }).waitFor();

    const ask = old.page.getByRole('heading', { name: 'Add a new device?' });
    await ask.waitFor();
    expect(await old.page.locator('.matching').textContent()).toBe(number);
    expect(await findings(old.page)).toEqual([]);
    await old.page.getByRole('button', { name: 'No', exact: true }).click();
    await old.page.getByText('is refused').waitFor();
    await fresh.page.getByText('This device was not confirmed').waitFor();
    await fresh.page.getByRole('button', { name: 'Start again' }).click();
    await showMailedCode(company, fresh, address);
    await fresh.page.getByRole('heading', { name: 'Now confirm on your other device' }).waitFor();
    await old.page.getByRole('button', { name: 'Yes, it is mine' }).click();
    await waitForReview(fresh);
    expect((await devicesOf('anna.muller')).map(({ state }) => state)).toEqual(['active', 'active']);

    await old.page.reload();
    await old.page.getByText('A new device signs for you').waitFor();
    expect(await findings(old.page)).toEqual([]);
    expect(await withBigText(old.page, () => findings(old.page))).toEqual([]);
    await old.page.getByRole('button', { name: 'All right' }).click();
    await old.page.reload();
    const remove = old.page.getByRole('button', { name: /^Remove “/ });
    await remove.waitFor();
    expect(await old.page.getByText('A new device signs for you').count()).toBe(0);
    await remove.click();
    await old.page.getByText('Press again to remove it').waitFor();
    await remove.click();
    await old.page.getByText('removed on').first().waitFor();
    expect((await devicesOf('anna.muller')).map(({ state }) => state)).toEqual(['active', 'revoked']);
    await fresh.page.reload();
    await fresh.page.getByRole('heading', { name: 'Set up this device' }).waitFor();
    for (const { context } of [old, fresh]) await context.close();
  });
});

describe.skipIf(!has('chromium'))('stronger proofs and passkeys', () => {
  let company: Company;
  let phones: Phones;

  beforeAll(async () => {
    company = await startCompany({
      postfix: false,
      configure: data => {
        data.enrolment = {
          proofs: { standard: ['password', 'admin-code'], advanced: ['password + mailed-code', 'admin-code'] },
          passkeys: { standard: 'offered', advanced: 'required' },
        };
      },
    });
    const file = join(company.site.config.folder, 'people.yaml');
    const data = parse(readFileSync(file, 'utf8')) as { people: { password?: string }[] };
    const password = await hashPassword(PASSWORD);
    writeFileSync(file, stringify({ people: data.people.map(person => ({ ...person, password })) }));
    phones = await startPhones();
  });
  afterAll(async () => {
    await phones?.close();
    await company?.stop();
  });

  test('D4 set up with the password; the code and the passkey are asked for inside the flow; each signature has its assertion', async () => {
    const phone = await phones.open(SMALL);
    const { page } = phone;
    const authenticator = await withAuthenticator(phone);
    const [letter] = await company.ask('mary.smith', ['self']);
    await page.goto(linkIn(letter!));
    await page.getByLabel('Your company address').fill(MARY);
    await page.getByRole('button', { name: 'Set up', exact: true }).click();
    await page.getByText('To show that it is you: your password').first().waitFor();
    expect(await findings(page)).toEqual([]);
    await page.getByLabel('Your password').fill('wrong');
    await page.getByRole('button', { name: 'Set up', exact: true }).click();
    await page.getByText('What you gave is wrong').waitFor();
    await page.getByLabel('Your password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Set up', exact: true }).click();
    await page.getByRole('heading', { name: 'Sign with your fingerprint, face or PIN' }).waitFor();
    expect(await findings(page)).toEqual([]);
    await page.getByRole('button', { name: 'Not now' }).click();
    await waitForReview(phone);

    await page.getByRole('button', { name: 'Sign…' }).click();
    await page.getByRole('heading', { name: 'Prove once more that it is you' }).waitFor();
    expect(await findings(page)).toEqual([]);
    await mailCode(company, page, MARY);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('This document needs a passkey').waitFor();
    expect(await findings(page)).toEqual([]);
    await authenticator.verifies(false);
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByText('No passkey was used').waitFor();
    await authenticator.verifies(true);
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByRole('button', { name: 'Sign now' }).waitFor();
    await authenticator.verifies(false);
    await page.getByRole('button', { name: 'Sign now' }).click();
    await page.getByText('No passkey was used').waitFor();
    await authenticator.verifies(true);
    await page.getByRole('button', { name: 'Sign now' }).click();
    await page.getByRole('heading', { name: 'Signed', exact: true }).waitFor();

    const { requests, store, devices } = company.gateway.core;
    const session = (await requests.find(letter!.request!))!.sessions[0]!;
    const proof = JSON.parse(Buffer.from(await store.blobs.get(session.assertion!)).toString());
    const [device] = await devices.listForPerson('mary.smith');
    expect(device).toMatchObject({ proofs: ['mailed-code', 'password'], passkey: { id: proof.credential } });
    const clientData = JSON.parse(Buffer.from(proof.clientData, 'base64url').toString());
    expect(clientData).toMatchObject({
      type: 'webauthn.get',
      challenge: proof.challenge,
      origin: company.site.config.publicUrl,
    });
    // User present and verified.
    expect(Buffer.from(proof.authenticatorData, 'base64url')[32]! & 0x05).toBe(0x05);
    // From now on nothing is asked for but the passkey.
    const [next] = await company.ask('mary.smith', ['self']);
    await page.goto(linkIn(next!));
    await waitForReview(phone);
    await sign(phone);
    // At Standard, too, since this device has one.
    const [plain] = await company.ask('mary.smith', ['self'], 'Standard: with a passkey');
    await page.goto(linkIn(plain!));
    await waitForReview(phone);
    await authenticator.verifies(false);
    await signTyped(page);
    await page.getByText('No passkey was used').waitFor();
    expect((await requests.find(plain!.request!))!.sessions[0]).toMatchObject({ state: 'open' });
    await authenticator.verifies(true);
    await page.getByRole('button', { name: 'Sign now' }).click();
    await page.getByRole('heading', { name: 'Signed', exact: true }).waitFor();
    const approved = (await requests.find(plain!.request!))!.sessions[0]!;
    const assertion = JSON.parse(Buffer.from(await store.blobs.get(approved.assertion!)).toString());
    expect(assertion.credential).toBe(proof.credential);
    expect(Buffer.from(assertion.mark, 'base64url').toString('latin1')).toContain('signpost passkey v1\0approval\0');
    await phone.context.close();
  });

  test('a browser without passkeys says so, and signs what needs none', async () => {
    const phone = await phones.open();
    const { page } = phone;
    await phone.context.addInitScript(() => {
      Reflect.deleteProperty(globalThis, 'PublicKeyCredential');
    });
    const [letter] = await company.ask('john.doe', ['self']);
    const { code } = await company.gateway.core.devices.createAdminCode('john.doe');
    await page.goto(linkIn(letter!));
    await page.getByLabel('Your company address').fill(JOHN);
    await page.getByLabel('Your code').fill(`${code.slice(0, 3)} ${code.slice(3, 6)} ${code.slice(6)}`);
    await page.getByRole('button', { name: 'Set up', exact: true }).click();
    await waitForReview(phone);
    await page.getByRole('button', { name: 'Sign…' }).click();
    await page.getByText('This browser has no passkeys').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    const [plain] = await company.ask('john.doe', ['self'], 'Standard: without a passkey');
    await page.goto(linkIn(plain!));
    await waitForReview(phone);
    await signTyped(page);
    await page.getByRole('heading', { name: 'Signed', exact: true }).waitFor();
    await phone.context.close();
  });
});
