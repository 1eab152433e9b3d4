/** DistributionPoint (RFC 5280 §4.2.1.13) and IssuingDistributionPoint (§5.2.5). */
import { constructed, DerError, type Element, children as elements, Fields, primitive, read, TAG } from '../der.ts';
import { type GeneralName, parseGeneralName } from './general-name.ts';
import { belowName, type Name } from './name.ts';
import { implicitFlag, listOf, namedBits } from './primitives.ts';

/** Bit numbers of ReasonFlags: keyCompromise to aACompromise. */
export type Reasons = ReadonlySet<number>;
export const ALL_REASONS: Reasons = new Set([1, 2, 3, 4, 5, 6, 7, 8]);

/** DistributionPointName. */
export type PointName =
  | { readonly full: readonly GeneralName[] }
  /** To be put below the CRL issuer's name. */
  | { readonly relative: Element };

export interface DistributionPoint {
  readonly name: PointName | null;
  readonly reasons: Reasons;
  /** cRLIssuer: who issues the CRL, where it isn't the certificate's issuer. */
  readonly crlIssuer: readonly GeneralName[] | null;
}

export interface IssuingDistributionPoint {
  readonly name: PointName | null;
  readonly onlyUserCerts: boolean;
  readonly onlyCaCerts: boolean;
  readonly onlyAttributeCerts: boolean;
  readonly reasons: Reasons;
  readonly indirect: boolean;
}

/** CRLDistributionPoints. @throws DerError */
export function parseDistributionPoints(value: Uint8Array): DistributionPoint[] {
  return listOf(value).map(({ bytes }) => {
    const fields = new Fields(read(bytes, TAG.sequence).content);
    const name = fields.optional(constructed(0));
    const reasons = fields.optional(primitive(1));
    const crlIssuer = fields.optional(constructed(2));
    fields.finish();
    if (!name && !crlIssuer) throw new DerError('a distribution point without a name');
    return {
      name: name && parsePointName(name),
      reasons: parseReasons(reasons),
      crlIssuer: crlIssuer && parseNames(crlIssuer.content),
    };
  });
}

/** @throws DerError */
export function parseIssuingDistributionPoint(value: Uint8Array): IssuingDistributionPoint {
  const fields = new Fields(read(value, TAG.sequence).content);
  const name = fields.optional(constructed(0));
  const onlyUserCerts = implicitFlag(fields.optional(primitive(1)));
  const onlyCaCerts = implicitFlag(fields.optional(primitive(2)));
  const reasons = parseReasons(fields.optional(primitive(3)));
  const indirect = implicitFlag(fields.optional(primitive(4)));
  const onlyAttributeCerts = implicitFlag(fields.optional(primitive(5)));
  fields.finish();
  if (Number(onlyUserCerts) + Number(onlyCaCerts) + Number(onlyAttributeCerts) > 1)
    throw new DerError('a CRL for only two things');
  return { name: name && parsePointName(name), onlyUserCerts, onlyCaCerts, onlyAttributeCerts, reasons, indirect };
}

function parsePointName(element: Element): PointName {
  const fields = new Fields(element.content);
  const choice = fields.any();
  fields.finish();
  if (choice.tag === constructed(0)) return { full: parseNames(choice.content) };
  if (choice.tag === constructed(1)) return { relative: choice };
  throw new DerError('bad DistributionPointName');
}

function parseNames(content: Uint8Array): GeneralName[] {
  const names = elements(content).map(parseGeneralName);
  if (names.length === 0) throw new DerError('an empty list');
  return names;
}

/** Left out, it is about every reason. */
function parseReasons(element: Element | null): Reasons {
  return element === null ? ALL_REASONS : namedBits(element.content).intersection(ALL_REASONS);
}

/** All names of a point, a relative one below each of `issuers`. @throws DerError */
export function namesOf(point: PointName, issuers: readonly Name[]): readonly GeneralName[] {
  if ('full' in point) return point.full;
  return issuers.map(issuer => ({ kind: 'directory', name: belowName(issuer, point.relative) }));
}
