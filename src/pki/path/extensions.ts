/** Certificate extensions as path validation reads them: all at once, so that a malformed one can't be passed over. */
import { booleanOf, children, constructed, DerError, Fields, oidOf, primitive, read, TAG } from '../der.ts';
import { OID } from '../oids.ts';
import type { Extension } from '../x509.ts';
import { type DistributionPoint, parseDistributionPoints } from './distribution-point.ts';
import { type GeneralName, parseGeneralName } from './general-name.ts';
import { type NameConstraints, parseNameConstraints } from './name-constraints.ts';
import {
  type CertificatePolicies,
  type PolicyConstraints,
  parseMappings,
  parsePolicies,
  parsePolicyConstraints,
} from './policies.ts';
import { countOf, listOf, namedBits } from './primitives.ts';

/** RFC 5280 §4.2.1 */
export const EXTENSION = {
  issuerAltName: '2.5.29.18',
  nameConstraints: '2.5.29.30',
  policyMappings: '2.5.29.33',
  policyConstraints: '2.5.29.36',
  freshestCrl: '2.5.29.46',
  inhibitAnyPolicy: '2.5.29.54',
} as const;

/** Those whose meaning is honoured here or by the profiles: they may be critical. */
const PROCESSED = new Set<string>([
  OID.keyUsage,
  OID.subjectAltName,
  OID.basicConstraints,
  OID.crlDistributionPoints,
  OID.certificatePolicies,
  OID.extKeyUsage,
  EXTENSION.nameConstraints,
  EXTENSION.policyMappings,
  EXTENSION.policyConstraints,
  EXTENSION.inhibitAnyPolicy,
]);

export interface CertificateExtensions {
  readonly isCa: boolean;
  /** pathLenConstraint; Infinity without one. */
  readonly pathLength: number;
  readonly keyUsage: ReadonlySet<number> | null;
  readonly purposes: { readonly critical: boolean; readonly oids: ReadonlySet<string> } | null;
  readonly alternativeNames: readonly GeneralName[];
  readonly nameConstraints: NameConstraints | null;
  readonly policies: CertificatePolicies | null;
  readonly policyMappings: ReadonlyMap<string, ReadonlySet<string>> | null;
  readonly policyConstraints: PolicyConstraints | null;
  /** Skip certificates; null without the extension. */
  readonly inhibitAnyPolicy: number | null;
  readonly distributionPoints: readonly DistributionPoint[];
  readonly hasFreshestCrl: boolean;
  readonly subjectKeyIdentifier: Uint8Array | null;
  readonly authorityKeyIdentifier: Uint8Array | null;
  /** id-pkix-ocsp-nocheck (RFC 6960 §4.2.2.2.1). */
  readonly ocspNoCheck: boolean;
  /** A critical extension that can't be honoured. */
  readonly unknownCritical: string | null;
}

/** @throws DerError when one that is known here is malformed */
export function readExtensions(extensions: ReadonlyMap<string, Extension>): CertificateExtensions {
  const parse = <T>(oid: string, parser: (value: Uint8Array) => T): T | null => {
    const extension = extensions.get(oid);
    return extension ? parser(extension.value) : null;
  };
  const constraints = parse(OID.basicConstraints, parseBasicConstraints);
  const purposes = parse(OID.extKeyUsage, value => new Set(listOf(value).map(oidOf)));
  const policies = parse(OID.certificatePolicies, parsePolicies);
  return {
    isCa: constraints?.isCa ?? false,
    pathLength: constraints?.pathLength ?? Number.POSITIVE_INFINITY,
    keyUsage: parse(OID.keyUsage, value => namedBits(read(value, TAG.bitString).content)),
    purposes: purposes && { critical: extensions.get(OID.extKeyUsage)!.critical, oids: purposes },
    alternativeNames: parse(OID.subjectAltName, value => listOf(value).map(parseGeneralName)) ?? [],
    nameConstraints: parse(EXTENSION.nameConstraints, parseNameConstraints),
    policies,
    policyMappings: parse(EXTENSION.policyMappings, parseMappings),
    policyConstraints: parse(EXTENSION.policyConstraints, parsePolicyConstraints),
    inhibitAnyPolicy: parse(EXTENSION.inhibitAnyPolicy, value => countOf(read(value, TAG.integer))),
    distributionPoints: parse(OID.crlDistributionPoints, parseDistributionPoints) ?? [],
    hasFreshestCrl: (parse(EXTENSION.freshestCrl, parseDistributionPoints) ?? []).length > 0,
    subjectKeyIdentifier: parse(OID.subjectKeyIdentifier, value => read(value, TAG.octetString).content),
    authorityKeyIdentifier: parse(OID.authorityKeyIdentifier, parseAuthorityKeyIdentifier),
    ocspNoCheck: extensions.has(OID.ocspNoCheck),
    unknownCritical: unknownCritical(extensions, policies),
  };
}

function unknownCritical(
  extensions: ReadonlyMap<string, Extension>,
  policies: CertificatePolicies | null,
): string | null {
  for (const [oid, { critical }] of extensions) {
    if (!critical) continue;
    // RFC 5280 §4.2.1.4: a critical one with qualifiers that can't be interpreted must be rejected.
    if (!PROCESSED.has(oid) || (oid === OID.certificatePolicies && !policies?.understood)) return oid;
  }
  return null;
}

function parseBasicConstraints(value: Uint8Array): { isCa: boolean; pathLength: number } {
  const fields = new Fields(read(value, TAG.sequence).content);
  const flag = fields.optional(TAG.boolean);
  const limit = fields.optional(TAG.integer);
  fields.finish();
  return { isCa: flag !== null && booleanOf(flag), pathLength: limit ? countOf(limit) : Number.POSITIVE_INFINITY };
}

/** keyIdentifier; the issuer's name and serial number, which may stand beside it, only help to choose. */
export function parseAuthorityKeyIdentifier(value: Uint8Array): Uint8Array | null {
  const fields = new Fields(read(value, TAG.sequence).content);
  const identifier = fields.optional(primitive(0));
  const issuer = fields.optional(constructed(1));
  const serial = fields.optional(primitive(2));
  fields.finish();
  if ((issuer === null) !== (serial === null)) throw new DerError('half an authority key identifier');
  if (issuer) children(issuer.content).forEach(parseGeneralName);
  return identifier?.content ?? null;
}
