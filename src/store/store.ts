/**
 * What must not be lost. Every interface here is small and has one file per implementation: SQLite and files now,
 * Redis later; test/unit/store/contract.ts is the contract test that each implementation passes.
 * Everything is a promise, because Redis needs it.
 */
import type { Happening } from '../evidence/entry.ts';
import type { BlobId, Device, PendingEnrolment, Request } from '../requests/model.ts';

/** Content-addressed files. */
export interface BlobStore {
  /** Durable when it resolves: written, fsynced, renamed, directory fsynced. Writing the same bytes twice is one file. */
  put(bytes: Uint8Array): Promise<BlobId>;
  /** @throws Error when there is no such blob, or its bytes don't hash to the id */
  get(id: BlobId): Promise<Uint8Array>;
  /** Only for bytes that nothing else can have put: the id is that of their content. Nothing when it is gone already. */
  remove(id: BlobId): Promise<void>;
}

export type OutboxState = 'pending' | 'sent' | 'failed' | 'bounced';

/** One mail to one recipient. Unique by (requestId, recipient, kind, topic) where requestId isn't null. */
export interface OutboxRow {
  /** 16 characters [a-z0-9]: in the return path and the Message-ID. */
  readonly id: string;
  readonly requestId: string | null;
  readonly kind: string;
  /** Tells several mails of one kind to one recipient apart (a session id, a reminder's date); usually empty. */
  readonly topic: string;
  readonly recipient: string;
  readonly envelopeFrom: string;
  readonly messageId: string;
  /** Final bytes. */
  readonly blob: BlobId;
  readonly state: OutboxState;
  readonly attempts: number;
  readonly nextAttemptAt: Date;
  /** The SMTP reply or error of the newest attempt. */
  readonly lastReply: string | null;
  readonly createdAt: Date;
}

/** Work to do after the reply; each kind is safe to repeat. */
export interface Job {
  readonly id: string;
  readonly kind: 'prepare' | 'close' | 'expire' | 'remind' | 'extend';
  readonly requestId: string;
  readonly dueAt: Date;
  readonly attempts: number;
}

/** A job that this worker holds. */
export interface LeasedJob extends Job {
  /** Fencing token of this lease. */
  readonly lease: string;
}

/** How much one sender has asked for. */
export interface SenderLoad {
  /** Requests that haven't ended. */
  readonly pending: number;
  /** Requests that were opened since a time. */
  readonly recent: number;
  /** By person: how many of the pending ones wait for them. */
  readonly perPerson: ReadonlyMap<string, number>;
}

/** All or nothing. False from `commit` means that a version or a unique key did not fit: read again and decide anew. */
export interface Change {
  /** New requests (version 1) and changed ones (version = stored version + 1). */
  readonly requests?: readonly Request[];
  /** Asked with what the new request's sender has already, inside the transaction; what it throws undoes everything. */
  readonly admit?: { readonly since: Date; check(load: SenderLoad): void };
  /** New devices (active, id unused) and active ones that end; an ended one never changes again. */
  readonly devices?: readonly Device[];
  readonly outbox?: readonly OutboxRow[];
  readonly addJobs?: readonly Job[];
  /** These go first: an added job may have the id of one that is finished. */
  readonly finishJobs?: readonly string[];
  readonly marks?: readonly WatchMark[];
  /** What the evidence log shall hold beyond what it derives from the change itself. */
  readonly evidence?: readonly Happening[];
}

/** What the admin was told about something that the watch looks at; one for each item. */
export interface WatchMark {
  readonly item: string;
  /** Null: nothing is to be remembered any more. */
  readonly told: string | null;
  /** When it began. */
  readonly at: Date;
}

/** What the watch (src/watch) remembers; it writes by `RequestStore.commit`, together with the mails. */
export interface WatchStore {
  /** By item, the oldest first. */
  marks(): Promise<ReadonlyMap<string, WatchMark>>;
  /** When the mail that has waited longest was written; null where none waits. */
  oldestWaitingMail(): Promise<Date | null>;
}

export interface RequestStore {
  /** False when a version, a device's state or a unique key (ids, Request.key, outbox) didn't fit; nothing has changed then. */
  commit(change: Change): Promise<boolean>;
  find(id: string): Promise<Request | null>;
  findByKey(key: string): Promise<Request | null>;
  findBySession(sessionId: string): Promise<Request | null>;
  findByLinkHash(hash: string): Promise<Request | null>;
  listWaiting(personId: string): Promise<readonly Request[]>;
  list(filter: { readonly ended: boolean }): Promise<readonly Request[]>;
  /** What this sender has asked for: pending, and opened since `since`. */
  loadOf(senderId: string, since: Date): Promise<SenderLoad>;
  findDevice(id: string): Promise<Device | null>;
  listDevices(personId: string | null): Promise<readonly Device[]>;
  /** Gives an active device its token key, once; false when it has one already or isn't active. */
  setTokenKey(deviceId: string, wrapped: string): Promise<boolean>;
  /**
   * Changes an active device (name, proofs, passkey) atomically; `amend` is synchronous and returns null to leave it.
   * Null when it isn't active or was left.
   */
  amendDevice(deviceId: string, amend: (device: Device) => Device | null): Promise<Device | null>;
}

/** Devices that wait for another device of their person; what has expired isn't there. */
export interface EnrolmentStore {
  /** Replaces an older one of the same key. */
  put(enrolment: PendingEnrolment): Promise<void>;
  find(deviceId: string, now: Date): Promise<PendingEnrolment | null>;
  listForPerson(personId: string, now: Date): Promise<readonly PendingEnrolment[]>;
  /** True for exactly one of several callers. */
  remove(deviceId: string): Promise<boolean>;
}

/** Leases: a worker that dies loses its lease, and another takes over. */
export interface JobStore {
  /** Up to `limit` due jobs that nobody leases, leased until now + leaseMs. */
  lease(limit: number, leaseMs: number, now: Date): Promise<readonly LeasedJob[]>;
  /** Keeps the lease while the work goes on; false when it was lost. */
  extend(job: LeasedJob, leaseMs: number, now: Date): Promise<boolean>;
  /** Back-off: gives the job back, due again at `dueAt`, attempts + 1. Nothing when the lease was lost. */
  retry(job: LeasedJob, dueAt: Date): Promise<void>;
}

export interface OutboxStore {
  /** Up to `limit` pending rows that are due and that nobody leases, oldest first. */
  lease(limit: number, leaseMs: number, now: Date): Promise<readonly OutboxRow[]>;
  /**
   * Result of an attempt: attempts + 1, clears the lease. A row that isn't pending any more keeps its state, except that
   * a bounce ('bounced', no attempt) may come after 'sent', or before it is noted.
   */
  update(id: string, result: Pick<OutboxRow, 'state' | 'nextAttemptAt' | 'lastReply'>): Promise<void>;
  find(id: string): Promise<OutboxRow | null>;
  listForRequest(requestId: string): Promise<readonly OutboxRow[]>;
  /** Rows that nobody will send any more, the last first. */
  listSettled(limit: number): Promise<readonly OutboxRow[]>;
}

/** Enrolment codes, nonces and their counters: short-lived things that must be used at most once. */
export interface OnceStore {
  /** True the first time, false ever after (until `expiresAt`). */
  useOnce(kind: string, value: string, expiresAt: Date): Promise<boolean>;
  /** Stores a secret's hash under (kind, subject), replacing an older one. */
  putCode(kind: string, subject: string, codeHash: string, expiresAt: Date): Promise<void>;
  /**
   * Compares in constant time; uses the code up when it fits, and after so many wrong tries (null: never, the caller
   * counts them). Atomic: of parallel calls with the right code exactly one gets true.
   */
  tryCode(kind: string, subject: string, codeHash: string, now: Date, wrongTries?: number | null): Promise<boolean>;
  /** Counts an event unless there were `most` since `since` already: false then, and nothing is counted. */
  take(kind: string, subject: string, most: number, now: Date, since: Date): Promise<boolean>;
  /** Forgets the newest `count` events. */
  giveBack(kind: string, subject: string, count: number): Promise<void>;
  /** Counts an event under (kind, subject) since `since`; returns the count with this one. */
  count(kind: string, subject: string, now: Date, since: Date): Promise<number>;
}

export interface Store {
  readonly blobs: BlobStore;
  readonly requests: RequestStore;
  readonly jobs: JobStore;
  readonly outbox: OutboxStore;
  readonly once: OnceStore;
  readonly enrolments: EnrolmentStore;
  close(): Promise<void>;
}
