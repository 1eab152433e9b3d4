/** docs/key-ceremony.md, word for word: its commands are taken out of the page and run, with the folders of a test. */
import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Line } from '../../../src/check/line.ts';
import { has } from '../../support/tools.ts';

const ROOT = new URL('../../../', import.meta.url).pathname;
const PAGE = readFileSync(join(ROOT, 'docs/key-ceremony.md'), 'utf8');
const execute = promisify(execFile);
let folder: string;

/** The commands of one numbered section. */
function commandsOf(section: number): string[] {
  const text = PAGE.split(/^## /m).find(part => part.startsWith(`${section}. `)) ?? '';
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, commands]) => commands!);
}

/** As they stand there, in one shell that ends at the first fault. */
async function run(blocks: readonly string[]): Promise<string> {
  const script = blocks
    .join('\n')
    .replaceAll('/opt/signpost', ROOT)
    .replaceAll('/etc/signpost', join(folder, 'etc/signpost'))
    .replaceAll('/var/lib/signpost', join(folder, 'var/lib/signpost'))
    // The service's user, whom a test can't make.
    .replaceAll('--user signpost', '--user nobody')
    .replaceAll('-C /etc ', `-C ${join(folder, 'etc')} `)
    .replaceAll('/root/', `${join(folder, 'root')}/`)
    // No systemd here: starting the service is other tests' business.
    .replaceAll(/^(systemctl|signpost check) .*$/gm, '');
  const { stdout } = await execute('bash', ['-euo', 'pipefail', '-c', script], {
    env: {
      ...process.env,
      PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
      SIGNPOST_CONFIG: join(folder, 'etc/signpost/signpost.yaml'),
      // The working tree may be another user's.
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      SOFTHSM2_CONF: join(folder, 'softhsm2.conf'),
    },
    maxBuffer: 10_000_000,
  });
  return stdout;
}

function fresh(): void {
  folder = mkdtempSync(join(tmpdir(), 'signpost-ceremony-'));
  for (const name of ['etc', 'root', 'bin', 'tokens']) mkdirSync(join(folder, name));
  const shim = join(folder, 'bin/signpost');
  writeFileSync(shim, `#!/bin/sh\nexec ${process.execPath} ${join(ROOT, 'bin/signpost.js')} "$@"\n`);
  chmodSync(shim, 0o755);
  writeFileSync(join(folder, 'softhsm2.conf'), `directories.tokendir = ${join(folder, 'tokens')}\nlog.level = ERROR\n`);
}

const evidenceWhole = /^The evidence log is whole/m;

describe('the key ceremony: keys in files', () => {
  beforeAll(fresh);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('sections 1 and 2: keys and certificates that OpenSSL finds sound, a backup that is whole', async () => {
    // A copy without its history has no commit to write down.
    if (existsSync(join(ROOT, '.git'))) expect(await run(commandsOf(1))).toMatch(/^[0-9a-f]{40}$/m);
    const said = await run(commandsOf(2));
    expect(said.match(/sha256 Fingerprint=/g)).toHaveLength(3);
    expect(said).toMatch(/certs\/seal\.pem: OK\n.*certs\/tsa\.pem: OK/);
    const keys = readdirSync(join(folder, 'etc/signpost/keys')).filter(name => name.endsWith('.p8'));
    expect(keys.length).toBeGreaterThanOrEqual(5);
    expect(said.match(/^Key is valid$/gm)).toHaveLength(keys.length);
    expect(said.match(/:scrypt$/gm)).toHaveLength(keys.length);
    expect(said.match(/^600 /gm)?.length).toBeGreaterThanOrEqual(9);
    expect(said).not.toMatch(/^(?!600)\d{3} \//m);
  });

  test('sections 5 and 6: rotations, each in an evidence log that stays whole', async () => {
    expect(await run(commandsOf(5))).toMatch(evidenceWhole);
    expect(await run(commandsOf(6))).toMatch(evidenceWhole);
    // Nothing runs here that could answer, but all that was rotated is in order.
    const lines = JSON.parse(await run(['env signpost check --json || true'])) as Line[];
    const wrong = lines.filter(({ state }) => state === 'wrong').map(({ item }) => item);
    expect(wrong.filter(item => !/^(gateway|postfix|DNS)/.test(item))).toEqual([]);
    expect(lines.map(({ item }) => item)).toEqual(
      expect.arrayContaining(['crl', 'ocsp', 'timestamps', 'certificate ca']),
    );
  }, 300_000);

  test('section 4: below an enterprise CA', async () => {
    const [request, install] = commandsOf(4);
    expect(await run([request!])).toContain('Example Company');
    const root = join(folder, 'root');
    writeFileSync(
      join(root, 'ca.cnf'),
      `[req]\ndistinguished_name = dn\n[dn]\n[root]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash\n[sub]\nbasicConstraints = critical, CA:TRUE, pathlen:0\nkeyUsage = critical, digitalSignature, keyCertSign, cRLSign
subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\ncrlDistributionPoints = URI:http://enterprise.company.com/root.crl
[ca]\ndefault_ca = this\n[this]\ndatabase = ${root}/index\ndefault_md = sha256\ncrlnumber = ${root}/number\ndefault_crl_days = 30\ncrl_extensions = crl\n[crl]\nauthorityKeyIdentifier = keyid\n`,
    );
    writeFileSync(join(root, 'index'), '');
    writeFileSync(join(root, 'number'), '01\n');
    await run([
      'cd /root/; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout e.key -out e.pem -days 3650 -subj "/C=LU/O=Example Group/CN=Enterprise Root" -config ca.cnf -extensions root',
      'openssl x509 -req -in signpost-ca.csr -CA e.pem -CAkey e.key -days 1825 -extfile ca.cnf -extensions sub -out sub.pem -CAcreateserial',
      'openssl ca -config ca.cnf -gencrl -keyfile e.key -cert e.pem -out enterprise.crl',
      'cat sub.pem e.pem > signpost-chain.pem',
    ]);
    expect(await run([install!])).toMatch(/Enterprise Root/);
  });
});

describe.skipIf(!has('softhsm2'))('the key ceremony: keys on a token', () => {
  beforeAll(fresh);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('section 3: certified keys that no file holds', async () => {
    await run(commandsOf(2).slice(0, 1));
    const said = await run(commandsOf(3));
    expect(said.match(/sha256 Fingerprint=/g)).toHaveLength(3);
    expect(said).toMatch(/certs\/seal\.pem: OK\n.*certs\/tsa\.pem: OK/);
    for (const name of ['ca', 'seal', 'tsa'])
      expect(existsSync(join(folder, `etc/signpost/keys/${name}.p8`))).toBe(false);
    expect(await run(commandsOf(5))).toMatch(evidenceWhole);
  });

  test('section 6: rotation on the token', async () => {
    expect(await run(commandsOf(6))).toMatch(evidenceWhole);
  }, 300_000);
});
