/** The LDAP directory against a real slapd: people, groups, passwords, in both layouts. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Directory, DirectoryAmbiguous, DirectoryUnavailable } from '../../../src/directory/directory.ts';
import { ldapYaml, type Overrides, openLdap } from '../../support/ldap-directory.ts';
import { contractLdif } from '../../support/ldap-people.ts';
import { AD_BASE, BASE, MAX_FAILURES, type Slapd, startSlapd } from '../../support/slapd.ts';
import { has } from '../../support/tools.ts';
import { CONTRACT_PASSWORD, directoryContract } from './contract.ts';

const opened: Directory[] = [];
let slapd: Slapd;

beforeAll(async () => {
  if (has('slapd', 'ldap-utils', 'openssl')) slapd = await startSlapd(contractLdif(CONTRACT_PASSWORD));
});
afterAll(async () => {
  for (const directory of opened) await directory.close();
  await slapd?.remove();
});

async function open(layout: 'openldap' | 'active-directory', more: Overrides = {}, now?: () => Date) {
  const both = await openLdap([ldapYaml(slapd, layout, more)], now);
  opened.push(both.directory);
  return both;
}

let number = 0;
/** An entry of its own for a test. */
async function add(attributes: Record<string, string>, layout: 'openldap' | 'active-directory' = 'openldap') {
  number += 1;
  const base = layout === 'openldap' ? BASE : AD_BASE;
  const kind =
    layout === 'openldap'
      ? 'objectClass: inetOrgPerson\nobjectClass: mailAliases'
      : 'objectClass: user\nobjectCategory: person';
  const name = `p${number}`;
  const dn = `cn=${name},ou=people,${base}`;
  const all: Record<string, string> = { sn: 'P', mail: `${name}@company.com`, ...attributes };
  const lines = Object.entries(all).map(([key, value]) => `${key}:: ${Buffer.from(value).toString('base64')}`);
  await slapd.modify(`dn: ${dn}\nchangetype: add\n${kind}\ncn: ${name}\n${lines.join('\n')}`);
  return { dn, name, mail: all.mail! };
}

describe.skipIf(!has('slapd', 'ldap-utils', 'openssl'))('LDAP', () => {
  const numbered = { people: { id: 'employeeNumber', delegates: 'publicDelegates' } };
  let openldap: Promise<Directory>;
  let ad: Promise<Directory>;
  directoryContract('OpenLDAP', () => (openldap ??= open('openldap', numbered).then(({ directory }) => directory)));
  directoryContract(
    'Active Directory’s layout',
    () => (ad ??= open('active-directory', numbered).then(({ directory }) => directory)),
  );

  test('ids are entryUUID, or objectGUID in its usual text form, and find the person again', async () => {
    const { directory } = await open('openldap');
    const john = await directory.findByMail('john.doe@company.com');
    expect(john?.id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(await directory.findById(john!.id)).toEqual(john);
    const { directory: windows } = await open('active-directory');
    const again = await windows.findByLogin('jdoe');
    expect(again?.id).toBe('33221100-5544-7766-8899-aabbccddeeff');
    expect((await windows.findById(again!.id))?.name).toBe('John Doe');
    expect(await windows.findById('33221100-5544-7766-8899-AABBCCDDEEFF')).toBeNull();
  });

  test('D3 a person renamed keeps their id; a person removed is nobody', async () => {
    const { directory } = await open('openldap');
    const { dn, mail } = await add({ displayName: 'Ann Before' });
    const before = (await directory.findByMail(mail))!;
    const after = `ou=people,${BASE}`;
    await slapd.modify(`dn: ${dn}\nchangetype: modrdn\nnewrdn: cn=ann-married\ndeleteoldrdn: 1\nnewsuperior: ${after}`);
    await slapd.modify(
      `dn: cn=ann-married,${after}\nchangetype: modify\nreplace: mail\nmail: ann.after@company.com\n-\nreplace: displayName\ndisplayName: Ann After`,
    );
    expect(await directory.findById(before.id)).toMatchObject({ name: 'Ann After', mail: 'ann.after@company.com' });
    expect(await directory.findByMail(mail)).toBeNull();
    await slapd.modify(`dn: cn=ann-married,${after}\nchangetype: delete`);
    expect(await directory.findById(before.id)).toBeNull();
  });

  test('D3 two people with one address are nobody, and an error that says so', async () => {
    const { directory, lines } = await open('openldap');
    const first = await add({});
    const second = await add({ mailAlternateAddress: first.mail.toUpperCase() });
    await expect(directory.findByMail(first.mail)).rejects.toThrow(DirectoryAmbiguous);
    expect(lines.find(({ level }) => level === 50)?.dns).toEqual([first.dn, second.dn]);
    expect((await directory.findByMail(second.mail))?.mail).toBe(second.mail);
    const login = await add({ uid: 'twice' });
    await add({ uid: 'Twice' });
    await expect(directory.findByLogin('twice')).rejects.toThrow(DirectoryAmbiguous);
    expect((await directory.findByLogin(login.mail))?.mail).toBe(login.mail);
  });

  test('D3 two domains that give one id to different entries: nobody is taken for the other', async () => {
    const both = [
      ldapYaml(slapd, 'openldap', { name: 'one', ...numbered }),
      ldapYaml(slapd, 'active-directory', { name: 'two', ...numbered }),
    ];
    const { directory } = await openLdap(both);
    opened.push(directory);
    await expect(directory.findByMail('john.doe@company.com')).rejects.toThrow(DirectoryAmbiguous);
    await expect(directory.findByLogin('jdoe')).rejects.toThrow(DirectoryAmbiguous);
    await expect(directory.findById('john')).rejects.toThrow(DirectoryAmbiguous);
    const { directory: twice } = await openLdap([both[0]!, { ...both[0]!, name: 'the same again' }]);
    opened.push(twice);
    expect((await twice.findByMail('john.doe@company.com'))?.id).toBe('john');
  });

  test('D3 a delegate who is somewhere else, or nothing that could be anybody, is nobody; the person stays one', async () => {
    const { directory } = await open('openldap', { people: { delegates: 'description' } });
    const { mail } = await add({});
    for (const name of ['cn=boss,dc=other,dc=example', `a=b,,${BASE}`, `=,ou=people,${BASE}`, 'x=', 'somebody']) {
      await slapd.modify(
        `dn: cn=p${number},ou=people,${BASE}\nchangetype: modify\nreplace: description\ndescription: ${name}`,
      );
      expect((await directory.findByMail(mail))?.delegates).toEqual([]);
    }
  });

  test('the address of a disabled account is free for another person; a locked one keeps it', async () => {
    const { directory } = await open('active-directory');
    const gone = await add({ userAccountControl: '514' }, 'active-directory');
    expect(await directory.findByMail(gone.mail)).toBeNull();
    await add(
      { proxyAddresses: `smtp:${gone.mail}`, displayName: 'The successor', objectGUID: '0123456789abcdef' },
      'active-directory',
    );
    expect((await directory.findByMail(gone.mail))?.name).toBe('The successor');
    const locked = await add({ lockoutTime: '133500000000000000', objectGUID: '0123456789abcdeg' }, 'active-directory');
    await add({ proxyAddresses: `smtp:${locked.mail}`, objectGUID: '0123456789abcdeh' }, 'active-directory');
    await expect(directory.findByMail(locked.mail)).rejects.toThrow(DirectoryAmbiguous);
  });

  test.each([
    ['disabled', { userAccountControl: '66050' }],
    ['expired', { accountExpires: '133000000000000000' }],
    ['locked', { lockoutTime: '133500000000000000' }],
    ['locked as Active Directory computes it', { 'msDS-User-Account-Control-Computed': '16' }],
    ['without an id', { objectGUID: 'short' }],
  ])('an account in Active Directory that is %s is no person', async (_, attributes) => {
    const { directory } = await open('active-directory');
    const { mail, name } = await add(
      { sAMAccountName: `a${number}`, ...attributes } as Record<string, string>,
      'active-directory',
    );
    expect(await directory.findByMail(mail)).toBeNull();
    expect(await directory.suggest(`${name}x@company.com`)).toEqual([]);
  });

  test.each([
    ['enabled', { userAccountControl: '512', lockoutTime: '0', accountExpires: '0' }],
    ['never to expire', { accountExpires: '9223372036854775807' }],
    [
      'unlocked again, as it computes',
      { 'msDS-User-Account-Control-Computed': '0', lockoutTime: '133500000000000000' },
    ],
  ])('an account in Active Directory that is %s is a person', async (_, attributes) => {
    const { directory } = await open('active-directory');
    const { mail } = await add(
      { objectGUID: `0123456789abc${String(number).padStart(3, '0')}`, ...attributes } as Record<string, string>,
      'active-directory',
    );
    expect((await directory.findByMail(mail))?.mail).toBe(mail);
  });

  test('wrong passwords lock an account in slapd; then it is no person and its password is wrong', async () => {
    const { directory } = await open('openldap');
    const { mail, dn } = await add({ userPassword: 'right' });
    const person = (await directory.findByMail(mail))!;
    expect(await directory.checkPassword(person, 'right')).toBe('right');
    const binds = () => slapd.log().split(`BIND dn="${dn}" method=128`).length - 1;
    const before = binds();
    expect(await directory.checkPassword(person, '')).toBe('wrong');
    expect(binds()).toBe(before);
    for (let tries = 0; tries < MAX_FAILURES; tries += 1)
      expect(await directory.checkPassword(person, 'wrong')).toBe('wrong');
    expect(binds()).toBe(before + MAX_FAILURES);
    expect(await directory.findByMail(mail)).toBeNull();
    // No further attempt: that would only keep it locked.
    expect(await directory.checkPassword(person, 'right')).toBe('wrong');
    expect(binds()).toBe(before + MAX_FAILURES);
    const later = await open('openldap', { lockout: '15 minutes' }, () => new Date(Date.now() + 16 * 60_000));
    expect((await later.directory.findByMail(mail))?.id).toBe(person.id);
  });

  test('delegates are people; who is disabled is none', async () => {
    const { directory } = await open('active-directory');
    const helper = await add({ objectGUID: 'helper-helper-he' }, 'active-directory');
    const former = await add({ userAccountControl: '514', objectGUID: 'former-former-fo' }, 'active-directory');
    const boss = await add({ objectGUID: 'boss-boss-boss-b', publicDelegates: helper.dn }, 'active-directory');
    await slapd.modify(
      `dn: ${boss.dn}\nchangetype: modify\nadd: publicDelegates\npublicDelegates: ${former.dn}\npublicDelegates: cn=gone,ou=people,${AD_BASE}`,
    );
    const id = (await directory.findByMail(helper.mail))!.id;
    expect((await directory.findByMail(boss.mail))?.delegates).toEqual([id]);
  });

  test('what a name in the directory can hold does no harm', async () => {
    const { directory } = await open('openldap');
    const { mail } = await add({ displayName: 'Eve\r\nBcc: all@company.com\u202e', title: '\u0000' });
    const eve = await directory.findByMail(mail);
    expect(eve?.name).toBe('Eve Bcc: all@company.com');
    expect(eve?.title).toBeNull();
  });

  test('a group stops soon after as many as can be used, and its disabled members are passed over', async () => {
    const { directory } = await open('openldap');
    const members: string[] = [];
    for (let count = 0; count < 30; count += 1) {
      members.push((await add({ userAccountControl: '514' })).dn);
    }
    for (let count = 0; count < 4; count += 1) members.push((await add({})).dn);
    const lines = members.map(dn => `member: ${dn}`).join('\n');
    await slapd.modify(
      `dn: cn=many,ou=groups,${BASE}\nchangetype: add\nobjectClass: groupOfNames\nobjectClass: mailAliases\ncn: many\nmail: many@company.com\n${lines}`,
    );
    expect(await directory.findGroup('many@company.com', 3)).toHaveLength(4);
    expect(await directory.findGroup('MANY@company.com', 100)).toHaveLength(4);
    await slapd.modify(
      `dn: cn=other,ou=groups,${BASE}\nchangetype: add\nobjectClass: groupOfNames\nobjectClass: mailAliases\ncn: other\nmail: many@company.com\nmember: ${members[0]}`,
    );
    await expect(directory.findGroup('many@company.com', 3)).rejects.toThrow(DirectoryAmbiguous);
  });

  test('a certificate is written to the entry once', async () => {
    const { directory } = await open('openldap', { userCertificate: true });
    const { mail, dn } = await add({});
    const person = (await directory.findByMail(mail))!;
    const certificate = Buffer.from('3003020101', 'hex');
    const pem = readFileSync(slapd.ca, 'utf8').replace(/-----[^-]+-----|\s/g, '');
    await directory.publishCertificate(person.id, Buffer.from(pem, 'base64'));
    await directory.publishCertificate(person.id, Buffer.from(pem, 'base64'));
    const log = slapd.log();
    expect(log.split(`MOD dn="${dn}"`).length - 1).toBe(1);
    expect(log).toContain('MOD attr=userCertificate;binary');
    // A refusal of the directory is trouble of its own, nothing that stops the person.
    await expect(directory.publishCertificate(person.id, certificate)).rejects.toThrow(DirectoryUnavailable);
  });

  test('two domains are one directory', async () => {
    const { directory } = await openLdap([
      ldapYaml(slapd, 'openldap', { mailDomains: ['company.com'], ...numbered }),
      ldapYaml(slapd, 'active-directory', {
        name: 'ad',
        mailDomains: ['ad.company.com'],
        people: { id: 'employeeNumber' },
      }),
    ]);
    opened.push(directory);
    const other = await add({ mail: 'ann@ad.company.com', employeeNumber: 'ann' }, 'active-directory');
    expect((await directory.findByMail(other.mail))?.id).toBe('ann');
    expect((await directory.findById('ann'))?.mail).toBe('ann@ad.company.com');
    expect((await directory.findByMail('john.doe@company.com'))?.id).toBe('john');
    // Johns of both domains have this login.
    await add({ uid: 'same', employeeNumber: 'same1' });
    await add({ sAMAccountName: 'same', mail: 'same@ad.company.com', employeeNumber: 'same2' }, 'active-directory');
    await expect(directory.findByLogin('same')).rejects.toThrow(DirectoryAmbiguous);
  });
});
