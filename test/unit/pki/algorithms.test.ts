import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Hash, signatureHolds } from '../../../src/pki/algorithms.ts';
import { DerError, der, read, TAG } from '../../../src/pki/der.ts';
import { OID } from '../../../src/pki/oids.ts';

const DATA = Buffer.from('data');
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength });
const identifier = (oid: string, ...parameters: Uint8Array[]) =>
  read(der.sequence(der.oid(oid), ...parameters), TAG.sequence);
const holds = (
  pair: { privateKey: KeyObject; publicKey: KeyObject },
  hash: string,
  oid: string,
  digestHash?: Hash,
  ...parameters: Uint8Array[]
) =>
  signatureHolds(identifier(oid, ...parameters), pair.publicKey, DATA, sign(hash, DATA, pair.privateKey), digestHash);

describe('a signature', () => {
  it('by a strong key and algorithm holds', () => {
    expect(holds(ec('P-256'), 'sha256', OID.ecdsaWithSHA256)).toBe(true);
    expect(holds(ec('P-384'), 'sha384', OID.ecdsaWithSHA384)).toBe(true);
    expect(holds(rsa(2048), 'sha512', OID.sha512WithRSAEncryption, undefined, der.null)).toBe(true);
    expect(holds(rsa(2048), 'sha256', OID.rsaEncryption, 'sha256', der.null)).toBe(true);
  });

  it('by a weak key or algorithm never holds, even when its arithmetic is right', () => {
    expect(holds(rsa(1024), 'sha256', OID.sha256WithRSAEncryption)).toBe(false);
    expect(holds(ec('secp224r1'), 'sha256', OID.ecdsaWithSHA256)).toBe(false);
    expect(holds(ec('secp256k1'), 'sha256', OID.ecdsaWithSHA256)).toBe(false);
    expect(holds(rsa(2048), 'sha1', '1.2.840.113549.1.1.5')).toBe(false);
    expect(holds(rsa(2048), 'sha1', OID.rsaEncryption, 'sha1')).toBe(false);
  });

  it('must be of the kind that its identifier says, with the hash that CMS names', () => {
    expect(holds(ec('P-256'), 'sha384', OID.ecdsaWithSHA256)).toBe(false);
    expect(holds(ec('P-256'), 'sha384', OID.ecdsaWithSHA384, 'sha256')).toBe(false);
    expect(holds(rsa(2048), 'sha256', OID.ecdsaWithSHA256)).toBe(false);
    expect(holds(rsa(2048), 'sha256', OID.rsaEncryption)).toBe(false);
  });

  it('that is garbage does not hold, and parameters other than NULL are refused', () => {
    const { publicKey } = ec('P-256');
    expect(signatureHolds(identifier(OID.ecdsaWithSHA256), publicKey, DATA, new Uint8Array(70))).toBe(false);
    expect(signatureHolds(identifier(OID.ecdsaWithSHA256), publicKey, DATA, new Uint8Array())).toBe(false);
    expect(() => holds(ec('P-256'), 'sha256', OID.ecdsaWithSHA256, undefined, der.integer(1))).toThrow(DerError);
  });
});
