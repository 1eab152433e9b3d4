/**
 * Setting up a device. Keys are disposable: whoever shows enough sets up anew within seconds, and the device that the new
 * one explicitly replaces is retired. What keeps a stranger with one stolen proof out is the other devices:
 *
 * - none active: what the configuration asks for is enough;
 * - an active one confirms, or the new device's maker holds its key, too (a browser that is set up anew);
 * - an admin's code or two factors are enough by themselves;
 * - the only active device is replaced unseen (a phone that forgot or was lost) only by proofs not weaker than its own;
 * - else the new device waits.
 */
import { createHash } from 'node:crypto';
import { ownerOf, type Person } from '../directory/directory.ts';
import { codeExpiry } from './codes.ts';
import type { Deps } from './deps.ts';
import { revokeCertificates } from './device-end.ts';
import { newMatchingCode } from './ids.ts';
import { composeRow } from './mails.ts';
import type { Device, PendingEnrolment, Proof } from './model.ts';
import {
  type Alternatives,
  allAlternatives,
  coversReplaced,
  isStrong,
  missing,
  proofsOf,
  withProofs,
} from './proofs.ts';
import { Conflict, type Devices, type EnrolmentOutcome, EnrolmentRefused, type Replacement } from './requests.ts';
import { refused, tryProofs } from './showing.ts';
import { moveDevice } from './states.ts';

/** A new device whose person has shown enough for some level. */
interface Candidate {
  readonly person: Person;
  readonly device: PendingEnrolment['device'];
  readonly proofs: readonly Proof[];
  readonly replaces: Replacement | null;
  /** The other device that confirmed it. */
  readonly confirmedBy: string | null;
}

/** @throws EnrolmentRefused · TooManyTries · DirectoryUnavailable */
export async function enrol(deps: Deps, ask: Parameters<Devices['enrol']>[0]): Promise<EnrolmentOutcome> {
  const { address, device } = ask;
  if (thumbprint(device.key) !== device.id) throw refused();
  const person = await ownerOf(deps.directory, address);
  const existing = await deps.store.requests.findDevice(device.id);
  if (existing) {
    // An answer that got lost. Whoever signs with its key is the device.
    if (existing.state !== 'active' || existing.personId !== person?.id) throw refused();
    return { state: 'enrolled', device: existing };
  }
  const alternatives = allAlternatives(deps.config.enrolment);
  return unlessDone(deps, device.id, person, async () => {
    const proofs = await tryProofs(deps, { address, person, deviceId: device.id }, ask, [], alternatives);
    if (!person) throw refused();
    return decide(deps, { person, device, proofs, replaces: ask.replaces, confirmedBy: null });
  });
}

/** Of two calls about one key at once, one is refused: what the other has done by then is the answer to both. */
async function unlessDone(
  deps: Deps,
  deviceId: string,
  person: Person | null,
  work: () => Promise<EnrolmentOutcome>,
): Promise<EnrolmentOutcome> {
  try {
    return await work();
  } catch (error) {
    const done = error instanceof EnrolmentRefused ? await deps.store.requests.findDevice(deviceId) : null;
    if (done?.state !== 'active' || done.personId !== person?.id) throw error;
    return { state: 'enrolled', device: done };
  }
}

export async function enrolmentOf(deps: Deps, deviceId: string): Promise<EnrolmentOutcome | null> {
  const device = await deps.store.requests.findDevice(deviceId);
  if (device) return device.state === 'active' ? { state: 'enrolled', device } : null;
  const pending = await deps.store.enrolments.find(deviceId, deps.now());
  return pending && waits(deps, pending, await activeDevices(deps, pending.personId));
}

/** @throws EnrolmentRefused · TooManyTries · DirectoryUnavailable */
export async function continueEnrolment(
  deps: Deps,
  deviceId: string,
  ask: Parameters<Devices['continueEnrolment']>[1],
): Promise<EnrolmentOutcome> {
  const before = await enrolmentOf(deps, deviceId);
  if (before?.state === 'enrolled') return before;
  const person = before && (await deps.directory.findById(before.pending.personId));
  if (!before || !person) throw refused();
  const { device, proofs } = before.pending;
  const showsMore = (ask.password ?? '') !== '' || (ask.code ?? '').trim() !== '';
  const asker = { address: person.mail, person, deviceId };
  const replaces = ask.replaces === null ? null : { deviceId: ask.replaces, held: false };
  return unlessDone(deps, deviceId, person, async () => {
    const shown = showsMore ? await tryProofs(deps, asker, ask, proofs, strengthened(deps, proofs)) : proofs;
    return decide(deps, { person, device, proofs: shown, replaces, confirmedBy: null });
  });
}

/** The device answers for a key that waits: exactly one answer counts. */
export async function answerWaiting(
  deps: Deps,
  device: Device,
  waitingId: string,
  confirmed: boolean,
): Promise<boolean> {
  const pending = await deps.store.enrolments.find(waitingId, deps.now());
  const person = pending?.personId === device.personId ? await deps.directory.findById(device.personId) : null;
  if (!pending || !person || !(await deps.store.enrolments.remove(waitingId))) return false;
  if (!confirmed) {
    deps.logger.warn({ device: waitingId, by: device.id, person: person.id }, 'a new device was refused by another');
    return true;
  }
  const replaces = pending.replaces === null ? null : { deviceId: pending.replaces, held: false };
  await unlessDone(deps, waitingId, person, () =>
    decide(deps, { ...pending, person, replaces, confirmedBy: device.id }),
  );
  return true;
}

function waits(deps: Deps, pending: PendingEnrolment, others: readonly Device[]): EnrolmentOutcome {
  return { state: 'waiting', pending, others, more: missing(pending.proofs, strengthened(deps, pending.proofs)) };
}

/** These and what makes them strong, of what the company uses; an admin can always help. */
function strengthened(deps: Deps, proofs: readonly Proof[]): Alternatives {
  const used = new Set<Proof>(['admin-code', ...allAlternatives(deps.config.enrolment).flat()]);
  const strong: Alternatives = [['admin-code'], ['mailed-code', 'password']];
  return strong.filter(set => set.every(proof => used.has(proof))).map(set => withProofs(proofs, set));
}

/** @throws EnrolmentRefused */
async function decide(deps: Deps, candidate: Candidate): Promise<EnrolmentOutcome> {
  const { person, device, proofs, replaces, confirmedBy } = candidate;
  const active = await activeDevices(deps, person.id);
  const replaced = active.find(({ id }) => id === replaces?.deviceId) ?? null;
  const enough =
    confirmedBy !== null ||
    isStrong(proofs) ||
    active.length === 0 ||
    (replaced !== null && replaces?.held === true) ||
    (replaced !== null && active.length === 1 && coversReplaced(proofs, proofsOf(replaced, deps.config.enrolment)));
  if (enough) return { state: 'enrolled', device: await setUp(deps, candidate, replaced) };
  const found = await deps.store.enrolments.find(device.id, deps.now());
  // Another person's number must not be shown to this one as if it were new.
  const before = found?.personId === person.id ? found : null;
  const pending: PendingEnrolment = {
    device,
    personId: person.id,
    proofs,
    replaces: replaced?.id ?? before?.replaces ?? null,
    matching: before?.matching ?? newMatchingCode(deps.randomBytes),
    createdAt: deps.now(),
    expiresAt: before?.expiresAt ?? codeExpiry(deps),
  };
  await deps.store.enrolments.put(pending);
  deps.logger.info({ device: device.id, person: person.id }, 'a new device waits for another one');
  return waits(deps, pending, active);
}

/** @throws EnrolmentRefused */
async function setUp(deps: Deps, candidate: Candidate, replaced: Device | null): Promise<Device> {
  const { person, proofs, confirmedBy } = candidate;
  const now = deps.now();
  const device: Device = {
    ...candidate.device,
    personId: person.id,
    proofs,
    provedAt: now,
    ...(confirmedBy === null ? {} : { confirmedBy }),
    state: 'active',
    createdAt: now,
    endedAt: null,
  };
  const outbox = [await composeRow(deps, { kind: 'device-enrolled', deviceName: device.name, at: now }, person)];
  const devices = [device];
  if (replaced) {
    devices.push(moveDevice(replaced, 'retired', now));
    outbox.push(await composeRow(deps, { kind: 'device-removed', deviceName: replaced.name, at: now }, person));
    await revokeCertificates(deps, replaced.id, 'retired');
  }
  // Two enrolments of one key, or two that replace one device, at once: the second is refused.
  if (!(await deps.store.requests.commit({ devices, outbox }))) throw refused();
  await deps.store.enrolments.remove(device.id);
  if (replaced) await revokeCertificates(deps, replaced.id, 'retired');
  deps.logger.info({ device: device.id, person: person.id, proofs, replaces: replaced?.id ?? null }, 'device enrolled');
  deps.wake();
  return device;
}

/** What is shown beside what the device was set up with, for levels that ask for more. @throws EnrolmentRefused · TooManyTries */
export async function prove(deps: Deps, device: Device, shown: Parameters<Devices['prove']>[1]): Promise<Device> {
  const { enrolment } = deps.config;
  const person = await deps.directory.findById(device.personId);
  if (!person) throw refused();
  const before = proofsOf(device, enrolment);
  const asker = { address: person.mail, person, deviceId: device.id };
  const proofs = await tryProofs(deps, asker, shown, before, stepsUp(before, allAlternatives(enrolment)));
  const at = deps.now();
  const proved = await deps.store.requests.amendDevice(device.id, one => ({ ...one, proofs, provedAt: at }));
  if (!proved) throw new Conflict('not-open', 'This device has ended.');
  deps.logger.info({ device: device.id, person: person.id, proofs }, 'more was shown for a device');
  return proved;
}

/** Showing the same again counts, too: it is fresh. */
function stepsUp(before: readonly Proof[], alternatives: Alternatives): Alternatives {
  const incomplete = alternatives.filter(set => set.some(proof => !before.includes(proof)));
  return incomplete.length === 0 ? alternatives : incomplete;
}

async function activeDevices(deps: Deps, personId: string): Promise<readonly Device[]> {
  return (await deps.store.requests.listDevices(personId)).filter(({ state }) => state === 'active');
}

/** RFC 7638 §3: SHA-256 over the required members in lexical order. */
function thumbprint({ crv, kty, x, y }: Device['key']): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
}
