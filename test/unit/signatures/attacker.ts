/**
 * A gateway gone bad, for tests: writes any increment it likes, with offsets, ByteRange and digest that fit, so that only
 * the content of what was appended can give it away.
 */
import type { GrantToCheck } from '../../../src/client/grant.ts';
import { digestByteRange, signedAttributes } from '../../../src/signatures/signed-attributes.ts';

export interface RawObject {
  readonly number: number;
  /** All between the header and `endobj`. */
  readonly text: string;
}

export interface RawIncrement {
  readonly objects: readonly RawObject[];
  /** Changes the finished cross-reference table. */
  readonly table?: (table: string) => string;
  /** Changes the trailer dictionary. */
  readonly trailer?: (trailer: string) => string;
  readonly startxref?: (offset: number) => number;
  /** Stands between the objects and before the table. */
  readonly between?: string;
  readonly suffix?: string;
}

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** The objects of a clean increment. */
export function takeObjects(increment: Uint8Array): RawObject[] {
  return [...latin1(increment).matchAll(/(\d+) 0 obj\n(.*?)\nendobj\n/gs)].map(match => ({
    number: Number(match[1]),
    text: match[2]!,
  }));
}

const trailerOf = (file: string): { readonly size: number; readonly kept: string } => {
  const dictionary = file.slice(file.lastIndexOf('trailer'));
  const [id] = dictionary.match(/\/ID *\[[^\]]*\]/) ?? [''];
  const [root] = dictionary.match(/\/Root \d+ 0 R/) ?? [''];
  const [info] = dictionary.match(/\/Info \d+ 0 R/) ?? [''];
  return { size: Number(dictionary.match(/\/Size (\d+)/)?.[1]), kept: [root, info, id].join('\n') };
};

/** Appends an increment, correct where it is not told otherwise. */
export function append(head: Uint8Array, increment: RawIncrement): Uint8Array {
  const file = latin1(head);
  const previous = file.match(/startxref\n(\d+)\n%%EOF\n?$/)?.[1];
  let text = file.endsWith('\n') ? '' : '\n';
  const offsets = new Map<number, number>();
  for (const { number, text: body } of increment.objects) {
    offsets.set(number, file.length + text.length);
    text += `${number} 0 obj\n${body}\nendobj\n${increment.between ?? ''}`;
  }
  const numbers = [...offsets.keys()].sort((a, b) => a - b);
  let table = 'xref\n';
  for (let start = 0; start < numbers.length; ) {
    let end = start + 1;
    while (numbers[end] === numbers[end - 1]! + 1) end++;
    table += `${numbers[start]} ${end - start}\n`;
    for (const number of numbers.slice(start, end))
      table += `${String(offsets.get(number)).padStart(10, '0')} 00000 n \n`;
    start = end;
  }
  const startxref = file.length + text.length;
  const { size, kept } = trailerOf(file);
  const trailer = `<</Size ${Math.max(size, ...numbers.map(number => number + 1))}\n${kept}\nPREV>>`.replace(
    'PREV',
    `/Prev ${previous}`,
  );
  text += `${(increment.table ?? (same => same))(table)}trailer\n${(increment.trailer ?? (same => same))(trailer)}\n`;
  text += `startxref\n${(increment.startxref ?? (same => same))(startxref)}\n%%EOF\n${increment.suffix ?? ''}`;
  return Buffer.concat([head, Buffer.from(text, 'latin1')]);
}

/** Where Contents of the last signature stands. */
function lastGap(whole: Uint8Array): readonly [number, number] {
  const file = latin1(whole);
  const first = file.indexOf('<', file.lastIndexOf('/Contents <'));
  return [first, file.indexOf('>', first) + 1];
}

/** A grant whose ByteRange (in the file, too), digest and attributes fit the file. */
export function grantFor(known: Uint8Array, whole: Uint8Array, certificate: Uint8Array): GrantToCheck {
  const [first, second] = lastGap(whole);
  const byteRange = [0, first, second, whole.length - second] as const;
  const file = latin1(whole);
  const at = file.lastIndexOf('/ByteRange [') + '/ByteRange '.length;
  const width = file.indexOf('/Contents', at) - at - 1;
  const bytes = Buffer.from(whole);
  bytes.write(`[${byteRange.join(' ')}]`.padEnd(width), at, 'latin1');
  return {
    known,
    appended: bytes.subarray(known.length),
    byteRange,
    signedAttributes: signedAttributes(digestByteRange(bytes, byteRange), certificate),
    certificate,
  };
}
