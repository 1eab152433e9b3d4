/** What goes wrong with a directory: always "unavailable" and well again later, never "nobody", never the wrong person. */

import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError } from '../../../src/config/load.ts';
import { type Directory, DirectoryUnavailable } from '../../../src/directory/directory.ts';
import { INJECTIONS } from '../../support/injections.ts';
import { ldapYaml, type Overrides, openLdap } from '../../support/ldap-directory.ts';
import { contractLdif } from '../../support/ldap-people.ts';
import { BASE, READER_PASSWORD, type Slapd, startSlapd } from '../../support/slapd.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';
import { has } from '../../support/tools.ts';

const JOHN = 'john.doe@company.com';
const PEOPLE = 10_000;
const MINUTE = 60_000;

let slapd: Slapd;
let proxy: TcpProxy;
const opened: Directory[] = [];
let clock = 0;

function crowd(): string {
  let ldif = '';
  for (let number = 0; number < PEOPLE; number += 1) {
    ldif += `dn: uid=u${number},ou=people,${BASE}\nobjectClass: inetOrgPerson\nuid: u${number}\ncn: User ${number}\nsn: User\nmail: user.number.${number}@company.com\n\n`;
  }
  return ldif;
}

beforeAll(async () => {
  if (!has('slapd', 'ldap-utils', 'openssl')) return;
  slapd = await startSlapd(`${contractLdif('secret')}\n\n${crowd()}`);
  proxy = await startTcpProxy(slapd.port);
}, 60_000);
afterAll(async () => {
  await proxy?.stop();
  await slapd?.remove();
});
afterEach(async () => {
  for (const directory of opened.splice(0)) await directory.close();
  if (proxy) proxy.mood = { delay: 0 };
});

async function open(more: Overrides = {}) {
  const both = await openLdap(
    [ldapYaml(slapd, 'openldap', { timeout: '1 second', ...more })],
    () => new Date(Date.now() + clock),
  );
  opened.push(both.directory);
  return both;
}

const through = () => ({ servers: [`ldap://localhost:${proxy.port}`] });

async function expectUnavailable(directory: Directory): Promise<void> {
  await expect(directory.findByMail(JOHN)).rejects.toThrow(DirectoryUnavailable);
  await expect(directory.findByMail('nobody@company.com')).rejects.toThrow(DirectoryUnavailable);
  await expect(directory.findById('whoever')).rejects.toThrow(DirectoryUnavailable);
  await expect(directory.findGroup('board@company.com', 10)).rejects.toThrow(DirectoryUnavailable);
}

async function expectWell(directory: Directory): Promise<void> {
  expect((await directory.findByMail(JOHN))?.mail).toBe(JOHN);
  expect(await directory.findByMail('nobody.here@company.com')).toBeNull();
}

describe.skipIf(!has('slapd', 'ldap-utils', 'openssl'))('LDAP faults', () => {
  test('D3 a server that is down, and up again', async () => {
    const { directory } = await open();
    await expectWell(directory);
    await slapd.stop();
    await expectUnavailable(directory);
    await slapd.start();
    await expectWell(directory);
  });

  test('D3 a server that is slow, silent or hangs up, and well again', async () => {
    const { directory } = await open(through());
    proxy.mood = { delay: 50 };
    await expectWell(directory);
    proxy.mood = { delay: 1500 };
    await expect(directory.findByMail(JOHN)).rejects.toThrow(DirectoryUnavailable);
    proxy.mood = 'silent';
    await expect(directory.findByMail(JOHN)).rejects.toThrow(DirectoryUnavailable);
    proxy.mood = 'closing';
    await expectUnavailable(directory);
    proxy.mood = { delay: 0 };
    await expectWell(directory);
  });

  test('D3 a server that ends idle connections is not down', async () => {
    const { directory, lines } = await open(through());
    await expectWell(directory);
    proxy.cut();
    await expectWell(directory);
    expect(lines.filter(({ level }) => level >= 40)).toEqual([]);
  });

  test.each([
    ['noise', Buffer.from('HTTP/1.1 200 OK\r\n\r\nhello')],
    ['zeros', Buffer.alloc(1000)],
    ['a length that never comes', Buffer.from('3084ffffffff', 'hex')],
    ['a search that found nobody, unasked', Buffer.from('300c02010265070a010004000400', 'hex')],
    ['nested nonsense', Buffer.from('3010300e300c300a3008300630043002', 'hex')],
    ['messages that are no messages', Buffer.from('3003020102'.repeat(20_000), 'hex')],
    [
      'an entry for every question',
      Buffer.concat([...Array(20_000)].map(() => Buffer.from('300c020103640704013004003000', 'hex'))),
    ],
    [
      'answers to nobody',
      Buffer.concat([...Array(20_000)].map(() => Buffer.from('300c02017f65070a010004000400', 'hex'))),
    ],
  ])('D3 garbage for an answer: %s', async (_, answer) => {
    const { directory } = await open({ ...through(), startTls: false });
    proxy.mood = { answer };
    await expect(directory.findByMail(JOHN)).rejects.toThrow(DirectoryUnavailable);
    proxy.mood = { delay: 0 };
    await expectWell(directory);
    // In the middle of a connection that worked.
    proxy.mood = { answer };
    await expect(directory.findByMail(JOHN)).rejects.toThrow(DirectoryUnavailable);
  });

  test('D3 fail-over: the second server is asked, the dead one left alone for a while, then used again', async () => {
    const { directory, lines } = await open({
      servers: [`ldap://localhost:${proxy.port}`, `ldap://localhost:${slapd.port}`],
    });
    proxy.mood = 'silent';
    await expectWell(directory);
    const before = proxy.connections;
    await expectWell(directory);
    await expectWell(directory);
    expect(proxy.connections).toBe(before);
    expect(lines.filter(({ msg }) => msg === 'directory server is down')).toHaveLength(1);
    proxy.mood = { delay: 0 };
    clock += MINUTE;
    await expectWell(directory);
    expect(proxy.connections).toBe(before + 1);
  });

  test.each(['ldap', 'ldaps'])(
    'D3 %s: the certificate of another authority is no server, and nothing is sent to it',
    async protocol => {
      const servers = [`${protocol}://localhost:${protocol === 'ldap' ? slapd.port : slapd.tlsPort}`];
      await slapd.start('wrong');
      const { directory } = await open({ servers });
      const binds = slapd.log().split('BIND dn="cn=signpost').length;
      await expectUnavailable(directory);
      expect(slapd.log().split('BIND dn="cn=signpost').length).toBe(binds);
      await slapd.start('right');
      await expectWell(directory);
      expect(slapd.log()).toMatch(/BIND dn="cn=signpost.*bind_ssf=0 ssf=[1-9]/);
    },
  );

  test('D3 a certificate for another name is no server', async () => {
    const { directory } = await open({ servers: [`ldaps://127.0.0.2:${slapd.tlsPort}`] });
    await expectUnavailable(directory);
  });

  test('a server without StartTLS gets no password', async () => {
    // It refuses the extended operation (protocolError), then would take anything.
    const asked: Buffer[] = [];
    const sockets: Socket[] = [];
    const plain = createServer(socket => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.on('data', chunk => {
        asked.push(chunk);
        socket.write(Buffer.from(`300c0201${chunk[4]!.toString(16).padStart(2, '0')}78070a010204000400`, 'hex'));
      });
    });
    await new Promise<void>(resolve => plain.listen(0, '127.0.0.1', resolve));
    const { port } = plain.address() as { port: number };
    const { directory } = await open({ servers: [`ldap://localhost:${port}`] });
    await expect(directory.findByMail(JOHN)).rejects.toThrow(/StartTLS/);
    expect(Buffer.concat(asked).toString('latin1')).not.toContain(READER_PASSWORD);
    expect(asked.length).toBeGreaterThan(0);
    for (const socket of sockets) socket.destroy();
    await new Promise(resolve => plain.close(resolve));
  });

  test('D3 a wrong password of the reading account is not tried again and again; the right one works at once', async () => {
    const passwordFile = `${slapd.folder}/changing`;
    writeFileSync(passwordFile, 'wrong', { mode: 0o600 });
    const { directory, lines } = await open({ bind: { dn: `cn=signpost,${BASE}`, passwordFile } });
    const attempts = () => slapd.log().split('BIND dn="cn=signpost,dc=company,dc=com" method=128').length;
    const before = attempts();
    await expectUnavailable(directory);
    await expectUnavailable(directory);
    expect(attempts()).toBe(before + 1);
    expect(lines.some(({ level, msg }) => level === 50 && msg.includes('passwordFile'))).toBe(true);
    expect(JSON.stringify(lines)).not.toContain('"wrong"');
    writeFileSync(passwordFile, READER_PASSWORD, { mode: 0o600 });
    await expectWell(directory);
  });

  test.each([
    ['a base that is not there', { base: 'dc=other,dc=com', bind: undefined }],
    ['a base that another server has', { people: { base: `ou=elsewhere,${BASE}` } }],
  ])('D3 %s is a fault, not a directory without people', async (_, more) => {
    if ('people' in more) {
      await slapd.modify(
        `dn: ou=elsewhere,${BASE}\nchangetype: add\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\nref: ldap://localhost:${proxy.port}/${BASE}`,
      );
    }
    const bind = { dn: `cn=signpost,${BASE}`, passwordFile: slapd.passwordFile };
    const before = proxy.connections;
    const { directory } = await open({ ...more, bind });
    await expect(directory.findByMail(JOHN)).rejects.toThrow(DirectoryUnavailable);
    expect(proxy.connections).toBe(before);
  });

  test('D3 referrals among the answers are not followed', async () => {
    await slapd.modify(
      `dn: cn=branch,ou=people,${BASE}\nchangetype: add\nobjectClass: referral\nobjectClass: extensibleObject\ncn: branch\nref: ldap://localhost:${proxy.port}/ou=people,${BASE}`,
    );
    const before = proxy.connections;
    const { directory } = await open();
    await expectWell(directory);
    expect(proxy.connections).toBe(before);
  });

  test('D3 10,000 entries come in pages; names are suggested from all of them, also while the server is down', async () => {
    const { directory } = await open({ timeout: '5 seconds' });
    const suggest = async () => (await directory.suggest('user.number.999o@company.com')).map(({ mail }) => mail);
    expect(await suggest()).toContain('user.number.9990@company.com');
    const pages = slapd.log().match(/SEARCH RESULT tag=101 err=0 .*nentries=500/g) ?? [];
    expect(pages.length).toBeGreaterThanOrEqual(PEOPLE / 500);
    await slapd.stop();
    clock += 60 * MINUTE;
    expect(await suggest()).toContain('user.number.9990@company.com');
    // Remembered names are for suggestions alone.
    await expectUnavailable(directory);
    await slapd.start();
  });

  test('D3 the password of a person: no second try elsewhere when the answer is lost', async () => {
    const { directory } = await open({ servers: [`ldap://localhost:${slapd.port}`, `ldap://localhost:${slapd.port}`] });
    const john = (await directory.findByMail(JOHN))!;
    const { directory: lossy } = await open({
      servers: [`ldap://localhost:${proxy.port}`, `ldap://localhost:${slapd.port}`],
    });
    expect(await lossy.checkPassword(john, 'secret')).toBe('right');
    const attempts = () => slapd.log().split(`BIND dn="uid=jdoe,ou=people,${BASE}" method=128`).length;
    const before = attempts();
    const checking = lossy.checkPassword(john, 'secret');
    // The bind goes out after StartTLS on a connection of its own; from then on nothing comes back.
    const connections = proxy.connections;
    while (proxy.connections === connections) await new Promise(resolve => setImmediate(resolve));
    while (attempts() === before) await new Promise(resolve => setImmediate(resolve));
    proxy.mood = 'silent';
    await checking.catch(error => expect(error).toBeInstanceOf(DirectoryUnavailable));
    expect(attempts()).toBe(before + 1);
  });

  test('D3 fifty injection strings are literals in what slapd is asked', async () => {
    const { directory } = await open();
    expect(new Set(INJECTIONS).size).toBe(50);
    for (const [index, text] of INJECTIONS.entries()) {
      const from = slapd.log().length;
      expect(await directory.findByLogin(text)).toBeNull();
      expect(await directory.findByMail(`${text}@company.com`)).toBeNull();
      expect(await directory.findById(text)).toBeNull();
      expect(await directory.findGroup(`${text}@company.com`, 10)).toBeNull();
      const asked = slapd.log().slice(from);
      // One search each and no other, each with exactly the shape of an ordinary one.
      const filters = [...asked.matchAll(/SRCH base="[^"]*" scope=\d deref=\d filter="(.*)"$/gm)].map(
        ([, filter]) => filter!,
      );
      // slapd marks with a question mark what its schema can't compare; values are escaped (RFC 4515 section 3).
      const shapes = filters.map(filter =>
        filter.replace(/=(\\[0-9A-Fa-f]{2}|[^()\\*])*(?=\))/g, '=').replaceAll('(?', '('),
      );
      const ofAddress = '(|(mail=)(mailLocalAddress=)(mailAlternateAddress=))';
      expect(shapes, `${index} ${text}`).toEqual([
        `(&(objectClass=)(|(uid=)${ofAddress}))`,
        `(&(objectClass=)${ofAddress})`,
        '(&(objectClass=)(entryUUID=))',
        `(&(objectClass=)${ofAddress})`,
      ]);
    }
  });
});

describe('LDAP settings', () => {
  const settings = (more: Overrides): Overrides => ({
    name: 'company',
    servers: ['ldaps://dc1.company.com'],
    layout: 'openldap',
    base: BASE,
    bind: { dn: 'cn=x', passwordFile: 'x' },
    ...more,
  });
  test.each([
    ['in clear over the network', { servers: ['ldap://dc1.company.com'], startTls: false }, /unprotected/],
    ['no LDAP', { servers: ['https://dc1.company.com'] }, /write ldaps:/],
    ['a broken filter', { people: { filter: '(uid=' } }, /LDAP filter/],
    ['an attribute that is a filter', { people: { mail: 'mail=*)(' } }, /name of an attribute/],
    ['an unknown setting', { peple: {} }, /peple/],
  ])('%s is refused in words', async (_, more, says) => {
    await expect(openLdap([settings(more)])).rejects.toThrow(says);
    await expect(openLdap([settings(more)])).rejects.toThrow(ConfigError);
  });
  test('people come from one place', async () => {
    await expect(openLdap([])).rejects.toThrow(ConfigError);
    const { directory } = await openLdap([settings({})]);
    await directory.close();
  });
});
