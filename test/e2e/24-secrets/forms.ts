/** A secret in every form that a careless line of code could write it down in. */
import { createPrivateKey, type KeyObject } from 'node:crypto';

export interface Secret {
  readonly name: string;
  /** What to look for, each at least a few bytes of something that nothing else contains. */
  readonly forms: readonly Buffer[];
}

/** Text as it is: a passphrase, a link token, a PIN. */
export function secretText(name: string, text: string): Secret {
  return { name, forms: [Buffer.from(text), ...encodings(Buffer.from(text))] };
}

export function secretBytes(name: string, bytes: Uint8Array): Secret {
  return { name, forms: [Buffer.from(bytes), ...encodings(bytes)] };
}

/** PKCS#8 and SEC 1 or PKCS#1, in DER and PEM, and the raw private number. */
export function secretKey(name: string, key: KeyObject): Secret {
  const { d } = key.export({ format: 'jwk' });
  const number = Buffer.from(d!, 'base64url');
  const old = key.asymmetricKeyType === 'ec' ? 'sec1' : 'pkcs1';
  const documents = ['pkcs8', old].flatMap(type => {
    const der = key.export({ format: 'der', type: type as 'pkcs8' });
    const pem = String(key.export({ format: 'pem', type: type as 'pkcs8' }));
    // The line of the PEM form, of 48 bytes, in which the middle of the private number is: others may be public.
    const line = Math.floor((der.indexOf(number.subarray(0, 16)) + number.length / 2) / 48);
    return [der, Buffer.from(pem.split('\n')[1 + line]!)];
  });
  return { name, forms: [...documents, number, ...encodings(number), ...encodings(documents[0]!)] };
}

export function secretJwk(name: string, jwk: { readonly [field: string]: unknown }): Secret {
  return secretKey(name, createPrivateKey({ key: jwk, format: 'jwk' }));
}

function encodings(bytes: Uint8Array): Buffer[] {
  const buffer = Buffer.from(bytes);
  const hex = buffer.toString('hex');
  return [
    hex,
    hex.toUpperCase(),
    hex.toUpperCase().replace(/..(?=.)/g, '$&:'),
    // Without what depends on the bytes behind.
    buffer.toString('base64').replace(/.?=*$/, ''),
    buffer.toString('base64url').slice(0, -1),
    [...buffer].join(','),
    // As JSON writes a Uint8Array.
    JSON.stringify(new Uint8Array(buffer)).slice(1, -1),
    encodeURIComponent(buffer.toString('latin1')),
  ].map(text => Buffer.from(text, 'latin1'));
}

/** Names of the secrets that stand in these bytes. */
export function found(secrets: readonly Secret[], bytes: Buffer): string[] {
  return secrets.filter(({ forms }) => forms.some(form => bytes.includes(form))).map(({ name }) => name);
}
