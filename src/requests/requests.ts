/**
 * What entrances and the phone's API may do with requests. The implementation is the only place where state changes.
 * It knows neither mail nor HTTP.
 */
import type { Mark } from '../documents/strokes.ts';
import type { BlobId, Device, PendingEnrolment, Request, Session, Submission } from './model.ts';
import type { Alternatives } from './proofs.ts';
import type { Shown } from './showing.ts';
import type { Assertion, Registration } from './webauthn.ts';

export interface Opened {
  readonly request: Request;
  /** False when the same submission had been opened before. */
  readonly created: boolean;
}

/** What was reached: requests of one sender that wait, those of them that wait for one person, those of one day. */
export type LimitName = 'per-sender' | 'per-pair' | 'per-day';

/** The sender has asked for enough for now; later it is possible again. Mail answers 450 4.7.1. */
export class TooManyRequests extends Error {
  override readonly name = 'TooManyRequests';
  readonly limit: LimitName;
  /** How many the configuration allows. */
  readonly allowed: number;
  /** For `per-pair`: the person who is asked too often. */
  readonly personId: string | null;
  constructor(limit: LimitName, allowed: number, personId: string | null = null) {
    super(`the limit ${limit} of ${allowed} is reached`);
    this.limit = limit;
    this.allowed = allowed;
    this.personId = personId;
  }
}

export type ConflictReason =
  | 'not-open'
  | 'not-your-turn'
  | 'turn-lost'
  | 'busy'
  | 'no-certificate'
  | 'bad-signature'
  | 'no-token'
  | 'token-refused'
  | 'bad-approval'
  | 'no-more-tries'
  | 'more-proof'
  | 'passkey-needed'
  | 'passkey-refused';

/**
 * The action does not fit the state now. `busy`: another signatory has the turn, try again in a few seconds. `no-token`:
 * the device has sent no token key yet. `token-refused`: it has sent another one before. `more-proof`: this device's
 * person has not shown enough for this level. `passkey-needed`: this level asks for a passkey.
 */
export class Conflict extends Error {
  override readonly name = 'Conflict';
  readonly reason: ConflictReason;
  constructor(reason: ConflictReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface GrantedDocument {
  /** Length of the prefix that the device said it has; `appended` continues there. */
  readonly known: number;
  /** Bytes appended since, up to and including the prepared revision with its zeroed Contents. */
  readonly appended: Uint8Array;
  readonly byteRange: readonly [number, number, number, number];
  /** DER, SET OF: what the device signs after checking it. */
  readonly signedAttributes: Uint8Array;
}

export interface Grant {
  readonly turn: string;
  readonly expiresAt: Date;
  readonly signingTime: Date;
  readonly documents: readonly GrantedDocument[];
}

/** A question that the device answers with its token key, after comparing the data with what it showed. */
export interface Question {
  /** 20 random bytes. */
  readonly nonce: Uint8Array;
  /** UTF-8 (src/client/approval.ts). */
  readonly data: Uint8Array;
}

/** Approval of all documents of a request at the level Standard. */
export interface ApprovalAsk {
  /** Of the Question. */
  readonly nonce: Uint8Array;
  /** HMAC-SHA256 with the token key over nonce ‖ data. */
  readonly hmac: Uint8Array;
  readonly signature: Mark;
  readonly paraph: Mark | null;
  /** Minutes east of UTC. */
  readonly utcOffset: number;
  /** Of the device's passkey over nonce and data; null where it has none. */
  readonly assertion: Assertion | null;
}

/** How an approval came in, for its evidence. */
export interface ApprovalOrigin {
  readonly userIp: string;
  /** The service as it was called: its name and address. */
  readonly clientId: string;
  readonly clientIp: string;
  /** The device's signed call as received. */
  readonly call: Uint8Array;
}

export interface Requests {
  /** Safe when it returns: files fsynced, row committed (DESIGN.md decision 3). @throws TooManyRequests */
  open(submission: Submission): Promise<Opened>;

  /** The session that a link token names, whatever its state, with its request; null when unknown. */
  findByLink(token: string): Promise<{ request: Request; session: Session } | null>;
  /** The same by SHA-256 (hex) of the token: for calls that are kept as evidence, which must hold no link. */
  findByLinkHash(hash: string): Promise<{ request: Request; session: Session } | null>;
  /** The link token of a session (never another party's business). */
  linkToken(session: Session): string;
  /** Sessions of a person that wait for them. */
  waitingFor(personId: string): Promise<readonly { request: Request; session: Session }[]>;
  /** Bytes of the newest revision of document `index`. */
  readHead(request: Request, index: number): Promise<Uint8Array>;

  /**
   * Grants a turn on the newest revision: 60 s lease, fencing token (DESIGN.md decision 12). The same device asking
   * again while its turn lasts gets the same turn. `known[i]` is the length of document i that the device has; it must
   * be the length of an earlier (or the newest) revision, else everything is sent. @throws Conflict
   */
  grantTurn(
    sessionId: string,
    device: Device,
    ask: { readonly certificateSerial: string; readonly known: readonly number[]; readonly utcOffset: number },
  ): Promise<Grant>;
  /**
   * Checks each signature (DER ECDSA) against the turn's certificate, timestamps, completes and commits all documents of
   * the request at once. Repeating it with the same turn after success returns the session as signed. @throws Conflict
   */
  completeTurn(
    sessionId: string,
    device: Device,
    turn: string,
    signatures: readonly Uint8Array[],
    assertion?: Assertion | null,
  ): Promise<Session>;
  /**
   * Standard, first step: what the device is to answer for. `documents[i]` is the SHA-256 (hex) of the bytes of document i
   * that the device holds, a revision that exists; `place` what the person grants. A newer question replaces it. @throws Conflict
   */
  askApproval(
    sessionId: string,
    device: Device,
    ask: { readonly documents: readonly BlobId[]; readonly place: string | null },
  ): Promise<Question>;
  /**
   * Standard, second step: checks the answer, then makes this person's revision of every document on the newest heads and
   * commits them at once with the evidence. Repeating it after success returns the session as signed. Five wrong
   * answers end the session's tries. @throws Conflict, TimestampUnavailable
   */
  approve(sessionId: string, device: Device, approval: ApprovalAsk, origin: ApprovalOrigin): Promise<Session>;
  /** An approval's evidence and the verdict on it with the token key; null for a session without. @throws Error when a file is missing */
  readEvidence(session: Session): Promise<ReadEvidence | null>;
  /** Ends the whole request as rejected; repeating it returns the same session. @throws Conflict */
  reject(sessionId: string, device: Device, comment: string | null): Promise<Session>;
  /** By the admin; the sender does it by reply (by-reply.ts). @throws Conflict when it has ended already */
  cancel(requestId: string): Promise<Request>;

  /** A finished request that this person is a party of (sender, signatory or copy); null for anything else. */
  findFinished(requestId: string, personId: string): Promise<Request | null>;
  /** Bytes of the finished file `index` (finished-files.ts). */
  readFinished(request: Request, index: number): Promise<Uint8Array>;

  find(requestId: string): Promise<Request | null>;
  list(filter: { readonly ended: boolean }): Promise<readonly Request[]>;
}

export interface ReadEvidence {
  /** Transaction report, text. */
  readonly report: Uint8Array;
  /** Detached CAdES over it. */
  readonly seal: Uint8Array;
  /** The device's signed call. */
  readonly call: Uint8Array;
  /** What doesn't fit when the report is recomputed with the token key; null when all does. */
  readonly fault: string | null;
}

export interface EnrolmentCode {
  /** Nine digits. */
  readonly code: string;
  readonly expiresAt: Date;
}

/** The one answer to whatever is wrong, expired, used up or not enough, and to unknown people. */
export class EnrolmentRefused extends Error {
  override readonly name = 'EnrolmentRefused';
}

/** Nothing was tried: there were too many tries for this person, so that nobody can guess or lock an account. */
export class TooManyTries extends Error {
  override readonly name = 'TooManyTries';
  readonly what: 'code' | 'password';
  constructor(what: 'code' | 'password') {
    super(`too many tries of a ${what}`);
    this.what = what;
  }
}

export type EnrolmentOutcome =
  | { readonly state: 'enrolled'; readonly device: Device }
  /** Another active device of the person is to confirm, or more is to be shown. */
  | {
      readonly state: 'waiting';
      readonly pending: PendingEnrolment;
      readonly others: readonly Device[];
      /** What else is enough without them: any one of these. */
      readonly more: Alternatives;
    };

/** What takes the place of which device. `held`: the new device's maker has shown that it holds the old one's key, too. */
export interface Replacement {
  readonly deviceId: string;
  readonly held: boolean;
}

/** Devices and their enrolment (enrolment.ts). */
export interface Devices {
  /** An admin's code for a person: single use, 15 minutes. Replaces an older one. */
  createAdminCode(personId: string): Promise<EnrolmentCode>;
  /**
   * Mails a six-digit code to the person's primary address, bound to the link (if any) and the key. Silently does
   * nothing when the config doesn't allow it, the person is unknown or the link isn't theirs, or their cap of the day
   * is reached: the caller can't tell.
   */
  sendCode(ask: { readonly address: string; readonly link: string | null; readonly deviceId: string }): Promise<void>;
  /** Tries what is shown and sets up the device, or has it wait. The same key again gets the same answer. @throws EnrolmentRefused, TooManyTries */
  enrol(
    ask: Shown & {
      readonly address: string;
      readonly device: Pick<Device, 'id' | 'key' | 'name' | 'kind'>;
      readonly replaces: Replacement | null;
    },
  ): Promise<EnrolmentOutcome>;
  /** What has become of the key that waits or waited; null when it was refused, has expired or never was. */
  enrolment(deviceId: string): Promise<EnrolmentOutcome | null>;
  /** A waiting key shows more, or names a device of the same person that it replaces. @throws EnrolmentRefused, TooManyTries */
  continueEnrolment(deviceId: string, ask: Shown & { readonly replaces: string | null }): Promise<EnrolmentOutcome>;
  /** Keys that wait for this person's devices. */
  waiting(personId: string): Promise<readonly PendingEnrolment[]>;
  /** The device answers for a key that waits. False when there is none (any more). */
  answer(device: Device, waitingId: string, confirmed: boolean): Promise<boolean>;
  /** An active device's person shows more, for levels that ask for it. @throws EnrolmentRefused, TooManyTries */
  prove(device: Device, shown: Shown): Promise<Device>;
  rename(device: Device, name: string): Promise<void>;
  /** Gives a device that was set up or has shown more a moment ago its passkey. @throws Conflict */
  addPasskey(device: Device, registration: Registration): Promise<void>;
  /** The device's token key (32 bytes), sent once; the same one again changes nothing. @throws Conflict `token-refused` */
  setTokenKey(deviceId: string, key: Uint8Array): Promise<void>;
  find(deviceId: string): Promise<Device | null>;
  listForPerson(personId: string): Promise<readonly Device[]>;
  list(): Promise<readonly Device[]>;
  /** By the person or the admin: the device can do nothing any more; its certificates are revoked. */
  end(deviceId: string, state: 'retired' | 'revoked'): Promise<void>;
}
