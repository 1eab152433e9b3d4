/** The tables of states, and that nothing but their steps is possible. */
import { describe, expect, test } from 'vitest';
import { DEVICE_STATES, REQUEST_STATES, type RequestState, SESSION_STATES } from '../../../src/requests/model.ts';
import {
  DEVICE_TRANSITIONS,
  IllegalTransition,
  moveDevice,
  moveRequest,
  moveSession,
  REQUEST_TRANSITIONS,
  requestHasEnded,
  SESSION_TRANSITIONS,
} from '../../../src/requests/states.ts';
import { device, later, request, session } from '../store/samples.ts';

const pairs = <State>(states: readonly State[]) => states.flatMap(from => states.map(to => [from, to] as const));
const at = later(1);

describe('transitions', () => {
  test.each(pairs(REQUEST_STATES))('a request from %s to %s', (from, to) => {
    const move = () => moveRequest(request('R1', { state: from }), to, at);
    if (REQUEST_TRANSITIONS[from].includes(to)) expect(move().state).toBe(to);
    else expect(move).toThrow(IllegalTransition);
  });
  test.each(pairs(SESSION_STATES))('a session from %s to %s', (from, to) => {
    const move = () => moveSession(session('S1', 'john', from), to, at);
    if (SESSION_TRANSITIONS[from].includes(to)) expect(move()).toMatchObject({ state: to });
    else expect(move).toThrow(IllegalTransition);
  });
  test.each(pairs(DEVICE_STATES))('a device from %s to %s', (from, to) => {
    const move = () => moveDevice(device('D1', 'john', { state: from }), to, at);
    if (DEVICE_TRANSITIONS[from].includes(to)) expect(move()).toMatchObject({ state: to, endedAt: at });
    else expect(move).toThrow(IllegalTransition);
  });

  test('what has ended never goes on, and everything can end', () => {
    const reachable = (from: RequestState): RequestState[] =>
      REQUEST_TRANSITIONS[from].flatMap(to => [to, ...reachable(to)]);
    for (const state of REQUEST_STATES) {
      expect(requestHasEnded(state)).toBe(!['preparing', 'open', 'closing'].includes(state));
      if (!requestHasEnded(state)) expect(reachable(state).some(requestHasEnded)).toBe(true);
    }
    expect(new Set(['preparing', ...reachable('preparing')])).toEqual(new Set(REQUEST_STATES));
  });

  test('a request that ends closes the sessions to come and leaves the others', () => {
    const sessions = SESSION_STATES.map(state => session(state, 'john', state));
    const ended = moveRequest(request('R1', { sessions }), 'cancelled', at);
    expect(ended.endedAt).toEqual(at);
    expect(ended.sessions.map(({ state }) => state)).toEqual(['closed', 'closed', 'signed', 'rejected', 'closed']);
    expect(moveRequest(request('R1', { sessions }), 'closing', at)).toMatchObject({ endedAt: null, sessions });
  });
});
