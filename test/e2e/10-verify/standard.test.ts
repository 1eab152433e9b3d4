/**
 * Standard and mixed files as the pipeline makes them, in the words of `signpost verify`; and what became of them when
 * somebody swapped, replaced or hid what a person drew.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SignatoryLevel } from '../../../src/documents/layout.ts';
import { createDocuments } from '../../../src/documents/pipeline.ts';
import type { DocumentWorker } from '../../../src/documents/worker.ts';
import type { LoadedPki } from '../../../src/pki/load.ts';
import { factsOf, parseFacts } from '../../../src/signatures/verify/facts.ts';
import type { FileReport } from '../../../src/signatures/verify/result.ts';
import { verifyFile } from '../../../src/signatures/verify/verify.ts';
import { documentWorker, layoutPlan } from '../../support/documents.ts';
import { COMPANY, makePki } from '../../support/pades.ts';
import { simplePdf } from '../../support/pdfs.ts';
import { run } from '../../support/tools.ts';
import { append } from '../../unit/signatures/attacker.ts';
import { newest, sizeOf, stream } from '../../unit/verify/attacks.ts';
import { pem } from '../02-pades/signed-file.ts';
import { type Made, make, markFor } from '../12-standard-file/made.ts';

const SIGNPOST = fileURLToPath(new URL('../../../bin/signpost.js', import.meta.url));

let folder: string;
let worker: DocumentWorker;
let pki: LoadedPki;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signpost-standard-'));
  worker = documentWorker();
  pki = await makePki('ecdsa-p256-sha256');
  writeFileSync(join(folder, 'trust.pem'), pki.anchors.map(pem).join(''));
});
afterAll(async () => {
  await worker?.close();
  rmSync(folder, { recursive: true, force: true });
});

function signpostVerify(file: Uint8Array): { status: number; output: string } {
  const path = join(folder, 'file.pdf');
  writeFileSync(path, file);
  const trust = ['--trust', join(folder, 'trust.pem'), '--config', join(folder, 'none.yaml')];
  return run(process.execPath, [SIGNPOST, 'verify', path, ...trust]);
}

const judge = async (file: Uint8Array): Promise<FileReport> =>
  verifyFile({
    file,
    content: null,
    anchors: pki.anchors,
    timestampAnchors: [],
    certificates: [],
    crls: [await pki.ca.crl()],
    now: new Date(),
  });

const NAMES = ['Jeanne Doé', 'Max Mustermann', 'Ζωή Παππά', 'علي حسن', '李小龍'] as const;
const levelsOf = (kind: string, count: number): SignatoryLevel[] =>
  Array.from({ length: count }, (_, i) =>
    kind === 'standard' || (kind === 'mixed' && i % 2 === 0) ? 'standard' : 'advanced',
  );

describe('B2 Standard and mixed files', () => {
  test.each([
    { kind: 'standard', count: 1, order: [0] },
    { kind: 'standard', count: 2, order: [1, 0] },
    { kind: 'standard', count: 5, order: [3, 0, 4, 1, 2] },
    { kind: 'mixed', count: 2, order: [0, 1] },
    { kind: 'mixed', count: 5, order: [4, 3, 2, 1, 0] },
  ])('$count signatories, $kind: TOTAL-PASSED, each by name and level', async ({ kind, count, order }) => {
    const levels = levelsOf(kind, count);
    const { finished } = await make(worker, pki, simplePdf({ pages: 3 }), {
      levels,
      order,
      names: NAMES.slice(0, count),
    });
    const { status, output } = signpostVerify(finished);
    expect(status, output).toBe(0);
    const inOrder = order.map(index => NAMES[index]!);
    expect(output).toContain(`every signature in it is valid: ${inOrder.join(', ')}.`);
    for (const [index, level] of levels.entries()) {
      const words =
        level === 'standard'
          ? `Standard signature (drawn or typed) of ${NAMES[index]}, sealed by ${COMPANY.name} Seal: TOTAL-PASSED`
          : `Advanced signature by ${NAMES[index]}: TOTAL-PASSED`;
      expect(output).toContain(words);
    }
    expect(output.match(/PAdES B-LTA/g)).toHaveLength(count + 2);
    expect(output).not.toContain('NOT ALLOWED');

    const { signatures } = parseFacts(JSON.parse(JSON.stringify(factsOf(await judge(finished)))));
    expect(signatures.map(({ kind: one, name, sealedBy }) => [one, name, sealedBy])).toEqual([
      ['certifying-seal', `${COMPANY.name} Seal`, null],
      ...order.map(index =>
        levels[index] === 'standard'
          ? ['approval', NAMES[index], `${COMPANY.name} Seal`]
          : ['signature', NAMES[index], null],
      ),
      ['closing-seal', `${COMPANY.name} Seal`, null],
      ['document-timestamp', expect.any(String), null],
    ]);
  });

  test('the level Seal is the company’s own word: nobody else is named', async () => {
    const documents = createDocuments({ worker, pki, company: COMPANY });
    const marks = { signaturePage: false, paraphs: false, watermark: false };
    const plan = layoutPlan({ company: COMPANY, signatories: [], marks });
    const { bytes, layout } = await documents.prepare(simplePdf({ pages: 1 }), plan);
    const { output, status } = signpostVerify(await documents.close(bytes, layout, new Date()));
    expect(status, output).toBe(0);
    expect(output).not.toContain('Standard signature');
    expect(output).toContain(`every signature in it is valid: ${COMPANY.name} Seal`);
  });
});

type Change = (file: Uint8Array, made: Pick<Made, 'layout'>) => Uint8Array;
const text = (
  file: Uint8Array,
  number: number,
  from: string | RegExp,
  to: string,
): { number: number; text: string } => {
  const old = newest(file, number);
  const changed = old.replace(from, () => to);
  if (changed === old) throw new Error(`nothing to replace in ${number}: ${from}`);
  return { number, text: changed };
};
const add = (file: Uint8Array, ...objects: readonly { number: number; text: string }[]): Uint8Array =>
  append(file, { objects: objects.toSorted((a, b) => a.number - b.number) });
const APPEARANCE = /\/AP ?<< ?\/N (\d+) 0 R ?>>/;
const shown = (file: Uint8Array, number: number): number => Number(APPEARANCE.exec(newest(file, number))![1]);
const drawing = (content: string): string =>
  stream(content, '/Type /XObject /Subtype /Form /BBox [0 0 200 80] /Resources << >>');

/** The second person is one who signs after the first. */
const changes: Readonly<Record<string, Change>> = {
  'the paraphs of two people swapped on a page': (file, { layout: { signatories } }) => {
    const [a, b] = signatories.map(({ paraphs }) => paraphs[0]!.object) as [number, number];
    const [mine, other] = [shown(file, a), shown(file, b)];
    return add(
      file,
      text(file, a, APPEARANCE, `/AP << /N ${other} 0 R >>`),
      text(file, b, APPEARANCE, `/AP << /N ${mine} 0 R >>`),
    );
  },
  'the streams of two people’s paraphs swapped': (file, { layout: { signatories } }) => {
    const [a, b] = signatories.map(({ paraphs }) => shown(file, paraphs[0]!.object)) as [number, number];
    return add(file, { number: a, text: newest(file, b) }, { number: b, text: newest(file, a) });
  },
  'the drawn signatures of two people swapped': (file, { layout: { signatories } }) => {
    const [a, b] = signatories.map(({ object }) => shown(file, object)) as [number, number];
    return add(file, { number: a, text: newest(file, b) }, { number: b, text: newest(file, a) });
  },
  'a drawn signature overwritten': (file, { layout }) =>
    add(file, { number: shown(file, layout.signatories[0]!.object), text: drawing('0 0 m 200 80 l S') }),
  'a field that shows another drawing': (file, { layout }) => {
    const { object } = layout.signatories[0]!;
    const number = sizeOf(file);
    return add(
      file,
      { number, text: drawing('0 0 m 200 80 l S') },
      text(file, object, APPEARANCE, `/AP << /N ${number} 0 R >>`),
    );
  },
  'a paraph that shows another drawing': (file, { layout }) => {
    const { object } = layout.signatories[0]!.paraphs[1]!;
    const number = sizeOf(file);
    return add(
      file,
      { number, text: drawing('0 0 m 200 80 l S') },
      text(file, object, APPEARANCE, `/AP << /N ${number} 0 R >>`),
    );
  },
  'a paraph emptied': (file, { layout }) =>
    add(file, { number: shown(file, layout.signatories[0]!.paraphs[0]!.object), text: drawing('') }),
  'a paraph hidden': (file, { layout }) =>
    add(file, text(file, layout.signatories[0]!.paraphs[0]!.object, /\/F \d+/, '/F 2')),
  'a paraph without appearance': (file, { layout }) =>
    add(file, text(file, layout.signatories[0]!.paraphs[0]!.object, APPEARANCE, '')),
  'a paraph moved': (file, { layout }) =>
    add(file, text(file, layout.signatories[0]!.paraphs[0]!.object, /\/Rect ?\[[^\]]*\]/, '/Rect [0 0 1 1]')),
  'a signature hidden': (file, { layout }) => add(file, text(file, layout.signatories[0]!.object, /\/F \d+/, '/F 2')),
  'a signature of no size': (file, { layout }) =>
    add(file, text(file, layout.signatories[0]!.object, /\/Rect ?\[[^\]]*\]/, '/Rect [0 0 0 0]')),
  'another name in the signature': (file, { layout }) => {
    const value = Number(/\/V (\d+) 0 R/.exec(newest(file, layout.signatories[0]!.object))![1]);
    return add(file, text(file, value, /\/Name ?(\([^)]*\)|<[^>]*>)/, '/Name (Evil Eve)'));
  },
};

describe('B5 what people drew', () => {
  let made: Made;
  beforeAll(async () => {
    made = await make(worker, pki, simplePdf({ pages: 2 }), {
      levels: ['standard', 'standard'],
      order: [0, 1],
      names: NAMES.slice(0, 2),
    });
    expect(await judge(made.finished)).toMatchObject({ indication: 'TOTAL-PASSED' });
  });

  test.each(Object.entries(changes))('after the closing seal does not pass: %s', async (_, change) => {
    const report = await judge(change(made.finished, made));
    expect(report).toMatchObject({ indication: 'TOTAL-FAILED', subIndication: 'FORMAT_FAILURE' });
    expect(report.reason).toMatch(/modified after signing|stood? in this field|in two fields/);
  });

  const alone = Object.entries(changes).filter(([name]) => !name.includes('two people'));
  test.each(alone)('between two signatures does not pass, though the second is genuine: %s', async (_, change) => {
    const documents = createDocuments({ worker, pki, company: COMPANY });
    const plan = layoutPlan({
      company: COMPANY,
      signatories: NAMES.slice(0, 2).map(name => ({ name, title: null, level: 'standard' })),
      marks: { signaturePage: true, paraphs: true, watermark: true },
    });
    const first = await documents.prepare(simplePdf({ pages: 2 }), plan);
    const { layout } = first;
    const head = await documents.approve(first.bytes, layout, markFor(0, NAMES[0], 'standard', 0));
    const evil = change(head, { layout });
    const signed = await documents.approve(evil, layout, markFor(1, NAMES[1], 'standard', 1));
    const closed = await documents.close(signed, layout, new Date());
    expect(await judge(closed)).toMatchObject({ indication: 'TOTAL-FAILED' });
  });
});
