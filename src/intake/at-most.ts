/** Runs a work when its turn has come, and resolves with its result. */
export type Limit = <T>(work: () => Promise<T>) => Promise<T>;

/** At most `count` works at a time; the others wait in the order in which they came. */
export function atMost(count: number): Limit {
  let free = count;
  const waiting: (() => void)[] = [];
  return async work => {
    if (free > 0) free -= 1;
    else await new Promise<void>(resolve => waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The place goes straight to the next in line: nobody can slip in between.
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
