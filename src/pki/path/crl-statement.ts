/** What one CRL by the issuer itself says of a certificate: for judgements at a proven time, which RFC 5280 §6.3 doesn't know. */
import { DerError } from '../der.ts';
import { KEY_USAGE } from '../extensions.ts';
import { parsePathCertificate } from './certificate.ts';
import { parseCrl } from './crl.ts';
import { coveredReasons, pointsOf } from './crl-scope.ts';
import { ALL_REASONS } from './distribution-point.ts';
import { sameName } from './name.ts';
import { CURRENT_ALGORITHMS, signatureFault, usableKey } from './signature.ts';

export interface CrlStatement {
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | null;
  readonly revokedAt: Date | null;
  /** CRLReason; null where it isn't revoked. */
  readonly reason: number | null;
}

interface HasDer {
  readonly der: Uint8Array;
}

/**
 * @param issuer the certificate's issuer, itself validated by the caller
 * @returns null when the CRL isn't authentic, complete, or about this certificate and every reason
 */
export function crlStatement(bytes: Uint8Array, certificate: HasDer, issuer: HasDer): CrlStatement | null {
  try {
    return statement(bytes, certificate, issuer);
  } catch (error) {
    if (error instanceof DerError) return null;
    throw error;
  }
}

function statement(bytes: Uint8Array, { der }: HasDer, authority: HasDer): CrlStatement | null {
  const [crl, certificate, issuer] = [parseCrl(bytes), parsePathCertificate(der), parsePathCertificate(authority.der)];
  const key = usableKey(issuer.keyInfo, CURRENT_ALGORITHMS);
  const isAuthentic =
    key !== null &&
    (issuer.keyUsage?.has(KEY_USAGE.cRLSign) ?? true) &&
    signatureFault(crl, key, CURRENT_ALGORITHMS) === null;
  const isComplete =
    crl.base === null &&
    sameName(crl.issuer, issuer.subject) &&
    pointsOf(certificate).some(point => ALL_REASONS.isSubsetOf(coveredReasons(crl, certificate, point)));
  if (!isAuthentic || !isComplete) return null;
  const entry = crl.find(certificate.issuer, certificate.serial);
  const { thisUpdate, nextUpdate } = crl;
  return { thisUpdate, nextUpdate, revokedAt: entry?.revokedAt ?? null, reason: entry?.reason ?? null };
}
