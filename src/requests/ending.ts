/** How a request ends before everybody has signed: rejected, cancelled, expired. Every party is told, those who signed too. */
import type { Job } from '../store/store.ts';
import { change, type Decision } from './change.ts';
import type { Deps } from './deps.ts';
import { composeRows, parties } from './mails.ts';
import type { Device, Request, Session } from './model.ts';
import { reminderJobId } from './reminders.ts';
import { Conflict } from './requests.ts';
import { ownSession } from './sessions.ts';
import { moveRequest, moveSession, requestHasEnded } from './states.ts';

const COMMENT_LIMIT = 1000;

/** @throws Conflict */
export async function rejectSession(
  deps: Deps,
  sessionId: string,
  device: Device,
  comment: string | null,
): Promise<Session> {
  return change(
    deps,
    () => deps.store.requests.findBySession(sessionId),
    async found => {
      const { request, session } = await ownSession(deps, found, sessionId, device);
      if (session.state === 'rejected') return { result: session };
      if (session.state === 'waiting' && request.state === 'open') {
        throw new Conflict('not-your-turn', 'It is not your turn yet.');
      }
      if (request.state !== 'open' || session.state !== 'open') {
        throw new Conflict('not-open', 'This request can no longer be rejected.');
      }
      const { rejected, ...decision } = await rejection(deps, request, session, device.id, comment);
      return { result: rejected, ...decision };
    },
  );
}

type Ending = Required<Omit<Decision<unknown>, 'result'>>;

/**
 * The signatory of an open session declines, and the request ends.
 *
 * @param deviceId null: by mail
 */
export async function rejection(
  deps: Deps,
  request: Request,
  session: Session,
  deviceId: string | null,
  comment: string | null,
): Promise<Ending & { readonly rejected: Session }> {
  const now = deps.now();
  const rejected = { ...moveSession(session, 'rejected', now), comment: cleanComment(comment), deviceId };
  const sessions = request.sessions.map(other => (other.id === session.id ? rejected : other));
  const ended = moveRequest({ ...request, sessions }, 'rejected', now);
  const outbox = await composeRows(deps, { kind: 'rejected', request: ended, session: rejected }, parties(ended));
  deps.logger.info({ request: request.id, session: session.id, device: deviceId }, 'request rejected');
  return { rejected, request: ended, and: { outbox, finishJobs: [expireJob(ended).id, reminderJobId(ended)] } };
}

/** @throws Conflict when it has ended already, or is unknown */
export async function cancelRequest(deps: Deps, requestId: string): Promise<Request> {
  const read = () => deps.store.requests.find(requestId);
  return change(deps, read, async request => {
    if (!request) throw new Conflict('not-open', `There is no request ${requestId}.`);
    if (requestHasEnded(request.state)) {
      throw new Conflict('not-open', `Request ${requestId} has ended already: it is ${request.state}.`);
    }
    const decision = await cancellation(deps, request);
    return { result: decision.request, ...decision };
  });
}

/** A request that has not ended does, by the word of its sender or the admin. */
export async function cancellation(deps: Deps, request: Request): Promise<Ending> {
  const { ended, outbox } = await end(deps, request, 'cancelled');
  const finishJobs = ['prepare', 'close', 'expire', 'remind'].map(kind => `${request.id}-${kind}`);
  return { request: ended, and: { outbox, finishJobs } };
}

export function expireJob({ id, expiresAt }: Pick<Request, 'id' | 'expiresAt'>): Job {
  return { id: `${id}-expire`, kind: 'expire', requestId: id, dueAt: expiresAt, attempts: 0 };
}

/** Job 'expire', due when the request's time is over. Safe to repeat. */
export async function expireRequest(deps: Deps, job: Job): Promise<void> {
  await change<undefined>(
    deps,
    () => deps.store.requests.find(job.requestId),
    async (request): Promise<Decision<undefined>> => {
      const finishJobs = [job.id];
      // In 'closing' everybody has signed in time.
      if (!request || (request.state !== 'preparing' && request.state !== 'open')) {
        return { result: undefined, and: { finishJobs } };
      }
      // It got more time while this was under way: a later job has taken this one's place.
      if (request.expiresAt > deps.now()) return { result: undefined };
      const { ended, outbox } = await end(deps, request, 'expired');
      return {
        result: undefined,
        request: ended,
        and: { outbox, finishJobs: [...finishJobs, `${request.id}-prepare`, reminderJobId(request)] },
      };
    },
  );
}

async function end(deps: Deps, request: Request, state: 'cancelled' | 'expired') {
  const ended = moveRequest(request, state, deps.now());
  deps.logger.info({ request: request.id, from: request.state }, `request ${state}`);
  return { ended, outbox: await composeRows(deps, { kind: state, request: ended }, parties(ended)) };
}

/** One paragraph or a few, without control characters. */
function cleanComment(comment: string | null): string | null {
  const text = (comment ?? '')
    .replace(/\r\n?/g, '\n')
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029]/g, ' ')
    .trim();
  return text === '' ? null : [...text].slice(0, COMMENT_LIMIT).join('');
}
