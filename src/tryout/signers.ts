/** The demo's signatories: people with headless Chromium as their phone, or with the command-line device. */
import { join } from 'node:path';
import { linkToken, SignpostDevice } from '../client/device.ts';
import { fileStore } from '../commands/device-store.ts';
import { enrolByMail, sign, startPhones, waitForReview } from './browser.ts';
import { codeIn, waitForLetter } from './letters.ts';
import { addressOf, type Site } from './site.ts';

export interface Signers {
  readonly description: string;
  /** Opens the link as that person on a new device, sets it up, reads and signs. */
  sign(person: string, link: string): Promise<void>;
  close(): Promise<void>;
}

export async function browserSigners(site: Site): Promise<Signers> {
  const phones = await startPhones();
  return {
    description: 'headless Chromium as their phones',
    async sign(person, link) {
      const phone = await phones.open();
      await phone.page.goto(link);
      await enrolByMail(phone, site.mailboxes, addressOf(person));
      await waitForReview(phone);
      await sign(phone);
      await phone.context.close();
    },
    close: () => phones.close(),
  };
}

/** @param folder where the devices' keys go */
export async function commandLineSigners(site: Site, folder: string): Promise<Signers> {
  return {
    description: 'the command-line device `signpost device`',
    async sign(person, link) {
      const device = await SignpostDevice.open({
        origin: site.config.publicUrl,
        store: fileStore(join(folder, person), site.config.publicUrl),
      });
      const token = linkToken(link);
      if (token === null) throw new Error('the mail has no link');
      await device.requestCode(addressOf(person), token);
      const code = codeIn(await waitForLetter(site.mailboxes, addressOf(person), 'enrolment-code'));
      await device.enrol({
        address: addressOf(person),
        code,
        link: token,
        name: 'Demo command line',
        kind: 'command-line',
      });
      const view = await device.view(token);
      await device.sign(token, view, await device.download(token, view));
    },
    close: async () => {},
  };
}
