/** Object identifiers and algorithms of the signatures that we make. */
import * as asn1js from 'asn1js';
import { AlgorithmIdentifier } from 'pkijs';
import type { SignatureAlgorithm } from '../pki/pki.ts';

export const OID = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  /** RFC 3161 appendix A, as unsigned attribute. */
  signatureTimeStampToken: '1.2.840.113549.1.9.16.2.14',
  /** RFC 5035 §3. */
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  sha256: '2.16.840.1.101.3.4.2.1',
} as const;

export const sha256Identifier = () => new AlgorithmIdentifier({ algorithmId: OID.sha256 });

/** RFC 5758 §3.2 (no parameters), RFC 4055 §5 (NULL parameters). */
export function signatureIdentifier(algorithm: SignatureAlgorithm): AlgorithmIdentifier {
  return algorithm === 'ecdsa-p256-sha256'
    ? new AlgorithmIdentifier({ algorithmId: '1.2.840.10045.4.3.2' })
    : new AlgorithmIdentifier({ algorithmId: '1.2.840.113549.1.1.11', algorithmParams: new asn1js.Null() });
}
