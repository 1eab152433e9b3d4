/**
 * The company's PKI as the rest of the gateway sees it. Certificates, CSRs, CRLs, OCSP messages and timestamp tokens
 * cross this border as DER bytes; serial numbers as lower-case hex without leading zeros.
 */
import type { KeyObject } from 'node:crypto';
import type { Person } from '../directory/directory.ts';

/** How a key signs CMS and everything else that is hashed with SHA-256. */
export type SignatureAlgorithm = 'ecdsa-p256-sha256' | 'ecdsa-p384-sha256' | 'rsa-sha256';

/** Of certificates, CRLs, OCSP answers and requests, each key signs with the one of its strength (hashFor in algorithms.ts). */
export type SignatureHash = 'sha256' | 'sha384';

/** A private key that can sign, in a file (key-file.ts) or on a PKCS#11 token (pkcs11/). */
export interface SigningKey {
  readonly algorithm: SignatureAlgorithm;
  readonly publicKey: KeyObject;
  /**
   * Signs `data`, hashing it. ECDSA as DER ECDSA-Sig-Value (RFC 3279 §2.2.3), RSA as PKCS#1 v1.5.
   * @param hash SHA-256 where left out
   * @throws TokenError when the key is on a token that can't be used now
   */
  sign(data: Uint8Array, hash?: SignatureHash): Promise<Uint8Array>;
}

/** A key with its certificate and the issuers up to the root (nearest first). */
export interface Identity {
  readonly key: SigningKey;
  readonly certificate: Uint8Array;
  readonly issuers: readonly Uint8Array[];
}

export type RevocationReason =
  | 'unspecified'
  | 'keyCompromise'
  | 'affiliationChanged'
  | 'superseded'
  | 'cessationOfOperation'
  | 'certificateHold'
  | 'privilegeWithdrawn';

export interface CertificateRecord {
  readonly serial: string;
  readonly certificate: Uint8Array;
  readonly personId: string | null;
  readonly deviceId: string | null;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly revokedAt: Date | null;
  readonly reason: RevocationReason | null;
  /** SHA-256 (hex) of the SubjectPublicKeyInfo: a key belongs to one person, once. */
  readonly keyHash: string;
  /** Which CA issued it (authorityId in x509.ts). */
  readonly issuer: string;
}

/** The CSR can't be accepted; `message` says why. */
export class CertificateRefused extends Error {
  override readonly name = 'CertificateRefused';
}

export interface OcspReply {
  /** OCSPResponse. */
  readonly der: Uint8Array;
  /** How long others may be given the same (RFC 5019 §6.2); null for answers to one asker, and for errors. */
  readonly reuse: { readonly until: Date; readonly madeAt: Date; readonly nextUpdate: Date } | null;
}

/** Whose CA: the company's own, or another that the configuration names (`pki.global`), whom others trust, too. */
export const SCOPES = ['local', 'global'] as const;
export type Scope = (typeof SCOPES)[number];

/** The company's CA: the one in use, and those that were in use before it, which go on saying what they revoked. */
export interface CertificateAuthority {
  /** The certificate of the CA in use, then its issuers up to the root. */
  readonly chain: readonly Uint8Array[];
  /** The issuers of a certificate of ours, nearest first, up to the root; none where it isn't ours. */
  issuersOf(certificate: Uint8Array): readonly Uint8Array[];
  /**
   * A certificate for document signing, at most 31 days. Subject and extensions come from the directory and the profile;
   * from the CSR (PKCS#10) only the proven P-256 public key.
   * @param scope which CA issues it; the configured one where left out
   * @throws CertificateRefused
   */
  issueForPerson(csr: Uint8Array, person: Person, deviceId: string, scope?: Scope): Promise<CertificateRecord>;
  find(serial: string): Promise<CertificateRecord | null>;
  listForDevice(deviceId: string): Promise<readonly CertificateRecord[]>;
  /** Idempotent; the CRL and OCSP answers change at once. A hold gives way to any other reason. */
  revoke(serial: string, reason: RevocationReason): Promise<void>;
  /** The current full CRL of the CA in use, DER. */
  crl(): Promise<Uint8Array>;
  /** The same of the CA that printed this name into its certificates' CRL URL; null for a name that none has. */
  crlNamed(name: string): Promise<Uint8Array | null>;
  /** Its certificate, DER, by the same name. */
  certificateNamed(name: string): Uint8Array | null;
  /** Every CA's current CRL, and those of the CAs above them that are known. */
  crls(): Promise<readonly Uint8Array[]>;
  /** Answers an RFC 6960 request; malformed ones with the status malformedRequest. Never throws. */
  ocsp(request: Uint8Array): Promise<OcspReply>;
}

export interface Timestamp {
  /** The TimeStampToken (a CMS ContentInfo), DER. */
  readonly token: Uint8Array;
  readonly time: Date;
  /** Certificates of the authority: the signer's first, then its issuers as far as known. */
  readonly certificates: readonly Uint8Array[];
}

/** No authority answered soundly; jobs try again later. */
export class TimestampUnavailable extends Error {
  override readonly name = 'TimestampUnavailable';
}

export interface TimestampAuthority {
  /** RFC 3161 token over a SHA-256 digest, checked fully. @throws TimestampUnavailable */
  stamp(sha256: Uint8Array): Promise<Timestamp>;
}

/** What a validator needs later (PAdES DSS); each DER. */
export interface ValidationData {
  readonly certificates: readonly Uint8Array[];
  /** OCSPResponse structures (whole responses). */
  readonly ocsps: readonly Uint8Array[];
  readonly crls: readonly Uint8Array[];
}

export interface Pki {
  readonly ca: CertificateAuthority;
  readonly seal: Identity;
  readonly timestamps: TimestampAuthority;
  /** DER of the self-signed anchors, for trust.pem: of the CA in use first, then of earlier ones. */
  readonly anchors: readonly Uint8Array[];
  /** DER of the CA certificates between ours and the anchors, and of ours below an enterprise's CA. */
  readonly intermediates: readonly Uint8Array[];
  /** Everything needed to validate these certificates later. */
  validationData(certificates: readonly Uint8Array[]): Promise<ValidationData>;
}
