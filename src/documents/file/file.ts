/**
 * A PDF file read from its end, only as far as the objects that are asked for: any chain of cross-reference sections
 * (ISO 32000-2 §7.5), tables, streams and hybrids, object streams, generations, linearized files. Encryption, and
 * whatever readers would have to repair, is refused. Everything is bounded. Runs in browsers.
 */
import type { Budget } from './filters.ts';
import { type ObjectStream, readObjectStream } from './object-stream.ts';
import { type PdfObject, PdfSyntaxError, parseObject } from './parser.ts';
import { characters, isArray, isDict, isRef, type PdfDict, type PdfRef, type PdfValue, stringOf } from './values.ts';
import { readXref } from './xref.ts';
import type { XrefEntry, XrefSection } from './xref-section.ts';

/** What a trailer carries on to the next revision. */
export interface Trailer {
  /** One more than the highest object number. */
  readonly size: number;
  /** Object number of the catalog, and the reference as it stands there. */
  readonly root: number;
  readonly rootRef: PdfRef;
  readonly info: PdfRef | null;
  readonly id: readonly [string, string] | null;
}

export interface FoundObject extends PdfObject {
  /** The object stream that holds it; then `start` and `end` are those of that stream. */
  readonly container: number | null;
}

export interface PdfFile {
  readonly bytes: Uint8Array;
  readonly startxref: number;
  readonly trailer: Trailer;
  /** The newest cross-reference section. */
  readonly newest: XrefSection;
  /** Every section, newest first. @throws PdfSyntaxError when the chain loops or is broken */
  sections(): Iterable<XrefSection>;
  /** Where an object stands; null where it is undefined or free. @throws PdfSyntaxError */
  entry(number: number): XrefEntry | null;
  /** One object; null where it is undefined or free. @throws PdfSyntaxError when it is broken */
  find(number: number): FoundObject | null;
  /** Reads one object. @throws PdfSyntaxError when it is missing, free or broken */
  object(number: number): FoundObject;
  /** The dictionary that is object `number`. @throws PdfSyntaxError */
  dict(number: number): PdfDict;
  /** `value`, or what it refers to: null where that is undefined (§7.3.10). @throws PdfSyntaxError */
  resolve(value: PdfValue | undefined): PdfValue | undefined;
}

export interface ReadLimits {
  /** Octets of structure (cross-reference and object streams) that may be decoded. */
  readonly maxDecoded?: number;
}

const MAX_DECODED = 64 * 1024 * 1024;
const MAX_SECTIONS = 2000;
/** Readers look for the end of a file in its last 1024 octets. */
const TAIL = 1024;

/**
 * Opens a file, or one of its revisions: any prefix that ends with a revision is a file.
 * @throws PdfSyntaxError
 */
export function openFile(bytes: Uint8Array, limits: ReadLimits = {}): PdfFile {
  // What stands before a header shifts offsets for some readers and not for others.
  if (!characters(bytes.subarray(0, 5)).startsWith('%PDF-')) throw new PdfSyntaxError('the file starts with no header');
  const budget: Budget = { left: limits.maxDecoded ?? MAX_DECODED };
  const startxref = readTail(bytes);
  const newest = readXref(bytes, startxref, budget);
  const trailer = readTrailer(newest.trailer);
  const chain = [newest];
  const offsets = new Set([newest.offset]);
  const containers = new Map<number, ObjectStream>();

  function section(index: number): XrefSection | null {
    const known = chain[index];
    if (known !== undefined) return known;
    const prev = (chain[index - 1] as XrefSection).prev;
    if (prev === null) return null;
    if (offsets.has(prev) || index >= MAX_SECTIONS) {
      throw new PdfSyntaxError('the chain of cross-reference sections loops or is too long');
    }
    const older = readXref(bytes, prev, budget);
    offsets.add(prev);
    chain.push(older);
    return older;
  }

  function entry(number: number): XrefEntry | null {
    // What is beyond Size does not exist (§7.5.5).
    if (number <= 0 || number >= trailer.size) return null;
    for (let i = 0; ; i++) {
      const at = section(i);
      if (at === null) return null;
      const found = at.find(number);
      if (found !== null) return found.kind === 'free' ? null : found;
    }
  }

  /** A number that stands as an object of its own: the only kind that may be a stream's length. */
  function readLength({ ref: number, generation = 0 }: PdfRef): number {
    const at = entry(number);
    if (at?.kind === 'compressed') {
      const { value } = compressed(number, at.container, at.index);
      if (typeof value === 'number') return value;
    } else if (at?.kind === 'plain') {
      const { value } = plain(number, at.offset, at.generation, false);
      if (typeof value === 'number' && at.generation === generation) return value;
    }
    throw new PdfSyntaxError('a stream without a length');
  }

  function plain(number: number, offset: number, generation: number, indirectLength = true): FoundObject {
    const found = parseObject(bytes, offset, indirectLength ? readLength : undefined);
    if (found.number !== number || found.generation !== generation) {
      throw new PdfSyntaxError(`another object stands in the place of ${number}`);
    }
    return { ...found, container: null };
  }

  function compressed(number: number, container: number, index: number): FoundObject {
    const at = entry(container);
    if (at?.kind !== 'plain') throw new PdfSyntaxError(`object stream ${container} is missing`);
    // Its own length is direct, or a plain object: an object stream's length in another could go in circles.
    const holder = parseObject(bytes, at.offset, length => {
      const { ref: lengthNumber } = length;
      const lengthAt = entry(lengthNumber);
      if (lengthAt?.kind !== 'plain') throw new PdfSyntaxError('a stream without a length');
      return readLength(length);
    });
    if (holder.number !== container || holder.generation !== at.generation) {
      throw new PdfSyntaxError(`another object stands in the place of ${container}`);
    }
    let stream = containers.get(container);
    if (stream === undefined) {
      stream = readObjectStream(holder, budget);
      containers.set(container, stream);
    }
    const { start, end } = holder;
    return { number, generation: 0, value: stream.object(index, number), stream: null, start, end, container };
  }

  function find(number: number): FoundObject | null {
    const at = entry(number);
    if (at === null || at.kind === 'free') return null;
    return at.kind === 'plain' ? plain(number, at.offset, at.generation) : compressed(number, at.container, at.index);
  }

  function object(number: number): FoundObject {
    const found = find(number);
    if (found === null) throw new PdfSyntaxError(`object ${number} is missing`);
    return found;
  }

  const catalog = entry(trailer.root);
  const generation = catalog?.kind === 'plain' ? catalog.generation : 0;
  if (catalog === null || generation !== (trailer.rootRef.generation ?? 0)) {
    throw new PdfSyntaxError('the catalog is missing');
  }
  return {
    bytes,
    startxref,
    trailer,
    newest,
    *sections() {
      for (let i = 0; ; i++) {
        const at = section(i);
        if (at === null) return;
        yield at;
      }
    },
    entry,
    find,
    object,
    dict(number) {
      const { value, stream } = object(number);
      if (!isDict(value) || stream !== null) throw new PdfSyntaxError(`object ${number} is no dictionary`);
      return value;
    },
    resolve(value) {
      if (!isRef(value)) return value;
      const found = find(value.ref);
      return found === null || found.generation !== (value.generation ?? 0) ? null : found.value;
    },
  };
}

/** Where the newest section stands. Nothing but whitespace may follow `%%EOF`: readers disagree about what else counts. */
function readTail(bytes: Uint8Array): number {
  const tail = characters(bytes.subarray(-TAIL)).match(/(?:^|[\r\n])startxref[\s\0]+(\d{1,10})[\s\0]+%%EOF[\s\0]*$/);
  if (tail === null) throw new PdfSyntaxError('the file does not end as a PDF does');
  return Number(tail[1]);
}

function readTrailer(value: PdfDict): Trailer {
  const size = value.get('Size');
  const rootRef = value.get('Root');
  const info = value.get('Info') ?? null;
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 1 || !isRef(rootRef)) {
    throw new PdfSyntaxError('a broken trailer');
  }
  if (info !== null && !isRef(info)) throw new PdfSyntaxError('a broken trailer');
  const id = value.get('ID');
  let parts: readonly [string, string] | null = null;
  if (id !== undefined) {
    const [first, second, ...more] = isArray(id) ? id.map(stringOf) : [];
    if (typeof first !== 'string' || typeof second !== 'string' || more.length > 0) {
      throw new PdfSyntaxError('a broken trailer');
    }
    parts = [first, second];
  }
  return { size, root: rootRef.ref, rootRef, info, id: parts };
}
