/**
 * Signatures and paraphs as vectors: strokes as smooth Bézier paths with the pen's width, typed names as outlines of a
 * handwriting face. Only operators that the device's check knows (src/client/increments.ts).
 */
import type { Mark, StrokePoint } from './strokes.ts';
import { outlineOf, type SetLine, setLine } from './typesetting.ts';

export interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where in its place a mark stands that doesn't fill it. */
export type Anchor = 'left' | 'center';

/** Points by which a path may miss the drawn one, and a step of the pen's width. */
const TOLERANCE = 0.03;
const WIDTH_STEP = 0.1;
const THINNEST = 0.35;
/** A drawing is never enlarged more than this beyond what shows the whole pad. */
const MOST_ENLARGED = 3;

export function numbers(...values: number[]): string {
  return values.map(value => String(Math.round(value * 100) / 100 || 0)).join(' ');
}

/** @returns operators */
export function drawMark(mark: Mark, place: Place, anchor: Anchor, ink: Ink): string[] {
  return mark.kind === 'drawn'
    ? drawStrokes(mark.drawing, place, anchor, ink)
    : drawTyped(mark.text, place, anchor, ink);
}

export interface Ink {
  readonly stroke: string;
  readonly fill: string;
}

/** Dark blue tells ink from print; black where the document's colours leave no choice. */
export const INKS = {
  blue: { stroke: '0.06 0.14 0.45 RG', fill: '0.06 0.14 0.45 rg' },
  black: { stroke: '0.05 G', fill: '0.05 g' },
} as const satisfies Readonly<Record<string, Ink>>;

interface Point {
  readonly x: number;
  readonly y: number;
  readonly w: number;
}

function drawStrokes(
  { width: padWidth, height: padHeight, strokes }: Extract<Mark, { kind: 'drawn' }>['drawing'],
  place: Place,
  anchor: Anchor,
  ink: Ink,
): string[] {
  const points = strokes.flat();
  const reach = (axis: 0 | 1, side: 1 | -1) => points.map(point => point[axis] + (side * point[2]) / 2);
  const [left, right] = [lowest(reach(0, -1)), highest(reach(0, 1))];
  const [top, bottom] = [lowest(reach(1, -1)), highest(reach(1, 1))];
  const [width, height] = [Math.max(right - left, 1e-3), Math.max(bottom - top, 1e-3)];
  const whole = Math.min(place.width / padWidth, place.height / padHeight);
  const scale = Math.min(place.width / width, place.height / height, whole * MOST_ENLARGED);
  const x0 = place.x + (anchor === 'center' ? (place.width - width * scale) / 2 : 0);
  const y0 = place.y + (place.height - height * scale) / 2;
  const onPage = ([x, y, w]: StrokePoint): Point => ({
    x: x0 + (x - left) * scale,
    y: y0 + (bottom - y) * scale,
    w: Math.max(THINNEST, Math.round((w * scale) / WIDTH_STEP) * WIDTH_STEP),
  });
  const lines = ['q', ink.stroke, '1 J', '1 j'];
  for (const stroke of strokes) lines.push(...drawStroke(thin(stroke.map(onPage))));
  lines.push('Q');
  return lines;
}

/** Parts of one pen width each; round ends make them one line. */
function drawStroke(points: readonly Point[]): string[] {
  const [first] = points;
  if (first === undefined) return [];
  if (points.length === 1) return [...start(first), `${numbers(first.x, first.y)} l`, 'S'];
  const lines: string[] = [];
  let open: number | null = null;
  for (let i = 0; i + 1 < points.length; i++) {
    const [a, b] = [points[i]!, points[i + 1]!];
    if (a.w !== open) {
      if (open !== null) lines.push('S');
      lines.push(...start(a));
      open = a.w;
    }
    // Catmull-Rom through the points, as a cubic Bézier.
    const before = points[i - 1] ?? a;
    const after = points[i + 2] ?? b;
    const [x1, y1] = [a.x + (b.x - before.x) / 6, a.y + (b.y - before.y) / 6];
    const [x2, y2] = [b.x - (after.x - a.x) / 6, b.y - (after.y - a.y) / 6];
    lines.push(`${numbers(x1, y1, x2, y2, b.x, b.y)} c`);
  }
  lines.push('S');
  return lines;
}

const start = ({ x, y, w }: Point) => [`${numbers(w)} w`, `${numbers(x, y)} m`];

/** Points between which a stroke is thinned at a time: the work grows with the square of it. */
const STRETCH = 400;

/** Leaves out points that the line between their neighbours passes (Ramer, Douglas and Peucker), without recursion. */
function thin(points: readonly Point[]): Point[] {
  const kept = new Set<number>();
  const waiting: [number, number][] = [];
  for (let from = 0; from < points.length; from += STRETCH) {
    const to = Math.min(from + STRETCH, points.length - 1);
    kept.add(from).add(to);
    waiting.push([from, to]);
  }
  for (let range = waiting.pop(); range; range = waiting.pop()) {
    const [from, to] = range;
    let farthest = 0;
    let at = -1;
    for (let i = from + 1; i < to; i++) {
      const off = distance(points[i]!, points[from]!, points[to]!);
      if (off > farthest) [farthest, at] = [off, i];
    }
    if (farthest <= TOLERANCE) continue;
    kept.add(at);
    waiting.push([from, at], [at, to]);
  }
  return points.filter((_, index) => kept.has(index));
}

/** From the stretch between two points; a change of the pen's width counts as distance. */
function distance(point: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((point.x - a.x) * dx + (point.y - a.y) * dy) / length));
  const off = Math.hypot(point.x - a.x - t * dx, point.y - a.y - t * dy);
  return Math.max(off, Math.abs(point.w - (a.w + t * (b.w - a.w))) / 4);
}

/** Of the place's height: handwriting is small in its em, other letters are not. */
const EM = { hand: 0.95, other: 0.7 };

function drawTyped(text: string, place: Place, anchor: Anchor, ink: Ink): string[] {
  const line = setLine(text, 'script');
  const { left, bottom, right, top } = boundsOf(line);
  const em = line.glyphs.every(({ face }) => face.hand) ? EM.hand : EM.other;
  const size = Math.min(
    place.height * em,
    (place.height * 1000) / Math.max(top - bottom, 1),
    (place.width * 1000) / Math.max(right - left, 1),
  );
  const spare = place.width - ((right - left) * size) / 1000;
  const x = place.x + (anchor === 'center' ? spare / 2 : 0) - (left * size) / 1000;
  const y = place.y + (place.height - ((top + bottom) * size) / 1000) / 2;
  return ['q', ink.fill, ...drawOutlines(line, x, y, size), 'Q'];
}

/** Of what a line draws, in 1/1000 em from its start on the baseline. */
function boundsOf({ glyphs }: SetLine) {
  const boxes = glyphs
    .map(glyph => ({ glyph, box: outlineOf(glyph).bbox }))
    .filter(({ box }) => Number.isFinite(box.minX) && box.maxX > box.minX)
    .map(({ glyph: { face, x, y }, box }) => ({
      left: x + box.minX * face.scale,
      bottom: y + box.minY * face.scale,
      right: x + box.maxX * face.scale,
      top: y + box.maxY * face.scale,
    }));
  if (boxes.length === 0) return { left: 0, bottom: 0, right: 0, top: 0 };
  return {
    left: lowest(boxes.map(({ left }) => left)),
    bottom: lowest(boxes.map(({ bottom }) => bottom)),
    right: highest(boxes.map(({ right }) => right)),
    top: highest(boxes.map(({ top }) => top)),
  };
}

/** A line as filled outlines of its glyphs. @param size in points; `x`, `y` of its start on the baseline */
export function drawOutlines(line: SetLine, x: number, y: number, size: number): string[] {
  const lines: string[] = [];
  for (const glyph of line.glyphs) {
    const unit = (glyph.face.scale * size) / 1000;
    const [left, base] = [x + (glyph.x * size) / 1000, y + (glyph.y * size) / 1000];
    let [atX, atY] = [0, 0];
    const place = (px: number, py: number) => [left + px * unit, base + py * unit] as const;
    for (const { command, args } of outlineOf(glyph).commands) {
      const [a, b, c, d] = args as [number, number, number, number];
      if (command === 'moveTo' || command === 'lineTo') {
        lines.push(`${numbers(...place(a, b))} ${command === 'moveTo' ? 'm' : 'l'}`);
        [atX, atY] = [a, b];
      } else if (command === 'quadraticCurveTo') {
        // A quadratic as a cubic: its control points stand two thirds of the way to the one.
        const first = place(atX + (2 / 3) * (a - atX), atY + (2 / 3) * (b - atY));
        const second = place(c + (2 / 3) * (a - c), d + (2 / 3) * (b - d));
        lines.push(`${numbers(...first, ...second, ...place(c, d))} c`);
        [atX, atY] = [c, d];
      } else if (command === 'closePath') lines.push('h');
    }
  }
  if (lines.length > 0) lines.push('f');
  return lines;
}

// A drawing has more points than a call takes arguments.
const lowest = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b));
const highest = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b));
