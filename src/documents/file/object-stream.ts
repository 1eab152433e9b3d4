/** Object streams (ISO 32000-2 §7.5.7): objects without streams, packed into one. Runs in browsers. */
import { type Budget, decodeStream } from './filters.ts';
import { Parser, type PdfObject, PdfSyntaxError } from './parser.ts';
import { isDict, isRef, nameOf, type PdfValue } from './values.ts';

/** Decoded octets of one object stream. */
const MAX_OBJECT_STREAM = 32 * 1024 * 1024;
const MAX_OBJECTS = 100_000;

export interface ObjectStream {
  /** The value at `index`. @throws PdfSyntaxError when it is another object than `number`, or broken */
  object(index: number, number: number): PdfValue;
}

/** @throws PdfSyntaxError */
export function readObjectStream({ value, stream }: PdfObject, budget: Budget): ObjectStream {
  if (!isDict(value) || stream === null || nameOf(value.get('Type')) !== 'ObjStm') {
    throw new PdfSyntaxError('no object stream where one should be');
  }
  const [count, first] = [value.get('N'), value.get('First')];
  if (!natural(count) || !natural(first) || count > MAX_OBJECTS) throw new PdfSyntaxError('a broken object stream');
  const data = decodeStream(value, stream, MAX_OBJECT_STREAM, budget);
  const numbers: number[] = [];
  const offsets: number[] = [];
  if (count > 0) {
    const header = new Parser(data, 0);
    for (let i = 0; i < count; i++) {
      header.skipWhitespace();
      numbers.push(header.integer());
      header.skipWhitespace();
      const offset = first + header.integer();
      if (offset >= data.length || header.position > first) throw new PdfSyntaxError('a broken object stream');
      offsets.push(offset);
    }
  }
  if (new Set(numbers).size !== count) throw new PdfSyntaxError('an object stands twice in an object stream');
  const ends = endsOf(offsets, data.length);
  return {
    object(index, number) {
      const start = offsets[index];
      if (start === undefined || numbers[index] !== number) {
        throw new PdfSyntaxError(`another object stands in the place of ${number}`);
      }
      const end = ends.get(start) as number;
      const parser = new Parser(data.subarray(0, end), start);
      const found = parser.value();
      parser.skip();
      if (!parser.atEnd() || isRef(found)) throw new PdfSyntaxError(`object ${number} is broken`);
      return found;
    },
  };
}

const natural = (value: PdfValue | undefined): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0;

/** Where each object ends: where the next begins, in whatever order they stand. */
function endsOf(offsets: readonly number[], length: number): Map<number, number> {
  const sorted = [...new Set(offsets)].sort((a, b) => a - b);
  return new Map(sorted.map((offset, i) => [offset, sorted[i + 1] ?? length]));
}
