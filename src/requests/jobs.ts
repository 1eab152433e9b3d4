/**
 * Runs the work that follows a reply: prepare, close, expire, remind; and, years later, extend. A job is leased while it
 * runs, kept with a back-off when it fails, and gone only in the transaction that holds its outcome; so a crash anywhere
 * means that it runs again.
 */
import type { Job, LeasedJob } from '../store/store.ts';
import { closeRequest } from './close.ts';
import type { Deps } from './deps.ts';
import { expireRequest } from './ending.ts';
import { extendRequest } from './extend.ts';
import { prepareRequest } from './prepare.ts';
import { remindRequest } from './reminders.ts';

const LEASE_MS = 60_000;
const EXTEND_MS = 20_000;
/** How often the store is asked without being woken: for jobs that fall due and those of other processes. */
const POLL_MS = 1_000;
const CONCURRENCY = 2;
const BACKOFF = { firstMs: 1_000, mostMs: 10 * 60_000 };
/** From here on a failing job is an error that somebody should look at. */
const ALARMING_ATTEMPTS = 5;

/** What each kind of job does; throws when it is to be tried again. */
export const WORK: Readonly<Record<Job['kind'], (deps: Deps, job: Job) => Promise<void>>> = {
  prepare: prepareRequest,
  close: closeRequest,
  expire: expireRequest,
  remind: remindRequest,
  extend: extendRequest,
};

export interface Jobs {
  /** Looks for due work now. */
  wake(): void;
  /** Takes no new work; resolves when what was under way is over. */
  pause(): Promise<void>;
  resume(): void;
  /** Like pause, for good. */
  stop(): Promise<void>;
}

/** Starts at once. */
export function startJobs(deps: Deps): Jobs {
  const running = new Set<Promise<void>>();
  let paused = false;
  let stopped = false;
  let looking: Promise<void> | null = null;
  let again = false;

  const look = async (): Promise<void> => {
    do {
      again = false;
      const free = CONCURRENCY - running.size;
      if (paused || stopped || free <= 0) return;
      const jobs = await deps.store.jobs.lease(free, LEASE_MS, deps.now());
      for (const job of jobs) {
        const work = runLeased(deps, job).finally(() => {
          running.delete(work);
          wake();
        });
        running.add(work);
      }
    } while (again);
  };
  const wake = (): void => {
    again = true;
    if (looking || paused || stopped) return;
    looking = look()
      .catch((error: unknown) => deps.logger.error({ err: error }, 'jobs can not be read; trying again'))
      .finally(() => {
        looking = null;
        if (again) wake();
      });
  };
  const timer = setInterval(wake, POLL_MS);
  const settle = async (): Promise<void> => {
    await looking;
    await Promise.all(running);
  };
  wake();
  return {
    wake,
    async pause() {
      paused = true;
      await settle();
    },
    resume() {
      paused = false;
      wake();
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      await settle();
    },
  };
}

/** Never throws: a failure is logged and the job given back. */
async function runLeased(deps: Deps, job: LeasedJob): Promise<void> {
  const logger = deps.logger.child({ request: job.requestId, job: job.kind });
  const keep = setInterval(() => {
    deps.store.jobs.extend(job, LEASE_MS, deps.now()).catch((error: unknown) => {
      logger.warn({ err: error }, 'lease not extended');
    });
  }, EXTEND_MS);
  try {
    await WORK[job.kind](deps, job);
  } catch (error) {
    const attempts = job.attempts + 1;
    const dueAt = new Date(deps.now().getTime() + backoffMs(attempts, deps.randomBytes(1)[0]!));
    logger[attempts < ALARMING_ATTEMPTS ? 'warn' : 'error'](
      { err: error, attempts, dueAt },
      'job failed; trying again',
    );
    await deps.store.jobs.retry(job, dueAt).catch((second: unknown) => {
      logger.error({ err: second }, 'job not given back; its lease runs out');
    });
  } finally {
    clearInterval(keep);
  }
}

/** Doubles up to ten minutes; the random byte spreads it between half and one and a half. */
export function backoffMs(attempts: number, randomByte: number): number {
  const base = Math.min(BACKOFF.firstMs * 2 ** (attempts - 1), BACKOFF.mostMs);
  return Math.round(base * (0.5 + randomByte / 255));
}
