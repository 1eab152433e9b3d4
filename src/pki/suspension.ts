/** Which revocations stop a device, and which only the certificate. */
import type { CertificateRecord, RevocationReason } from './pki.ts';

/** These say that something about the certificate is out of date: the device gets a new one by itself, inside the signing flow. */
const RENEWED: ReadonlySet<RevocationReason> = new Set(['superseded', 'affiliationChanged']);

/**
 * Whether this certificate's revocation keeps its device from signing and from getting another certificate: while a hold
 * lasts; for good after any other reason, for its keys are as lost as the one that was certified. Then it is set up again.
 */
export function stopsDevice({ revokedAt, reason }: Pick<CertificateRecord, 'revokedAt' | 'reason'>): boolean {
  return revokedAt !== null && !RENEWED.has(reason ?? 'unspecified');
}
