/** Files broken at random: the reader answers or refuses, and stays within its bounds. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { certification, permissionsOf, signatureFields } from '../../../../src/documents/file/fields.ts';
import { openFile } from '../../../../src/documents/file/file.ts';
import { PdfSyntaxError } from '../../../../src/documents/file/parser.ts';
import { readRevisions, unusedSpans } from '../../../../src/documents/file/revisions.ts';
import { octets } from '../../../../src/documents/file/values.ts';
import { writeIncrement } from '../../../../src/documents/increment-writer.ts';
import { formPdf, qpdf, signedPdf, simplePdf } from '../../../support/pdfs.ts';
import { has } from '../../../support/tools.ts';

/** Everything that can be asked of a file. @returns how many objects were read */
function readAll(bytes: Uint8Array): number {
  let read = 0;
  const attempt = <T>(work: () => T): T | null => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof PdfSyntaxError)) throw error;
      return null;
    }
  };
  const file = attempt(() => openFile(bytes, { maxDecoded: 1 << 20 }));
  if (file === null) return 0;
  attempt(() => {
    for (const section of file.sections()) {
      for (const [number] of section.entries()) {
        if (++read > 5000) return;
        attempt(() => file.find(number));
      }
    }
  });
  for (const revision of attempt(() => readRevisions(file)) ?? []) attempt(() => unusedSpans(file, revision));
  for (const { signature } of attempt(() => signatureFields(file)) ?? []) {
    if (signature !== null) attempt(() => permissionsOf(file, signature.dict));
  }
  attempt(() => certification(file));
  return read;
}

const seeds: readonly Uint8Array[] = [
  simplePdf(),
  formPdf(),
  signedPdf(),
  ...(has('qpdf')
    ? [
        qpdf(formPdf(), ['--object-streams=generate']),
        qpdf(simplePdf(), ['--linearize', '--object-streams=generate']),
        qpdf(formPdf(), ['--object-streams=generate', '--compress-streams=n']),
      ]
    : []),
];
// With a second revision, too.
const files = seeds.flatMap(first => {
  const file = openFile(first);
  const { appended } = writeIncrement(file, [{ number: file.trailer.size, value: { string: 'more' } }], 'id');
  return [first, Buffer.concat([first, appended])];
});

/** Words that mean something to readers. */
const WORDS = [
  'obj',
  'endobj',
  'stream',
  'endstream',
  'xref',
  'trailer',
  'startxref',
  '%%EOF',
  '<<',
  '>>',
  '[',
  ']',
  '(',
  ')',
  '%',
  '/Prev 0',
  '/Prev 15',
  '/Size 99999999',
  '/W [8 8 8]',
  '/Index [0 1000000000]',
  '/Length 999999',
  '/Type /XRef',
  '/Kids [1 0 R]',
  '/Fields [1 0 R]',
  '/N 99999',
  '/First 0',
  '0000000000 65535 f ',
  '1 0 R',
  'R',
  '4294967296',
  '-1',
  '\0',
  '\r',
  '\n',
  ' ',
];

/** Mostly written over what was there, so that offsets stay right. */
const change = fc.record({
  at: fc.noBias(fc.integer({ min: 0, max: 999_999 })).map(millionths => millionths / 1e6),
  remove: fc.integer({ min: 0, max: 12 }),
  put: fc.oneof(
    fc.constantFrom(...WORDS),
    fc.uint8Array({ maxLength: 3 }).map(bytes => Buffer.from(bytes).toString('latin1')),
  ),
});

describe('a file broken at random', () => {
  test('is read or refused', () => {
    let sound = 0;
    fc.assert(
      fc.property(fc.constantFrom(...files), fc.array(change, { minLength: 1, maxLength: 4 }), (file, changes) => {
        let text = Buffer.from(file).toString('latin1');
        for (const { at, remove, put } of changes) {
          const position = Math.floor(at * text.length);
          text = text.slice(0, position) + put + text.slice(position + (remove < 10 ? put.length : remove));
        }
        if (readAll(octets(text)) > 0) sound++;
      }),
      { numRuns: process.env.SIGNPOST_LONG ? 100_000 : 3000 },
    );
    // Enough of them get past the tail that the rest of the reader is met.
    expect(sound).toBeGreaterThan(300);
  });

  test('near its end and its tables is read or refused', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        change,
        fc.integer({ min: 1, max: 400 }),
        (file, { remove, put }, back) => {
          const text = Buffer.from(file).toString('latin1');
          const position = Math.max(0, text.length - back);
          readAll(octets(text.slice(0, position) + put + text.slice(position + (remove < 10 ? put.length : remove))));
        },
      ),
      { numRuns: process.env.SIGNPOST_LONG ? 100_000 : 3000 },
    );
  });

  test('by one bit anywhere is read or refused', () => {
    for (const file of files.slice(-2)) {
      for (let at = 0; at < file.length; at += 3) {
        const broken = Uint8Array.from(file);
        broken[at]! ^= 1 << (at % 8);
        readAll(broken);
      }
    }
  });

  test('of random octets is refused', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), bytes => readAll(bytes) === 0));
    expect(readAll(readFileSync('/proc/self/exe').subarray(0, 100_000))).toBe(0);
  });
});
