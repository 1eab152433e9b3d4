import { beforeAll, describe, expect, test } from 'vitest';
import { checkGrant } from '../../../src/client/grant.ts';
import type { Documents } from '../../../src/documents/documents.ts';
import { putContents } from '../../../src/documents/increment.ts';
import { createDocuments } from '../../../src/documents/pipeline.ts';
import type { LoadedPki } from '../../../src/pki/load.ts';
import { BadSignature } from '../../../src/signatures/verify.ts';
import {
  COMPANY,
  completeFor,
  makePki,
  makeSignatory,
  markOf,
  planFor,
  type Signatory,
  smallWorker,
} from '../../support/pades.ts';

let pki: LoadedPki;
let documents: Documents;
let signatory: Signatory;

beforeAll(async () => {
  pki = await makePki('ecdsa-p256-sha256');
  documents = createDocuments({ worker: smallWorker, pki, company: COMPANY });
  signatory = await makeSignatory(pki, 'Jeanne Doé');
});

describe('a prepared signature', () => {
  test('is made again byte for byte from the same inputs', async () => {
    const { bytes, layout } = await documents.prepare(new Uint8Array(), planFor(['Jeanne Doé']));
    const kept: typeof layout = JSON.parse(JSON.stringify(layout));
    const first = await documents.prepareSignature(bytes, layout, markOf(signatory, 0));
    const second = await documents.prepareSignature(bytes, kept, markOf(signatory, 0));
    expect(Buffer.from(second.bytes).equals(first.bytes)).toBe(true);
    expect(second).toEqual(first);
    const later = await documents.prepareSignature(bytes, layout, markOf(signatory, 0, 1));
    expect(Buffer.from(later.bytes).equals(first.bytes)).toBe(false);
  });

  test('leaves the head as it was and covers all of the file but its Contents', async () => {
    const { bytes, layout } = await documents.prepare(new Uint8Array(), planFor(['Jeanne Doé']));
    const prepared = await documents.prepareSignature(bytes, layout, markOf(signatory, 0));
    const [start, first, second, rest] = prepared.byteRange;
    expect(start).toBe(0);
    expect(second + rest).toBe(prepared.bytes.length);
    expect(Buffer.from(prepared.bytes.subarray(0, bytes.length)).equals(bytes)).toBe(true);
    expect(Buffer.from(prepared.bytes.subarray(first, second)).toString('latin1')).toMatch(/^<(00)+>$/);
  });

  test('is completed only by a signature of the right key over these attributes', async () => {
    const { bytes, layout } = await documents.prepare(new Uint8Array(), planFor(['Jeanne Doé']));
    const prepared = await documents.prepareSignature(bytes, layout, markOf(signatory, 0));
    const other = await makeSignatory(pki, 'Max Other');
    const signer = {
      certificate: signatory.certificate,
      issuers: pki.ca.chain,
      algorithm: 'ecdsa-p256-sha256',
    } as const;
    const good = signatory.sign(prepared.signedAttributes);
    const flipped = Uint8Array.from(good);
    flipped[flipped.length - 1]! ^= 1;
    for (const signature of [
      other.sign(prepared.signedAttributes),
      signatory.sign(new Uint8Array(3)),
      flipped,
      new Uint8Array(),
      Buffer.concat([good, Buffer.of(0)]),
    ]) {
      await expect(documents.completeSignature(prepared, { ...signer, signature })).rejects.toThrow(BadSignature);
    }
    await expect(
      documents.completeSignature(prepared, { ...signer, signature: good, algorithm: 'rsa-sha256' }),
    ).rejects.toThrow(BadSignature);
    await expect(
      documents.completeSignature(
        { ...prepared, bytes: Buffer.concat([prepared.bytes.subarray(0, -2), Buffer.from('G\n')]) },
        { ...signer, signature: good },
      ),
    ).rejects.toThrow(BadSignature);
    expect((await completeFor(documents, pki, prepared, signatory)).length).toBe(prepared.bytes.length);
  });

  test('passes the device that checks it', async () => {
    const { bytes, layout } = await documents.prepare(new Uint8Array(), planFor(['Jeanne Doé']));
    const prepared = await documents.prepareSignature(bytes, layout, markOf(signatory, 0));
    const checked = await checkGrant({
      known: bytes,
      appended: prepared.bytes.subarray(bytes.length),
      byteRange: prepared.byteRange,
      signedAttributes: prepared.signedAttributes,
      certificate: signatory.certificate,
      layoutOfMine: layout.signatories[0]!,
      signingTime: markOf(signatory, 0).signingTime,
    });
    expect(Buffer.from(checked.whole).equals(prepared.bytes)).toBe(true);
    expect(checked.changed).toEqual([]);
    expect(checked.mine).toMatchObject({ field: 'Signatory1', signer: 'Jeanne Doé', utcOffset: 60, signed: false });
  });
});

test('a signature too big for its place is refused, never cut', () => {
  const file = new Uint8Array(40_000);
  const byteRange = [0, 100, 102 + 2 * 16384, 7000] as const;
  expect(() => putContents(file, byteRange, new Uint8Array(16385))).toThrow(RangeError);
  expect(putContents(file, byteRange, new Uint8Array(16384)).length).toBe(file.length);
});
