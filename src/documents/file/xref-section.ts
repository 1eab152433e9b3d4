/** What a cross-reference section says (ISO 32000-2 §7.5.4, §7.5.8), whatever its form. Runs in browsers. */
import { PdfSyntaxError } from './parser.ts';
import type { PdfDict } from './values.ts';

/** Where an object stands. */
export type XrefEntry =
  | { readonly kind: 'free'; readonly generation: number }
  | { readonly kind: 'plain'; readonly offset: number; readonly generation: number }
  /** The `index`th object of object stream `container` (§7.5.7). */
  | { readonly kind: 'compressed'; readonly container: number; readonly index: number };

export interface XrefSection {
  readonly kind: 'table' | 'stream';
  /** Where `startxref` or Prev point to. */
  readonly offset: number;
  /** Offset after the trailer's dictionary, or after the stream's `endobj`. */
  readonly end: number;
  readonly trailer: PdfDict;
  /** Offset of the section before this one. */
  readonly prev: number | null;
  /** The stream that a hybrid file's table names (§7.5.8.4). */
  readonly hybrid: XrefSection | null;
  /** What this section says of an object; null where it says nothing. @throws PdfSyntaxError */
  find(number: number): XrefEntry | null;
  /** Every object that it says something of, each once. @throws PdfSyntaxError */
  entries(): Iterable<readonly [number: number, entry: XrefEntry]>;
}

export function sameEntry(a: XrefEntry, b: XrefEntry): boolean {
  if (a.kind === 'compressed') return b.kind === a.kind && a.container === b.container && a.index === b.index;
  if (a.kind === 'free') return b.kind === a.kind;
  return b.kind === a.kind && a.offset === b.offset && a.generation === b.generation;
}

/** A section made of runs. @param entryOf reads the entry of an object in its run; @throws PdfSyntaxError */
export function sectionOf<Run extends Subsection>(
  place: Pick<XrefSection, 'kind' | 'offset' | 'end' | 'trailer'>,
  runs: readonly Run[],
  entryOf: (run: Run, number: number) => XrefEntry,
): XrefSection {
  const runOf = subsectionFinder(runs);
  return {
    ...place,
    prev: readPrev(place.trailer),
    hybrid: null,
    find(number) {
      const run = runOf(number);
      return run && entryOf(run, number);
    },
    *entries() {
      for (const run of runs) {
        for (let number = run.first; number < run.first + run.count; number++) yield [number, entryOf(run, number)];
      }
    },
  };
}

/** A run of consecutive object numbers in a section. */
export interface Subsection {
  readonly first: number;
  readonly count: number;
}

/** Finds the run that holds a number. @throws PdfSyntaxError where two runs overlap: readers disagree about which counts */
function subsectionFinder<S extends Subsection>(subsections: readonly S[]): (number: number) => S | null {
  const sorted = subsections.filter(({ count }) => count > 0).sort((a, b) => a.first - b.first);
  for (const [i, { first, count }] of sorted.entries()) {
    const next = sorted[i + 1];
    if (next !== undefined && next.first < first + count) throw new PdfSyntaxError(`object ${next.first} stands twice`);
  }
  return number => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const { first, count } = sorted[middle] as S;
      if (number < first) high = middle;
      else if (number >= first + count) low = middle + 1;
      else return sorted[middle] as S;
    }
    return null;
  };
}

/** Prev of a trailer. @throws PdfSyntaxError */
function readPrev(trailer: PdfDict): number | null {
  const prev = trailer.get('Prev');
  if (prev === undefined) return null;
  if (typeof prev !== 'number' || !Number.isSafeInteger(prev) || prev < 0) throw new PdfSyntaxError('a broken trailer');
  return prev;
}
