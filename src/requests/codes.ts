/** Enrolment codes of both kinds. Only keyed hashes of them are stored. */
import { createHash, createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownerOf, type Person } from '../directory/directory.ts';
import type { Deps } from './deps.ts';
import { newAdminCode, newCode } from './ids.ts';
import { linkHash } from './links.ts';
import { composeRow } from './mails.ts';
import { allAlternatives } from './proofs.ts';
import { type Devices, type EnrolmentCode, EnrolmentRefused } from './requests.ts';
import { requestHasEnded } from './states.ts';

const DAY_MS = 86_400_000;
/** sendCode takes at least this long, so that its time doesn't tell whether a mail went out. */
const SEND_FLOOR_MS = 250;
/** Kinds of codes in the OnceStore. */
const ADMIN = 'enrolment-admin';
const MAILED = 'enrolment-mailed';

/** Whose link somebody came by: of this person and still of use, of this person, none or an unknown one, another's. */
export type LinkHolder = 'live' | 'ended' | 'none' | 'other';

export async function linkHolder(deps: Deps, link: string | null, person: Person | null): Promise<LinkHolder> {
  const hash = link === null ? null : linkHash(link);
  const request = hash === null ? null : await deps.store.requests.findByLinkHash(hash);
  const session = request?.sessions.find(one => one.linkHash === hash);
  if (!request || !session) return link === null ? 'none' : 'other';
  if (session.party.personId !== person?.id) return 'other';
  return requestHasEnded(request.state) ? 'ended' : 'live';
}

/** @throws EnrolmentRefused when nobody has this id */
export async function createAdminCode(deps: Deps, personId: string): Promise<EnrolmentCode> {
  const person = await deps.directory.findById(personId);
  if (!person) throw new EnrolmentRefused('nobody in the directory has this id');
  const code = newAdminCode(deps.randomBytes);
  const expiresAt = codeExpiry(deps);
  await deps.store.once.putCode(ADMIN, person.id, codeHash(deps, ADMIN, person.id, code), expiresAt);
  deps.logger.info({ person: person.id }, 'enrolment code made by an admin');
  return { code, expiresAt };
}

export async function sendCode(deps: Deps, ask: Parameters<Devices['sendCode']>[0]): Promise<void> {
  await Promise.all([send(deps, ask), sleep(SEND_FLOOR_MS)]);
}

async function send(deps: Deps, { address, link, deviceId }: Parameters<Devices['sendCode']>[0]): Promise<void> {
  const { codesPerDay, codeLifetime } = deps.config.enrolment;
  if (!allAlternatives(deps.config.enrolment).flat().includes('mailed-code')) return;
  const person = await ownerOf(deps.directory, address);
  const holder = await linkHolder(deps, link, person);
  if (!person || holder === 'other') return;
  const now = deps.now();
  // Who asks without a link can't use up the mails of those who have one, or a device.
  const device = await deps.store.requests.findDevice(deviceId);
  const own = device?.state === 'active' && device.personId === person.id;
  const asker = own ? `${person.id} device` : holder === 'live' ? `${person.id} live` : person.id;
  if (!(await deps.store.once.take(MAILED, asker, codesPerDay, now, new Date(now.getTime() - DAY_MS)))) {
    deps.logger.warn({ person: person.id }, 'no more enrolment codes for this person today');
    return;
  }
  const code = newCode(deps.randomBytes);
  const subject = mailedSubject(person.id, link, deviceId);
  await deps.store.once.putCode(MAILED, subject, codeHash(deps, MAILED, subject, code), codeExpiry(deps));
  const minutes = Math.round(codeLifetime / 60_000);
  const row = await composeRow(deps, { kind: 'enrolment-code', code, minutes }, person);
  if (!(await deps.store.requests.commit({ outbox: [row] }))) throw new Error('the outbox refused a new row');
  deps.logger.info({ person: person.id }, 'enrolment code mailed');
  deps.wake();
}

/** Uses up the code that was mailed for this person, link and key; five wrong tries end it. */
export function useMailedCode(
  deps: Deps,
  personId: string,
  link: string | null,
  deviceId: string,
  code: string,
): Promise<boolean> {
  const subject = mailedSubject(personId, link, deviceId);
  return deps.store.once.tryCode(MAILED, subject, codeHash(deps, MAILED, subject, code), deps.now());
}

/** Uses up the admin's code. Wrong tries don't end it, or strangers could: the caller counts them. */
export function useAdminCode(deps: Deps, personId: string, code: string): Promise<boolean> {
  return deps.store.once.tryCode(ADMIN, personId, codeHash(deps, ADMIN, personId, code), deps.now(), null);
}

export function codeExpiry(deps: Deps): Date {
  return new Date(deps.now().getTime() + deps.config.enrolment.codeLifetime);
}

/** A few digits are soon guessed from a plain hash, so it is keyed. */
function codeHash(deps: Deps, kind: string, subject: string, code: string): string {
  return createHmac('sha256', deps.tokenSecret).update(`signpost code v1\0${kind}\0${subject}\0${code}`).digest('hex');
}

function mailedSubject(personId: string, link: string | null, deviceId: string): string {
  return createHash('sha256')
    .update(JSON.stringify([personId, link, deviceId]))
    .digest('hex');
}
