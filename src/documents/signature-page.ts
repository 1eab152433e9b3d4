/**
 * The signature page: who signs, each with a box where the signature's appearance will stand, and the company's seal.
 * Only greys, so that it fits a document of any colour space (PDF/A asks for that).
 */
import { Drawing, printable } from './drawing.ts';
import type { EmbeddedFont } from './fonts.ts';
import type { LayoutPlan } from './layout.ts';
import { PAGE_TEXTS } from './signature-page-texts.ts';

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
const ROW = 100;
const BOX_HEIGHT = 80;
const FOOTER = 40;

/**
 * Draws as many pages as the signatories need, the company's box last.
 * The fonts stand in the page's resources as R (regular) and B (bold).
 */
export function drawSignaturePages(
  size: PageSize,
  plan: LayoutPlan,
  fonts: { readonly regular: EmbeddedFont; readonly bold: EmbeddedFont },
): DrawnPages {
  const texts = PAGE_TEXTS[plan.language];
  const margin = Math.round(Math.min(64, Math.max(36, size.width * 0.09)));
  const inner = size.width - 2 * margin;
  const boxWidth = Math.min(300, Math.round(inner * 0.58));
  const boxX = size.width - margin - boxWidth;
  const labelWidth = inner - boxWidth - 20;

  const pages: Drawing[] = [];
  let y = 0;

  const startPage = () => {
    const drawing = new Drawing(fonts);
    pages.push(drawing);
    const top = size.height - margin;
    const request = `${texts.request} ${printable(plan.requestId)}`;
    drawing.text('R', 9, SOFT, { x: size.width - margin, y: top - 9, width: inner * 0.5, align: 'right' }, request);
    drawing.text('B', 9, SOFT, { x: margin, y: top - 9, width: inner * 0.48 }, printable(plan.company.name));
    if (pages.length > 1) {
      drawing.line(margin, top - 22, size.width - margin, LINE);
      y = top - 22;
      return;
    }
    drawing.text('B', 24, INK, { x: margin, y: top - 54, width: inner }, texts.title);
    drawing.line(margin, top - 88, size.width - margin, LINE);
    y = top - 88;
  };

  const row = (title: string, lines: readonly string[]): FieldPlace => {
    if (pages.length === 0 || y - ROW < margin + FOOTER) startPage();
    const drawing = pages.at(-1)!;
    const boxY = y - 10 - BOX_HEIGHT;
    const used = drawing.wrapped('B', 11, INK, { x: margin, y: y - 24, width: labelWidth }, title, 2);
    let baseline = y - 26 - used;
    for (const text of lines)
      baseline -= drawing.wrapped('R', 9, SOFT, { x: margin, y: baseline, width: labelWidth }, text, 2) + 2;
    drawing.box(boxX, boxY, boxWidth, BOX_HEIGHT, LINE);
    drawing.line(margin, y - ROW, size.width - margin, 0.9);
    y -= ROW;
    return { page: pages.length - 1, x: boxX, y: boxY, width: boxWidth, height: BOX_HEIGHT };
  };

  const signatories = plan.signatories.map(({ name, title }) =>
    row(printable(name), title === null ? [] : [printable(title)]),
  );
  const { company } = plan;
  const closing = row(
    texts.seal,
    [company.name, ...(company.vat === null ? [] : [company.vat])].map(text => printable(text)),
  );

  pages.forEach((drawing, index) => {
    const at = { x: margin, y: margin, width: inner - 50 };
    drawing.wrapped('R', 7.5, SOFT, at, texts.note, 2);
    const number = `${index + 1} / ${pages.length}`;
    drawing.text('R', 7.5, SOFT, { x: size.width - margin, y: margin, width: 50, align: 'right' }, number);
  });
  return { contents: pages.map(drawing => drawing.source()), signatories, closing };
}

/** Every text that the page draws, or that appearances draw later, beyond the fonts' usual characters. */
export function textsOf(plan: LayoutPlan): string {
  const people = plan.signatories.flatMap(({ name, title }) => [name, title ?? '']);
  return printable([plan.company.name, plan.company.vat ?? '', plan.requestId, ...people].join(' '));
}
