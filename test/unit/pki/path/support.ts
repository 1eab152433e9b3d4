/** Where test data lies, and certificates and CRLs of any shape for tests of path validation. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { join, resolve } from 'node:path';
import { der } from '../../../../src/pki/der.ts';
import { basicConstraints, extension, KEY_USAGE, keyUsage } from '../../../../src/pki/extensions.ts';
import { distinguishedName } from '../../../../src/pki/names.ts';
import { OID } from '../../../../src/pki/oids.ts';
import { publicKeyInfoOf } from '../../../../src/pki/x509.ts';

/** A folder of the shared corpora ($SIGNPOST_CORPORA, else beside the project); it may be missing. */
export function corpora(name: string): string {
  return join(process.env.SIGNPOST_CORPORA ?? resolve(import.meta.dirname, '../../../../../shared/corpora'), name);
}

export const DAY = 86_400_000;
/** Now, for tests that a real tool judges, too: openssl and certtool look at the clock. */
export const NOW = new Date(Math.floor(Date.now() / 1000) * 1000);
export const days = (count: number): Date => new Date(NOW.getTime() + count * DAY);

export interface Key {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** The n-th P-256 key of this process: made once, so that a crowd of certificates costs little. */
export function key(n: number): Key {
  keys[n] ??= generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return keys[n];
}
const keys: Key[] = [];

export const name = (...commonNames: readonly string[]): Uint8Array =>
  distinguishedName(...commonNames.map(text => ['commonName', text] as const));

const ALGORITHM = der.sequence(der.oid(OID.ecdsaWithSHA256));

function signed(toBeSigned: Uint8Array, signer: Key): Uint8Array {
  return der.sequence(toBeSigned, ALGORITHM, der.bitString(sign('sha256', toBeSigned, signer.privateKey)));
}

export interface Shape {
  readonly subject: Uint8Array;
  readonly issuer: Uint8Array;
  readonly key: Key;
  readonly signer: Key;
  readonly serial?: number;
  readonly extensions?: readonly Uint8Array[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** What a certificate of these tests is: something with DER. */
export interface Made {
  readonly der: Uint8Array;
}

let serial = 0x1000;

export function certificate(shape: Shape): Made {
  const toBeSigned = der.sequence(
    der.constructed(0, der.integer(2)),
    der.integer(shape.serial ?? ++serial),
    ALGORITHM,
    shape.issuer,
    der.sequence(der.time(shape.notBefore ?? days(-1)), der.time(shape.notAfter ?? days(1))),
    shape.subject,
    publicKeyInfoOf(shape.key.publicKey),
    ...(shape.extensions?.length ? [der.constructed(3, der.sequence(...shape.extensions))] : []),
  );
  return { der: signed(toBeSigned, shape.signer) };
}

export const CA = [basicConstraints(9), keyUsage(KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign)];

/** RFC 5280 §4.2.1.2 (1), for tools that look for it. */
export function keyIdentifiers(own: Key, issuer: Key): Uint8Array[] {
  const identifier = ({ publicKey }: Key): Uint8Array =>
    createHash('sha1').update(publicKeyInfoOf(publicKey).subarray(-65)).digest();
  return [
    extension(OID.subjectKeyIdentifier, der.octetString(identifier(own))),
    extension(OID.authorityKeyIdentifier, der.sequence(der.primitive(0, identifier(issuer)))),
  ];
}

export interface CrlShape {
  readonly issuer: Uint8Array;
  readonly signer: Key;
  readonly number?: number;
  readonly entries?: readonly CrlEntry[];
  readonly extensions?: readonly Uint8Array[];
  readonly thisUpdate?: Date;
  readonly nextUpdate?: Date | null;
}

export interface CrlEntry {
  readonly serial: number;
  readonly reason?: number;
  readonly extensions?: readonly Uint8Array[];
}

export function crl(shape: CrlShape): Uint8Array {
  const entries = (shape.entries ?? []).map(entry => {
    const reason = entry.reason === undefined ? [] : [extension(OID.reasonCode, der.enumerated(entry.reason))];
    const extensions = [...reason, ...(entry.extensions ?? [])];
    return der.sequence(
      der.integer(entry.serial),
      der.time(days(-0.5)),
      ...(extensions.length > 0 ? [der.sequence(...extensions)] : []),
    );
  });
  const extensions = [
    extension(OID.crlNumber, der.integer(shape.number ?? 1)),
    keyIdentifiers(shape.signer, shape.signer)[1]!,
    ...(shape.extensions ?? []),
  ];
  const nextUpdate = shape.nextUpdate === undefined ? days(1) : shape.nextUpdate;
  return signed(
    der.sequence(
      der.integer(1),
      ALGORITHM,
      shape.issuer,
      der.time(shape.thisUpdate ?? days(-0.5)),
      ...(nextUpdate ? [der.time(nextUpdate)] : []),
      ...(entries.length > 0 ? [der.sequence(...entries)] : []),
      der.constructed(0, der.sequence(...extensions)),
    ),
    shape.signer,
  );
}
