/**
 * A strict reader of single PDF objects (ISO 32000-2 §7.2, §7.3). What readers disagree about is refused rather than
 * guessed: duplicate keys, broken names and numbers, streams whose Length is wrong. Nothing is read but the object that
 * is asked for. Runs in browsers.
 */
import { characters, isDict, isRef, type PdfDict, type PdfRef, type PdfValue } from './values.ts';

/** The file is not built as it must be; `message` says where. */
export class PdfSyntaxError extends Error {
  override readonly name = 'PdfSyntaxError';
}

/** Nothing is wrong with it, but it can't be read. */
export class EncryptedFile extends PdfSyntaxError {}

export interface PdfObject {
  readonly number: number;
  readonly generation: number;
  readonly value: PdfValue;
  /** The stream as it stands in the file, where the object is one. */
  readonly stream: Uint8Array | null;
  /** Offset of the object's number. */
  readonly start: number;
  /** Offset after `endobj` and its end of line. */
  readonly end: number;
}

/** The number that an indirect Length refers to. @throws PdfSyntaxError */
export type LengthReader = (length: PdfRef) => number;

const MAX_DEPTH = 100;
/** Values of one object: a page tree's Kids or a font's widths may be many. */
const MAX_VALUES = 1_000_000;
/** The highest object number that readers count to. */
export const MAX_NUMBER = 0x7fff_ffff;
const MAX_GENERATION = 65535;

const REGULAR = 0;
const WHITESPACE = 1;
const DELIMITER = 2;
/** Kinds of octets (§7.2.3). */
const KINDS = new Uint8Array(256);
for (const octet of [0x00, 0x09, 0x0a, 0x0c, 0x0d, 0x20]) KINDS[octet] = WHITESPACE;
for (const octet of '()<>[]{}/%') KINDS[octet.charCodeAt(0)] = DELIMITER;

const CR = 0x0d;
const LF = 0x0a;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

/** The object whose number stands at `offset`. @throws PdfSyntaxError */
export function parseObject(bytes: Uint8Array, offset: number, readLength?: LengthReader): PdfObject {
  const parser = new Parser(bytes, offset);
  // Else the number could be the end of a longer one.
  if (offset > 0 && KINDS[bytes[offset - 1] as number] === REGULAR) throw parser.error('no object header');
  const number = parser.integer();
  parser.skipWhitespace();
  const generation = parser.integer();
  parser.skipWhitespace();
  parser.word('obj');
  if (number === 0 || number > MAX_NUMBER || generation > MAX_GENERATION) throw parser.error('a broken object number');
  const value = parser.value();
  parser.skip();
  let stream: Uint8Array | null = null;
  if (parser.startsWith('stream')) {
    if (!isDict(value)) throw parser.error('a stream without dictionary');
    stream = parser.stream(streamLength(value.get('Length'), readLength));
    parser.skip();
  }
  parser.word('endobj');
  parser.endOfLine();
  return { number, generation, value, stream, start: offset, end: parser.position };
}

function streamLength(length: PdfValue | undefined, readLength: LengthReader | undefined): number {
  const value = isRef(length) ? readLength?.(length) : length;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new PdfSyntaxError('a stream without a length');
  }
  return value;
}

/** The dictionary at `offset`, as after the word `trailer`. @throws PdfSyntaxError */
export function parseDict(bytes: Uint8Array, offset: number): { readonly value: PdfDict; readonly end: number } {
  const parser = new Parser(bytes, offset);
  const value = parser.value();
  if (!isDict(value)) throw new PdfSyntaxError('no dictionary where one should be');
  return { value, end: parser.position };
}

/** Reads from `position` on. */
export class Parser {
  position: number;
  readonly #bytes: Uint8Array;
  #values = 0;

  /** @throws PdfSyntaxError when `position` is outside */
  constructor(bytes: Uint8Array, position: number) {
    if (!Number.isSafeInteger(position) || position < 0 || position >= bytes.length) {
      throw new PdfSyntaxError('an offset outside the file');
    }
    this.#bytes = bytes;
    this.position = position;
  }

  error(what: string): PdfSyntaxError {
    return new PdfSyntaxError(`${what} at ${this.position}`);
  }

  atEnd(): boolean {
    return this.position >= this.#bytes.length;
  }

  startsWith(text: string): boolean {
    for (let i = 0; i < text.length; i++) {
      if (this.#bytes[this.position + i] !== text.charCodeAt(i)) return false;
    }
    return true;
  }

  /** Takes a keyword that ends here. */
  word(text: string): void {
    const next = this.#bytes[this.position + text.length];
    if (!this.startsWith(text) || (next !== undefined && KINDS[next] === REGULAR)) {
      throw this.error(`${text} is missing`);
    }
    this.position += text.length;
  }

  skipWhitespace(): void {
    while (KINDS[this.#bytes[this.position] as number] === WHITESPACE) this.position++;
  }

  /** Skips whitespace and comments (§7.2.4). */
  skip(): void {
    for (;;) {
      this.skipWhitespace();
      if (this.#bytes[this.position] !== 0x25) return;
      while (!this.atEnd() && this.#bytes[this.position] !== CR && this.#bytes[this.position] !== LF) this.position++;
    }
  }

  /** Takes one end of line, where there is one. */
  endOfLine(): boolean {
    const start = this.position;
    if (this.#bytes[this.position] === CR) this.position++;
    if (this.#bytes[this.position] === LF) this.position++;
    return this.position > start;
  }

  /** Takes digits. */
  integer(): number {
    const start = this.position;
    while (this.#isDigit(this.position)) this.position++;
    const length = this.position - start;
    if (length === 0 || length > 15) throw this.error('a number is missing');
    return Number(characters(this.#bytes.subarray(start, this.position)));
  }

  /** Takes a stream from its keyword to `endstream` (§7.3.8.1). */
  stream(length: number): Uint8Array {
    this.position += 'stream'.length;
    if (this.#bytes[this.position] === CR) this.position++;
    if (this.#bytes[this.position] !== LF) throw this.error('a stream without end of line');
    this.position++;
    const data = this.#bytes.subarray(this.position, this.position + length);
    if (data.length !== length) throw this.error('a stream ends early');
    this.position += length;
    this.endOfLine();
    this.word('endstream');
    return data;
  }

  value(depth = 0): PdfValue {
    if (depth > MAX_DEPTH) throw this.error('objects are nested too deeply');
    if (++this.#values > MAX_VALUES) throw this.error('an object has too many parts');
    this.skip();
    switch (this.#peek()) {
      case 0x2f:
        return { name: this.#name() };
      case 0x28:
        return { string: this.#literal() };
      case 0x5b:
        return this.#array(depth);
      case 0x3c:
        return this.#bytes[this.position + 1] === 0x3c ? this.#dict(depth) : { string: this.#hex() };
      default:
        return this.#plain();
    }
  }

  #peek(): number {
    const octet = this.#bytes[this.position];
    if (octet === undefined) throw this.error('the file ends within an object');
    return octet;
  }

  #isDigit(position: number): boolean {
    const octet = this.#bytes[position] as number;
    return octet >= 0x30 && octet <= 0x39;
  }

  #regular(): string {
    const start = this.position;
    while (this.position < this.#bytes.length && KINDS[this.#bytes[this.position] as number] === REGULAR) {
      this.position++;
    }
    return characters(this.#bytes.subarray(start, this.position));
  }

  #name(): string {
    this.position++;
    return this.#regular().replace(/#([0-9a-fA-F]{2})?/g, (_, hex: string | undefined) => {
      if (hex === undefined || hex === '00') throw this.error('a broken name');
      return String.fromCharCode(Number.parseInt(hex, 16));
    });
  }

  #plain(): PdfValue {
    const reference = this.#isDigit(this.position) ? this.#reference() : null;
    if (reference !== null) return reference;
    const word = this.#regular();
    if (word === 'true') return true;
    if (word === 'false') return false;
    if (word === 'null') return null;
    if (word.length <= 100 && /^[+-]?(\d+\.?\d*|\.\d+)$/.test(word)) return Number(word);
    throw this.error('an unexpected word');
  }

  /** A reference is three words: looks ahead before a number is read. */
  #reference(): PdfRef | null {
    const start = this.position;
    const number = this.#digits(10);
    const generation = number !== null && this.#spaced() ? this.#digits(5) : null;
    if (generation !== null && this.#spaced() && this.startsWith('R')) {
      const next = this.#bytes[this.position + 1];
      if (next === undefined || KINDS[next] !== REGULAR) {
        this.position++;
        if (number! > MAX_NUMBER || generation > MAX_GENERATION) throw this.error('a broken reference');
        return generation === 0 ? { ref: number! } : { ref: number!, generation };
      }
    }
    this.position = start;
    return null;
  }

  #digits(most: number): number | null {
    const start = this.position;
    while (this.#isDigit(this.position)) this.position++;
    const length = this.position - start;
    return length > 0 && length <= most ? Number(characters(this.#bytes.subarray(start, this.position))) : null;
  }

  #spaced(): boolean {
    const start = this.position;
    this.skip();
    return this.position > start;
  }

  #hex(): string {
    this.position++;
    const pairs: number[] = [];
    let text = '';
    let high = -1;
    for (let octet = this.#peek(); octet !== 0x3e; octet = this.#peek()) {
      this.position++;
      if (KINDS[octet] === WHITESPACE) continue;
      const digit = Number.parseInt(String.fromCharCode(octet), 16);
      if (Number.isNaN(digit)) throw this.error('a broken hexadecimal string');
      if (high < 0) high = digit;
      else {
        pairs.push(high * 16 + digit);
        high = -1;
        if (pairs.length === 8192) text += String.fromCharCode(...pairs.splice(0));
      }
    }
    this.position++;
    if (high >= 0) pairs.push(high * 16);
    return text + String.fromCharCode(...pairs);
  }

  #literal(): string {
    this.position++;
    let text = '';
    let plain = this.position;
    const flush = () => {
      text += characters(this.#bytes.subarray(plain, this.position));
    };
    for (let depth = 1; ; ) {
      const octet = this.#peek();
      if (octet === 0x5c) {
        flush();
        this.position++;
        text += this.#escape();
        plain = this.position;
        continue;
      }
      if (octet === CR) {
        // Any end of line in a string is a line feed (§7.3.4.2).
        flush();
        this.endOfLine();
        text += '\n';
        plain = this.position;
        continue;
      }
      if (octet === 0x28) depth++;
      if (octet === 0x29 && --depth === 0) {
        flush();
        this.position++;
        return text;
      }
      this.position++;
    }
  }

  #escape(): string {
    let octal = '';
    while (octal.length < 3 && this.#peek() >= 0x30 && this.#peek() <= 0x37) {
      octal += String.fromCharCode(this.#peek());
      this.position++;
    }
    if (octal !== '') return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
    if (this.endOfLine()) return '';
    const next = String.fromCharCode(this.#peek());
    this.position++;
    return ESCAPES[next] ?? next;
  }

  #array(depth: number): PdfValue[] {
    this.position++;
    const items: PdfValue[] = [];
    for (;;) {
      this.skip();
      if (this.#peek() === 0x5d) break;
      items.push(this.value(depth + 1));
    }
    this.position++;
    return items;
  }

  #dict(depth: number): PdfDict {
    this.position += 2;
    const entries = new Map<string, PdfValue>();
    for (;;) {
      this.skip();
      if (this.startsWith('>>')) break;
      if (this.#peek() !== 0x2f) throw this.error('a dictionary key that is no name');
      const key = this.#name();
      if (entries.has(key)) throw this.error(`the key ${key} stands twice in a dictionary`);
      entries.set(key, this.value(depth + 1));
    }
    this.position += 2;
    return entries;
  }
}
