/**
 * A whole company on loopback: an installation, its people, a real mail server in front and everybody's mailboxes.
 * The demo and the end-to-end tests run on it; the gateway inside is the one that companies run.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { parse, stringify } from 'yaml';
import { createInstallation } from '../config/installation.ts';
import { parseConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { configText } from '../config/template.ts';
import type { SignatureAlgorithm } from '../pki/pki.ts';
import { type FrontDoor, startFrontDoor } from './front.ts';
import { type Sink, startSink } from './mailboxes.ts';
import { freePort } from './ports.ts';
import { canRunPostfix, type PrivatePostfix, startPrivatePostfix } from './postfix.ts';

export const SIGN_DOMAIN = 'sign.company.com';
export const MAIL_DOMAIN = 'company.com';

export interface SitePerson {
  readonly id: string;
  readonly name: string;
  readonly language?: 'en' | 'fr' | 'de';
  readonly title?: string;
  readonly aliases?: readonly string[];
  readonly delegates?: readonly string[];
}

export const PEOPLE: readonly SitePerson[] = [
  { id: 'mary.smith', name: 'Mary Smith', title: 'Chief Financial Officer' },
  { id: 'john.doe', name: 'John Doe', title: 'Head of Sales', aliases: [`jd@${MAIL_DOMAIN}`] },
  { id: 'anna.muller', name: 'Anna Müller' },
];

export interface SiteOptions {
  /** An existing, empty folder; its parents must be searchable by user postfix. */
  readonly folder: string;
  readonly people?: readonly SitePerson[];
  /** Another company's, beside the one with the constants above. */
  readonly domains?: { readonly sign: string; readonly mail: string };
  readonly keys?: SignatureAlgorithm;
  /** Changes the configuration before it's written: gets the parsed YAML. */
  readonly configure?: (config: Record<string, unknown>) => void;
  /** False: the try-out front even where Postfix is installed. */
  readonly postfix?: boolean;
  readonly postfixExtra?: readonly string[];
}

export interface OutgoingMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly cc?: readonly string[];
  readonly subject: string;
  readonly text?: string;
  readonly messageId?: string;
  readonly attachments: readonly {
    readonly filename: string;
    readonly content: Uint8Array;
    readonly contentType?: string;
  }[];
}

export interface Site {
  readonly config: Config;
  readonly configFile: string;
  readonly mailboxes: Sink;
  /** Null where the try-out front stands in for Postfix. */
  readonly postfix: PrivatePostfix | null;
  readonly smtpPort: number;
  /** Mails something as an authenticated employee would; resolves with the server's reply. @throws the SMTP refusal */
  send(mail: OutgoingMail): Promise<string>;
  /** Stops the mail server and the mailboxes (not the gateway, which its owner stops first). */
  stop(): Promise<void>;
}

/** Address of a person of the site. */
export function addressOf(id: string): string {
  return `${id}@${MAIL_DOMAIN}`;
}

/** Makes the site; start the gateway with `site.config` afterwards. */
export async function makeSite(options: SiteOptions): Promise<Site> {
  const people = options.people ?? PEOPLE;
  const domains = options.domains ?? { sign: SIGN_DOMAIN, mail: MAIL_DOMAIN };
  const folder = join(options.folder, 'gateway');
  chmodSync(options.folder, 0o711);
  const ports = { milter: await freePort(), lmtp: await freePort(), http: await freePort(), smtp: await freePort() };
  const mailboxes = await startSink();

  let smtpPort: number;
  let postfix: PrivatePostfix | null = null;
  let front: FrontDoor | null = null;
  if (options.postfix !== false && canRunPostfix()) {
    postfix = await startPrivatePostfix({
      folder: join(options.folder, 'postfix'),
      signDomains: [domains.sign],
      milter: `inet:127.0.0.1:${ports.milter}`,
      lmtp: `inet:127.0.0.1:${ports.lmtp}`,
      sinkPort: mailboxes.port,
      extra: options.postfixExtra ?? [],
    });
    smtpPort = postfix.port;
  } else {
    front = await startFrontDoor({
      milterPort: ports.milter,
      lmtpPort: ports.lmtp,
      signDomains: [domains.sign],
      smartHostPort: mailboxes.port,
    });
    smtpPort = front.port;
  }

  const answers = {
    company: { name: 'Example Company S.A.', vat: 'LU12345678', country: 'LU' },
    publicUrl: `http://localhost:${ports.http}`,
    signDomain: domains.sign,
    mailDomains: [domains.mail],
    ports: { ...ports, smtp: smtpPort },
  };
  await createInstallation(folder, answers, options.keys ?? 'ecdsa-p256-sha256');
  writeFileSync(
    join(folder, 'people.yaml'),
    stringify({
      people: people.map(({ id, name, language, title, aliases, delegates }) => ({
        id,
        name,
        givenName: name.split(' ')[0],
        surname: name.split(' ').slice(1).join(' '),
        mail: `${id}@${domains.mail}`,
        aliases: aliases ?? [],
        delegates: delegates ?? [],
        language: language ?? 'en',
        title: title ?? null,
        groups: [],
      })),
    }),
  );
  // The demo's whole world is this machine: whoever mails from it counts as logged in, and codes come by mail.
  const configFile = join(folder, 'signpost.yaml');
  const data = parse(configText(answers)) as Record<string, unknown> & { mail: Record<string, unknown> };
  data.mail.authenticatingRelays = ['127.0.0.1'];
  data.enrolment = { mailedCode: true };
  options.configure?.(data);
  writeFileSync(configFile, stringify(data));

  return {
    config: parseConfig(data, configFile),
    configFile,
    mailboxes,
    postfix,
    smtpPort,
    async send(mail) {
      const transport = createTransport({
        host: '127.0.0.1',
        port: smtpPort,
        ignoreTLS: true,
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      try {
        const { response } = await transport.sendMail({
          envelope: { from: mail.from, to: [...mail.to, ...(mail.cc ?? [])] },
          from: mail.from,
          to: [...mail.to],
          cc: [...(mail.cc ?? [])],
          subject: mail.subject,
          text: mail.text ?? '',
          messageId: mail.messageId,
          attachments: mail.attachments.map(({ filename, content, contentType }) => ({
            filename,
            content: Buffer.from(content),
            contentType: contentType ?? 'application/pdf',
          })),
        });
        return response;
      } finally {
        transport.close();
      }
    },
    async stop() {
      await postfix?.stop();
      await front?.stop();
      await mailboxes.stop();
    },
  };
}
