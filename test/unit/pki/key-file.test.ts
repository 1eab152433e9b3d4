import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { chmodSync, readFileSync, statSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import {
  generateKey,
  KeyFileError,
  loadKeyFile,
  readPassphrase,
  signingKey,
  writeKeyFile,
} from '../../../src/pki/key-file.ts';
import { has } from '../../support/tools.ts';
import { ALGORITHMS, PASSPHRASE, Workspace } from './support.ts';

const workspace = new Workspace();
afterAll(() => workspace.remove());

const fault = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => null,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(KeyFileError);
  return (error as KeyFileError).fault;
};

describe.each(ALGORITHMS)('key file, %s', algorithm => {
  const path = workspace.path(`${algorithm}.p8`);

  it('is written with mode 0600, loads again, and signs', async () => {
    const key = await generateKey(algorithm);
    await writeKeyFile(path, key, PASSPHRASE);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const loaded = await loadKeyFile(path, PASSPHRASE, algorithm);
    expect(loaded.algorithm).toBe(algorithm);
    const signature = await loaded.sign(Buffer.from('data'));
    expect(verify('sha256', Buffer.from('data'), createPublicKey(key), signature)).toBe(true);
  });

  it.skipIf(!has('openssl'))('is read by openssl, with scrypt and AES-256-CBC', () => {
    const text = workspace.must('pkey', '-in', path, '-passin', `pass:${PASSPHRASE}`, '-noout', '-text');
    expect(text).toMatch(
      algorithm === 'rsa-sha256' ? /3072 bit/ : algorithm === 'ecdsa-p384-sha256' ? /P-384/ : /P-256/,
    );
    expect(workspace.openssl('pkey', '-in', path, '-passin', 'pass:wrong', '-noout').status).not.toBe(0);
    const parsed = workspace.must('asn1parse', '-in', path);
    expect(parsed).toMatch(/PBES2[\s\S]*scrypt|PBES2[\s\S]*1\.3\.6\.1\.4\.1\.11591\.4\.11/);
    expect(parsed).toMatch(/aes-256-cbc/);
  });

  it('is never overwritten', async () => {
    const before = readFileSync(path);
    expect(await fault(writeKeyFile(path, await generateKey('ecdsa-p256-sha256'), PASSPHRASE))).toBe('exists');
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('tells what is wrong with it', async () => {
    const text = readFileSync(path, 'utf8');
    expect(await fault(loadKeyFile(path, 'wrong'))).toBe('wrong-passphrase');
    expect(await fault(loadKeyFile(workspace.path('none.p8'), PASSPHRASE))).toBe('missing');
    expect(await fault(loadKeyFile(workspace.put('short.p8', text.slice(0, 200)), PASSPHRASE))).toBe('damaged');
    expect(
      await fault(loadKeyFile(workspace.put('cut.p8', text.replace(/\n[^\n]+\n-----END/, '\n-----END')), PASSPHRASE)),
    ).toBe('damaged');
    expect(await fault(loadKeyFile(workspace.put('empty.p8', ''), PASSPHRASE))).toBe('damaged');
    const other = algorithm === 'rsa-sha256' ? 'ecdsa-p256-sha256' : 'rsa-sha256';
    expect(await fault(loadKeyFile(path, PASSPHRASE, other))).toBe('wrong-kind');
    chmodSync(path, 0o640);
    expect(await fault(loadKeyFile(path, PASSPHRASE))).toBe('readable-by-others');
    chmodSync(path, 0o600);
  });
});

it.skipIf(!has('openssl'))(
  'a key encrypted by openssl pkcs8 -scrypt is loaded; an unencrypted one is refused',
  async () => {
    workspace.must('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'plain.pem');
    workspace.must(
      'pkcs8',
      '-topk8',
      '-scrypt',
      '-in',
      'plain.pem',
      '-out',
      'foreign.p8',
      '-passout',
      `pass:${PASSPHRASE}`,
    );
    chmodSync(workspace.path('foreign.p8'), 0o600);
    expect((await loadKeyFile(workspace.path('foreign.p8'), PASSPHRASE)).algorithm).toBe('ecdsa-p256-sha256');
    chmodSync(workspace.path('plain.pem'), 0o600);
    expect(await fault(loadKeyFile(workspace.path('plain.pem'), PASSPHRASE))).toBe('not-encrypted');
  },
);

it.each([
  ['P-521', () => generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey],
  ['Ed25519', () => generateKeyPairSync('ed25519').privateKey],
  ['RSA with 1024 bits', () => generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey],
])('a %s key never signs', (_, key) => {
  expect(() => signingKey(key())).toThrow(TypeError);
});

describe('passphrase', () => {
  it('loses its line end only, and is refused when empty or readable by others', async () => {
    expect(await readPassphrase(workspace.put('pass', ' two words \n'), undefined)).toBe(' two words ');
    expect(await readPassphrase(workspace.put('pass', 'x'), undefined)).toBe('x');
    expect(await fault(readPassphrase(workspace.put('pass', '\n'), undefined))).toBe('damaged');
    chmodSync(workspace.put('pass', 'x\n'), 0o644);
    expect(await fault(readPassphrase(workspace.path('pass'), undefined))).toBe('readable-by-others');
    expect(await fault(readPassphrase(workspace.path('nothing'), undefined))).toBe('missing');
  });

  it('may be readable by others where systemd guards it', async () => {
    const path = workspace.put('credentials/passphrase', 'from systemd\n');
    chmodSync(path, 0o444);
    expect(await readPassphrase(path, workspace.path('credentials'))).toBe('from systemd');
    expect(await fault(readPassphrase(path, workspace.path('cred')))).toBe('readable-by-others');
  });
});
