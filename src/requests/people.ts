/**
 * People who change while a request is open. Who got another name or address keeps their part: mail goes to the new
 * address. Who left can't sign any more (sessions.ts), and the sender is told, once.
 */
import { DirectoryUnavailable, type Person } from '../directory/directory.ts';
import { change } from './change.ts';
import type { Deps } from './deps.ts';
import { composePleaseSign, composeRow } from './mails.ts';
import type { Party, Request, Session } from './model.ts';

/** How often the directory is asked about everybody who is waited for. */
const EVERY = 10 * 60_000;

export interface People {
  stop(): Promise<void>;
}

/** Starts at once. */
export function followPeople(deps: Deps): People {
  let looking: Promise<void> | null = null;
  let stopped = false;
  const look = (): void => {
    if (stopped) return;
    looking ??= lookAtPeople(deps, () => stopped)
      .catch((error: unknown) => deps.logger.error({ err: error }, 'people of open requests could not be looked at'))
      .finally(() => {
        looking = null;
      });
  };
  const timer = setInterval(look, EVERY);
  look();
  return {
    async stop() {
      stopped = true;
      clearInterval(timer);
      await looking;
    },
  };
}

/** One round over all open requests. While the directory is away nobody has left. */
export async function lookAtPeople(deps: Deps, isOver: () => boolean = () => false): Promise<void> {
  const found = new Map<string, Person | null>();
  try {
    for (const request of await deps.store.requests.list({ ended: false })) {
      if (isOver()) return;
      for (const { personId } of [request.sender, ...request.copies, ...request.sessions.map(({ party }) => party)]) {
        if (!found.has(personId)) found.set(personId, await deps.directory.findById(personId));
      }
      if (hasMoved(request, found)) await follow(deps, request.id, found);
      for (const session of request.sessions.filter(isAwaited)) {
        if (found.get(session.party.personId) === null) await tellLeft(deps, request, session);
      }
    }
  } catch (error) {
    if (!(error instanceof DirectoryUnavailable)) throw error;
    deps.logger.warn({ reason: error.message }, 'the directory is away; people of open requests are looked at later');
  }
}

type Found = ReadonlyMap<string, Person | null>;

function isAwaited({ state }: Session): boolean {
  return state === 'waiting' || state === 'open';
}

/** Where mail goes now. The name stays as it was asked for: it stands in the document. */
function current(party: Party, found: Found): Party {
  const person = found.get(party.personId);
  return person ? { ...party, mail: person.mail, language: person.language } : party;
}

function hasMoved({ sender, copies, sessions }: Request, found: Found): boolean {
  return [sender, ...copies, ...sessions.map(({ party }) => party)].some(
    party => current(party, found).mail !== party.mail,
  );
}

async function follow(deps: Deps, requestId: string, found: Found): Promise<void> {
  await change<undefined>(
    deps,
    () => deps.store.requests.find(requestId),
    async request => {
      if (!request || request.endedAt !== null || !hasMoved(request, found)) return { result: undefined };
      const moved: Request = {
        ...request,
        sender: current(request.sender, found),
        copies: request.copies.map(party => current(party, found)),
        sessions: request.sessions.map(session => ({ ...session, party: current(session.party, found) })),
      };
      // Whoever comes back to an earlier address has the mail there.
      const rows = await deps.store.outbox.listForRequest(request.id);
      const hasMail = (address: string) => rows.some(row => row.kind === 'please-sign' && row.recipient === address);
      const asked = moved.sessions.filter(({ state, party }) => state === 'open' && !hasMail(party.mail));
      deps.logger.info({ request: request.id, sessions: asked.map(({ id }) => id) }, 'people have another address now');
      return { result: undefined, request: moved, and: { outbox: await composePleaseSign(deps, moved, asked) } };
    },
  );
}

async function tellLeft(deps: Deps, request: Request, { id, party }: Session): Promise<void> {
  const notice = await composeRow(deps, { kind: 'left', request, party }, request.sender);
  // False: the sender has been told already.
  if (!(await deps.store.requests.commit({ outbox: [notice] }))) return;
  deps.logger.warn(
    { request: request.id, session: id, person: party.personId },
    'a signatory is no longer a person here',
  );
  deps.wake();
}
