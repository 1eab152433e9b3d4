/** Passkeys as a factor added to a device: which signatures need them, and the proof that is kept of each. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Claim, challengeFor } from '../client/passkey-challenge.ts';
import type { Deps } from './deps.ts';
import type { BlobId, Device, Level } from './model.ts';
import { alternativesFor, proofsOf, satisfies, signatoryLevel } from './proofs.ts';
import { Conflict } from './requests.ts';
import {
  type Assertion,
  checkAssertion,
  checkRegistration,
  PasskeyRefused,
  type Registration,
  relyingParty,
} from './webauthn.ts';

/** A passkey is added soon after the person has shown who they are, so that a borrowed phone gets none. */
const FRESH_MS = 15 * 60_000;

/** @throws Conflict `more-proof`, `passkey-refused` */
export async function addPasskey(deps: Deps, device: Device, registration: Registration): Promise<void> {
  const { provedAt } = device;
  if (provedAt === undefined || deps.now().getTime() - provedAt.getTime() > FRESH_MS)
    throw new Conflict('more-proof', 'A passkey is added within a quarter of an hour of showing who you are.');
  const passkey = refusing(deps, device, () => checkRegistration(registration, relyingParty(deps.config.publicUrl)));
  const amended = await deps.store.requests.amendDevice(device.id, one =>
    one.passkey === undefined ? { ...one, passkey } : null,
  );
  if (!amended) {
    // The answer to the first time may have been lost.
    const stored = await deps.store.requests.findDevice(device.id);
    if (stored?.passkey?.id !== passkey.id)
      throw new Conflict('passkey-refused', 'This device has a passkey already; it must be set up again.');
  }
  deps.logger.info({ device: device.id }, 'passkey added');
}

const proofSchema = z.object({
  relyingParty: z.object({ origin: z.string(), id: z.string() }),
  credential: z.base64url(),
  /** SubjectPublicKeyInfo, DER. */
  publicKey: z.base64url(),
  /** The claim's (client/passkey-challenge.ts). */
  mark: z.base64url(),
  challenge: z.base64url(),
  clientData: z.base64url(),
  authenticatorData: z.base64url(),
  signature: z.base64url(),
});

/** What is kept of an assertion, as JSON. */
export type PasskeyProof = z.infer<typeof proofSchema>;

/** @param bytes as `proveByPasskey` stored them */
export function parseProof(bytes: Uint8Array): PasskeyProof {
  return proofSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
}

/** What a device lacks to sign at this level. */
export function lacking(
  deps: Pick<Deps, 'config'>,
  device: Device,
  level: Level,
): 'more-proof' | 'passkey-needed' | null {
  const { enrolment } = deps.config;
  if (!satisfies(proofsOf(device, enrolment), alternativesFor(enrolment, level))) return 'more-proof';
  return enrolment.passkeys[signatoryLevel(level)] === 'required' && !device.passkey ? 'passkey-needed' : null;
}

/** Looked up afresh: the caller's device may be older than what its person has shown since. @throws Conflict */
export async function mayBeSigned(deps: Deps, device: Device, level: Level): Promise<Device> {
  const stored = (await deps.store.requests.findDevice(device.id)) ?? device;
  const reason = lacking(deps, stored, level);
  if (reason === 'more-proof')
    throw new Conflict(reason, 'This level asks for more proof of who you are than this device was set up with.');
  if (reason !== null) throw new Conflict(reason, 'This level asks for a passkey, which this device has not.');
  return stored;
}

/** Whether a signature of this device at this level comes with an assertion. */
export function usesPasskey(enrolment: Deps['config']['enrolment'], device: Device, level: Level): boolean {
  return device.passkey !== undefined && enrolment.passkeys[signatoryLevel(level)] !== 'off';
}

/**
 * Checks the assertion over what is signed (client/passkey-challenge.ts), moves the counter on, and keeps the proof. The
 * same assertion again, whose answer was lost or whose signature could not be timestamped, is taken again: its challenge
 * is good for this one signature only.
 * @returns the proof, a JSON file; null where none is needed
 * @throws Conflict
 */
export async function proveByPasskey(
  deps: Deps,
  device: Device,
  level: Level,
  assertion: Assertion | null,
  claim: Claim,
): Promise<BlobId | null> {
  const stored = await mayBeSigned(deps, device, level);
  const { passkey } = stored;
  if (!usesPasskey(deps.config.enrolment, stored, level) || !passkey) return null;
  if (assertion === null) throw new Conflict('passkey-needed', 'This signature needs the passkey of its device.');
  const party = relyingParty(deps.config.publicUrl);
  const challenge = await challengeFor(claim);
  const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
  const proof: PasskeyProof = {
    relyingParty: party,
    credential: passkey.id,
    publicKey: passkey.publicKey,
    mark: base64url(claim.mark),
    challenge: base64url(challenge),
    clientData: base64url(assertion.clientData),
    authenticatorData: base64url(assertion.authenticatorData),
    signature: base64url(assertion.signature),
  };
  const bytes = Buffer.from(JSON.stringify(proof));
  const newest = createHash('sha256').update(bytes).digest('hex');
  if (passkey.newest === newest) return deps.store.blobs.put(bytes);
  const signCount = refusing(deps, stored, () => checkAssertion(assertion, passkey, challenge, party));
  // Atomic: of two assertions with one counter, one is refused.
  const moved = await deps.store.requests.amendDevice(device.id, one => {
    if (one.passkey?.id !== passkey.id) return null;
    if (one.passkey.newest === newest) return one;
    return one.passkey.signCount === passkey.signCount ? { ...one, passkey: { ...passkey, signCount, newest } } : null;
  });
  if (!moved) throw new Conflict('passkey-refused', 'The passkey was used twice at once.');
  return deps.store.blobs.put(bytes);
}

/** @throws Conflict `passkey-refused` */
function refusing<T>(deps: Deps, device: Device, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof PasskeyRefused)) throw error;
    deps.logger.warn({ device: device.id, reason: error.message }, 'passkey refused');
    throw new Conflict('passkey-refused', 'The passkey’s answer does not fit.');
  }
}
