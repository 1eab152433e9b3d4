/**
 * Edit distance with adjacent transpositions (optimal string alignment): how many typing slips lie between two words.
 *
 * @param most more than this need not be told apart: anything above stands for all of it
 */
export function editDistance(a: string, b: string, most = Number.POSITIVE_INFINITY): number {
  const width = b.length + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: width }, (_, column) => column);
  let leastBefore = 0;
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    let least = row;
    for (let column = 1; column < width; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1));
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, beforeLast[column - 2]! + 1);
      }
      current.push(best);
      if (best < least) least = best;
    }
    // Every later row comes from these two; by a transposition one is added to the one before.
    if (least > most && leastBefore >= most) return least;
    leastBefore = least;
    beforeLast = last;
    last = current;
  }
  return last[b.length]!;
}
