/** One contract for every kind of signing key, and what a token alone can do. */
import { verify } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toProblem } from '../../../src/http/problems.ts';
import { generateKey, loadKeyFile, signingKey, writeKeyFile } from '../../../src/pki/key-file.ts';
import { Token, TokenError } from '../../../src/pki/pkcs11/token.ts';
import type { SignatureAlgorithm, SigningKey } from '../../../src/pki/pki.ts';
import { rootProfile } from '../../../src/pki/profiles.ts';
import { publicKeyInfoOf, signCertificate } from '../../../src/pki/x509.ts';
import { SOFTHSM_MODULE, SoftHsm } from '../../support/softhsm.ts';
import { has } from '../../support/tools.ts';
import { ALGORITHMS, COMPANY, PASSPHRASE, pem, silent, Workspace } from './support.ts';

const workspace = new Workspace();
afterAll(() => workspace.remove());

/** The kernel's own list: children that run our token child. */
function tokenChildren(): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        const [, parent] = /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
        return (
          parent === String(process.pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('pkcs11/child.ts')
        );
      } catch {
        return false;
      }
    });
}

const fault = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => null,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(TokenError);
  return (error as TokenError).fault;
};

function contract(make: (algorithm: SignatureAlgorithm) => Promise<{ made: SigningKey; opened: SigningKey }>) {
  describe.each(ALGORITHMS)('%s', algorithm => {
    let made: SigningKey;
    let key: SigningKey;
    beforeAll(async () => {
      ({ made, opened: key } = await make(algorithm));
    });

    it('opens as the key that was made, and says its algorithm', () => {
      expect(key.algorithm).toBe(algorithm);
      expect(publicKeyInfoOf(key.publicKey)).toEqual(publicKeyInfoOf(made.publicKey));
    });

    it('signs what node:crypto verifies: nothing, a little, a lot, and many at once', async () => {
      const inputs = [0, 1, 1_000_000, ...Array.from({ length: 20 }, (_, index) => index + 2)].map(n =>
        Buffer.alloc(n, 7),
      );
      const signatures = await Promise.all(inputs.map(input => key.sign(input)));
      for (const [index, input] of inputs.entries()) {
        expect(verify('sha256', input, key.publicKey, signatures[index]!)).toBe(true);
        expect(verify('sha256', Buffer.concat([input, input, Buffer.of(1)]), key.publicKey, signatures[index]!)).toBe(
          false,
        );
      }
    });

    it.skipIf(!has('openssl'))('C2 signs a certificate that openssl verifies', async () => {
      const certificate = await signCertificate(rootProfile(COMPANY, key.publicKey, new Date()), key);
      const path = workspace.put(`${algorithm}.pem`, pem(certificate));
      expect(workspace.must('verify', '-x509_strict', '-check_ss_sig', '-CAfile', path, path)).toContain('OK');
    });
  });
}

describe('SigningKey contract: file', () => {
  contract(async algorithm => {
    const path = workspace.path(`contract-${algorithm}.p8`);
    const key = await generateKey(algorithm);
    await writeKeyFile(path, key, PASSPHRASE);
    return { made: signingKey(key), opened: await loadKeyFile(path, PASSPHRASE) };
  });
});

describe.skipIf(!has('softhsm2'))('SigningKey contract: PKCS#11', () => {
  let hsm: SoftHsm;
  let token: Token;
  const others: Token[] = [];
  const open = (
    options: { pin?: () => Promise<string>; module?: string; label?: string; timeout?: number } = {},
  ): Token => {
    const pin = () => Promise.resolve(hsm.pin);
    return new Token({ module: SOFTHSM_MODULE, label: hsm.label, pin, logger: silent, ...options });
  };
  beforeAll(() => {
    hsm = new SoftHsm();
    token = open();
  });
  afterAll(() => {
    token.close();
    hsm.remove();
  });

  contract(async algorithm => {
    const made = await token.generate(algorithm, algorithm);
    const other = open();
    others.push(other);
    return { made, opened: await other.key(algorithm) };
  });

  it('a key is never made twice, and an unknown one is named', async () => {
    const before = publicKeyInfoOf((await token.key('rsa-sha256')).publicKey);
    expect(await fault(token.generate('rsa-sha256', 'ecdsa-p256-sha256'))).toBe('exists');
    expect(publicKeyInfoOf((await token.key('rsa-sha256')).publicKey)).toEqual(before);
    expect(await fault(token.key('nobody'))).toBe('no-key');
  });

  it('a wrong PIN is tried once, whatever is asked, until another one is given', async () => {
    await token.key('rsa-sha256');
    for (const other of others) other.close();
    await expect.poll(() => tokenChildren().length).toBe(1);
    let pin = 'wrong-pin';
    const wrong = open({ pin: () => Promise.resolve(pin) });
    await expect(wrong.key('rsa-sha256')).rejects.toThrow('is wrong');
    await expect.poll(() => tokenChildren().length).toBe(1);
    for (let n = 0; n < 5; n++) {
      await expect(wrong.key('rsa-sha256')).rejects.toThrow("isn't tried again");
      // The other token's child only: none was started to try again.
      expect(tokenChildren()).toHaveLength(1);
    }
    pin = hsm.pin;
    expect((await wrong.key('rsa-sha256')).algorithm).toBe('rsa-sha256');
    wrong.close();
    await expect.poll(() => tokenChildren().length).toBe(1);
  });

  it('a token taken out is a typed error, and signs again when it is back', async () => {
    const key = await token.key('ecdsa-p256-sha256');
    await key.sign(Buffer.from('in'));
    hsm.takeOut();
    try {
      expect(await fault(key.sign(Buffer.from('out')))).toBe('no-token');
      const error: unknown = await key.sign(Buffer.from('out')).catch((error: unknown) => error);
      expect(error).toMatchObject({ name: 'TokenError', fault: 'no-token' });
      expect(toProblem(error)).toMatchObject({ type: 'try-later', status: 503 });
    } finally {
      hsm.putBack();
    }
    const data = Buffer.from('back');
    expect(verify('sha256', data, key.publicKey, await key.sign(data))).toBe(true);
  });

  it('a session lost while running is opened again, unnoticed', async () => {
    const key = await token.key('ecdsa-p256-sha256');
    // Out and in again: the session's objects are gone, the token is there.
    hsm.takeOut();
    hsm.putBack();
    const data = Buffer.from('again');
    expect(verify('sha256', data, key.publicKey, await key.sign(data))).toBe(true);
  });

  it('a module that dies takes only its child along, and the next signature has a new one', async () => {
    const key = await token.key('rsa-sha256');
    for (const when of ['idle', 'busy'] as const) {
      const children = tokenChildren();
      expect(children).toHaveLength(1);
      const signing = when === 'busy' ? key.sign(Buffer.from(when)) : null;
      for (const pid of children) process.kill(pid, 'SIGSEGV');
      const signature = await (signing ?? key.sign(Buffer.from(when)));
      expect(verify('sha256', Buffer.from(when), key.publicKey, signature)).toBe(true);
    }
  });

  it('what is no module, and a module that hangs, are typed errors', async () => {
    expect(await fault(open({ module: '/nonexistent.so' }).key('x'))).toBe('module');
    expect(await fault(open({ module: process.execPath }).key('x'))).toBe('module');
    expect(await fault(open({ timeout: 1 }).key('rsa-sha256'))).toBe('unavailable');
    expect(await fault(open({ label: 'another' }).key('rsa-sha256'))).toBe('no-token');
  });

  it('C8 the PIN is in no environment and on no command line', () => {
    // A child of an earlier test may be ending: it has no files any more.
    const alive = (path: string) => {
      try {
        return readFileSync(path, 'latin1');
      } catch {
        return '';
      }
    };
    expect(readFileSync('/proc/self/environ', 'latin1')).not.toContain(hsm.pin);
    for (const pid of [process.pid, ...tokenChildren()]) {
      for (const file of ['environ', 'cmdline']) expect(alive(`/proc/${pid}/${file}`)).not.toContain(hsm.pin);
    }
  });
});
