/**
 * The little DER (X.690 §10) that a device needs: read its certificate, write a CSR, build the attributes it is about to
 * sign. Runs in browsers: bytes in, bytes out, no dependencies.
 */

export class DerError extends Error {
  override readonly name = 'DerError';
}

/** One TLV. `bytes` is the whole of it, `content` what it holds. */
export interface DerNode {
  /** The identifier octet; tags above 30 are refused. */
  readonly tag: number;
  readonly content: Uint8Array;
  readonly bytes: Uint8Array;
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The TLV at `offset`. Definite, shortest lengths only. @throws DerError */
function readAt(bytes: Uint8Array, offset: number): DerNode {
  const tag = bytes[offset];
  let length = bytes[offset + 1];
  if (tag === undefined || length === undefined) throw new DerError('DER ends early');
  if ((tag & 0x1f) === 0x1f) throw new DerError('DER tag number above 30');
  let start = offset + 2;
  if (length >= 0x80) {
    const octets = length & 0x7f;
    if (octets === 0 || octets > 4) throw new DerError('DER length is indefinite or too big');
    length = 0;
    for (let i = 0; i < octets; i++) {
      const octet = bytes[start++];
      if (octet === undefined) throw new DerError('DER ends early');
      length = length * 256 + octet;
    }
    if (length < 0x80 || length < 256 ** (octets - 1)) throw new DerError('DER length is not the shortest');
  }
  const end = start + length;
  if (end > bytes.length) throw new DerError('DER ends early');
  return { tag, content: bytes.subarray(start, end), bytes: bytes.subarray(offset, end) };
}

/** Reads exactly one TLV that fills `bytes`. @throws DerError */
export function readDer(bytes: Uint8Array): DerNode {
  const node = readAt(bytes, 0);
  if (node.bytes.length !== bytes.length) throw new DerError('bytes after the DER value');
  return node;
}

/** The TLVs that a constructed value holds. @throws DerError */
export function readChildren(node: DerNode): DerNode[] {
  if ((node.tag & 0x20) === 0) throw new DerError('DER value is primitive');
  const children: DerNode[] = [];
  for (let offset = 0; offset < node.content.length; ) {
    const child = readAt(node.content, offset);
    children.push(child);
    offset += child.bytes.length;
  }
  return children;
}

/** Dotted form of an OBJECT IDENTIFIER. @throws DerError */
export function readOid(node: DerNode): string {
  if (node.tag !== TAG.oid || node.content.length === 0) throw new DerError('not an object identifier');
  const arcs: number[] = [];
  let arc = 0;
  let first = true;
  for (const octet of node.content) {
    if (first && octet === 0x80) throw new DerError('object identifier arc is not the shortest');
    arc = arc * 128 + (octet & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 128) throw new DerError('object identifier arc is too big');
    first = (octet & 0x80) === 0;
    if (first) {
      arcs.push(arc);
      arc = 0;
    }
  }
  if (!first) throw new DerError('object identifier ends early');
  const [head, ...rest] = arcs as [number, ...number[]];
  const top = Math.min(2, Math.floor(head / 40));
  return [top, head - top * 40, ...rest].join('.');
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, i) => octet === b[i]);
}

/** Order of a DER SET OF (X.690 §11.6): as octet strings, the shorter one first where one is the other's beginning. */
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const content = concat(...parts);
  const length: number[] = [];
  if (content.length < 0x80) length.push(content.length);
  else {
    for (let rest = content.length; rest > 0; rest = Math.floor(rest / 256)) length.unshift(rest & 0xff);
    length.unshift(0x80 | length.length);
  }
  return concat(Uint8Array.of(tag, ...length), content);
}

function base128(arc: number): number[] {
  const octets = [arc & 0x7f];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) octets.unshift(0x80 | (rest & 0x7f));
  return octets;
}

/** Writers; each returns one whole TLV. */
export const encode = {
  tlv,
  seq: (...parts: readonly Uint8Array[]) => tlv(TAG.sequence, ...parts),
  /** SET OF: sorted as DER wants it. */
  set: (...parts: readonly Uint8Array[]) => tlv(TAG.set, ...[...parts].sort(compareBytes)),
  oid(dotted: string) {
    const [top, second, ...rest] = dotted.split('.').map(Number) as [number, number, ...number[]];
    return tlv(TAG.oid, Uint8Array.from([top * 40 + second, ...rest].flatMap(base128)));
  },
  /** A small non-negative number, or the big-endian octets of an unsigned one of any size. */
  integer(value: number | Uint8Array) {
    let octets = typeof value === 'number' ? [...base256(value)] : [...value];
    while (octets.length > 1 && octets[0] === 0) octets = octets.slice(1);
    if (octets.length === 0) octets = [0];
    if ((octets[0] as number) >= 0x80) octets.unshift(0);
    return tlv(TAG.integer, Uint8Array.from(octets));
  },
  bitString: (octets: Uint8Array) => tlv(TAG.bitString, Uint8Array.of(0), octets),
  octetString: (octets: Uint8Array) => tlv(TAG.octetString, octets),
  utf8String: (text: string) => tlv(TAG.utf8String, new TextEncoder().encode(text)),
  boolean: (value: boolean) => tlv(TAG.boolean, Uint8Array.of(value ? 0xff : 0)),
  nullValue: () => tlv(TAG.null),
  /** Context-specific tag `[number]`, constructed (explicit, or an implicit constructed type) unless `primitive`. */
  contextTag: (number: number, content: Uint8Array, primitive = false) =>
    tlv((primitive ? 0x80 : 0xa0) | number, content),
};

function base256(value: number): number[] {
  const octets: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest & 0xff);
  return octets;
}
