/** B4: one flipped bit, anywhere in any kind of result, and it no longer passes. */
import { createHash } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { completeCades, prepareCades } from '../../../src/signatures/cades.ts';
import type { VerifyInput } from '../../../src/signatures/verify/result.ts';
import { completeXades, prepareXades } from '../../../src/signatures/xades.ts';
import { readXmlToSign } from '../../../src/signatures/xml/read.ts';
import { make } from '../../e2e/12-standard-file/made.ts';
import { documentWorker } from '../../support/documents.ts';
import { simplePdf } from '../../support/pdfs.ts';
import { personSigner } from '../../support/signers.ts';
import { LONG, makeSigned, makeWorld, randomNumbers, type World } from './world.ts';

interface Result {
  readonly file: Uint8Array;
  readonly more: Partial<VerifyInput>;
}

const COUNT = LONG ? 200 : 60;
const TIME = new Date('2026-11-24T14:03:09Z');
const CONTENT = Buffer.from('Dear Mary,\n\nI agree.\n');
const XML = Buffer.from('<?xml version="1.0"?>\n<order xmlns="urn:orders"><item n="1">Pens</item></order>\n');

let world: World;
let results: Readonly<Record<string, Result>>;

beforeAll(async () => {
  world = await makeWorld();
  const { pki } = world;
  const more = await world.withCrl();
  const { closed, head, certified } = await makeSigned(world, 2);
  const signer = await personSigner(pki);
  const { certificate, algorithm } = signer;
  const { timestamps } = pki;

  const attributes = prepareCades(CONTENT, { certificate, signingTime: TIME });
  const cades = async (detached: boolean): Promise<Uint8Array> =>
    completeCades(attributes, CONTENT, await signer.sign(attributes.toBeSigned), { detached, timestamps });
  const xades = prepareXades(readXmlToSign(XML), { certificate, algorithm, signingTime: TIME });

  const worker = documentWorker();
  const options = { levels: ['standard', 'advanced'], order: [0, 1] } as const;
  const { finished: mixed } = await make(worker, pki, simplePdf({ pages: 1 }), options);
  await worker.close();

  results = {
    'a finished PDF': { file: closed, more: {} },
    'a finished PDF, Standard and Advanced': { file: mixed, more: {} },
    'a PDF that is signed, not closed': { file: head, more },
    'a PDF that is only certified': { file: certified, more },
    'CAdES around its content': { file: await cades(false), more },
    'CAdES beside its content': { file: await cades(true), more: { ...more, content: CONTENT } },
    XAdES: { file: await completeXades(xades, XML, await signer.sign(xades.toBeSigned), { timestamps }), more },
    'a timestamp': {
      file: (await timestamps.stamp(createHash('sha256').update(CONTENT).digest())).token,
      more: { ...more, content: CONTENT },
    },
  };
});

const KINDS = [
  'a finished PDF',
  'a finished PDF, Standard and Advanced',
  'a PDF that is signed, not closed',
  'a PDF that is only certified',
  'CAdES around its content',
  'CAdES beside its content',
  'XAdES',
  'a timestamp',
] as const;

/**
 * A digit of the last Contents in the other case is the same digit; a namespace prefix that is declared again and not used
 * is no part of canonical XML.
 */
function isSame(file: Uint8Array, changed: Uint8Array, at: number): boolean {
  const text = Buffer.from(file).toString('latin1');
  const declaration = text.lastIndexOf('xmlns:ds=', at);
  if (declaration > text.indexOf('<ds:Signature ') + 20 && at < declaration + 8) return true;
  const start = text.lastIndexOf('/Contents <');
  const inContents = start >= 0 && at > start + 10 && at < text.indexOf('>', start);
  const hex = (octet: number): string => String.fromCharCode(octet).toLowerCase();
  return inContents && /[a-f]/.test(hex(file[at]!)) && hex(file[at]!) === hex(changed[at]!);
}

test.each(KINDS)('B4 %s passes as it is', async kind => {
  const { file, more } = results[kind]!;
  expect(await world.verify(file, more)).toMatchObject({ indication: 'TOTAL-PASSED', subIndication: null });
});

test.each(KINDS)(
  'B4 %s with a flipped bit does not pass',
  async kind => {
    const { file, more } = results[kind]!;
    const random = randomNumbers(20261124);
    const passed: string[] = [];
    for (let i = 0; i < COUNT; ) {
      const at = random(file.length);
      const bit = random(8);
      const changed = Uint8Array.from(file);
      changed[at]! ^= 1 << bit;
      if (isSame(file, changed, at)) continue;
      i++;
      const { indication } = await world.verify(changed, more);
      if (indication === 'TOTAL-PASSED') passed.push(`octet ${at}, bit ${bit}`);
    }
    expect(passed).toEqual([]);
  },
  900_000,
);

/** Most of a PDF is padding: these go where a bit means something. */
test('B4 no bit of the last signature value of a PDF, nor of a whole CAdES file, can be flipped', async () => {
  const { file: pdf } = results['a finished PDF']!;
  const text = Buffer.from(pdf).toString('latin1');
  const start = text.lastIndexOf('/Contents <') + '/Contents <'.length;
  const end = start + /^(?:(?!0{64}).)*/.exec(text.slice(start))![0].length;
  const passed: string[] = [];
  const flip = async (kind: string, at: number, bit: number): Promise<void> => {
    const { file, more } = results[kind]!;
    const changed = Uint8Array.from(file);
    changed[at]! ^= 1 << bit;
    if (isSame(file, changed, at)) return;
    if ((await world.verify(changed, more)).indication === 'TOTAL-PASSED') passed.push(`${kind}: ${at}.${bit}`);
  };
  const step = LONG ? 5 : 61;
  for (let at = start; at < end; at += step) await flip('a finished PDF', at, at % 4);
  const { file: p7m } = results['CAdES around its content']!;
  for (let at = 0; at < p7m.length; at += LONG ? 1 : 17) await flip('CAdES around its content', at, at % 8);
  expect(passed).toEqual([]);
}, 900_000);
