/** An authenticator in software: what browsers hand on, written by hand from Web Authentication §6 and RFC 8949. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { Assertion } from '../../src/requests/webauthn.ts';

export type KeyKind = 'ES256' | 'EdDSA' | 'RS256';

/** What it does otherwise than it should. */
export interface Deviation {
  readonly origin?: string;
  readonly rpId?: string;
  readonly type?: string;
  readonly crossOrigin?: boolean;
  /** 0x01 user present, 0x04 user verified, 0x40 credential. */
  readonly flags?: number;
  readonly count?: number;
}

const ORIGIN = 'https://sign.company.test';

export class Authenticator {
  readonly id = randomBytes(32);
  readonly #kind: KeyKind;
  readonly #keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  count = 0;

  constructor(kind: KeyKind = 'ES256', rsaBits = 2048) {
    this.#kind = kind;
    this.#keys =
      kind === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : kind === 'EdDSA'
          ? generateKeyPairSync('ed25519')
          : generateKeyPairSync('rsa', { modulusLength: rsaBits });
  }

  create(challenge: Uint8Array, { flags = 0x45, ...deviation }: Deviation = {}) {
    const credential = Buffer.concat([Buffer.alloc(16), Buffer.from([0, this.id.length]), this.id, this.#coseKey()]);
    return {
      challenge,
      clientData: clientData('webauthn.create', challenge, deviation),
      authenticatorData: Buffer.concat([this.#head({ ...deviation, flags }), credential]),
    };
  }

  get(challenge: Uint8Array, deviation: Deviation = {}): Assertion {
    this.count++;
    const client = clientData('webauthn.get', challenge, deviation);
    const data = this.#head({ count: this.count, flags: 0x05, ...deviation });
    const signed = Buffer.concat([data, createHash('sha256').update(client).digest()]);
    const hash = this.#kind === 'EdDSA' ? null : 'sha256';
    return {
      credential: this.id,
      clientData: client,
      authenticatorData: data,
      signature: sign(hash, signed, this.#keys.privateKey),
    };
  }

  #head({ rpId = 'sign.company.test', flags = 0, count = 0 }: Deviation): Buffer {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(count);
    return Buffer.concat([createHash('sha256').update(rpId).digest(), Buffer.from([flags]), counter]);
  }

  #coseKey(): Buffer {
    const jwk = this.#keys.publicKey.export({ format: 'jwk' });
    const part = (text: string | undefined) => bytes(Buffer.from(text ?? '', 'base64url'));
    // A map of kty, alg, and (-1) the curve, then (-2) x and (-3) y; of RSA (-1) n and (-2) e.
    const hex = (text: string) => Buffer.from(text, 'hex');
    if (this.#kind === 'ES256') return Buffer.concat([hex('a501020326200121'), part(jwk.x), hex('22'), part(jwk.y)]);
    if (this.#kind === 'EdDSA') return Buffer.concat([hex('a401010327200621'), part(jwk.x)]);
    return Buffer.concat([hex('a401030339010020'), part(jwk.n), hex('21'), part(jwk.e)]);
  }
}

/** A CBOR byte string. */
function bytes(value: Uint8Array): Buffer {
  const { length } = value;
  const head = length < 24 ? [0x40 | length] : length < 256 ? [0x58, length] : [0x59, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(head), value]);
}

function clientData(
  type: string,
  challenge: Uint8Array,
  { origin = ORIGIN, crossOrigin = false, type: other }: Deviation,
): Buffer {
  return Buffer.from(
    JSON.stringify({
      type: other ?? type,
      challenge: Buffer.from(challenge).toString('base64url'),
      origin,
      crossOrigin,
    }),
  );
}
