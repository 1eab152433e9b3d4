/**
 * The document's way from a hostile input to the sealed result, as src/requests uses it.
 * Everything that parses a file it did not write runs in a child process with memory and time limits.
 */
import type { SignatureAlgorithm } from '../pki/pki.ts';
import type { DocumentLayout, LayoutPlan, SignatoryLevel } from './layout.ts';
import type { Mark } from './strokes.ts';

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
  /** Signed, and its signatures allow no further ones. */
  | 'certified-no-changes'
  /** Signed, so that no marks of Standard can stand on its pages. */
  | 'already-signed-standard'
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
  /** Of a document that arrives signed; absent where it is not. */
  readonly signatures?: EarlierSignatures;
}

/** A document that arrives signed is never rewritten; signatures are added to it (Advanced and seal only). */
export interface EarlierSignatures {
  readonly count: number;
  /** Whom each names as its signer, as it says itself: nothing here was verified. */
  readonly signers: readonly (string | null)[];
  /** Nothing may be added to its pages: new signatures stand in fields that it has, or are invisible. */
  readonly invisibleOnly: boolean;
}

/** A revision with a zeroed Contents, ready for a CMS. Made again, byte for byte, from the same inputs. */
export interface PreparedSignature {
  /** The whole file: head, then the new increment. */
  readonly bytes: Uint8Array;
  readonly byteRange: readonly [number, number, number, number];
  /** DER of signedAttrs as SET OF: exactly what the key signs. */
  readonly signedAttributes: Uint8Array;
}

/** What one signatory's revision shows. */
export interface SignatoryMark {
  /** Index in layout.signatories. */
  readonly index: number;
  readonly name: string;
  readonly company: string;
  /** The level of layout.signatories[index]. */
  readonly level: SignatoryLevel;
  /** As drawn or typed; null shows the name alone, as for Advanced without a drawing. */
  readonly signature: Mark | null;
  /** Null leaves the paraph places empty. */
  readonly paraph: Mark | null;
  /** What the person let be told: a city, coordinates, a country; null for nothing. */
  readonly place: string | null;
  /** The device by its name, as "Firefox on Android". */
  readonly device: string | null;
  readonly signingTime: Date;
  /** Minutes east of UTC, shown in the appearance. */
  readonly utcOffset: number;
}

/** Of an Advanced signature; issuer and serial number are shown. */
export interface CertifiedMark extends SignatoryMark {
  /** Signer's certificate, DER. */
  readonly certificate: Uint8Array;
}

export interface Documents {
  /** @throws DocumentRefused */
  inspect(pdf: Uint8Array): Promise<Inspection>;
  /** First revision, certified by the company seal (DocMDP P=2). @throws DocumentRefused */
  prepare(pdf: Uint8Array, plan: LayoutPlan): Promise<{ bytes: Uint8Array; layout: DocumentLayout }>;
  /** One Advanced signatory's revision on top of `head`; deterministic. */
  prepareSignature(head: Uint8Array, layout: DocumentLayout, mark: CertifiedMark): Promise<PreparedSignature>;
  /**
   * One Standard signatory's revision on top of `head`, signed in that person's field with the company's seal key, with
   * a signature-time-stamp inside. Deterministic but for the signature value and the timestamp.
   * @throws RangeError for a signatory of another level; TimestampUnavailable
   */
  approve(head: Uint8Array, layout: DocumentLayout, mark: SignatoryMark): Promise<Uint8Array>;
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
