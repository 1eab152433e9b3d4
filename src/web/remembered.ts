/** The person's signature and initials, kept on this device where they want that. Only a comfort: it never fails. */
import { type Mark, parseMark } from '../documents/strokes.ts';

export interface RememberedMarks {
  readonly signature: Mark;
  readonly paraph: Mark | null;
}

const STORE = 'marks';
const RECORD = 'own';

/** Null when there is none, or this browser keeps nothing. */
export async function recallMarks(): Promise<RememberedMarks | null> {
  try {
    const stored: unknown = await withStore('readonly', store => store.get(RECORD));
    if (typeof stored !== 'object' || stored === null || !('signature' in stored)) return null;
    const paraph = 'paraph' in stored ? stored.paraph : null;
    return { signature: parseMark(stored.signature), paraph: paraph === null ? null : parseMark(paraph) };
  } catch {
    return null;
  }
}

/** @param marks null: forget them */
export async function rememberMarks(marks: RememberedMarks | null): Promise<void> {
  try {
    if (marks === null) await withStore('readwrite', store => store.delete(RECORD));
    else await withStore('readwrite', store => store.put(marks, RECORD));
  } catch (error) {
    console.warn('the signature is not remembered', error);
  }
}

/** Apart from the keys: whatever happens here can't touch them. */
async function withStore<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opening = indexedDB.open('signpost-marks', 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await done(opening);
  try {
    return await done(work(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
