/**
 * A minimal, strict check of certificate chains: names chain byte for byte, signatures, validity, CA, path length and key
 * usage; an unknown critical extension refuses. No revocation, policies or name constraints.
 */
import { booleanOf, DerError, equal, Fields, flagsOf, oidOf, read, smallIntegerOf, TAG } from './der.ts';
import { KEY_USAGE } from './extensions.ts';
import { OID } from './oids.ts';
import type { Certificate } from './x509.ts';

/** No sound chain leads to an anchor; `message` has the rule that was broken last. */
export class ChainInvalid extends Error {
  override readonly name = 'ChainInvalid';
}

const MAX_LENGTH = 8;
/** Signatures looked at for one chain: candidates come from anybody. */
const MAX_CHECKS = 64;
const UNDERSTOOD = new Set<string>([OID.basicConstraints, OID.keyUsage, OID.extKeyUsage]);

/**
 * The chain from a certificate up to an anchor, both included.
 * @param candidates possible issuers between them, in any order, from anybody
 * @param anchors trusted by configuration; only their validity is checked
 * @throws ChainInvalid
 */
export function buildChain(
  certificate: Certificate,
  candidates: readonly Certificate[],
  anchors: readonly Certificate[],
  time: Date,
): readonly Certificate[] {
  let fault = 'no issuer known';
  let checks = 0;
  const climb = (chain: readonly Certificate[]): readonly Certificate[] | null => {
    const last = chain.at(-1)!;
    const broken = linkFault(last, chain.length - 2, time);
    if (broken !== null) {
      fault = broken;
      return null;
    }
    if (anchors.some(anchor => equal(anchor.der, last.der))) return chain;
    if (chain.length === MAX_LENGTH) return null;
    for (const issuer of [...anchors, ...candidates]) {
      if (!equal(issuer.subject, last.issuer) || chain.includes(issuer)) continue;
      if (++checks > MAX_CHECKS) throw new ChainInvalid('too many possible issuers');
      if (!last.signedBy(issuer.publicKey)) {
        fault = 'a signature does not hold';
        continue;
      }
      const whole = climb([...chain, issuer]);
      if (whole) return whole;
    }
    return null;
  };
  try {
    const chain = climb([certificate]);
    if (chain) return chain;
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    fault = error.message;
  }
  throw new ChainInvalid(fault);
}

/** What is wrong with one certificate of a chain. @param below how many CA certificates stand below it; -1 for the end */
function linkFault(certificate: Certificate, below: number, time: Date): string | null {
  if (time < certificate.notBefore || time > certificate.notAfter) return 'a certificate is out of its validity';
  for (const [oid, { critical }] of certificate.extensions) {
    if (critical && !UNDERSTOOD.has(oid)) return `unknown critical extension ${oid}`;
  }
  if (below < 0) return null;
  const limit = pathLengthOf(certificate);
  if (limit === null) return 'an issuer is not a CA';
  if (below > limit) return 'a path is longer than its CA allows';
  if (!keyUsageOf(certificate)?.has(KEY_USAGE.keyCertSign)) return 'an issuer may not sign certificates';
  return null;
}

/** Path length limit of a CA (Infinity without one), or null for what is no CA. */
function pathLengthOf(certificate: Certificate): number | null {
  const constraints = certificate.extensions.get(OID.basicConstraints);
  if (!constraints) return null;
  const fields = new Fields(read(constraints.value, TAG.sequence).content);
  const flag = fields.optional(TAG.boolean);
  if (!flag || !booleanOf(flag)) return null;
  const limit = fields.optional(TAG.integer);
  fields.finish();
  return limit ? smallIntegerOf(limit) : Number.POSITIVE_INFINITY;
}

/** KeyUsage bits, or null without the extension. */
export function keyUsageOf(certificate: Certificate): ReadonlySet<number> | null {
  const usage = certificate.extensions.get(OID.keyUsage);
  return usage ? flagsOf(read(usage.value, TAG.bitString)) : null;
}

/** Extended key usages, or null without the extension. */
export function purposesOf(
  certificate: Certificate,
): { readonly critical: boolean; readonly oids: readonly string[] } | null {
  const usage = certificate.extensions.get(OID.extKeyUsage);
  if (!usage) return null;
  const list = new Fields(read(usage.value, TAG.sequence).content);
  const oids: string[] = [];
  while (!list.done) oids.push(oidOf(list.any()));
  return { critical: usage.critical, oids };
}
