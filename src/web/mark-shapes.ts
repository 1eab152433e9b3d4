/** What the pad does with strokes, without a screen: keeps them when the phone is turned, gives the pen its width. */
import type { Drawing, StrokePoint } from '../documents/strokes.ts';

type Stroke = readonly StrokePoint[];

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The same strokes on a pad of another size: as large as fits, in the middle, never larger than they were drawn. */
export function refit(strokes: readonly Stroke[], from: Size, to: Size): Stroke[] {
  const scale = Math.min(1, to.width / from.width, to.height / from.height);
  const left = (to.width - from.width * scale) / 2;
  const top = (to.height - from.height * scale) / 2;
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

/** Rounded to hundredths, as `parseMark` reads it; null when nothing was drawn. */
export function drawingOf(strokes: readonly Stroke[], { width, height }: Size): Drawing | null {
  if (strokes.length === 0) return null;
  const round = (value: number, most: number): number =>
    Math.round(Math.min(2 * most, Math.max(-most, value)) * 100) / 100;
  return {
    width,
    height,
    strokes: strokes.map(stroke =>
      stroke.map(([x, y, pen]) => [round(x, width), round(y, height), Math.round(pen * 100) / 100]),
    ),
  };
}
