/** The real store on a folder, filled with outbox rows. */
import { join } from 'node:path';
import type { ComposedMail } from '../../../src/outbound/mail.ts';
import { FileBlobs } from '../../../src/store/blobs.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { MIGRATIONS } from '../../../src/store/migrations.ts';
import { SqliteStore } from '../../../src/store/sqlite.ts';
import type { OutboxRow, Store } from '../../../src/store/store.ts';

export async function openStore(folder: string, now: () => Date = () => new Date()): Promise<SqliteStore> {
  const blobs = await FileBlobs.open(join(folder, 'blobs'));
  return new SqliteStore(openDatabase(join(folder, 'db'), MIGRATIONS), blobs, now);
}

/** Puts a composed mail into the outbox, due at `createdAt`. */
export async function enqueue(store: Store, id: string, mail: ComposedMail, createdAt: Date): Promise<OutboxRow> {
  const row: OutboxRow = {
    id,
    requestId: null,
    kind: 'enrolment-code',
    topic: '',
    recipient: mail.envelope.to,
    envelopeFrom: mail.envelope.from,
    messageId: mail.messageId,
    blob: await store.blobs.put(mail.bytes),
    state: 'pending',
    attempts: 0,
    nextAttemptAt: createdAt,
    lastReply: null,
    createdAt,
  };
  await store.requests.commit({ outbox: [row] });
  return row;
}
