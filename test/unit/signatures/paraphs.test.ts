/** B2: a device lets a signatory's revision fill that person's paraphs, all of them, with lines, and nothing else. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkGrant, Tampered } from '../../../src/client/grant.ts';
import { readAppended } from '../../../src/client/increments.ts';
import type { DocumentLayout } from '../../../src/documents/layout.ts';
import { createDocuments } from '../../../src/documents/pipeline.ts';
import { markFor } from '../../e2e/12-standard-file/made.ts';
import { documentWorker } from '../../support/documents.ts';
import { COMPANY, makePki, makeSignatory, planFor, type Signatory } from '../../support/pades.ts';
import { simplePdf } from '../../support/pdfs.ts';
import { append, grantFor, type RawIncrement, type RawObject, takeObjects } from './attacker.ts';

const NAMES = ['John Doe', 'Mary Smith'];

const worker = documentWorker();
let layout: DocumentLayout;
let known: Uint8Array;
/** After John's approval; Mary's revision comes next. */
let head: Uint8Array;
let whole: Uint8Array;
let objects: RawObject[];
let mary: Signatory;
/** Object numbers of Mary's paraphs, and of what shows in them. */
let buttons: number[];
let drawing: number;

beforeAll(async () => {
  const pki = await makePki('ecdsa-p256-sha256');
  const documents = createDocuments({ worker, pki, company: COMPANY });
  const plan = planFor(NAMES);
  ({ bytes: known, layout } = await documents.prepare(simplePdf({ pages: 3 }), {
    ...plan,
    signatories: [
      { ...plan.signatories[0]!, level: 'standard' },
      { ...plan.signatories[1]!, level: 'advanced' },
    ],
    marks: { signaturePage: true, paraphs: true, watermark: true },
  }));
  head = await documents.approve(known, layout, markFor(0, NAMES[0]!, 'standard', 0));
  mary = await makeSignatory(pki, NAMES[1]!);
  const mark = { ...markFor(1, NAMES[1]!, 'advanced', 1), certificate: mary.certificate };
  ({ bytes: whole } = await documents.prepareSignature(head, layout, mark));
  objects = takeObjects(whole.subarray(head.length));
  buttons = layout.signatories[1]!.paraphs.map(({ object }) => object);
  drawing = Math.max(...objects.map(({ number }) => number));
});
afterAll(() => worker.close());

const edit = (number: () => number, from: string | RegExp, to: string) => (): RawIncrement => ({
  objects: objects.map(object => {
    if (object.number !== number()) return object;
    const text = object.text.replace(from, to);
    if (text === object.text) throw new Error(`nothing to replace: ${from}`);
    return { ...object, text };
  }),
});
const withMore = (more: () => RawObject) => (): RawIncrement => ({
  objects: [...objects, more()].sort((a, b) => a.number - b.number),
});
const without = (number: () => number) => (): RawIncrement => ({
  objects: objects.filter(object => object.number !== number()),
});
const button = () => buttons[1]!;
/** A stream's content replaced, its length too. */
const draw = (content: string) =>
  edit(() => drawing, /\/Length \d+>>\nstream\n.*$/s, `/Length ${content.length}>>\nstream\n${content}\nendstream`);
const textOf = (number: number) => objects.find(object => object.number === number)!.text;

const attacks: Readonly<Record<string, () => RawIncrement>> = {
  "another's paraph": withMore(() => ({
    number: layout.signatories[0]!.paraphs[0]!.object,
    text: textOf(button()).replace(/Paraph 2 page \d/, 'Paraph 1 page 1'),
  })),
  "another's paraph instead of one's own": () => ({
    objects: objects
      .map(object =>
        object.number === button() ? { ...object, number: layout.signatories[0]!.paraphs[1]!.object } : object,
      )
      .sort((a, b) => a.number - b.number),
  }),
  'a paraph on some pages only': without(button),
  'no drawing': without(() => drawing),
  'a drawing more': withMore(() => ({ number: drawing + 1, text: textOf(drawing) })),
  'a paraph twice': () => ({
    objects: objects.flatMap(object => (object.number === button() ? [object, object] : [object])),
  }),
  'paraphs in another order': () => ({ objects: [...objects].sort((a, b) => b.number - a.number) }),
  'a paraph elsewhere on the page': edit(button, /\/Rect \[[^\]]*\]/, '/Rect [0 0 200 60]'),
  'a paraph that is shown on another page': edit(button, /\/P \d+ 0 R/, '/P 1 0 R'),
  'a renamed field': edit(button, /Paraph 2/, 'Paraph 9'),
  'a field of another type': edit(button, '/FT /Btn', '/FT /Tx'),
  'a button that is no push button': edit(button, '/Ff 65536', '/Ff 0'),
  'a button with a value': edit(button, '/FT /Btn', '/FT /Btn\n/V /On'),
  'a button with an action': edit(button, '/FT /Btn', '/FT /Btn\n/A <</S /URI\n/URI (http://evil.example)>>'),
  'a button with kids': edit(button, '/FT /Btn', '/FT /Btn\n/Kids [3 0 R]'),
  'a button with other flags': edit(button, '/F 132', '/F 2'),
  'a button turned': edit(button, '/FT /Btn', '/FT /Btn\n/MK <</R 90>>'),
  'a button with a caption': edit(button, '/FT /Btn', '/FT /Btn\n/MK <</CA (1,000,000)>>'),
  'a rollover': edit(button, /\/AP <<\/N (\d+) 0 R>>/, '/AP <</N $1 0 R\n/R 5 0 R>>'),
  'a page content as paraph': edit(button, /\/AP <<\/N \d+ 0 R>>/, '/AP <</N 5 0 R>>'),
  'a signature as paraph': edit(button, /\/AP <<\/N \d+ 0 R>>/, '/AP <</N 0 0 R>>'),
  resources: edit(() => drawing, '/Subtype /Form', '/Subtype /Form\n/Resources <</XObject <</X 5 0 R>>>>'),
  'a matrix': edit(() => drawing, '/Subtype /Form', '/Subtype /Form\n/Matrix [40 0 0 40 0 0]'),
  'a bigger box': edit(() => drawing, /\/BBox \[[^\]]*\]/, '/BBox [0 0 1 1]'),
  'a group': edit(() => drawing, '/Subtype /Form', '/Subtype /Form\n/Group <</S /Transparency>>'),
  'a layer': edit(() => drawing, '/Subtype /Form', '/Subtype /Form\n/OC 5 0 R'),
  text: draw('BT\n/F1 9 Tf\n<0041> Tj\nET'),
  'a picture': draw('q\n9 0 0 9 0 0 cm\n/X Do\nQ'),
  'an inline picture': draw('BI /W 1 /H 1 ID x EI'),
  'a shading': draw('/S sh'),
  'a graphics state': draw('/G gs'),
  'marked content': draw('/OC /P BDC\n0 0 9 9 re\nf\nEMC'),
  'a page content changed': withMore(() => ({ number: 5, text: '<< /Length 3 >>\nstream\nq Q\nendstream' })),
  'the watermark changed': withMore(() => ({
    number: Number(/\/Marks (\d+) 0 R/.exec(Buffer.from(known).toString('latin1'))![1]),
    text: '<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Length 3 >>\nstream\nq Q\nendstream',
  })),
};

const tampered = (increment: RawIncrement) => {
  const { certificate } = mary;
  return checkGrant(grantFor(known, append(head, increment), certificate));
};

describe("B2 a device that checks others' paraphs and its own", () => {
  test('passes what the gateway makes, Standard and Advanced in one file', async () => {
    const { changed, mine } = await tampered({ objects });
    expect(changed).toMatchObject([{ signer: NAMES[0], signed: true }]);
    expect(changed[0]!.paraphObjects).toEqual(layout.signatories[0]!.paraphs.map(({ object }) => object));
    expect(mine).toMatchObject({ signer: NAMES[1], signed: false, paraphObjects: buttons });
  });

  test('passes a signature without paraphs', () => {
    const kept = objects.filter(({ number }) => !buttons.includes(number) && number !== drawing);
    const file = append(head, { objects: kept });
    const grant = grantFor(known, file, mary.certificate);
    expect(readAppended(Buffer.concat([known, grant.appended]), head.length)).toMatchObject([{ paraphObjects: [] }]);
  });

  test.each(Object.keys(attacks))('refuses %s', async name => {
    await expect(async () => tampered(attacks[name]!())).rejects.toThrow(Tampered);
  });

  test('refuses a place for a paraph that could hide what is under it', () => {
    const evil = Buffer.from(known).toString('latin1');
    const number = buttons[0]!;
    const at = evil.indexOf(`\n${number} 0 obj`);
    const rect = evil.slice(at).match(/\/Rect \[[^\]]*\]/)![0];
    const bigger = '/Rect [ 0 0 595 99 ]'.padEnd(rect.length);
    const first = Buffer.from(evil.slice(0, at) + evil.slice(at).replace(rect, bigger), 'latin1');
    const text = objects.map(object =>
      object.number === number ? object.text.replace(/\/Rect \[[^\]]*\]/, '/Rect [0 0 595 99]') : object.text,
    );
    const increment = { objects: objects.map((object, index) => ({ ...object, text: text[index]! })) };
    const middle = head.subarray(known.length);
    const whole = append(Buffer.concat([first, middle]), increment);
    expect(() => readAppended(whole, head.length)).toThrow(/too big/);
  });
});
