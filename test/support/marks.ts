/** Drawn signatures as pads make them, for tests. */
import type { Mark, StrokePoint } from '../../src/documents/strokes.ts';

/** A loopy line with a stroke under it; another seed, another hand. */
export function scribble(seed = 0, width = 600, height = 220): Mark {
  const loops = 6;
  const line = Array.from({ length: 161 }, (_, i): StrokePoint => {
    const t = i / 160;
    const turn = t * loops * 2 * Math.PI + seed;
    const x = 40 + t * (width - 120) + Math.cos(turn) * 38 * (1 - t * 0.4);
    const y = height / 2 + Math.sin(turn) * 70 * (1 - t * 0.7) + Math.sin(seed + t * 9) * 12;
    return [x, y, 2.5 + 1.8 * Math.abs(Math.sin(turn))];
  });
  const under = Array.from({ length: 20 }, (_, i): StrokePoint => [90 + i * 22, height - 40 - i * 1.5, 2.2]);
  return { kind: 'drawn', drawing: { width, height, strokes: [line, under] } };
}
