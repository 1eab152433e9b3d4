/** Certificates and lists made to harm: damaged, circular, countless, by weak algorithms. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DerError, der } from '../../../../src/pki/der.ts';
import { basicConstraints, extension, KEY_USAGE, keyUsage } from '../../../../src/pki/extensions.ts';
import { parsePathCertificate } from '../../../../src/pki/path/certificate.ts';
import { parseCrl } from '../../../../src/pki/path/crl.ts';
import { validatePath } from '../../../../src/pki/path/path.ts';
import { CA, certificate, corpora, crl, key, keyIdentifiers, type Made, NOW, name } from './support.ts';

const ROOT = certificate({ subject: name('root'), issuer: name('root'), key: key(0), signer: key(0), extensions: CA });
const issued = (subject: string, issuer: string, own: number, signer: number, extensions: readonly Uint8Array[] = CA) =>
  certificate({ subject: name(subject), issuer: name(issuer), key: key(own), signer: key(signer), extensions });

const judge = (target: Made, candidates: readonly Made[], anchors = [ROOT]) =>
  validatePath({ certificate: target, candidates, anchors, time: NOW, revocation: null });

/** Some damage to bytes: flipped, cut, doubled, put in. */
const damage = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: fc.nat(4095), by: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(4095), by: fc.integer({ min: 1, max: 64 }) }),
  fc.record({ kind: fc.constant('insert' as const), at: fc.nat(4095), by: fc.nat(255) }),
  fc.record({ kind: fc.constant('double' as const), at: fc.nat(4095), by: fc.integer({ min: 1, max: 64 }) }),
);

type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

function damaged(bytes: Uint8Array, { kind, at, by }: Damage): Uint8Array {
  const start = at % bytes.length;
  const [head, tail] = [bytes.subarray(0, start), bytes.subarray(start)];
  if (kind === 'flip') return bytes.with(start, bytes[start]! ^ by);
  if (kind === 'cut') return Buffer.concat([head, tail.subarray(by)]);
  if (kind === 'insert') return Buffer.concat([head, Uint8Array.of(by), tail]);
  return Buffer.concat([head, tail.subarray(0, by), tail]);
}

const RUNS = 3000;

describe('damaged bytes', () => {
  const authority = issued('ca', 'root', 1, 0, [...CA, ...keyIdentifiers(key(1), key(0))]);
  const target = issued('end', 'ca', 2, 1, [keyUsage(KEY_USAGE.digitalSignature), ...keyIdentifiers(key(2), key(1))]);
  const lists = [
    crl({ issuer: name('root'), signer: key(0), entries: [{ serial: 5, reason: 1 }] }),
    crl({ issuer: name('ca'), signer: key(1), entries: [{ serial: 6 }] }),
  ] as const;
  const judgeAll = (end: Made, ca: Made, crls: readonly Uint8Array[]) =>
    validatePath({ certificate: end, candidates: [ca], anchors: [ROOT], time: NOW, revocation: { crls } });

  it('of a certificate or a list never pass', () => {
    expect(judgeAll(target, authority, lists)).toMatchObject({ valid: true });
    fc.assert(
      fc.property(fc.nat(3), damage, (which, how) => {
        const [end, ca, ofRoot, ofCa] = [target.der, authority.der, ...lists].map((bytes, i) =>
          i === which ? damaged(bytes, how) : bytes,
        ) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
        expect(judgeAll({ der: end }, { der: ca }, [ofRoot, ofCa]).valid).toBe(false);
      }),
      { numRuns: RUNS, seed: 1 },
    );
  });

  it('are read, or refused as such', () => {
    const folder = corpora('pkits');
    const files = ['certs', 'crls'].flatMap(kind =>
      existsSync(join(folder, kind)) ? readdirSync(join(folder, kind)).map(file => join(folder, kind, file)) : [],
    );
    const samples = [target.der, lists[0], ...files.map(file => new Uint8Array(readFileSync(file)))];
    const parse = (bytes: Uint8Array) => {
      for (const parser of [parsePathCertificate, parseCrl]) {
        try {
          parser(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DerError);
        }
      }
    };
    fc.assert(
      fc.property(fc.nat(samples.length - 1), fc.array(damage, { maxLength: 3 }), (which, hows) =>
        parse(hows.reduce((bytes, how) => (bytes.length > 0 ? damaged(bytes, how) : bytes), samples[which]!)),
      ),
      { numRuns: RUNS, seed: 2 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), parse), { numRuns: RUNS, seed: 3 });
  });

  it.each<[string, Uint8Array]>([
    ['basic constraints', extension('2.5.29.19', der.null, true)],
    ['key usage with bits that are not used', extension('2.5.29.15', Uint8Array.of(3, 2, 7, 0x81), true)],
    ['an empty extended key usage', extension('2.5.29.37', der.sequence())],
    ['alternative names of an unknown form', extension('2.5.29.17', der.sequence(der.primitive(9, new Uint8Array())))],
    [
      'policies, one of them twice',
      extension('2.5.29.32', der.sequence(...[1, 2].map(() => der.sequence(der.oid('1.2.3'))))),
    ],
    ['empty policy constraints', extension('2.5.29.36', der.sequence())],
    ['a distribution point without a name', extension('2.5.29.31', der.sequence(der.sequence()))],
    ['a negative skip count', extension('2.5.29.54', Uint8Array.of(2, 1, 0xff))],
    ['half an authority key identifier', extension('2.5.29.35', der.sequence(der.primitive(2, Uint8Array.of(1))))],
  ])('that are %s refuse the certificate', (_, broken) => {
    expect(judge(issued('end', 'root', 1, 0, [broken]), [])).toMatchObject({ valid: false, rule: 'malformed' });
  });

  it('that say nothing of CAs count for nothing: an extension twice, one in version 1', () => {
    const twice = [keyUsage(KEY_USAGE.keyCertSign), keyUsage(KEY_USAGE.keyCertSign)];
    expect(judge(issued('end', 'root', 1, 0, twice), [])).toMatchObject({ rule: 'malformed' });
  });
});

describe('crowds', () => {
  it('that all vouch for each other end soon, and hide nobody', () => {
    const size = 24;
    const crowd = Array.from({ length: size }, (_, i) =>
      Array.from({ length: size }, (_, j) => issued(`member ${i}`, `member ${j}`, 10 + i, 10 + j)),
    ).flat();
    const target = issued('end', 'member 0', 1, 10, []);
    expect(judge(target, crowd)).toMatchObject({ valid: false, rule: 'too-complex' });
    const way = issued('member 3', 'root', 13, 0);
    expect(judge(target, [way, ...crowd])).toMatchObject({ valid: true });
  });

  it('of one name and many keys are told apart by their signatures', () => {
    const decoys = Array.from({ length: 300 }, (_, i) => issued('ca', 'root', 40 + (i % 100), 2));
    const [authority, target] = [issued('ca', 'root', 1, 0), issued('end', 'ca', 3, 1, [])];
    expect(judge(target, [...decoys, authority])).toMatchObject({ valid: true, chain: [target, authority, ROOT] });
  });

  it('are passed by where key identifiers show the way', () => {
    const decoys = Array.from({ length: 600 }, (_, i) =>
      issued('ca', 'root', 1000 + i, 2, [...CA, ...keyIdentifiers(key(1000 + i), key(2))]),
    );
    const [authority, target] = [
      issued('ca', 'root', 1, 0, [...CA, ...keyIdentifiers(key(1), key(0))]),
      issued('end', 'ca', 3, 1, keyIdentifiers(key(3), key(1))),
    ];
    expect(judge(target, [...decoys, authority])).toMatchObject({ valid: true });
    expect(judge(issued('end', 'ca', 3, 1, []), [...decoys, authority])).toMatchObject({ rule: 'too-complex' });
  });

  it('in a ring come back to nobody', () => {
    const ring = [0, 1, 2].map(i => issued(`ring ${i}`, `ring ${(i + 1) % 3}`, 20 + i, 20 + ((i + 1) % 3)));
    expect(judge(issued('end', 'ring 0', 1, 20, []), ring)).toMatchObject({ valid: false, rule: 'no-path' });
  });

  it('in a row are followed a few steps', () => {
    const row = Array.from({ length: 30 }, (_, i) =>
      issued(`row ${i}`, i === 0 ? 'root' : `row ${i - 1}`, 60 + i, i === 0 ? 0 : 59 + i),
    );
    expect(judge(issued('end', 'row 4', 1, 64, []), row)).toMatchObject({ valid: true });
    expect(judge(issued('end', 'row 29', 1, 89, []), row)).toMatchObject({ valid: false, rule: 'no-path' });
  });

  it('of lists that nobody signed end soon', () => {
    const authorities = Array.from({ length: 30 }, (_, i) => issued('ca', 'root', 200 + i, 0));
    const target = issued('end', 'ca', 1, 200, []);
    const crls = Array.from({ length: 60 }, (_, i) => crl({ issuer: name('ca'), signer: key(300), number: i }));
    const revocation = { crls: [crl({ issuer: name('root'), signer: key(0) }), ...crls] };
    const input = { certificate: target, candidates: authorities, anchors: [ROOT], time: NOW };
    expect(validatePath({ ...input, revocation })).toMatchObject({ valid: false, rule: 'too-complex' });
  });
});

describe('several ways to an anchor', () => {
  const target = issued('end', 'ca', 3, 1, []);

  it('count when one of them is good', () => {
    const bad = [
      issued('ca', 'root', 1, 2),
      issued('ca', 'root', 1, 0, []),
      issued('ca', 'root', 1, 0, [basicConstraints(null), keyUsage(KEY_USAGE.keyCertSign)]),
      issued('ca', 'nobody', 1, 2),
    ];
    const good = issued('ca', 'root', 1, 0);
    expect(judge(target, bad)).toMatchObject({ valid: false, rule: 'not-a-ca' });
    expect(judge(target, [...bad, good])).toMatchObject({ valid: true, chain: [target, good, ROOT] });
  });

  it('lead over a cross certificate to the anchor that is trusted', () => {
    const newRoot = issued('new root', 'new root', 5, 5);
    const authority = issued('ca', 'new root', 1, 5);
    const cross = issued('new root', 'root', 5, 0);
    expect(judge(target, [authority, cross], [newRoot])).toMatchObject({ chain: [target, authority, newRoot] });
    expect(judge(target, [authority, newRoot, cross])).toMatchObject({ chain: [target, authority, cross, ROOT] });
  });

  it('lead over a roll-over of keys, from either side', () => {
    const oldRoot = ROOT;
    const newRoot = issued('root', 'root', 7, 7);
    const newWithOld = issued('root', 'root', 7, 0);
    const oldWithNew = issued('root', 'root', 0, 7);
    const [byOld, byNew] = [issued('end', 'root', 3, 0, []), issued('end', 'root', 3, 7, [])];
    expect(judge(byNew, [newWithOld], [oldRoot])).toMatchObject({ valid: true, chain: [byNew, newWithOld, oldRoot] });
    expect(judge(byOld, [oldWithNew], [newRoot])).toMatchObject({ valid: true, chain: [byOld, oldWithNew, newRoot] });
    expect(judge(byNew, [], [oldRoot])).toMatchObject({ valid: false, rule: 'signature' });
  });

  it('end at an anchor that is no root, or that is the certificate itself', () => {
    const authority = issued('ca', 'root', 1, 0);
    expect(judge(target, [ROOT], [authority])).toMatchObject({ chain: [target, authority] });
    expect(judge(target, [], [target])).toMatchObject({ chain: [target] });
    expect(judge(target, [], [])).toMatchObject({ valid: false, rule: 'no-path' });
  });
});
