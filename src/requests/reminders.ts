/**
 * Reminders: by themselves at half time and on the last day (job 'remind'), or because the sender asks for one. Nobody
 * is reminded who has just had a mail about the same.
 */
import type { Job, OutboxRow } from '../store/store.ts';
import { change } from './change.ts';
import type { Deps } from './deps.ts';
import { composeRow, linkOf } from './mails.ts';
import type { Party, Request, Session } from './model.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A request that is open for less needs no reminder. */
const LEAST_TIME = DAY;
/** Between any mail that asks somebody to sign and a reminder that comes by itself. */
const QUIET = 12 * HOUR;
/** The same for a reminder that the sender asks for. */
const QUIET_BY_HAND = 4 * HOUR;

/** When the next reminder is due after `after`; null when there is none to come. */
export function nextReminder(
  { createdAt, expiresAt }: Pick<Request, 'createdAt' | 'expiresAt'>,
  after: Date,
): Date | null {
  const [start, end] = [createdAt.getTime(), expiresAt.getTime()];
  if (end - start < LEAST_TIME) return null;
  const halfTime = start + (end - start) / 2;
  const lastDay = end - DAY;
  const times = lastDay - halfTime >= QUIET ? [halfTime, lastDay] : [halfTime];
  const next = times.find(time => time > after.getTime());
  return next === undefined ? null : new Date(next);
}

/** The job for it; none for the company seal alone. */
export function reminderJobs(request: Request, after: Date): Job[] {
  const dueAt = request.sessions.length === 0 ? null : nextReminder(request, after);
  if (dueAt === null) return [];
  return [{ id: reminderJobId(request), kind: 'remind', requestId: request.id, dueAt, attempts: 0 }];
}

export function reminderJobId({ id }: Pick<Request, 'id'>): string {
  return `${id}-remind`;
}

/** Job 'remind'. Safe to repeat. */
export async function remindRequest(deps: Deps, job: Job): Promise<void> {
  await change(
    deps,
    () => deps.store.requests.find(job.requestId),
    async request => {
      const finishJobs = [job.id];
      if (!request || (request.state !== 'open' && request.state !== 'preparing'))
        return { result: undefined, and: { finishJobs } };
      const now = deps.now();
      const addJobs = reminderJobs(request, now);
      const { due } = whoIsDue(request, await deps.store.outbox.listForRequest(request.id), now, QUIET);
      const outbox = await composeReminders(deps, request, due, job.dueAt.toISOString());
      if (due.length > 0)
        deps.logger.info({ request: request.id, sessions: due.map(({ id }) => id) }, 'signatories reminded');
      return { result: undefined, and: { finishJobs, addJobs, outbox } };
    },
  );
}

/** Who may be reminded because the sender asks for it now; `again`: when somebody may be, null where nobody is asked. */
export function whoIsDueByHand(
  request: Request,
  rows: readonly OutboxRow[],
  now: Date,
): { readonly due: readonly Session[]; readonly again: Date | null } {
  return whoIsDue(request, rows, now, QUIET_BY_HAND);
}

function whoIsDue(
  request: Request,
  rows: readonly OutboxRow[],
  now: Date,
  quiet: number,
): { due: Session[]; again: Date | null } {
  const open = request.sessions.filter(({ state }) => state === 'open');
  const free = open.map(({ party }) => lastAsked(rows, party) + quiet);
  return {
    due: open.filter((_, index) => free[index]! <= now.getTime()),
    again: open.length === 0 ? null : new Date(Math.min(...free)),
  };
}

/** When this person was last mailed that they should sign. */
function lastAsked(rows: readonly OutboxRow[], { mail }: Party): number {
  const asked = rows.filter(({ recipient, kind }) => recipient === mail && ['please-sign', 'reminder'].includes(kind));
  return Math.max(0, ...asked.map(({ createdAt }) => createdAt.getTime()));
}

/** @param topic tells these reminders from earlier ones */
export async function composeReminders(
  deps: Deps,
  request: Request,
  sessions: readonly Session[],
  topic: string,
): Promise<OutboxRow[]> {
  const rows: OutboxRow[] = [];
  for (const session of sessions) {
    const mail = { kind: 'reminder', request, session, link: linkOf(deps, session) } as const;
    rows.push({ ...(await composeRow(deps, mail, session.party)), topic });
  }
  return rows;
}
