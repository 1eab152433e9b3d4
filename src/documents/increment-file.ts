/**
 * One revision of a file of ours, read from its end: the chain of cross-reference tables (ISO 32000-1 §7.5.4 to §7.5.6)
 * only as far as the objects that are asked for. Streams, hybrids, other generations and encryption are not ours and are
 * refused. Runs in browsers.
 */
import { type PdfObject, PdfSyntaxError, parseDict, parseObject } from './increment-parser.ts';
import { characters, isArray, isDict, type PdfDict, type PdfValue, refOf, stringOf } from './increment-values.ts';

interface Section {
  readonly first: number;
  readonly count: number;
  /** Offset of the first of its 20-octet entries. */
  readonly entries: number;
}

/** What a trailer carries on to the next revision. */
export interface Trailer {
  readonly size: number;
  readonly root: number;
  readonly info: number | null;
  readonly id: readonly [string, string] | null;
}

export interface PdfFile {
  readonly bytes: Uint8Array;
  readonly startxref: number;
  readonly trailer: Trailer;
  /** Reads one object. @throws PdfSyntaxError when it is missing, free or broken */
  object(number: number): PdfObject;
  /** The dictionary that is object `number`. @throws PdfSyntaxError */
  dict(number: number): PdfDict;
  /** `value`, or what it refers to. @throws PdfSyntaxError */
  resolve(value: PdfValue | undefined): PdfValue | undefined;
}

const MAX_REVISIONS = 1000;

/** @throws PdfSyntaxError */
export function openFile(bytes: Uint8Array): PdfFile {
  const tail = characters(bytes.subarray(-48)).match(/startxref\n(\d{1,10})\n%%EOF\n?$/);
  if (tail === null) throw new PdfSyntaxError('the file does not end as ours do');
  const startxref = Number(tail[1]);
  const newest = readTable(bytes, startxref);
  const tables = [newest];

  function find(number: number): number {
    for (let i = 0; ; i++) {
      let table = tables[i];
      if (table === undefined) {
        const { prev, offset } = tables[i - 1] as Table;
        if (prev === null) break;
        if (prev >= offset || i >= MAX_REVISIONS) throw new PdfSyntaxError('the chain of cross-reference tables loops');
        table = readTable(bytes, prev);
        tables.push(table);
      }
      const section = table.sections.find(({ first, count }) => number >= first && number < first + count);
      if (section === undefined) continue;
      const entry = characters(bytes.subarray(section.entries + 20 * (number - section.first)).subarray(0, 20));
      const match = entry.match(/^(\d{10}) 00000 n[ \r][\r\n]$/);
      if (match === null) throw new PdfSyntaxError(`object ${number} is free or of another generation`);
      return Number(match[1]);
    }
    throw new PdfSyntaxError(`object ${number} is missing`);
  }

  function object(number: number): PdfObject {
    const found = parseObject(bytes, find(number));
    if (found.number !== number) throw new PdfSyntaxError(`another object stands in the place of ${number}`);
    return found;
  }

  return {
    bytes,
    startxref,
    trailer: newest.trailer,
    object,
    dict(number) {
      const { value, stream } = object(number);
      if (!isDict(value) || stream !== null) throw new PdfSyntaxError(`object ${number} is no dictionary`);
      return value;
    },
    resolve(value) {
      const number = refOf(value);
      return number === null ? value : object(number).value;
    },
  };
}

interface Table {
  readonly offset: number;
  readonly sections: readonly Section[];
  readonly trailer: Trailer;
  readonly prev: number | null;
}

function readTable(bytes: Uint8Array, offset: number): Table {
  const at = (position: number) => characters(bytes.subarray(position, position + 32));
  if (!at(offset).startsWith('xref\n')) throw new PdfSyntaxError('no cross-reference table where one should be');
  const sections: Section[] = [];
  let position = offset + 5;
  for (;;) {
    const header = at(position).match(/^(\d{1,7}) (\d{1,7})\n/);
    if (header === null) break;
    const entries = position + header[0].length;
    const count = Number(header[2]);
    sections.push({ first: Number(header[1]), count, entries });
    position = entries + 20 * count;
  }
  const word = at(position).match(/^\s*trailer\s/);
  if (word === null) throw new PdfSyntaxError('no trailer where one should be');
  const { value } = parseDict(bytes, position + word[0].length);
  if (value.has('XRefStm') || value.has('Encrypt')) throw new PdfSyntaxError('a hybrid or encrypted file');
  return { offset, sections, trailer: readTrailer(value), prev: readPrev(value) };
}

function readPrev(value: PdfDict): number | null {
  const prev = value.get('Prev');
  if (prev === undefined) return null;
  if (typeof prev !== 'number' || !Number.isInteger(prev) || prev < 0) throw new PdfSyntaxError('a broken trailer');
  return prev;
}

function readTrailer(value: PdfDict): Trailer {
  const size = value.get('Size');
  const root = refOf(value.get('Root'));
  if (typeof size !== 'number' || !Number.isInteger(size) || root === null) {
    throw new PdfSyntaxError('a broken trailer');
  }
  const id = value.get('ID');
  let parts: readonly [string, string] | null = null;
  if (id !== undefined) {
    const [first, second, ...more] = isArray(id) ? id.map(stringOf) : [];
    if (typeof first !== 'string' || typeof second !== 'string' || more.length > 0) {
      throw new PdfSyntaxError('a broken trailer');
    }
    parts = [first, second];
  }
  return { size, root, info: refOf(value.get('Info')), id: parts };
}
