/** CAdES signatures in the eyes of OpenSSL, and what our own verification makes of those that were changed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LoadedPki } from '../../../src/pki/load.ts';
import type { SignatureAlgorithm } from '../../../src/pki/pki.ts';
import { completeCades, prepareCades } from '../../../src/signatures/cades.ts';
import { verifyCades } from '../../../src/signatures/cades-verify.ts';
import { SignatureInvalid } from '../../../src/signatures/invalid.ts';
import { BadSignature } from '../../../src/signatures/verify.ts';
import { makePki } from '../../support/pades.ts';
import { personSigner, sealSigner, type TestSigner } from '../../support/signers.ts';
import { has, run } from '../../support/tools.ts';
import { opensslTs, pem, takeApart, withFiles } from '../02-pades/signed-file.ts';

const TIME = new Date('2026-11-24T14:03:09Z');
const CONTENTS: Readonly<Record<string, Uint8Array>> = {
  text: Buffer.from('Dear Mary,\n\nI agree.\n'),
  'nothing at all': new Uint8Array(),
  'a megabyte of anything': Uint8Array.from({ length: 1 << 20 }, (_, index) => (index * 7919) >> 5),
};

interface Case {
  readonly name: string;
  readonly keys: SignatureAlgorithm;
  readonly signerOf: (pki: LoadedPki) => TestSigner | Promise<TestSigner>;
}

const CASES: readonly Case[] = [
  { name: "a person's device, P-256", keys: 'ecdsa-p256-sha256', signerOf: pki => personSigner(pki) },
  { name: 'the seal, P-256', keys: 'ecdsa-p256-sha256', signerOf: sealSigner },
  { name: 'the seal, RSA', keys: 'rsa-sha256', signerOf: sealSigner },
];

describe.each(CASES)('CAdES B-T by $name', ({ keys, signerOf }) => {
  let pki: LoadedPki;
  let signer: TestSigner;
  let trust: string;

  beforeAll(async () => {
    pki = await makePki(keys);
    signer = await signerOf(pki);
    trust = pki.anchors.map(pem).join('');
  });

  async function signed(content: Uint8Array, detached: boolean): Promise<Uint8Array> {
    const prepared = prepareCades(content, { certificate: signer.certificate, signingTime: TIME });
    const { timestamps } = pki;
    return completeCades(prepared, content, await signer.sign(prepared.toBeSigned), { detached, timestamps });
  }

  function openssl(cms: Uint8Array, content: Uint8Array | null) {
    const files = { 'cms.der': cms, 'trust.pem': trust, ...(content ? { content } : {}) };
    return withFiles(files, folder => {
      const { status } = run('openssl', [
        ...['cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-in', join(folder, 'cms.der')],
        ...(content ? ['-content', join(folder, 'content')] : []),
        ...['-CAfile', join(folder, 'trust.pem'), '-out', join(folder, 'out')],
      ]);
      return { status, content: status === 0 ? new Uint8Array(readFileSync(join(folder, 'out'))) : null };
    });
  }

  test.skipIf(!has('openssl')).each(Object.keys(CONTENTS))('B3 openssl verifies it, detached: %s', async name => {
    const content = CONTENTS[name]!;
    const p7s = await signed(content, true);
    expect(openssl(p7s, content)).toEqual({ status: 0, content: new Uint8Array(content) });
    expect(openssl(p7s, Buffer.concat([content, Buffer.from('.')])).status).not.toBe(0);
  });

  test.skipIf(!has('openssl')).each(Object.keys(CONTENTS))('B3 openssl verifies it, embedded: %s', async name => {
    const p7m = await signed(CONTENTS[name]!, false);
    expect(openssl(p7m, null)).toEqual({ status: 0, content: new Uint8Array(CONTENTS[name]!) });
    const { output } = withFiles({ 'cms.der': p7m }, folder =>
      run('openssl', ['cms', '-cmsout', '-print', '-inform', 'DER', '-in', join(folder, 'cms.der')]),
    );
    for (const attribute of ['contentType', 'messageDigest', 'signingTime', 'id-smime-aa-signingCertificateV2'])
      expect(output.split(`object: ${attribute} `)).toHaveLength(2);
    expect(output).toContain('Nov 24 14:03:09 2026 GMT');
    expect(output).toContain('id-smime-aa-timeStampToken');
  });

  test.skipIf(!has('openssl'))('B3 openssl accepts the signature-time-stamp', async () => {
    const { value, token } = takeApart(await signed(CONTENTS.text!, true));
    expect(opensslTs(token, value, trust)).toMatchObject({
      status: 0,
      output: expect.stringContaining('Verification: OK'),
    });
    expect(opensslTs(token, CONTENTS.text!, trust).status).not.toBe(0);
  });

  test('what is signed is the same for the same input', () => {
    const ask = { certificate: signer.certificate, signingTime: TIME };
    expect(prepareCades(CONTENTS.text!, ask)).toEqual(prepareCades(CONTENTS.text!, ask));
  });

  test('attributes of another content, and a signature by another key, are not completed', async () => {
    const options = { detached: true, timestamps: pki.timestamps };
    const prepared = prepareCades(CONTENTS.text!, { certificate: signer.certificate, signingTime: TIME });
    const good = await signer.sign(prepared.toBeSigned);
    await expect(completeCades(prepared, Buffer.from('other'), good, options)).rejects.toThrow(BadSignature);
    const other = await (await personSigner(pki, 'Max Mustermann')).sign(prepared.toBeSigned);
    const mixed = { ...good, algorithm: other.algorithm, signature: other.signature };
    await expect(completeCades(prepared, CONTENTS.text!, mixed, options)).rejects.toThrow(BadSignature);
  });

  test('our verification finds signer, content, time and timestamp', async () => {
    const content = CONTENTS.text!;
    for (const detached of [true, false]) {
      const found = verifyCades(await signed(content, detached), detached ? content : null);
      expect(Buffer.from(found.signer.der).equals(signer.certificate)).toBe(true);
      expect(Buffer.from(found.content).equals(content)).toBe(true);
      expect(found).toMatchObject({ detached, signingTime: TIME, hash: 'sha256' });
      expect(found.timestamps).toHaveLength(1);
      expect(found.certificates).toHaveLength(2);
    }
  });

  test('our verification says what is wrong', async () => {
    const content = CONTENTS.text!;
    const p7s = await signed(content, true);
    const sub = (cms: Uint8Array, given: Uint8Array | null): string => {
      try {
        verifyCades(cms, given);
        return 'passed';
      } catch (error) {
        if (!(error instanceof SignatureInvalid)) throw error;
        return error.subIndication;
      }
    };
    expect(sub(p7s, null)).toBe('SIGNED_DATA_NOT_FOUND');
    expect(sub(p7s, Buffer.from('other'))).toBe('HASH_FAILURE');
    expect(sub(await signed(content, false), Buffer.from('other'))).toBe('HASH_FAILURE');
    expect(sub(Buffer.from('no CMS'), content)).toBe('FORMAT_FAILURE');
    expect(sub(Buffer.concat([p7s, Buffer.from([0])]), content)).toBe('FORMAT_FAILURE');
  });

  test('B4 no flipped bit passes, but where it is the timestamp or another certificate', async () => {
    const p7m = await signed(CONTENTS.text!, false);
    const { signer: own, timestamps, certificates } = verifyCades(p7m, null);
    const unsigned = [...certificates.slice(1).map(({ der }) => der), ...timestamps].map(part => {
      const start = Buffer.from(p7m).indexOf(part);
      return { start, end: start + part.length };
    });
    for (let at = 0; at < p7m.length; at++) {
      if (unsigned.some(({ start, end }) => at >= start && at < end)) continue;
      const changed = Uint8Array.from(p7m);
      changed[at]! ^= 1 << (at % 8);
      let passed: string | null = null;
      try {
        const found = verifyCades(changed, null);
        // What stands between the unsigned parts may make a part go away, never change what is signed or by whom.
        const same = Buffer.from(found.signer.der).equals(own.der) && Buffer.from(found.content).equals(CONTENTS.text!);
        const complete = found.timestamps.length === 1 && found.certificates.length === certificates.length;
        if (!same || complete) passed = `byte ${at}`;
      } catch (error) {
        expect(error).toBeInstanceOf(SignatureInvalid);
      }
      expect(passed).toBeNull();
    }
  });
});
