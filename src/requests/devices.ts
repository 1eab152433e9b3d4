/** Devices: enrolment by a code, and their end. Only hashes of codes are stored. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Person } from '../directory/directory.ts';
import type { RevocationReason } from '../pki/pki.ts';
import type { Deps } from './deps.ts';
import { newCode } from './ids.ts';
import { linkHash } from './links.ts';
import { composeRow } from './mails.ts';
import type { Device, DeviceState } from './model.ts';
import { Conflict, type Devices, EnrolmentRefused } from './requests.ts';
import { moveDevice } from './states.ts';
import { TOKEN_KEY_LENGTH, unwrapTokenKey, wrapTokenKey } from './token-key.ts';

const DAY_MS = 86_400_000;
/** sendCode takes at least this long, so that its time doesn't tell whether a mail went out. */
const SEND_FLOOR_MS = 250;
/** Kinds of codes in the OnceStore. */
const ADMIN = 'enrolment-admin';
const MAILED = 'enrolment-mailed';
/** The code that a device was enrolled with: the same call again gets the same answer. */
const USED = 'enrolment-used';

const REASONS: Readonly<Record<Exclude<DeviceState, 'active'>, RevocationReason>> = {
  retired: 'superseded',
  // Why isn't known: lost, stolen, or merely given away.
  revoked: 'unspecified',
};

type EnrolmentAsk = Parameters<Devices['enrol']>[0];

export function createDevices(deps: Deps): Devices {
  const store = deps.store.requests;
  return {
    createAdminCode: personId => createAdminCode(deps, personId),
    async sendCode(ask) {
      await Promise.all([sendCode(deps, ask), sleep(SEND_FLOOR_MS)]);
    },
    enrol: ask => enrol(deps, ask),
    setTokenKey: (deviceId, key) => setTokenKey(deps, deviceId, key),
    find: deviceId => store.findDevice(deviceId),
    listForPerson: personId => store.listDevices(personId),
    list: () => store.listDevices(null),
    end: (deviceId, state) => endDevice(deps, deviceId, state),
  };
}

async function createAdminCode(deps: Deps, personId: string) {
  const person = await deps.directory.findById(personId);
  if (!person) throw new EnrolmentRefused('nobody in the directory has this id');
  const code = newCode(deps.randomBytes);
  const expiresAt = codeExpiry(deps);
  await deps.store.once.putCode(ADMIN, person.id, codeHash(deps, ADMIN, person.id, code), expiresAt);
  deps.logger.info({ person: person.id }, 'enrolment code made by an admin');
  return { code, expiresAt };
}

async function sendCode(deps: Deps, ask: Parameters<Devices['sendCode']>[0]): Promise<void> {
  const { mailedCode, codesPerDay, codeLifetime } = deps.config.enrolment;
  if (!mailedCode) return;
  const person = await deps.directory.findByMail(ask.address);
  if (!person || !(await linkFits(deps, ask.link, person))) return;
  const now = deps.now();
  const sent = await deps.store.once.count(MAILED, person.id, now, new Date(now.getTime() - DAY_MS));
  if (sent > codesPerDay) {
    deps.logger.warn({ person: person.id }, 'no more enrolment codes for this person today');
    return;
  }
  const code = newCode(deps.randomBytes);
  const subject = mailedSubject(person, ask.link, ask.deviceId);
  await deps.store.once.putCode(MAILED, subject, codeHash(deps, MAILED, subject, code), codeExpiry(deps));
  const minutes = Math.round(codeLifetime / 60_000);
  const row = await composeRow(deps, { kind: 'enrolment-code', code, minutes }, person);
  if (!(await deps.store.requests.commit({ outbox: [row] }))) throw new Error('the outbox refused a new row');
  deps.logger.info({ person: person.id }, 'enrolment code mailed');
  deps.wake();
}

/** No link, or one of this person's own. */
async function linkFits(deps: Deps, link: string | null, person: Person): Promise<boolean> {
  if (link === null) return true;
  const hash = linkHash(link);
  const request = hash === null ? null : await deps.store.requests.findByLinkHash(hash);
  return request?.sessions.some(one => one.linkHash === hash && one.party.personId === person.id) ?? false;
}

async function enrol(deps: Deps, ask: EnrolmentAsk): Promise<Device> {
  const code = ask.code.replace(/\s/g, '');
  const person = await deps.directory.findByMail(ask.address);
  const { id, key } = ask.device;
  if (thumbprint(key) !== id) throw refused();
  const existing = await deps.store.requests.findDevice(id);
  if (existing) return enrolledBefore(deps, existing, person, code);

  const replaced = ask.replaces === null ? null : await deps.store.requests.findDevice(ask.replaces);
  if (ask.replaces !== null && (replaced?.state !== 'active' || replaced.personId !== person?.id)) throw refused();
  if (!(await useCode(deps, person, ask.link, id, code)) || !person) throw refused();

  const now = deps.now();
  const device: Device = {
    ...ask.device,
    personId: person.id,
    state: 'active',
    createdAt: now,
    endedAt: null,
  };
  const outbox = [await composeRow(deps, { kind: 'device-enrolled', deviceName: device.name, at: now }, person)];
  const devices = [device];
  if (replaced) {
    devices.push(moveDevice(replaced, 'retired', now));
    outbox.push(await composeRow(deps, { kind: 'device-removed', deviceName: replaced.name, at: now }, person));
  }
  if (replaced) await revokeCertificates(deps, replaced.id, 'retired');
  // Two enrolments of one key, or two that replace one device, at once: the second is refused.
  if (!(await deps.store.requests.commit({ devices, outbox }))) throw refused();
  await deps.store.once.putCode(USED, id, codeHash(deps, USED, id, code), codeExpiry(deps));
  if (replaced) await revokeCertificates(deps, replaced.id, 'retired');
  deps.logger.info({ device: id, person: person.id, replaces: replaced?.id ?? null }, 'device enrolled');
  deps.wake();
  return device;
}

/** An answer that got lost: the same code for the same key gets it again. @throws EnrolmentRefused */
async function enrolledBefore(deps: Deps, device: Device, person: Person | null, code: string): Promise<Device> {
  const hash = codeHash(deps, USED, device.id, code);
  const same = await deps.store.once.tryCode(USED, device.id, hash, deps.now());
  if (!same || device.state !== 'active' || device.personId !== person?.id) throw refused();
  await deps.store.once.putCode(USED, device.id, hash, codeExpiry(deps));
  return device;
}

/** Tries the code as the one that was mailed for this key and link, then as the admin's. */
async function useCode(
  deps: Deps,
  person: Person | null,
  link: string | null,
  deviceId: string,
  code: string,
): Promise<boolean> {
  const { once } = deps.store;
  // Unknown people take the same way, to a subject that nobody has.
  const personId = person?.id ?? '';
  const subject = mailedSubject({ id: personId }, link, deviceId);
  if (await once.tryCode(MAILED, subject, codeHash(deps, MAILED, subject, code), deps.now())) return true;
  return once.tryCode(ADMIN, personId, codeHash(deps, ADMIN, personId, code), deps.now());
}

/** @throws Conflict */
async function setTokenKey(deps: Deps, deviceId: string, key: Uint8Array): Promise<void> {
  if (key.length !== TOKEN_KEY_LENGTH) throw new Conflict('token-refused', 'A token key has 32 bytes.');
  const wrapped = wrapTokenKey(deps.tokenSecret, deviceId, key, deps.randomBytes);
  if (await deps.store.requests.setTokenKey(deviceId, wrapped)) {
    deps.logger.info({ device: deviceId }, 'token key received');
    return;
  }
  const device = await deps.store.requests.findDevice(deviceId);
  const known = device?.tokenKey && unwrapTokenKey(deps.tokenSecret, deviceId, device.tokenKey);
  if (!known || !timingSafeEqual(known, key)) {
    throw new Conflict('token-refused', 'This device has another token key already; it must be set up again.');
  }
}

async function endDevice(deps: Deps, deviceId: string, state: Exclude<DeviceState, 'active'>): Promise<void> {
  const device = await deps.store.requests.findDevice(deviceId);
  if (!device) return;
  if (device.state === 'active') {
    // Before, so that a crash leaves an active device that can be ended again; after, for a certificate issued meanwhile.
    await revokeCertificates(deps, deviceId, state);
    const now = deps.now();
    const person = await personToTell(deps, device);
    const told = person
      ? [await composeRow(deps, { kind: 'device-removed', deviceName: device.name, at: now }, person)]
      : [];
    const ended = await deps.store.requests.commit({ devices: [moveDevice(device, state, now)], outbox: told });
    if (ended) {
      deps.logger.info({ device: deviceId, person: device.personId, state }, 'device ended');
      deps.wake();
    }
  }
  await revokeCertificates(deps, deviceId, state);
}

/** A lost phone is ended whether or not the directory answers. */
async function personToTell(deps: Deps, device: Device): Promise<Person | null> {
  try {
    return await deps.directory.findById(device.personId);
  } catch (error) {
    deps.logger.warn({ err: error, device: device.id }, 'device ended without telling its person');
    return null;
  }
}

async function revokeCertificates(deps: Deps, deviceId: string, state: Exclude<DeviceState, 'active'>): Promise<void> {
  for (const { serial, revokedAt, reason } of await deps.pki.ca.listForDevice(deviceId)) {
    // A hold must not be undone after its device has ended.
    if (revokedAt === null || reason === 'certificateHold') await deps.pki.ca.revoke(serial, REASONS[state]);
  }
}

function codeExpiry(deps: Deps): Date {
  return new Date(deps.now().getTime() + deps.config.enrolment.codeLifetime);
}

/** Six digits are soon guessed from a plain hash, so it is keyed. */
function codeHash(deps: Deps, kind: string, subject: string, code: string): string {
  return createHmac('sha256', deps.linkKey).update(`signpost code v1\0${kind}\0${subject}\0${code}`).digest('hex');
}

function mailedSubject(person: Pick<Person, 'id'>, link: string | null, deviceId: string): string {
  const parts = JSON.stringify([person.id, link, deviceId]);
  return createHash('sha256').update(parts).digest('hex');
}

/** RFC 7638 §3: SHA-256 over the required members in lexical order. */
function thumbprint({ crv, kty, x, y }: Device['key']): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
}

function refused(): EnrolmentRefused {
  return new EnrolmentRefused('The code is wrong or no longer valid.');
}
