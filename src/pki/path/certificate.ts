/** An X.509 certificate as path validation sees it: every version, any serial number, keys that may lack parameters. */
import { createHash } from 'node:crypto';
import {
  bitsOf,
  constructed,
  DerError,
  type Element,
  equal,
  Fields,
  hex,
  oidOf,
  primitive,
  read,
  smallIntegerOf,
  TAG,
} from '../der.ts';
import { parseExtensions } from '../x509.ts';
import { type CertificateExtensions, readExtensions } from './extensions.ts';
import { type Name, parseName, sameName } from './name.ts';
import { serialOf, wholeTimeOf } from './primitives.ts';

/** What a signature is over, and how it was made. */
export interface SignedObject {
  /** SHA-256 of the whole, hex. */
  readonly id: string;
  readonly toBeSigned: Uint8Array;
  /** AlgorithmIdentifier. */
  readonly algorithm: Element;
  readonly signature: Uint8Array;
}

/** SubjectPublicKeyInfo, taken apart. */
export interface KeyInfo {
  readonly bytes: Uint8Array;
  /** The bytes in hex, for looking up. */
  readonly id: string;
  readonly algorithm: string;
  /** DER; null where left out or NULL. */
  readonly parameters: Uint8Array | null;
  /** The BIT STRING, DER. */
  readonly bits: Uint8Array;
}

export interface PathCertificate extends SignedObject, CertificateExtensions {
  readonly der: Uint8Array;
  readonly version: 1 | 2 | 3;
  readonly serial: string;
  readonly issuer: Name;
  readonly subject: Name;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly keyInfo: KeyInfo;
  /** RFC 5280 §6.1: the same name in subject and issuer. */
  readonly isSelfIssued: boolean;
}

/** SIGNED { … } of certificates and CRLs: both places must name one algorithm. @throws DerError */
export function parseSigned(bytes: Uint8Array): SignedObject {
  const outer = new Fields(read(bytes, TAG.sequence).content);
  const toBeSigned = outer.next(TAG.sequence).bytes;
  const algorithm = outer.next(TAG.sequence);
  const signature = bitsOf(outer.next(TAG.bitString));
  outer.finish();
  return { id: createHash('sha256').update(bytes).digest('hex'), toBeSigned, algorithm, signature };
}

/** @throws DerError */
export function parsePathCertificate(bytes: Uint8Array): PathCertificate {
  const signed = parseSigned(bytes);
  const fields = new Fields(read(signed.toBeSigned, TAG.sequence).content);
  const version = parseVersion(fields.optional(constructed(0)));
  const serial = serialOf(fields.next(TAG.integer));
  if (!equal(fields.next(TAG.sequence).bytes, signed.algorithm.bytes)) throw new DerError('two signature algorithms');
  const issuer = parseName(fields.next(TAG.sequence).bytes);
  const validity = fields.sequence();
  const [notBefore, notAfter] = [wholeTimeOf(validity.any()), wholeTimeOf(validity.any())];
  validity.finish();
  const subject = parseName(fields.next(TAG.sequence).bytes);
  const keyInfo = parseKeyInfo(fields.next(TAG.sequence).bytes);
  const uniqueIds = [fields.optional(primitive(1)), fields.optional(primitive(2))];
  const extensions = fields.optional(constructed(3));
  fields.finish();
  if ((version < 2 && uniqueIds.some(id => id !== null)) || (version < 3 && extensions))
    throw new DerError('fields of a later version');
  if (issuer.rdns.length === 0) throw new DerError('no issuer');
  return {
    ...signed,
    ...readExtensions(extensions ? parseExtensions(read(extensions.content, TAG.sequence)) : new Map()),
    der: bytes,
    version,
    serial,
    issuer,
    subject,
    notBefore,
    notAfter,
    keyInfo,
    isSelfIssued: sameName(issuer, subject),
  };
}

function parseVersion(element: Element | null): 1 | 2 | 3 {
  if (element === null) return 1;
  const number = smallIntegerOf(read(element.content, TAG.integer));
  if (number === 1) return 2;
  if (number === 2) return 3;
  throw new DerError('unknown version');
}

function parseKeyInfo(bytes: Uint8Array): KeyInfo {
  const fields = new Fields(read(bytes, TAG.sequence).content);
  const identifier = fields.sequence();
  const bits = fields.next(TAG.bitString).bytes;
  fields.finish();
  const algorithm = oidOf(identifier.next(TAG.oid));
  const parameters = identifier.done ? null : identifier.any();
  identifier.finish();
  const given = parameters && parameters.tag !== TAG.null ? parameters.bytes : null;
  return { bytes, id: hex(bytes), algorithm, parameters: given, bits };
}

/** The certificates among these that can be read: candidates come from anybody. */
export function readable(list: readonly { readonly der: Uint8Array }[]): PathCertificate[] {
  return list.flatMap(({ der }) => {
    try {
      return [parsePathCertificate(der)];
    } catch (error) {
      if (error instanceof DerError) return [];
      throw error;
    }
  });
}
