import type { DeviceMemory, DeviceStore } from '../../src/client/keys.ts';

/** A device that forgets everything at the end of the test. */
export function memoryStore(): DeviceStore {
  let memory: DeviceMemory = { pending: null, device: null };
  return {
    extractable: false,
    load: async () => memory,
    save: async saved => {
      memory = saved;
    },
  };
}
