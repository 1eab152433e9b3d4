/** The browser's device store: CryptoKeys that can be used but never read, in IndexedDB. */
import type { DeviceMemory, DeviceStore } from './keys.ts';

/** This browser keeps nothing: a private window, storage that is blocked or full. */
export class StorageRefused extends Error {
  override readonly name = 'StorageRefused';
}

const STORE = 'device';
const RECORD = 'memory';

function finished<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open('signpost', 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return finished(request);
}

/** Whatever goes wrong with it (a missing `indexedDB`, a refusal, a quota) means the same to the person. */
async function withDatabase<T>(work: (database: IDBDatabase) => Promise<T>): Promise<T> {
  try {
    const database = await open();
    try {
      return await work(database);
    } finally {
      database.close();
    }
  } catch (cause) {
    throw new StorageRefused('This browser keeps no storage.', { cause });
  }
}

/** One device per browser profile and origin. @throws StorageRefused */
export function indexedDbStore(): DeviceStore {
  return {
    extractable: false,
    load: () =>
      withDatabase(async database => {
        const stored = database.transaction(STORE).objectStore(STORE).get(RECORD) as IDBRequest<
          DeviceMemory | undefined
        >;
        return (await finished(stored)) ?? { pending: null, device: null };
      }),
    save: memory =>
      withDatabase(async database => {
        const transaction = database.transaction(STORE, 'readwrite', { durability: 'strict' });
        transaction.objectStore(STORE).put(memory, RECORD);
        await new Promise<void>((resolve, reject) => {
          transaction.oncomplete = () => resolve();
          transaction.onabort = () => reject(transaction.error);
        });
      }),
  };
}
