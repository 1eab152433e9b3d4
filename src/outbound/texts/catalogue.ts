/**
 * Every sentence of our mails, once per language. A text that is missing in a language doesn't compile.
 * Names that come in are cleaned already; dates are formatted already.
 */
import type { DocumentRefusalReason } from '../../documents/documents.ts';
import type { Level } from '../../requests/model.ts';

export interface Catalogue {
  /** Name in lists: "name (3 pages)"; 0 pages: not known yet. */
  document(name: string, pages: number): string;
  /** Subject where the sender gave none. */
  noSubject: string;
  footer(company: string): string;

  levels: Record<Level, string>;
  levelByDefault(level: string): string;

  labels: {
    request: string;
    from: string;
    level: string;
    document(count: number): string;
    signatory(count: number): string;
    /** Signing one after the other. */
    signatoriesInOrder: string;
    copies: string;
    until: string;
    passedOver: string;
    signedBy: string;
    signedAt: string;
    notSigned: string;
    reason: string;
    device: string;
    time: string;
  };

  accepted: { title: string; lead(signatories: number): string; next: string; nextInOrder: string };
  pleaseSign: {
    title(sender: string): string;
    lead(sender: string, documents: number): string;
    titleSelf(documents: number): string;
    leadSelf(documents: number): string;
    quote(sender: string): string;
    what: string;
    button: string;
    scan: string;
    qrAlt: string;
    linkBelow: string;
    yours: string;
  };
  reminder: {
    title(sender: string): string;
    titleSelf: string;
    lead(sender: string, documents: number, until: string): string;
    leadSelf(documents: number, until: string): string;
  };
  signedByOne: { title(signatory: string): string; lead(left: number): string };
  finished: {
    title(documents: number): string;
    lead(documents: number, signatories: number): string;
    /** Where there are other files than PDFs. */
    otherFiles: string;
    trust: string;
    trustLink: string;
  };
  /** The files are on a page, because they were too big for this mailbox. The rest is as in `finished`. */
  finishedLink: {
    lead(documents: number, signatories: number): string;
    button: string;
    yours: string;
  };
  /** In place of `finished` and `finishedLink` where the company sealed and nobody signed. */
  sealed: {
    title(documents: number): string;
    lead(documents: number): string;
    linkLead(documents: number): string;
  };
  rejected: {
    title(signatory: string): string;
    titleSelf: string;
    lead: string;
    noReason: string;
    quote(signatory: string): string;
    nothingToDo: string;
    senderNext: string;
  };
  expired: { title: string; lead(until: string): string; nothingToDo: string; senderNext: string };
  cancelled: { title: string; lead(sender: string): string; leadSelf: string; nothingToDo: string };
  failed: {
    title: string;
    lead: string;
    next: string;
    /** Why, and what to do, where the fault is in the document. */
    reasons: Record<DocumentRefusalReason, string>;
  };
  undeliverable: { title(person: string): string; lead(person: string): string; signatoryNext: string; next: string };
  left: { title(person: string): string; lead(person: string): string; next: string };
  enrolmentCode: { title: string; lead: string; validity(minutes: number): string; notYou: string };
  deviceEnrolled: { title: string; lead: string; notYou: string };
  deviceRemoved: { title: string; lead: string; notYou: string };
}
