/**
 * A device's token key at rest: AES-256-GCM under a key that is derived (HKDF, RFC 5869) from keys/token.key and bound to
 * the device, so that neither the database alone nor another device's row yields one.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { RandomBytes } from './ids.ts';

export const TOKEN_KEY_LENGTH = 32;
const IV_LENGTH = 12;
const TAG_LENGTH = 16;
const CIPHER = 'aes-256-gcm';

/** @param secret at least 32 random bytes; it must stay the same */
export function wrapTokenKey(secret: Uint8Array, deviceId: string, key: Uint8Array, random: RandomBytes): string {
  const iv = random(IV_LENGTH);
  const cipher = createCipheriv(CIPHER, wrappingKey(secret), iv).setAAD(Buffer.from(deviceId));
  return Buffer.concat([iv, cipher.update(key), cipher.final(), cipher.getAuthTag()]).toString('base64url');
}

/** @throws Error when it was wrapped with another secret or for another device */
export function unwrapTokenKey(secret: Uint8Array, deviceId: string, wrapped: string): Uint8Array {
  const bytes = Buffer.from(wrapped, 'base64url');
  const decipher = createDecipheriv(CIPHER, wrappingKey(secret), bytes.subarray(0, IV_LENGTH), {
    authTagLength: TAG_LENGTH,
  });
  decipher.setAAD(Buffer.from(deviceId)).setAuthTag(bytes.subarray(-TAG_LENGTH));
  return new Uint8Array(Buffer.concat([decipher.update(bytes.subarray(IV_LENGTH, -TAG_LENGTH)), decipher.final()]));
}

function wrappingKey(secret: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', 'signpost token key v1', 32));
}
