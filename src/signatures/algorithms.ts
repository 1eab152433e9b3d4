/** Object identifiers of the signatures that we make. */
export const OID = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  /** RFC 5652 §11.3. */
  signingTime: '1.2.840.113549.1.9.5',
  /** RFC 3161 appendix A, as unsigned attribute. */
  signatureTimeStampToken: '1.2.840.113549.1.9.16.2.14',
  /** RFC 5035 §3. */
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
} as const;
