/** Browsers that keep nothing, forget, show two tabs or can't draw: a clear page, and never a signature unseen. */
import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { enrolByMail, type Phones, sign, startPhones, waitForReview } from '../../../src/tryout/browser.ts';
import { linkIn } from '../../../src/tryout/letters.ts';
import { addressOf } from '../../../src/tryout/site.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { has } from '../../support/tools.ts';

const MARY = addressOf('mary.smith');
const BIN = new URL('../../../bin/signpost.js', import.meta.url).pathname;

function signpost(...args: string[]): Promise<{ status: number; output: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, [BIN, ...args], (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code) : 0, output: `${stdout}${stderr}` }),
    );
  });
}

describe.skipIf(!has('chromium'))('odd browsers', () => {
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

  async function linkForMary(): Promise<string> {
    const [letter] = await company.ask('mary.smith', ['self']);
    return linkIn(letter!);
  }

  test.each([
    {
      name: 'has no storage',
      refuse: () => void Object.defineProperty(globalThis, 'indexedDB', { value: undefined }),
    },
    {
      name: 'refuses to open it',
      refuse: () => {
        IDBFactory.prototype.open = () => {
          throw new DOMException('denied', 'SecurityError');
        };
      },
    },
  ])('a browser that $name is told to use another', async ({ refuse }) => {
    const phone = await phones.open();
    await phone.context.addInitScript(refuse);
    await phone.page.goto(await linkForMary());
    await phone.page.getByText('in a normal window, or in another browser').waitFor();
    await phone.context.close();
  });

  test('storage that is full is no fault of the gateway', async () => {
    const phone = await phones.open();
    await phone.context.addInitScript(() => {
      IDBObjectStore.prototype.put = () => {
        throw new DOMException('full', 'QuotaExceededError');
      };
    });
    await phone.page.goto(await linkForMary());
    await phone.page.getByLabel('Your company address').fill(MARY);
    await phone.page.getByRole('button', { name: 'Mail me a code' }).click();
    await phone.page.getByText('in a normal window, or in another browser').waitFor();
    await phone.context.close();
  });

  test('a second tab that was open before never forgets the device that the first one set up', async () => {
    const phone = await phones.open();
    const link = await linkForMary();
    const second = await phone.context.newPage();
    await second.goto(link);
    await second.getByLabel('Your company address').fill(MARY);
    await phone.page.goto(link);
    await enrolByMail(phone, company.site.mailboxes, MARY);
    await waitForReview(phone);
    await second.getByRole('button', { name: 'Mail me a code' }).click();
    await second.getByText('it is on its way').waitFor();
    await phone.page.reload();
    await waitForReview(phone);
    // Both sign at once: the same answer.
    await second.goto(link);
    await waitForReview({ ...phone, page: second });
    await Promise.all([sign(phone), sign({ ...phone, page: second })]);
    await phone.context.close();
  });

  test('storage wiped between review and press: signed all the same; then the browser is set up anew', async () => {
    const phone = await phones.open();
    const link = await linkForMary();
    await phone.page.goto(link);
    await enrolByMail(phone, company.site.mailboxes, MARY);
    await waitForReview(phone);
    await phone.page.evaluate(() => void indexedDB.deleteDatabase('signpost'));
    await sign(phone);
    await phone.context.close();
  });

  test('a device that was removed is set up anew, without a detour', async () => {
    const phone = await phones.open();
    await phone.page.goto(await linkForMary());
    await enrolByMail(phone, company.site.mailboxes, MARY);
    await waitForReview(phone);
    const id = await phone.page.evaluate(
      () =>
        new Promise<string>((resolve, reject) => {
          const opening = indexedDB.open('signpost');
          opening.onerror = reject;
          opening.onsuccess = () => {
            const memory = opening.result.transaction('device').objectStore('device').get('memory');
            memory.onsuccess = () => resolve(memory.result.device.enrolled.deviceId);
          };
        }),
    );
    const { status, output } = await signpost('devices', 'revoke', id, '--config', company.site.configFile);
    expect(status, output).toBe(0);
    await phone.page.reload();
    await phone.page.getByRole('heading', { name: 'Set up this device' }).waitFor();
    await enrolByMail(phone, company.site.mailboxes, MARY);
    await waitForReview(phone);
    await phone.context.close();
  });

  test('a page that can’t be drawn: said in its place, and nothing to sign with', async () => {
    const phone = await phones.open();
    // Mary has had her five codes of the day.
    const [letter] = await company.ask('john.doe', ['self']);
    const link = linkIn(letter!);
    await phone.page.goto(link);
    await enrolByMail(phone, company.site.mailboxes, addressOf('john.doe'));
    await waitForReview(phone);
    await phone.context.addInitScript(() => {
      // As on a phone without memory for another canvas.
      HTMLCanvasElement.prototype.getContext = () => null;
    });
    await phone.page.goto(link);
    await phone.page.getByText('This browser can’t show the document').first().waitFor();
    await expect.poll(() => phone.page.getByRole('button', { name: 'Sign…' }).count()).toBe(0);
    expect(await phone.page.getByRole('button', { name: 'Reject…' }).count()).toBe(1);
    await phone.context.close();
  });
});
