/** Cross-reference streams (ISO 32000-2 §7.5.8). Runs in browsers. */
import { type Budget, decodeStream } from './filters.ts';
import { MAX_NUMBER, PdfSyntaxError, parseObject } from './parser.ts';
import { isArray, isDict, nameOf, type PdfDict } from './values.ts';
import { type Subsection, sectionOf, type XrefEntry, type XrefSection } from './xref-section.ts';

interface StreamRun extends Subsection {
  /** Number of entries before its first. */
  readonly before: number;
}

/** Entries of one stream. */
const MAX_ENTRIES = 10_000_000;

/** @throws PdfSyntaxError */
export function readXrefStream(bytes: Uint8Array, offset: number, budget: Budget): XrefSection {
  const { value: trailer, stream, end } = parseObject(bytes, offset);
  if (!isDict(trailer) || stream === null || nameOf(trailer.get('Type')) !== 'XRef') {
    throw new PdfSyntaxError('no cross-reference section where one should be');
  }
  const widths = readWidths(trailer);
  const width = widths[0] + widths[1] + widths[2];
  const runs = readIndex(trailer);
  const last = runs.at(-1);
  const count = last === undefined ? 0 : last.before + last.count;
  const data = decodeStream(trailer, stream, count * width, budget);
  if (data.length !== count * width) throw new PdfSyntaxError('a cross-reference stream ends early');
  const entry = (run: StreamRun, number: number) => readEntry(data, (run.before + number - run.first) * width, widths);
  return sectionOf({ kind: 'stream', offset, end, trailer }, runs, entry);
}

type Widths = readonly [type: number, second: number, third: number];

function readWidths(trailer: PdfDict): Widths {
  const widths = trailer.get('W');
  const [a, b, c, ...more] = isArray(widths) ? widths : [];
  const good = (width: unknown): width is number =>
    typeof width === 'number' && Number.isInteger(width) && width >= 0 && width <= 8;
  if (!good(a) || !good(b) || !good(c) || more.length > 0 || a + b + c === 0) {
    throw new PdfSyntaxError('a broken cross-reference stream');
  }
  return [a, b, c];
}

function readIndex(trailer: PdfDict): StreamRun[] {
  const index = trailer.get('Index') ?? [0, trailer.get('Size') ?? null];
  const runs: StreamRun[] = [];
  let before = 0;
  if (!isArray(index) || index.length % 2 !== 0) throw new PdfSyntaxError('a broken cross-reference stream');
  for (let i = 0; i < index.length; i += 2) {
    const [first, count] = [index[i], index[i + 1]];
    if (typeof first !== 'number' || typeof count !== 'number' || !natural(first) || !natural(count)) {
      throw new PdfSyntaxError('a broken cross-reference stream');
    }
    runs.push({ first, count, before });
    before += count;
    if (before > MAX_ENTRIES) throw new PdfSyntaxError('a cross-reference stream is too long');
  }
  return runs;
}

const natural = (value: number) => Number.isInteger(value) && value >= 0 && value <= MAX_NUMBER;

/** An entry of an unknown type stands for a null object (§7.5.8.3), as a free one does. */
function readEntry(data: Uint8Array, position: number, [a, b, c]: Widths): XrefEntry {
  const type = a === 0 ? 1 : readNumber(data, position, a);
  const second = readNumber(data, position + a, b);
  const third = readNumber(data, position + a + b, c);
  if (type === 0) return { kind: 'free', generation: third };
  if (type === 1) return { kind: 'plain', offset: second, generation: third };
  if (type === 2) return { kind: 'compressed', container: second, index: third };
  return { kind: 'free', generation: 0 };
}

function readNumber(data: Uint8Array, position: number, width: number): number {
  let value = 0;
  for (let i = 0; i < width; i++) value = value * 256 + (data[position + i] as number);
  return value;
}
