/**
 * The words of the product as types: what an entrance asks for (Submission) and what it becomes
 * (Request with one Session per signatory, Devices that sign). State changes only in src/requests.
 */
import type { Language, Person } from '../directory/directory.ts';
import type { DocumentLayout } from '../documents/layout.ts';
import type { FileForm } from '../signatures/file-signatures.ts';

export const LEVELS = ['standard', 'advanced', 'qualified', 'seal'] as const;
export type Level = (typeof LEVELS)[number];
export type Mode = 'parallel' | 'ordered';

/** Somebody who gets the outcome by mail: a snapshot, so that a later directory change rewrites no history. */
export interface Party {
  readonly personId: string;
  readonly name: string;
  readonly mail: string;
  readonly language: Language;
}

/** What an entrance (mail, later SOAP and REST) asks for, already authenticated, resolved and parsed. */
export interface Submission {
  readonly sender: Person;
  /** In the order of the To field; each person once; empty for the level seal, and only there. */
  readonly signatories: readonly Person[];
  /** Parties that get the result but don't sign. */
  readonly copies: readonly Person[];
  readonly level: Level;
  /** True when the level came from the config, so that the acknowledgement names it. */
  readonly levelIsDefault: boolean;
  readonly mode: Mode;
  /** What the sender asked for as deadline, or null for the config's default. */
  readonly expiresAt: Date | null;
  /** Decoded documents, in the mail's order; never empty. `name` is a display name, never a path. */
  readonly documents: readonly {
    readonly name: string;
    readonly bytes: Uint8Array;
    /** Absent for a PDF. */
    readonly kind?: FileKind;
  }[];
  /** Names of the parts that were passed over. */
  readonly passedOver: readonly string[];
  /** The sender's subject as written, controls removed. */
  readonly subject: string;
  /** The sender's own text as plain text, controls removed; may be empty. */
  readonly text: string;
  /** Message-ID with angle brackets, and the ids it refers to, for threading. */
  readonly messageId: string;
  readonly references: readonly string[];
  /** The same message delivered twice has the same key (DESIGN.md decision 3): SHA-256 in hex. */
  readonly key: string;
  /** Postfix queue id, for the log; null for entrances other than mail. */
  readonly queueId: string | null;
}

export const REQUEST_STATES = [
  'preparing',
  'open',
  'closing',
  'finished',
  'rejected',
  'expired',
  'cancelled',
  'failed',
] as const;
export type RequestState = (typeof REQUEST_STATES)[number];

/** SHA-256 in lower-case hex of a file in the blob store. */
export type BlobId = string;

/** A document that isn't a PDF: it is signed as it is, octet by octet. */
export type FileKind = 'xml' | 'file';

export interface RequestDocument {
  readonly name: string;
  /** Absent for a PDF. Other files never change: head and original are the same, and there is no layout. */
  readonly kind?: FileKind;
  /** 0 for what isn't a PDF. */
  readonly pages: number;
  /** The bytes as they were mailed. */
  readonly original: BlobId;
  /** Every revision that devices may have read, oldest first, the head last; absent until prepared. */
  readonly revisions?: readonly { readonly length: number; readonly blob: BlobId }[];
  /** The newest revision (what devices read); null until prepared. */
  readonly head: BlobId | null;
  /** Length of the head in bytes. */
  readonly headLength: number;
  /** Where the fields of each signatory are; null until prepared. */
  readonly layout: DocumentLayout | null;
  /** The finished file: closing seal, DSS, document timestamp. */
  readonly finished: BlobId | null;
  /** Length of the finished file in bytes; absent until finished. */
  readonly finishedLength?: number;
  /** Of what isn't a PDF: detached CMS with the signatures so far; absent before the first. */
  readonly signatures?: BlobId;
  /** Of what isn't a PDF: what its finished file is; absent until finished. */
  readonly finishedForm?: FileForm;
}

/** A short exclusive right to sign the newest revision (DESIGN.md decision 12). */
export interface Turn {
  /** Fencing token: random, unguessable, never reused. */
  readonly id: string;
  readonly sessionId: string;
  readonly deviceId: string;
  /** Serial number (hex) of the certificate that will be used. */
  readonly certificateSerial: string;
  /** Signing time, fixed at the grant. */
  readonly signingTime: Date;
  /** Minutes east of UTC, as the device asked; shown in the appearance. */
  readonly utcOffset: number;
  readonly expiresAt: Date;
  /** The head of each document that this turn signs; a commit compares and swaps them. */
  readonly heads: readonly BlobId[];
}

export interface Request {
  /** 12 characters of Crockford base32, shown to people as the request number. */
  readonly id: string;
  readonly key: string;
  readonly state: RequestState;
  readonly level: Level;
  readonly levelIsDefault: boolean;
  readonly mode: Mode;
  readonly sender: Party;
  readonly copies: readonly Party[];
  /** In signing order; `index` in the array is the signatory's number in the document layout. */
  readonly sessions: readonly Session[];
  readonly documents: readonly RequestDocument[];
  readonly passedOver: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly messageId: string;
  readonly references: readonly string[];
  readonly queueId: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** How often its sender gave it more time; absent: never. */
  readonly prolonged?: number;
  readonly endedAt: Date | null;
  readonly turn: Turn | null;
  /** Counts up with every commit; a commit compares and swaps it. */
  readonly version: number;
}

/** waiting: not their turn yet (in order) or still preparing; closed: the request ended without them. */
export const SESSION_STATES = ['waiting', 'open', 'signed', 'rejected', 'closed'] as const;
export type SessionState = (typeof SESSION_STATES)[number];

export interface Session {
  /** [A-Za-z0-9]{16}. Never usable as a link, never shown to other parties. */
  readonly id: string;
  readonly party: Party;
  /** Job title for the signature page, from the directory; absent when there is none. */
  readonly title?: string;
  readonly state: SessionState;
  /** SHA-256 (hex) of the link token; the token itself is derived by requests/links.ts and stored nowhere. */
  readonly linkHash: string;
  readonly endedAt: Date | null;
  /** The signatory's comment with a rejection. */
  readonly comment: string | null;
  readonly deviceId: string | null;
  readonly certificateSerial: string | null;
  /** Standard: what a device was asked to approve, the newest only; absent when it is answered. */
  readonly challenge?: Challenge;
  /** Standard: answers with a wrong HMAC; after five there are no more. */
  readonly wrongAnswers?: number;
  /** Standard: what proves the approval. */
  readonly evidence?: Evidence;
  /** The passkey's assertion over what was signed (requests/passkeys.ts), where the device has one. */
  readonly assertion?: BlobId;
}

/** What a device is to answer for with its token key. */
export interface Challenge {
  readonly deviceId: string;
  /** 20 random bytes, hex. */
  readonly nonce: string;
  /** The exact text that is approved (src/client/approval.ts). */
  readonly data: string;
  /** The revision of each document that the device holds. */
  readonly documents: readonly BlobId[];
  readonly place: string | null;
  readonly at: Date;
}

/** Files that prove an approval, each in the blob store. */
export interface Evidence {
  /** Transaction report (src/signatures/report.ts). */
  readonly report: BlobId;
  /** The company seal over the report, detached CAdES B-T. */
  readonly seal: BlobId;
  /** The device's signed call that approved: RFC 9421 signature base, signature, body. */
  readonly call: BlobId;
  /** The token key that answered, wrapped (requests/token-key.ts), so that the report can be checked. */
  readonly tokenKey: string;
}

export const DEVICE_STATES = ['active', 'retired', 'revoked'] as const;
export type DeviceState = (typeof DEVICE_STATES)[number];

/** How somebody shows who they are when a device is set up, weakest first. */
export const PROOFS = ['mailed-code', 'password', 'admin-code'] as const;
export type Proof = (typeof PROOFS)[number];

/** A WebAuthn credential that a device must add to its signatures. */
export interface Passkey {
  /** Credential id, base64url. */
  readonly id: string;
  /** SubjectPublicKeyInfo, DER, base64url. */
  readonly publicKey: string;
  /** Of the newest assertion; 0 where the authenticator doesn't count. */
  readonly signCount: number;
  /** Proof of the newest assertion: the very same again is its repetition, not a copy. */
  readonly newest?: BlobId;
}

/** A signatory's enrolled phone, browser or command line. */
export interface Device {
  /** RFC 7638 thumbprint (base64url) of the authentication key: it is the `keyid` of RFC 9421 signatures. */
  readonly id: string;
  readonly personId: string;
  /** What the person calls it ("Firefox on Android"). */
  readonly name: string;
  readonly kind: 'browser' | 'command-line';
  /** Public authentication key, P-256, as JWK. */
  readonly key: { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string };
  /** The token key that it answers for approvals with, wrapped (requests/token-key.ts); absent until it sent one. */
  readonly tokenKey?: string;
  /** What its person has shown for it; absent on devices of earlier versions. */
  readonly proofs?: readonly Proof[];
  /** When they did so last. */
  readonly provedAt?: Date;
  /** The other device of the person that confirmed it. */
  readonly confirmedBy?: string;
  readonly passkey?: Passkey;
  readonly state: DeviceState;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
}

/** A device whose person has shown enough to ask another device of theirs. */
export interface PendingEnrolment {
  readonly device: Pick<Device, 'id' | 'key' | 'name' | 'kind'>;
  readonly personId: string;
  readonly proofs: readonly Proof[];
  /** Id of the device that it says it replaces, once confirmed. */
  readonly replaces: string | null;
  /** Four digits that both devices show. */
  readonly matching: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}
