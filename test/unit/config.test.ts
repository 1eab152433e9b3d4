import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ConfigError, loadConfig, parseConfig } from '../../src/config/load.ts';

const EXAMPLE = new URL('../../config/signpost.example.yaml', import.meta.url);
const folder = mkdtempSync('/tmp/signpost-config-');
afterAll(() => rmSync(folder, { recursive: true }));

function example(change: (data: Record<string, never>) => void = () => {}): unknown {
  const data = parse(readFileSync(EXAMPLE, 'utf8')) as Record<string, never>;
  change(data);
  return data;
}

describe('configuration', () => {
  test('the annotated example is valid', () => {
    const config = parseConfig(example(), '/etc/signpost/signpost.yaml');
    expect(config.folder).toBe('/etc/signpost');
    expect(config.requests.expiry).toBe(7 * 86_400_000);
    expect(config.mail.maxMessageSize).toBe(25 * 1024 * 1024);
    expect(config.mail.milter).toEqual({ host: '127.0.0.1', port: 8891 });
  });

  test('every commented default in the example is the real default', () => {
    // Uncomments the "# key: value" lines under their sections; the result must be the same configuration.
    const text = readFileSync(EXAMPLE, 'utf8').replace(
      /^( *)# ([a-z][A-Za-z]+: .*)$/gm,
      (line, indent: string, setting: string) => (setting.startsWith('tls:') ? line : `${indent}${setting}`),
    );
    expect(parseConfig(parse(text), '/x/signpost.yaml')).toEqual(parseConfig(example(), '/x/signpost.yaml'));
  });

  test('proofs are lists of what is shown together; people of LDAP show its password unless something else is said', () => {
    const enrolment = (change: object) =>
      parseConfig(
        example(data => Object.assign(data, change)),
        '/x/y',
      ).enrolment;
    expect(enrolment({}).proofs).toBeNull();
    const proofs = { standard: ['password'], advanced: ['password + mailed-code', 'admin-code'] };
    expect(enrolment({ enrolment: { proofs } }).proofs).toEqual({
      standard: [['password']],
      advanced: [['mailed-code', 'password'], ['admin-code']],
    });
    const bind = { dn: 'cn=signpost,dc=company', passwordFile: 'keys/ldap' };
    const ldap = [{ name: 'company', servers: ['ldap://localhost'], layout: 'openldap', base: 'dc=company', bind }];
    const any = [['password'], ['admin-code'], ['mailed-code']];
    const directory = { ldap };
    expect(enrolment({ directory, enrolment: { mailedCode: true } }).proofs).toEqual({ standard: any, advanced: any });
    expect(enrolment({ directory, enrolment: { proofs } }).proofs?.standard).toEqual([['password']]);
  });

  const refused: [string, (data: never) => void, RegExp][] = [
    [
      'a proof that there is none of',
      data => Object.assign(data, { enrolment: { proofs: { standard: ['password + sms'], advanced: ['password'] } } }),
      /enrolment\.proofs\.standard\.0: write mailed-code, password, admin-code/,
    ],
    [
      'mailed codes that no level takes',
      data =>
        Object.assign(data, {
          enrolment: { mailedCode: true, proofs: { standard: ['password'], advanced: ['password'] } },
        }),
      /enrolment\.mailedCode: is true, but no level names mailed-code/,
    ],
    [
      'a public address without https',
      data => Object.assign(data, { publicUrl: 'http://sign.company.com' }),
      /publicUrl: must be https/,
    ],
    ['an unknown setting', data => Object.assign(data, { pubicUrl: 'x' }), /pubicUrl/],
    [
      'a level that this version lacks',
      data => Object.assign(data, { levels: { offered: ['advanced', 'qualified'] } }),
      /offers standard, advanced and seal, not qualified/,
    ],
    [
      'a seal that nobody may use',
      data => Object.assign(data, { levels: { offered: ['advanced', 'seal'] } }),
      /seal\.allowed: levels\.offered has seal, but nobody may use it/,
    ],
    [
      'people who may use a seal that is not offered',
      data => Object.assign(data, { seal: { allowed: ['legal'] } }),
      /levels\.offered: has no seal/,
    ],
    [
      'a bad duration',
      data => Object.assign(data, { requests: { expiry: 'a week' } }),
      /requests\.expiry: write a duration/,
    ],
    [
      'plain http on the network',
      data => Object.assign(data, { http: { listen: '0.0.0.0:80' } }),
      /http\.listen: without http\.tls/,
    ],
    [
      'requests that outlive 30 days',
      data => Object.assign(data, { requests: { maxExpiry: '31 days' } }),
      /at most 30 days/,
    ],
  ];
  test.each(refused)('%s is refused with its name and what to write', (_, change, message) => {
    expect(() => parseConfig(example(change as never), '/x/signpost.yaml')).toThrow(message);
  });

  test('a missing file says how to make one, and broken YAML names the place', () => {
    expect(() => loadConfig(join(folder, 'signpost.yaml'))).toThrow(/signpost init/);
    // What is there already isn't to be made.
    expect(() => loadConfig(folder)).toThrow(/can't be read \(EISDIR\)\.$/);
    writeFileSync(join(folder, 'signpost.yaml'), 'company: [');
    expect(() => loadConfig(join(folder, 'signpost.yaml'))).toThrow(ConfigError);
  });
});
