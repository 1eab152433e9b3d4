/** Jobs in SQLite: a lease is a random token with an end; each statement is a transaction of its own. */
import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Job, JobStore, LeasedJob } from './store.ts';

interface JobRow {
  readonly id: string;
  readonly kind: Job['kind'];
  readonly request_id: string;
  readonly due_at: string;
  readonly attempts: number;
  readonly lease: string;
}

export class SqliteJobs implements JobStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async lease(limit: number, leaseMs: number, now: Date): Promise<readonly LeasedJob[]> {
    const rows = this.#database
      .prepare(
        `UPDATE jobs SET lease = ?, leased_until = ? WHERE id IN (
           SELECT id FROM jobs WHERE due_at <= ? AND (leased_until IS NULL OR leased_until <= ?)
           ORDER BY due_at, id LIMIT ?)
         RETURNING id, kind, request_id, due_at, attempts, lease`,
      )
      .all(randomUUID(), later(now, leaseMs), now.toISOString(), now.toISOString(), limit) as unknown as JobRow[];
    return rows.map(row => ({
      id: row.id,
      kind: row.kind,
      requestId: row.request_id,
      dueAt: new Date(row.due_at),
      attempts: row.attempts,
      lease: row.lease,
    }));
  }

  async extend(job: LeasedJob, leaseMs: number, now: Date): Promise<boolean> {
    const { changes } = this.#database
      .prepare('UPDATE jobs SET leased_until = ? WHERE id = ? AND lease = ?')
      .run(later(now, leaseMs), job.id, job.lease);
    return changes === 1;
  }

  async retry(job: LeasedJob, dueAt: Date): Promise<void> {
    this.#database
      .prepare(
        `UPDATE jobs SET due_at = ?, attempts = attempts + 1, lease = NULL, leased_until = NULL
         WHERE id = ? AND lease = ?`,
      )
      .run(dueAt.toISOString(), job.id, job.lease);
  }
}

/** Part of SqliteRequests.commit. */
export function insertJob(database: DatabaseSync, job: Job): void {
  database
    .prepare('INSERT INTO jobs (id, kind, request_id, due_at, attempts) VALUES (?, ?, ?, ?, ?)')
    .run(job.id, job.kind, job.requestId, job.dueAt.toISOString(), job.attempts);
}

function later(now: Date, milliseconds: number): string {
  return new Date(now.getTime() + milliseconds).toISOString();
}
