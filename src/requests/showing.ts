/**
 * Trying what somebody shows: a password, a code. Guessing is bounded by who guesses, so that nobody's guesses lock out
 * another:
 *
 * - a mailed code belongs to one link and one new key; five tries of that key end it;
 * - an admin's code (nine digits) may be tried five times by one key, 50 times from one network and 1000 times in all in a
 *   quarter of an hour: one in a million to guess. It is never used up by wrong tries, only others have to wait;
 * - a password reaches the directory a few times per person and hour, fewer than lock the account there. Half of the tries
 *   are kept for those who hold a link of that person's own, which strangers don't.
 *
 * Unknown people have the same budgets, so that nothing tells them apart. Budgets are of the address as it was typed, and
 * of the person: who has used up a person's by one address hears at another address of theirs only that it was wrong.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DirectoryUnavailable, type Person } from '../directory/directory.ts';
import { linkHolder, useAdminCode, useMailedCode } from './codes.ts';
import type { Deps } from './deps.ts';
import { CODE_LENGTHS } from './ids.ts';
import type { Proof } from './model.ts';
import { type Alternatives, satisfies, withProofs } from './proofs.ts';
import { EnrolmentRefused, TooManyTries } from './requests.ts';

const HOUR_MS = 3_600_000;
const QUARTER_MS = 900_000;
const KEY_TRIES = 5;
const NETWORK_TRIES = 50;
const ALL_TRIES = 1000;
/** A refusal takes at least this long: a directory that was asked can't be told from one that wasn't. */
const REFUSAL_FLOOR_MS = 400;
const CODE_TRY = 'code-try';
const PASSWORD_TRY = 'password-try';

export interface Shown {
  /** As typed; null where none was. */
  readonly password: string | null;
  readonly code: string | null;
  /** Token of the link that led here, or null. */
  readonly link: string | null;
  /** Where the call came from, as far as the network tells guessers apart. */
  readonly client: string;
}

export interface Asker {
  readonly address: string;
  readonly person: Person | null;
  /** Id of the key that is set up, or of the device that needs more. */
  readonly deviceId: string;
}

/**
 * @param before what was shown earlier
 * @returns all that is shown now, enough for one of the alternatives
 * @throws EnrolmentRefused · TooManyTries · DirectoryUnavailable
 */
export async function tryProofs(
  deps: Deps,
  asker: Asker,
  shown: Shown,
  before: readonly Proof[],
  alternatives: Alternatives,
): Promise<readonly Proof[]> {
  const started = performance.now();
  try {
    return await tryAll(deps, asker, shown, before, alternatives);
  } catch (error) {
    await sleep(Math.max(0, REFUSAL_FLOOR_MS - (performance.now() - started)));
    throw error;
  }
}

async function tryAll(
  deps: Deps,
  asker: Asker,
  shown: Shown,
  before: readonly Proof[],
  alternatives: Alternatives,
): Promise<readonly Proof[]> {
  const wanted = alternatives.flat();
  const code = shown.code?.replace(/\s/g, '') || null;
  const password = wanted.includes('password') ? shown.password || null : null;
  if (password === null && code === null) throw new EnrolmentRefused('nothing of use was shown');
  const withPassword = password === null ? before : withProofs(before, ['password']);
  // What would not be enough even if it is right isn't tried, nor used up.
  const kinds = (['mailed-code', 'admin-code'] as const).filter(
    kind =>
      code?.length === CODE_LENGTHS[kind] &&
      wanted.includes(kind) &&
      satisfies(withProofs(withPassword, [kind]), alternatives),
  );
  if (code === null ? !satisfies(withPassword, alternatives) : kinds.length === 0)
    throw new EnrolmentRefused('what was shown is not enough at any level');
  const live = (await linkHolder(deps, shown.link, asker.person)) === 'live';
  if (password !== null) await tryPassword(deps, asker, password, live);
  if (code === null) return withPassword;
  return withProofs(withPassword, [await tryCode(deps, asker, { ...shown, code }, kinds, live)]);
}

/** @throws EnrolmentRefused · TooManyTries · DirectoryUnavailable */
async function tryPassword(deps: Deps, { address, person }: Asker, password: string, live: boolean): Promise<void> {
  const { once } = deps.store;
  const now = deps.now();
  const half = Math.floor(deps.config.enrolment.passwordTries / 2);
  const subjects = budgets({ address, person }, live);
  const giveBack = async (count: number): Promise<void> => {
    for (const subject of subjects) await once.giveBack(PASSWORD_TRY, subject, count);
  };
  for (const [index, subject] of subjects.entries()) {
    if (await once.take(PASSWORD_TRY, subject, half, now, new Date(now.getTime() - HOUR_MS))) continue;
    deps.logger.warn({ person: person?.id ?? null }, 'passwords of this person are not tried for now');
    throw index === 0 ? new TooManyTries('password') : refused();
  }
  let check: Awaited<ReturnType<Deps['directory']['checkPassword']>>;
  try {
    check = person === null ? 'wrong' : await deps.directory.checkPassword(person, password);
  } catch (error) {
    if (error instanceof DirectoryUnavailable) await giveBack(1);
    throw error;
  }
  if (check !== 'right') throw refused();
  await giveBack(half);
}

/** @returns which of the kinds it was. @throws EnrolmentRefused · TooManyTries */
async function tryCode(
  deps: Deps,
  { address, person, deviceId }: Asker,
  { code, link, client }: Shown & { readonly code: string },
  kinds: readonly Proof[],
  live: boolean,
): Promise<Proof> {
  // Unknown people take the same way, to codes that nobody has.
  const personId = person?.id ?? '';
  if (kinds.includes('mailed-code') && (await useMailedCode(deps, personId, link, deviceId, code)))
    return 'mailed-code';
  if (!kinds.includes('admin-code')) throw refused();
  const now = deps.now();
  const since = new Date(now.getTime() - QUARTER_MS);
  const take = (subject: string, most: number): Promise<boolean> =>
    deps.store.once.take(CODE_TRY, subject, most, now, since);
  const all = budgets({ address, person }, live ? 'all-links' : 'all');
  const keys = budgets({ address, person }, 'key', deviceId);
  const networks = budgets({ address, person }, live ? 'link' : 'network', live ? '' : client);
  for (const index of all.keys()) {
    const allowed =
      (await take(keys[index]!, KEY_TRIES)) &&
      (await take(networks[index]!, NETWORK_TRIES)) &&
      (await take(all[index]!, ALL_TRIES));
    if (allowed) continue;
    deps.logger.warn({ person: person?.id ?? null, client }, 'codes of this person are not tried from here for now');
    throw index === 0 ? new TooManyTries('code') : refused();
  }
  if (!(await useAdminCode(deps, personId, code))) throw refused();
  return 'admin-code';
}

/** What tries are counted under: the address, which is told when it is used up, then its person, which isn't. */
function budgets({ address, person }: Pick<Asker, 'address' | 'person'>, ...of: unknown[]): string[] {
  const typed = JSON.stringify(['address', address, ...of]);
  return person === null ? [typed] : [typed, JSON.stringify(['person', person.id, ...of])];
}

export function refused(): EnrolmentRefused {
  return new EnrolmentRefused('What was shown is wrong or no longer valid.');
}
