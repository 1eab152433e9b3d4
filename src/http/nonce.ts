/**
 * Server nonces for changes: made without state, bound to device, method and path, believed for five minutes, and used
 * once. Reads carry a nonce of the device's own.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { OnceStore } from '../store/store.ts';

const LIFETIME = 300_000;

/** What one nonce is good for. */
export interface NonceScope {
  readonly deviceId: string;
  readonly method: string;
  readonly path: string;
}

export class Nonces {
  readonly #key: () => Uint8Array;
  readonly #once: OnceStore;
  readonly #now: () => Date;

  /** @param key at least 32 random bytes; a new key only makes devices ask again */
  constructor(key: () => Uint8Array, once: OnceStore, now: () => Date) {
    this.#key = key;
    this.#once = once;
    this.#now = now;
  }

  issue(scope: NonceScope): string {
    const head = `${this.#now().getTime().toString(36)}.${randomBytes(16).toString('base64url')}`;
    return `${head}.${this.#mac(head, scope)}`;
  }

  /** True for a nonce of ours for this very change, the first time. */
  async use(nonce: string, scope: NonceScope): Promise<boolean> {
    const [time = '', random = '', mac = ''] = nonce.split('.');
    const expected = Buffer.from(this.#mac(`${time}.${random}`, scope));
    const received = Buffer.from(mac);
    if (expected.length !== received.length || !timingSafeEqual(expected, received)) return false;
    const expiresAt = new Date(Number.parseInt(time, 36) + LIFETIME);
    return expiresAt > this.#now() && (await this.#once.useOnce('nonce', nonce, expiresAt));
  }

  #mac(head: string, { deviceId, method, path }: NonceScope): string {
    const text = JSON.stringify(['signpost nonce v1', head, deviceId, method, path]);
    return createHmac('sha256', this.#key()).update(text).digest('base64url');
  }
}
