/** What stands in each kind of certificate: subject, validity and extensions. */

import type { KeyObject } from 'node:crypto';
import { createHash } from 'node:crypto';
import type { Person } from '../directory/directory.ts';
import { der } from './der.ts';
import {
  authorityInfoAccess,
  authorityKeyIdentifier,
  basicConstraints,
  certificatePolicies,
  crlDistributionPoint,
  extendedKeyUsage,
  extension,
  KEY_USAGE,
  keyUsage,
  mailAltName,
  subjectKeyIdentifier,
  urlAltName,
} from './extensions.ts';
import { distinguishedName, organizationIdentifier, withSuffix } from './names.ts';
import { OID } from './oids.ts';
import {
  type Certificate,
  type CertificateFields,
  keyIdentifier,
  publicKeyInfoOf,
  randomSerial,
  subjectIdentifier,
} from './x509.ts';

export interface Company {
  readonly name: string;
  readonly vat: string | null;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** organizationIdentifier as it is to stand there; made of `vat` where left out. */
  readonly identifier?: string | null;
}

/** Kinds of certificates that say by which policy they were issued. */
export const POLICY_KINDS = ['person', 'seal', 'tsa'] as const;
export type PolicyKind = (typeof POLICY_KINDS)[number];

const DAY = 86_400_000;
const YEARS = { root: 15, timestamp: 10, seal: 5 } as const;
/** THREATS.md "Hostile CSR": whatever the configuration says. */
export const MAX_PERSON_VALIDITY = 31 * DAY;
/** Certificates begin a little earlier, for clocks that are behind. */
const BACKDATE = 5 * 60_000;

/** What an issuer gives to every certificate below it. */
export interface Issuer {
  readonly certificate: Certificate;
  readonly publicUrl: string;
  /** Where it says what it revoked, and where its certificate is; those of the first CA under `publicUrl` where left out. */
  readonly urls?: IssuerUrls;
  /** Policy OIDs by kind of certificate; any policy where there is none. */
  readonly policies?: Readonly<Record<PolicyKind, readonly string[]>>;
}

export interface IssuerUrls {
  readonly ocsp: string;
  readonly crl: string;
  /** Of its certificate, DER. */
  readonly ca: string;
}

/** What the CA's own URLs call the first one, which may have issued before there were several. */
export const FIRST_CA = 'company';

/** Where a gateway serves what a CA publishes. @param name what its URLs call it */
export function servedUrls(publicUrl: string, name: string): IssuerUrls {
  return {
    ocsp: `${publicUrl}/ocsp`,
    crl: `${publicUrl}/crl/${name}.crl`,
    ca: name === FIRST_CA ? `${publicUrl}/ca.cer` : `${publicUrl}/ca/${name}.cer`,
  };
}

/** Name of a CA of the company. @param purpose what kind of CA, in two or three words */
export function authorityName(company: Company, purpose: string): Uint8Array {
  return distinguishedName(...organisation(company), ['commonName', withSuffix(company.name, purpose)]);
}

/** Basic constraints and key usage of every CA of ours: no CA below it. */
export function authorityExtensions(): Uint8Array[] {
  return [
    basicConstraints(0),
    // digitalSignature: it may sign OCSP answers itself.
    keyUsage(KEY_USAGE.digitalSignature, KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign),
  ];
}

/** The company's own root: self-signed, no CA below it. */
export function rootProfile(
  company: Company,
  publicKey: KeyObject,
  now: Date,
  purpose = 'Signing CA',
): CertificateFields {
  const subject = authorityName(company, purpose);
  const publicKeyInfo = publicKeyInfoOf(publicKey);
  const identifier = keyIdentifier(publicKeyInfo);
  const notBefore = backdated(now);
  return {
    serial: randomSerial(),
    issuer: subject,
    subject,
    notBefore,
    notAfter: yearsAfter(notBefore, YEARS.root),
    publicKeyInfo,
    extensions: [...authorityExtensions(), subjectKeyIdentifier(identifier), authorityKeyIdentifier(identifier)],
  };
}

/** The company's seal: a legal person's certificate (ETSI EN 319 412-3). */
export function sealProfile(company: Company, publicKey: KeyObject, issuer: Issuer, now: Date): CertificateFields {
  return {
    ...endEntity(publicKeyInfoOf(publicKey), issuer, now, yearsAfter(now, YEARS.seal)),
    subject: distinguishedName(...organisation(company), ['commonName', withSuffix(company.name, 'Seal')]),
    extensions: [
      ...commonExtensions(publicKeyInfoOf(publicKey), issuer, 'seal'),
      keyUsage(KEY_USAGE.digitalSignature, KEY_USAGE.nonRepudiation),
      signingPurposes(),
      // poppler takes NSS's "extension not found" of a look-up for a failed validation, so there must be one.
      urlAltName(issuer.publicUrl),
    ],
  };
}

/** The timestamping unit (RFC 3161 §2.3: one critical extended key usage, timeStamping alone). */
export function timestampProfile(company: Company, publicKey: KeyObject, issuer: Issuer, now: Date): CertificateFields {
  return {
    ...endEntity(publicKeyInfoOf(publicKey), issuer, now, yearsAfter(now, YEARS.timestamp)),
    subject: distinguishedName(...organisation(company), ['commonName', withSuffix(company.name, 'Timestamps')]),
    extensions: [
      ...commonExtensions(publicKeyInfoOf(publicKey), issuer, 'tsa'),
      keyUsage(KEY_USAGE.digitalSignature),
      extendedKeyUsage([OID.timeStamping], true),
    ],
  };
}

/** Of the OCSP responder: short-lived, so that nobody has to ask whether it is revoked (RFC 6960 §4.2.2.2.1). */
export const RESPONDER_VALIDITY = 14 * DAY;
/** It is renewed when less than this is left. */
export const RESPONDER_RENEWAL = 7 * DAY;

/** The OCSP responder, delegated by its issuer (RFC 6960 §4.2.2.2). */
export function responderProfile(company: Company, publicKey: KeyObject, issuer: Issuer, now: Date): CertificateFields {
  const publicKeyInfo = publicKeyInfoOf(publicKey);
  return {
    ...endEntity(publicKeyInfo, issuer, now, new Date(backdated(now).getTime() + RESPONDER_VALIDITY)),
    subject: distinguishedName(...organisation(company), ['commonName', withSuffix(company.name, 'OCSP')]),
    extensions: [
      basicConstraints(null),
      subjectKeyIdentifier(keyIdentifier(publicKeyInfo)),
      authorityKeyIdentifier(subjectIdentifier(issuer.certificate)),
      keyUsage(KEY_USAGE.digitalSignature),
      extendedKeyUsage([OID.ocspSigning]),
      extension(OID.ocspNoCheck, der.null),
    ],
  };
}

/**
 * A natural person of the company (ETSI EN 319 412-2): everything from the directory.
 * @param validity milliseconds; cut at 31 days and at the issuer's end
 */
export function personProfile(
  person: Person,
  company: Company,
  publicKeyInfo: Uint8Array,
  issuer: Issuer,
  now: Date,
  validity: number,
): CertificateFields {
  const begin = backdated(now);
  const end = new Date(begin.getTime() + Math.min(validity, MAX_PERSON_VALIDITY));
  return {
    ...endEntity(publicKeyInfo, issuer, now, end),
    subject: distinguishedName(
      ['countryName', company.country],
      ['organizationName', company.name],
      ['surname', person.surname],
      ['givenName', person.givenName],
      ['serialNumber', pseudonymousId(person, issuer)],
      ['commonName', person.name],
    ),
    extensions: [
      ...commonExtensions(publicKeyInfo, issuer, 'person'),
      keyUsage(KEY_USAGE.digitalSignature, KEY_USAGE.nonRepudiation),
      signingPurposes(),
      mailAltName(person.mail),
    ],
  };
}

/** OpenSSL 3.0 takes a certificate for CMS only when it may protect mail, too. */
const signingPurposes = (): Uint8Array => extendedKeyUsage([OID.emailProtection, OID.documentSigning]);

function organisation(company: Company) {
  return [
    ['countryName', company.country],
    ['organizationName', company.name],
    ['organizationIdentifier', company.identifier ?? organizationIdentifier(company.vat, company.country)],
  ] as const;
}

/** Keeps people of one name apart without showing the directory's id; the same in each of a person's certificates from one CA. */
function pseudonymousId(person: Person, issuer: Issuer): string {
  const hash = createHash('sha256').update(issuer.certificate.publicKeyInfo).update(person.id, 'utf8').digest('hex');
  return hash.slice(0, 20).toUpperCase();
}

function endEntity(publicKeyInfo: Uint8Array, issuer: Issuer, now: Date, notAfter: Date) {
  const { certificate } = issuer;
  return {
    serial: randomSerial(),
    issuer: certificate.subject,
    notBefore: later(backdated(now), certificate.notBefore),
    notAfter: notAfter < certificate.notAfter ? notAfter : certificate.notAfter,
    publicKeyInfo,
  };
}

function commonExtensions(publicKeyInfo: Uint8Array, issuer: Issuer, kind: PolicyKind): Uint8Array[] {
  const { certificate, publicUrl, urls = servedUrls(publicUrl, FIRST_CA), policies } = issuer;
  const named = policies?.[kind] ?? [];
  return [
    basicConstraints(null),
    subjectKeyIdentifier(keyIdentifier(publicKeyInfo)),
    authorityKeyIdentifier(subjectIdentifier(certificate)),
    // None is claimed that isn't the company's own.
    certificatePolicies(...(named.length > 0 ? named : [OID.anyPolicy])),
    crlDistributionPoint(urls.crl),
    authorityInfoAccess({ ocsp: urls.ocsp, caIssuers: urls.ca }),
  ];
}

const backdated = (now: Date): Date => new Date(Math.floor((now.getTime() - BACKDATE) / 1000) * 1000);
const later = (a: Date, b: Date): Date => (a > b ? a : b);

function yearsAfter(date: Date, years: number): Date {
  const later = new Date(Math.floor(date.getTime() / 1000) * 1000);
  later.setUTCFullYear(later.getUTCFullYear() + years);
  return later;
}
