/**
 * A private OpenLDAP server: one database in OpenLDAP's layout, one with the attributes of Active Directory, the memberof
 * and ppolicy overlays, and every operation in its log. Needs Debian's slapd and ldap-utils.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../src/tryout/ports.ts';

const execute = promisify(execFile);

export const BASE = 'dc=company,dc=com';
export const AD_BASE = 'dc=ad,dc=company';
/** So many wrong passwords lock an account. */
export const MAX_FAILURES = 6;
export const READER_PASSWORD = 'reads for everybody';

export interface Slapd {
  readonly folder: string;
  readonly port: number;
  readonly tlsPort: number;
  /** PEM of the authority that its certificate comes from. */
  readonly ca: string;
  /** File with the password of cn=signpost under either base. */
  readonly passwordFile: string;
  /** Everything that it logged so far (loglevel stats). */
  log(): string;
  /** LDIF for ldapmodify, as the administrator of the base that it names. */
  modify(ldif: string): Promise<void>;
  stop(): Promise<void>;
  /** @param certificate `wrong`: for the right name, by an authority that nobody trusts */
  start(certificate?: 'right' | 'wrong'): Promise<void>;
  /** Stops it for good. */
  remove(): Promise<void>;
}

const SCHEMA = `
attributetype ( 2.5.4.97 NAME 'organizationIdentifier' SUP name )
attributetype ( 1.3.6.1.4.1.7914.1.2.1.3 NAME 'mailAlternateAddress' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.656 NAME 'userPrincipalName' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.2.210 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.2.840.113556.1.4.782 NAME 'objectCategory' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.1460 NAME 'msDS-User-Account-Control-Computed' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.662 NAME 'lockoutTime' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.159 NAME 'accountExpires' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.2.236 NAME 'publicDelegates' EQUALITY distinguishedNameMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 )
objectclass ( 1.3.6.1.4.1.7914.1.2.2.9 NAME 'mailAliases' SUP top AUXILIARY MAY ( mail $ mailAlternateAddress $ publicDelegates $ userAccountControl ) )
objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP inetOrgPerson STRUCTURAL MAY ( sAMAccountName $ userPrincipalName $ proxyAddresses $
  objectCategory $ userAccountControl $ msDS-User-Account-Control-Computed $ lockoutTime $ accountExpires $ objectGUID $ publicDelegates ) )
objectclass ( 1.2.840.113556.1.5.8 NAME 'group' SUP top STRUCTURAL MUST cn MAY ( member $ mail $ proxyAddresses $ displayName ) )
`;

/** @param ldif people and groups of either base; the bases, ou=people, ou=groups and cn=signpost are there already */
export async function startSlapd(ldif: string): Promise<Slapd> {
  const folder = mkdtempSync('/tmp/signpost-slapd-');
  const [port, tlsPort] = [await freePort(), await freePort()];
  await makeCertificates(folder);
  writeFileSync(join(folder, 'extra.schema'), SCHEMA);
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, `${READER_PASSWORD}\n`, { mode: 0o600 });
  for (const name of ['company', 'ad']) mkdirSync(join(folder, name));
  const conf = join(folder, 'slapd.conf');
  writeFileSync(conf, configuration(folder, 'right'));
  for (const [number, base] of [BASE, AD_BASE].entries()) {
    const entries = `${skeleton(base)}\n${ldif}`.split(/\n\n+/).filter(entry => entry.split('\n')[0]!.endsWith(base));
    const file = join(folder, `${number}.ldif`);
    writeFileSync(file, `${entries.join('\n\n')}\n`);
    await execute('/usr/sbin/slapadd', ['-q', '-f', conf, '-b', base, '-l', file]);
  }

  // A file, because what stands in it has happened: of a pipe the last lines may still be on their way.
  const logFile = join(folder, 'log');
  const logged = openSync(logFile, 'a');
  const log = (): string => readFileSync(logFile, 'utf8');
  let child: ChildProcess | null = null;
  const slapd: Slapd = {
    folder,
    port,
    tlsPort,
    ca: join(folder, 'ca.pem'),
    passwordFile,
    log,
    async modify(changes) {
      const base = changes.includes(AD_BASE) ? AD_BASE : BASE;
      const file = join(folder, 'changes.ldif');
      writeFileSync(file, `${changes.trim()}\n`);
      const who = ['-x', '-D', `cn=admin,${base}`, '-w', 'admin', '-H', `ldap://127.0.0.1:${port}`];
      // Relax: passwords policy operational attributes are set by tests.
      await execute('/usr/bin/ldapmodify', [...who, '-e', '!relax', '-f', file]);
    },
    async stop() {
      const ending = child;
      child = null;
      if (!ending) return;
      await new Promise(resolve => {
        ending.once('exit', resolve);
        ending.kill('SIGTERM');
      });
    },
    async start(certificate = 'right') {
      await slapd.stop();
      writeFileSync(conf, configuration(folder, certificate));
      const urls = `ldap://127.0.0.1:${port} ldaps://127.0.0.1:${tlsPort}`;
      const started = spawn('/usr/sbin/slapd', ['-f', conf, '-h', urls, '-d', 'stats'], {
        stdio: ['ignore', 'ignore', logged],
      });
      child = started;
      for (let tries = 0; !(await answers(port)); tries += 1) {
        if (tries > 200 || started.exitCode !== null) throw new Error(`slapd did not start: ${log().slice(-2000)}`);
        await new Promise(resolve => setTimeout(resolve, 50));
      }
    },
    async remove() {
      await slapd.stop();
      closeSync(logged);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await slapd.start();
  return slapd;
}

function configuration(folder: string, certificate: 'right' | 'wrong'): string {
  const database = (base: string, name: string): string => `
database mdb
suffix "${base}"
rootdn "cn=admin,${base}"
rootpw admin
directory ${folder}/${name}
maxsize 268435456
dbnosync
index objectClass,uid,mail,member,memberOf eq
limits dn.exact="cn=signpost,${base}" size.soft=500 size.hard=500 size.prtotal=unlimited
overlay memberof
${name === 'ad' ? 'memberof-group-oc group' : ''}
overlay ppolicy
ppolicy_default "cn=policy,${base}"
access to attrs=userPassword by anonymous auth by * none
access to attrs=userCertificate by dn.exact="cn=signpost,${base}" write by * read
access to * by dn.exact="cn=signpost,${base}" read by anonymous none by * none
`;
  return `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include ${folder}/extra.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload ppolicy
pidfile ${folder}/pid
loglevel stats
TLSCACertificateFile ${folder}/ca.pem
TLSCertificateFile ${folder}/${certificate}.pem
TLSCertificateKeyFile ${folder}/${certificate}.key
${database(AD_BASE, 'ad')}
${database(BASE, 'company')}
`;
}

function skeleton(base: string): string {
  return `dn: ${base}
objectClass: dcObject
objectClass: organization
o: Company
dc: ${base.slice(3, base.indexOf(','))}

dn: ou=people,${base}
objectClass: organizationalUnit
ou: people

dn: ou=groups,${base}
objectClass: organizationalUnit
ou: groups

dn: cn=signpost,${base}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: signpost
userPassword: ${READER_PASSWORD}

dn: cn=policy,${base}
objectClass: organizationalRole
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMaxFailure: ${MAX_FAILURES}
`;
}

async function makeCertificates(folder: string): Promise<void> {
  const openssl = (...args: string[]) => execute('/usr/bin/openssl', args, { cwd: folder });
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  for (const [authority, leaf] of [
    ['ca', 'right'],
    ['other', 'wrong'],
  ] as const) {
    await openssl(
      'req',
      '-x509',
      ...ec,
      '-keyout',
      `${authority}.key`,
      '-out',
      `${authority}.pem`,
      '-subj',
      `/CN=${authority}`,
    );
    await openssl('req', ...ec, '-keyout', `${leaf}.key`, '-out', `${leaf}.csr`, '-subj', '/CN=localhost');
    writeFileSync(join(folder, 'san'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    const sign = ['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-CAcreateserial', '-extfile', 'san'];
    await openssl('x509', '-req', '-in', `${leaf}.csr`, ...sign, '-out', `${leaf}.pem`, '-days', '30');
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
