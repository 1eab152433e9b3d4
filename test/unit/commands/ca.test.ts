/** `signpost ca` and `signpost keys rotate ca` as an admin runs them. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { has } from '../../support/tools.ts';
import { Workspace } from '../pki/support.ts';

const BIN = new URL('../../../bin/signpost.js', import.meta.url).pathname;
const INIT = ['--company', 'Company S.A.', '--vat', 'LU12345678', '--country', 'LU', '--mail-domain', 'company.com'];
const INIT_MORE = ['--sign-domain', 'sign.company.com', '--url', 'https://sign.company.com'];

describe.skipIf(!has('openssl'))('signpost ca', () => {
  const workspace = new Workspace();
  const folder = workspace.path('site');
  afterAll(() => workspace.remove());

  function signpost(...args: string[]): Promise<{ status: number; output: string }> {
    return new Promise(resolve => {
      const env = { PATH: process.env.PATH, SIGNPOST_CONFIG: join(folder, 'signpost.yaml') };
      execFile(process.execPath, [BIN, ...args], { env, cwd: workspace.folder }, (error, stdout, stderr) => {
        resolve({ status: error ? Number(error.code) : 0, output: `${stdout}${stderr}` });
      });
    });
  }

  async function must(...args: string[]): Promise<string> {
    const { status, output } = await signpost(...args);
    expect(status, output).toBe(0);
    return output;
  }

  beforeAll(async () => {
    await must('init', folder, ...INIT, ...INIT_MORE, '--ca-key', 'rsa-4096', '--seal-key', 'ecdsa-p384');
  }, 60_000);

  it('C2 init makes each key of the kind asked for; openssl verifies what the CA signed', async () => {
    const bits = (name: string): string => {
      const shown = workspace.must('x509', '-in', `site/certs/${name}.pem`, '-noout', '-text');
      return /Public-Key: \((\d+) bit\)/.exec(shown)![1]!;
    };
    expect(['ca', 'seal', 'tsa'].map(bits)).toEqual(['4096', '384', '256']);
    for (const name of ['seal', 'tsa'])
      expect(
        workspace.must('verify', '-x509_strict', '-CAfile', 'site/certs/ca.pem', `site/certs/${name}.pem`),
      ).toMatch(/OK/);
    expect(
      (await signpost('init', workspace.path('other'), ...INIT, ...INIT_MORE, '--ca-key', 'rsa-1024')).status,
    ).toBe(1);
  }, 60_000);

  it('rotates; what is kept is listed, nobody else can read its key, and the evidence log has who did it', async () => {
    const said = await must('keys', 'rotate', 'ca');
    const place = /stays in (\S+) and/.exec(said)![1]!;
    expect(statSync(join(place, 'ca.p8')).mode & 0o777).toBe(0o600);
    expect(statSync(join(place, 'ca.pem')).mode & 0o777).toBe(0o644);
    expect(await must('ca', 'list')).toMatch(
      /in use .*Company S\.A\. Signing CA 2[\s\S]*company +retired .*Signing CA +-/,
    );
    expect(await must('evidence', 'verify')).not.toContain('wrong');
    expect(readFileSync(join(folder, 'state', 'signpost.db')).includes('keys rotate')).toBe(true);
    expect((await signpost('keys', 'rotate', 'seal', '--scope', 'global')).output).toContain(
      '--scope is for the key of a CA',
    );
  }, 60_000);

  it('a CA below an enterprise’s without its revocation list: told what that means; a wrong file changes nothing', async () => {
    await must('ca', 'csr', '--out', workspace.path('sub.csr'));
    expect((await signpost('ca', 'csr', '--out', workspace.path('sub.csr'))).output).toContain(
      'nothing is ever overwritten',
    );
    const root = [
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'root.key',
      '-out',
      'root.pem',
      '-subj',
      '/CN=Enterprise Root',
    ];
    workspace.must('req', '-x509', ...root, '-addext', 'keyUsage=critical,keyCertSign,cRLSign');
    const by = ['-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial', '-copy_extensions', 'copy'];
    workspace.must('x509', '-req', '-in', 'sub.csr', ...by, '-days', '1000', '-out', 'sub.pem');
    const refused = await signpost('ca', 'install', workspace.path('sub.pem'));
    expect(refused.output).toMatch(/^signpost: \S+sub\.pem is not installed: the issuer of .* is missing/);
    const chain = workspace.put(
      'chain.pem',
      readFileSync(workspace.path('sub.pem'), 'utf8') + readFileSync(workspace.path('root.pem'), 'utf8'),
    );
    expect(await must('ca', 'install', chain)).toMatch(/is the CA now[\s\S]*--crl LIST/);
    expect(await must('ca', 'install', chain)).toContain('in use already. Nothing was changed');
    expect(await must('ca', 'list')).toMatch(/in use .*Enterprise Root/);
    const rotated = await signpost('keys', 'rotate', 'ca');
    expect(rotated).toMatchObject({ status: 1, output: expect.stringContaining('signpost ca csr --new-key') });
  }, 60_000);

  it('a second CA: made when the configuration has it', async () => {
    const early = await signpost('ca', 'create', '--scope', 'global');
    expect(early).toMatchObject({
      status: 1,
      output: expect.stringContaining('write pki.global: { key: file } first'),
    });
    const config = join(folder, 'signpost.yaml');
    writeFileSync(config, readFileSync(config, 'utf8').replace(/^pki:$/m, 'pki: { global: { key: file } }'));
    expect((await signpost('certs', 'list')).output).toContain('make it: signpost ca create --scope global');
    await must('ca', 'create', '--scope', 'global');
    expect(existsSync(join(folder, 'global', 'keys', 'ca.p8'))).toBe(true);
    await must('keys', 'rotate', 'ca', '--scope', 'global', '--algorithm', 'ecdsa-p384');
    const listed = JSON.parse(await must('ca', 'list', '--json')) as {
      scope: string;
      inUse: boolean;
      subject: string;
    }[];
    expect(listed.filter(({ scope, inUse }) => scope === 'global' && inUse)).toMatchObject([
      { subject: 'Company S.A. Global Signing CA 2' },
    ]);
    await must('certs', 'list');
  }, 60_000);
});
