/**
 * Appends a revision to a file (ISO 32000-2 §7.5.6): objects in the order of their numbers, then a cross-reference
 * section of the kind that the file's newest revision has, a table or a stream. The same input gives the same bytes.
 * Runs in browsers.
 */
import type { PdfFile } from './file/file.ts';
import { dict, name, octets, type PdfDict, type PdfValue, writeValue } from './file/values.ts';

/** An object of the new revision. A stream's dictionary is given without Length. */
export interface NewObject {
  readonly number: number;
  readonly value: PdfValue;
  readonly stream?: Uint8Array;
}

export interface Increment {
  /** What follows the file. */
  readonly appended: Uint8Array<ArrayBuffer>;
  /** Offset of each object in the whole file. */
  readonly offsets: ReadonlyMap<number, number>;
}

/** Where an object of the new revision stands. An object that is there already keeps its generation. */
interface Placed {
  readonly number: number;
  readonly generation: number;
  readonly offset: number;
}

/**
 * @param id second part of the file identifier (16 octets as characters), renewed with each revision (§14.4);
 *   dropped where the file has none
 */
export function writeIncrement(file: PdfFile, objects: readonly NewObject[], id: string): Increment {
  const chunks: Uint8Array[] = [];
  const placed: Placed[] = [];
  let position = file.bytes.length;
  const put = (chunk: Uint8Array) => {
    chunks.push(chunk);
    position += chunk.length;
  };

  if (file.bytes.at(-1) !== 0x0a) put(octets('\n'));
  for (const object of [...objects].sort((a, b) => a.number - b.number)) {
    const place: Placed = { number: object.number, generation: generationOf(file, object.number), offset: position };
    placed.push(place);
    for (const chunk of writeObject(object, place.generation)) put(chunk);
  }
  const startxref = position;
  const section = file.newest.kind === 'table' ? tableSection : streamSection;
  for (const chunk of section(file, placed, id, startxref)) put(chunk);
  put(octets(`startxref\n${startxref}\n%%EOF\n`));

  const appended = new Uint8Array(position - file.bytes.length);
  let offset = 0;
  for (const chunk of chunks) {
    appended.set(chunk, offset);
    offset += chunk.length;
  }
  return { appended, offsets: new Map(placed.map(place => [place.number, place.offset])) };
}

function generationOf(file: PdfFile, number: number): number {
  const entry = file.entry(number);
  return entry?.kind === 'plain' ? entry.generation : 0;
}

function writeObject({ number, value, stream }: NewObject, generation: number): Uint8Array[] {
  const header = `${number} ${generation} obj\n`;
  if (stream === undefined) return [octets(`${header}${writeValue(value)}\nendobj\n`)];
  const withLength: PdfDict = new Map([...(value as PdfDict), ['Length', stream.length]]);
  return [octets(`${header}${writeValue(withLength)}\nstream\n`), stream, octets('\nendstream\nendobj\n')];
}

/** What both kinds of section say. */
function trailerEntries({ trailer, startxref }: PdfFile, size: number, id: string): PdfDict {
  return dict({
    Size: size,
    Root: trailer.rootRef,
    Info: trailer.info ?? undefined,
    ID: trailer.id === null ? undefined : [{ string: trailer.id[0] }, { string: id }],
    Prev: startxref,
  });
}

const sizeWith = (file: PdfFile, placed: readonly Placed[]): number =>
  Math.max(file.trailer.size, ...placed.map(({ number }) => number + 1));

/** A table (§7.5.4) and its trailer. */
function tableSection(file: PdfFile, placed: readonly Placed[], id: string): Uint8Array[] {
  let table = 'xref\n';
  for (const run of runs(placed)) {
    table += `${run[0]!.number} ${run.length}\n`;
    for (const { offset, generation } of run) {
      table += `${String(offset).padStart(10, '0')} ${String(generation).padStart(5, '0')} n \n`;
    }
  }
  return [octets(`${table}trailer\n${writeValue(trailerEntries(file, sizeWith(file, placed), id))}\n`)];
}

/** A cross-reference stream (§7.5.8), itself the last new object: type, offset and generation in 1, 4 and 2 octets. */
function streamSection(file: PdfFile, placed: readonly Placed[], id: string, offset: number): Uint8Array[] {
  const number = sizeWith(file, placed);
  const all = [...placed, { number, generation: 0, offset }];
  const stream = new Uint8Array(7 * all.length);
  const view = new DataView(stream.buffer);
  for (const [i, place] of all.entries()) {
    view.setUint8(7 * i, 1);
    view.setUint32(7 * i + 1, place.offset);
    view.setUint16(7 * i + 5, place.generation);
  }
  const value: PdfDict = new Map<string, PdfValue>([
    ['Type', name('XRef')],
    ...trailerEntries(file, number + 1, id),
    ['Index', runs(all).flatMap(run => [run[0]!.number, run.length])],
    ['W', [1, 4, 2]],
  ]);
  return writeObject({ number, value, stream }, 0);
}

/** One subsection per run of consecutive numbers. */
function runs(placed: readonly Placed[]): Placed[][] {
  const found: Placed[][] = [];
  for (const place of placed) {
    const run = found.at(-1);
    if (run !== undefined && run.at(-1)!.number === place.number - 1) run.push(place);
    else found.push([place]);
  }
  return found;
}
