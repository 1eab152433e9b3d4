/** The runner: leases, back-off, take-over, pausing and stopping. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TimestampUnavailable } from '../../../src/pki/pki.ts';
import { backoffMs, type Jobs, startJobs } from '../../../src/requests/jobs.ts';
import { documents, submission, World } from './world.ts';

let world: World;
let jobs: Jobs | null = null;
beforeEach(async () => {
  world = await World.open();
});
afterEach(async () => {
  await jobs?.stop();
  jobs = null;
  await world.close();
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 2));
}
const state = async (id: string) => (await world.fresh({ id })).state;

describe('the runner', () => {
  test('does what is due, also what was added before it started, two at a time', async () => {
    let [running, most] = [0, 0];
    const counted = {
      ...documents,
      async prepare(...values: Parameters<typeof documents.prepare>) {
        most = Math.max(most, ++running);
        await new Promise(resolve => setTimeout(resolve, 5));
        running--;
        return documents.prepare(...values);
      },
    };
    const opened = await Promise.all(
      Array.from({ length: 8 }, (_, i) => world.requests.open(submission({ key: `${i}` }))),
    );
    jobs = startJobs({ ...world.deps, documents: counted });
    for (const { request } of opened) await until(async () => (await state(request.id)) === 'open');
    expect(most).toBe(2);
  });

  test('tries a failing job again, later each time, and says so in the log', async () => {
    let failures = 3;
    const failing = {
      ...documents,
      async prepare(...values: Parameters<typeof documents.prepare>) {
        if (failures-- > 0) throw new TimestampUnavailable('no authority answered');
        return documents.prepare(...values);
      },
    };
    const { request } = await world.requests.open(submission());
    jobs = startJobs({ ...world.deps, documents: failing });
    for (let attempt = 1; attempt <= 3; attempt++) {
      await until(async () => world.log.filter(line => line.includes('job failed')).length === attempt);
      expect(await state(request.id)).toBe('preparing');
      // Not before its time.
      jobs.wake();
      await jobs.pause();
      expect(failures).toBe(3 - attempt);
      jobs.resume();
      world.pass(60_000);
      jobs.wake();
    }
    await until(async () => (await state(request.id)) === 'open');
    expect(world.log.find(line => line.includes('job failed'))).toContain('no authority answered');
    expect(await world.mails(request)).toEqual(['accepted mary', 'please-sign jane', 'please-sign john']);
  });

  test('paused it takes nothing, resumed it goes on, stopped it has finished what it had begun', async () => {
    let begun = 0;
    let ended = 0;
    const slow = {
      ...documents,
      async prepare(...values: Parameters<typeof documents.prepare>) {
        begun++;
        await new Promise(resolve => setTimeout(resolve, 20));
        ended++;
        return documents.prepare(...values);
      },
    };
    jobs = startJobs({ ...world.deps, documents: slow });
    await jobs.pause();
    const { request } = await world.requests.open(submission());
    jobs.wake();
    await jobs.pause();
    expect(begun).toBe(0);
    jobs.resume();
    await until(async () => begun === 1);
    await jobs.stop();
    expect(ended).toBe(1);
    expect(await state(request.id)).toBe('open');
    await world.requests.open(submission({ key: 'b' }));
    jobs.wake();
    await jobs.stop();
    expect(begun).toBe(1);
  });

  test('a job whose worker died is taken over when its lease runs out; the late worker does no harm', async () => {
    const { request } = await world.requests.open(submission());
    let release = (): void => {};
    const gate = new Promise<void>(resolve => {
      release = resolve;
    });
    let hanging = false;
    const hangs = {
      ...documents,
      async prepare(...values: Parameters<typeof documents.prepare>) {
        hanging = true;
        await gate;
        return documents.prepare(...values);
      },
    };
    const dead = startJobs({ ...world.deps, documents: hangs });
    await until(async () => hanging);
    jobs = startJobs(world.deps);
    await jobs.pause();
    expect(await state(request.id)).toBe('preparing');
    world.pass(60_000);
    jobs.resume();
    await until(async () => (await state(request.id)) === 'open');
    const before = await world.fresh(request);
    release();
    await dead.stop();
    expect(await world.fresh(request)).toEqual(before);
    expect(await world.mails(request)).toEqual(['accepted mary', 'please-sign jane', 'please-sign john']);
  });

  test('a store that fails for a while does not end it', async () => {
    let failures = 2;
    const { lease } = world.store.jobs;
    const shaky = new Proxy(world.store.jobs, {
      get(target, name) {
        if (name === 'lease') {
          return async (...values: Parameters<typeof lease>) => {
            if (failures-- > 0) throw new Error('disk I/O error');
            return target.lease(...values);
          };
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const { request } = await world.requests.open(submission());
    const { blobs, requests, outbox, once, enrolments } = world.store;
    const store = { blobs, requests, outbox, once, enrolments, jobs: shaky, close: () => world.store.close() };
    jobs = startJobs({ ...world.deps, store });
    await until(async () => (await state(request.id)) === 'open');
    expect(world.log.filter(line => line.includes('trying again'))).toHaveLength(2);
  });

  test('the back-off doubles from a second to ten minutes, spread by half', () => {
    expect([1, 2, 3, 10, 11, 50].map(attempts => backoffMs(attempts, 127.5) / 1000)).toEqual([1, 2, 4, 512, 600, 600]);
    expect([backoffMs(1, 0), backoffMs(1, 255)]).toEqual([500, 1500]);
  });
});
