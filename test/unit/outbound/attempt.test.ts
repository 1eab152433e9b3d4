import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextAttempt } from '../../../src/outbound/attempt.ts';

const MINUTE = 60_000;
const start = new Date('2026-11-24T09:30:00Z');

test('waits double up to an hour, are cut by at most half, and end after five days', () => {
  const waitAfter = (attempts: number, random: number, unreachable = false): number =>
    (nextAttempt({ createdAt: start }, attempts, unreachable, start, random)!.getTime() - start.getTime()) / MINUTE;
  expect([1, 2, 3, 4, 5, 6, 7, 8, 1000].map(attempts => waitAfter(attempts, 0))).toEqual([
    1, 2, 4, 8, 16, 32, 60, 60, 60,
  ]);
  expect([1, 2, 3, 4, 5, 1000].map(attempts => waitAfter(attempts, 0, true))).toEqual([1, 2, 4, 5, 5, 5]);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (n, random) => {
        expect(waitAfter(n, random)).toBeGreaterThanOrEqual(waitAfter(n, 0) / 2 - 1e-6);
        expect(waitAfter(n, random)).toBeLessThanOrEqual(waitAfter(n, 0));
      },
    ),
  );
  const fiveDays = new Date(start.getTime() + 5 * 24 * 60 * MINUTE);
  expect(nextAttempt({ createdAt: start }, 9, false, fiveDays, 0)).toBeNull();
  expect(nextAttempt({ createdAt: start }, 9, false, new Date(fiveDays.getTime() - 1), 0)).not.toBeNull();
});
