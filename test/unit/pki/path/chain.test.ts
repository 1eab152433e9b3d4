import { beforeAll, describe, expect, it } from 'vitest';
import { der } from '../../../../src/pki/der.ts';
import { basicConstraints, extension, KEY_USAGE, keyUsage } from '../../../../src/pki/extensions.ts';
import { generateKey, signingKey } from '../../../../src/pki/key-file.ts';
import { distinguishedName } from '../../../../src/pki/names.ts';
import { buildChain } from '../../../../src/pki/path/path.ts';
import { PathInvalid } from '../../../../src/pki/path/rules.ts';
import type { SigningKey } from '../../../../src/pki/pki.ts';
import {
  type Certificate,
  parseCertificate,
  publicKeyInfoOf,
  randomSerial,
  signCertificate,
} from '../../../../src/pki/x509.ts';
import { DAY } from '../support.ts';

const NOW = new Date();
const CA = [basicConstraints(3), keyUsage(KEY_USAGE.keyCertSign)];
const name = (text: string) => distinguishedName(['commonName', text]);

let keys: SigningKey[];
beforeAll(async () => {
  keys = await Promise.all([0, 1, 2, 3].map(async () => signingKey(await generateKey('ecdsa-p256-sha256'))));
});

interface Shape {
  readonly extensions?: readonly Uint8Array[];
  readonly days?: readonly [number, number];
  readonly issuer?: string;
  readonly signer?: number;
}

/** Certificate number `i` of a chain (0 is the root), issued by number i - 1. */
async function certificate(i: number, shape: Shape = {}): Promise<Certificate> {
  const [from, to] = shape.days ?? [-1, 1];
  const parent = Math.max(0, i - 1);
  const bytes = await signCertificate(
    {
      serial: randomSerial(),
      issuer: name(shape.issuer ?? `number ${parent}`),
      subject: name(`number ${i}`),
      notBefore: new Date(NOW.getTime() + from * DAY),
      notAfter: new Date(NOW.getTime() + to * DAY),
      publicKeyInfo: publicKeyInfoOf(keys[i]!.publicKey),
      extensions: shape.extensions ?? CA,
    },
    keys[shape.signer ?? parent]!,
  );
  return parseCertificate(bytes);
}

const chainOf = async (root: Shape, middle: Shape, end: Shape) => {
  const list = [await certificate(0, root), await certificate(1, middle), await certificate(2, end)] as const;
  return () => buildChain(list[2], [list[2], list[1]], [list[0]], NOW);
};

describe('a chain', () => {
  it('that is sound is found, whatever else is offered', async () => {
    const [root, middle, end] = [await certificate(0), await certificate(1), await certificate(2, { extensions: [] })];
    const decoys = [
      await certificate(1, { signer: 3 }),
      await certificate(1, { extensions: [] }),
      await certificate(3),
    ];
    expect(buildChain(end, [...decoys, middle], [root], NOW)).toEqual([end, middle, root]);
    expect(buildChain(end, [...decoys, middle], [middle], NOW)).toEqual([end, middle]);
    expect(buildChain(end, [], [end], NOW)).toEqual([end]);
  });

  it.each<[string, Shape, Shape, Shape, RegExp]>([
    ['an expired end', {}, {}, { days: [-2, -1] }, /validity/],
    ['an end not yet valid', {}, {}, { days: [1, 2] }, /validity/],
    ['an expired CA', {}, { days: [-2, -1] }, {}, /validity/],
    ['an expired anchor', { days: [-2, -1] }, {}, {}, /validity/],
    ['a signature by another key', {}, {}, { signer: 3 }, /signature/],
    ['a CA whose own signature is wrong', {}, { signer: 3 }, {}, /signature/],
    ['a name that does not chain', {}, {}, { issuer: 'somebody' }, /no issuer/],
    ['an issuer without basic constraints', {}, { extensions: [keyUsage(KEY_USAGE.keyCertSign)] }, {}, /not a CA/],
    [
      'an issuer that is no CA',
      {},
      { extensions: [basicConstraints(null), keyUsage(KEY_USAGE.keyCertSign)] },
      {},
      /not a CA/,
    ],
    ['an issuer without keyCertSign', {}, { extensions: [basicConstraints(0), keyUsage(0)] }, {}, /may not sign/],
    ['an issuer without key usage', {}, { extensions: [basicConstraints(0)] }, {}, /may not sign/],
    [
      'a path longer than allowed',
      { extensions: [basicConstraints(0), keyUsage(KEY_USAGE.keyCertSign)] },
      {},
      {},
      /longer/,
    ],
    [
      'an unknown critical extension',
      {},
      { extensions: [...CA, extension('1.2.3.4', der.null, true)] },
      {},
      /1\.2\.3\.4/,
    ],
    ['broken basic constraints', {}, { extensions: [extension('2.5.29.19', der.null, true), CA[1]!] }, {}, /./],
  ])('with %s is refused', async (_, root, middle, end, reason) => {
    const build = await chainOf(root, middle, end);
    expect(build).toThrow(PathInvalid);
    expect(build).toThrow(reason);
  });
});
