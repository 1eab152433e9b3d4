/** The browser's device store: CryptoKeys that can be used but never read, in IndexedDB. */
import type { DeviceMemory, DeviceStore } from './keys.ts';

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

/** One device per browser profile and origin. @throws DOMException where the browser keeps no storage */
export function indexedDbStore(): DeviceStore {
  return {
    extractable: false,
    async load() {
      const database = await open();
      try {
        const record: DeviceMemory | undefined = await finished(
          database.transaction(STORE).objectStore(STORE).get(RECORD),
        );
        return record ?? { pending: null, device: null };
      } finally {
        database.close();
      }
    },
    async save(memory) {
      const database = await open();
      try {
        const transaction = database.transaction(STORE, 'readwrite', { durability: 'strict' });
        transaction.objectStore(STORE).put(memory, RECORD);
        await new Promise<void>((resolve, reject) => {
          transaction.oncomplete = () => resolve();
          transaction.onabort = () => reject(transaction.error);
        });
      } finally {
        database.close();
      }
    },
  };
}
