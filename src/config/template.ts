/**
 * What `signpost init` writes: the annotated example with the company's values, and the exact Postfix and DNS lines.
 */
import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import type { Config, Listen } from './schema.ts';

const FOLDER = new URL('../../config/', import.meta.url);

export interface Answers {
  readonly company: { readonly name: string; readonly vat: string | null; readonly country: string };
  readonly publicUrl: string;
  readonly signDomain: string;
  readonly mailDomains: readonly string[];
  /** Folder of what must not be lost; absent: beside the configuration. */
  readonly state?: string;
  readonly ports: { readonly milter: number; readonly lmtp: number; readonly http: number; readonly smtp: number };
}

/** signpost.yaml with the comments of the example. */
export function configText(answers: Answers): string {
  const document = parseDocument(readFileSync(new URL('signpost.example.yaml', FOLDER), 'utf8'));
  const set = (path: string[], value: unknown): void => document.setIn(path, value);
  set(['company', 'name'], answers.company.name);
  set(['company', 'vat'], answers.company.vat);
  set(['company', 'country'], answers.company.country);
  set(['publicUrl'], answers.publicUrl);
  set(['domains'], [{ sign: answers.signDomain, mail: [...answers.mailDomains] }]);
  if (answers.state !== undefined) set(['state'], answers.state);
  set(['mail', 'milter'], `127.0.0.1:${answers.ports.milter}`);
  set(['mail', 'lmtp'], `127.0.0.1:${answers.ports.lmtp}`);
  set(['mail', 'smtp', 'port'], answers.ports.smtp);
  set(['http', 'listen'], `127.0.0.1:${answers.ports.http}`);
  return document.toString({ lineWidth: 0 });
}

/** people.yaml to start from: one example person per mail domain's form, ready to be replaced. */
export function peopleText(mailDomain: string): string {
  return `# Who people are. Each has an id that never changes; mail is only ever sent to \`mail\`.
# login: SASL logins of this person, where they differ from the addresses. language: en, fr or de.
people:
  - id: john.doe
    name: John Doe
    givenName: John
    surname: Doe
    mail: john.doe@${mailDomain}
    aliases: [jd@${mailDomain}]
    language: en
    title: null
    groups: []
`;
}

/** The shipped Postfix snippet with this configuration's domains and ports. */
export function postfixLines(config: Config): string {
  const address = (listen: Listen): string =>
    'path' in listen ? `unix:${listen.path}` : `inet:${listen.host}:${listen.port}`;
  return postfixSnippet({
    signDomains: config.domains.map(({ sign }) => sign),
    milter: address(config.mail.milter),
    lmtp: address(config.mail.lmtp),
    messageSizeLimit: Math.max(52_428_800, config.mail.maxMessageSize * 2),
  });
}

export interface SnippetValues {
  readonly signDomains: readonly string[];
  /** In Postfix's notation: inet:HOST:PORT or unix:PATH. */
  readonly milter: string;
  readonly lmtp: string;
  /** Bytes. */
  readonly messageSizeLimit: number;
}

export function postfixSnippet({ signDomains, milter, lmtp, messageSizeLimit }: SnippetValues): string {
  const transports = signDomains.map(domain => `{ ${domain} = lmtp:${lmtp} }`).join(', ');
  return readFileSync(new URL('postfix/main.cf', FOLDER), 'utf8')
    .replace(/^relay_domains = .*$/m, `relay_domains = ${signDomains.join(', ')}`)
    .replace(/^transport_maps = .*$/m, `transport_maps = inline:{ ${transports} }`)
    .replace(/^smtpd_milters = .*$/m, `smtpd_milters = ${milter}`)
    .replace(/^message_size_limit = .*$/m, `message_size_limit = ${messageSizeLimit}`);
}

/**
 * DNS records for the sign domains, for a zone file.
 *
 * @param host name of this mail server
 * @param dkim line of the key that signs our mail
 */
export function dnsLines(config: Config, host: string, dkim: string): string {
  const lines: string[] = [];
  for (const { sign } of config.domains) {
    lines.push(
      `${sign}.          IN MX  10 ${host}.`,
      `; only this server sends mail from the sign domain`,
      `${sign}.          IN TXT "v=spf1 mx -all"`,
      `_dmarc.${sign}.   IN TXT "v=DMARC1; p=reject; aspf=s"`,
    );
  }
  const web = new URL(config.publicUrl).hostname;
  lines.push(
    `; our mail is signed (DKIM) with the key whose public half this is`,
    dkim,
    `; phones reach the gateway (or its proxy) here`,
    `${web}.          IN A   <address of this host or its https proxy>`,
  );
  return `${lines.join('\n')}\n`;
}
