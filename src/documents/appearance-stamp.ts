/**
 * What a signature looks like where a panel has no room: a few lines beside a bar, for the stamps on documents that arrived
 * signed. Only operators that the device's check knows (src/client/increments.ts).
 */
import type { Panel } from './appearance.ts';
import { Pen } from './appearance-pen.ts';
import type { DocumentLayout } from './layout.ts';

/** Fields lower than this show a stamp, in points. */
export const STAMP_BELOW = 48;

/** The stamp is designed at this height, in points, and scaled to its field. */
const DESIGN_HEIGHT = 34;
const INK = 0.1;
const QUIET = 0.42;
const BAR = 0.3;

/**
 * @param size of the field, in points
 * @returns a content stream; F1 is the regular font, F2 the bold one
 */
export function drawStamp(
  panel: Panel,
  { width, height }: { readonly width: number; readonly height: number },
  { regular, bold }: Pick<DocumentLayout, 'regular' | 'bold'>,
): Uint8Array<ArrayBuffer> {
  const unit = height / DESIGN_HEIGHT;
  const left = 7 * unit;
  const inner = width - left - 3 * unit;
  const pen = new Pen({ regular, bold });
  pen.paint(BAR, 2 * unit, 3 * unit, 1.5 * unit, height - 6 * unit);
  const write = (resource: 'F1' | 'F2', points: number, grey: number, y: number, text: string) =>
    pen.write(resource, points, grey, left, y, pen.shorten(resource, text, points, inner));
  const values = panel.rows.map(([, value]) => value);
  write('F1', 5 * unit, QUIET, 27 * unit, panel.caption);
  write('F2', 8 * unit, INK, 18.5 * unit, panel.title);
  write('F1', 5 * unit, INK, 11 * unit, values.slice(0, 2).join(' · '));
  write('F1', 5 * unit, INK, 4.5 * unit, values.slice(2, 4).join(' · '));
  return pen.content();
}
