/**
 * A kill at any moment: every call that the engine makes to another part is, in turn, the last one before a crash (just
 * before it, and just after). Whoever was waiting asks again; the outcome must be that of an undisturbed run.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { Deps } from '../../../src/requests/deps.ts';
import { createRequests } from '../../../src/requests/engine.ts';
import type { Submission } from '../../../src/requests/model.ts';
import { type Phone, signatures, submission, World } from './world.ts';

class Crash extends Error {}

/** Counts the calls to store, documents, composer and CA; the `fatal`-th one crashes, before or after its effect. */
function crashing(deps: Deps, fatal: number, when: 'before' | 'after'): { deps: Deps; calls: () => number } {
  let calls = 0;
  const wrap = <Part extends object>(part: Part): Part =>
    new Proxy(part, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        // What answers at once touches nothing that a crash could leave half done.
        if (typeof value !== 'function' || name === 'issuersOf') return value;
        return async (...values: unknown[]) => {
          const crashes = ++calls === fatal;
          if (crashes && when === 'before') throw new Crash();
          const result: unknown = await Reflect.apply(value, target, values);
          if (crashes) throw new Crash();
          return result;
        };
      },
    });
  const { store } = deps;
  return {
    deps: {
      ...deps,
      documents: wrap(deps.documents),
      composer: wrap(deps.composer),
      pki: { ca: wrap(deps.pki.ca) },
      store: {
        blobs: wrap(store.blobs),
        requests: wrap(store.requests),
        jobs: store.jobs,
        outbox: store.outbox,
        once: wrap(store.once),
        enrolments: wrap(store.enrolments),
        close: () => store.close(),
      },
    },
    calls: () => calls,
  };
}

/** Runs a step until it has not crashed; a lease of the crashed one is forgotten as at a restart. */
async function untilDone<Result>(world: World, step: (deps: Deps) => Promise<Result>, deps: Deps): Promise<Result> {
  try {
    return await step(deps);
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    world.store.forgetLeases();
    return step(world.deps);
  }
}

interface Story {
  readonly name: string;
  readonly submission: Partial<Submission>;
  /** Kinds of the jobs that stay. */
  readonly leaves: readonly string[];
  readonly run: (world: World, phones: readonly Phone[], step: Step) => Promise<void>;
}
type Step = <Result>(work: (deps: Deps) => Promise<Result>) => Promise<Result>;

const sign = async (deps: Deps, world: World, index: number, phone: Phone): Promise<void> => {
  const [request] = await world.requests.list({ ended: false });
  const session = request!.sessions[index]!;
  // It was signed before the crash: the page shows that and doesn't ask again.
  if (session.state === 'signed') return;
  const requests = createRequests(deps);
  const ask = { certificateSerial: phone.serial, known: [0], utcOffset: 0 };
  const grant = await requests.grantTurn(session.id, phone.device, ask);
  await requests.completeTurn(session.id, phone.device, grant.turn, signatures(grant, phone));
};

const STORIES: Story[] = [
  {
    name: 'open, prepare, sign twice in order, close, extend',
    submission: { mode: 'ordered', documents: ['a', 'b'].map(name => ({ name, bytes: Buffer.from(name) })) },
    leaves: ['extend'],
    async run(world, phones, step) {
      await step(deps => createRequests(deps).open(submission(this.submission)));
      await step(deps => world.runJobs(deps));
      await step(deps => sign(deps, world, 0, phones[0]!));
      await step(deps => sign(deps, world, 1, phones[1]!));
      await step(deps => world.runJobs(deps));
      world.pass(300 * 86_400_000);
      await step(deps => world.runJobs(deps));
    },
  },
  {
    name: 'open, prepare, one signs, the other rejects',
    submission: {},
    leaves: [],
    async run(world, phones, step) {
      const { request } = await step(deps => createRequests(deps).open(submission()));
      await step(deps => world.runJobs(deps));
      await step(deps => sign(deps, world, 0, phones[0]!));
      const session = request.sessions[1]!;
      await step(deps => createRequests(deps).reject(session.id, phones[1]!.device, 'no'));
    },
  },
  {
    name: 'open, prepare, expire',
    submission: {},
    leaves: [],
    async run(world, _, step) {
      await step(deps => createRequests(deps).open(submission()));
      await step(deps => world.runJobs(deps));
      world.pass(8 * 86_400_000);
      await step(deps => world.runJobs(deps));
    },
  },
];

let world: World;
afterEach(() => world.close());

async function outcome(story: Story, fatal: number, when: 'before' | 'after') {
  world = await World.open();
  const phones = [await world.phone('john'), await world.phone('jane')];
  const broken = crashing(world.deps, fatal, when);
  await story.run(world, phones, work => untilDone(world, work, broken.deps));
  const all = [...(await world.requests.list({ ended: false })), ...(await world.requests.list({ ended: true }))];
  world.pass(400 * 86_400_000);
  const rows = await world.store.outbox.lease(1000, 0, world.now);
  return {
    calls: broken.calls(),
    seen: {
      requests: all.map(({ state, sessions, documents }) => ({
        state,
        sessions: sessions.map(session => session.state),
        revisions: documents.map(({ revisions }) => revisions?.length),
        finished: documents.map(({ finishedLength }) => finishedLength),
      })),
      mails: rows.map(({ kind, recipient }) => `${kind} ${recipient}`).sort(),
      jobs: (await world.store.jobs.lease(99, 1000, world.now)).map(({ kind }) => kind),
    },
  };
}

describe.each(STORIES)('a crash at any call: $name', story => {
  test('the outcome is the same, and no mail is doubled', async () => {
    const undisturbed = await outcome(story, 0, 'before');
    expect(undisturbed.seen.jobs).toEqual(story.leaves);
    expect(undisturbed.calls).toBeGreaterThan(15);
    for (let fatal = 1; fatal <= undisturbed.calls; fatal++) {
      for (const when of ['before', 'after'] as const) {
        await world.close();
        expect((await outcome(story, fatal, when)).seen, `crash ${when} call ${fatal}`).toEqual(undisturbed.seen);
      }
    }
  });
});
