/**
 * The document's way from a hostile input to the sealed result, as src/requests uses it.
 * Everything that parses a file it did not write runs in a child process with memory and time limits.
 */
import type { SignatureAlgorithm } from '../pki/pki.ts';
import type { DocumentLayout, LayoutPlan } from './layout.ts';

export type DocumentRefusalReason =
  | 'not-pdf'
  | 'damaged'
  | 'encrypted'
  | 'javascript'
  | 'launch'
  | 'xfa'
  | 'external-stream'
  | 'executable-attachment'
  | 'optional-content'
  | 'already-signed'
  | 'too-many-pages'
  | 'too-complex'
  | 'too-slow';

/** The document can't be signed; `reason` picks the sentence that the sender reads. */
export class DocumentRefused extends Error {
  override readonly name = 'DocumentRefused';
  readonly reason: DocumentRefusalReason;
  constructor(reason: DocumentRefusalReason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

export interface Inspection {
  readonly pages: number;
  /** Names of embedded files, listed to everybody. */
  readonly attachments: readonly string[];
  /** Number of form fields that will be flattened. */
  readonly formFields: number;
}

/** A revision with a zeroed Contents, ready for a CMS. Made again, byte for byte, from the same inputs. */
export interface PreparedSignature {
  /** The whole file: head, then the new increment. */
  readonly bytes: Uint8Array;
  readonly byteRange: readonly [number, number, number, number];
  /** DER of signedAttrs as SET OF: exactly what the key signs. */
  readonly signedAttributes: Uint8Array;
}

export interface SignatoryMark {
  /** Index in layout.signatories. */
  readonly index: number;
  readonly name: string;
  readonly level: string;
  readonly signingTime: Date;
  /** Minutes east of UTC, shown in the appearance. */
  readonly utcOffset: number;
  /** Signer's certificate, DER. */
  readonly certificate: Uint8Array;
}

export interface Documents {
  /** @throws DocumentRefused */
  inspect(pdf: Uint8Array): Promise<Inspection>;
  /** First revision, certified by the company seal (DocMDP P=2). @throws DocumentRefused */
  prepare(pdf: Uint8Array, plan: LayoutPlan): Promise<{ bytes: Uint8Array; layout: DocumentLayout }>;
  /** One signatory's revision on top of `head`; deterministic. */
  prepareSignature(head: Uint8Array, layout: DocumentLayout, mark: SignatoryMark): Promise<PreparedSignature>;
  /**
   * Puts the CMS (with signature-time-stamp) into a prepared signature. `signature`: DER ECDSA-Sig-Value or
   * PKCS#1 v1.5 over signedAttributes; `issuers`: DER, the signer's issuer first.
   * @throws BadSignature (src/signatures/verify.ts) when the signature does not fit, TimestampUnavailable
   */
  completeSignature(
    prepared: PreparedSignature,
    signer: {
      certificate: Uint8Array;
      issuers: readonly Uint8Array[];
      algorithm: SignatureAlgorithm;
      signature: Uint8Array;
    },
  ): Promise<Uint8Array>;
  /** Closing seal (locks all), then an increment with DSS, then one with the document timestamp. */
  close(head: Uint8Array, layout: DocumentLayout, time: Date): Promise<Uint8Array>;
}
