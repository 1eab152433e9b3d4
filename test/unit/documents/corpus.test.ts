/** Real and odd PDFs of the pdf.js test suite: whatever qpdf finds valid and isn't refused comes out valid and looks the same. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { DocumentRefused } from '../../../src/documents/documents.ts';
import { documentWorker, layoutPlan } from '../../support/documents.ts';
import { has, run } from '../../support/tools.ts';

const corpora = process.env.SIGNPOST_CORPORA ?? fileURLToPath(new URL('../../../../shared/corpora', import.meta.url));
const corpus = join(corpora, 'pdf');
const files = existsSync(corpus) ? readdirSync(corpus).filter(name => name.endsWith('.pdf')) : [];
const ready = files.length > 0 && has('qpdf', 'poppler-utils');
if (!ready) console.warn(`SKIPPING the PDF corpus: needs ${corpus}, qpdf and poppler-utils`);

/** Reasons that a valid file may have; the others would be faults of ours. */
const BY_CONTENT = [
  'encrypted',
  'javascript',
  'launch',
  'xfa',
  'external-stream',
  'executable-attachment',
  'optional-content',
  'certified-no-changes',
];

const worker = documentWorker();
const folder = mkdtempSync('/tmp/signpost-corpus-');
afterAll(async () => {
  await worker.close();
  rmSync(folder, { recursive: true, force: true });
});

test.skipIf(!ready)('there is a corpus', () => expect(files).not.toHaveLength(0));

test.skipIf(!ready).each(files)('%s', async name => {
  const path = join(corpus, name);
  const valid = run('/usr/bin/qpdf', ['--check', path]).status === 0;
  let prepared: Uint8Array;
  let pages: number;
  try {
    const pdf = readFileSync(path);
    pages = (await worker.inspect(pdf)).pages;
    prepared = (await worker.firstRevision(pdf, layoutPlan())).bytes;
  } catch (error) {
    expect(error).toBeInstanceOf(DocumentRefused);
    if (valid) expect(BY_CONTENT).toContain((error as DocumentRefused).reason);
    return;
  }
  const result = join(folder, name);
  writeFileSync(result, prepared);
  expect(run('/usr/bin/qpdf', ['--check', result])).toMatchObject({ status: 0 });
  if (valid) expect(differing(pictures(path, pages), pictures(result, pages))).toBeLessThan(0.005);
});

function pictures(path: string, pages: number): Uint8Array {
  const first = join(folder, 'picture');
  run('/usr/bin/pdftoppm', ['-r', '40', '-l', String(Math.min(pages, 20)), path, first]);
  const parts = readdirSync(folder)
    .filter(name => name.startsWith('picture'))
    .sort();
  const bytes = Buffer.concat(parts.map(part => readFileSync(join(folder, part))));
  for (const part of parts) rmSync(join(folder, part));
  return bytes;
}

/** The share of bytes that differ: 0 but where a form asks viewers to draw its values, each in its own way. */
function differing(one: Uint8Array, two: Uint8Array): number {
  if (one.length !== two.length || one.length === 0) return 1;
  let count = 0;
  for (let index = 0; index < one.length; index++) if (one[index] !== two[index]) count++;
  return count / one.length;
}
