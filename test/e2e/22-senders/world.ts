/**
 * A company whose mail comes in every way: logins, relays by address and by certificate, from outside with DKIM, SPF or
 * ARC. A real Postfix in front, DNS by a local server. Clients are told apart by their loopback address.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Request } from '../../../src/requests/model.ts';
import { PEOPLE } from '../../../src/tryout/site.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { type DkimKey, dkimKey } from '../../support/dkim.ts';
import { type DnsServer, startDns } from '../../support/dns.ts';
import { type AuthServer, startAuthServer } from '../../support/dovecot-auth.ts';
import { makeMessage, type TestMessage } from '../../support/message.ts';
import { SmtpClient, type SmtpReply } from '../../support/smtp.ts';
import { has, hasPostfix } from '../../support/tools.ts';

/** A private Postfix, and openssl for its certificates. */
export const canRun = hasPostfix && has('openssl');

export const MARY = 'mary.smith@company.com';
export const JOHN = 'john.doe@company.com';
export const SIGN_JOHN = 'john.doe@sign.company.com';

/** Who connects. */
export const OUTSIDE = '127.0.0.9';
export const RELAY = '127.0.0.4';
/** In the SPF record of company.com, of company.fr, of evil.example. */
export const SPF_COM = '127.0.0.5';
export const SPF_FR = '127.0.0.6';
export const SPF_EVIL = '127.0.0.7';

export const KEYS = {
  company: dkimKey('company.com', 's1'),
  large: dkimKey('company.com', 'large', { bits: 4096 }),
  ed25519: dkimKey('company.com', 'ed', { ed25519: true }),
  weak: dkimKey('company.com', 'weak', { bits: 768 }),
  test: dkimKey('company.com', 'test', { flags: 't=y' }),
  telephone: dkimKey('company.com', 'tel', { flags: 's=tlsrpt' }),
  revoked: dkimKey('company.com', 'revoked'),
  unknown: dkimKey('company.com', 'unknown'),
  servfail: dkimKey('company.com', 'servfail'),
  silent: dkimKey('company.com', 'silent'),
  delegated: dkimKey('company.com', 'delegated'),
  news: dkimKey('news.company.com', 's1'),
  noDmarc: dkimKey('company.de', 's1'),
  brokenDmarc: dkimKey('company.lu', 's1'),
  evil: dkimKey('evil.example', 's1'),
  lookalike: dkimKey('xn--ompany-hrf.com', 's1'),
  forwarder: dkimKey('forwarder.example', 'arc'),
  second: dkimKey('second.example', 'arc'),
  deadForwarder: dkimKey('dead.example', 'arc'),
} satisfies Record<string, DkimKey>;

const REJECT = { TXT: ['v=DMARC1; p=reject'] };

function zone(): Parameters<typeof startDns>[0] {
  const keys = Object.values<DkimKey>(KEYS).map(({ name, record }) => [name, { TXT: [record] }] as const);
  return {
    ...Object.fromEntries(keys),
    'company.com': { TXT: [`v=spf1 ip4:${SPF_COM} -all`] },
    '_dmarc.company.com': REJECT,
    'company.fr': { TXT: [`v=spf1 include:_spf.company.fr -all`] },
    '_spf.company.fr': { TXT: [`v=spf1 ip4:${SPF_FR} ?all`] },
    '_dmarc.company.fr': REJECT,
    'company.lu': { TXT: ['v=spf1 include:dead.company.lu -all'] },
    'dead.company.lu': 'SERVFAIL',
    '_dmarc.company.lu': 'SERVFAIL',
    'evil.example': { TXT: [`v=spf1 ip4:${SPF_EVIL} -all`] },
    '_dmarc.evil.example': REJECT,
    '_dmarc.xn--ompany-hrf.com': REJECT,
    [KEYS.unknown.name]: {},
    [KEYS.revoked.name]: { TXT: ['v=DKIM1; k=rsa; p='] },
    [KEYS.servfail.name]: 'SERVFAIL',
    [KEYS.silent.name]: 'silent',
    [KEYS.deadForwarder.name]: 'REFUSED',
    // Keys often lie with a provider.
    [KEYS.delegated.name]: { CNAME: 'key1.provider.example' },
    'key1.provider.example': { TXT: [KEYS.delegated.record] },
  };
}

export interface Envelope {
  readonly client?: string;
  readonly helo?: string;
  readonly from?: string;
  readonly to?: readonly string[];
  readonly parameters?: string;
  /** Name to log in with; the password is "secret". */
  readonly login?: string;
  /** Name of a client certificate in the world's folder. */
  readonly certificate?: string;
}

export interface SendersWorld {
  readonly company: Company;
  readonly dns: DnsServer;
  deliver(message: Uint8Array, envelope?: Envelope): Promise<{ recipients: SmtpReply[]; final: SmtpReply }>;
  /** Refused with these words; the reply. */
  refused(message: Uint8Array, says: RegExp, envelope?: Envelope): Promise<SmtpReply>;
  /** Accepted; the one request that it opened. */
  opened(message: Uint8Array, envelope?: Envelope): Promise<Request>;
  requests(): Promise<Request[]>;
  stop(): Promise<void>;
}

export async function startSendersWorld(): Promise<SendersWorld> {
  const folder = mkdtempSync('/tmp/signpost-senders-');
  execFileSync('chmod', ['755', folder]);
  makeCertificates(folder);
  const dns = await startDns(zone());
  const auth: AuthServer = await startAuthServer({
    [MARY]: 'secret',
    'jd@company.com': 'secret',
    'ANNA.MULLER@COMPANY.COM': 'secret',
  });
  const company = await startCompany({
    people: [
      ...PEOPLE.map(person => (person.id === 'anna.muller' ? { ...person, delegates: ['mary.smith'] } : person)),
      { id: 'jurgen', name: 'Jürgen Groß', aliases: ['jürgen@company.com'] },
      { id: 'marie', name: 'Marie Curie', aliases: ['marie@company.fr', 'marie@company.de', 'marie@company.lu'] },
    ],
    configure: config => {
      config.domains = [{ sign: 'sign.company.com', mail: ['company.com', 'company.fr', 'company.de', 'company.lu'] }];
      config.dns = { servers: [dns.address], timeout: '1 second' };
      config.senders = {
        spfAlone: ['company.fr', 'company.lu'],
        arcSealers: ['forwarder.example', 'second.example', 'dead.example'],
      };
      Object.assign(config.mail as Record<string, unknown>, {
        authenticatingRelays: [RELAY],
        relayCertificates: [{ subject: 'relay.company.com', issuer: 'Company CA' }],
      });
    },
    postfixExtra: [
      // As usual for the server itself: "john%domain@server" is then mail to the domain.
      'mydestination = mx.sign.company.com',
      'smtpd_sasl_auth_enable = yes',
      'smtpd_sasl_type = dovecot',
      `smtpd_sasl_path = inet:127.0.0.1:${auth.port}`,
      'smtpd_sasl_security_options = noanonymous',
      'smtpd_tls_auth_only = no',
      'smtpd_tls_security_level = may',
      `smtpd_tls_chain_files = ${folder}/server.pem`,
      'smtpd_tls_ask_ccert = yes',
      `smtpd_tls_CAfile = ${folder}/ca.pem`,
      // Many refusals in one test are no attack.
      'smtpd_soft_error_limit = 1000',
      'smtpd_hard_error_limit = 1000',
      'smtpd_client_connection_rate_limit = 0',
    ],
  });

  const requests = async (): Promise<Request[]> => {
    const { requests: all } = company.gateway.core;
    return [...(await all.list({ ended: false })), ...(await all.list({ ended: true }))];
  };
  const deliver: SendersWorld['deliver'] = async (message, envelope = {}) => {
    const helo = envelope.helo ?? 'client.example';
    const client = await SmtpClient.connect(company.site.smtpPort, helo, {
      localAddress: envelope.client ?? OUTSIDE,
    });
    try {
      if (envelope.certificate !== undefined) {
        const pem = readFileSync(join(folder, `${envelope.certificate}.pem`));
        await client.startTls({ key: pem, cert: pem }, helo);
      }
      if (envelope.login !== undefined) {
        const plain = Buffer.from(`\0${envelope.login}\0secret`).toString('base64');
        expect((await client.command(`AUTH PLAIN ${plain}`)).code).toBe(235);
      }
      return await client.send(envelope.from ?? MARY, envelope.to ?? [SIGN_JOHN], message, envelope.parameters);
    } finally {
      client.close();
    }
  };

  return {
    company,
    dns,
    requests,
    deliver,
    async refused(message, says, envelope) {
      const before = (await requests()).length;
      const { final } = await deliver(message, envelope);
      expect(`${final.code} ${final.text}`).toMatch(says);
      const queue = await company.site.postfix!.queue();
      expect(queue.filter(({ sender }) => !/^bounce\+\w+@sign\.company\.com$/.test(String(sender)))).toEqual([]);
      expect((await requests()).length).toBe(before);
      return final;
    },
    async opened(message, envelope) {
      const before = new Set((await requests()).map(({ id }) => id));
      const { final } = await deliver(message, envelope);
      expect(`${final.code} ${final.text}`).toMatch(/^250 /);
      for (let tries = 0; tries < 200; tries += 1) {
        const fresh = (await requests()).filter(({ id }) => !before.has(id));
        if (fresh.length > 0) {
          expect(fresh).toHaveLength(1);
          return fresh[0]!;
        }
        await new Promise(resolve => setTimeout(resolve, 50));
      }
      throw new Error(`no request was opened\n${company.site.postfix!.log().split('\n').slice(-20).join('\n')}`);
    },
    async stop() {
      await company.stop();
      await auth.stop();
      await dns.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A message of this minute: `makeMessage` has a fixed Date. */
export function mail(message: TestMessage = {}): Buffer {
  return makeMessage({
    ...message,
    headers: [...(message.headers ?? []), `Date: ${new Date().toUTCString()}`],
    without: ['Date', ...(message.without ?? [])],
  });
}

/** A CA, and by it a server, a relay, and one with another name; one that made its own certificate. */
function makeCertificates(folder: string): void {
  const openssl = (command: string): unknown =>
    execFileSync('openssl', command.split(' '), { cwd: folder, stdio: 'pipe' });
  const key = (name: string): string => `-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ${name}.key`;
  const bundle = (name: string): void => {
    execFileSync('sh', ['-c', `cat ${name}.key ${name}.crt > ${name}.pem`], { cwd: folder });
  };
  execFileSync('openssl', [...`req -x509 ${key('ca')} -out ca.pem -days 2 -subj`.split(' '), '/CN=Company CA'], {
    cwd: folder,
    stdio: 'pipe',
  });
  for (const [name, subject] of [
    ['server', '/CN=mx.sign.company.com'],
    ['relay', '/CN=relay.company.com'],
    ['printer', '/CN=printer.company.com'],
  ] as const) {
    openssl(`req ${key(name)} -out ${name}.csr -subj ${subject}`);
    openssl(`x509 -req -in ${name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out ${name}.crt`);
    bundle(name);
  }
  // Its own issuer, with the right names.
  execFileSync(
    'openssl',
    [...`req -x509 ${key('fakeca')} -out fakeca.crt -days 2 -subj`.split(' '), '/CN=Company CA'],
    { cwd: folder, stdio: 'pipe' },
  );
  openssl(`req ${key('fake')} -out fake.csr -subj /CN=relay.company.com`);
  openssl('x509 -req -in fake.csr -CA fakeca.crt -CAkey fakeca.key -CAcreateserial -days 2 -out fake.crt');
  bundle('fake');
}
