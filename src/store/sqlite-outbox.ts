/** The outbox in SQLite. */
import type { DatabaseSync } from 'node:sqlite';
import type { OutboxRow, OutboxState, OutboxStore } from './store.ts';

interface StoredRow {
  readonly id: string;
  readonly request_id: string | null;
  readonly kind: string;
  readonly topic: string;
  readonly recipient: string;
  readonly envelope_from: string;
  readonly message_id: string;
  readonly blob: string;
  readonly state: OutboxState;
  readonly attempts: number;
  readonly next_attempt_at: string;
  readonly last_reply: string | null;
  readonly created_at: string;
}

const COLUMNS = `id, request_id, kind, topic, recipient, envelope_from, message_id, blob, state, attempts,
  next_attempt_at, last_reply, created_at`;

export class SqliteOutbox implements OutboxStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async lease(limit: number, leaseMs: number, now: Date): Promise<readonly OutboxRow[]> {
    const rows = this.#database
      .prepare(
        `UPDATE outbox SET leased_until = ? WHERE id IN (
           SELECT id FROM outbox
           WHERE state = 'pending' AND next_attempt_at <= ? AND (leased_until IS NULL OR leased_until <= ?)
           ORDER BY next_attempt_at, created_at, id LIMIT ?)
         RETURNING ${COLUMNS}`,
      )
      .all(new Date(now.getTime() + leaseMs).toISOString(), now.toISOString(), now.toISOString(), limit);
    // RETURNING promises no order.
    return decode(rows).sort((a, b) => a.nextAttemptAt.getTime() - b.nextAttemptAt.getTime());
  }

  async update(id: string, result: Pick<OutboxRow, 'state' | 'nextAttemptAt' | 'lastReply'>): Promise<void> {
    const { state, lastReply } = result;
    if (state === 'bounced') {
      this.#database
        .prepare(`UPDATE outbox SET state = 'bounced', last_reply = ?, leased_until = NULL WHERE id = ?`)
        .run(lastReply, id);
      return;
    }
    this.#database
      .prepare(
        `UPDATE outbox SET state = ?, next_attempt_at = ?, last_reply = ?, attempts = attempts + 1, leased_until = NULL
         WHERE id = ? AND state = 'pending'`,
      )
      .run(state, result.nextAttemptAt.toISOString(), lastReply, id);
  }

  async find(id: string): Promise<OutboxRow | null> {
    return decode(this.#database.prepare(`SELECT ${COLUMNS} FROM outbox WHERE id = ?`).all(id))[0] ?? null;
  }

  async listSettled(limit: number): Promise<readonly OutboxRow[]> {
    return decode(
      this.#database
        .prepare(`SELECT ${COLUMNS} FROM outbox WHERE state <> 'pending' ORDER BY next_attempt_at DESC LIMIT ?`)
        .all(limit),
    );
  }

  /** Mails that Postfix took under this queue id; its reply says so. */
  async listQueuedAs(queueId: string): Promise<readonly OutboxRow[]> {
    return decode(
      this.#database
        .prepare(`SELECT ${COLUMNS} FROM outbox WHERE last_reply LIKE '250 %' AND instr(last_reply, ?) > 0 LIMIT 10`)
        .all(`queued as ${queueId}`),
    ).filter(({ lastReply }) => lastReply?.endsWith(`queued as ${queueId}`));
  }

  async listForRequest(requestId: string): Promise<readonly OutboxRow[]> {
    return decode(
      this.#database
        .prepare(`SELECT ${COLUMNS} FROM outbox WHERE request_id = ? ORDER BY created_at, kind, recipient`)
        .all(requestId),
    );
  }
}

/** Part of SqliteRequests.commit. */
export function insertOutboxRow(database: DatabaseSync, row: OutboxRow): void {
  database
    .prepare(`INSERT INTO outbox (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
    .run(
      row.id,
      row.requestId,
      row.kind,
      row.topic,
      row.recipient,
      row.envelopeFrom,
      row.messageId,
      row.blob,
      row.state,
      row.attempts,
      row.nextAttemptAt.toISOString(),
      row.lastReply,
      row.createdAt.toISOString(),
    );
}

function decode(rows: unknown[]): OutboxRow[] {
  return (rows as StoredRow[]).map(row => ({
    id: row.id,
    requestId: row.request_id,
    kind: row.kind,
    topic: row.topic,
    recipient: row.recipient,
    envelopeFrom: row.envelope_from,
    messageId: row.message_id,
    blob: row.blob,
    state: row.state,
    attempts: row.attempts,
    nextAttemptAt: new Date(row.next_attempt_at),
    lastReply: row.last_reply,
    createdAt: new Date(row.created_at),
  }));
}
