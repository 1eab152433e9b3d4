/** Whatever people do in whatever order: every step is one of the tables, and every party hears what it must, once. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Deps } from '../../../src/requests/deps.ts';
import type { Request } from '../../../src/requests/model.ts';
import { Conflict, type Grant } from '../../../src/requests/requests.ts';
import { REQUEST_TRANSITIONS, requestHasEnded, SESSION_TRANSITIONS } from '../../../src/requests/states.ts';
import { PEOPLE, type Phone, signatures, submission, text, World } from './world.ts';

const action = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('jobs' as const), who: fc.nat(2) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('turn' as const), who: fc.nat(2) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('signature' as const), who: fc.nat(2) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('sign' as const), who: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reject' as const), who: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), who: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('again' as const), who: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('minute' as const), who: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('days' as const), who: fc.nat(2) }) },
);

/** Looks at every request that is committed, beside the one before. */
function watched(deps: Deps, steps: [Request | null, Request][]): Deps {
  const { requests } = deps.store;
  const commit: typeof requests.commit = async change => {
    const before = await Promise.all((change.requests ?? []).map(({ id }) => requests.find(id)));
    const done = await requests.commit(change);
    if (done) for (const [index, after] of (change.requests ?? []).entries()) steps.push([before[index]!, after]);
    return done;
  };
  const watching = new Proxy(requests, {
    get(target, name) {
      if (name === 'commit') return commit;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const { blobs, jobs, outbox, once, enrolments } = deps.store;
  return {
    ...deps,
    store: { requests: watching, blobs, jobs, outbox, once, enrolments, close: () => deps.store.close() },
  };
}

async function play(mode: 'parallel' | 'ordered', batches: readonly (readonly { do: string; who: number }[])[]) {
  const steps: [Request | null, Request][] = [];
  const world = await World.open(deps => watched(deps, steps));
  try {
    const signatories = PEOPLE.slice(0, 3);
    const phones: Phone[] = [];
    for (const { id } of signatories) phones.push(await world.phone(id));
    const { request } = await world.requests.open(submission({ mode, signatories }));
    const grants: (Grant | undefined)[] = [];
    const act = async ({ do: what, who }: { do: string; who: number }): Promise<unknown> => {
      const [session, phone] = [request.sessions[who]!, phones[who]!];
      const grant = grants[who];
      switch (what) {
        case 'jobs':
          return world.runJobs();
        case 'turn':
          grants[who] = await world.grant(session, phone);
          return;
        case 'signature':
          return grant && world.requests.completeTurn(session.id, phone.device, grant.turn, signatures(grant, phone));
        case 'sign':
          return world.sign(session, phone);
        case 'reject':
          return world.requests.reject(session.id, phone.device, null);
        case 'cancel':
          return world.requests.cancel(request.id);
        case 'again':
          return world.requests.open(submission({ mode, signatories }));
        case 'minute':
          return world.pass(61_000);
        default:
          return world.pass(3 * 86_400_000);
      }
    };
    for (const batch of batches) {
      // A batch is done at once, as by several people.
      const results = await Promise.allSettled(batch.map(act));
      for (const result of results) {
        if (result.status === 'rejected' && !(result.reason instanceof Conflict)) throw result.reason;
      }
      await checkInvariants(world, request.id);
    }
    checkSteps(steps);
    // In the end everything ends.
    world.pass(40 * 86_400_000);
    await world.runJobs();
    await checkInvariants(world, request.id);
    expect(requestHasEnded((await world.fresh(request)).state)).toBe(true);
    expect(await world.store.jobs.lease(9, 1000, new Date(world.now.getTime() + 1e9))).toEqual([]);
    expect(await world.requests.list({ ended: false })).toEqual([]);
    return (await world.fresh(request)).state;
  } finally {
    await world.close();
  }
}

function checkSteps(steps: readonly [Request | null, Request][]): void {
  for (const [before, after] of steps) {
    if (!before) {
      expect(after).toMatchObject({ state: 'preparing', version: 1 });
      continue;
    }
    expect(after.version).toBe(before.version + 1);
    if (after.state !== before.state) expect(REQUEST_TRANSITIONS[before.state]).toContain(after.state);
    for (const [index, session] of after.sessions.entries()) {
      const earlier = before.sessions[index]!;
      if (session.state !== earlier.state) expect(SESSION_TRANSITIONS[earlier.state]).toContain(session.state);
      else expect(session).toEqual(earlier);
    }
    const revisions = before.documents[0]!.revisions ?? [];
    expect(after.documents[0]!.revisions?.slice(0, revisions.length) ?? []).toEqual(revisions);
  }
}

async function checkInvariants(world: World, id: string): Promise<void> {
  const request = await world.fresh({ id });
  const signed = request.sessions.filter(({ state }) => state === 'signed');
  if (request.documents[0]!.head !== null) {
    expect(request.documents[0]!.revisions).toHaveLength(1 + signed.length);
    const head = text(await world.requests.readHead(request, 0));
    for (const [index, { state, party }] of request.sessions.entries()) {
      expect(head.includes(`signed ${index} ${party.name} `)).toBe(state === 'signed');
    }
  }
  expect(request.endedAt !== null).toBe(requestHasEnded(request.state));
  if (request.state !== 'open') expect(request.turn).toBeNull();
  if (request.endedAt) expect(request.sessions.every(({ endedAt }) => endedAt !== null)).toBe(true);
  if (request.mode === 'ordered' && request.state === 'open') {
    expect(request.sessions.map(({ state }) => state).join(' ')).toMatch(/^(signed )*open( waiting)*$/);
  }

  const mails = (await world.mails(request)).filter(mail => !mail.startsWith('signed-by-one'));
  expect(new Set(mails).size).toBe(mails.length);
  const count = (kind: string) => mails.filter(mail => mail.startsWith(`${kind} `)).length;
  for (const kind of ['finished', 'rejected', 'expired', 'cancelled']) {
    // Mary is sender and signatory, Carl gets a copy.
    expect(count(kind)).toBe(request.state === kind ? 4 : 0);
  }
  expect(count('accepted')).toBe(1);
  const rows = await world.store.outbox.listForRequest(id);
  const byOne = rows.filter(({ kind }) => kind === 'signed-by-one').map(({ topic }) => topic);
  expect(new Set(byOne).size).toBe(byOne.length);
  expect(byOne).toHaveLength(signed.length - (signed.length === request.sessions.length ? 1 : 0));
}

describe('random actions', () => {
  test.each(['parallel', 'ordered'] as const)('keep every invariant (%s)', async mode => {
    const batches = fc.array(fc.array(action, { minLength: 1, maxLength: 3 }), { minLength: 5, maxLength: 25 });
    const ends = new Set<string>();
    await fc.assert(
      fc.asyncProperty(batches, async actions => {
        ends.add(await play(mode, [[{ do: 'jobs', who: 0 }], ...actions]));
      }),
      { numRuns: 60, seed: 20260504 },
    );
    // The actions reach every end.
    expect([...ends].sort()).toEqual(['cancelled', 'expired', 'finished', 'rejected']);
  });
});
