/** `signpost keys` as an admin runs it, judged by openssl. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { importCertificate, importPkcs12 } from '../../../src/pki/key-setup.ts';
import { Keys } from '../../../src/pki/keys.ts';
import { TimestampUnavailable } from '../../../src/pki/pki.ts';
import { SqliteCertificateStore } from '../../../src/store/certificates.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { MIGRATIONS } from '../../../src/store/migrations.ts';
import { SOFTHSM_MODULE, SoftHsm } from '../../support/softhsm.ts';
import { has } from '../../support/tools.ts';
import { JOHN, load, pem, request, silent, Workspace } from '../pki/support.ts';

const BIN = new URL('../../../bin/signpost.js', import.meta.url).pathname;
const INIT = ['--company', 'Company S.A.', '--vat', 'LU12345678', '--country', 'LU', '--mail-domain', 'company.com'];
const INIT_MORE = ['--sign-domain', 'sign.company.com', '--url', 'https://sign.company.com'];

const workspace = new Workspace();
let count = 0;
let folder: string;

workspace.put('password', 'one two\n');
workspace.put('wrong', 'one three\n');
afterAll(() => workspace.remove());

function signpost(...args: string[]): Promise<{ status: number; output: string }> {
  return new Promise(resolve => {
    const { PATH, SOFTHSM2_CONF } = process.env;
    const env = { PATH, SOFTHSM2_CONF, SIGNPOST_CONFIG: join(folder, 'signpost.yaml') };
    execFile(process.execPath, [BIN, ...args], { env, cwd: workspace.folder }, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code) : 0, output: `${stdout}${stderr}` });
    });
  });
}

const keys = (...args: string[]) => signpost('keys', ...args);

async function init(): Promise<void> {
  folder = workspace.path(`site-${++count}`);
  const made = await signpost('init', folder, ...INIT, ...INIT_MORE);
  expect(made.status, made.output).toBe(0);
}

/** Moves an installed key and its certificate away. */
function away(name: string): void {
  mkdirSync(join(folder, 'away'), { recursive: true });
  for (const file of [`keys/${name}.p8`, `certs/${name}.pem`]) {
    if (existsSync(join(folder, file))) renameSync(join(folder, file), join(folder, 'away', file.split('/')[1]!));
  }
}

/** A PKCS#12 file of the installed key and certificate. */
function exported(name: string, out: string, ...extra: string[]): string {
  const key = ['-inkey', join(folder, `keys/${name}.p8`), '-passin', `file:${join(folder, 'passphrase')}`];
  const certificate = ['-in', join(folder, `certs/${name}.pem`)];
  workspace.must('pkcs12', '-export', ...key, ...certificate, '-out', out, '-passout', 'pass:one two', ...extra);
  return workspace.path(out);
}

describe.skipIf(!has('openssl'))('signpost keys, in files', () => {
  beforeAll(init);

  it('lists each key, its certificate, and where it is', async () => {
    const { status, output } = await keys('list', '--json');
    expect(status).toBe(0);
    const listed: { name: string; algorithm: string; subject: string | null; where: string }[] = JSON.parse(output);
    expect(listed.map(({ name }) => name)).toEqual(expect.arrayContaining(['ca', 'seal', 'tsa', 'gateway']));
    expect(listed.find(({ name }) => name === 'seal')).toMatchObject({
      algorithm: 'ecdsa-p256-sha256',
      subject: expect.stringContaining('Seal'),
      where: join(folder, 'keys/seal.p8'),
      problems: [],
    });
    expect((await keys('list')).output).toMatch(/^ca +ecdsa-p256-sha256 +\d{4}-\d\d-\d\d +/m);
  });

  it('a key that is missing is said, and the others are shown', async () => {
    away('tsa');
    const { status, output } = await keys('list');
    expect(status).toBe(1);
    expect(output).toMatch(/^tsa: .*tsa\.p8 does not exist$/m);
    expect(output).toMatch(/^seal +ecdsa/m);
  });

  it.each([
    ['ecdsa-p384', 'P-384'],
    ['rsa-3072', '3072 bit'],
  ])('generate makes a %s key and a certificate that openssl verifies; never twice', async (algorithm, shown) => {
    away('tsa');
    expect(await keys('generate', 'tsa', '--algorithm', algorithm)).toMatchObject({ status: 0 });
    const [ca, tsa] = ['ca', 'tsa'].map(name => join(folder, `certs/${name}.pem`));
    const text = workspace.must('verify', '-x509_strict', '-purpose', 'timestampsign', '-CAfile', ca!, tsa!);
    expect(text).toContain('OK');
    expect(workspace.must('x509', '-in', tsa!, '-noout', '-text')).toContain(shown);
    expect(statSync(join(folder, 'keys/tsa.p8')).mode & 0o777).toBe(0o600);
    const before = readFileSync(join(folder, 'keys/tsa.p8'), 'utf8');
    const again = await keys('generate', 'tsa');
    expect(again).toMatchObject({ status: 1, output: expect.stringContaining('nothing is ever overwritten') });
    renameSync(tsa!, `${tsa}.old`);
    expect((await keys('generate', 'tsa')).output).toContain('nothing is ever overwritten');
    expect(readFileSync(join(folder, 'keys/tsa.p8'), 'utf8')).toBe(before);
  });

  it('generate --csr makes a request that openssl verifies; import takes the certificate that answers it', async () => {
    away('ca');
    expect(await keys('generate', 'ca', '--csr', 'ca.csr')).toMatchObject({ status: 0 });
    expect(workspace.openssl('req', '-in', 'ca.csr', '-verify', '-noout', '-subject')).toMatchObject({
      status: 0,
      output: expect.stringContaining('Company S.A. Signing CA'),
    });
    workspace.put('ca.ext', 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n');
    workspace.put('end.ext', 'basicConstraints=critical,CA:FALSE\n');
    const key = ['-signkey', join(folder, 'keys/ca.p8'), '-passin', `file:${join(folder, 'passphrase')}`];
    for (const kind of ['ca', 'end'])
      workspace.must(
        'x509',
        '-req',
        '-in',
        'ca.csr',
        ...key,
        '-days',
        '9',
        '-extfile',
        `${kind}.ext`,
        '-out',
        `${kind}.pem`,
      );
    expect((await keys('import', 'ca', 'end.pem')).output).toContain('it is not a CA');
    expect((await keys('import', 'ca', join(folder, 'away/ca.pem'))).output).toContain('belongs to another key');
    expect(existsSync(join(folder, 'certs/ca.pem'))).toBe(false);
    expect(await keys('import', 'ca', 'ca.pem')).toMatchObject({ status: 0 });
    expect(readFileSync(join(folder, 'certs/ca.pem'), 'utf8')).toBe(readFileSync(workspace.path('ca.pem'), 'utf8'));
  });
});

describe.skipIf(!has('openssl'))('signpost keys import, PKCS#12', () => {
  beforeAll(init);
  let seal: string;
  beforeEach(() => {
    if (existsSync(join(folder, 'keys/seal.p8'))) seal = exported('seal', 'seal.p12');
    away('seal');
  });

  it.each([
    ['modern', []],
    ['legacy', ['-legacy']],
  ])('%s: key and certificate as they were; the key file is encrypted', async (_, extra) => {
    for (const file of ['keys/seal.p8', 'certs/seal.pem'])
      renameSync(join(folder, 'away', file.split('/')[1]!), join(folder, file));
    const file = exported('seal', 'again.p12', ...extra);
    away('seal');
    expect(await keys('import', 'seal', file, '--password-file', 'password')).toMatchObject({ status: 0 });
    for (const name of ['seal.p8', 'seal.pem']) {
      const [now, before] = [join(folder, name === 'seal.p8' ? 'keys' : 'certs', name), join(folder, 'away', name)];
      const args = name === 'seal.p8' ? ['pkey', '-passin', `file:${join(folder, 'passphrase')}`] : ['x509'];
      expect(workspace.must(...args, '-in', now)).toBe(workspace.must(...args, '-in', before));
    }
    expect(readFileSync(join(folder, 'keys/seal.p8'), 'utf8')).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    expect((await keys('list', '--json')).status).toBe(0);
    expect((await keys('import', 'seal', file, '--password-file', 'password')).output).toContain('ever overwritten');
  });

  it('says in one sentence what is wrong, and writes nothing', async () => {
    const certificate = (
      out: string,
      days: [string, string],
      extensions: string,
      subject = '/O=Company S.A./CN=Seal',
    ) => {
      workspace.put('x.ext', extensions);
      workspace.must(
        'req',
        '-new',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        'x.key',
        '-subj',
        subject,
        '-out',
        'x.csr',
      );
      const ca = ['-cert', join(folder, 'certs/ca.pem'), '-keyfile', join(folder, 'keys/ca.p8')];
      workspace.put(
        'ca.conf',
        '[ca]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\norganizationName=optional\ncommonName=supplied\n',
      );
      workspace.put('index', '');
      workspace.put('serial', '0123456789\n');
      workspace.must(
        'ca',
        '-batch',
        '-config',
        'ca.conf',
        '-name',
        'ca',
        ...ca,
        '-passin',
        `file:${join(folder, 'passphrase')}`,
        '-startdate',
        days[0],
        '-enddate',
        days[1],
        '-extfile',
        'x.ext',
        '-in',
        'x.csr',
        '-out',
        'x.pem',
        '-notext',
      );
      workspace.must('pkcs12', '-export', '-inkey', 'x.key', '-in', 'x.pem', '-out', out, '-passout', 'pass:one two');
    };
    const current: [string, string] = ['20250101000000Z', '20300101000000Z'];
    const signing = 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n';
    certificate('expired.p12', ['20200101000000Z', '20210101000000Z'], signing);
    certificate('early.p12', ['20400101000000Z', '20410101000000Z'], signing);
    certificate('usage.p12', current, 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,keyEncipherment\n');
    certificate('person.p12', current, signing, '/CN=John Doe');
    workspace.must(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'o.key',
      '-subj',
      '/O=Other/CN=Other',
      '-out',
      'o.pem',
      '-addext',
      'basicConstraints=critical,CA:FALSE',
    );
    workspace.must(
      'pkcs12',
      '-export',
      '-inkey',
      'o.key',
      '-in',
      'o.pem',
      '-out',
      'other.p12',
      '-passout',
      'pass:one two',
    );
    workspace.must('pkcs12', '-export', '-nokeys', '-in', 'o.pem', '-out', 'nokey.p12', '-passout', 'pass:one two');
    workspace.must(
      'pkcs12',
      '-export',
      '-nocerts',
      '-inkey',
      'o.key',
      '-out',
      'nocert.p12',
      '-passout',
      'pass:one two',
    );
    const config = loadConfig(join(folder, 'signpost.yaml'));
    const passphrase = readFileSync(join(folder, 'passphrase'), 'utf8').trim();
    const places = new Keys({ config, passphrase, credentials: undefined, logger: silent });
    const certificates = new SqliteCertificateStore(openDatabase(':memory:', MIGRATIONS));
    const setup = { config, keys: places, passphrase, certificates, now: () => new Date() };
    for (const [file, said] of [
      ['expired.p12', 'the certificate expired on 2021-01-01'],
      ['early.p12', 'the certificate is not valid before 2040-01-01'],
      ['usage.p12', "the signer's key is not for signing"],
      ['person.p12', 'a seal belongs to an organisation'],
      ['other.p12', "not a sound one of the company's own CA"],
      ['nokey.p12', 'it has no private key'],
      ['nocert.p12', 'it has a key but no certificate'],
    ] as const) {
      await expect(importPkcs12(setup, 'seal', readFileSync(workspace.path(file)), 'one two')).rejects.toThrow(said);
    }
    await expect(importCertificate(setup, 'seal', '-----BEGIN CERTIFICATE-----')).rejects.toThrow(
      'nor a sound PEM certificate',
    );
    const { status, output } = await keys('import', 'seal', 'expired.p12', '--password-file', 'password');
    expect(output).toBe('signpost: expired.p12 is not imported: the certificate expired on 2021-01-01\n');
    expect(status).toBe(1);
    expect((await keys('import', 'seal', 'none.p12')).output).toContain("can't be read (ENOENT)");
    expect((await keys('import', 'seal', seal, '--password-file', 'wrong')).output).toContain('the password is wrong');
    expect((await keys('import', 'seal', seal)).output).toContain('--password-file');
    for (const file of ['keys/seal.p8', 'certs/seal.pem']) expect(existsSync(join(folder, file))).toBe(false);
  });
});

describe.skipIf(!has('openssl', 'softhsm2'))('signpost keys, on a token', () => {
  let hsm: SoftHsm;
  const place = (name: string) => ({
    pkcs11: { module: SOFTHSM_MODULE, token: hsm.label, label: `the ${name}`, pinFile: 'keys/pin' },
  });
  beforeAll(async () => {
    hsm = new SoftHsm();
    await init();
    workspace.put(join(`site-${count}`, 'keys/pin'), `${hsm.pin}\n`);
    const places = Object.fromEntries(['ca', 'seal', 'tsa'].map(name => [name, place(name)]));
    const config = readFileSync(join(folder, 'signpost.yaml'), 'utf8');
    const placed = config.replace(/^pki:$/m, `pki: ${JSON.stringify({ keys: places })}`);
    workspace.put(join(`site-${count}`, 'signpost.yaml'), placed);
    for (const name of ['ca', 'seal', 'tsa']) away(name);
  });
  afterAll(() => hsm.remove());

  it('C2 generate makes CA, seal and timestamp keys there; openssl verifies what they sign', async () => {
    for (const name of ['ca', 'seal', 'tsa']) {
      const made = await keys('generate', name, '--algorithm', name === 'ca' ? 'ecdsa-p384' : 'rsa-3072');
      expect(made.output).toContain(`“the ${name}” on token “${hsm.label}” is made`);
      expect(existsSync(join(folder, `keys/${name}.p8`))).toBe(false);
    }
    const { status, output } = await keys('list', '--json');
    expect(status, output).toBe(0);
    expect(JSON.parse(output)[0]).toMatchObject({ name: 'ca', algorithm: 'ecdsa-p384-sha256', problems: [] });
    expect((await keys('generate', 'ca')).output).toContain('nothing is ever overwritten');
    const ca = join(folder, 'certs/ca.pem');
    for (const name of ['seal', 'tsa']) {
      const path = join(folder, `certs/${name}.pem`);
      expect(workspace.must('verify', '-x509_strict', '-CAfile', ca, path)).toContain('OK');
    }
  });

  it('C2 the PKI runs on them: person, CRL and timestamp as openssl sees them', async () => {
    const passphrase = readFileSync(join(folder, 'passphrase'), 'utf8').trim();
    const keysThere = { ca: place('ca'), seal: place('seal'), tsa: place('tsa') };
    const pki = await load(workspace, { folder, passphrase, pki: { keys: keysThere, global: null } });
    const record = await pki.ca.issueForPerson(request(workspace), JOHN, 'device-1');
    const ca = join(folder, 'certs/ca.pem');
    workspace.put('john.pem', pem(record.certificate));
    workspace.put('crl.pem', pem(await pki.ca.crl(), 'X509 CRL'));
    const verified = ['-x509_strict', '-crl_check_all', '-CRLfile', 'crl.pem', '-CAfile', ca, 'john.pem'];
    expect(workspace.must('verify', ...verified)).toContain('OK');
    const digest = Buffer.alloc(32, 9);
    workspace.put('token.der', (await pki.timestamps.stamp(digest)).token);
    const stamped = ['-digest', digest.toString('hex'), '-in', 'token.der', '-token_in', '-CAfile', ca];
    expect(workspace.openssl('ts', '-verify', ...stamped).output).toContain('Verification: OK');
    hsm.takeOut();
    try {
      await expect(pki.timestamps.stamp(digest)).rejects.toThrow(TimestampUnavailable);
    } finally {
      hsm.putBack();
    }
    expect((await pki.timestamps.stamp(digest)).token.length).toBeGreaterThan(0);
  });

  it('a wrong PIN is said for each key; a PKCS#12 file is not imported over it', async () => {
    workspace.put(join(`site-${count}`, 'keys/pin'), '000000\n');
    const { status, output } = await keys('list');
    expect(status).toBe(1);
    expect(output).toContain(`the PIN of token “${hsm.label}” is wrong`);
    expect(output.match(/is wrong/g)).toHaveLength(1);
    expect(output.match(/isn't tried again/g)).toHaveLength(2);
    workspace.put('any.p12', Buffer.of(0x30, 0));
    const refused = await keys('import', 'seal', 'any.p12', '--password-file', 'password');
    expect(refused.output).toContain('set pki.keys.seal to file first');
  });
});
