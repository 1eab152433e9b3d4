/** A process that changes one request again and again: FOLDER REQUEST LETTER TIMES. Part of sqlite.test.ts. */
import { join } from 'node:path';
import { FileBlobs } from '../../../src/store/blobs.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { MIGRATIONS } from '../../../src/store/migrations.ts';
import { SqliteStore } from '../../../src/store/sqlite.ts';
import { row, T0 } from './samples.ts';

const [folder = '', id = '', letter = '', times = '0'] = process.argv.slice(2);
const store = new SqliteStore(
  openDatabase(join(folder, 'signpost.db'), MIGRATIONS),
  await FileBlobs.open(join(folder, 'blobs')),
  () => T0,
);
for (let done = 0; done < Number(times); ) {
  const before = await store.requests.find(id);
  if (!before) throw new Error('no such request');
  const version = before.version + 1;
  const mail = row(`${letter}${done}`, { requestId: id, topic: `${letter}${done}` });
  const committed = await store.requests.commit({
    requests: [{ ...before, version, subject: before.subject + letter }],
    outbox: [mail],
  });
  if (committed) done++;
  // Lets the other process in between reading and writing.
  await new Promise(resolve => setTimeout(resolve, Math.random() * 3));
}
await store.close();
