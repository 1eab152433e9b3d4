/**
 * What devices and gateway say to each other: JSON over HTTPS, every request signed by the device and every answer by
 * the gateway (http-signature.ts). The types here are both sides' only definition. On the wire a Date is an ISO 8601
 * string and bytes are base64url; `encode` writes them and the parsers, which believe nothing, read them.
 *
 * | call                                | asks             | answers       |
 * | ----------------------------------- | ---------------- | ------------- |
 * | GET /api/nonce?method=M&path=P      |                  | NonceAnswer   |
 * | GET /api/enrolment/options          | (unsigned)       | EnrolmentOptions |
 * | POST /api/enrolment/code            | CodeAsk          | {} (always)   |
 * | POST /api/enrolment                 | EnrolmentAsk     | EnrolmentAnswer |
 * | GET /api/enrolment                  |                  | EnrolmentAnswer |
 * | POST /api/enrolment/more            | MoreAsk          | EnrolmentAnswer |
 * | GET /api/device                     |                  | DeviceInfo    |
 * | DELETE /api/device                  |                  | {}            |
 * | POST /api/device/name               | NameAsk          | {}            |
 * | POST /api/device/code               | OwnCodeAsk       | {} (always)   |
 * | POST /api/device/proofs             | ProofAsk         | {}            |
 * | GET /api/device/all                 |                  | OwnDevice[]   |
 * | DELETE /api/device/all/:id          |                  | {}            |
 * | GET /api/device/newcomers           |                  | Newcomer[]    |
 * | POST /api/device/newcomers/:id      | NewcomerAsk      | {}            |
 * | GET /api/device/passkey             |                  | PasskeyOptions |
 * | POST /api/device/passkey            | PasskeyAsk       | {}            |
 * | POST /api/device/token              | TokenAsk         | {}            |
 * | GET /api/device/sessions            |                  | Waiting[]     |
 * | POST /api/certificates              | CertificateAsk   | Certificate   |
 * | GET /api/sessions/:token            |                  | View          |
 * | GET /api/sessions/:token/documents/:n |                | the document  |
 * | POST /api/sessions/:token/turn      | TurnAsk          | Grant         |
 * | POST /api/sessions/:token/signature | SignatureAsk     | View          |
 * | POST /api/sessions/:token/approval/nonce | QuestionAsk | Question      |
 * | POST /api/sessions/:token/approval  | ApprovalAsk      | View          |
 * | POST /api/sessions/:token/rejection | RejectionAsk     | View          |
 * | GET /api/requests/:id               |                  | FinishedView  |
 * | GET /api/requests/:id/documents/:n  |                  | the file      |
 *
 * An approval names the link by its SHA-256 in hex, for the call is kept as evidence; devices of earlier versions name the
 * link itself there, too.
 *
 * Anything that goes wrong is a Problem (RFC 9457).
 */

import type { Mark } from '../documents/strokes.ts';
import { BadMark, parseMark } from '../documents/strokes.ts';
import type { Level, Mode, Proof, RequestState, SessionState } from '../requests/model.ts';
import type { ApprovalAsk, Grant, GrantedDocument, Question } from '../requests/requests.ts';
import type { Assertion } from '../requests/webauthn.ts';
import { base64url, fromBase64url } from './bytes.ts';

export type {
  ApprovalAsk,
  Assertion,
  Grant,
  GrantedDocument,
  Level,
  Mark,
  Mode,
  Proof,
  Question,
  RequestState,
  SessionState,
};

/** A public P-256 key (RFC 7517); its RFC 7638 thumbprint is the device's id and the `keyid`. */
export interface PublicKey {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
}

export interface NonceAnswer {
  readonly nonce: string;
  /** The gateway's clock: a phone's may be wrong by hours. */
  readonly time: Date;
}

/** Asks for a code by mail. The answer is always the same. */
export interface CodeAsk {
  readonly key: PublicKey;
  readonly address: string;
  /** Token of the link that led here, or null. */
  readonly link: string | null;
}

/** Sets of what has to be shown together; any one of them is enough. */
export type Alternatives = readonly (readonly Proof[])[];

export type PasskeyUse = 'off' | 'offered' | 'required';

/** How devices are set up at this company: the same for whoever asks. */
export interface EnrolmentOptions {
  /** What is enough for some level. */
  readonly proofs: Alternatives;
  /** The most that a level asks for. */
  readonly passkeys: PasskeyUse;
}

/** What is shown; null where it isn't. The link is the token of the one that led here. */
export interface ProofAsk {
  readonly password: string | null;
  readonly code: string | null;
  readonly link: string | null;
}

export interface EnrolmentAsk extends ProofAsk {
  readonly key: PublicKey;
  readonly address: string;
  readonly name: string;
  readonly kind: 'browser' | 'command-line';
  /** The device that this one replaces, and its key's signature over `replacementData` of the new key. */
  readonly replaces: { readonly device: string; readonly signature: Uint8Array } | null;
}

/** A waiting key shows more, or names the device that it replaces. */
export interface MoreAsk extends ProofAsk {
  readonly replaces: string | null;
}

export type EnrolmentAnswer =
  | { readonly state: 'enrolled'; readonly enrolled: Enrolled }
  /** One of the others is to confirm, which shows the same code. */
  | {
      readonly state: 'waiting';
      readonly code: string;
      readonly expiresAt: Date;
      readonly others: readonly { readonly id: string; readonly name: string; readonly createdAt: Date }[];
      /** What is enough without them. */
      readonly more: Alternatives;
    };

/** What an old device's key signs for the new one that takes its place. */
export function replacementData(newKeyId: string): Uint8Array {
  return new TextEncoder().encode(`signpost replaced by v1\0${newKeyId}`);
}

export interface PersonInfo {
  readonly name: string;
  readonly mail: string;
}

export interface Enrolled {
  readonly deviceId: string;
  readonly person: PersonInfo;
  readonly company: string;
  /** The key that signs the gateway's answers: the device pins it. */
  readonly gatewayKey: PublicKey;
}

export interface DeviceInfo {
  readonly id: string;
  readonly name: string;
  readonly kind: 'browser' | 'command-line';
  readonly createdAt: Date;
  readonly person: PersonInfo;
  readonly company: string;
}

export interface NameAsk {
  readonly name: string;
}

export interface OwnCodeAsk {
  readonly link: string | null;
}

/** A device of the person who asks: active, or ended a short while ago. */
export interface OwnDevice {
  readonly id: string;
  readonly name: string;
  readonly kind: 'browser' | 'command-line';
  readonly createdAt: Date;
  readonly endedAt: Date | null;
  /** The one that asks. */
  readonly own: boolean;
}

/** A new device of the person that waits to be confirmed. */
export interface Newcomer {
  readonly id: string;
  readonly name: string;
  readonly kind: 'browser' | 'command-line';
  /** What it shows, too. */
  readonly code: string;
  /** Name of the device whose place it takes. */
  readonly replaces: string | null;
}

export interface NewcomerAsk {
  readonly confirmed: boolean;
}

/** To create a passkey with (WebAuthn). */
export interface PasskeyOptions {
  readonly challenge: Uint8Array;
  readonly rpId: string;
  readonly rpName: string;
  readonly userId: Uint8Array;
  readonly userName: string;
}

/** AuthenticatorAttestationResponse without attestation. */
export interface PasskeyAsk {
  readonly clientData: Uint8Array;
  readonly authenticatorData: Uint8Array;
}

/** A request that waits for this device's person. */
export interface Waiting {
  /** Token of the person's own link. */
  readonly link: string;
  readonly request: string;
  readonly subject: string;
  readonly sender: PersonInfo;
  readonly documents: number;
  readonly expiresAt: Date;
}

export interface CertificateAsk {
  /** PKCS#10, DER. */
  readonly csr: Uint8Array;
}

export interface Certificate {
  readonly serial: string;
  readonly certificate: Uint8Array;
  readonly notAfter: Date;
}

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

/** The device's token key, which it made and now can't read any more. */
export interface TokenAsk {
  /** 32 bytes. */
  readonly key: Uint8Array;
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

export const PROBLEMS = [
  'not-found',
  'nonce',
  'bad-request',
  'enrolment-refused',
  'too-many-tries',
  'certificate-refused',
  'comment-required',
  'not-open',
  'not-your-turn',
  'turn-lost',
  'busy',
  'no-certificate',
  'bad-signature',
  'no-token',
  'token-refused',
  'bad-approval',
  'no-more-tries',
  'password-paused',
  'more-proof',
  'passkey-needed',
  'passkey-refused',
  'try-later',
  'internal',
] as const;
export type ProblemType = (typeof PROBLEMS)[number];

/** RFC 9457. On the wire `type` is PROBLEM_PREFIX + ProblemType. */
export interface ProblemAnswer {
  readonly type: ProblemType;
  readonly title: string;
  readonly status: number;
  /** A sentence for people, in English. */
  readonly detail: string;
}

export const PROBLEM_PREFIX = 'urn:signpost:problem:';

/** What was received isn't what the protocol says. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

/** JSON for the wire: dates as ISO 8601, bytes as base64url. */
export function encode(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, item: unknown) {
    // Not `item`: Buffers have a toJSON that ran already.
    const raw = this[key];
    return raw instanceof Uint8Array ? base64url(raw) : item;
  });
}

/** Parses bytes received as JSON. @throws Malformed */
export function decode<T>(body: Uint8Array, parse: (value: unknown) => T): T {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new Malformed('not JSON');
  }
  return parse(value);
}

type Fields = { readonly [name: string]: unknown };

function fields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Malformed('not an object');
  return value as Fields;
}

function text(value: unknown, maximum = 100_000): string {
  if (typeof value !== 'string' || value.length > maximum) throw new Malformed('not a text of the right length');
  return value;
}

function integer(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new Malformed('not an integer');
  return value as number;
}

function natural(value: unknown): number {
  const number = integer(value);
  if (number < 0) throw new Malformed('negative');
  return number;
}

function date(value: unknown): Date {
  const parsed = new Date(text(value, 40));
  if (Number.isNaN(parsed.getTime())) throw new Malformed('not a date');
  return parsed;
}

function bytes(value: unknown): Uint8Array {
  const parsed = fromBase64url(text(value, 100_000_000));
  if (!parsed) throw new Malformed('not base64url');
  return parsed;
}

function bytesOf(value: unknown, length: number): Uint8Array {
  const parsed = bytes(value);
  if (parsed.length !== length) throw new Malformed(`not ${length} bytes`);
  return parsed;
}

/** UTC-12:00 to UTC+14:00 are in use. */
function minutesEast(value: unknown): number {
  const minutes = integer(value);
  if (Math.abs(minutes) > 14 * 60) throw new Malformed('not a UTC offset');
  return minutes;
}

function list<T>(value: unknown, parse: (item: unknown) => T): readonly T[] {
  if (!Array.isArray(value) || value.length > 1000) throw new Malformed('not a list');
  return value.map(item => parse(item));
}

function orNull<T>(value: unknown, parse: (item: unknown) => T): T | null {
  return value === null ? null : parse(value);
}

function oneOf<const T extends string>(value: unknown, ...allowed: readonly T[]): T {
  const found = allowed.find(item => item === value);
  if (found === undefined) throw new Malformed(`not one of ${allowed.join(', ')}`);
  return found;
}

/** Hex serial number, lower case. */
function serial(value: unknown): string {
  const parsed = text(value, 64);
  if (!/^[0-9a-f]+$/.test(parsed)) throw new Malformed('not a serial number');
  return parsed;
}

export function parsePublicKey(value: unknown): PublicKey {
  const { kty, crv, x, y } = fields(value);
  const coordinate = (part: unknown): string => {
    const parsed = text(part, 43);
    if (fromBase64url(parsed)?.length !== 32) throw new Malformed('not a coordinate of P-256');
    return parsed;
  };
  return { kty: oneOf(kty, 'EC'), crv: oneOf(crv, 'P-256'), x: coordinate(x), y: coordinate(y) };
}

export function parseNonceAnswer(value: unknown): NonceAnswer {
  const { nonce, time } = fields(value);
  return { nonce: text(nonce, 200), time: date(time) };
}

export function parseCodeAsk(value: unknown): CodeAsk {
  const { key, address, link } = fields(value);
  return { key: parsePublicKey(key), address: text(address, 320), link: orNull(link, item => text(item, 200)) };
}

function kindOf(value: unknown): 'browser' | 'command-line' {
  return oneOf(value, 'browser', 'command-line');
}

function parseAlternatives(value: unknown): Alternatives {
  return list(value, set => list(set, proof => oneOf(proof, 'mailed-code', 'password', 'admin-code')));
}

export function parseEnrolmentOptions(value: unknown): EnrolmentOptions {
  const { proofs, passkeys } = fields(value);
  return { proofs: parseAlternatives(proofs), passkeys: oneOf(passkeys, 'off', 'offered', 'required') };
}

export function parseProofAsk(value: unknown): ProofAsk {
  const { password, code, link } = fields(value);
  return {
    password: orNull(password, item => text(item, 1000)),
    code: orNull(code, item => text(item, 64)),
    link: orNull(link, item => text(item, 200)),
  };
}

export function parseEnrolmentAsk(value: unknown): EnrolmentAsk {
  const { key, address, name, kind, replaces } = fields(value);
  return {
    ...parseProofAsk(value),
    key: parsePublicKey(key),
    address: text(address, 320),
    name: text(name, 100),
    kind: kindOf(kind),
    replaces: orNull(replaces, item => {
      const { device, signature } = fields(item);
      return { device: text(device, 43), signature: bytesOf(signature, 64) };
    }),
  };
}

export function parseMoreAsk(value: unknown): MoreAsk {
  return { ...parseProofAsk(value), replaces: orNull(fields(value).replaces, item => text(item, 43)) };
}

export function parseEnrolmentAnswer(value: unknown): EnrolmentAnswer {
  const { state, enrolled, code, expiresAt, others, more } = fields(value);
  if (oneOf(state, 'enrolled', 'waiting') === 'enrolled')
    return { state: 'enrolled', enrolled: parseEnrolled(enrolled) };
  return {
    state: 'waiting',
    code: text(code, 20),
    expiresAt: date(expiresAt),
    others: list(others, item => {
      const { id, name, createdAt } = fields(item);
      return { id: text(id, 43), name: text(name), createdAt: date(createdAt) };
    }),
    more: parseAlternatives(more),
  };
}

export function parseNameAsk(value: unknown): NameAsk {
  return { name: text(fields(value).name, 100) };
}

export function parseOwnCodeAsk(value: unknown): OwnCodeAsk {
  return { link: orNull(fields(value).link, item => text(item, 200)) };
}

export function parseOwnDevices(value: unknown): readonly OwnDevice[] {
  return list(value, item => {
    const { id, name, kind, createdAt, endedAt, own } = fields(item);
    return {
      id: text(id, 43),
      name: text(name),
      kind: kindOf(kind),
      createdAt: date(createdAt),
      endedAt: orNull(endedAt, date),
      own: own === true,
    };
  });
}

export function parseNewcomers(value: unknown): readonly Newcomer[] {
  return list(value, item => {
    const { id, name, kind, code, replaces } = fields(item);
    return {
      id: text(id, 43),
      name: text(name),
      kind: kindOf(kind),
      code: text(code, 20),
      replaces: orNull(replaces, text),
    };
  });
}

export function parseNewcomerAsk(value: unknown): NewcomerAsk {
  const { confirmed } = fields(value);
  if (typeof confirmed !== 'boolean') throw new Malformed('neither true nor false');
  return { confirmed };
}

export function parsePasskeyOptions(value: unknown): PasskeyOptions {
  const { challenge, rpId, rpName, userId, userName } = fields(value);
  return {
    challenge: bytes(challenge),
    rpId: text(rpId),
    rpName: text(rpName),
    userId: bytes(userId),
    userName: text(userName),
  };
}

/** What authenticators say fits into a few hundred bytes; RSA keys need most. */
function authenticatorBytes(value: unknown): Uint8Array {
  const parsed = bytes(value);
  if (parsed.length > 8192) throw new Malformed('too long');
  return parsed;
}

export function parsePasskeyAsk(value: unknown): PasskeyAsk {
  const { clientData, authenticatorData } = fields(value);
  return { clientData: authenticatorBytes(clientData), authenticatorData: authenticatorBytes(authenticatorData) };
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

function parsePersonInfo(value: unknown): PersonInfo {
  const { name, mail } = fields(value);
  return { name: text(name), mail: text(mail) };
}

export function parseEnrolled(value: unknown): Enrolled {
  const { deviceId, person, company, gatewayKey } = fields(value);
  return {
    deviceId: text(deviceId, 43),
    person: parsePersonInfo(person),
    company: text(company),
    gatewayKey: parsePublicKey(gatewayKey),
  };
}

export function parseDeviceInfo(value: unknown): DeviceInfo {
  const { id, name, kind, createdAt, person, company } = fields(value);
  return {
    id: text(id, 43),
    name: text(name),
    kind: oneOf(kind, 'browser', 'command-line'),
    createdAt: date(createdAt),
    person: parsePersonInfo(person),
    company: text(company),
  };
}

export function parseWaitingList(value: unknown): readonly Waiting[] {
  return list(value, item => {
    const { link, request, subject, sender, documents, expiresAt } = fields(item);
    return {
      link: text(link, 200),
      request: text(request),
      subject: text(subject),
      sender: parsePersonInfo(sender),
      documents: natural(documents),
      expiresAt: date(expiresAt),
    };
  });
}

export function parseCertificateAsk(value: unknown): CertificateAsk {
  return { csr: bytes(fields(value).csr) };
}

export function parseCertificate(value: unknown): Certificate {
  const { serial: number, certificate, notAfter } = fields(value);
  return { serial: serial(number), certificate: bytes(certificate), notAfter: date(notAfter) };
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

export function parseTokenAsk(value: unknown): TokenAsk {
  return { key: bytesOf(fields(value).key, 32) };
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

export function parseProblem(value: unknown): ProblemAnswer {
  const { type, title, status, detail } = fields(value);
  const name = text(type, 100);
  if (!name.startsWith(PROBLEM_PREFIX)) throw new Malformed('not a problem of ours');
  return {
    type: oneOf(name.slice(PROBLEM_PREFIX.length), ...PROBLEMS),
    title: text(title),
    status: integer(status),
    detail: text(detail),
  };
}
