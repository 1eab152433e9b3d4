/** The people of the directory's contract test as LDIF, in both layouts; ids are employee numbers, to be the same in both. */
import { AD_BASE, BASE } from './slapd.ts';

/** @param password John's */
export function contractLdif(password: string): string {
  const openldap = `
dn: uid=jdoe,ou=people,${BASE}
objectClass: inetOrgPerson
objectClass: mailAliases
uid: jdoe
cn: Johnny
displayName: John Doe
givenName: John
sn: Doe
mail: john.doe@company.com
mailAlternateAddress: jd@company.com
preferredLanguage: nl, de-LU;q=0.9, en;q=0.8
title: Head of Sales
mobile: +352 621 123 456
employeeNumber: john
publicDelegates: uid=zc,ou=people,${BASE}
userPassword: ${password}

dn: uid=zc,ou=people,${BASE}
objectClass: inetOrgPerson
objectClass: mailAliases
uid: zc
cn:: ${Buffer.from('Zoë Çelik').toString('base64')}
sn: -
mail: zoe.celik@company.com
mailAlternateAddress:: ${Buffer.from('zoë@company.com').toString('base64')}
employeeNumber: zoe

${groups(BASE, 'groupOfNames', 'uid=jdoe', 'uid=zc', 'mailAlternateAddress: directors@company.com')}`;
  const ad = `
dn: cn=John Doe,ou=people,${AD_BASE}
objectClass: user
objectCategory: person
cn: John Doe
displayName: John Doe
givenName: John
sn: Doe
sAMAccountName: jdoe
mail: john.doe@company.com
proxyAddresses: smtp:jd@company.com
proxyAddresses: SMTP:John.Doe@company.com
proxyAddresses: x500:/o=Company/cn=jdoe
preferredLanguage: de-DE
title: Head of Sales
mobile: +352 621 123 456
employeeNumber: john
objectGUID:: ${guid('00112233445566778899aabbccddeeff')}
userAccountControl: 512
publicDelegates: cn=Zoe,ou=people,${AD_BASE}
userPassword: ${password}

dn: cn=Zoe,ou=people,${AD_BASE}
objectClass: user
objectCategory: person
cn: Zoe
displayName:: ${Buffer.from('Zoë Çelik').toString('base64')}
sn: -
sAMAccountName: zc
mail: zoe.celik@company.com
proxyAddresses:: ${Buffer.from('smtp:zoë@company.com').toString('base64')}
employeeNumber: zoe
objectGUID:: ${guid('ffeeddccbbaa99887766554433221100')}
userAccountControl: 512

${groups(AD_BASE, 'group', 'cn=John Doe', 'cn=Zoe', 'proxyAddresses: smtp:directors@company.com')}`;
  return `${openldap}\n${ad}`;
}

function guid(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}

/** Sales is in board, board in sales again; nobody has only a member that isn't there. */
function groups(base: string, kind: string, john: string, zoe: string, alias: string): string {
  const mailed = kind === 'group' ? '' : 'objectClass: mailAliases\n';
  const group = (name: string, members: readonly string[], more = ''): string =>
    `dn: cn=${name},ou=groups,${base}\nobjectClass: ${kind}\n${mailed}cn: ${name}\nmail: ${name}@company.com\n${more}${members
      .map(member => `member: ${member},${base}`)
      .join('\n')}\n`;
  return [
    group('board', [`${zoe},ou=people`, 'cn=sales,ou=groups'], `${alias}\n`),
    group('sales', [`${john},ou=people`, 'cn=board,ou=groups']),
    group('nobody', ['cn=gone,ou=people']),
  ].join('\n');
}
