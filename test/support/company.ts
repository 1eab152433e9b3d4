/** A whole company in this process: the site of src/tryout and the gateway that it mails to. */
import { mkdtempSync, rmSync } from 'node:fs';
import { pino } from 'pino';
import { type Gateway, type GatewayOptions, startGateway } from '../../src/gateway/gateway.ts';
import { type Letter, waitForLetter } from '../../src/tryout/letters.ts';
import { addressOf, makeSite, SIGN_DOMAIN, type Site, type SiteOptions } from '../../src/tryout/site.ts';
import { simplePdf } from './pdfs.ts';

export interface Company {
  readonly site: Site;
  readonly gateway: Gateway;
  readonly folder: string;
  /** Mails a small PDF from one person to others; the first please-sign letter of each. */
  ask(from: string, signatories: readonly string[], subject?: string, pdf?: Uint8Array): Promise<Letter[]>;
  stop(): Promise<void>;
}

export async function startCompany(
  options: Omit<SiteOptions, 'folder'> & { readonly gateway?: Partial<GatewayOptions> } = {},
): Promise<Company> {
  const folder = mkdtempSync('/tmp/signpost-company-');
  const site = await makeSite({ ...options, folder });
  const logger = pino({ level: process.env.SIGNPOST_LOG ?? 'silent' });
  const gateway = await startGateway(site.config, { logger, ...options.gateway });
  let number = 0;
  return {
    site,
    gateway,
    folder,
    async ask(from, signatories, subject, pdf) {
      number += 1;
      const unique = subject ?? `Advanced: document ${number}`;
      await site.send({
        from: addressOf(from),
        to: signatories.map(name => `${name}@${SIGN_DOMAIN}`),
        subject: unique,
        text: 'Please read and sign.',
        attachments: [
          {
            filename: `document-${number}.pdf`,
            content: pdf ?? (await simplePdf({ pages: 2, text: `Document ${number}` })),
          },
        ],
      });
      const fits = ({ parsed }: Letter): boolean => parsed.subject?.includes(unique) ?? false;
      return Promise.all(
        signatories.map(name =>
          waitForLetter(site.mailboxes, addressOf(name === 'self' ? from : name), 'please-sign', fits),
        ),
      );
    },
    async stop() {
      await gateway.stop();
      await site.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
