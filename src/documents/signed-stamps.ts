/**
 * Where signatures stand on a document that arrived signed: small stamps at the foot of its last page, then at its head,
 * clear of its annotations.
 */
import { PDFDict, PDFName } from '@cantoo/pdf-lib';
import type { PdfFile } from './file/file.ts';
import { isDict, type PdfDict } from './file/values.ts';
import type { FoundPage } from './inspect-pages.ts';
import type { Box } from './layout.ts';
import { elements, numberEntry, rectangleEntry } from './objects.ts';

export interface Stamps {
  readonly file: PdfFile;
  readonly pageObject: number;
  readonly page: PdfDict;
  /** As many as were asked for; null where there is no room. */
  readonly boxes: readonly (Box | null)[];
}

type Rectangle = readonly [left: number, bottom: number, right: number, top: number];

const STAMP = { width: 160, height: 34 };
const GAP = 8;
/** What printers may cut off. */
const EDGE = 14;

/** Null where nothing can stand on the last page: turned pages, and pages that are no object of their own. */
export function placeStamps(file: PdfFile, pages: readonly FoundPage[], count: number): Stamps | null {
  const last = pages.at(-1);
  if (last?.ref == null || last.ref.generationNumber !== 0) return null;
  const pageObject = last.ref.objectNumber;
  const page = file.find(pageObject)?.value;
  const whole = last.dict.clone();
  for (const [key, value] of last.inherited) whole.set(PDFName.of(key), value);
  const area = rectangleEntry(whole, 'CropBox') ?? rectangleEntry(whole, 'MediaBox') ?? [0, 0, 612, 792];
  if (!isDict(page) || (numberEntry(whole, 'Rotate') ?? 0) % 360 !== 0) return null;
  const taken = elements(whole, 'Annots').flatMap(annotation => {
    const rectangle = annotation instanceof PDFDict ? rectangleEntry(annotation, 'Rect') : undefined;
    return rectangle ? [rectangle] : [];
  });
  const free = cells(area).filter(cell => !taken.some(other => overlap(cell, other)));
  const boxes = Array.from({ length: count }, (_, index): Box | null => {
    const cell = free[index];
    return cell === undefined ? null : { page: pages.length - 1, x: cell[0], y: cell[1], ...STAMP };
  });
  return { file, pageObject, page, boxes };
}

/** Places for stamps, best first: rows from the left, at the foot of the page and at its head. */
function cells([left, bottom, right, top]: Rectangle): Rectangle[] {
  const columns = Math.floor((right - left - 2 * EDGE + GAP) / (STAMP.width + GAP));
  if (top - bottom < 6 * STAMP.height) return [];
  const rows = [bottom + EDGE, top - EDGE - STAMP.height];
  return rows.flatMap(y =>
    Array.from({ length: Math.max(0, columns) }, (_, column): Rectangle => {
      const x = Math.round(left + EDGE + column * (STAMP.width + GAP));
      return [x, Math.round(y), x + STAMP.width, Math.round(y) + STAMP.height];
    }),
  );
}

function overlap(a: Rectangle, b: Rectangle): boolean {
  return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
}
