/** Several CAdES signatures of one file in one CMS, as finished files of requests have them. */
import { beforeAll, describe, expect, test } from 'vitest';
import { prepareCades } from '../../../src/signatures/cades.ts';
import { joinSigners, splitSigners } from '../../../src/signatures/cms-signers.ts';
import { createFileSignatures, type FileSignatures } from '../../../src/signatures/file-signatures.ts';
import type { VerifyInput } from '../../../src/signatures/verify/result.ts';
import { personSigner, type TestSigner } from '../../support/signers.ts';
import { LONG, makeWorld, randomNumbers, type World } from './world.ts';

const TIME = new Date('2026-11-24T14:03:09Z');
const CONTENT = Buffer.from('Dear Mary,\n\nI agree.\n');
const COUNT = LONG ? 400 : 120;

let world: World;
let files: FileSignatures;
let jeanne: TestSigner;
let max: TestSigner;
let more: Partial<VerifyInput>;

beforeAll(async () => {
  world = await makeWorld();
  const readXml = async (): Promise<never> => {
    throw new Error('no XML here');
  };
  files = createFileSignatures({ pki: world.pki, readXml });
  jeanne = await personSigner(world.pki, 'Jeanne Doé');
  max = await personSigner(world.pki, 'Max Mustermann');
  more = await world.withCrl();
});

async function sign(before: Uint8Array | null, content: Uint8Array, by: TestSigner): Promise<Uint8Array> {
  const { toBeSigned } = prepareCades(content, { certificate: by.certificate, signingTime: TIME });
  return files.add(before, content, { ...(await by.sign(toBeSigned)), signingTime: TIME });
}

/** Signed by both, sealed, around the content. */
const finished = async (content: Uint8Array = CONTENT): Promise<Uint8Array> =>
  files.close(await sign(await sign(null, content, jeanne), content, max), content, 'cades', TIME);

const signersOf = ({ signatures }: Awaited<ReturnType<World['verify']>>) =>
  signatures.map(({ signer, indication }) => `${signer?.name}: ${indication}`).sort();

describe('a file with three signers', () => {
  test('passes, and names each of them', async () => {
    const report = await world.verify(await finished(), more);
    expect(report).toMatchObject({ indication: 'TOTAL-PASSED' });
    expect(report.signatures).toHaveLength(3);
    expect(report.signatures.every(({ level }) => level === 'B-T')).toBe(true);
    expect(JSON.stringify(signersOf(report))).toContain('Max Mustermann');
  });

  test('B4 with a flipped bit does not pass', async () => {
    const file = await finished();
    const random = randomNumbers(20261124);
    const passed: string[] = [];
    for (let i = 0; i < COUNT; i++) {
      const changed = Uint8Array.from(file);
      const at = random(file.length);
      changed[at]! ^= 1 << random(8);
      if ((await world.verify(changed, more)).indication === 'TOTAL-PASSED') passed.push(`octet ${at}`);
    }
    expect(passed).toEqual([]);
  });

  test('each stands by itself: taken apart and put together again, it is the same', async () => {
    const file = await finished();
    const single = splitSigners(file);
    expect(single).toHaveLength(3);
    for (const one of single) expect(await world.verify(one, more)).toMatchObject({ indication: 'TOTAL-PASSED' });
    expect(Buffer.from(joinSigners(single, CONTENT)).equals(file)).toBe(true);
  });

  test('one of another content fails, and with it the whole', async () => {
    const other = await sign(null, Buffer.from('I disagree.'), max);
    const mixed = joinSigners([await sign(null, CONTENT, jeanne), other], CONTENT);
    const report = await world.verify(mixed, more);
    expect(report).toMatchObject({ indication: 'TOTAL-FAILED', subIndication: 'HASH_FAILURE' });
    expect(report.signatures.map(({ indication }) => indication).sort()).toEqual(['TOTAL-FAILED', 'TOTAL-PASSED']);
  });

  test('the same signature twice is no second signature', async () => {
    const one = await sign(null, CONTENT, jeanne);
    const report = await world.verify(joinSigners([one, one], CONTENT), more);
    expect(report).toMatchObject({ indication: 'TOTAL-FAILED', subIndication: 'FORMAT_FAILURE' });
  });

  test('a signature over other attributes is not added', async () => {
    const { toBeSigned } = prepareCades(Buffer.from('other'), { certificate: max.certificate, signingTime: TIME });
    const signed = { ...(await max.sign(toBeSigned)), signingTime: TIME };
    await expect(files.add(null, CONTENT, signed)).rejects.toThrow();
  });
});
