/**
 * The store on one SQLite database and a folder of files, for one gateway and the command line beside it.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { EvidenceLog } from '../evidence/log.ts';
import { SqliteAdmissions } from './admissions.ts';
import { SqliteEnrolments } from './enrolments.ts';
import { SqliteEvidence } from './evidence.ts';
import { SqliteJobs } from './sqlite-jobs.ts';
import { SqliteOnce } from './sqlite-once.ts';
import { SqliteOutbox } from './sqlite-outbox.ts';
import { SqliteRequests } from './sqlite-requests.ts';
import type { BlobStore, EnrolmentStore, JobStore, OnceStore, RequestStore, Store, WatchStore } from './store.ts';
import { SqliteWatch } from './watch.ts';

export class SqliteStore implements Store {
  readonly blobs: BlobStore;
  readonly requests: RequestStore;
  readonly jobs: JobStore;
  readonly outbox: SqliteOutbox;
  readonly once: OnceStore;
  readonly enrolments: EnrolmentStore;
  readonly evidence: EvidenceLog;
  readonly watch: WatchStore;
  readonly admissions: SqliteAdmissions;
  readonly #database: DatabaseSync;

  /**
   * @param database opened by openDatabase with MIGRATIONS; closed by `close`
   * @param now the clock by which things used once are forgotten, and of the evidence log
   */
  constructor(database: DatabaseSync, blobs: BlobStore, now: () => Date) {
    this.#database = database;
    this.blobs = blobs;
    this.requests = new SqliteRequests(database, now);
    this.jobs = new SqliteJobs(database);
    this.outbox = new SqliteOutbox(database);
    this.once = new SqliteOnce(database, now);
    this.enrolments = new SqliteEnrolments(database);
    this.evidence = new SqliteEvidence(database, now);
    this.watch = new SqliteWatch(database);
    this.admissions = new SqliteAdmissions(database);
  }

  /** Gives back what a killed gateway held. Only for the process that holds the state lock (lock.ts), before it starts workers. */
  forgetLeases(): void {
    this.#database.exec(`
      UPDATE jobs SET lease = NULL, leased_until = NULL WHERE leased_until IS NOT NULL;
      UPDATE outbox SET leased_until = NULL WHERE leased_until IS NOT NULL;
    `);
  }

  async close(): Promise<void> {
    this.admissions.flush();
    this.#database.close();
  }
}
