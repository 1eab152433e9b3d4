/**
 * A small, strict reader of single PDF objects (ISO 32000-1 §7.2, §7.3), for objects that our own writer or pdf-lib
 * wrote: no comments, no duplicate keys, generation 0, streams with a direct Length. Runs in browsers.
 */
import { characters, isDict, type PdfDict, type PdfValue } from './increment-values.ts';

/** The file is not built as ours are; `message` says where it differs. */
export class PdfSyntaxError extends Error {
  override readonly name = 'PdfSyntaxError';
}

export interface PdfObject {
  readonly number: number;
  readonly value: PdfValue;
  /** The raw stream, where the object is one. */
  readonly stream: Uint8Array | null;
  /** Offset after `endobj` and its end of line. */
  readonly end: number;
}

const MAX_DEPTH = 16;
const WHITESPACE = '\0\t\n\f\r ';
const DELIMITERS = '()<>[]{}/%';
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

/** The object whose header stands at `offset`. @throws PdfSyntaxError */
export function parseObject(bytes: Uint8Array, offset: number): PdfObject {
  const parser = new Parser(bytes, offset);
  const [header, number] = parser.expect(/^(\d{1,7}) 0 obj[ \r\n]/, 'an object header');
  parser.position += header.length;
  const value = parser.value(0);
  let stream: Uint8Array | null = null;
  const [start] = parser.match(/^[ \r\n]*stream\r?\n/) ?? [];
  if (start !== undefined) {
    parser.position += start.length;
    const length = isDict(value) ? value.get('Length') : undefined;
    if (typeof length !== 'number' || !Number.isInteger(length) || length < 0) {
      throw new PdfSyntaxError('a stream without a direct length');
    }
    stream = bytes.subarray(parser.position, parser.position + length);
    if (stream.length !== length) throw new PdfSyntaxError('a stream ends early');
    parser.position += length;
    const [end] = parser.expect(/^\r?\n?endstream/, 'endstream');
    parser.position += end.length;
  }
  const [end] = parser.expect(/^[ \r\n]*endobj\r?\n/, 'endobj');
  return { number: Number(number), value, stream, end: parser.position + end.length };
}

/** The dictionary at `offset`, as after the word `trailer`. @throws PdfSyntaxError */
export function parseDict(bytes: Uint8Array, offset: number): { readonly value: PdfDict; readonly end: number } {
  const parser = new Parser(bytes, offset);
  const value = parser.value(0);
  if (!isDict(value)) throw new PdfSyntaxError('no dictionary where one should be');
  return { value, end: parser.position };
}

class Parser {
  position: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, position: number) {
    this.#bytes = bytes;
    this.position = position;
  }

  /** Matches a short pattern here. */
  match(pattern: RegExp): RegExpMatchArray | null {
    return characters(this.#bytes.subarray(this.position, this.position + 64)).match(pattern);
  }

  expect(pattern: RegExp, what: string): RegExpMatchArray {
    const match = this.match(pattern);
    if (match === null) throw new PdfSyntaxError(`${what} is missing at ${this.position}`);
    return match;
  }

  value(depth: number): PdfValue {
    if (depth > MAX_DEPTH) throw new PdfSyntaxError('objects are nested too deeply');
    this.#skipWhitespace();
    const first = this.#peek();
    if (first === '/') return { name: this.#name() };
    if (first === '(') return { string: this.#literal() };
    if (first === '[') return this.#array(depth);
    if (first === '<') return this.#peek(1) === '<' ? this.#dict(depth) : { string: this.#hex() };
    return this.#word();
  }

  #peek(ahead = 0): string {
    const octet = this.#bytes[this.position + ahead];
    if (octet === undefined) throw new PdfSyntaxError('the file ends within an object');
    return String.fromCharCode(octet);
  }

  #skipWhitespace(): void {
    while (WHITESPACE.includes(this.#peek())) this.position++;
  }

  #regular(): string {
    let text = '';
    for (let next = this.#peek(); !WHITESPACE.includes(next) && !DELIMITERS.includes(next); next = this.#peek()) {
      text += next;
      this.position++;
    }
    return text;
  }

  #name(): string {
    this.position++;
    return this.#regular().replace(/#([0-9a-fA-F]{2})?/g, (_, hex: string | undefined) => {
      if (hex === undefined || hex === '00') throw new PdfSyntaxError('a broken name');
      return String.fromCharCode(Number.parseInt(hex, 16));
    });
  }

  #word(): PdfValue {
    // A reference is three words; look ahead before reading a number.
    const reference = this.match(/^(\d{1,7})[ \r\n]+(\d{1,5})[ \r\n]+R(?![^\0\t\n\f\r ()<>[\]{}/%])/);
    if (reference !== null) {
      if (reference[2] !== '0') throw new PdfSyntaxError('a reference to a generation other than 0');
      this.position += reference[0].length;
      return { ref: Number(reference[1]) };
    }
    const word = this.#regular();
    if (word === 'true') return true;
    if (word === 'false') return false;
    if (word === 'null') return null;
    if (word.length < 40 && /^[+-]?(\d+\.?\d*|\.\d+)$/.test(word)) return Number(word);
    throw new PdfSyntaxError(`an unexpected word at ${this.position}`);
  }

  #hex(): string {
    this.position++;
    let digits = '';
    for (let next = this.#peek(); next !== '>'; next = this.#peek()) {
      if (/[0-9a-fA-F]/.test(next)) digits += next;
      else if (!WHITESPACE.includes(next)) throw new PdfSyntaxError('a broken hexadecimal string');
      this.position++;
    }
    this.position++;
    if (digits.length % 2 === 1) digits += '0';
    let text = '';
    for (let i = 0; i < digits.length; i += 2) text += String.fromCharCode(Number.parseInt(digits.slice(i, i + 2), 16));
    return text;
  }

  #literal(): string {
    this.position++;
    let text = '';
    for (let depth = 1; ; ) {
      const next = this.#peek();
      this.position++;
      if (next === '\\') {
        text += this.#escape();
        continue;
      }
      if (next === '(') depth++;
      if (next === ')' && --depth === 0) return text;
      text += next;
    }
  }

  #escape(): string {
    const octal = this.match(/^[0-7]{1,3}/);
    if (octal !== null) {
      this.position += octal[0].length;
      return String.fromCharCode(Number.parseInt(octal[0], 8) & 0xff);
    }
    const next = this.#peek();
    this.position++;
    if (next === '\r') {
      if (this.#peek() === '\n') this.position++;
      return '';
    }
    return next === '\n' ? '' : (ESCAPES[next] ?? next);
  }

  #array(depth: number): PdfValue[] {
    this.position++;
    const items: PdfValue[] = [];
    for (;;) {
      this.#skipWhitespace();
      if (this.#peek() === ']') break;
      items.push(this.value(depth + 1));
    }
    this.position++;
    return items;
  }

  #dict(depth: number): PdfDict {
    this.position += 2;
    const entries = new Map<string, PdfValue>();
    for (;;) {
      this.#skipWhitespace();
      const next = this.#peek();
      if (next === '>' && this.#peek(1) === '>') break;
      if (next !== '/') throw new PdfSyntaxError('a dictionary key that is no name');
      const key = this.#name();
      if (entries.has(key)) throw new PdfSyntaxError(`the key ${key} stands twice in a dictionary`);
      entries.set(key, this.value(depth + 1));
    }
    this.position += 2;
    return entries;
  }
}
