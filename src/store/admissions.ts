/**
 * What became of each message at the gate and at LMTP, in SQLite, for `signpost why`: a bounded memory beside the log.
 * It proves nothing (the evidence log does that), so it is written in batches, and a kill may lose the last half second.
 */
import type { DatabaseSync } from 'node:sqlite';
import { transaction } from './database.ts';

export const ADMISSIONS_SCHEMA = `
CREATE TABLE admissions (
  id INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  stage TEXT NOT NULL,
  queue_id TEXT,
  message_id TEXT,
  sender TEXT NOT NULL,
  client TEXT,
  recipients TEXT NOT NULL,
  method TEXT,
  code INTEGER NOT NULL,
  text TEXT NOT NULL,
  request_id TEXT
) STRICT;
CREATE INDEX admissions_by_queue_id ON admissions (queue_id) WHERE queue_id IS NOT NULL;
CREATE INDEX admissions_by_message_id ON admissions (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX admissions_by_request ON admissions (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX admissions_by_sender ON admissions (sender);
CREATE INDEX admissions_by_age ON admissions (at);
`;

export interface Admission {
  readonly at: Date;
  /** gate: the milter, while the sender was connected. intake: LMTP, when Postfix handed it over. */
  readonly stage: 'gate' | 'intake';
  /** Null before Postfix has given one: it does at the first recipient that it accepts. */
  readonly queueId: string | null;
  /** With angle brackets; null when the message was refused before its header came. */
  readonly messageId: string | null;
  /** Envelope sender; empty for delivery reports. */
  readonly sender: string;
  /** IP address of the SMTP client; null at LMTP. */
  readonly client: string | null;
  readonly recipients: readonly string[];
  /** How the sender was recognised, where they were. */
  readonly method: string | null;
  /** What the other side heard: 250, or an SMTP code of refusal. */
  readonly code: number;
  readonly text: string;
  readonly requestId: string | null;
}

/** Any one of them. */
export type AdmissionKey =
  | { readonly queueId: string }
  | { readonly messageId: string }
  | { readonly requestId: string }
  | { readonly sender: string };

export interface AdmissionStore {
  /** Remembered soon after; never throws. */
  note(admission: Admission): void;
  /** Oldest first; of one sender the newest 50. */
  find(key: AdmissionKey): Promise<readonly Admission[]>;
}

const FLUSH_AFTER = 300;
/** A flood keeps nobody's disk busy: what comes faster than it can be written is left to the log. */
const MOST_WAITING = 1000;
const MOST_KEPT = 50_000;
const KEPT_FOR = 90 * 86_400_000;
const COLUMNS = 'at, stage, queue_id, message_id, sender, client, recipients, method, code, text, request_id';
const FIELDS = { queueId: 'queue_id', messageId: 'message_id', requestId: 'request_id', sender: 'sender' } as const;

export class SqliteAdmissions implements AdmissionStore {
  readonly #database: DatabaseSync;
  #waiting: Admission[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  note(admission: Admission): void {
    if (this.#waiting.length >= MOST_WAITING) return;
    this.#waiting.push(admission);
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_AFTER).unref();
  }

  /** Writes what waits. On a full disk it is dropped: mail matters more. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const batch = this.#waiting.splice(0);
    if (batch.length === 0) return;
    try {
      transaction(this.#database, () => this.#write(batch));
    } catch {
      // Whoever asks later is told by the log.
    }
  }

  #write(batch: readonly Admission[]): void {
    const insert = this.#database.prepare(
      `INSERT INTO admissions (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    for (const one of batch) {
      insert.run(
        one.at.toISOString(),
        one.stage,
        one.queueId,
        one.messageId?.slice(0, 300) ?? null,
        one.sender.slice(0, 320).toLowerCase(),
        one.client,
        JSON.stringify(one.recipients.slice(0, 100).map(recipient => recipient.slice(0, 320))),
        one.method,
        one.code,
        one.text.slice(0, 1000),
        one.requestId,
      );
    }
    const oldest = new Date(batch.at(-1)!.at.getTime() - KEPT_FOR).toISOString();
    this.#database.prepare('DELETE FROM admissions WHERE id <= (SELECT max(id) FROM admissions) - ?').run(MOST_KEPT);
    this.#database.prepare('DELETE FROM admissions WHERE at < ?').run(oldest);
  }

  async find(key: AdmissionKey): Promise<readonly Admission[]> {
    this.flush();
    const [name, value] = Object.entries(key)[0] as [keyof typeof FIELDS, string];
    const rows = this.#database
      .prepare(`SELECT ${COLUMNS} FROM admissions WHERE ${FIELDS[name]} = ? ORDER BY id DESC LIMIT 50`)
      .all(name === 'sender' ? value.toLowerCase() : value);
    return rows.map(decode).reverse();
  }
}

function decode(row: Record<string, unknown>): Admission {
  const text = (value: unknown): string | null => (value === null ? null : String(value));
  return {
    at: new Date(String(row.at)),
    stage: row.stage === 'gate' ? 'gate' : 'intake',
    queueId: text(row.queue_id),
    messageId: text(row.message_id),
    sender: String(row.sender),
    client: text(row.client),
    recipients: JSON.parse(String(row.recipients)) as string[],
    method: text(row.method),
    code: Number(row.code),
    text: String(row.text),
    requestId: text(row.request_id),
  };
}
