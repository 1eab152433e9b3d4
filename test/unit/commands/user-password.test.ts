/** `signpost user password`: what it prints is what people.yaml takes. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { openYamlDirectory } from '../../../src/directory/yaml-file.ts';

const BIN = new URL('../../../bin/signpost.js', import.meta.url).pathname;
const folder = mkdtempSync('/tmp/signpost-password-');
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);

const PERSON = 'people:\n  - id: john\n    name: John Doe\n    mail: john.doe@company.com\n    logins: [jdoe]\n';

function configure(directory: Record<string, unknown>): void {
  writeFileSync(
    at('signpost.yaml'),
    stringify({
      company: { name: 'Company', country: 'LU' },
      publicUrl: 'https://sign.company.com',
      domains: [{ sign: 'sign.company.com', mail: ['company.com'] }],
      directory,
      mail: { milter: '127.0.0.1:1', lmtp: '127.0.0.1:2', smtp: { host: '127.0.0.1', port: 25 } },
      http: { listen: '127.0.0.1:3' },
    }),
  );
  writeFileSync(at('people.yaml'), PERSON);
  writeFileSync(at('password'), 'correct horse\n', { mode: 0o600 });
}

function signpost(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, [BIN, ...args], (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

const ask = (name: string) =>
  signpost('user', 'password', name, '--password-file', at('password'), '--config', at('signpost.yaml'));

test('the printed line makes the password right, and only that one', async () => {
  configure({ file: 'people.yaml' });
  const { status, stdout, stderr } = await ask('jdoe');
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining('John Doe') as string });
  expect(stdout + stderr).not.toContain('correct horse');
  writeFileSync(at('people.yaml'), PERSON + stdout);
  const directory = await openYamlDirectory(at('people.yaml'), 'en', pino({ level: 'silent' }));
  const john = (await directory.findById('john'))!;
  expect(await directory.checkPassword(john, 'correct horse')).toBe('right');
  expect(await directory.checkPassword(john, 'correct hors')).toBe('wrong');
});

test('what can not be is said in words', async () => {
  configure({ file: 'people.yaml' });
  expect((await ask('nobody')).stderr).toContain('nobody in the directory is called "nobody"');
  const bind = { dn: 'cn=x', passwordFile: 'password' };
  configure({ ldap: [{ name: 'x', servers: ['ldaps://dc.company.com'], layout: 'openldap', base: 'dc=x', bind }] });
  const { status, stderr } = await ask('jdoe');
  expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining('set it there') as string });
});
