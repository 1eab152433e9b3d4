/** The real programs that tests use, and whether this machine has them. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Debian package → the program that tells whether it is there. */
export const PACKAGES = {
  postfix: '/usr/sbin/postfix',
  'poppler-utils': '/usr/bin/pdfsig',
  qpdf: '/usr/bin/qpdf',
  chromium: '/usr/bin/chromium',
  'libnss3-tools': '/usr/bin/certutil',
  openssl: '/usr/bin/openssl',
  xmlsec1: '/usr/bin/xmlsec1',
  faketime: '/usr/bin/faketime',
  unzip: '/usr/bin/unzip',
  softhsm2: '/usr/bin/softhsm2-util',
  'python3-dkim': '/usr/bin/dkimverify',
  'python3-dnspython': '/usr/lib/python3/dist-packages/dns/resolver.py',
  slapd: '/usr/sbin/slapd',
  'ldap-utils': '/usr/bin/ldapsearch',
  'gnutls-bin': '/usr/bin/certtool',
} as const;

export type Package = keyof typeof PACKAGES;

export function has(...packages: Package[]): boolean {
  // Simulates a bare machine, to see the skips: SIGNPOST_WITHOUT=postfix,chromium npm test
  const without = (process.env.SIGNPOST_WITHOUT ?? '').split(',');
  return packages.every(name => !without.includes(name) && existsSync(PACKAGES[name]));
}

/** A private Postfix needs its own users and root. */
export const hasPostfix = has('postfix') && process.getuid?.() === 0;

/** Runs a program; its output as text, whatever its exit status. */
export function run(program: string, args: readonly string[], input?: Uint8Array): { status: number; output: string } {
  try {
    const output = execFileSync(program, args, { input, stdio: ['pipe', 'pipe', 'pipe'], maxBuffer: 1 << 28 });
    return { status: 0, output: output.toString() };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number | null; stdout?: Buffer; stderr?: Buffer };
    return { status: status ?? -1, output: `${stdout ?? ''}${stderr ?? ''}` };
  }
}
