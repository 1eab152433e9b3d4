/**
 * PDF objects (ISO 32000-1 §7.3) as values, and the one way in which our increments write them. The same value always
 * gives the same bytes: a device builds an increment again from what it read and compares. Runs in browsers.
 */

/** A name without its slash, one character per octet. */
export interface PdfName {
  readonly name: string;
}
/** A string object, one character per octet. */
export interface PdfString {
  readonly string: string;
}
/** A reference to object `ref`. */
export interface PdfRef {
  readonly ref: number;
  /** Absent where it is 0, as nearly always. */
  readonly generation?: number;
}
/** Text that the writer puts as it is (a gap to be filled later); never read from a file. */
export interface PdfRaw {
  readonly raw: string;
}
export type PdfDict = ReadonlyMap<string, PdfValue>;
export type PdfValue = null | boolean | number | PdfName | PdfString | PdfRef | PdfRaw | readonly PdfValue[] | PdfDict;

export const isDict = (value: PdfValue | undefined): value is PdfDict => value instanceof Map;
export const isArray = (value: PdfValue | undefined): value is readonly PdfValue[] => Array.isArray(value);

const isObject = (value: PdfValue | undefined): value is PdfName | PdfString | PdfRef | PdfRaw =>
  typeof value === 'object' && value !== null && !isDict(value) && !isArray(value);

export const nameOf = (value: PdfValue | undefined): string | null =>
  isObject(value) && 'name' in value ? value.name : null;
export const stringOf = (value: PdfValue | undefined): string | null =>
  isObject(value) && 'string' in value ? value.string : null;
export const refOf = (value: PdfValue | undefined): number | null =>
  isObject(value) && 'ref' in value ? value.ref : null;
export const isRef = (value: PdfValue | undefined): value is PdfRef => isObject(value) && 'ref' in value;

export const name = (value: string): PdfName => ({ name: value });
export const ref = (value: number): PdfRef => ({ ref: value });
export const dict = (entries: Readonly<Record<string, PdfValue | undefined>>): PdfDict =>
  new Map(Object.entries(entries).filter((entry): entry is [string, PdfValue] => entry[1] !== undefined));

/** A text string (§7.9.2.2): ASCII as it is, all else as UTF-16BE with its mark. */
export function textString(text: string): PdfString {
  if (/^[ -~]*$/.test(text)) return { string: text };
  let string = '\xfe\xff';
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    string += String.fromCharCode(unit >> 8, unit & 0xff);
  }
  return { string };
}

/** The text of a text string; octets outside UTF-16BE count as Latin-1. */
export function readText(string: string): string {
  if (!string.startsWith('\xfe\xff')) return string;
  let text = '';
  for (let i = 2; i + 1 < string.length; i += 2) {
    text += String.fromCharCode((string.charCodeAt(i) << 8) | string.charCodeAt(i + 1));
  }
  return text;
}

/** A number without exponent, as short as its value allows. */
export function writeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError('a PDF number is finite');
  const text = String(value);
  return text.includes('e') ? value.toFixed(20).replace(/\.?0+$/, '') : text;
}

const writeName = (value: string): string =>
  `/${value.replace(/[^!-~]|[#%()<>[\]{}/]/g, octet => `#${octet.charCodeAt(0).toString(16).padStart(2, '0')}`)}`;

function writeString(value: string): string {
  if (/^[ -'*-[\]-~]*$/.test(value)) return `(${value})`;
  let hex = '';
  for (let i = 0; i < value.length; i++) hex += value.charCodeAt(i).toString(16).padStart(2, '0');
  return `<${hex.toUpperCase()}>`;
}

/** One character per octet. */
export function writeValue(value: PdfValue): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return writeNumber(value);
  if (isArray(value)) return `[${value.map(writeValue).join(' ')}]`;
  if (isDict(value))
    return `<<${[...value].map(([key, entry]) => `${writeName(key)} ${writeValue(entry)}`).join('\n')}>>`;
  if ('name' in value) return writeName(value.name);
  if ('string' in value) return writeString(value.string);
  if ('ref' in value) return `${value.ref} ${value.generation ?? 0} R`;
  return value.raw;
}

/** Octets of a string that has one character per octet. */
export function octets(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** A string with one character per octet. */
export function characters(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return text;
}
