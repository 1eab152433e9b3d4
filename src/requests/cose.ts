/** Public keys as authenticators tell them: COSE_Key (RFC 9052 §7), in the CBOR (RFC 8949) that CTAP2 allows. */
import { createPublicKey, type KeyObject } from 'node:crypto';

/** Neither CBOR as CTAP2 writes it, nor a key that is taken. */
export class BadCose extends Error {
  override readonly name = 'BadCose';
}

type Value = number | Uint8Array | string | boolean | null | readonly Value[] | ReadonlyMap<Value, Value>;

const MOST_DEPTH = 4;
const LEAST_RSA_BITS = 2048;
/** FIPS 186-5 §5.1: with 1, anybody could write signatures. */
const LEAST_RSA_EXPONENT = 65_537n;

/**
 * The key at the beginning of these bytes: ES256 (P-256), EdDSA (Ed25519) or RS256.
 * @param bytes extensions may follow the key
 * @throws BadCose
 */
export function readCoseKey(bytes: Uint8Array): KeyObject {
  const { value } = read(bytes, 0, 0);
  if (!(value instanceof Map)) throw new BadCose('not a map');
  const jwk = jwkOf(value);
  let key: KeyObject;
  try {
    key = createPublicKey({ key: jwk, format: 'jwk' });
  } catch (cause) {
    throw new BadCose('not a public key', { cause });
  }
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa' && (modulusLength < LEAST_RSA_BITS || publicExponent < LEAST_RSA_EXPONENT))
    throw new BadCose('the RSA key is too short, or of a weak exponent');
  return key;
}

function jwkOf(map: ReadonlyMap<Value, Value>): { readonly [name: string]: string } {
  const bytes = (label: number): string => {
    const value = map.get(label);
    if (!(value instanceof Uint8Array)) throw new BadCose(`parameter ${label} is missing`);
    return Buffer.from(value).toString('base64url');
  };
  const is = (type: number, algorithm: number, curve: number | null): boolean =>
    map.get(1) === type && map.get(3) === algorithm && (curve === null || map.get(-1) === curve);
  if (is(2, -7, 1)) return { kty: 'EC', crv: 'P-256', x: bytes(-2), y: bytes(-3) };
  if (is(1, -8, 6)) return { kty: 'OKP', crv: 'Ed25519', x: bytes(-2) };
  if (is(3, -257, null)) return { kty: 'RSA', n: bytes(-1), e: bytes(-2) };
  throw new BadCose('an algorithm that is not taken');
}

/** Definite lengths only, as CTAP2 §8 has it. */
function read(bytes: Uint8Array, at: number, depth: number): { readonly value: Value; readonly next: number } {
  const initial = bytes[at];
  if (initial === undefined || depth > MOST_DEPTH) throw new BadCose('cut off, or too deep');
  const { argument, next } = readArgument(bytes, at + 1, initial & 31);
  switch (initial >> 5) {
    case 0:
      return { value: argument, next };
    case 1:
      return { value: -1 - argument, next };
    case 2:
    case 3: {
      const end = next + argument;
      if (end > bytes.length) throw new BadCose('cut off');
      const part = bytes.subarray(next, end);
      return { value: initial >> 5 === 2 ? part : new TextDecoder().decode(part), next: end };
    }
    case 4: {
      const list: Value[] = [];
      let position = next;
      for (let index = 0; index < argument; index++) {
        const item = read(bytes, position, depth + 1);
        list.push(item.value);
        position = item.next;
      }
      return { value: list, next: position };
    }
    case 5: {
      const map = new Map<Value, Value>();
      let position = next;
      for (let index = 0; index < argument; index++) {
        const key = read(bytes, position, depth + 1);
        const item = read(bytes, key.next, depth + 1);
        if (map.has(key.value)) throw new BadCose('a key stands twice in a map');
        map.set(key.value, item.value);
        position = item.next;
      }
      return { value: map, next: position };
    }
    default:
      return { value: simple(initial), next };
  }
}

function simple(initial: number): boolean | null {
  if (initial === 0xf4) return false;
  if (initial === 0xf5) return true;
  if (initial === 0xf6) return null;
  throw new BadCose('a type that CTAP2 does not use here');
}

function readArgument(bytes: Uint8Array, at: number, information: number): { argument: number; next: number } {
  if (information < 24) return { argument: information, next: at };
  const length = [1, 2, 4][information - 24];
  if (length === undefined || at + length > bytes.length)
    throw new BadCose('cut off, or of a length that is not taken');
  let argument = 0;
  for (const byte of bytes.subarray(at, at + length)) argument = argument * 256 + byte;
  return { argument, next: at + length };
}
