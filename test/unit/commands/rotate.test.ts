/** `signpost keys rotate|renew` as an admin runs it, cut short at every point; openssl judges what is left. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chownSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { changingKeys } from '../../../src/pki/key-exchange.ts';
import type { LoadedPki } from '../../../src/pki/load.ts';
import { Secrets } from '../../../src/pki/secrets.ts';
import { fromPem, parseCertificate } from '../../../src/pki/x509.ts';
import { SOFTHSM_MODULE, SoftHsm } from '../../support/softhsm.ts';
import { has } from '../../support/tools.ts';
import { load, pem, Workspace } from '../pki/support.ts';

const BIN = new URL('../../../bin/signpost.js', import.meta.url).pathname;
const FAULT = new URL('../../support/fault-at.ts', import.meta.url).pathname;
const INIT = ['--company', 'Company S.A.', '--vat', 'LU12345678', '--country', 'LU', '--mail-domain', 'company.com'];
const INIT_MORE = ['--sign-domain', 'sign.company.com', '--url', 'https://sign.company.com'];
/** Every point at which a command can be cut short; else those around what decides. */
const LONG = process.env.SIGNPOST_LONG === '1';
/** Many commands, each a process. Milliseconds. */
const PATIENCE = 300_000;

const workspace = new Workspace();
afterAll(() => workspace.remove());
let folder: string;
let count = 0;

interface Outcome {
  readonly status: number;
  readonly output: string;
}

function signpost(args: readonly string[], faults: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  return new Promise(resolve => {
    const { PATH, SOFTHSM2_CONF } = process.env;
    const preload = Object.keys(faults).length > 0 ? { NODE_OPTIONS: `--import ${FAULT}`, ...faults } : {};
    const env = { PATH, SOFTHSM2_CONF, SIGNPOST_CONFIG: join(folder, 'signpost.yaml'), ...preload };
    execFile(process.execPath, [BIN, ...args], { env, cwd: workspace.folder }, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code) : 0, output: `${stdout}${stderr}` });
    });
  });
}

/** A whole command, and what it changed in the file system, a line each. */
async function traced(
  args: readonly string[],
  faults: Readonly<Record<string, string>> = { FAULT: 'none' },
): Promise<Outcome & { readonly changes: readonly string[] }> {
  const trace = workspace.put('trace', '');
  const outcome = await signpost(args, { FAULT_LOG: trace, ...faults });
  return { ...outcome, changes: readFileSync(trace, 'utf8').trim().split('\n') };
}

const keys = (...args: string[]) => signpost(['keys', ...args]);

async function init(): Promise<void> {
  folder = workspace.path(`site-${++count}`);
  if (existsSync(workspace.path('site'))) cpSync(workspace.path('site'), folder, { recursive: true });
  else {
    const made = await signpost(['init', folder, ...INIT, ...INIT_MORE]);
    expect(made.status, made.output).toBe(0);
    mkdirSync(at('state'));
    cpSync(folder, workspace.path('site'), { recursive: true });
  }
}

const at = (name: string): string => join(folder, name);
const passphrase = (): string => readFileSync(at('passphrase'), 'utf8').trim();
const listed = (place: string): string[] => (existsSync(at(place)) ? readdirSync(at(place)).sort() : []);
const serialOf = (path: string): string => parseCertificate(fromPem(readFileSync(at(path), 'utf8'))[0]!).serial;

/** All bytes of keys/ and certs/, as one. */
function bytesOfKeys(): string {
  const hash = createHash('sha256');
  for (const place of ['keys', 'certs'])
    for (const entry of readdirSync(at(place), { recursive: true, withFileTypes: true }).sort((a, b) =>
      join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1,
    ))
      if (entry.isFile() && !entry.name.startsWith('lock.db')) {
        const path = join(entry.parentPath, entry.name);
        hash.update(`${path}\0`).update(readFileSync(path));
      }
  return hash.digest('hex');
}

let last: { readonly bytes: string; readonly pki: Promise<LoadedPki> } | null = null;
/** As a start finds it; each key takes scrypt a while, so only once for the same files. */
function opened(): Promise<LoadedPki> {
  const bytes = bytesOfKeys();
  if (last?.bytes !== bytes) {
    const pki = load(workspace, { folder, passphrase: passphrase(), database: at('state/signpost.db') });
    last = { bytes, pki };
  }
  return last!.pki;
}

/** What the whole of an installation's keys can do now, as openssl sees it: the seal's and the authority's serials. */
async function sound(): Promise<{ seal: string; tsa: string }> {
  const pki = await opened();
  const ca = at('certs/ca.pem');
  const data = workspace.put('data', 'to be signed');
  workspace.put('signature', await pki.seal.key.sign(readFileSync(data)));
  workspace.put('seal.pem', pem(pki.seal.certificate));
  workspace.put('seal.pub', workspace.must('x509', '-in', 'seal.pem', '-noout', '-pubkey'));
  const checked = ['-sha256', '-verify', 'seal.pub', '-signature', 'signature', 'data'];
  expect(workspace.must('dgst', ...checked)).toContain('Verified OK');
  expect(workspace.must('verify', '-x509_strict', '-CAfile', ca, 'seal.pem')).toContain('OK');
  const digest = Buffer.alloc(32, 7);
  const { token, certificates } = await pki.timestamps.stamp(digest);
  workspace.put('token.der', token);
  const stamped = ['-digest', digest.toString('hex'), '-in', 'token.der', '-token_in', '-CAfile', ca];
  expect(workspace.must('ts', '-verify', ...stamped)).toContain('Verification: OK');
  return { seal: parseCertificate(pki.seal.certificate).serial, tsa: parseCertificate(certificates[0]!).serial };
}

/** What the CA answers about a certificate, read by openssl. */
async function ocsp(serial: string): Promise<string> {
  const pki = await opened();
  const ca = at('certs/ca.pem');
  workspace.must('ocsp', '-issuer', ca, '-serial', `0x${serial}`, '-no_nonce', '-reqout', 'request.der');
  workspace.put('response.der', (await pki.ca.ocsp(readFileSync(workspace.path('request.der')))).der);
  const asked = ['-issuer', ca, '-serial', `0x${serial}`, '-respin', 'response.der', '-CAfile', ca];
  const { output } = workspace.openssl('ocsp', ...asked);
  expect(output).toContain('Response verify OK');
  return output;
}

async function log(): Promise<{ kind: string; subjects: Record<string, string>; facts: Record<string, unknown> }[]> {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(at('state/signpost.db'), { readOnly: true });
  const rows = database.prepare('SELECT body FROM evidence ORDER BY sequence').all();
  database.close();
  return rows.map(({ body }) => JSON.parse(String(body)));
}

describe.skipIf(!has('openssl'))('keys in files', () => {
  beforeEach(init, PATIENCE);

  test.each([
    ['seal', [], 'ecdsa-p256-sha256'],
    ['timestamp', ['--algorithm', 'rsa-3072'], 'rsa-sha256'],
  ] as const)(
    'C3 rotate %s: a new key and certificate, the old ones kept; OCSP knows both at once, and the evidence log what was done',
    async (asked, options, algorithm) => {
      const name = asked === 'timestamp' ? 'tsa' : asked;
      const before = serialOf(`certs/${name}.pem`);
      const old = { key: readFileSync(at(`keys/${name}.p8`)), certificate: readFileSync(at(`certs/${name}.pem`)) };
      const { status, output } = await keys('rotate', asked, ...options);
      expect(status, output).toBe(0);
      const now = serialOf(`certs/${name}.pem`);
      expect(now).not.toBe(before);
      expect(output).toContain(now);
      expect((await sound())[name]).toBe(now);
      if (LONG || name === 'seal') {
        const list = JSON.parse((await keys('list', '--json')).output) as { name: string; algorithm: string }[];
        expect(list.find(one => one.name === name)).toMatchObject({ algorithm, problems: [] });
      }

      expect(readFileSync(at(`keys/retired/${name}-${before}.p8`))).toEqual(old.key);
      expect(readFileSync(at(`certs/retired/${name}-${before}.pem`))).toEqual(old.certificate);
      for (const path of [`keys/${name}.p8`, `keys/retired/${name}-${before}.p8`])
        expect(statSync(at(path)).mode & 0o777).toBe(0o600);
      expect(statSync(at(`certs/${name}.pem`)).mode & 0o777).toBe(0o644);
      expect([...listed('keys'), ...listed('certs')].filter(file => file.includes('next'))).toEqual([]);

      for (const serial of [before, now]) expect(await ocsp(serial)).toMatch(/: good/);
      const [entry, ...more] = (await log()).filter(({ kind }) => kind === 'admin.act');
      expect(more).toEqual([]);
      expect(entry).toMatchObject({ facts: { command: 'keys rotate', key: name, user: expect.any(String) } });
      expect((await log()).filter(({ kind }) => kind === 'key.changed')).toEqual([
        expect.objectContaining({ subjects: { certificate: now }, facts: expect.objectContaining({ key: name }) }),
      ]);
      if (!LONG && name !== 'seal') return;
      const verified = await signpost(['evidence', 'verify']);
      expect(verified, verified.output).toMatchObject({ output: expect.stringContaining('The evidence log is whole') });
    },
    PATIENCE,
  );

  test(
    'C3 renew: a new certificate for the same key; OCSP knows both, and rotation goes on from there',
    async () => {
      const [before, key] = [serialOf('certs/seal.pem'), readFileSync(at('keys/seal.p8'))];
      expect(await keys('renew', 'seal')).toMatchObject({ status: 0 });
      const renewed = serialOf('certs/seal.pem');
      expect(renewed).not.toBe(before);
      expect(readFileSync(at('keys/seal.p8'))).toEqual(key);
      expect((await sound()).seal).toBe(renewed);
      expect(await keys('rotate', 'seal')).toMatchObject({ status: 0 });
      const rotated = serialOf('certs/seal.pem');
      expect((await sound()).seal).toBe(rotated);
      expect(listed('keys/retired')).toEqual([`seal-${renewed}.p8`]);
      expect(listed('certs/retired')).toEqual([before, renewed].map(serial => `seal-${serial}.pem`).sort());
      for (const serial of [before, renewed, rotated]) expect(await ocsp(serial)).toMatch(/: good/);
      expect((await log()).map(({ facts }) => facts.command).filter(Boolean)).toEqual(['keys renew', 'keys rotate']);
    },
    PATIENCE,
  );

  test(
    'C3 generate and import: OCSP knows the certificate at once; both are in the evidence log',
    async () => {
      for (const file of ['keys/tsa.p8', 'certs/tsa.pem']) rmSync(at(file));
      expect(await keys('generate', 'tsa')).toMatchObject({ status: 0 });
      const serial = serialOf('certs/tsa.pem');
      const recorded = (await log()).filter(({ kind }) => kind === 'certificate.issued');
      expect(recorded).toEqual([expect.objectContaining({ subjects: { certificate: serial } })]);
      const exported = ['-inkey', at('keys/tsa.p8'), '-passin', `file:${at('passphrase')}`, '-in', at('certs/tsa.pem')];
      workspace.must('pkcs12', '-export', ...exported, '-out', 'tsa.p12', '-passout', 'pass:one two');
      for (const file of ['keys/tsa.p8', 'certs/tsa.pem']) rmSync(at(file));
      workspace.put('password', 'one two\n');
      expect(await keys('import', 'tsa', 'tsa.p12', '--password-file', 'password')).toMatchObject({ status: 0 });
      expect(await ocsp(serial)).toMatch(/: good/);
      const acts = (await log()).filter(({ kind }) => kind === 'admin.act').map(({ facts }) => facts.command);
      expect(acts).toEqual(['keys generate', 'keys import']);
    },
    PATIENCE,
  );

  test(
    'C3 several rotations at once: one after the other, or refused in words; what is left is whole',
    async () => {
      await changingKeys(folder, async () => {
        const refused = await keys('rotate', 'seal');
        expect(refused).toMatchObject({
          status: 1,
          output: expect.stringContaining('another command is changing the keys'),
        });
      });
      expect(listed('keys/retired')).toEqual([]);
      const all = await Promise.all((LONG ? [1, 2, 3, 4] : [1, 2, 3]).map(() => keys('rotate', 'seal')));
      const done = all.filter(({ status }) => status === 0);
      expect(done.length).toBeGreaterThan(0);
      for (const { status, output } of all) if (status !== 0) expect(output).toContain('another command is changing');
      expect(listed('keys/retired')).toHaveLength(done.length);
      expect(listed('certs/retired')).toHaveLength(done.length);
      await sound();
    },
    PATIENCE,
  );

  test.each([
    ['seal', 'certs/seal.next.pem'],
    ['link', 'keys/link.next.key'],
  ] as const)(
    'C3 rotate %s, killed at a change of a file: the old one is whole and in use, or the new one',
    async (name, decisive) => {
      const isNew: boolean[] = [];
      const current = async () => (name === 'link' ? new Secrets(folder, 'link').newest.id : (await sound()).seal);
      const { changes } = await traced(['keys', 'rotate', name]);
      const decides = changes.indexOf(`rename ${at(decisive)}`) + 1;
      expect(decides).toBeGreaterThan(4);
      const points = LONG
        ? changes.map((_, i) => i + 1)
        : name === 'link'
          ? [decides]
          : [changes.findIndex(change => change.startsWith('write ')) + 1, decides, decides + 1];
      let after = await current();
      for (const point of points.filter(one => one <= changes.length)) {
        const before = after;
        const outcome = await signpost(['keys', 'rotate', name], { FAULT: 'kill', FAULT_AT: String(point) });
        after = await current();
        expect(outcome, `killed at ${changes[point - 1]}`).toMatchObject({ output: '' });
        expect(outcome.status).not.toBe(0);
        isNew.push(after !== before);
        // Nothing has changed until one moment, from which on all has.
        expect(after !== before, `killed at ${changes[point - 1]}`).toBe(point > decides);
        // What was in use before is kept either way.
        if (name === 'link') expect(new Secrets(folder, 'link').all().some(({ id }) => id === before)).toBe(true);
        else if (after !== before) expect(listed('keys/retired')).toContain(`seal-${before}.p8`);
      }
      expect(isNew.filter(Boolean)).toHaveLength(name === 'link' ? 0 : 1);
      const before = after;
      expect(await keys('rotate', name)).toMatchObject({ status: 0 });
      expect(await current()).not.toBe(before);
      expect([...listed('keys'), ...listed('certs')].filter(file => file.includes('next'))).toEqual([]);
      if (!LONG && name === 'link') return;
      expect(await keys('list')).toMatchObject({ status: 0 });
      const verified = await signpost(['evidence', 'verify']);
      expect(verified, verified.output).toMatchObject({ output: expect.stringContaining('The evidence log is whole') });
    },
    PATIENCE,
  );

  test.each(['seal', 'verdict'] as const)(
    'C3 rotate %s on a full disk: refused in words, nothing has changed and nothing is left lying about',
    async name => {
      const { changes } = await traced(['keys', 'rotate', name]);
      const inUse = () =>
        ['certs/seal.pem', 'keys/seal.p8', 'keys/verdict.key'].map(file => readFileSync(at(file), 'utf8')).join();
      const before = inUse();
      // Renaming and removing take no room.
      const room = changes.filter(change => !change.startsWith('rm '));
      const until = room.findIndex(change => change.startsWith('rename '));
      expect(until).toBeGreaterThan(3);
      const first = room.findIndex(change => change.startsWith('write '));
      for (const point of LONG
        ? Array.from({ length: until }, (_, i) => i + 1)
        : name === 'seal'
          ? [first + 1, until]
          : [until]) {
        const faults = { FAULT: 'full', FAULT_AT: String(point) };
        const { status, output } = await signpost(['keys', 'rotate', name], faults);
        expect(output, `full at ${room[point - 1]}`).toBe(
          'signpost: the disk is full: nothing was changed; make room, then try again\n',
        );
        expect(status).toBe(1);
        expect(inUse(), `full at ${room[point - 1]}`).toBe(before);
        expect([...listed('keys'), ...listed('certs')].filter(file => file.includes('next'))).toEqual([]);
      }
      expect(await keys('rotate', name)).toMatchObject({ status: 0 });
      expect(inUse()).not.toBe(before);
      await sound();
    },
    PATIENCE,
  );
});

describe.skipIf(!has('openssl'))('keys of a gateway that runs as its own user', () => {
  beforeEach(init, PATIENCE);

  test(
    'generate on a full disk: refused in words, and nothing is in the way of the next try',
    async () => {
      for (const file of ['keys/tsa.p8', 'certs/tsa.pem']) rmSync(at(file));
      const removed = () => {
        for (const file of ['keys/tsa.p8', 'certs/tsa.pem']) rmSync(at(file));
      };
      const { status, changes } = await traced(['keys', 'generate', 'tsa']);
      expect(status).toBe(0);
      removed();
      const room = changes.filter(change => !change.startsWith('rm '));
      expect(room.length).toBeGreaterThan(3);
      // Its certificate half written, the key whole.
      for (const point of LONG ? room.map((_, i) => i + 1) : [room.length]) {
        const full = await signpost(['keys', 'generate', 'tsa'], { FAULT: 'full', FAULT_AT: String(point) });
        expect(full.status, `full at ${room[point - 1]}`).not.toBe(0);
        expect(full.output).toContain('the disk is full');
        for (const file of ['keys/tsa.p8', 'certs/tsa.pem']) expect(existsSync(at(file)), file).toBe(false);
      }
      expect(await keys('generate', 'tsa')).toMatchObject({ status: 0 });
      await sound();
    },
    PATIENCE,
  );

  test.skipIf(process.geteuid?.() !== 0)(
    'C3 rotate as root, with a umask that hides everything: keys are the user’s alone, certificates for everybody',
    async () => {
      const nobody = 65_534;
      for (const file of ['keys', ...listed('keys').map(name => `keys/${name}`)]) chownSync(at(file), nobody, nobody);
      const umask = process.umask(0o077);
      try {
        for (const name of LONG ? ['seal', 'timestamp', 'link', 'verdict'] : ['seal', 'link'])
          expect(await keys('rotate', name)).toMatchObject({ status: 0 });
      } finally {
        process.umask(umask);
      }
      const all = [
        ...listed('keys').map(name => `keys/${name}`),
        ...listed('keys/retired').map(name => `keys/retired/${name}`),
      ];
      expect(all.length).toBeGreaterThan(10);
      for (const file of all) expect(statSync(at(file)), file).toMatchObject({ uid: nobody, gid: nobody });
      for (const file of all.filter(name => /\.(p8|key)$/.test(name)))
        expect(statSync(at(file)).mode & 0o777).toBe(0o600);
      for (const name of ['seal', 'tsa']) expect(statSync(at(`certs/${name}.pem`)).mode & 0o777).toBe(0o644);
    },
    PATIENCE,
  );
});

describe.skipIf(!has('openssl', 'softhsm2'))('keys on a token', () => {
  let hsm: SoftHsm;
  const place = (name: string) => ({
    pkcs11: { module: SOFTHSM_MODULE, token: hsm.label, label: `the ${name}`, pinFile: 'keys/pin' },
  });
  const places = () => ({ ca: place('ca'), seal: place('seal'), tsa: place('tsa') });
  beforeAll(async () => {
    hsm = new SoftHsm();
    await init();
    workspace.put(`site-${count}/keys/pin`, `${hsm.pin}\n`);
    const config = readFileSync(at('signpost.yaml'), 'utf8');
    workspace.put(
      `site-${count}/signpost.yaml`,
      config.replace(/^pki:$/m, `pki: ${JSON.stringify({ keys: places() })}`),
    );
    for (const name of ['ca', 'seal', 'tsa']) {
      rmSync(at(`keys/${name}.p8`));
      rmSync(at(`certs/${name}.pem`));
      expect(await keys('generate', name)).toMatchObject({ status: 0 });
    }
  }, PATIENCE);
  afterAll(() => hsm.remove());

  test(
    'C3 rotate seal, timestamp: a second key of the same label; who runs signs on with the old one until told, then with the new one',
    async () => {
      const pki = await load(workspace, { folder, passphrase: passphrase(), pki: { keys: places(), global: null } });
      const signed = async (identity: LoadedPki['seal']): Promise<string> => {
        const data = workspace.put('data', 'to be signed');
        workspace.put('signature', await identity.key.sign(readFileSync(data)));
        workspace.put('own.pem', pem(identity.certificate));
        workspace.put('own.pub', workspace.must('x509', '-in', 'own.pem', '-noout', '-pubkey'));
        const checked = ['-sha256', '-verify', 'own.pub', '-signature', 'signature', 'data'];
        expect(workspace.must('dgst', ...checked)).toContain('Verified OK');
        return parseCertificate(identity.certificate).serial;
      };
      const old = pki.seal;
      const before = await signed(old);
      for (const name of ['seal', 'timestamp']) {
        const { status, output } = await keys('rotate', name, '--algorithm', 'ecdsa-p384');
        expect(status, output).toBe(0);
      }
      expect(existsSync(at('keys/seal.p8'))).toBe(false);
      expect(await signed(pki.seal)).toBe(before);
      expect((await pki.reload()).map(({ name }) => name)).toEqual(['seal', 'tsa']);
      expect(await signed(pki.seal)).toBe(serialOf('certs/seal.pem'));
      expect(pki.seal.key.algorithm).toBe('ecdsa-p384-sha256');
      // What was begun with the old one ends with it.
      expect(await signed(old)).toBe(before);
      const { certificates } = await pki.timestamps.stamp(Buffer.alloc(32, 5));
      expect(parseCertificate(certificates[0]!).serial).toBe(serialOf('certs/tsa.pem'));
      expect(await keys('list')).toMatchObject({ status: 0 });
      expect(await keys('renew', 'seal')).toMatchObject({ status: 0 });
      await pki.reload();
      expect(await signed(pki.seal)).toBe(serialOf('certs/seal.pem'));
    },
    PATIENCE,
  );
});
