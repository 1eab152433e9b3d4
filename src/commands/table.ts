import { say } from './say.ts';

/** Prints rows as aligned columns, as `ls -l` would. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map(row => row[column]?.length ?? 0)));
  for (const row of all) {
    say(
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    );
  }
}
