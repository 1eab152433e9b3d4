/** B1: the PDFs of a corpus, through inspection, one signatory and closing, in the eyes of qpdf and poppler. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Box } from '../../../src/documents/layout.ts';
import type { DocumentWorker } from '../../../src/documents/worker.ts';
import type { FileReport } from '../../../src/signatures/verify/result.ts';
import { verifyInChild } from '../../../src/signatures/verify/run.ts';
import { type CorpusResult, corpusFiles, runCorpus } from '../../../src/tryout/corpus-run.ts';
import { openWorkbench } from '../../../src/tryout/workbench.ts';
import { encryptedPdf, scriptedPdf, simplePdf } from '../../support/pdfs.ts';
import { has, run } from '../../support/tools.ts';

const corpora = process.env.SIGNPOST_CORPORA ?? fileURLToPath(new URL('../../../../shared/corpora', import.meta.url));
const corpus = join(corpora, 'pdf');
const files = existsSync(corpus) ? corpusFiles(corpus) : [];
const ready = files.length > 0 && has('qpdf', 'poppler-utils');
if (!ready) console.warn(`SKIPPING the PDF corpus (B1): needs ${corpus}, qpdf and poppler-utils`);

/** Why a sound file may be refused: encrypted or active. Anything else would be a fault of ours. */
const ACTIVE = /^(encrypted|javascript|launch|xfa|external-stream|executable-attachment|optional-content): /;
/** What a viewer may draw otherwise: forms that ask each viewer to draw their values. */
const TOLERATED = 0.005;

const folder = mkdtempSync('/tmp/signpost-corpus-');
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(!ready).each(['advanced', 'seal'] as const)('B1 %s', level => {
  const out = join(folder, level);
  let results: ReadonlyMap<string, CorpusResult>;
  const reports = new Map<string, FileReport>();

  beforeAll(async () => {
    const bench = await openWorkbench();
    try {
      const list = await runCorpus(bench, { folder: corpus, out, level }, () => {});
      results = new Map(list.map(result => [result.name, result]));
      const { worker, pki } = bench.core;
      for (const { name, outcome } of list)
        if (outcome === 'signed') reports.set(name, await verdict(worker, join(out, name), pki.anchors));
    } finally {
      await bench.close();
    }
  }, 300_000);

  test.each(files)('%s', name => {
    const original = join(corpus, name);
    const sound = run('/usr/bin/qpdf', ['--check', original]).status === 0;
    const { outcome, why, pages, marks } = results.get(name)!;
    if (outcome !== 'signed') {
      expect(outcome).toBe('refused');
      if (sound) expect(why).toMatch(ACTIVE);
      return;
    }
    const signed = join(out, name);
    expect(run('/usr/bin/qpdf', ['--check', signed])).toMatchObject({ status: 0 });
    const earlier = verdicts(original);
    const arrivedSigned = earlier.valid + earlier.other > 0;
    // A seal that certifies unless it arrived signed, the signatory, the closing seal; then the document timestamp.
    const ours = (arrivedSigned ? 0 : 1) + (level === 'advanced' ? 1 : 0) + 1;
    expect(verdicts(signed)).toEqual({ valid: earlier.valid + ours, other: earlier.other, unjudged: 1 });
    // `signpost verify`: each of ours passes; of others' signers it knows nothing.
    const { indication, signatures } = reports.get(name)!;
    expect(signatures.slice(arrivedSigned ? -ours - 1 : 0).map(one => one.indication)).toEqual(
      Array.from({ length: ours + 1 }, () => 'TOTAL-PASSED'),
    );
    if (!arrivedSigned) expect(indication).toBe('TOTAL-PASSED');
    if (sound) expect(differing(pictures(original, pages!), pictures(signed, pages!), marks)).toBeLessThan(TOLERATED);
  });
});

test('one bad file stops nothing, and says why', async () => {
  const input = join(folder, 'input');
  const out = join(folder, 'output');
  run('/bin/mkdir', [input]);
  writeFileSync(join(input, 'a.pdf'), scriptedPdf());
  writeFileSync(join(input, 'b.PDF'), simplePdf());
  writeFileSync(join(input, 'c.pdf'), 'nothing');
  run('/bin/mkdir', [join(input, 'd.pdf')]);
  writeFileSync(join(input, 'note.txt'), 'no PDF');
  if (has('qpdf')) writeFileSync(join(input, 'e.pdf'), encryptedPdf());
  const bench = await openWorkbench();
  try {
    const results = await runCorpus(bench, { folder: input, out, level: 'advanced' }, () => {});
    const found = Object.fromEntries(
      results.map(({ name, outcome, why }) => [name, `${outcome} ${why.split(':')[0]}`]),
    );
    expect(found).toMatchObject({
      'a.pdf': 'refused javascript',
      'b.PDF': 'signed ',
      'c.pdf': 'refused not-pdf',
      'd.pdf': expect.stringMatching(/^failed EISDIR/),
      ...(has('qpdf') ? { 'e.pdf': 'refused encrypted' } : {}),
    });
    expect(found['note.txt']).toBeUndefined();
  } finally {
    await bench.close();
  }
});

function verdict(worker: DocumentWorker, path: string, anchors: readonly Uint8Array[]): Promise<FileReport> {
  const nobody = { timestampAnchors: [], certificates: [], crls: [] };
  return verifyInChild(worker, { ...nobody, file: readFileSync(path), content: null, anchors, now: new Date() });
}

/** pdfsig's word on each signature, by its text: its exit status is 0 even on a mismatch. It doesn't judge document timestamps. */
function verdicts(pdf: string): { valid: number; other: number; unjudged: number } {
  const { output } = run('/usr/bin/pdfsig', ['-nocert', pdf]);
  const blocks = output.split(/^Signature #/m).slice(1);
  const count = (phrase: string): number =>
    blocks.filter(text => text.includes(`Signature Validation: ${phrase}`)).length;
  const valid = count('Signature is Valid.');
  const unjudged = count('Signature has not yet been verified.');
  return { valid, other: blocks.length - valid - unjudged, unjudged };
}

interface Picture {
  readonly width: number;
  readonly height: number;
  /** Three bytes a pixel. */
  readonly data: Uint8Array;
}

const DPI = 40;

/** Every page up to the 20th, by poppler. */
function pictures(path: string, pages: number): Picture[] {
  const first = join(folder, 'picture');
  run('/usr/bin/pdftoppm', ['-r', String(DPI), '-l', String(Math.min(pages, 20)), path, first]);
  const parts = readdirSync(folder)
    .filter(name => name.startsWith('picture'))
    .sort();
  return parts.map(part => {
    const bytes = readFileSync(join(folder, part));
    rmSync(join(folder, part));
    const [header, width, height] = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(bytes.subarray(0, 40).toString('latin1'))!;
    return { width: Number(width), height: Number(height), data: bytes.subarray(header.length) };
  });
}

/** The share of bytes that differ outside of our marks. */
function differing(before: readonly Picture[], after: readonly Picture[], marks: readonly Box[]): number {
  if (before.length !== after.length || before.length === 0) return 1;
  let count = 0;
  let total = 0;
  for (const [page, one] of before.entries()) {
    const two = after[page]!;
    if (one.width !== two.width || one.height !== two.height) return 1;
    const boxes = marks.filter(box => box.page === page).map(box => pixels(box, one.height));
    for (let index = 0; index < one.data.length; index++) {
      if (one.data[index] === two.data[index]) continue;
      const pixel = Math.floor(index / 3);
      const [x, y] = [pixel % one.width, Math.floor(pixel / one.width)];
      if (!boxes.some(({ left, right, top, bottom }) => x >= left && x <= right && y >= top && y <= bottom)) count++;
    }
    total += one.data.length;
  }
  return count / total;
}

/** A box on a page that begins at the origin and is not turned. */
function pixels({ x, y, width, height }: Box, pageHeight: number) {
  const scale = DPI / 72;
  return {
    left: x * scale - 1,
    right: (x + width) * scale + 1,
    top: pageHeight - (y + height) * scale - 1,
    bottom: pageHeight - y * scale + 1,
  };
}
