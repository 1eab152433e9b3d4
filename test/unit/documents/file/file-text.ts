/** Files written by hand, for tests of the reader: objects as text, and cross-reference sections of every kind. */
import { deflateSync } from 'node:zlib';
import { octets } from '../../../../src/documents/file/values.ts';

/** An entry of a table. */
export const entry = (offset: number, generation = 0): string =>
  `${String(offset).padStart(10, '0')} ${String(generation).padStart(5, '0')} n \n`;

/** Where objects stand; the last of each number. */
export const offsets = (text: string, numbers: readonly number[]): number[] =>
  numbers.map(number => [...text.matchAll(new RegExp(`(?<=\\s)${number} \\d+ obj`, 'g'))].at(-1)!.index);

interface StreamOptions {
  readonly entries: readonly (readonly [type: number, second: number, third: number])[];
  readonly trailer: string;
  readonly index?: readonly number[];
  readonly deflate?: boolean;
  readonly predictor?: boolean;
}

export class FileText {
  text: string;
  startxref = 0;

  constructor(header: string) {
    this.text = header;
  }

  get bytes(): Uint8Array {
    return octets(this.text);
  }

  put(text: string): void {
    this.text += text;
  }

  add(...objects: readonly string[]): void {
    this.text += objects.join('');
  }

  /** A table of the objects in the text, its trailer and the end. */
  table(options: {
    readonly numbers?: readonly number[];
    readonly free?: readonly number[];
    readonly trailer: string;
    readonly prev?: number;
  }): void {
    const all = [...this.text.matchAll(/(?<=\s)(\d+) \d+ obj/g)].map(match => Number(match[1]));
    const numbers = options.numbers ?? [...new Set(all)].sort((a, b) => a - b);
    let table = `xref\n${options.numbers === undefined || options.free ? `0 ${1 + numbers.length + (options.free?.length ?? 0)}\n0000000000 65535 f \n` : `${numbers[0]} ${numbers.length}\n`}`;
    for (const offset of offsets(this.text, numbers)) table += entry(offset);
    for (const _ of options.free ?? []) table += '0000000000 00000 f \n';
    this.startxref = this.text.length;
    const size = options.trailer.includes('/Size') ? '' : `/Size ${numbers.at(-1)! + 1} `;
    const prev = options.prev === undefined ? '' : `/Prev ${options.prev} `;
    this.text += `${table}trailer\n<< ${size}${prev}${options.trailer} >>\nstartxref\n${this.startxref}\n%%EOF\n`;
  }

  /** A cross-reference stream over all numbers, itself the last, and the end. */
  stream(options: StreamOptions): void {
    this.startxref = this.text.length;
    const number = options.entries.length;
    this.streamObject(number, { ...options, entries: [...options.entries, [1, this.startxref, 0]] });
    this.text += `startxref\n${this.startxref}\n%%EOF\n`;
  }

  streamObject(number: number, { entries, trailer, index, deflate, predictor }: StreamOptions): void {
    const rows = entries.map(([type, second, third]) => [type, second >> 16, (second >> 8) & 255, second & 255, third]);
    // PNG predictor Up: each octet less the one above.
    const up = rows.map((row, i) => [2, ...row.map((octet, j) => (octet - (rows[i - 1]?.[j] ?? 0)) & 255)]);
    const plain = Buffer.from((predictor ? up : rows).flat());
    const data = deflate ? deflateSync(plain) : plain;
    const filter = deflate ? ' /Filter /FlateDecode' : '';
    const parms = predictor ? ' /DecodeParms << /Predictor 12 /Columns 5 >>' : '';
    const runs = index ? ` /Index [${index.join(' ')}]` : '';
    this.text +=
      `${number} 0 obj\n<< /Type /XRef /Size ${number + 1} /W [1 3 1]${runs}${filter}${parms} ${trailer} /Length ${data.length} >>\n` +
      `stream\n${data.toString('latin1')}\nendstream\nendobj\n`;
  }
}
