import { expect, test } from 'vitest';
import { atMost } from '../../../src/intake/at-most.ts';

test('never more than so many at a time, in order, and a failure frees its place', async () => {
  const limit = atMost(2);
  let running = 0;
  let most = 0;
  const begun: number[] = [];
  const results = await Promise.allSettled(
    Array.from({ length: 9 }, (_, index) =>
      limit(async () => {
        begun.push(index);
        running += 1;
        most = Math.max(most, running);
        await new Promise(resolve => setTimeout(resolve, 1));
        running -= 1;
        if (index % 3 === 0) throw new Error('failed');
        return index;
      }),
    ),
  );
  expect(most).toBe(2);
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(6);
});
