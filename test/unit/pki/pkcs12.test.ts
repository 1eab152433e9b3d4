/** PKCS#12 files as openssl exports them. */
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Pkcs12Error, type Pkcs12Fault, readPkcs12 } from '../../../src/pki/pkcs12.ts';
import { fromPem } from '../../../src/pki/x509.ts';
import { has } from '../../support/tools.ts';
import { Workspace } from './support.ts';

const PASSWORD = 'Pässwort für 𝔘nicode';

const FORMS: Record<string, string[]> = {
  'modern (AES-256, PBKDF2)': [],
  'modern with SHA-512': ['-macalg', 'sha512'],
  'AES-128 in PBES2': ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-128-CBC', '-iter', '50000'],
  'legacy (3DES and RC2-40)': ['-legacy'],
  'legacy with RC2-128': ['-legacy', '-certpbe', 'PBE-SHA1-RC2-128'],
  'legacy with 3DES': ['-legacy', '-descert', '-macalg', 'sha1'],
  'certificate unencrypted': ['-certpbe', 'NONE'],
  'key unencrypted': ['-keypbe', 'NONE'],
  'without a MAC': ['-nomac'],
};

describe.skipIf(!has('openssl'))('PKCS#12', () => {
  const workspace = new Workspace();
  afterAll(() => workspace.remove());

  beforeAll(() => {
    for (const [name, algorithm, option] of [
      ['ec', 'EC', 'ec_paramgen_curve:P-256'],
      ['rsa', 'RSA', 'rsa_keygen_bits:2048'],
    ] as const) {
      workspace.must('genpkey', '-algorithm', algorithm, '-pkeyopt', option, '-out', `${name}.key`);
      workspace.must(
        'req',
        '-x509',
        '-new',
        '-key',
        `${name}.key`,
        '-subj',
        `/CN=${name}`,
        '-days',
        '9',
        '-out',
        `${name}.pem`,
      );
    }
    workspace.put('password', PASSWORD);
  });

  const made = (...args: string[]): Uint8Array => {
    workspace.must('pkcs12', '-export', '-out', 'made.p12', '-passout', 'file:password', ...args);
    return readFileSync(workspace.path('made.p12'));
  };
  const fault = async (file: Uint8Array, password = PASSWORD): Promise<Pkcs12Fault> => {
    const error = await readPkcs12(file, password).then(
      () => null,
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(Pkcs12Error);
    return (error as Pkcs12Error).fault;
  };

  describe.each(['ec', 'rsa'])('with an %s key', kind => {
    it.each(Object.keys(FORMS))('%s: key and certificate are read, and no other password opens it', async form => {
      const file = made('-inkey', `${kind}.key`, '-in', `${kind}.pem`, '-name', 'Söme name', ...FORMS[form]!);
      const { privateKey, certificate } = await readPkcs12(file, PASSWORD);
      expect(privateKey.equals(createPrivateKey(readFileSync(workspace.path(`${kind}.key`))))).toBe(true);
      expect([certificate]).toEqual(fromPem(readFileSync(workspace.path(`${kind}.pem`), 'utf8')));
      const wrong = form === 'without a MAC' ? ['wrong-password', 'damaged'] : ['wrong-password'];
      for (const password of ['', `${PASSWORD} `, 'wrong']) expect(wrong).toContain(await fault(file, password));
    });
  });

  it("finds the key's certificate among its issuers", async () => {
    const file = made('-inkey', 'ec.key', '-in', 'ec.pem', '-certfile', 'rsa.pem');
    expect([(await readPkcs12(file, PASSWORD)).certificate]).toEqual(
      fromPem(readFileSync(workspace.path('ec.pem'), 'utf8')),
    );
  });

  it('says when there is no key or no certificate, and when it is no PKCS#12', async () => {
    expect(await fault(made('-nokeys', '-in', 'ec.pem'))).toBe('no-key');
    expect(await fault(made('-nocerts', '-inkey', 'ec.key'))).toBe('no-certificate');
    expect(await fault(readFileSync(workspace.path('ec.pem')))).toBe('damaged');
    expect(await fault(new Uint8Array())).toBe('damaged');
  });

  it('damage of any kind is a typed error or harmless', async () => {
    const file = made('-inkey', 'ec.key', '-in', 'ec.pem');
    const key = createPrivateKey(readFileSync(workspace.path('ec.key')));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(file.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (at, change, cut) => {
          const damaged = cut
            ? file.slice(0, at)
            : Uint8Array.from(file, (octet, index) => (index === at ? octet ^ change : octet));
          const read = await readPkcs12(damaged, PASSWORD).catch((error: unknown) => error);
          if (read instanceof Error) expect(read).toBeInstanceOf(Pkcs12Error);
          else expect((read as { privateKey: typeof key }).privateKey.equals(key)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});
