/**
 * The life of requests, sessions and devices: what may follow what, written once. Everything that changes a state goes
 * through here; an illegal step throws before anything is written.
 */
import type { Device, DeviceState, Request, RequestState, Session, SessionState } from './model.ts';

export const REQUEST_TRANSITIONS: Readonly<Record<RequestState, readonly RequestState[]>> = {
  // Straight to closing: the company seal alone.
  preparing: ['open', 'closing', 'failed', 'expired', 'cancelled'],
  open: ['closing', 'rejected', 'expired', 'cancelled'],
  // Everybody has signed: it can neither expire nor be rejected any more.
  closing: ['finished', 'failed', 'cancelled'],
  finished: [],
  rejected: [],
  expired: [],
  cancelled: [],
  failed: [],
};

export const SESSION_TRANSITIONS: Readonly<Record<SessionState, readonly SessionState[]>> = {
  waiting: ['open', 'closed'],
  open: ['signed', 'rejected', 'closed'],
  signed: [],
  rejected: [],
  closed: [],
};

export const DEVICE_TRANSITIONS: Readonly<Record<DeviceState, readonly DeviceState[]>> = {
  active: ['retired', 'revoked'],
  retired: [],
  revoked: [],
};

/** A fault of ours: somebody asked for a step that the tables don't have. */
export class IllegalTransition extends Error {
  override readonly name = 'IllegalTransition';
}

export function requestHasEnded(state: RequestState): boolean {
  return REQUEST_TRANSITIONS[state].length === 0;
}

/**
 * The request in its next state; a turn lasts only while the request stays open. When it ends without everybody having
 * signed, the sessions that were still to come are closed. @throws IllegalTransition
 */
export function moveRequest(request: Request, to: RequestState, at: Date): Request {
  step('request', REQUEST_TRANSITIONS, request.state, to);
  const ended = requestHasEnded(to);
  return {
    ...request,
    state: to,
    turn: null,
    endedAt: ended ? at : null,
    sessions: ended
      ? request.sessions.map(session =>
          SESSION_TRANSITIONS[session.state].includes('closed') ? moveSession(session, 'closed', at) : session,
        )
      : request.sessions,
  };
}

/** @throws IllegalTransition */
export function moveSession(session: Session, to: SessionState, at: Date): Session {
  step('session', SESSION_TRANSITIONS, session.state, to);
  return { ...session, state: to, endedAt: SESSION_TRANSITIONS[to].length === 0 ? at : null };
}

/** @throws IllegalTransition */
export function moveDevice(device: Device, to: DeviceState, at: Date): Device {
  step('device', DEVICE_TRANSITIONS, device.state, to);
  return { ...device, state: to, endedAt: at };
}

function step<State extends string>(
  what: string,
  table: Readonly<Record<State, readonly State[]>>,
  from: State,
  to: State,
): void {
  if (!table[from].includes(to)) throw new IllegalTransition(`a ${what} can't go from ${from} to ${to}`);
}
