import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawMark, INKS } from '../../../src/documents/ink.ts';
import { BadMark, MARK_LIMITS, type Mark, parseMark } from '../../../src/documents/strokes.ts';
import { scribble } from '../../support/marks.ts';

const drawing = (strokes: unknown, more: object = {}) => ({
  kind: 'drawn',
  drawing: { width: 300, height: 150, strokes, ...more },
});
const points = (count: number) => Array.from({ length: count }, (_, i) => [i % 300, (i * 7) % 150, 2]);

describe('a mark from outside', () => {
  test('is read as it was drawn or typed', () => {
    const drawn = scribble();
    expect(parseMark(JSON.parse(JSON.stringify(drawn)))).toMatchObject({ kind: 'drawn', drawing: { width: 600 } });
    expect(parseMark(drawing([[[1.23456, 2, 3]]]))).toEqual(drawing([[[1.23, 2, 3]]]));
    expect(parseMark({ kind: 'typed', text: ' Zoë ' })).toEqual({ kind: 'typed', text: 'Zoë' });
    expect(parseMark({ kind: 'typed', text: 'علی\u200cرضا' })).toEqual({ kind: 'typed', text: 'علی\u200cرضا' });
  });

  test.each<[string, unknown]>([
    ['null', null],
    ['an array', []],
    ['another kind', { kind: 'painted', drawing: {} }],
    ['a further key', { kind: 'typed', text: 'a', size: 3 }],
    ['a drawing with a further key', drawing([[[1, 1, 1]]], { color: 'red' })],
    ['no strokes', drawing([])],
    ['an empty stroke', drawing([[]])],
    ['a point without a width', drawing([[[1, 1]]])],
    ['a point with more', drawing([[[1, 1, 1, 1]]])],
    ['no number', drawing([[[1, 'a', 1]]])],
    ['not a finite number', drawing([[[1, Number.NaN, 1]]])],
    ['an infinite one', drawing([[[1, Number.POSITIVE_INFINITY, 1]]])],
    ['a point far off the pad', drawing([[[9000, 1, 1]]])],
    ['a pen without bounds', drawing([[[1, 1, 5000]]])],
    ['a pad of no size', drawing([[[1, 1, 1]]], { width: 0 })],
    ['too many strokes', drawing(Array.from({ length: MARK_LIMITS.strokes + 1 }, () => [[1, 1, 1]]))],
    ['too many points', drawing([points(MARK_LIMITS.points / 2), points(MARK_LIMITS.points / 2 + 1)])],
    ['no text', { kind: 'typed', text: '  ' }],
    ['a long text', { kind: 'typed', text: 'a'.repeat(MARK_LIMITS.text + 1) }],
    ['a control', { kind: 'typed', text: 'a\nb' }],
    ['a bidirectional override', { kind: 'typed', text: 'a\u202eb' }],
    ['half a character', { kind: 'typed', text: '\ud800' }],
  ])('is refused: %s', (_, value) => {
    expect(() => parseMark(value)).toThrow(BadMark);
  });

  test('of any shape is read or refused, never anything else', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        try {
          parseMark({ kind: 'drawn', drawing: value });
        } catch (error) {
          expect(error).toBeInstanceOf(BadMark);
        }
      }),
    );
  });
});

const place = { x: 10, y: 20, width: 200, height: 40 };

/** Every point that an operator names, control points of curves too, and the widths of pens. */
function read(lines: readonly string[]) {
  const named = lines.flatMap(line => {
    const numbers = line.match(/-?[\d.]+/g)?.map(Number) ?? [];
    return /[mlc]$/.test(line) ? numbers.flatMap((x, i) => (i % 2 === 0 ? [[x, numbers[i + 1]!] as const] : [])) : [];
  });
  const pens = lines.filter(line => line.endsWith(' w')).map(line => Number(line.split(' ')[0]));
  return { named, pens };
}

const strokes = fc.array(
  fc.array(
    fc.tuple(
      fc.double({ min: 0, max: 300, noNaN: true }),
      fc.double({ min: 0, max: 150, noNaN: true }),
      fc.double({ min: 0, max: 12, noNaN: true }),
    ),
    { minLength: 1, maxLength: 60 },
  ),
  { minLength: 1, maxLength: 5 },
);

describe('ink', () => {
  test('stays in its place, whatever was drawn', () => {
    fc.assert(
      fc.property(strokes, drawn => {
        const lines = drawMark(parseMark(drawing(drawn)), place, 'left', INKS.blue);
        const { named } = read(lines);
        for (const line of lines) expect(line).toMatch(/^(-?\d+(\.\d\d?)? )*[a-zA-Z]+$/);
        // Curves overshoot the points that they pass by a part of the way between two.
        for (const [x, y] of named) {
          expect(x).toBeGreaterThan(place.x - place.width / 5);
          expect(x).toBeLessThan(place.x + place.width * 1.2);
          expect(y).toBeGreaterThan(place.y - place.height / 5);
          expect(y).toBeLessThan(place.y + place.height * 1.2);
        }
      }),
    );
  });

  test('keeps proportions, upside up, and the pen that it was drawn with', () => {
    const L: Mark = {
      kind: 'drawn',
      drawing: {
        width: 300,
        height: 150,
        strokes: [
          [
            [10, 10, 4],
            [10, 110, 4],
            [60, 110, 4],
          ],
        ],
      },
    };
    const { named, pens } = read(drawMark(L, place, 'left', INKS.black));
    const [top, , , corner, , , end] = named as [(typeof named)[0], ...typeof named] as (readonly [number, number])[];
    const scale = place.height / 104;
    expect(top![1] - corner![1]).toBeCloseTo(100 * scale, 0);
    expect(end![0] - corner![0]).toBeCloseTo(50 * scale, 0);
    expect(pens).toEqual([expect.closeTo(4 * scale, 0)]);
  });

  test('shows a dot, and doesn’t blow a small drawing up', () => {
    const dot = drawMark(parseMark(drawing([[[150, 75, 3]]])), place, 'center', INKS.blue);
    expect(dot.join('\n')).toMatch(/m\n[\d. ]+ l\nS/);
    expect(read(dot).pens[0]!).toBeLessThan(4);
  });

  test('draws many points with few, and soon', () => {
    const worst = parseMark(drawing([points(MARK_LIMITS.points)]));
    expect(drawMark(worst, place, 'left', INKS.blue).length).toBeLessThan(MARK_LIMITS.points + 10);
    const smooth = Array.from({ length: 4000 }, (_, i) => [i / 14, 75 + 60 * Math.sin(i / 600), 2]);
    expect(drawMark(parseMark(drawing([smooth])), place, 'left', INKS.blue).length).toBeLessThan(200);
  });

  test('types names of any script within the place, filled', () => {
    for (const text of [
      'John Doe',
      'محمد بن علي',
      'שרה כהן',
      '山田太郎',
      '김민준',
      'สมชาย',
      'प्रिया',
      'A'.repeat(100),
    ]) {
      const lines = drawMark({ kind: 'typed', text }, place, 'center', INKS.blue);
      expect(lines).toContain('f');
      expect(lines).not.toContain('S');
      for (const [x, y] of read(lines).named) {
        expect(x, text).toBeGreaterThanOrEqual(place.x - 1);
        expect(x, text).toBeLessThanOrEqual(place.x + place.width + 1);
        expect(y, text).toBeGreaterThanOrEqual(place.y - 1);
        expect(y, text).toBeLessThanOrEqual(place.y + place.height + 1);
      }
    }
  });
});
