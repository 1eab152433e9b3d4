/**
 * Appends a revision to a file of ours (ISO 32000-1 §7.5.6): objects in the order of their numbers, a classic
 * cross-reference table, a trailer. The same input gives the same bytes. Runs in browsers.
 */
import type { PdfFile } from './file/file.ts';
import { dict, octets, type PdfDict, type PdfValue, writeValue } from './file/values.ts';

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

/**
 * @param id second part of the file identifier (16 octets as characters), renewed with each revision (§14.4);
 *   dropped where the file has none
 */
export function writeIncrement(file: PdfFile, objects: readonly NewObject[], id: string): Increment {
  const { trailer } = file;
  const sorted = [...objects].sort((a, b) => a.number - b.number);
  const chunks: Uint8Array[] = [];
  const offsets = new Map<number, number>();
  let position = file.bytes.length;
  const put = (chunk: Uint8Array) => {
    chunks.push(chunk);
    position += chunk.length;
  };

  if (file.bytes.at(-1) !== 0x0a) put(octets('\n'));
  for (const object of sorted) {
    offsets.set(object.number, position);
    for (const chunk of writeObject(object)) put(chunk);
  }
  const startxref = position;
  const numbers = sorted.map(object => object.number);
  const next: PdfDict = dict({
    Size: Math.max(trailer.size, ...numbers.map(number => number + 1)),
    Root: trailer.rootRef,
    Info: trailer.info ?? undefined,
    ID: trailer.id === null ? undefined : [{ string: trailer.id[0] }, { string: id }],
    Prev: file.startxref,
  });
  put(octets(`${writeTable(numbers, offsets)}trailer\n${writeValue(next)}\nstartxref\n${startxref}\n%%EOF\n`));

  const appended = new Uint8Array(position - file.bytes.length);
  let offset = 0;
  for (const chunk of chunks) {
    appended.set(chunk, offset);
    offset += chunk.length;
  }
  return { appended, offsets };
}

function writeObject({ number, value, stream }: NewObject): Uint8Array[] {
  if (stream === undefined) return [octets(`${number} 0 obj\n${writeValue(value)}\nendobj\n`)];
  const withLength: PdfDict = new Map([...(value as PdfDict), ['Length', stream.length]]);
  return [octets(`${number} 0 obj\n${writeValue(withLength)}\nstream\n`), stream, octets('\nendstream\nendobj\n')];
}

/** One subsection per run of consecutive numbers. */
function writeTable(numbers: readonly number[], offsets: ReadonlyMap<number, number>): string {
  let table = 'xref\n';
  for (let start = 0; start < numbers.length; ) {
    let end = start + 1;
    while (numbers[end] === (numbers[end - 1] as number) + 1) end++;
    table += `${numbers[start]} ${end - start}\n`;
    for (const number of numbers.slice(start, end)) {
      table += `${String(offsets.get(number)).padStart(10, '0')} 00000 n \n`;
    }
    start = end;
  }
  return table;
}
