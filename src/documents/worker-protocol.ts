/** What the gateway and its document child tell each other, over an IPC channel with V8 serialisation. */

import type { PdfParts } from '../evidence/pdf-parts.ts';
import type { SubIndication } from '../signatures/invalid.ts';
import type { FileReport, VerifyInput } from '../signatures/verify/result.ts';
import type { XmlRefusalReason } from '../signatures/xml/gate.ts';
import type { XadesParts, XmlToSign } from '../signatures/xml/read.ts';
import type { DocumentRefusalReason, Inspection } from './documents.ts';
import type { Extendable } from './extension.ts';
import type { FirstRevision } from './first-revision.ts';
import type { SignatureEvidence } from './increment-dss.ts';
import type { SignedIncrement } from './increment-signature.ts';
import type { Limits } from './inspect.ts';
import type { LayoutPlan } from './layout.ts';

export type Job =
  | { readonly kind: 'inspect'; readonly pdf: Uint8Array; readonly limits: Limits }
  | { readonly kind: 'firstRevision'; readonly pdf: Uint8Array; readonly plan: LayoutPlan; readonly limits: Limits }
  | { readonly kind: 'xmlToSign' | 'xades'; readonly xml: Uint8Array; readonly limits: Limits }
  | { readonly kind: 'verify'; readonly input: VerifyInput; readonly limits: Limits }
  | { readonly kind: 'extendable'; readonly pdf: Uint8Array; readonly limits: Limits }
  | { readonly kind: 'parts'; readonly pdf: Uint8Array; readonly limits: Limits }
  | {
      readonly kind: 'extension';
      readonly pdf: Uint8Array;
      readonly evidence: readonly SignatureEvidence[];
      readonly limits: Limits;
    };

export type Outcome =
  | { readonly kind: 'inspect'; readonly result: Inspection }
  | { readonly kind: 'firstRevision'; readonly result: FirstRevision }
  | { readonly kind: 'xmlToSign'; readonly result: XmlToSign }
  | { readonly kind: 'xades'; readonly result: XadesParts }
  | { readonly kind: 'verify'; readonly result: FileReport }
  | { readonly kind: 'extendable'; readonly result: Extendable | null }
  | { readonly kind: 'parts'; readonly result: PdfParts }
  | { readonly kind: 'extension'; readonly result: SignedIncrement }
  | { readonly kind: 'xmlRefused'; readonly reason: XmlRefusalReason; readonly detail: string }
  | { readonly kind: 'signatureInvalid'; readonly subIndication: SubIndication; readonly detail: string }
  /** `unexpected`: where in the code an error arose that no rule foresaw. */
  | {
      readonly kind: 'refused';
      readonly reason: DocumentRefusalReason;
      readonly detail: string;
      readonly unexpected: string | null;
    }
  /** The child's surroundings are at fault, such as a file that can't be read. */
  | { readonly kind: 'failed'; readonly detail: string };

export type FromChild =
  | { readonly kind: 'ready' }
  /** `worn`: the child has used much of its memory or time and should be replaced. */
  | { readonly kind: 'done'; readonly outcome: Outcome; readonly worn: boolean };
