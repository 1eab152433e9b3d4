/**
 * Decoding of the streams that a file's structure needs: cross-reference and object streams (ISO 32000-2 §7.4.4). Only
 * Flate and its predictors; every octet that comes out is paid from a budget. Runs in browsers.
 */
import { Unzlib } from 'fflate';
import { PdfSyntaxError } from './parser.ts';
import { isArray, isDict, nameOf, type PdfDict, type PdfValue } from './values.ts';

/** Octets that may still be decoded; shared by all streams of a file. */
export interface Budget {
  left: number;
}

const CHUNK = 4096;

/**
 * @param dict of the stream, with direct values
 * @param limit octets that the result may have
 * @throws PdfSyntaxError when it is damaged, too big, or has another filter
 */
export function decodeStream(dict: PdfDict, raw: Uint8Array, limit: number, budget: Budget): Uint8Array {
  if (dict.has('F')) throw new PdfSyntaxError('a stream that lies in another file');
  const filter = single(dict.get('Filter'));
  const parameters = single(dict.get('DecodeParms')) ?? null;
  if (filter === undefined) {
    spend(budget, raw.length, limit);
    return raw;
  }
  if (nameOf(filter) !== 'FlateDecode') throw new PdfSyntaxError('a filter that file structures should not have');
  if (parameters !== null && !isDict(parameters)) throw new PdfSyntaxError('broken filter parameters');
  // A predictor takes up to one octet a row.
  const inflated = inflate(raw, 2 * limit + 1, budget);
  const decoded = parameters === null ? inflated : unpredict(inflated, parameters);
  if (decoded.length > limit) throw new PdfSyntaxError('a stream expands too much');
  return decoded;
}

/** The one filter, or its parameters; arrays of one are as good. */
function single(value: PdfValue | undefined): PdfValue | undefined {
  if (!isArray(value)) return value ?? undefined;
  if (value.length > 1) throw new PdfSyntaxError('several filters on a file structure');
  return value[0] ?? undefined;
}

function spend(budget: Budget, octets: number, limit: number): void {
  budget.left -= octets;
  if (octets > limit || budget.left < 0) throw new PdfSyntaxError('a stream expands too much');
}

function inflate(raw: Uint8Array, limit: number, budget: Budget): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  const inflater = new Unzlib(part => {
    length += part.length;
    if (length > limit) throw new PdfSyntaxError('a stream expands too much');
    spend(budget, part.length, limit);
    parts.push(part);
  });
  try {
    // In small steps, so that no step can expand much.
    for (let at = 0; at === 0 || at < raw.length; at += CHUNK) {
      inflater.push(raw.slice(at, at + CHUNK), at + CHUNK >= raw.length);
    }
  } catch (error) {
    if (error instanceof PdfSyntaxError) throw error;
    throw new PdfSyntaxError('a damaged compressed stream');
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Undoes the PNG predictors (§7.4.4.4). */
function unpredict(data: Uint8Array, parameters: PdfDict): Uint8Array {
  const read = (key: string, otherwise: number, most: number) => {
    const value = parameters.get(key) ?? otherwise;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > most) {
      throw new PdfSyntaxError('broken filter parameters');
    }
    return value;
  };
  const predictor = read('Predictor', 1, 15);
  const bits = read('BitsPerComponent', 8, 16) * read('Colors', 1, 256);
  const width = Math.ceil((bits * read('Columns', 1, 1_000_000)) / 8);
  const step = Math.ceil(bits / 8);
  if (predictor === 1) return data;
  if (predictor < 10) throw new PdfSyntaxError('a predictor that file structures should not have');
  if (data.length % (width + 1) !== 0) throw new PdfSyntaxError('a row is incomplete');
  const rows = data.length / (width + 1);
  const out = new Uint8Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const from = row * (width + 1);
    const type = data[from] as number;
    if (type > 4) throw new PdfSyntaxError('a broken predictor');
    const to = row * width;
    for (let i = 0; i < width; i++) {
      const left = i >= step ? (out[to + i - step] as number) : 0;
      const up = row > 0 ? (out[to + i - width] as number) : 0;
      const corner = row > 0 && i >= step ? (out[to + i - width - step] as number) : 0;
      out[to + i] = (data[from + 1 + i] as number) + predicted(type, left, up, corner);
    }
  }
  return out;
}

function predicted(type: number, left: number, up: number, corner: number): number {
  if (type === 1) return left;
  if (type === 2) return up;
  if (type === 3) return (left + up) >> 1;
  if (type !== 4) return 0;
  const estimate = left + up - corner;
  const [a, b, c] = [Math.abs(estimate - left), Math.abs(estimate - up), Math.abs(estimate - corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
