/**
 * What a Standard request leaves on the document's own pages: a watermark line at the top, and at the foot a row of
 * places for paraphs, each a hairline over the signatory's name. Upright and of the same size to the eye on every page.
 */
import { Canvas } from './canvas.ts';
import type { FontBuilder } from './fonts.ts';
import type { LayoutPlan } from './layout.ts';
import type { PageGeometry } from './page-geometry.ts';
import { PAGE_TEXTS } from './signature-page-texts.ts';
import { printable } from './text-fitting.ts';

/** A paraph's place on the page as it is seen, in the page's units from its lower left corner. */
export interface UprightPlace {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface DrawnMarks {
  /** A content stream in upright coordinates; fonts R and B. */
  readonly content: string;
  /** One per signatory that has paraphs, in their order. */
  readonly places: readonly UprightPlace[];
}

/** Seen on white and on dark alike. */
const WATERMARK = 0.5;
const LABEL = 0.45;
const LINE = 0.65;

/** What the marks are designed for: an A4 page of this width. */
const DESIGN_WIDTH = 595;
const PLACE = { width: 72, least: 44, height: 20, label: 6, gap: 6 };
const EDGE = { side: 24, top: 15, bottom: 9 };

/**
 * @param page as it is seen
 * @param names of the signatories with paraphs; none on a document of one page
 */
export function drawMarks(
  page: PageGeometry,
  plan: LayoutPlan,
  names: readonly string[],
  fonts: { readonly regular: FontBuilder; readonly bold: FontBuilder },
): DrawnMarks {
  const canvas = new Canvas(fonts);
  // Small and huge sheets are read at a distance of their own: marks grow with the page, within reason.
  const scale = Math.min(3, Math.max(0.2, (page.width * page.unit) / DESIGN_WIDTH)) / page.unit;
  const side = EDGE.side * scale;
  const inner = page.width - 2 * side;
  if (plan.marks.watermark) {
    const at = { x: page.width / 2, y: page.height - EDGE.top * scale, width: inner, align: 'center' as const };
    canvas.text('R', 7.5 * scale, WATERMARK, at, watermarkOf(plan));
  }
  const places = names.length === 0 ? [] : rowOf(names.length, page.width, scale);
  places.forEach((place, index) => {
    const { x, y, width } = place;
    canvas.line(x, y, x + width, LINE, 0.5 * scale);
    const at = { x: x + width / 2, y: y - 5.4 * scale, width, align: 'center' as const };
    canvas.text('R', 4.8 * scale, LABEL, at, printable(names[index]!));
  });
  return { content: canvas.source(), places };
}

function watermarkOf({ company, language }: LayoutPlan): string {
  const name = printable(company.name);
  return company.vat === null ? name : `${name} · ${PAGE_TEXTS[language].vat} ${printable(company.vat)}`;
}

/** Places side by side from the right edge; where they are many, smaller and in several rows of equal length. */
function rowOf(count: number, pageWidth: number, scale: number): UprightPlace[] {
  const side = EDGE.side * scale;
  const gap = PLACE.gap * scale;
  const inner = pageWidth - 2 * side;
  const fitting = Math.max(1, Math.floor((inner + gap) / (PLACE.least * scale + gap)));
  const rows = Math.ceil(count / fitting);
  const columns = Math.ceil(count / rows);
  const width = Math.min(PLACE.width * scale, (inner + gap) / columns - gap);
  const height = (rows === 1 ? PLACE.height : 15) * scale;
  const step = height + (PLACE.label + 2) * scale;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const inRow = Math.min(columns, count - row * columns);
    const x = pageWidth - side - (inRow - (index % columns)) * (width + gap) + gap;
    const y = EDGE.bottom * scale + (rows - 1 - row) * step;
    return { x, y, width, height };
  });
}
