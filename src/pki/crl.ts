/** Certificate revocation lists (RFC 5280 §5): full, version 2. */
import { hashFor, signatureIdentifier, signed } from './algorithms.ts';
import { der } from './der.ts';
import { authorityKeyIdentifier, extension } from './extensions.ts';
import { OID } from './oids.ts';
import type { CertificateRecord, RevocationReason, SigningKey } from './pki.ts';
import { type Certificate, subjectIdentifier } from './x509.ts';

/** CRLReason (RFC 5280 §5.3.1). */
export const REASON_CODE: Readonly<Record<RevocationReason, number>> = {
  unspecified: 0,
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  privilegeWithdrawn: 9,
};

export interface CrlFields {
  readonly number: number;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** Only those with `revokedAt`. */
  readonly revoked: readonly CertificateRecord[];
}

/** Signs a CRL; its DER. */
export function signCrl(fields: CrlFields, issuer: Certificate, key: SigningKey): Promise<Uint8Array> {
  const entries = fields.revoked.flatMap(({ serial, revokedAt, reason }) => {
    if (!revokedAt) return [];
    // RFC 5280 §5.3.1: an unspecified reason is left out.
    const code = reason === null ? 0 : REASON_CODE[reason];
    const extensions = code === 0 ? [] : [der.sequence(extension(OID.reasonCode, der.enumerated(code)))];
    return [der.sequence(der.integer(serial), der.time(revokedAt), ...extensions)];
  });
  const toBeSigned = der.sequence(
    der.integer(1),
    signatureIdentifier(key.algorithm, hashFor(key)),
    issuer.subject,
    der.time(fields.thisUpdate),
    der.time(fields.nextUpdate),
    // revokedCertificates must be absent when empty.
    ...(entries.length > 0 ? [der.sequence(...entries)] : []),
    der.constructed(
      0,
      der.sequence(
        authorityKeyIdentifier(subjectIdentifier(issuer)),
        extension(OID.crlNumber, der.integer(fields.number)),
      ),
    ),
  );
  return signed(toBeSigned, key);
}
