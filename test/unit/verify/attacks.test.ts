/** B5: no attack passes, every clean result does. */
import { beforeAll, describe, expect, test } from 'vitest';
import { completeFor, markOf } from '../../support/pades.ts';
import { append } from '../signatures/attacker.ts';
import { attacksOn, newest, shadows, sizeOf, stream, unchanged } from './attacks.ts';
import { LONG, makeSigned, makeWorld, randomNumbers, type SignedPdf, type World } from './world.ts';

let world: World;
let signed: SignedPdf;

beforeAll(async () => {
  world = await makeWorld();
  signed = await makeSigned(world, 2);
});

describe('attacks on finished and on signed files', () => {
  test('the attacker’s files pass as long as they change nothing', async () => {
    for (const file of [signed.closed, unchanged(signed.closed), signed.head, unchanged(signed.head)])
      expect(await world.verify(file, await world.withCrl())).toMatchObject({ indication: 'TOTAL-PASSED' });
  });

  test('B5 none passes', async () => {
    const attacks = attacksOn(signed);
    expect(attacks.length).toBeGreaterThan(40);
    const passed: string[] = [];
    for (const { name, make } of attacks) {
      const { indication, reason } = await world.verify(await make(), await world.withCrl());
      if (indication !== 'TOTAL-FAILED') passed.push(`${name}: ${indication}, ${reason}`);
    }
    expect(passed).toEqual([]);
  });

  test('a changed file is called changed, naming the object', async () => {
    const report = await world.verify(append(signed.closed, { objects: [{ number: 5, text: stream('q Q') }] }));
    expect(report.reason).toContain('modified after signing: a stream was changed (object 5 in revision 8)');
    expect(report.signatures.map(({ intact }) => intact)).toEqual(report.signatures.map(() => false));
  });
});

describe('shadow attacks: what is changed between genuine signatures', () => {
  /** On how many of them our own tools put a genuine signature. */
  let reached = 0;

  test.each(Object.entries(shadows))('B5 does not pass: %s', async (_, change) => {
    let evil: SignedPdf;
    try {
      evil = await makeSigned(world, 2, [0, 1], head => (head.length > signed.certified.length ? change(head) : head));
    } catch {
      // Our own tools refuse to sign on top of it.
      return;
    }
    reached++;
    expect(await world.verify(evil.closed, await world.withCrl())).toMatchObject({ indication: 'TOTAL-FAILED' });
  });

  test('most of these were signed again and closed', () => {
    expect(reached).toBeGreaterThan(30);
  });

  test('B5 something that the signed page refers to appears later', async () => {
    const { documents, pki } = world;
    const { certified, layout, signatories } = signed;
    // The number that the second signatory's appearance will have is drawn by a page before it exists.
    const file = Buffer.from(certified).toString('latin1');
    expect(file).toContain('/Size');
    const size = sizeOf(certified);
    const early = append(certified, {
      objects: [
        { number: 3, text: newest(certified, 3).replace('/Contents 5 0 R', `/Contents [5 0 R ${size + 1} 0 R]`) },
      ],
    });
    const prepared = await documents.prepareSignature(early, layout, markOf(signatories[0]!, 0));
    const head = await completeFor(documents, pki, prepared, signatories[0]!);
    expect(await world.verify(head, await world.withCrl())).toMatchObject({ indication: 'TOTAL-FAILED' });
  });
});

describe('B5 clean results', () => {
  const kinds = ['ecdsa-p256-sha256', 'rsa-sha256'] as const;
  test.each(kinds)(
    'pass with %s keys, whatever the count and order',
    async algorithm => {
      const clean = await makeWorld(algorithm);
      const random = randomNumbers(7);
      for (let i = 0; i < (LONG ? 25 : 6); i++) {
        const count = 1 + (i % 6);
        const order = Array.from({ length: count }, (_, index) => index);
        for (let j = count - 1; j > 0; j--) {
          const k = random(j + 1);
          [order[j], order[k]] = [order[k]!, order[j]!];
        }
        const { closed, head } = await makeSigned(clean, count, order);
        const report = await clean.verify(closed);
        expect(report).toMatchObject({ indication: 'TOTAL-PASSED', format: 'pdf' });
        expect(report.signatures).toHaveLength(count + 3);
        expect(report.signatures.every(({ kind, level }) => kind === 'document-timestamp' || level === 'B-LTA')).toBe(
          true,
        );
        expect(await clean.verify(head, await clean.withCrl())).toMatchObject({ indication: 'TOTAL-PASSED' });
      }
    },
    900_000,
  );
});
