/** Certificate revocation lists (RFC 5280 §5), read strictly. */
import { constructed, DerError, type Element, equal, Fields, integerOf, read, smallIntegerOf, TAG } from '../der.ts';
import { OID } from '../oids.ts';
import { type Extension, parseExtensions } from '../x509.ts';
import { parseSigned, type SignedObject } from './certificate.ts';
import {
  type IssuingDistributionPoint,
  parseDistributionPoints,
  parseIssuingDistributionPoint,
} from './distribution-point.ts';
import { EXTENSION, parseAuthorityKeyIdentifier } from './extensions.ts';
import { parseGeneralName } from './general-name.ts';
import { type Name, parseName } from './name.ts';
import { listOf, serialOf, wholeTimeOf } from './primitives.ts';

const DELTA_CRL_INDICATOR = '2.5.29.27';
const ISSUING_DISTRIBUTION_POINT = '2.5.29.28';
const CERTIFICATE_ISSUER = '2.5.29.29';
const INVALIDITY_DATE = '2.5.29.24';
const HOLD_INSTRUCTION = '2.5.29.23';

const PROCESSED = new Set<string>([
  OID.crlNumber,
  OID.authorityKeyIdentifier,
  DELTA_CRL_INDICATOR,
  ISSUING_DISTRIBUTION_POINT,
]);
const PROCESSED_IN_ENTRIES = new Set<string>([OID.reasonCode, CERTIFICATE_ISSUER, INVALIDITY_DATE, HOLD_INSTRUCTION]);

/** CRLReason removeFromCRL (RFC 5280 §5.3.1). */
export const REMOVE_FROM_CRL = 8;
const UNUSED_REASON = 7;
const LAST_REASON = 10;

export interface Entry {
  readonly revokedAt: Date;
  /** CRLReason; 0 (unspecified) where it isn't said. */
  readonly reason: number;
}

export interface Crl extends SignedObject {
  readonly der: Uint8Array;
  readonly issuer: Name;
  readonly thisUpdate: Date;
  /** RFC 5280 §5.1.2.5 wants one in every CRL; null never counts as current. */
  readonly nextUpdate: Date | null;
  readonly authorityKeyIdentifier: Uint8Array | null;
  readonly number: bigint | null;
  /** BaseCRLNumber of a delta CRL; null for a complete one. */
  readonly base: bigint | null;
  readonly point: IssuingDistributionPoint | null;
  /** The extension's value, for comparing. */
  readonly pointBytes: Uint8Array | null;
  readonly hasFreshestCrl: boolean;
  /** What it says of a certificate. */
  find(issuer: Name, serial: string): Entry | null;
}

/** @throws DerError; also for a critical extension, of the list or of an entry, that isn't known (§5.2, §5.3) */
export function parseCrl(bytes: Uint8Array): Crl {
  const signed = parseSigned(bytes);
  const fields = new Fields(read(signed.toBeSigned, TAG.sequence).content);
  const version = fields.optional(TAG.integer);
  if (version && smallIntegerOf(version) !== 1) throw new DerError('unknown version');
  if (!equal(fields.next(TAG.sequence).bytes, signed.algorithm.bytes)) throw new DerError('two signature algorithms');
  const issuer = parseName(fields.next(TAG.sequence).bytes);
  const thisUpdate = wholeTimeOf(fields.any());
  const nextUpdate = fields.optional(TAG.utcTime) ?? fields.optional(TAG.generalizedTime);
  const revoked = fields.optional(TAG.sequence);
  const last = fields.optional(constructed(0));
  fields.finish();
  if (last && !version) throw new DerError('fields of a later version');

  const extensions = last ? parseExtensions(read(last.content, TAG.sequence)) : new Map<string, Extension>();
  refuseUnknown(extensions, PROCESSED);
  const parse = <T>(oid: string, parser: (value: Uint8Array) => T): T | null => {
    const extension = extensions.get(oid);
    return extension ? parser(extension.value) : null;
  };
  const numberOf = (value: Uint8Array): bigint => BigInt(`0x${integerOf(read(value, TAG.integer))}`);
  const base = parse(DELTA_CRL_INDICATOR, numberOf);
  const entries = revoked ? parseEntries(revoked, issuer, base !== null) : new Map<string, Entry>();
  return {
    ...signed,
    der: bytes,
    issuer,
    thisUpdate,
    nextUpdate: nextUpdate && wholeTimeOf(nextUpdate),
    authorityKeyIdentifier: parse(OID.authorityKeyIdentifier, parseAuthorityKeyIdentifier),
    number: parse(OID.crlNumber, numberOf),
    base,
    point: parse(ISSUING_DISTRIBUTION_POINT, parseIssuingDistributionPoint),
    pointBytes: extensions.get(ISSUING_DISTRIBUTION_POINT)?.value ?? null,
    hasFreshestCrl: (parse(EXTENSION.freshestCrl, parseDistributionPoints) ?? []).length > 0,
    find: (name, serial) => entries.get(keyOf(name, serial)) ?? null,
  };
}

const keyOf = (issuer: Name, serial: string): string => `${serial} ${issuer.rdns.join()}`;

function refuseUnknown(extensions: ReadonlyMap<string, Extension>, processed: ReadonlySet<string>): void {
  for (const [oid, { critical }] of extensions) {
    if (critical && !processed.has(oid)) throw new DerError(`unknown critical extension ${oid}`);
  }
}

/** Entries are about certificates of the CRL's issuer until one names another (certificateIssuer, RFC 5280 §5.3.3). */
function parseEntries(revoked: Element, crlIssuer: Name, isDelta: boolean): ReadonlyMap<string, Entry> {
  const found = new Map<string, Entry>();
  let issuers: readonly Name[] = [crlIssuer];
  for (const { bytes } of listOf(revoked.bytes)) {
    const fields = new Fields(read(bytes, TAG.sequence).content);
    const serial = serialOf(fields.next(TAG.integer));
    const revokedAt = wholeTimeOf(fields.any());
    const list = fields.optional(TAG.sequence);
    fields.finish();
    const extensions = list ? parseExtensions(list) : new Map<string, Extension>();
    refuseUnknown(extensions, PROCESSED_IN_ENTRIES);
    const reason = parseReason(extensions.get(OID.reasonCode));
    if (reason === REMOVE_FROM_CRL && !isDelta) throw new DerError('removeFromCRL in a complete CRL');
    const named = extensions.get(CERTIFICATE_ISSUER);
    if (named) issuers = parseIssuers(named.value);
    for (const issuer of issuers) {
      const key = keyOf(issuer, serial);
      // Should one certificate be listed twice, being revoked wins.
      if ((found.get(key)?.reason ?? REMOVE_FROM_CRL) === REMOVE_FROM_CRL) found.set(key, { revokedAt, reason });
    }
  }
  return found;
}

function parseReason(extension: Extension | undefined): number {
  if (!extension) return 0;
  const reason = smallIntegerOf(read(extension.value, TAG.enumerated));
  if (reason === UNUSED_REASON || reason > LAST_REASON) throw new DerError('unknown reason');
  return reason;
}

function parseIssuers(value: Uint8Array): Name[] {
  const names = listOf(value)
    .map(parseGeneralName)
    .flatMap(name => (name.kind === 'directory' ? [name.name] : []));
  if (names.length === 0) throw new DerError('a certificate issuer without a distinguished name');
  return names;
}
