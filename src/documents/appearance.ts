/**
 * What a signature looks like on the page: a calm panel of the drawn signature, and who, when and how beneath, in the
 * fonts that the first revision embeds. Only operators that the device's check knows (src/client/increments.ts).
 */

import { Pen } from './appearance-pen.ts';
import { octets } from './file/values.ts';
import { drawMark, INKS } from './ink.ts';
import type { DocumentLayout } from './layout.ts';
import type { Mark } from './strokes.ts';

export interface Panel {
  /** Small, above the title; not shown with a signature, which says it. */
  readonly caption: string;
  /** Big: who signs. */
  readonly title: string;
  /** Label and value, aligned under the title. */
  readonly rows: readonly (readonly [label: string, value: string])[];
  readonly signature?: PanelSignature | null;
}

export interface PanelSignature {
  readonly mark: Mark;
  /** Said beside a mark that wasn't drawn by hand; null where it was. */
  readonly note: string | null;
}

/** Greys only, as on the signature page, so that it fits a document of any colour space (PDF/A asks for that). */
const BAR = 0.3;
const INK = 0.1;
const QUIET = 0.42;
const RULE = 0.78;

/** In points before scaling. */
const TOP = 9;
const SIGNATURE = 38;
const LEADING = 9.2;
const TITLE = [14, 9] as const;
const SMALL_TITLE = [10.5, 8] as const;
const DESIGN_WIDTH = 240;
const MOST_SCALED = 1.2;

type Size = { readonly width: number; readonly height: number };

/** @returns a content stream; F1 is the regular font, F2 the bold one */
export function drawPanel(
  panel: Panel,
  size: Size,
  layout: Pick<DocumentLayout, 'regular' | 'bold' | 'ink'>,
): Uint8Array<ArrayBuffer> {
  const { signature = null } = panel;
  const { width, height } = size;
  const pen = new Pen(layout);
  const natural = (signature ? TOP + SIGNATURE + 5 + 21.5 : 15 + 16.5 + 14) + panel.rows.length * LEADING;
  const scaleFor = (needed: number) => Math.min(height / needed, width / DESIGN_WIDTH, MOST_SCALED);
  const sizes = signature ? SMALL_TITLE : TITLE;
  const innerFor = (scale: number) => width - (18 + 12) * scale;
  const oneLine = scaleFor(natural);
  const more = pen.titleHeight(panel.title, scaled(sizes, oneLine), innerFor(oneLine)) / oneLine - sizes[0];
  const scale = scaleFor(natural + Math.max(0, more));
  const left = 18 * scale;
  const inner = innerFor(scale);

  // The page has drawn the box; a bar well inside it says that it is filled.
  pen.paint(BAR, 9 * scale, 10 * scale, 2 * scale, height - 20 * scale);
  const small = 7 * scale;
  let y = height;
  if (signature) {
    y -= (TOP + SIGNATURE) * scale;
    const noted = signature.note === null ? 0 : pen.width('F1', signature.note, 6 * scale) + 6 * scale;
    const place = { x: left + 2 * scale, y, width: inner - 4 * scale - noted, height: SIGNATURE * scale };
    pen.lines.push(...drawMark(signature.mark, place, 'left', INKS[layout.ink ?? 'black']));
    if (signature.note !== null)
      pen.write('F1', 6 * scale, QUIET, width - 6 * scale - noted, y + 2 * scale, signature.note);
    y -= 3 * scale;
    pen.paint(RULE, left, y, inner, 0.5 * scale);
    y -= 2 * scale;
    y -= pen.title(panel.title, INK, scaled(sizes, scale), left, y, inner);
    y -= 11 * scale;
  } else {
    y -= 15 * scale;
    pen.write('F1', small, QUIET, left, y, pen.shorten('F1', panel.caption, small, inner));
    y -= 2.5 * scale;
    y -= pen.title(panel.title, INK, scaled(sizes, scale), left, y, inner);
    y -= 4 * scale;
    pen.paint(RULE, left, y, inner, 0.5 * scale);
    y -= 10 * scale;
  }

  const column = Math.max(0, ...panel.rows.map(([label]) => pen.width('F1', label, small))) + 8 * scale;
  for (const [label, value] of panel.rows) {
    pen.write('F1', small, QUIET, left, y, label);
    pen.write('F1', small, INK, left + column, y, pen.shorten('F1', value, small, inner - column));
    y -= LEADING * scale;
  }
  return pen.content();
}

const scaled = ([largest, smallest]: readonly [number, number], scale: number) =>
  [largest * scale, smallest * scale] as const;

/** A paraph in its place. @returns a content stream that needs no resources */
export function drawParaph(mark: Mark, { width, height }: Size, ink: DocumentLayout['ink']): Uint8Array<ArrayBuffer> {
  const inset = height * 0.06;
  const place = { x: inset, y: inset, width: width - 2 * inset, height: height - 2 * inset };
  return octets(drawMark(mark, place, 'center', INKS[ink ?? 'black']).join('\n'));
}
