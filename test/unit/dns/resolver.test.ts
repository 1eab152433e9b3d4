import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDns, type Dns, DnsUnavailable } from '../../../src/dns/resolver.ts';
import { type DnsServer, startDns } from '../../support/dns.ts';

let server: DnsServer;
let dns: Dns;
const LONG = 'v=DKIM1; p='.padEnd(900, 'A');

beforeAll(async () => {
  server = await startDns({
    'company.com': {
      A: ['192.0.2.1'],
      MX: [{ exchange: 'mx.company.com', preference: 10 }],
      TXT: ['v=spf1 -all', 'something else'],
    },
    'long.company.com': { TXT: [LONG] },
    'alias.company.com': { CNAME: 'long.company.com' },
    '1.2.0.192.in-addr.arpa': { PTR: ['mx.company.com'] },
    'broken.company.com': 'SERVFAIL',
    'refusing.company.com': 'REFUSED',
    'silent.company.com': 'silent',
    'garbage.company.com': 'garbage',
  });
  dns = createDns({ servers: [server.address], timeout: 300 });
});
afterAll(() => server.stop());

describe('DNS', () => {
  test('records of each type, long ones over TCP, through an alias', async () => {
    expect(await dns.lookUp('company.com', 'A')).toEqual(['192.0.2.1']);
    expect(await dns.lookUp('company.com', 'TXT')).toEqual([['v=spf1 -all'], ['something else']]);
    expect(await dns.lookUp('company.com', 'MX')).toMatchObject([{ exchange: 'mx.company.com', priority: 10 }]);
    expect(await dns.lookUp('1.2.0.192.in-addr.arpa', 'PTR')).toEqual(['mx.company.com']);
    expect((await dns.lookUp('alias.company.com', 'TXT')).map(strings => strings.join(''))).toEqual([LONG]);
  });

  test('nothing: no such name, no such type, a name that cannot be', async () => {
    expect(await dns.lookUp('nowhere.company.com', 'TXT')).toEqual([]);
    expect(await dns.lookUp('company.com', 'AAAA')).toEqual([]);
    expect(await dns.lookUp(`${'x'.repeat(70)}.company.com`, 'TXT')).toEqual([]);
    expect(await dns.lookUp('two..dots.company.com', 'TXT')).toEqual([]);
  });

  test.each(['broken', 'refusing', 'silent', 'garbage'])('D1 a fault is never nothing: %s', async name => {
    await expect(dns.lookUp(`${name}.company.com`, 'TXT')).rejects.toBeInstanceOf(DnsUnavailable);
  });

  test('D1 nobody at that address is a fault', async () => {
    const nobody = createDns({ servers: ['127.0.0.1:1'], timeout: 300 });
    await expect(nobody.lookUp('company.com', 'TXT')).rejects.toBeInstanceOf(DnsUnavailable);
  });
});
