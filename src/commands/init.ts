/** `signpost init DIR`: asks what it can't find out, makes the installation, prints what to do next. */
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { createInstallation } from '../config/installation.ts';
import { pathIn } from '../config/load.ts';
import { giveTo, serviceUser } from '../config/service-user.ts';
import type { Answers } from '../config/template.ts';
import { KEY_KIND_NAMES, KEY_KINDS, type KeyKind } from '../pki/key-kinds.ts';
import { ask } from './ask.ts';

interface Flags {
  readonly company?: string;
  readonly vat?: string;
  readonly country?: string;
  readonly signDomain?: string;
  readonly mailDomain?: string[];
  readonly url?: string;
  readonly state?: string;
  readonly user?: string;
  readonly keys: 'ecdsa' | 'rsa';
  readonly caKey?: KeyKind;
  readonly sealKey?: KeyKind;
  readonly tsaKey?: KeyKind;
  readonly milterPort: string;
  readonly lmtpPort: string;
  readonly httpPort: string;
  readonly smtpPort: string;
}

/** Where every command looks by itself (options.ts). */
const STANDARD_FILE = '/etc/signpost/signpost.yaml';

const DOMAIN = /^[a-z0-9-]+(\.[a-z0-9-]+)+$/;

export function initCommand(): Command {
  return new Command('init')
    .description('make a configuration, keys and certificates in a new folder')
    .argument('<dir>', 'folder to make, for example /etc/signpost')
    .option('--company <name>', 'company name, as it stands in certificates')
    .option('--vat <number>', 'VAT number, for example LU12345678; "none" if there is none')
    .option('--country <code>', 'two-letter country code')
    .option('--mail-domain <domain...>', "the company's mail domains")
    .option('--sign-domain <domain>', 'domain that requests are mailed to')
    .option('--url <url>', 'where phones reach the gateway')
    .option('--state <folder>', 'where what must not be lost is kept; without it DIR/state')
    .option('--user <name>', 'the user that the gateway runs as: gets the keys and the state folder (as root)')
    .option('--keys <kind>', 'ecdsa (P-256) or rsa (3072 bits)', 'ecdsa')
    .addOption(keyOption('--ca-key <kind>', "the CA's key, where it is to be of another kind"))
    .addOption(keyOption('--seal-key <kind>', "the seal's key, likewise"))
    .addOption(keyOption('--tsa-key <kind>', "the timestamp authority's key, likewise"))
    .option('--milter-port <port>', 'port of the milter', '8891')
    .option('--lmtp-port <port>', 'port of the LMTP listener', '8892')
    .option('--http-port <port>', 'port of the web listener', '8893')
    .option('--smtp-port <port>', "Postfix's port for outgoing mail", '25')
    .action(init);
}

const keyOption = (flags: string, description: string): Option =>
  new Option(flags, description).choices(KEY_KIND_NAMES);

async function init(dir: string, flags: Flags): Promise<void> {
  const folder = resolve(dir);
  if (flags.keys !== 'ecdsa' && flags.keys !== 'rsa') throw new Error('--keys: write ecdsa or rsa');
  const owner = flags.user === undefined ? null : serviceUser(flags.user);
  const answers = await collect(flags);

  const { config, instructions } = await createInstallation(
    folder,
    answers,
    flags.keys === 'rsa' ? 'rsa-sha256' : 'ecdsa-p256-sha256',
    {
      ...(flags.caKey && { ca: KEY_KINDS[flags.caKey] }),
      ...(flags.sealKey && { seal: KEY_KINDS[flags.sealKey] }),
      ...(flags.tsaKey && { tsa: KEY_KINDS[flags.tsaKey] }),
    },
  );
  if (owner) giveTo(owner, folder, pathIn(config, config.state));
  const file = join(folder, 'signpost.yaml');
  const option = file === STANDARD_FILE ? '' : ` --config ${file}`;
  console.log(`Made ${folder}:
  signpost.yaml          the configuration, annotated
  people.yaml            who people are: put yours in
  passphrase, keys/      secrets; back them up apart from each other
  certs/ca.pem           the company's root: what others need to trust your signatures
  postfix-and-dns.txt    the lines below

${instructions}
# 3. Put your people into ${join(folder, 'people.yaml')}, or your LDAP servers into ${file}; then start the
#    gateway (${file === STANDARD_FILE ? 'systemctl enable --now signpost, as README.md says; or in this terminal: ' : ''}signpost serve${option}).
#    Is all in order?     signpost check${option}
#    The first phone:     signpost user code NAME${option}`);
}

async function collect(flags: Flags): Promise<Answers> {
  const given = (
    value: string | undefined,
    question: string,
    flag: string,
    suggestion: string | null,
    check: (answer: string) => string | null,
  ): Promise<string> => {
    if (value === undefined) return ask(question, flag, suggestion, check);
    const problem = check(value);
    if (problem !== null) throw new Error(`${flag}: ${problem}`);
    return Promise.resolve(value);
  };
  const isDomain = (answer: string): string | null =>
    DOMAIN.test(answer) ? null : 'write a domain in lower case, for example company.com';
  const name = await given(flags.company, 'Company name', '--company', null, answer =>
    answer === '' || answer.length > 64 ? 'write 1 to 64 characters' : null,
  );
  const vat = await given(flags.vat, 'VAT number ("none" if there is none)', '--vat', 'none', () => null);
  const country = await given(flags.country, 'Country code', '--country', /^[A-Z]{2}/.exec(vat)?.[0] ?? null, answer =>
    /^[A-Z]{2}$/.test(answer) ? null : 'write two capital letters, for example LU',
  );
  const mailDomain =
    flags.mailDomain?.[0] ?? (await ask("The company's mail domain", '--mail-domain', ownDomain(), isDomain));
  for (const domain of flags.mailDomain ?? []) {
    const problem = isDomain(domain);
    if (problem !== null) throw new Error(`--mail-domain ${domain}: ${problem}`);
  }
  const signDomain = await given(
    flags.signDomain,
    'Domain that requests are mailed to',
    '--sign-domain',
    `sign.${mailDomain}`,
    isDomain,
  );
  const publicUrl = await given(
    flags.url,
    'Where phones reach the gateway',
    '--url',
    `https://${signDomain}`,
    answer => (URL.canParse(answer) ? null : 'write a URL, for example https://sign.company.com'),
  );
  const port = (text: string): number => {
    const number = Number(text);
    if (!Number.isInteger(number) || number < 1 || number > 65_535) throw new Error(`"${text}" is not a port`);
    return number;
  };
  return {
    company: { name, vat: vat === 'none' ? null : vat, country },
    publicUrl,
    ...(flags.state !== undefined && { state: resolve(flags.state) }),
    signDomain,
    mailDomains: flags.mailDomain ?? [mailDomain],
    ports: {
      milter: port(flags.milterPort),
      lmtp: port(flags.lmtpPort),
      http: port(flags.httpPort),
      smtp: port(flags.smtpPort),
    },
  };
}

/** The domain of this host, where it has one: /etc/mailname (Debian), else the host name's. */
function ownDomain(): string | null {
  const name = existsSync('/etc/mailname')
    ? readFileSync('/etc/mailname', 'utf8').trim()
    : hostname().split('.').slice(1).join('.');
  return DOMAIN.test(name) ? name : null;
}
