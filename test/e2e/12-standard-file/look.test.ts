/** What the marks of a Standard request look like, on pages of every kind, as poppler draws them; B1's pixels outside them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDocuments } from '../../../src/documents/pipeline.ts';
import type { Mark } from '../../../src/documents/strokes.ts';
import type { LoadedPki } from '../../../src/pki/load.ts';
import { documentWorker, layoutPlan } from '../../support/documents.ts';
import { COMPANY, makePki } from '../../support/pades.ts';
import { pdfOf } from '../../support/pdfs.ts';
import { has } from '../../support/tools.ts';
import { qpdfCheck } from '../02-pades/signed-file.ts';
import { markFor } from './made.ts';

let pki: LoadedPki;
const worker = documentWorker();
const folder = mkdtempSync('/tmp/signpost-look-');
beforeAll(async () => {
  pki = await makePki('ecdsa-p256-sha256');
});
afterAll(async () => {
  await worker.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Two pages: the first with these entries and this content, the second an ordinary one. */
function odd(entries: string, content = 'BT /F1 18 Tf 120 300 Td (Odd page) Tj ET'): Uint8Array {
  const resources = '/Resources << /Font << /F1 7 0 R >> >>';
  return pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Count 2 /Kids [3 0 R 5 0 R] >>',
    `<< /Type /Page /Parent 2 0 R /Contents 4 0 R ${resources} ${entries} >>`,
    { dict: '', data: Buffer.from(content) },
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 6 0 R ${resources} >>`,
    { dict: '', data: Buffer.from('BT /F1 18 Tf 72 700 Td (Second page) Tj ET') },
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ]);
}

interface Picture {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue of each pixel, in rows from the top. */
  readonly pixels: Uint8Array;
}

const DPI = 72;

function picture(pdf: Uint8Array, page: number): Picture {
  const path = join(folder, 'one.pdf');
  writeFileSync(path, pdf);
  const args = ['-cropbox', '-r', String(DPI), '-f', String(page), '-l', String(page), path];
  const ppm = execFileSync('/usr/bin/pdftoppm', args, { maxBuffer: 1 << 28 });
  const [header, width, height] = /^P6\n(\d+) (\d+)\n255\n/.exec(ppm.subarray(0, 40).toString('latin1'))!;
  return { width: Number(width), height: Number(height), pixels: ppm.subarray(header.length) };
}

/** Rows and columns where two pictures of one size differ. */
function differences(a: Picture, b: Picture): { x: number; y: number; blue: boolean }[] {
  expect([b.width, b.height]).toEqual([a.width, a.height]);
  const found: { x: number; y: number; blue: boolean }[] = [];
  for (let at = 0; at < a.pixels.length; at += 3) {
    if ([0, 1, 2].every(i => Math.abs(a.pixels[at + i]! - b.pixels[at + i]!) < 8)) continue;
    const [red, , blue] = b.pixels.subarray(at, at + 3);
    found.push({ x: (at / 3) % a.width, y: Math.floor(at / 3 / a.width), blue: blue! - red! > 40 });
  }
  return found;
}

function words(pdf: Uint8Array, page: number): { text: string; x: number; y: number; width: number; height: number }[] {
  const path = join(folder, 'words.pdf');
  writeFileSync(path, pdf);
  const html = execFileSync('/usr/bin/pdftotext', [
    '-bbox',
    '-f',
    String(page),
    '-l',
    String(page),
    path,
    '-',
  ]).toString();
  return [...html.matchAll(/xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)</g)].map(
    match => {
      const [x, y, right, bottom] = match.slice(1, 5).map(Number) as [number, number, number, number];
      return { text: match[5]!, x, y, width: right - x, height: bottom - y };
    },
  );
}

/** An L: it tells up from down and left from right. */
const L: Mark = {
  kind: 'drawn',
  drawing: {
    width: 200,
    height: 100,
    strokes: [
      [
        [10, 5, 8],
        [10, 95, 8],
        [190, 95, 8],
      ],
    ],
  },
};

const pages: Readonly<Record<string, Uint8Array>> = {
  A4: odd('/MediaBox [0 0 595 842]'),
  'turned by 90°': odd('/MediaBox [0 0 595 842] /Rotate 90'),
  'turned by 180°': odd('/MediaBox [0 0 595 842] /Rotate 180'),
  'turned by -90°': odd('/MediaBox [0 0 595 842] /Rotate -90'),
  cropped: odd('/MediaBox [0 0 595 842] /CropBox [100 150 500 700]'),
  'cropped and turned': odd('/MediaBox [0 0 595 842] /CropBox [100 150 500 700] /Rotate 270'),
  'cropped beyond its media': odd('/MediaBox [0 0 595 842] /CropBox [-100 200 900 2000]'),
  'with its origin elsewhere': odd('/MediaBox [-200 -300 395 542]'),
  'of big units': odd('/MediaBox [0 0 400 500] /UserUnit 2'),
  'of a label': odd('/MediaBox [0 0 200 130]', 'BT /F1 10 Tf 20 60 Td (Odd page) Tj ET'),
  'of a poster': odd('/MediaBox [0 0 2384 3370]'),
  'that leaves its graphics state open': odd(
    '/MediaBox [0 0 595 842]',
    'q 0.5 0 0 0.5 90 90 cm q 1 0 0 RG BT /F1 36 Tf 120 300 Td (Odd page) Tj ET',
  ),
};

describe.skipIf(!has('qpdf', 'poppler-utils'))('B2 marks stand upright at the top and foot of a page', () => {
  test.each(Object.keys(pages))('%s', async name => {
    const original = pages[name]!;
    const documents = createDocuments({ worker, pki, company: COMPANY });
    const plan = layoutPlan({
      company: COMPANY,
      signatories: [{ name: 'John Doe', title: null, level: 'standard' }],
      marks: { signaturePage: true, paraphs: true, watermark: true },
    });
    const first = await documents.prepare(original, plan);
    const mark = { ...markFor(0, 'John Doe', 'standard', 0), paraph: L };
    const signed = await documents.approve(first.bytes, first.layout, mark);
    expect(qpdfCheck(signed)).toMatchObject({ status: 0 });

    for (const page of [1, 2]) {
      // Poppler shows all of a page whose crop box leaves it; we what both boxes hold, as the standard says.
      const same =
        name === 'cropped beyond its media' ? odd('/MediaBox [0 0 595 842] /CropBox [0 200 595 842]') : original;
      const before = picture(same, page);
      const changes = differences(before, picture(signed, page));
      // In points of a page of A4's width; poppler takes no notice of units.
      const scale = Math.min(3, Math.max(0.2, before.width / 595)) * (name === 'of big units' ? 1.5 : 1);
      const top = changes.filter(({ y }) => y < 22 * scale);
      const foot = changes.filter(({ y }) => y >= before.height - 34 * scale);
      expect(top.length, 'a watermark').toBeGreaterThan(20);
      expect(foot.length, 'a paraph').toBeGreaterThan(20);
      expect(changes.length, 'nothing between').toBe(top.length + foot.length);

      const ink = foot.filter(({ blue }) => blue);
      const [left, right] = [Math.min(...ink.map(({ x }) => x)), Math.max(...ink.map(({ x }) => x))];
      const [high, low] = [Math.min(...ink.map(({ y }) => y)), Math.max(...ink.map(({ y }) => y))];
      const corner = (x: number, y: number) =>
        ink.filter(at => Math.abs(at.x - x) <= (right - left) / 3 && Math.abs(at.y - y) <= (low - high) / 3).length;
      expect(right - left, 'wider than high').toBeGreaterThan(low - high);
      expect(corner(left, high)).toBeGreaterThan(0);
      expect(corner(left, low)).toBeGreaterThan(0);
      expect(corner(right, low)).toBeGreaterThan(0);
      expect(corner(right, high)).toBe(0);

      for (const text of [COMPANY.vat, 'Doe']) {
        const word = words(signed, page).find(found => found.text === text)!;
        expect(word, text).toBeDefined();
        expect(word.width, text).toBeGreaterThan(word.height);
      }
    }
  });

  test('a page is as before where the plan asks for no marks, and without a signature page', async () => {
    const documents = createDocuments({ worker, pki, company: COMPANY });
    const plan = layoutPlan({ marks: { signaturePage: false, paraphs: false, watermark: false } });
    const { bytes, layout } = await documents.prepare(pages['turned by 90°']!, plan);
    expect(layout.signatories[0]).toMatchObject({ box: null, paraphs: [] });
    expect(qpdfCheck(bytes)).toMatchObject({ status: 0 });
    for (const page of [1, 2])
      expect(differences(picture(pages['turned by 90°']!, page), picture(bytes, page))).toEqual([]);
    expect(layout.closing.pageObject).toBe(layout.seal!.pageObject);
  });
});
