/**
 * A device's two keys and where they live. The authentication key signs HTTP requests; the signing key signs documents
 * and is a new one for every certificate, so that a revoked certificate never locks out its own renewal.
 */
import { base64url, owned, sha256, utf8 } from './bytes.ts';
import type { Enrolled, PublicKey } from './protocol.ts';

const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/** The key of the certificate that this device signs with. */
export interface SigningIdentity {
  readonly keys: CryptoKeyPair;
  readonly serial: string;
  /** DER. */
  readonly certificate: Uint8Array;
  readonly notAfter: Date;
}

/** The key that answers for approvals at the level Standard (HMAC-SHA256). */
export interface TokenKey {
  readonly key: CryptoKey;
  /** Its bytes, until the gateway has them; from then on nobody on this device can read them. */
  readonly unsent: Uint8Array | null;
}

export interface EnrolledDevice {
  readonly authentication: CryptoKeyPair;
  readonly enrolled: Enrolled;
  readonly signing: SigningIdentity | null;
  /** Absent until it is made: at enrolment, or later on devices enrolled by earlier versions. */
  readonly token?: TokenKey | null;
}

/** Everything that a device remembers of one gateway. CryptoKeys are stored as such where the store can (IndexedDB). */
export interface DeviceMemory {
  /** Authentication key between "send me a code" and the code, which is bound to it: phones drop pages meanwhile. */
  readonly pending: CryptoKeyPair | null;
  readonly device: EnrolledDevice | null;
}

export interface DeviceStore {
  /** Whether keys may leave WebCrypto: only where they must be written to a file. */
  readonly extractable: boolean;
  /** Nothing remembered is `{ pending: null, device: null }`. */
  load(): Promise<DeviceMemory>;
  save(memory: DeviceMemory): Promise<void>;
}

export async function generateKeys(extractable: boolean): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(P256, extractable, ['sign', 'verify']);
}

export async function importTokenKey(bytes: Uint8Array, extractable: boolean): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', owned(bytes), { name: 'HMAC', hash: 'SHA-256' }, extractable, ['sign']);
}

/** @throws DOMException when the point isn't on the curve */
export async function importPublicKey(key: PublicKey): Promise<CryptoKey> {
  return crypto.subtle.importKey('jwk', { ...key }, P256, true, ['verify']);
}

export async function exportPublicKey(key: CryptoKey): Promise<PublicKey> {
  const { x, y } = await crypto.subtle.exportKey('jwk', key);
  return { kty: 'EC', crv: 'P-256', x: x!, y: y! };
}

/** RFC 7638 §3, base64url. */
export async function thumbprint({ crv, kty, x, y }: PublicKey): Promise<string> {
  return base64url(await sha256(utf8(JSON.stringify({ crv, kty, x, y }))));
}
