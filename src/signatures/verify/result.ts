/** What a verification says, in the words of ETSI EN 319 102-1. Plain values: they cross processes and become JSON. */
import type { Approval } from '../../client/approval.ts';

/** EN 319 102-1 §5.1.3, table 5. */
export type Indication = 'TOTAL-PASSED' | 'INDETERMINATE' | 'TOTAL-FAILED';

/** EN 319 102-1 §5.1.3, table 6: those of TOTAL-FAILED, then those of INDETERMINATE. */
export const FAILURES = [
  'FORMAT_FAILURE',
  'HASH_FAILURE',
  'SIG_CRYPTO_FAILURE',
  'REVOKED',
  'EXPIRED',
  'NOT_YET_VALID',
] as const;
export const DOUBTS = [
  'SIG_CONSTRAINTS_FAILURE',
  'CHAIN_CONSTRAINTS_FAILURE',
  'CERTIFICATE_CHAIN_GENERAL_FAILURE',
  'CRYPTO_CONSTRAINTS_FAILURE',
  'TIMESTAMP_ORDER_FAILURE',
  'NO_SIGNING_CERTIFICATE_FOUND',
  'NO_CERTIFICATE_CHAIN_FOUND',
  'REVOKED_NO_POE',
  'OUT_OF_BOUNDS_NO_POE',
  'NO_POE',
  'TRY_LATER',
  'SIGNED_DATA_NOT_FOUND',
  'GENERIC',
] as const;
export type SubIndication = (typeof FAILURES)[number] | (typeof DOUBTS)[number];

export interface Verdict {
  readonly indication: Indication;
  readonly subIndication: SubIndication | null;
  /** One sentence. */
  readonly reason: string;
}

export const passed = (reason: string): Verdict => ({ indication: 'TOTAL-PASSED', subIndication: null, reason });

/** The indication follows from the sub-indication. */
export function fault(subIndication: SubIndication, reason: string): Verdict {
  const failed = (FAILURES as readonly SubIndication[]).includes(subIndication);
  return { indication: failed ? 'TOTAL-FAILED' : 'INDETERMINATE', subIndication, reason };
}

const ORDER: readonly Indication[] = ['TOTAL-PASSED', 'INDETERMINATE', 'TOTAL-FAILED'];

/** The first of the gravest. */
export function worst(verdicts: readonly Verdict[]): Verdict | null {
  return verdicts.reduce<Verdict | null>(
    (found, verdict) =>
      found === null || ORDER.indexOf(verdict.indication) > ORDER.indexOf(found.indication) ? verdict : found,
    null,
  );
}

/** Who a certificate is about. */
export interface Subject {
  /** Common name, else organisation. */
  readonly name: string;
  readonly organization: string | null;
  /** A natural person's certificate has a surname or given name. */
  readonly person: boolean;
  /** Every attribute, "C=LU, O=Company, CN=…". */
  readonly full: string;
}

export interface ChainLink {
  readonly subject: Subject;
  readonly issuer: string;
  /** Lower-case hex. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Trusted by whoever asked. */
  readonly anchor: boolean;
}

/** What is known of one certificate's revocation. */
export interface RevocationFact {
  readonly certificate: string;
  readonly status: 'good' | 'revoked' | 'unknown';
  readonly source: 'OCSP' | 'CRL' | null;
  /** `file`: it lies in the file; `gateway`: this gateway's own list as of now. */
  readonly where: 'file' | 'gateway' | null;
  readonly issuedAt: Date | null;
  readonly revokedAt: Date | null;
  /** What was decided, and why. */
  readonly text: string;
}

export interface TimestampReport extends Verdict {
  readonly time: Date | null;
  readonly authority: string | null;
  readonly chain: readonly ChainLink[];
  readonly revocation: readonly RevocationFact[];
}

/** `approval`: a person's Standard signature, drawn or typed, which the company sealed in that person's field. */
export type SignatureKind =
  | 'signature'
  | 'approval'
  | 'seal'
  | 'certifying-seal'
  | 'closing-seal'
  | 'document-timestamp';

/** ETSI EN 319 142-1, 122-1, 132-1: baseline levels. */
export type BaselineLevel = 'B-B' | 'B-T' | 'B-LT' | 'B-LTA';

export type ChangeKind =
  | 'field-filled'
  | 'field-added'
  | 'signature-added'
  | 'timestamp-added'
  | 'appearance'
  | 'form'
  | 'evidence-added'
  | 'catalog'
  | 'page'
  | 'structure'
  | 'unchanged'
  | 'modified';

/** One object of a later revision. */
export interface Change {
  /** From 1: the revision that made it. */
  readonly revision: number;
  /** Null for what is no object, such as octets between objects. */
  readonly object: number | null;
  readonly kind: ChangeKind;
  readonly allowed: boolean;
  readonly text: string;
}

export interface Coverage {
  /** Octets that the signature covers, all but itself. */
  readonly octets: number;
  readonly of: number;
  /** From 1; null where the file has none. */
  readonly revision: number | null;
  readonly revisions: number | null;
  readonly whole: boolean;
}

export interface SignatureReport extends Verdict {
  readonly kind: SignatureKind;
  /** PDF field name, or null. */
  readonly field: string | null;
  /** Whose certificate it is. */
  readonly signer: Subject | null;
  /** Whose approval it is, as the company that sealed it says; null for all but `approval`. */
  readonly person: string | null;
  readonly level: BaselineLevel | null;
  readonly algorithm: string | null;
  /** As the signer claims. */
  readonly claimedTime: Date | null;
  /** The earliest trusted time at which the signature existed. */
  readonly provenTime: Date | null;
  /** Whether the signature value and the digest hold and nothing was changed later, whatever one thinks of the signer. */
  readonly intact: boolean;
  readonly timestamps: readonly TimestampReport[];
  readonly chain: readonly ChainLink[];
  readonly revocation: readonly RevocationFact[];
  readonly coverage: Coverage | null;
  readonly changes: readonly Change[];
}

/** What a transaction report (signatures/report.ts) says. */
export interface TransactionFacts {
  readonly started: Date;
  readonly stopped: Date;
  /** Distinguished name. */
  readonly signatory: string;
  /** Where the device called from. */
  readonly address: string;
  /** What was approved; null where it isn't written as this gateway writes it. */
  readonly approval: Approval | null;
}

export type Format = 'pdf' | 'cades' | 'xades' | 'timestamp' | 'report' | 'unknown';

export interface FileReport extends Verdict {
  readonly format: Format;
  /** Of a transaction report: its seal. */
  readonly signatures: readonly SignatureReport[];
  readonly transaction?: TransactionFacts;
}

/** What is verified against. All of it is plain: it goes to the child process. */
export interface VerifyInput {
  readonly file: Uint8Array;
  /** The signed file, for a detached signature. */
  readonly content: Uint8Array | null;
  /** The detached seal of a transaction report. */
  readonly seal?: Uint8Array | null;
  /** Trust anchors, DER. */
  readonly anchors: readonly Uint8Array[];
  /** Further ones that are trusted for timestamps alone. */
  readonly timestampAnchors: readonly Uint8Array[];
  /** Further certificates and CRLs, DER, from this gateway. */
  readonly certificates: readonly Uint8Array[];
  readonly crls: readonly Uint8Array[];
  readonly now: Date;
}
