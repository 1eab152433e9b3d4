/**
 * What a person draws or types as signature or paraph, as the pad makes it and the gateway reads it: strokes of points
 * with the pen's width, kept as they were drawn. Shared by browsers and the gateway.
 */

/** x, y (of the pad, y down) and the pen's width there, all in the pad's units. */
export type StrokePoint = readonly [x: number, y: number, penWidth: number];

export interface Drawing {
  /** Size of the pad, in its units (CSS pixels, as a rule). */
  readonly width: number;
  readonly height: number;
  /** One per time that the pen touched the pad; a single point is a dot. */
  readonly strokes: readonly (readonly StrokePoint[])[];
}

/** A signature or paraph; `typed` is for those who can't draw, and is shown as typed. */
export type Mark =
  | { readonly kind: 'drawn'; readonly drawing: Drawing }
  | { readonly kind: 'typed'; readonly text: string };

/** More than any hand needs; a pad that comes near should thin out its points. */
export const MARK_LIMITS = {
  strokes: 200,
  /** Of all strokes together. */
  points: 20_000,
  /** Of the pad's width and height, in its units. */
  side: 10_000,
  penWidth: 100,
  /** UTF-16 units of a typed mark. */
  text: 100,
} as const;

/** A value that is no mark; `message` says what is wrong, for a log, not for people. */
export class BadMark extends Error {
  override readonly name = 'BadMark';
}

/**
 * Reads a mark from parsed JSON, and nothing else: no further keys, no empty drawing.
 * Coordinates may leave the pad by its size, as a captured pointer does; they are rounded to hundredths.
 * @throws BadMark
 */
export function parseMark(value: unknown): Mark {
  const { kind } = record(value, null);
  if (kind === 'drawn') {
    return { kind, drawing: parseDrawing(record(value, ['kind', 'drawing']).drawing) };
  }
  if (kind === 'typed') return { kind, text: parseText(record(value, ['kind', 'text']).text) };
  throw new BadMark('a mark is drawn or typed');
}

/** @throws BadMark */
export function parseDrawing(value: unknown): Drawing {
  const drawing = record(value, ['width', 'height', 'strokes']);
  const { side, strokes: maxStrokes, points: maxPoints, penWidth } = MARK_LIMITS;
  const width = number(drawing.width, 1, side);
  const height = number(drawing.height, 1, side);
  const strokes = list(drawing.strokes, maxStrokes);
  let total = 0;
  const parsed = strokes.map(stroke => {
    const points = list(stroke, maxPoints);
    total += points.length;
    if (total > maxPoints) throw new BadMark('a drawing of too many points');
    return points.map((point): StrokePoint => {
      const [x, y, pen] = list(point, 3);
      return [number(x, -width, 2 * width), number(y, -height, 2 * height), number(pen, 0, penWidth)];
    });
  });
  return { width, height, strokes: parsed };
}

/** Composed text of one line that shows something, without controls and bidirectional marks. */
function parseText(value: unknown): string {
  if (typeof value !== 'string') throw new BadMark('a typed mark is text');
  const text = value.normalize('NFC').trim();
  if (text === '' || text.length > MARK_LIMITS.text) throw new BadMark('a typed mark is empty or too long');
  // Joiners (U+200C, U+200D) are part of words in some scripts.
  if (/[\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/u.test(text)) {
    throw new BadMark('a typed mark has characters that show nothing');
  }
  return text;
}

/** A plain object; with `keys`, exactly these. */
function record(value: unknown, keys: readonly string[] | null): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new BadMark('an object is missing');
  if (keys !== null && Object.keys(value).sort().join() !== [...keys].sort().join()) {
    throw new BadMark('an object has other keys than it should');
  }
  return value as Record<string, unknown>;
}

function list(value: unknown, most: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > most) {
    throw new BadMark('a list is missing, empty or too long');
  }
  return value;
}

function number(value: unknown, least: number, most: number): number {
  if (typeof value !== 'number' || !(value >= least && value <= most)) {
    throw new BadMark('a number is missing or out of range');
  }
  return Math.round(value * 100) / 100;
}
