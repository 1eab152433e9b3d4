/** What the pad does with strokes, without a screen: keeps them when the phone is turned, gives the pen its width. */
import type { Drawing, StrokePoint } from '../documents/strokes.ts';

type Stroke = readonly StrokePoint[];

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Around what is drawn, in CSS pixels. */
const MARGIN = 12;

/** Where the ink is, with a margin. */
function inkBox(strokes: readonly Stroke[]): Size & { readonly left: number; readonly top: number } {
  const points = strokes.flat();
  const reach = (axis: 0 | 1): readonly [least: number, length: number] => {
    const [least, most] = points.reduce(
      ([low, high], point) => [Math.min(low, point[axis] - point[2] / 2), Math.max(high, point[axis] + point[2] / 2)],
      [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    );
    return [least - MARGIN, most - least + 2 * MARGIN];
  };
  const [[left, width], [top, height]] = [reach(0), reach(1)];
  return { left, top, width, height };
}

/** The same strokes on a pad of another size: in the middle, as large as fits, never larger than they were drawn. */
export function refit(strokes: readonly Stroke[], from: Size, to: Size): Stroke[] {
  if (strokes.length === 0 || (from.width === to.width && from.height === to.height)) {
    return strokes.map(stroke => [...stroke]);
  }
  const box = inkBox(strokes);
  const scale = Math.min(1, to.width / box.width, to.height / box.height);
  const left = (to.width - box.width * scale) / 2 - box.left * scale;
  const top = (to.height - box.height * scale) / 2 - box.top * scale;
  return strokes.map(stroke => stroke.map(([x, y, pen]) => [x * scale + left, y * scale + top, pen * scale]));
}

/**
 * The pen's width in CSS pixels. A pen says how hard it is pressed; with finger and mouse a quick stroke is a thin one.
 * @param speed CSS pixels per millisecond
 * @param before the width at the point before: it changes gradually
 */
export function penWidth(kind: string, pressure: number, speed: number, before: number | null): number {
  const wanted = kind === 'pen' ? 1 + 3.5 * pressure : 3.4 - 1.4 * Math.min(1, speed / 2.5);
  return before === null ? wanted : before + (wanted - before) * 0.35;
}

/** Whether a point is far enough from the last one to be kept: what is closer shows nothing. */
export function isApart([x, y]: StrokePoint, [lastX, lastY]: StrokePoint): boolean {
  return Math.hypot(x - lastX, y - lastY) >= 1.5;
}

/** What is drawn smaller than this stays small: a dot is no signature that fills its place. */
const LEAST = { width: 160, height: 80 };

/** What was drawn, cut out of the pad; in hundredths, as `parseMark` reads it. Null when nothing was drawn. */
export function drawingOf(strokes: readonly Stroke[]): Drawing | null {
  if (strokes.length === 0) return null;
  const ink = inkBox(strokes);
  const width = Math.max(ink.width, LEAST.width);
  const height = Math.max(ink.height, LEAST.height);
  const left = ink.left - (width - ink.width) / 2;
  const top = ink.top - (height - ink.height) / 2;
  const round = (value: number): number => Math.round(value * 100) / 100;
  return {
    width: round(width),
    height: round(height),
    strokes: strokes.map(stroke => stroke.map(([x, y, pen]) => [round(x - left), round(y - top), round(pen)])),
  };
}
