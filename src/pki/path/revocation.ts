/** The revocation of one certificate by CRLs (RFC 5280 §6.3). */
import { KEY_USAGE } from '../extensions.ts';
import type { PathCertificate } from './certificate.ts';
import { type Crl, type Entry, REMOVE_FROM_CRL } from './crl.ts';
import { coveredReasons, isDeltaOf, pointsOf } from './crl-scope.ts';
import { ALL_REASONS, type DistributionPoint } from './distribution-point.ts';
import { sameName } from './name.ts';
import { PathInvalid } from './rules.ts';
import type { WorkingKey } from './signature.ts';
import type { Work } from './work.ts';

/** A certificate of the path that has been validated already, revocation included; or the anchor. */
export interface Validated {
  readonly certificate: PathCertificate;
  readonly key: WorkingKey;
}

export interface RevocationContext {
  readonly crls: readonly Crl[];
  /** CRLs must be current then. */
  readonly time: Date;
  readonly useDeltas: boolean;
  readonly work: Work;
  /** Certificates that may have signed a CRL of that issuer, beside those of the path. */
  readonly signers: (crl: Crl) => readonly PathCertificate[];
  /**
   * The key of a signer that isn't in the path, once it has a path of its own to the same anchor.
   * @throws PathInvalid
   */
  readonly keyOf: (signer: PathCertificate) => WorkingKey;
}

/** The certificate was revoked; for message, time and reason see there. */
export class Revoked extends PathInvalid {
  readonly entry: Entry;

  constructor(certificate: PathCertificate, entry: Entry) {
    super('revoked', `a certificate was revoked on ${entry.revokedAt.toISOString()}`, certificate);
    this.entry = entry;
  }
}

/**
 * @param above the certificates over this one in its path, anchor first
 * @returns the CRLs that say, together for every reason, that it isn't revoked
 * @throws Revoked; PathInvalid revocation-unknown, too-complex
 */
export function checkRevocation(
  certificate: PathCertificate,
  above: readonly Validated[],
  context: RevocationContext,
): readonly Crl[] {
  const used = new Set<Crl>();
  const covered = new Set<number>();
  const heard = new Set<string>();
  let why = 'no CRL is about it';
  for (const point of pointsOf(certificate)) {
    for (const crl of context.crls) {
      if (crl.base !== null) continue;
      context.work.step();
      const reasons = coveredReasons(crl, certificate, point);
      if (reasons.size === 0) continue;
      const fault = timeFault(crl, context);
      const deltas = context.useDeltas ? context.crls.filter(delta => isDeltaOf(delta, crl)) : [];
      // §6.3.3 (a)(1)(i): an overdue CRL still counts together with a delta, where one is announced.
      const renewable = fault === 'overdue' && (crl.hasFreshestCrl || certificate.hasFreshestCrl) && deltas.length > 0;
      if (fault && !renewable) {
        why = `its CRL is ${fault}`;
        continue;
      }
      const key = signerKey(crl, certificate, above, point, context);
      if (typeof key === 'string') {
        why = key;
        continue;
      }
      const delta = deltas.find(one => timeFault(one, context) === null && context.work.fault(one, key) === null);
      if (fault && !delta) {
        why = `its CRL is ${fault}`;
        continue;
      }
      // Of one issuer, key and scope only the newest list counts (they come in this order): a hold may have ended.
      const stream = `${key.info.id} ${crl.issuer.rdns.join()} ${Buffer.from(crl.pointBytes ?? []).toString('hex')}`;
      if (heard.has(stream) && reasons.isSubsetOf(covered)) continue;
      heard.add(stream);
      const entry = lookUp(certificate, crl, delta ?? null);
      if (entry) throw new Revoked(certificate, entry);
      for (const reason of reasons) covered.add(reason);
      used.add(crl);
      if (delta) used.add(delta);
    }
  }
  if (ALL_REASONS.isSubsetOf(covered)) return [...used];
  if (covered.size > 0) why = 'its CRLs are not about every reason';
  throw new PathInvalid('revocation-unknown', `whether a certificate was revoked is not known: ${why}`, certificate);
}

function timeFault({ thisUpdate, nextUpdate }: Crl, { time }: RevocationContext): 'of the future' | 'overdue' | null {
  if (thisUpdate > time) return 'of the future';
  return nextUpdate === null || nextUpdate < time ? 'overdue' : null;
}

/** §6.3.3 (i) to (k) */
function lookUp({ issuer, serial }: PathCertificate, crl: Crl, delta: Crl | null): Entry | null {
  const changed = delta?.find(issuer, serial);
  if (changed) return changed.reason === REMOVE_FROM_CRL ? null : changed;
  return crl.find(issuer, serial);
}

/** §6.3.3 (f), (g): the key that signed a CRL, its owner validated and allowed to; or what is wrong, in words. */
function signerKey(
  crl: Crl,
  certificate: PathCertificate,
  above: readonly Validated[],
  point: DistributionPoint,
  context: RevocationContext,
): WorkingKey | string {
  let why = 'nobody known has signed its CRL';
  for (const { certificate: signer, key } of above) {
    if (!maySign(signer, crl)) continue;
    if (context.work.fault(crl, key) === null) return key;
    why = 'the signature of its CRL does not hold';
  }
  for (const signer of context.signers(crl)) {
    if (!maySign(signer, crl) || above.some(link => link.certificate.id === signer.id)) continue;
    // Whom the issuer itself named to list revocations of this certificate may be that certificate (cRLIssuer).
    if (signer.id === certificate.id && !point.crlIssuer) continue;
    try {
      const key = context.keyOf(signer);
      if (context.work.fault(crl, key) === null) return key;
      why = 'the signature of its CRL does not hold';
    } catch (error) {
      if (!(error instanceof PathInvalid) || error.rule === 'too-complex') throw error;
      why = `the signer of its CRL can't be trusted: ${error.message}`;
    }
  }
  return why;
}

function maySign(signer: PathCertificate, crl: Crl): boolean {
  return sameName(signer.subject, crl.issuer) && (signer.keyUsage?.has(KEY_USAGE.cRLSign) ?? true);
}
