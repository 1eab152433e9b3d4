import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editDistance } from '../../../src/directory/distance.ts';

const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 9 });

test('up to the limit the distance is the exact one, and beyond it stays beyond', () => {
  fc.assert(
    fc.property(word, word, fc.integer({ min: 0, max: 4 }), (a, b, most) => {
      const exact = editDistance(a, b);
      const limited = editDistance(a, b, most);
      if (exact <= most) expect(limited).toBe(exact);
      else expect(limited).toBeGreaterThan(most);
    }),
    { numRuns: 5000 },
  );
});
