/** How a request goes on: the next signatories are asked, or it is closed. */
import type { Change, Job } from '../store/store.ts';
import type { Request, Session } from './model.ts';
import { moveRequest, moveSession } from './states.ts';

/** All sessions, or in ordered mode the first that still waits when nobody else is being asked. */
export function openSessions(request: Request, now: Date): Request {
  const open = (session: Session): Session =>
    session.state === 'waiting' ? moveSession(session, 'open', now) : session;
  if (request.mode === 'parallel') return { ...request, sessions: request.sessions.map(open) };
  if (request.sessions.some(session => session.state === 'open')) return request;
  const next = request.sessions.findIndex(session => session.state === 'waiting');
  return { ...request, sessions: request.sessions.map((session, index) => (index === next ? open(session) : session)) };
}

/** Nobody is to sign any more: job 'close' does the rest. */
export function closing(
  request: Request,
  now: Date,
): {
  readonly request: Request;
  readonly and: Pick<Change, 'addJobs' | 'finishJobs'>;
} {
  const close: Job = { id: `${request.id}-close`, kind: 'close', requestId: request.id, dueAt: now, attempts: 0 };
  return {
    request: moveRequest(request, 'closing', now),
    and: { addJobs: [close], finishJobs: [`${request.id}-expire`, `${request.id}-remind`] },
  };
}
