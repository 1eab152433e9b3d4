/** The four extensions about certificate policies, as data (RFC 5280 §4.2.1.4, .5, .11, .14). */
import { children, DerError, Fields, oidOf, primitive, read, TAG } from '../der.ts';
import { countOf, listOf } from './primitives.ts';

/** id-qt-cps and id-qt-unotice. */
const QUALIFIERS = new Set(['1.3.6.1.5.5.7.2.1', '1.3.6.1.5.5.7.2.2']);

export interface CertificatePolicies {
  readonly oids: ReadonlySet<string>;
  /** Every qualifier is of a kind that RFC 5280 defines: else the extension must not be critical. */
  readonly understood: boolean;
}

/** @throws DerError */
export function parsePolicies(value: Uint8Array): CertificatePolicies {
  const oids = new Set<string>();
  let understood = true;
  for (const { bytes } of listOf(value)) {
    const fields = new Fields(read(bytes, TAG.sequence).content);
    const oid = oidOf(fields.next(TAG.oid));
    const qualifiers = fields.optional(TAG.sequence);
    fields.finish();
    if (oids.has(oid)) throw new DerError(`policy ${oid} twice`);
    oids.add(oid);
    for (const qualifier of qualifiers ? children(qualifiers.content) : []) {
      understood &&= QUALIFIERS.has(oidOf(new Fields(read(qualifier.bytes, TAG.sequence).content).next(TAG.oid)));
    }
  }
  return { oids, understood };
}

/** issuerDomainPolicy → its subjectDomainPolicies. @throws DerError */
export function parseMappings(value: Uint8Array): ReadonlyMap<string, ReadonlySet<string>> {
  const mappings = new Map<string, Set<string>>();
  for (const { bytes } of listOf(value)) {
    const fields = new Fields(read(bytes, TAG.sequence).content);
    const [issuer, subject] = [oidOf(fields.next(TAG.oid)), oidOf(fields.next(TAG.oid))];
    fields.finish();
    mappings.set(issuer, (mappings.get(issuer) ?? new Set()).add(subject));
  }
  return mappings;
}

export interface PolicyConstraints {
  /** Skip certificates until each must have a policy. */
  readonly requireExplicitPolicy: number | null;
  /** Skip certificates until mapping ends. */
  readonly inhibitPolicyMapping: number | null;
}

/** @throws DerError */
export function parsePolicyConstraints(value: Uint8Array): PolicyConstraints {
  const fields = new Fields(read(value, TAG.sequence).content);
  const skip = (n: number): number | null => {
    const element = fields.optional(primitive(n));
    return element && countOf({ ...element, tag: TAG.integer });
  };
  const constraints = { requireExplicitPolicy: skip(0), inhibitPolicyMapping: skip(1) };
  fields.finish();
  if (constraints.requireExplicitPolicy === null && constraints.inhibitPolicyMapping === null)
    throw new DerError('empty policy constraints');
  return constraints;
}
