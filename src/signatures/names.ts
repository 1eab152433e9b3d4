/** Names in certificates, as people read them. */
import { parseCertificate } from '../pki/x509.ts';
import { describeName } from './verify/subject.ts';

/** The issuer in short: its common name, else its organization. @param certificate DER. @throws DerError */
export function issuerName(certificate: Uint8Array): string {
  return describeName(parseCertificate(certificate).issuer).name;
}
