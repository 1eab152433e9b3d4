/**
 * Certification paths (RFC 5280 §6, whole): from a certificate, what else is known, a time and parameters to a verdict that
 * names the rule broken. Nothing is fetched, kept or assumed; node:crypto checks every signature.
 *
 * ```ts
 * const verdict = validatePath({ certificate, candidates, anchors, time: new Date(), revocation: { crls } });
 * if (!verdict.valid) throw new Error(`${verdict.rule}: ${verdict.message}`);
 * ```
 */
import { DerError } from '../der.ts';
import { type PathCertificate, parsePathCertificate, readable } from './certificate.ts';
import { type Crl, parseCrl } from './crl.ts';
import { EVERY_NAME } from './name-constraints.ts';
import { Revoked } from './revocation.ts';
import { PathInvalid, type Rule } from './rules.ts';
import { type FoundPath, Search } from './search.ts';
import { CURRENT_ALGORITHMS } from './signature.ts';
import type { PathParameters } from './validate.ts';

/** Anything that carries a certificate's DER; verdicts give back the very objects that came in. */
export interface HasDer {
  readonly der: Uint8Array;
}

/** RFC 5280 §6.1.1 with the values that it starts from, and today's algorithms. */
export const DEFAULT_PARAMETERS: PathParameters = {
  initialPolicies: null,
  inhibitPolicyMapping: false,
  requireExplicitPolicy: false,
  inhibitAnyPolicy: false,
  names: EVERY_NAME,
  algorithms: CURRENT_ALGORITHMS,
  anchorRules: true,
  requireKeyUsage: true,
};

export interface RevocationInput {
  /** DER, in any order, from anybody; those that can't be read count for nothing. */
  readonly crls: readonly Uint8Array[];
  /** When they must be current; the time of the path where left out. */
  readonly time?: Date;
  /** use-deltas (RFC 5280 §6.3.1); true where left out. */
  readonly useDeltas?: boolean;
}

export interface PathInput<C extends HasDer> {
  readonly certificate: C;
  /** Possible issuers and CRL signers, in any order, from anybody. */
  readonly candidates: readonly C[];
  /** Trusted by configuration. */
  readonly anchors: readonly C[];
  readonly time: Date;
  /** What differs from DEFAULT_PARAMETERS. */
  readonly parameters?: Partial<PathParameters>;
  /** Null: revocation is not looked at. Else every certificate below the anchor must be known not to be revoked. */
  readonly revocation: RevocationInput | null;
}

export interface ValidVerdict<C> {
  readonly valid: true;
  /** From the certificate to its anchor, both included. */
  readonly chain: readonly C[];
  /** user-constrained-policy-set (RFC 9618 §5.6): in the anchor's terms; 2.5.29.32.0 stands for any. */
  readonly policies: ReadonlySet<string>;
  /** The CRLs that it rests on. */
  readonly crls: readonly Uint8Array[];
}

export interface InvalidVerdict<C> {
  readonly valid: false;
  readonly rule: Rule;
  readonly message: string;
  /** Which certificate breaks it, where it is one. */
  readonly certificate: C | null;
  /** With the rule "revoked": when, and the CRLReason. */
  readonly revocation: { readonly at: Date; readonly reason: number } | null;
}

export type PathVerdict<C> = ValidVerdict<C> | InvalidVerdict<C>;

/** Judges a certificate. Never throws for what a certificate or CRL holds. */
export function validatePath<C extends HasDer>(input: PathInput<C>): PathVerdict<C> {
  const all = [input.certificate, ...input.anchors, ...input.candidates];
  const original = (der: Uint8Array): C => all.find(one => one.der === der)!;
  try {
    const { path, policies, crls } = search(input);
    return {
      valid: true,
      chain: path.map(({ der }) => original(der)).toReversed(),
      policies,
      crls: crls.map(({ der }) => der),
    };
  } catch (error) {
    if (!(error instanceof PathInvalid)) throw error;
    return {
      valid: false,
      rule: error.rule,
      message: error.message,
      certificate: error.certificate && original(error.certificate),
      revocation: error instanceof Revoked ? { at: error.entry.revokedAt, reason: error.entry.reason } : null,
    };
  }
}

/**
 * The chain from a certificate to an anchor, both included, without revocation.
 * @throws PathInvalid
 */
export function buildChain<C extends HasDer>(
  certificate: C,
  candidates: readonly C[],
  anchors: readonly C[],
  time: Date,
): readonly C[] {
  const verdict = validatePath({ certificate, candidates, anchors, time, revocation: null });
  if (!verdict.valid) throw new PathInvalid(verdict.rule, verdict.message, verdict.certificate);
  return verdict.chain;
}

function search({ certificate, candidates, anchors, time, parameters, revocation }: PathInput<HasDer>): FoundPath {
  const target = parseTarget(certificate);
  return new Search({
    anchors: readable(anchors),
    // A CRL about the target may be signed by the target, where its issuer said so.
    candidates: [target, ...readable(candidates)],
    time,
    parameters: { ...DEFAULT_PARAMETERS, ...parameters },
    revocation: revocation && {
      crls: readableCrls(revocation.crls),
      time: revocation.time ?? time,
      useDeltas: revocation.useDeltas ?? true,
    },
  }).find(target);
}

function parseTarget(certificate: HasDer): PathCertificate {
  try {
    return parsePathCertificate(certificate.der);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new PathInvalid('malformed', `a certificate can't be read: ${error.message}`, certificate);
  }
}

/** The newest first. */
function readableCrls(list: readonly Uint8Array[]): Crl[] {
  const crls = list.flatMap(bytes => {
    try {
      return [parseCrl(bytes)];
    } catch (error) {
      if (error instanceof DerError) return [];
      throw error;
    }
  });
  return crls.toSorted((a, b) => b.thisUpdate.getTime() - a.thisUpdate.getTime() || compare(b.number, a.number));
}

const compare = (a: bigint | null, b: bigint | null): number => Number((a ?? -1n) - (b ?? -1n));
