/**
 * The signature page: who signs, each with a box where the signature's appearance will stand, and the company's seal.
 * Only greys, so that it fits a document of any colour space (PDF/A asks for that).
 */
import { Canvas } from './canvas.ts';
import type { FontBuilder } from './fonts.ts';
import type { LayoutPlan } from './layout.ts';
import { PAGE_TEXTS } from './signature-page-texts.ts';
import { printable } from './text-fitting.ts';

export interface PageSize {
  readonly width: number;
  readonly height: number;
}

/** Where a signature field stands on its page, in points from the lower left corner. */
export interface FieldPlace {
  readonly page: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface DrawnPages {
  /** One content stream a page. */
  readonly contents: readonly string[];
  readonly signatories: readonly FieldPlace[];
  readonly closing: FieldPlace;
}

const INK = 0.1;
const SOFT = 0.42;
const LINE = 0.78;
/** Heights of the boxes for a signatory and for the seal, and what stands around them in a row. */
const BOX = { signatory: 120, seal: 80, around: 16 };
const FOOTER = 26;

/**
 * Draws as many pages as the signatories need, the company's box last.
 * The fonts stand in the page's resources as R (regular) and B (bold).
 */
export function drawSignaturePages(
  size: PageSize,
  plan: LayoutPlan,
  fonts: { readonly regular: FontBuilder; readonly bold: FontBuilder },
): DrawnPages {
  const texts = PAGE_TEXTS[plan.language];
  const margin = Math.round(Math.min(64, Math.max(36, size.width * 0.09)));
  const inner = size.width - 2 * margin;
  const boxWidth = Math.min(310, Math.round(inner * 0.62));
  const boxX = size.width - margin - boxWidth;
  const labelWidth = inner - boxWidth - 16;

  const pages: Canvas[] = [];
  let y = 0;

  const startPage = () => {
    const canvas = new Canvas(fonts);
    pages.push(canvas);
    const top = size.height - margin;
    const request = `${texts.request} ${printable(plan.requestId)}`;
    canvas.text('R', 9, SOFT, { x: size.width - margin, y: top - 9, width: inner * 0.5, align: 'right' }, request);
    canvas.text('B', 9, SOFT, { x: margin, y: top - 9, width: inner * 0.48 }, printable(plan.company.name));
    if (pages.length === 1) canvas.text('B', 24, INK, { x: margin, y: top - 54, width: inner }, texts.title);
    y = top - (pages.length === 1 ? 74 : 22);
    canvas.line(margin, y, size.width - margin, LINE);
  };

  const row = (boxHeight: number, title: string, lines: readonly string[]): FieldPlace => {
    const height = boxHeight + BOX.around;
    if (pages.length === 0 || y - height < margin + FOOTER) startPage();
    const canvas = pages.at(-1)!;
    const boxY = y - BOX.around / 2 - boxHeight;
    const used = canvas.fitted('B', [11, 8.5], INK, { x: margin, y: y - 24, width: labelWidth }, title);
    let baseline = y - 27 - used;
    for (const text of lines)
      baseline -= canvas.fitted('R', [9, 7.5], SOFT, { x: margin, y: baseline, width: labelWidth }, text) + 2;
    canvas.box(boxX, boxY, boxWidth, boxHeight, LINE);
    canvas.line(margin, y - height, size.width - margin, 0.9);
    y -= height;
    return { page: pages.length - 1, x: boxX, y: boxY, width: boxWidth, height: boxHeight };
  };

  const company = printable(plan.company.name);
  const signatories = plan.signatories.map(({ name, title }) =>
    row(BOX.signatory, printable(name), [...(title === null ? [] : [printable(title)]), company]),
  );
  const vat = plan.company.vat === null ? [] : [`${texts.vat} ${printable(plan.company.vat)}`];
  const closing = row(BOX.seal, texts.seal, [company, ...vat]);

  pages.forEach((canvas, index) => {
    const at = { x: margin, y: margin, width: inner - 50 };
    canvas.fitted('R', [7.5, 6.5], SOFT, at, texts.note);
    const number = `${index + 1} / ${pages.length}`;
    canvas.text('R', 7.5, SOFT, { x: size.width - margin, y: margin, width: 50, align: 'right' }, number);
  });
  return { contents: pages.map(canvas => canvas.source()), signatories, closing };
}

/** Every text that appearances may draw later, beyond the fonts' usual characters. */
export function textsOf(plan: LayoutPlan): string[] {
  const people = plan.signatories.flatMap(({ name, title }) => [name, title ?? '']);
  return [plan.company.name, plan.company.vat ?? '', plan.requestId, ...people].map(printable);
}
