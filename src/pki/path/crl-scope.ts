/** Whether a CRL is about a certificate, and for which reasons (RFC 5280 §6.3.3 (b) to (d)). */
import { equal } from '../der.ts';
import type { PathCertificate } from './certificate.ts';
import type { Crl } from './crl.ts';
import { ALL_REASONS, type DistributionPoint, namesOf, type Reasons } from './distribution-point.ts';
import { type GeneralName, sameGeneralName } from './general-name.ts';
import { type Name, sameName } from './name.ts';

const NONE: Reasons = new Set();

/**
 * §6.3.3: each point that the certificate names; and then whatever its issuer lists, as if there were a point with the
 * issuer's name.
 */
export function pointsOf(certificate: PathCertificate): readonly DistributionPoint[] {
  const issuer: GeneralName = { kind: 'directory', name: certificate.issuer };
  return [...certificate.distributionPoints, { name: { full: [issuer] }, reasons: ALL_REASONS, crlIssuer: null }];
}

/** interim_reasons_mask: the reasons that a complete CRL covers for a certificate by one of its points; none when it is about others. */
export function coveredReasons(crl: Crl, certificate: PathCertificate, point: DistributionPoint): Reasons {
  const issuers = directoryNames(point.crlIssuer ?? [{ kind: 'directory', name: certificate.issuer }]);
  // (b)(1)
  if (!issuers.some(name => sameName(name, crl.issuer))) return NONE;
  if (point.crlIssuer && !crl.point?.indirect) return NONE;
  // (b)(2)
  if (!crl.point) return point.reasons;
  if (!isPointOf(crl, point, issuers)) return NONE;
  const { onlyUserCerts, onlyCaCerts, onlyAttributeCerts, reasons } = crl.point;
  if (onlyAttributeCerts || (certificate.isCa ? onlyUserCerts : onlyCaCerts)) return NONE;
  // (d)
  return reasons.intersection(point.reasons);
}

/** (b)(2)(i): a CRL for one point only is for the points that share a name with it. */
function isPointOf(crl: Crl, point: DistributionPoint, issuers: readonly Name[]): boolean {
  if (!crl.point?.name) return true;
  const own = namesOf(crl.point.name, [crl.issuer]);
  const wanted = point.name ? namesOf(point.name, issuers) : (point.crlIssuer ?? []);
  return own.some(name => wanted.some(other => sameGeneralName(name, other)));
}

function directoryNames(names: readonly GeneralName[]): Name[] {
  return names.flatMap(name => (name.kind === 'directory' ? [name.name] : []));
}

/** Whether a delta CRL belongs to a complete one (§6.3.3 (c), §5.2.4): same issuer, scope and key; numbers that follow on. */
export function isDeltaOf(delta: Crl, complete: Crl): boolean {
  if (delta.base === null || delta.number === null || complete.number === null) return false;
  return (
    sameName(delta.issuer, complete.issuer) &&
    sameBytes(delta.pointBytes, complete.pointBytes) &&
    sameBytes(delta.authorityKeyIdentifier, complete.authorityKeyIdentifier) &&
    delta.base <= complete.number &&
    complete.number < delta.number
  );
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : equal(a, b);
}
