/** X.509 certificates (RFC 5280 §4): strict reading, and signing new ones. */
import { createHash, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { hashFor, signatureHolds, signatureIdentifier, signed } from './algorithms.ts';
import {
  bitsOf,
  booleanOf,
  constructed,
  DerError,
  der,
  type Element,
  equal,
  Fields,
  hex,
  integerOf,
  oidOf,
  primitive,
  read,
  smallIntegerOf,
  TAG,
  timeOf,
} from './der.ts';
import { OID } from './oids.ts';
import type { SigningKey } from './pki.ts';

export interface Extension {
  readonly critical: boolean;
  /** What the OCTET STRING holds. */
  readonly value: Uint8Array;
}

export interface Certificate {
  readonly der: Uint8Array;
  /** Lower-case hex without leading zeros. */
  readonly serial: string;
  /** Names as DER, exactly as they stand in the certificate. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKeyInfo: Uint8Array;
  readonly publicKey: KeyObject;
  readonly extensions: ReadonlyMap<string, Extension>;
  /** Whether this key signed the certificate, by an algorithm that is strong enough. */
  signedBy(issuerKey: KeyObject): boolean;
}

/** @throws DerError when it isn't a DER certificate, version 3, with a key that node:crypto can use */
export function parseCertificate(bytes: Uint8Array): Certificate {
  const outer = new Fields(read(bytes, TAG.sequence).content);
  const toBeSigned = outer.next(TAG.sequence);
  const algorithm = outer.next(TAG.sequence);
  const signature = bitsOf(outer.next(TAG.bitString));
  outer.finish();

  const fields = new Fields(toBeSigned.content);
  if (smallIntegerOf(read(fields.next(constructed(0)).content, TAG.integer)) !== 2) throw new DerError('not version 3');
  const serial = integerOf(fields.next(TAG.integer));
  if (!equal(fields.next(TAG.sequence).bytes, algorithm.bytes)) throw new DerError('two signature algorithms');
  const issuer = fields.next(TAG.sequence).bytes;
  const validity = fields.sequence();
  const [notBefore, notAfter] = [timeOf(validity.any()), timeOf(validity.any())];
  validity.finish();
  const subject = fields.next(TAG.sequence).bytes;
  const publicKeyInfo = fields.next(TAG.sequence).bytes;
  fields.optional(primitive(1));
  fields.optional(primitive(2));
  const extensions = fields.optional(constructed(3));
  fields.finish();
  return {
    der: bytes,
    serial,
    issuer,
    subject,
    notBefore,
    notAfter,
    publicKeyInfo,
    publicKey: publicKeyOf(publicKeyInfo),
    extensions: extensions ? parseExtensions(read(extensions.content, TAG.sequence)) : new Map(),
    signedBy: key => signatureHolds(algorithm, key, toBeSigned.bytes, signature),
  };
}

/** @throws DerError when the key is not one that node:crypto can use (a point off its curve, say) */
export function publicKeyOf(publicKeyInfo: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(publicKeyInfo), format: 'der', type: 'spki' });
  } catch {
    throw new DerError('unusable public key');
  }
}

/** Extensions ::= SEQUENCE OF; each at most once (RFC 5280 §4.2). */
export function parseExtensions(sequence: Element): Map<string, Extension> {
  const extensions = new Map<string, Extension>();
  const list = new Fields(sequence.content);
  while (!list.done) {
    const fields = list.sequence();
    const oid = oidOf(fields.next(TAG.oid));
    const flag = fields.optional(TAG.boolean);
    const value = fields.next(TAG.octetString).content;
    fields.finish();
    if (extensions.has(oid)) throw new DerError(`extension ${oid} twice`);
    extensions.set(oid, { critical: flag !== null && booleanOf(flag), value });
  }
  return extensions;
}

export interface CertificateFields {
  readonly serial: string;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKeyInfo: Uint8Array;
  /** Encoded extensions (extensions.ts). */
  readonly extensions: readonly Uint8Array[];
}

/** Signs a version 3 certificate; its DER. */
export function signCertificate(fields: CertificateFields, issuerKey: SigningKey): Promise<Uint8Array> {
  const toBeSigned = der.sequence(
    der.constructed(0, der.integer(2)),
    der.integer(fields.serial),
    signatureIdentifier(issuerKey.algorithm, hashFor(issuerKey)),
    fields.issuer,
    der.sequence(der.time(fields.notBefore), der.time(fields.notAfter)),
    fields.subject,
    fields.publicKeyInfo,
    der.constructed(3, der.sequence(...fields.extensions)),
  );
  return signed(toBeSigned, issuerKey);
}

/** A random positive serial number of 159 bits (RFC 5280 §4.1.2.2: at most 20 octets), the top one set. */
export function randomSerial(): string {
  const bytes = randomBytes(20);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return hex(bytes);
}

export function publicKeyInfoOf(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: 'der', type: 'spki' }));
}

/** RFC 5280 §4.2.1.2 (1): SHA-1 of the subjectPublicKey bits. */
export function keyIdentifier(publicKeyInfo: Uint8Array): Uint8Array {
  const fields = new Fields(read(publicKeyInfo, TAG.sequence).content);
  fields.next(TAG.sequence);
  return new Uint8Array(
    createHash('sha1')
      .update(bitsOf(fields.next(TAG.bitString)))
      .digest(),
  );
}

/** What a CA calls its key: its certificate's subject key identifier (RFC 5280 §4.2.1.2), which an enterprise's CA may have chosen. */
export function subjectIdentifier({ extensions, publicKeyInfo }: Certificate): Uint8Array {
  const own = extensions.get(OID.subjectKeyIdentifier);
  return own ? read(own.value, TAG.octetString).content : keyIdentifier(publicKeyInfo);
}

/**
 * Which CA a CA certificate speaks of, hex: name and key alone. A CA may have several certificates (its own, one of an
 * enterprise's CA); whatever it issued belongs to each, and it has one CRL.
 */
export function authorityId({ subject, publicKeyInfo }: Pick<Certificate, 'subject' | 'publicKeyInfo'>): string {
  return createHash('sha256').update(subject).update(publicKeyInfo).digest('hex');
}

/** Whether a certificate was issued by the CA of another. */
export function isIssuedBy(certificate: Certificate, issuer: Pick<Certificate, 'subject' | 'publicKey'>): boolean {
  return equal(certificate.issuer, issuer.subject) && certificate.signedBy(issuer.publicKey);
}

/** Issued by itself, as roots are. */
export const isSelfSigned = (certificate: Certificate): boolean => isIssuedBy(certificate, certificate);

/** SHA-256 (hex) of the SubjectPublicKeyInfo. */
export function keyHash(publicKeyInfo: Uint8Array): string {
  return createHash('sha256').update(publicKeyInfo).digest('hex');
}

/** @param label what it is, where it isn't a certificate (RFC 7468) */
export function toPem(certificate: Uint8Array, label = 'CERTIFICATE'): string {
  const lines =
    Buffer.from(certificate)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** Every certificate of a PEM file, DER. @throws DerError when there is none or one is damaged */
export function fromPem(text: string): Uint8Array[] {
  const blocks = text.matchAll(/-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/g);
  const list = Array.from(blocks, block => new Uint8Array(Buffer.from(block[1]!, 'base64')));
  if (list.length === 0) throw new DerError('no PEM certificate');
  for (const certificate of list) parseCertificate(certificate);
  return list;
}
