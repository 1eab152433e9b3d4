/** Every object of real and odd PDFs, as our reader sees it and as qpdf sees it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openFile } from '../../../../src/documents/file/file.ts';
import { PdfSyntaxError } from '../../../../src/documents/file/parser.ts';
import { readRevisions } from '../../../../src/documents/file/revisions.ts';
import type { PdfDict } from '../../../../src/documents/file/values.ts';
import { qpdfCheck, qpdfObjects } from '../../../e2e/02-pades/signed-file.ts';
import { qpdf } from '../../../support/pdfs.ts';
import { sameValue } from '../../../support/qpdf-json.ts';
import { has, run } from '../../../support/tools.ts';

const corpora =
  process.env.SIGNPOST_CORPORA ?? fileURLToPath(new URL('../../../../../shared/corpora', import.meta.url));
const corpus = join(corpora, 'pdf');
const files = existsSync(corpus) ? readdirSync(corpus).filter(name => name.endsWith('.pdf')) : [];
const ready = files.length > 0 && has('qpdf');
if (!ready) console.warn(`SKIPPING the reader's agreement with qpdf: needs ${corpus} and qpdf`);

/** Every object that qpdf finds is what we find, and the other way round. */
function expectAgreement(pdf: Uint8Array): void {
  const file = openFile(pdf);
  const theirs = qpdfObjects(pdf);
  const numbers = new Set<string>();
  for (const section of file.sections()) {
    for (const [number] of section.entries()) {
      const found = file.find(number);
      if (found === null) continue;
      const key = `obj:${number} ${found.generation} R`;
      numbers.add(key);
      const { value, stream } = theirs[key] ?? {};
      if (found.stream === null) {
        // An object that is null is one that doesn't exist; qpdf leaves it out.
        if (found.value !== null || value !== undefined) {
          expect(value !== undefined && sameValue(found.value, value), key).toBe(true);
        }
        continue;
      }
      const dict = new Map(found.value as PdfDict);
      dict.delete('Length');
      const { '/Length': _, ...entries } = (stream?.dict ?? {}) as Record<string, never>;
      expect(sameValue(dict, entries), key).toBe(true);
      expect(Buffer.from(stream!.data, 'base64').equals(found.stream), `${key} data`).toBe(true);
    }
  }
  for (const key of Object.keys(theirs)) if (key !== 'trailer') expect(numbers).toContain(key);
  const revisions = readRevisions(file);
  expect(pdf.subarray(revisions.at(-1)!.end).every(octet => octet <= 0x20)).toBe(true);
}

test.skipIf(!ready).each(files)('%s', name => {
  const pdf = readFileSync(join(corpus, name));
  if (qpdfCheck(pdf).status !== 0) {
    // What qpdf has to repair is read where it is sound, or refused.
    try {
      const file = openFile(pdf);
      for (const section of file.sections()) for (const [number] of section.entries()) file.find(number);
    } catch (error) {
      expect(error).toBeInstanceOf(PdfSyntaxError);
    }
    return;
  }
  expectAgreement(pdf);
  // The same file with streams instead of tables, and linearized.
  for (const how of ['--object-streams=generate', '--linearize']) {
    const other = qpdf(pdf, [how, '--deterministic-id']);
    expectAgreement(other);
  }
});

test.skipIf(!ready)('every odd file of the corpus is seen by qpdf, too', () => {
  expect(files.filter(name => run('qpdf', ['--check', join(corpus, name)]).status === 0).length).toBeGreaterThan(30);
});
