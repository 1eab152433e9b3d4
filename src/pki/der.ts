/**
 * DER (X.690 §10): a strict reader and a plain writer.
 *
 * Why not asn1js here: it reads BER too (indefinite and padded lengths), so two parsers may see two things in one
 * message; and what we sign must be the bytes that we were given (names, keys, CertIDs), not a re-encoding of them.
 * The reader is lazy: no recursion, nothing allocated that the input doesn't pay for.
 */

/** The bytes aren't DER of the expected shape. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Identifier octet of [n] with constructed contents (EXPLICIT, or IMPLICIT over a SEQUENCE or SET). */
export const constructed = (n: number): number => 0xa0 | n;
/** Identifier octet of [n] IMPLICIT over a primitive type. */
export const primitive = (n: number): number => 0x80 | n;

/** One tag-length-value. */
export interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag, length and content. */
  readonly bytes: Uint8Array;
}

function elementAt(input: Uint8Array, start: number): Element {
  const tag = input[start];
  const first = input[start + 1];
  if (tag === undefined || first === undefined) throw new DerError('cut short');
  if ((tag & 0x1f) === 0x1f) throw new DerError('tag numbers over 30 are not used here');
  let length = first;
  let header = 2;
  if (first >= 0x80) {
    const octets = first & 0x7f;
    if (octets === 0 || octets > 4) throw new DerError('indefinite or excessive length');
    header += octets;
    length = 0;
    for (const octet of input.subarray(start + 2, start + header)) length = length * 256 + octet;
    if (length < 0x80 || length < 256 ** (octets - 1)) throw new DerError('length is not minimal');
  }
  const end = start + header + length;
  if (end > input.length) throw new DerError('cut short');
  return { tag, content: input.subarray(start + header, end), bytes: input.subarray(start, end) };
}

/** The one element that fills `input`. @throws DerError on another tag or trailing bytes */
export function read(input: Uint8Array, tag: number): Element {
  const fields = new Fields(input);
  const element = fields.next(tag);
  fields.finish();
  return element;
}

/** Reads the contents of a SEQUENCE or SET one by one. Every method @throws DerError */
export class Fields {
  #rest: Uint8Array;

  constructor(content: Uint8Array) {
    this.#rest = content;
  }

  get done(): boolean {
    return this.#rest.length === 0;
  }

  any(): Element {
    const element = elementAt(this.#rest, 0);
    this.#rest = this.#rest.subarray(element.bytes.length);
    return element;
  }

  next(tag: number): Element {
    const element = this.any();
    if (element.tag !== tag) throw new DerError(`expected tag ${tag.toString(16)}, found ${element.tag.toString(16)}`);
    return element;
  }

  optional(tag: number): Element | null {
    return this.#rest[0] === tag ? this.any() : null;
  }

  /** Opens the next element as a SEQUENCE. */
  sequence(): Fields {
    return new Fields(this.next(TAG.sequence).content);
  }

  finish(): void {
    if (!this.done) throw new DerError('trailing bytes');
  }
}

/** All elements inside. */
export function children(content: Uint8Array): Element[] {
  const fields = new Fields(content);
  const list: Element[] = [];
  while (!fields.done) list.push(fields.any());
  return list;
}

export function oidOf(element: Element): string {
  const { tag, content } = element;
  if (tag !== TAG.oid || content.length === 0 || content[content.length - 1]! >= 0x80) throw new DerError('bad OID');
  const arcs: bigint[] = [];
  let arc = 0n;
  let fresh = true;
  for (const octet of content) {
    if (fresh && octet === 0x80) throw new DerError('OID arc is not minimal');
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    fresh = octet < 0x80;
    if (!fresh) continue;
    if (arcs.length === 0) {
      const top = arc < 80n ? arc / 40n : 2n;
      arcs.push(top, arc - top * 40n);
    } else arcs.push(arc);
    arc = 0n;
  }
  return arcs.join('.');
}

/** A non-negative INTEGER as lower-case hex without leading zeros. */
export function integerOf(element: Element): string {
  const { tag, content } = element;
  if ((tag !== TAG.integer && tag !== TAG.enumerated) || content.length === 0) throw new DerError('bad INTEGER');
  if (content[0]! >= 0x80) throw new DerError('negative INTEGER');
  if (content.length > 1 && content[0] === 0 && content[1]! < 0x80) throw new DerError('INTEGER is not minimal');
  return hex(content).replace(/^0+(?=.)/, '');
}

/** A non-negative INTEGER below 2^31. */
export function smallIntegerOf(element: Element): number {
  const value = Number.parseInt(integerOf(element), 16);
  if (value > 0x7fffffff) throw new DerError('INTEGER out of range');
  return value;
}

export function booleanOf(element: Element): boolean {
  const { tag, content } = element;
  if (tag !== TAG.boolean || content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) {
    throw new DerError('bad BOOLEAN');
  }
  return content[0] === 0xff;
}

/** A BIT STRING of whole octets. */
export function bitsOf(element: Element): Uint8Array {
  if (element.tag !== TAG.bitString || element.content[0] !== 0) throw new DerError('bad BIT STRING');
  return element.content.subarray(1);
}

/** UTCTime or GeneralizedTime in UTC (RFC 5280 §4.1.2.5; fractions as RFC 3161 §2.4.2 allows them). */
export function timeOf(element: Element): Date {
  const text = latin1(element.content);
  const pattern = element.tag === TAG.utcTime ? /^(\d\d)(\d{10})Z$/ : /^(\d{4})(\d{10})(\.\d*[1-9])?Z$/;
  const match = pattern.exec(text);
  if (!match || (element.tag !== TAG.utcTime && element.tag !== TAG.generalizedTime)) throw new DerError('bad time');
  const year = element.tag === TAG.utcTime ? (Number(match[1]) < 50 ? `20${match[1]}` : `19${match[1]}`) : match[1]!;
  const [month, day, hour, minute, second] = match[2]!.match(/../g)!;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.${(match[3] ?? '.').slice(1, 4).padEnd(3, '0')}Z`;
  const time = new Date(iso);
  // Rejects 31 February, which Date would carry over, as well as what it can't read.
  if (Number.isNaN(time.getTime()) || time.toISOString() !== iso) throw new DerError('bad time');
  return time;
}

// --- writing -----------------------------------------------------------------------------------------------------

function encode(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  const header = length < 0x80 ? [tag, length] : [tag, 0x80 | octets.length, ...octets];
  return concat(Uint8Array.from(header), ...parts);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
export const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

export const der = {
  sequence: (...parts: readonly Uint8Array[]): Uint8Array => encode(TAG.sequence, ...parts),
  /** SET OF: the elements in ascending order (X.690 §11.6). */
  set: (...parts: readonly Uint8Array[]): Uint8Array => encode(TAG.set, ...parts.toSorted(Buffer.compare)),
  /** [n] EXPLICIT, or IMPLICIT over a constructed type when given that type's contents. */
  constructed: (n: number, ...parts: readonly Uint8Array[]): Uint8Array => encode(constructed(n), ...parts),
  /** [n] IMPLICIT over a primitive type. */
  primitive: (n: number, content: Uint8Array): Uint8Array => encode(primitive(n), content),
  /** The same contents under another tag (IMPLICIT tagging of an encoded element). */
  retag: (tag: number, encoded: Uint8Array): Uint8Array => concat(Uint8Array.of(tag), encoded.subarray(1)),
  /** From a small number or hex digits, both non-negative. */
  integer(value: number | string): Uint8Array {
    const digits = (typeof value === 'number' ? value.toString(16) : value).replace(/^0+(?=.)/, '');
    const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
    return encode(TAG.integer, bytes[0]! >= 0x80 ? Uint8Array.of(0) : new Uint8Array(), bytes);
  },
  enumerated: (value: number): Uint8Array => encode(TAG.enumerated, Uint8Array.of(value)),
  boolean: (value: boolean): Uint8Array => encode(TAG.boolean, Uint8Array.of(value ? 0xff : 0)),
  null: encode(TAG.null),
  octetString: (...parts: readonly Uint8Array[]): Uint8Array => encode(TAG.octetString, ...parts),
  bitString: (bytes: Uint8Array): Uint8Array => encode(TAG.bitString, Uint8Array.of(0), bytes),
  /** Named-bit list: trailing zero bits are dropped (X.690 §11.2.2). */
  flags(...bits: readonly number[]): Uint8Array {
    const top = Math.max(...bits);
    const octets = new Uint8Array((top >> 3) + 1);
    for (const bit of bits) octets[bit >> 3]! |= 0x80 >> (bit & 7);
    return encode(TAG.bitString, Uint8Array.of(7 - (top & 7)), octets);
  },
  oid(text: string): Uint8Array {
    const [top, second, ...rest] = text.split('.').map(Number);
    const octets = [top! * 40 + second!, ...rest].flatMap(arc => {
      const list = [arc % 128];
      for (let more = Math.floor(arc / 128); more > 0; more = Math.floor(more / 128)) list.unshift((more % 128) | 0x80);
      return list;
    });
    return encode(TAG.oid, Uint8Array.from(octets));
  },
  utf8String: (text: string): Uint8Array => encode(TAG.utf8String, Buffer.from(text, 'utf8')),
  printableString: (text: string): Uint8Array => encode(TAG.printableString, Buffer.from(text, 'latin1')),
  ia5String: (text: string): Uint8Array => encode(TAG.ia5String, Buffer.from(text, 'latin1')),
  /** RFC 5280 §4.1.2.5: UTCTime through 2049, then GeneralizedTime. Whole seconds. */
  time(date: Date): Uint8Array {
    if (date.getUTCFullYear() >= 2050) return der.generalizedTime(date);
    return encode(TAG.utcTime, Buffer.from(digitsOf(date).slice(2)));
  },
  /** Whole seconds. */
  generalizedTime: (date: Date): Uint8Array => encode(TAG.generalizedTime, Buffer.from(digitsOf(date))),
} as const;

const digitsOf = (date: Date): string => `${date.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
