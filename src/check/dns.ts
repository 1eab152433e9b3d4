/** The DNS records that mail of and to the sign domains needs, asked of the configured name servers. */
import type { Config } from '../config/schema.ts';
import { createDns, type Dns, type DnsType, DnsUnavailable } from '../dns/resolver.ts';
import { dkimRecordOf } from '../outbound/dkim-key.ts';
import { type Line, ok, warning, wrong } from './line.ts';

/** @param host what this mail server is called, for the records to write */
export async function checkDns(config: Config, host: string): Promise<Line[]> {
  const dns = createDns({ servers: config.dns.servers, timeout: config.dns.timeout });
  const lines: Line[] = [];
  for (const { sign, mail } of config.domains) {
    lines.push(
      await mxLine(dns, sign, host),
      await textLine(dns, sign, 'SPF', /^v=spf1( |$)/i, `${sign}. IN TXT "v=spf1 mx -all"`),
      await dmarcLine(dns, sign),
      // Our mail comes from the first of them.
      ...(sign === config.domains[0]!.sign ? [await dkimLine(dns, config.folder, sign)] : []),
    );
    for (const domain of mail) lines.push(...(await mailDomainLines(dns, domain)));
  }
  lines.push(await webLine(dns, config.publicUrl));
  return lines;
}

/** @param about what to say where the name servers don't answer */
async function asked(item: string, work: () => Promise<Line>): Promise<Line> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DnsUnavailable)) throw error;
    return warning(item, error.message, 'look at dns.servers, or at /etc/resolv.conf where that is empty');
  }
}

function mxLine(dns: Dns, sign: string, host: string): Promise<Line> {
  const item = `DNS MX ${sign}`;
  return asked(item, async () => {
    const hosts = (await dns.lookUp(sign, 'MX')).map(({ exchange }) => exchange);
    return hosts.length > 0
      ? ok(item, hosts.join(', '))
      : wrong(item, 'there is none: nobody can mail to it', `in its zone: ${sign}. IN MX 10 ${host}.`);
  });
}

async function texts(dns: Dns, name: string): Promise<string[]> {
  return (await dns.lookUp(name, 'TXT')).map(strings => strings.join(''));
}

function textLine(dns: Dns, name: string, what: string, shape: RegExp, record: string): Promise<Line> {
  const item = `DNS ${what} ${name}`;
  return asked(item, async () => {
    const found = (await texts(dns, name)).filter(text => shape.test(text));
    if (found.length === 1) return ok(item, found[0]!);
    if (found.length > 1)
      return wrong(item, 'there are several, which receivers take for none', `in its zone, one alone: ${record}`);
    return wrong(item, 'there is none: our mails may be taken for spam', `in its zone: ${record}`);
  });
}

const DMARC = /^v=DMARC1\s*(;|$)/i;

function dmarcLine(dns: Dns, sign: string): Promise<Line> {
  const record = `_dmarc.${sign}. IN TXT "v=DMARC1; p=reject; aspf=s"`;
  return textLine(dns, `_dmarc.${sign}`, 'DMARC', DMARC, record);
}

/** Whether receivers find the key that signs our mail. */
function dkimLine(dns: Dns, folder: string, sign: string): Promise<Line> {
  const item = `DNS DKIM ${sign}`;
  return asked(item, async () => {
    const record = await dkimRecordOf(folder, sign);
    if (record === null) return warning(item, 'our mail is not signed: there is no key', 'start the gateway once');
    const found = (await texts(dns, record.name)).map(text => text.replace(/\s/g, ''));
    if (found.includes(record.text.replace(/\s/g, ''))) return ok(item, record.name);
    const what = found.length > 0 ? 'the record is of another key' : 'there is none: our mails may be taken for spam';
    return wrong(item, what, `in its zone: ${record.zoneLine}`);
  });
}

/** Of the company's own domains: their people's mail is recognised by these when it comes from elsewhere. */
async function mailDomainLines(dns: Dns, domain: string): Promise<Line[]> {
  const records: readonly [string, DnsType, string, (dns: Dns) => Promise<string[]>, string][] = [
    [
      'MX',
      'MX',
      domain,
      async () => (await dns.lookUp(domain, 'MX')).map(({ exchange }) => exchange),
      'our mails to its people find no way',
    ],
    [
      'SPF',
      'TXT',
      domain,
      async () => (await texts(dns, domain)).filter(text => /^v=spf1( |$)/i.test(text)),
      'others can write in its name',
    ],
    [
      'DMARC',
      'TXT',
      `_dmarc.${domain}`,
      async () => (await texts(dns, `_dmarc.${domain}`)).filter(text => DMARC.test(text)),
      'mail of its people from elsewhere (the cloud, their phones) is not believed',
    ],
  ];
  return Promise.all(
    records.map(([what, type, name, look, missing]) =>
      asked(`DNS ${what} ${name}`, async () => {
        const found = await look(dns);
        return found.length > 0
          ? ok(`DNS ${what} ${name}`, found.join(', '))
          : warning(
              `DNS ${what} ${name}`,
              `there is none: ${missing}`,
              `add the ${what} record (${type} of ${name}) to the zone of ${domain}`,
            );
      }),
    ),
  );
}

async function webLine(dns: Dns, publicUrl: string): Promise<Line> {
  const { hostname } = new URL(publicUrl);
  const item = `DNS A/AAAA ${hostname}`;
  if (/^(localhost|127\..*|\[::1\])$/.test(hostname)) return ok(item, 'this machine');
  return asked(item, async () => {
    const found = [...(await dns.lookUp(hostname, 'A')), ...(await dns.lookUp(hostname, 'AAAA'))];
    return found.length > 0
      ? ok(item, found.join(', '))
      : wrong(
          item,
          'there is none: no phone finds the gateway',
          `in its zone: ${hostname}. IN A <address of this host or its https proxy>`,
        );
  });
}
