import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanPlace, initials } from '../../../src/client/approval.ts';
import { parseDrawing, type StrokePoint } from '../../../src/documents/strokes.ts';
import { drawingOf, isApart, penWidth, refit } from '../../../src/web/mark-shapes.ts';

const PORTRAIT = { width: 366, height: 608 };
const LANDSCAPE = { width: 820, height: 238 };

const point = fc.tuple(
  fc.double({ min: 0, max: 366, noNaN: true }),
  fc.double({ min: 0, max: 608, noNaN: true }),
  fc.double({ min: 0.5, max: 5, noNaN: true }),
);
const strokes = fc.array(fc.array(point, { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 5 });

describe('strokes', () => {
  test('whatever is drawn is a drawing that the gateway takes, with all its ink inside', () => {
    fc.assert(
      fc.property(strokes, drawn => {
        const drawing = drawingOf(drawn)!;
        expect(parseDrawing(drawing)).toEqual(drawing);
        for (const [x, y] of drawing.strokes.flat()) {
          expect(x).toBeGreaterThanOrEqual(0);
          expect(y).toBeGreaterThanOrEqual(0);
          expect(x).toBeLessThanOrEqual(drawing.width);
          expect(y).toBeLessThanOrEqual(drawing.height);
        }
      }),
    );
    expect(drawingOf([])).toBeNull();
  });

  test('a turned phone shows all of them in the same shape, and they are as before when it is turned back', () => {
    fc.assert(
      fc.property(strokes, drawn => {
        const turned = refit(drawn, PORTRAIT, LANDSCAPE);
        for (const [x, y] of turned.flat()) {
          expect(x).toBeGreaterThanOrEqual(0);
          expect(y).toBeGreaterThanOrEqual(0);
          expect(x).toBeLessThanOrEqual(LANDSCAPE.width);
          expect(y).toBeLessThanOrEqual(LANDSCAPE.height);
        }
        const [a, b] = [drawn.flat(), turned.flat()];
        const scale = b[0]![2] / a[0]![2];
        expect(scale).toBeLessThanOrEqual(1 + 1e-9);
        for (const [index, [x, y]] of a.entries()) {
          expect(b[index]![0] - b[0]![0]).toBeCloseTo((x - a[0]![0]) * scale, 6);
          expect(b[index]![1] - b[0]![1]).toBeCloseTo((y - a[0]![1]) * scale, 6);
        }
        // The pad keeps what was drawn and only shows it elsewhere.
        expect(refit(drawn, PORTRAIT, PORTRAIT)).toEqual(drawn);
      }),
    );
  });

  test('a pen is as wide as it is pressed, a finger as it is slow, and never by leaps', () => {
    expect(penWidth('pen', 1, 0, null)).toBeGreaterThan(penWidth('pen', 0.2, 0, null));
    expect(penWidth('touch', 0.5, 0, null)).toBeGreaterThan(penWidth('touch', 0.5, 3, null));
    expect(penWidth('mouse', 0.5, 100, null)).toBeGreaterThan(1);
    expect(Math.abs(penWidth('pen', 1, 0, 1) - 1)).toBeLessThan(2);
    const here: StrokePoint = [10, 10, 2];
    expect(isApart([10.5, 10.5, 2], here)).toBe(false);
    expect(isApart([12, 10, 2], here)).toBe(true);
  });
});

test.each([
  ['John Doe', 'JD'],
  ['Anna-Lena van der Müller', 'ALDM'],
  ['Zoë', 'Z'],
  ['山田 太郎', '山太'],
  ['محمد علي', 'مع'],
  ['Émile d’Artagnan', 'ÉDA'],
  ['+++', '+++'],
])('initials of %s: %s', (name, expected) => {
  expect(initials(name)).toBe(expected);
});

test('a place is one short line, or nothing', () => {
  expect(cleanPlace(null)).toBeNull();
  expect(cleanPlace(' \n\u202e ')).toBeNull();
  expect(cleanPlace(' Esch-sur-\nAlzette\u0000 ')).toBe('Esch-sur- Alzette');
  expect(cleanPlace('x'.repeat(500))).toHaveLength(80);
  // What was cleaned once stays as it is: both sides clean.
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => cleanPlace(cleanPlace(text)) === cleanPlace(text)));
});
