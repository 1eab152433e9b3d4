/** JSON on the wire, and how what comes in is believed nothing: each reader throws Malformed. */
import { base64url, fromBase64url } from '../bytes.ts';

/** What was received isn't what the protocol says. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

/** JSON for the wire: dates as ISO 8601, bytes as base64url. */
export function encode(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, item: unknown) {
    // Not `item`: Buffers have a toJSON that ran already.
    const raw = this[key];
    return raw instanceof Uint8Array ? base64url(raw) : item;
  });
}

/** Parses bytes received as JSON. @throws Malformed */
export function decode<T>(body: Uint8Array, parse: (value: unknown) => T): T {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new Malformed('not JSON');
  }
  return parse(value);
}

export type Fields = { readonly [name: string]: unknown };

export function fields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Malformed('not an object');
  return value as Fields;
}

export function text(value: unknown, maximum = 100_000): string {
  if (typeof value !== 'string' || value.length > maximum) throw new Malformed('not a text of the right length');
  return value;
}

export function integer(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new Malformed('not an integer');
  return value as number;
}

export function natural(value: unknown): number {
  const number = integer(value);
  if (number < 0) throw new Malformed('negative');
  return number;
}

export function date(value: unknown): Date {
  const parsed = new Date(text(value, 40));
  if (Number.isNaN(parsed.getTime())) throw new Malformed('not a date');
  return parsed;
}

export function bytes(value: unknown): Uint8Array {
  const parsed = fromBase64url(text(value, 100_000_000));
  if (!parsed) throw new Malformed('not base64url');
  return parsed;
}

export function bytesOf(value: unknown, length: number): Uint8Array {
  const parsed = bytes(value);
  if (parsed.length !== length) throw new Malformed(`not ${length} bytes`);
  return parsed;
}

/** UTC-12:00 to UTC+14:00 are in use. */
export function minutesEast(value: unknown): number {
  const minutes = integer(value);
  if (Math.abs(minutes) > 14 * 60) throw new Malformed('not a UTC offset');
  return minutes;
}

export function list<T>(value: unknown, parse: (item: unknown) => T): readonly T[] {
  if (!Array.isArray(value) || value.length > 1000) throw new Malformed('not a list');
  return value.map(item => parse(item));
}

export function orNull<T>(value: unknown, parse: (item: unknown) => T): T | null {
  return value === null ? null : parse(value);
}

export function oneOf<const T extends string>(value: unknown, ...allowed: readonly T[]): T {
  const found = allowed.find(item => item === value);
  if (found === undefined) throw new Malformed(`not one of ${allowed.join(', ')}`);
  return found;
}

/** Hex serial number, lower case. */
export function serial(value: unknown): string {
  const parsed = text(value, 64);
  if (!/^[0-9a-f]+$/.test(parsed)) throw new Malformed('not a serial number');
  return parsed;
}
