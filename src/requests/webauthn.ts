/** Checks what authenticators say (Web Authentication Level 2, §7): registrations without attestation, and assertions. */
import { createHash, createPublicKey, timingSafeEqual, verify } from 'node:crypto';
import { z } from 'zod';
import { BadCose, readCoseKey } from './cose.ts';
import type { Passkey } from './model.ts';

/** Not what was asked for; `message` says why, for the log. */
export class PasskeyRefused extends Error {
  override readonly name = 'PasskeyRefused';
}

/** Who asks: WebAuthn's relying party. */
export interface RelyingParty {
  /** Of the pages, without a slash at the end. */
  readonly origin: string;
  /** The origin's host. */
  readonly id: string;
}

/** As the browser gives them. */
export interface Registration {
  /** What the authenticator was to sign. */
  readonly challenge: Uint8Array;
  readonly clientData: Uint8Array;
  readonly authenticatorData: Uint8Array;
}

/** As the browser gives it. */
export interface Assertion {
  /** Credential id. */
  readonly credential: Uint8Array;
  readonly clientData: Uint8Array;
  readonly authenticatorData: Uint8Array;
  readonly signature: Uint8Array;
}

const clientDataSchema = z.object({
  type: z.string(),
  challenge: z.string(),
  origin: z.string(),
  crossOrigin: z.boolean().optional(),
});

/** §6.1. */
const FLAGS = { userPresent: 0x01, userVerified: 0x04, attestedCredential: 0x40 } as const;
const FIXED_LENGTH = 37;
const AAGUID_LENGTH = 16;
/** §5.8.3 */
const LONGEST_ID = 1023;

export function relyingParty(publicUrl: string): RelyingParty {
  const { origin, hostname } = new URL(publicUrl);
  return { origin, id: hostname };
}

/** §7.1, with attestation "none". @throws PasskeyRefused */
export function checkRegistration(registration: Registration, party: RelyingParty): Passkey {
  checkClientData(registration.clientData, 'webauthn.create', registration.challenge, party);
  const { flags, signCount, rest } = readAuthenticatorData(registration.authenticatorData, party);
  if ((flags & FLAGS.attestedCredential) === 0) throw new PasskeyRefused('no credential');
  const length = rest.length < AAGUID_LENGTH + 2 ? 0 : (rest[AAGUID_LENGTH]! << 8) | rest[AAGUID_LENGTH + 1]!;
  const keyAt = AAGUID_LENGTH + 2 + length;
  if (length === 0 || length > LONGEST_ID || keyAt > rest.length) throw new PasskeyRefused('no credential id');
  try {
    const key = readCoseKey(rest.subarray(keyAt));
    return {
      id: Buffer.from(rest.subarray(AAGUID_LENGTH + 2, keyAt)).toString('base64url'),
      publicKey: key.export({ format: 'der', type: 'spki' }).toString('base64url'),
      signCount,
    };
  } catch (error) {
    if (!(error instanceof BadCose)) throw error;
    throw new PasskeyRefused(`the credential's key can't be used: ${error.message}`, { cause: error });
  }
}

/**
 * §7.2. @param challenge what this very signature must be for
 * @returns the authenticator's new counter
 * @throws PasskeyRefused
 */
export function checkAssertion(
  assertion: Assertion,
  passkey: Passkey,
  challenge: Uint8Array,
  party: RelyingParty,
): number {
  if (!equal(assertion.credential, Buffer.from(passkey.id, 'base64url')))
    throw new PasskeyRefused('another credential than this device has');
  checkClientData(assertion.clientData, 'webauthn.get', challenge, party);
  const { signCount } = readAuthenticatorData(assertion.authenticatorData, party);
  const key = createPublicKey({ key: Buffer.from(passkey.publicKey, 'base64url'), format: 'der', type: 'spki' });
  const signed = Buffer.concat([assertion.authenticatorData, sha256(assertion.clientData)]);
  const hash = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  if (!verify(hash, signed, key, assertion.signature)) throw new PasskeyRefused('the signature does not fit');
  // §7.2 step 21: a counter that doesn't grow means that there are two copies of the key.
  if ((signCount !== 0 || passkey.signCount !== 0) && signCount <= passkey.signCount)
    throw new PasskeyRefused('the counter did not grow: the passkey was copied, or its assertion replayed');
  return signCount;
}

function checkClientData(bytes: Uint8Array, type: string, challenge: Uint8Array, { origin }: RelyingParty): void {
  let parsed: ReturnType<typeof clientDataSchema.safeParse>;
  try {
    parsed = clientDataSchema.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw new PasskeyRefused('the client data is no JSON', { cause });
  }
  if (!parsed.success) throw new PasskeyRefused('the client data lacks something');
  const { data } = parsed;
  if (data.type !== type) throw new PasskeyRefused(`of type ${data.type.slice(0, 40)}`);
  if (!equal(Buffer.from(data.challenge, 'base64url'), challenge)) throw new PasskeyRefused('for something else');
  if (data.origin !== origin || data.crossOrigin === true) throw new PasskeyRefused('made on another site');
}

function readAuthenticatorData(
  data: Uint8Array,
  { id }: RelyingParty,
): { readonly flags: number; readonly signCount: number; readonly rest: Uint8Array } {
  if (data.length < FIXED_LENGTH) throw new PasskeyRefused('the authenticator data is cut off');
  if (!equal(data.subarray(0, 32), sha256(Buffer.from(id)))) throw new PasskeyRefused('for another site');
  const flags = data[32]!;
  if ((flags & FLAGS.userPresent) === 0) throw new PasskeyRefused('nobody was there');
  if ((flags & FLAGS.userVerified) === 0) throw new PasskeyRefused('the authenticator did not verify the person');
  const signCount = new DataView(data.buffer, data.byteOffset).getUint32(33);
  return { flags, signCount, rest: data.subarray(FIXED_LENGTH) };
}

function sha256(data: Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
