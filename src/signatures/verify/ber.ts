/**
 * Definite lengths for values that were written with indefinite ones (X.690 §8.1.3.6, §8.7.3): NSS, which poppler signs
 * with, writes CMS so. Everything else must be DER already and comes out as it went in; the strict reader then reads the
 * result.
 */
import { concat, DerError, der, TAG } from '../../pki/der.ts';

const MAX_DEPTH = 40;
const CONSTRUCTED = 0x20;
const CONSTRUCTED_OCTET_STRING = 0x24;

export interface Converted {
  readonly der: Uint8Array;
  /** Octets of the input that the value takes. */
  readonly length: number;
}

/** The value that `input` begins with. @throws DerError */
export function toDer(input: Uint8Array): Converted {
  return convert(input, 0, 0);
}

function convert(input: Uint8Array, start: number, depth: number): Converted {
  const [tag, first] = [input[start], input[start + 1]];
  if (tag === undefined || first === undefined) throw new DerError('cut short');
  if ((tag & 0x1f) === 0x1f || depth > MAX_DEPTH) throw new DerError('not what a signature is made of');
  if (first === 0x80) return indefinite(input, start, tag, depth);
  const octets = first < 0x80 ? 0 : first & 0x7f;
  if (octets > 4) throw new DerError('excessive length');
  let length = octets === 0 ? first : 0;
  for (const octet of input.subarray(start + 2, start + 2 + octets)) length = length * 256 + octet;
  const end = start + 2 + octets + length;
  if (end > input.length) throw new DerError('cut short');
  const whole = { der: input.subarray(start, end), length: end - start };
  if ((tag & CONSTRUCTED) === 0) return whole;
  const parts: Uint8Array[] = [];
  let changed = false;
  for (let at = start + 2 + octets; at < end; ) {
    const part = convert(input.subarray(0, end), at, depth + 1);
    changed ||= part.der.length !== part.length;
    parts.push(part.der);
    at += part.length;
  }
  return changed || tag === CONSTRUCTED_OCTET_STRING ? { der: build(tag, parts), length: whole.length } : whole;
}

function indefinite(input: Uint8Array, start: number, tag: number, depth: number): Converted {
  if ((tag & CONSTRUCTED) === 0) throw new DerError('indefinite length of a primitive value');
  const parts: Uint8Array[] = [];
  let at = start + 2;
  while (input[at] !== 0 || input[at + 1] !== 0) {
    const part = convert(input, at, depth + 1);
    parts.push(part.der);
    at += part.length;
  }
  return { der: build(tag, parts), length: at + 2 - start };
}

/** An OCTET STRING in pieces becomes one. */
function build(tag: number, parts: readonly Uint8Array[]): Uint8Array {
  if (tag !== CONSTRUCTED_OCTET_STRING) return der.retag(tag, der.sequence(...parts));
  if (parts.some(part => part[0] !== TAG.octetString)) throw new DerError('an OCTET STRING of other things');
  return der.octetString(concat(...parts.map(part => part.subarray(part[1]! < 0x80 ? 2 : 2 + (part[1]! & 0x7f)))));
}
