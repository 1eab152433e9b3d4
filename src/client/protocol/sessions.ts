/** A signatory's session and a finished request, and what is asked of them. */
import { BadMark, type Mark, parseMark } from '../../documents/strokes.ts';
import type { Level, Mode, RequestState, SessionState } from '../../requests/model.ts';
import type { ApprovalAsk, Grant, Question } from '../../requests/requests.ts';
import type { Assertion } from '../../requests/webauthn.ts';
import { authenticatorBytes } from './devices.ts';
import {
  type Alternatives,
  type PasskeyUse,
  type PersonInfo,
  parseAlternatives,
  parsePersonInfo,
} from './enrolment.ts';
import {
  bytes,
  bytesOf,
  date,
  fields,
  list,
  Malformed,
  minutesEast,
  natural,
  oneOf,
  orNull,
  serial,
  text,
} from './wire.ts';

export interface SignatoryInfo {
  readonly name: string;
  readonly state: SessionState;
  /** True for the person who looks. */
  readonly you: boolean;
}

/** file: anything but a PDF, signed as it is. */
export type DocumentKind = 'pdf' | 'file';

export interface DocumentInfo {
  readonly name: string;
  readonly kind: DocumentKind;
  /** 0 for what isn't a PDF. */
  readonly pages: number;
  /** Of the newest revision; 0 and null until it is prepared. */
  readonly length: number;
  readonly sha256: string | null;
  /** The signature field that is this person's, object 0 where it comes with the signature; null until it is prepared, and for what isn't a PDF. */
  readonly field: { readonly name: string; readonly object: number } | null;
}

/** One signatory's session, as that signatory's device sees it. */
export interface View {
  /** Request number. */
  readonly request: string;
  readonly company: string;
  readonly level: Level;
  readonly mode: Mode;
  readonly state: RequestState;
  /** The state of this person's own part. */
  readonly session: SessionState;
  readonly sender: PersonInfo;
  readonly you: PersonInfo;
  readonly subject: string;
  readonly text: string;
  readonly signatories: readonly SignatoryInfo[];
  readonly documents: readonly DocumentInfo[];
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly endedAt: Date | null;
  /** What a rejecting signatory wrote, once rejected. */
  readonly comment: string | null;
  readonly rejectionComment: 'optional' | 'required';
  /** What this device's person is still to show to sign at this level; empty when nothing. */
  readonly proofs: Alternatives;
  /** `id`: of this device's passkey, to be used for this signature; null when none is. */
  readonly passkey: { readonly use: PasskeyUse; readonly id: Uint8Array | null; readonly rpId: string };
}

/** A finished request, as the device of one of its parties (sender, signatory, copy) sees it. */
export interface FinishedView {
  /** Request number. */
  readonly request: string;
  readonly company: string;
  readonly level: Level;
  readonly sender: PersonInfo;
  readonly subject: string;
  readonly signatories: readonly {
    readonly name: string;
    readonly signedAt: Date | null;
    /** True for the person who looks. */
    readonly you: boolean;
  }[];
  readonly documents: readonly {
    /** File name, as in the mail that carries it. */
    readonly name: string;
    readonly kind: DocumentKind;
    /** Pages of the document itself; signature pages follow. */
    readonly pages: number;
    readonly length: number;
    readonly sha256: string;
  }[];
  readonly finishedAt: Date;
}

export interface TurnAsk {
  readonly certificateSerial: string;
  /** Length in bytes of each document that the device holds. */
  readonly known: readonly number[];
  /** Minutes east of UTC. */
  readonly utcOffset: number;
}

export interface SignatureAsk {
  readonly turn: string;
  /** One DER ECDSA-Sig-Value per document. */
  readonly signatures: readonly Uint8Array[];
  /** Of the device's passkey (passkey-challenge.ts); null where none is used. */
  readonly assertion: Assertion | null;
}

export interface QuestionAsk {
  /** SHA-256 (hex) of each document that the device holds, computed by itself. */
  readonly documents: readonly string[];
  /** What the person lets be told of where they are; null for nothing. */
  readonly place: string | null;
}

export interface RejectionAsk {
  readonly comment: string | null;
}

function parseAssertion(value: unknown): Assertion {
  const { credential, clientData, authenticatorData, signature } = fields(value);
  return {
    credential: authenticatorBytes(credential),
    clientData: authenticatorBytes(clientData),
    authenticatorData: authenticatorBytes(authenticatorData),
    signature: authenticatorBytes(signature),
  };
}

/** Devices of earlier versions don't know of passkeys. */
function assertionOrNone(value: unknown): Assertion | null {
  return value === undefined || value === null ? null : parseAssertion(value);
}

function parseLevel(value: unknown): Level {
  return oneOf(value, 'standard', 'advanced', 'qualified', 'seal');
}

function parseSessionState(value: unknown): SessionState {
  return oneOf(value, 'waiting', 'open', 'signed', 'rejected', 'closed');
}

export function parseView(value: unknown): View {
  const view = fields(value);
  return {
    request: text(view.request),
    company: text(view.company),
    level: parseLevel(view.level),
    mode: oneOf(view.mode, 'parallel', 'ordered'),
    state: oneOf(view.state, 'preparing', 'open', 'closing', 'finished', 'rejected', 'expired', 'cancelled', 'failed'),
    session: parseSessionState(view.session),
    sender: parsePersonInfo(view.sender),
    you: parsePersonInfo(view.you),
    subject: text(view.subject),
    text: text(view.text, 10_000_000),
    signatories: list(view.signatories, item => {
      const { name, state, you } = fields(item);
      return { name: text(name), state: parseSessionState(state), you: you === true };
    }),
    documents: list(view.documents, item => {
      const { name, kind, pages, length, sha256, field } = fields(item);
      return {
        name: text(name),
        kind: parseKind(kind),
        pages: natural(pages),
        length: natural(length),
        sha256: orNull(sha256, text),
        field: orNull(field, value => {
          const { name: fieldName, object } = fields(value);
          return { name: text(fieldName), object: natural(object) };
        }),
      };
    }),
    createdAt: date(view.createdAt),
    expiresAt: date(view.expiresAt),
    endedAt: orNull(view.endedAt, date),
    comment: orNull(view.comment, text),
    rejectionComment: oneOf(view.rejectionComment, 'optional', 'required'),
    proofs: parseAlternatives(view.proofs),
    passkey: parsePasskeyUse(view.passkey),
  };
}

function parsePasskeyUse(value: unknown): View['passkey'] {
  const { use, id, rpId } = fields(value);
  return { use: oneOf(use, 'off', 'offered', 'required'), id: orNull(id, authenticatorBytes), rpId: text(rpId) };
}

/** Gateways of earlier versions know PDFs only. */
function parseKind(value: unknown): DocumentKind {
  return value === undefined ? 'pdf' : oneOf(value, 'pdf', 'file');
}

export function parseFinishedView(value: unknown): FinishedView {
  const view = fields(value);
  return {
    request: text(view.request),
    company: text(view.company),
    level: parseLevel(view.level),
    sender: parsePersonInfo(view.sender),
    subject: text(view.subject),
    signatories: list(view.signatories, item => {
      const { name, signedAt, you } = fields(item);
      return { name: text(name), signedAt: orNull(signedAt, date), you: you === true };
    }),
    documents: list(view.documents, item => {
      const { name, kind, pages, length, sha256 } = fields(item);
      return {
        name: text(name),
        kind: parseKind(kind),
        pages: natural(pages),
        length: natural(length),
        sha256: text(sha256, 64),
      };
    }),
    finishedAt: date(view.finishedAt),
  };
}

export function parseTurnAsk(value: unknown): TurnAsk {
  const { certificateSerial, known, utcOffset } = fields(value);
  return {
    certificateSerial: serial(certificateSerial),
    known: list(known, natural),
    utcOffset: minutesEast(utcOffset),
  };
}

export function parseGrant(value: unknown): Grant {
  const { turn, expiresAt, signingTime, documents } = fields(value);
  return {
    turn: text(turn, 200),
    expiresAt: date(expiresAt),
    signingTime: date(signingTime),
    documents: list(documents, item => {
      const { known, appended, byteRange, signedAttributes } = fields(item);
      const [a, b, c, d, ...rest] = list(byteRange, natural);
      if (a === undefined || b === undefined || c === undefined || d === undefined || rest.length > 0)
        throw new Malformed('a ByteRange has four numbers');
      return {
        known: natural(known),
        appended: bytes(appended),
        byteRange: [a, b, c, d] as const,
        signedAttributes: bytes(signedAttributes),
      };
    }),
  };
}

export function parseSignatureAsk(value: unknown): SignatureAsk {
  const { turn, signatures, assertion } = fields(value);
  return { turn: text(turn, 200), signatures: list(signatures, bytes), assertion: assertionOrNone(assertion) };
}

export function parseQuestionAsk(value: unknown): QuestionAsk {
  const { documents, place } = fields(value);
  return { documents: list(documents, item => text(item, 64)), place: orNull(place, item => text(item, 200)) };
}

export function parseQuestion(value: unknown): Question {
  const { nonce, data } = fields(value);
  return { nonce: bytesOf(nonce, 20), data: bytes(data) };
}

export function parseApprovalAsk(value: unknown): ApprovalAsk {
  const { nonce, hmac, signature, paraph, utcOffset, assertion } = fields(value);
  return {
    nonce: bytesOf(nonce, 20),
    hmac: bytesOf(hmac, 32),
    signature: mark(signature),
    paraph: orNull(paraph, mark),
    utcOffset: minutesEast(utcOffset),
    assertion: assertionOrNone(assertion),
  };
}

function mark(value: unknown): Mark {
  try {
    return parseMark(value);
  } catch (error) {
    if (error instanceof BadMark) throw new Malformed(error.message);
    throw error;
  }
}

export function parseRejectionAsk(value: unknown): RejectionAsk {
  return { comment: orNull(fields(value).comment, item => text(item, 2000)) };
}
