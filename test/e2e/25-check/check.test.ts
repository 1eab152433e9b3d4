/** `signpost check` against a real private Postfix that runs the shipped snippet, a name server and a whole gateway. */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { createTransport } from 'nodemailer';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkDns } from '../../../src/check/dns.ts';
import type { Line } from '../../../src/check/line.ts';
import { checkPostfix } from '../../../src/check/postfix.ts';
import { startGateway } from '../../../src/gateway/gateway.ts';
import { checkId } from '../../../src/intake/check-address.ts';
import { checkAddress } from '../../../src/outbound/addresses.ts';
import type { DkimRecord } from '../../../src/outbound/dkim.ts';
import { dkimRecordOf } from '../../../src/outbound/dkim-key.ts';
import { SIGN_DOMAIN } from '../../../src/tryout/site.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { type DnsServer, startDns } from '../../support/dns.ts';
import { hasPostfix } from '../../support/tools.ts';

const BIN = new URL('../../../bin/signpost.js', import.meta.url).pathname;
const execute = promisify(execFile);

let dns: DnsServer;
let company: Company;
let postfix: string;
let dkim: DkimRecord;

/** What the command says, and its exit status. */
async function check(...args: string[]): Promise<{ lines: Line[]; status: number }> {
  const asked = [BIN, 'check', '--json', '--config', company.site.configFile, '--postfix', postfix, ...args];
  const { stdout, code } = await execute(process.execPath, asked).then(
    ({ stdout }) => ({ stdout, code: 0 }),
    (error: { stdout: string; code: number }) => error,
  );
  return { lines: JSON.parse(stdout) as Line[], status: code };
}

const wrongOf = ({ lines }: { lines: Line[] }): Line[] => lines.filter(({ state }) => state === 'wrong');

describe.skipIf(!hasPostfix)('signpost check', () => {
  beforeAll(async () => {
    dns = await startDns({
      'sign.company.com': { MX: [{ exchange: 'mx.sign.company.com', preference: 10 }], TXT: ['v=spf1 mx -all'] },
      '_dmarc.sign.company.com': { TXT: ['v=DMARC1; p=reject; aspf=s'] },
      'company.com': { MX: [{ exchange: 'mx.company.com', preference: 10 }], TXT: ['v=spf1 mx -all', 'other=1'] },
      '_dmarc.company.com': { TXT: ['v=DMARC1; p=none'] },
    });
    company = await startCompany({
      configure: config => {
        config.dns = { servers: [dns.address] };
        config.admin = ['mary.smith@company.com'];
      },
    });
    postfix = company.site.postfix!.configFolder;
    dkim = (await dkimRecordOf(company.site.config.folder, 'sign.company.com'))!;
    dns.zone.set(dkim.name, { TXT: [dkim.text] });
  });
  afterAll(async () => {
    await company.stop();
    await dns.stop();
  });

  test('all is in order on the shipped snippet', async () => {
    const found = await check();
    expect(found.lines.filter(({ state }) => state !== 'ok')).toEqual([]);
    expect(found.status).toBe(0);
  });

  test('--mail proves the whole way through Postfix and back, and bothers nobody', async () => {
    const found = await check('--mail');
    expect(wrongOf(found)).toEqual([]);
    expect(
      found.lines.filter(({ item }) => item.startsWith('mail:')).map(({ item, text }) => `${item} ${text}`),
    ).toEqual([
      expect.stringMatching(/^mail: milter admitted under queue id \w+$/),
      'mail: LMTP 2.0.0 check taken',
      expect.stringMatching(/^mail: answer Postfix took it: 250 2\.0\.0 Ok: queued as \w+$/),
      expect.stringMatching(/^mail: back the answer came back to Signpost under queue id \w+$/),
    ]);
    expect(company.site.mailboxes.mails).toEqual([]);
    expect(await company.gateway.core.requests.list({ ended: false })).toEqual([]);
  });

  test('an address that check did not make is refused, and one that is old', async () => {
    const { config } = company.site;
    const key = company.gateway.core.secrets.verdict.newest;
    const ids = [
      checkId('out', '12345678', new Date(Date.now() - 3_600_000), key),
      checkId('out', '12345678', new Date(), { id: 'x', secret: Buffer.alloc(32) }),
      'a'.repeat(32),
    ];
    for (const id of ids) {
      const transport = createTransport({ host: '127.0.0.1', port: config.mail.smtp.port, ignoreTLS: true });
      const sent = transport.sendMail({ envelope: { from: '', to: [checkAddress(id, SIGN_DOMAIN)] }, text: 'x' });
      await expect(sent).rejects.toThrow(/550 5\.7\.1 .*This address is for signpost check alone/);
    }
  });

  /** Every setting of the snippet, with what somebody may have there instead. */
  test.each([
    ['smtpd_milters', '', 'smtpd_milters = inet:127.0.0.1:MILTER'],
    ['smtpd_milters', 'inet:127.0.0.1:9', 'smtpd_milters = inet:127.0.0.1:9, inet:127.0.0.1:MILTER'],
    [
      'smtpd_milters',
      'inet:127.0.0.1:MILTER, inet:127.0.0.1:9',
      'smtpd_milters = inet:127.0.0.1:9, inet:127.0.0.1:MILTER',
    ],
    [
      'smtpd_milters',
      '{ inet:127.0.0.1:MILTER, default_action=accept }',
      'smtpd_milters = { inet:127.0.0.1:MILTER, default_action=tempfail }',
    ],
    ['non_smtpd_milters', '', 'non_smtpd_milters = inet:127.0.0.1:MILTER'],
    ['internal_mail_filter_classes', '', 'internal_mail_filter_classes = bounce'],
    ['milter_default_action', 'accept', 'milter_default_action = tempfail'],
    ['milter_protocol', '2', 'milter_protocol = 6'],
    ['milter_content_timeout', '30s', 'milter_content_timeout = 300s'],
    ['lmtp_line_length_limit', '998', 'lmtp_line_length_limit = 0'],
    ['smtpd_forbid_bare_newline', 'no', 'smtpd_forbid_bare_newline = normalize'],
    ['smtpd_forbid_bare_newline_exclusions', '$mynetworks', 'smtpd_forbid_bare_newline_exclusions ='],
    [
      'smtpd_data_restrictions',
      'reject_multi_recipient_bounce',
      'smtpd_data_restrictions = reject_multi_recipient_bounce, reject_unauth_pipelining',
    ],
    ['smtpd_discard_ehlo_keywords', 'dsn', 'smtpd_discard_ehlo_keywords = dsn, chunking'],
    ['message_reject_characters', '', 'message_reject_characters = \\0'],
    ['message_size_limit', '20000000', 'message_size_limit = 52428800'],
    ['maximal_queue_lifetime', '10d', 'maximal_queue_lifetime = 5d'],
    ['relay_domains', 'other.com', 'relay_domains = other.com, sign.company.com'],
    [
      'transport_maps',
      'inline:{ { sign.company.com = smtp:[127.0.0.1]:9 } }',
      'transport_maps = inline:{ { sign.company.com = lmtp:inet:127.0.0.1:LMTP } }, inline:{ { sign.company.com = smtp:[127.0.0.1]:9 } }',
    ],
  ])('%s = %s is named with the line that mends it', async (setting, value, mend) => {
    const ports = (text: string): string => text.replaceAll('MILTER', port('milter')).replaceAll('LMTP', port('lmtp'));
    const file = join(postfix, 'main.cf');
    const before = readFileSync(file, 'utf8');
    write(file, `${before}${setting} = ${ports(value)}\n`);
    try {
      const bad = wrongOf({ lines: await checkPostfix(company.site.config, postfix) });
      expect(bad.map(({ item }) => item.split(' ')[1])).toContain(setting);
      expect(bad.find(({ item }) => item.split(' ')[1] === setting)?.mend).toBe(
        `${file}: ${ports(mend)}   (then: postfix reload)`,
      );
      // What it says to write is what makes it right.
      const line = bad.find(({ item }) => item.split(' ')[1] === setting)!.mend!.replace(/^\S+: (.*?) {3}\(.*$/, '$1');
      write(file, `${before}${line}\n`);
      expect(wrongOf({ lines: await checkPostfix(company.site.config, postfix) })).toEqual([]);
    } finally {
      writeFileSync(file, before);
    }
  });

  test('relays by certificate need a Postfix that asks for certificates', async () => {
    const { config } = company.site;
    const relayCertificates = [{ subject: 'relay.company.com', issuer: 'Company CA' }];
    const said = async (): Promise<string[]> =>
      wrongOf({ lines: await checkPostfix({ ...config, mail: { ...config.mail, relayCertificates } }, postfix) }).map(
        ({ item }) => item,
      );
    expect(await said()).toEqual(['postfix smtpd_tls_ask_ccert', 'postfix smtpd_tls_CAfile']);
    const file = join(postfix, 'main.cf');
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, `${before}smtpd_tls_ask_ccert = yes\nsmtpd_tls_CAfile = /etc/postfix/ca.pem\n`);
    expect(await said()).toEqual([]);
    writeFileSync(file, before);
  });

  test('what master.cf says otherwise for one service is named with the service', async () => {
    const file = join(postfix, 'master.cf');
    const before = readFileSync(file, 'utf8');
    const submission = '127.0.0.1:1 inet n - n - - smtpd\n';
    const extra = [
      `${submission} -o smtpd_forbid_bare_newline=no\n`,
      `${submission} -o smtpd_milters=\n`,
      `${submission} -o receive_override_options=no_milters\n`,
    ];
    const said: string[] = [];
    try {
      for (const lines of extra) {
        writeFileSync(file, before + lines);
        for (const { item, state } of await checkPostfix(company.site.config, postfix)) {
          if (state !== 'ok') said.push(`${state} ${item}`);
        }
      }
    } finally {
      writeFileSync(file, before);
    }
    expect(said).toEqual([
      'wrong postfix smtpd_forbid_bare_newline',
      'warning postfix smtpd_milters',
      'wrong postfix receive_override_options',
    ]);
  });

  test('records that DNS lacks are named with the record to write; a dead name server is no lack', async () => {
    const { config } = company.site;
    const said = async (): Promise<string[]> =>
      (await checkDns(config, 'mx.company.com')).flatMap(({ state, item, mend }) =>
        state === 'ok' ? [] : [`${state} ${item}: ${mend}`],
      );
    const whole = new Map(dns.zone);
    dns.zone.clear();
    expect(await said()).toEqual([
      'wrong DNS MX sign.company.com: in its zone: sign.company.com. IN MX 10 mx.company.com.',
      'wrong DNS SPF sign.company.com: in its zone: sign.company.com. IN TXT "v=spf1 mx -all"',
      'wrong DNS DMARC _dmarc.sign.company.com: in its zone: _dmarc.sign.company.com. IN TXT "v=DMARC1; p=reject; aspf=s"',
      `wrong DNS DKIM sign.company.com: in its zone: ${dkim.zoneLine}`,
      'warning DNS MX company.com: add the MX record (MX of company.com) to the zone of company.com',
      'warning DNS SPF company.com: add the SPF record (TXT of company.com) to the zone of company.com',
      'warning DNS DMARC _dmarc.company.com: add the DMARC record (TXT of _dmarc.company.com) to the zone of company.com',
    ]);
    for (const name of whole.keys()) dns.zone.set(name, 'SERVFAIL');
    expect((await said()).filter(line => !line.startsWith('warning '))).toEqual([]);
    for (const [name, entry] of whole) dns.zone.set(name, entry);
    expect(await said()).toEqual([]);
  });

  test('files that others may read, and secrets out of an example, are named; a gateway does not start with one', async () => {
    const { folder } = company.site.config;
    const seal = join(folder, 'keys', 'seal.p8');
    const verdict = join(folder, 'keys', 'link.key');
    const secret = readFileSync(verdict, 'utf8');
    const earlier = join(folder, 'authorities', '1-0123456789abcdef', 'ca.p8');
    chmodSync(seal, 0o644);
    mkdirSync(dirname(earlier), { recursive: true });
    writeFileSync(earlier, 'a key', { mode: 0o640 });
    writeFileSync(verdict, `${'0123456789abcdef'.repeat(4)}\n`);
    try {
      expect(wrongOf(await check()).map(({ item, mend }) => `${item}: ${mend}`)).toEqual(
        expect.arrayContaining([
          `secret files: chmod 600 ${seal}`,
          `secret files: chmod 600 ${earlier}`,
          `sample secrets: umask 077; openssl rand -hex 32 > ${verdict}`,
          `key seal: chmod 600 ${seal}`,
        ]),
      );
      await expect(startGateway(company.site.config, { logger: pino({ level: 'silent' }) })).rejects.toThrow(
        `These secrets come out of an example, and everybody knows them:\n  ${verdict}: umask 077; openssl rand -hex 32 > ${verdict}`,
      );
    } finally {
      chmodSync(seal, 0o600);
      rmSync(dirname(dirname(earlier)), { recursive: true });
      writeFileSync(verdict, secret);
    }
    expect((await check()).status).toBe(0);
  });

  test('a configuration with a mistake is all that is said', async () => {
    const text = readFileSync(company.site.configFile, 'utf8');
    writeFileSync(company.site.configFile, text.replace(/^publicUrl:.*$/m, 'publicUrl: http://sign.company.com'));
    try {
      const { lines, status } = await check();
      expect(lines.map(({ item, state }) => `${state} ${item}`)).toEqual(['wrong configuration']);
      expect(lines[0]?.text).toContain('publicUrl: must be https');
      expect(status).toBe(1);
    } finally {
      writeFileSync(company.site.configFile, text);
    }
  });

  test('a gateway that is down is named, and --mail says where the way breaks', async () => {
    await company.gateway.stop();
    const { lines, status } = await check('--mail');
    expect(status).toBe(1);
    expect(lines.filter(({ state }) => state === 'wrong').map(({ item }) => item)).toEqual([
      'gateway milter',
      'gateway LMTP',
      'gateway web',
      'mail: Postfix',
    ]);
    expect(lines.at(-1)?.mend).toContain('is the gateway up');
  });
});

/** As if it had been written a while ago: Postfix waits until what it reads is some seconds old. */
function write(file: string, text: string): void {
  writeFileSync(file, text);
  const past = new Date(Date.now() - 60_000);
  utimesSync(file, past, past);
}

function port(name: 'milter' | 'lmtp'): string {
  const listen = company.site.config.mail[name];
  return 'port' in listen ? String(listen.port) : '';
}
