/**
 * What people do to a request by replying to its mails (EXPERIENCE.md section 6). Act, answer and the entry in the
 * evidence log are one transaction, and the answer's row remembers the reply: delivered again, it does nothing.
 */
import type { Happening } from '../evidence/entry.ts';
import type { Answer } from '../outbound/reply-letters.ts';
import type { OutboxRow } from '../store/store.ts';
import { change, type Decision } from './change.ts';
import type { Deps } from './deps.ts';
import { cancellation, expireJob, rejection } from './ending.ts';
import { composeRow, partyOf } from './mails.ts';
import type { Party, Request } from './model.ts';
import { composeReminders, reminderJobId, reminderJobs, whoIsDueByHand } from './reminders.ts';

export type Command =
  | { readonly name: 'status' | 'remind' | 'cancel' }
  | { readonly name: 'extend'; readonly days: number }
  | { readonly name: 'reject'; readonly reason: string | null };

export interface Reply {
  readonly requestId: string;
  /** Whose reply it is: a party of the request. */
  readonly personId: string;
  /** Null: none that we know. */
  readonly command: Command | null;
  /** SHA-256 (hex) of what the reply says in its first line. */
  readonly said: string;
  /** The same for every delivery of this reply: SHA-256 in hex. */
  readonly key: string;
  readonly messageId: string;
  readonly references: readonly string[];
  /** How its author was authenticated, and when it came in: for the evidence log. */
  readonly method: string;
  readonly queueId: string | null;
}

/** What became of it. `unknown`: no such request, or not theirs; `silent`: so many replies get no answer any more. */
export type Outcome = Answer['name'] | 'cancelled' | 'rejected' | 'repeated' | 'unknown' | 'silent';

const DAY = 86_400_000;
/** Of one person about one request within a day. A machine that answers machines is soon left alone. */
const MOST_ANSWERS = 20;
const MOST_HELPS = 3;

/** Whose word it is: the sender's, a signatory's, or every party's. */
export function whoMay({ name }: Command): 'sender' | 'signatory' | 'party' {
  if (name === 'status') return 'party';
  return name === 'reject' ? 'signatory' : 'sender';
}

export function mayDo(request: Request, personId: string, command: Command): boolean {
  const who = whoMay(command);
  if (who === 'sender') return request.sender.personId === personId;
  if (who === 'signatory') return request.sessions.some(({ party }) => party.personId === personId);
  return partyOf(request, personId) !== null;
}

/** Whether this person has had so many answers about the request today that there are no more. */
export function tooManyAnswers(rows: readonly OutboxRow[], { mail }: Party, now: Date): boolean {
  return answersTo(rows, mail, now).length >= MOST_ANSWERS;
}

function answersTo(rows: readonly OutboxRow[], mail: string, now: Date): OutboxRow[] {
  const since = now.getTime() - DAY;
  return rows.filter(row => row.kind === 'answer' && row.recipient === mail && row.createdAt.getTime() > since);
}

/** Safe when it resolves, and safe to repeat. */
export function actByReply(deps: Deps, reply: Reply): Promise<Outcome> {
  return change(
    deps,
    () => deps.store.requests.find(reply.requestId),
    async (request): Promise<Decision<Outcome>> => {
      const party = request && partyOf(request, reply.personId);
      if (!request || !party) return { result: 'unknown' };
      const rows = await deps.store.outbox.listForRequest(request.id);
      if (rows.some(({ topic }) => topic.endsWith(reply.key))) return { result: 'repeated' };
      if (tooManyAnswers(rows, party, deps.now())) return { result: 'silent' };
      const { command } = reply;
      // Rights were asked at the gatekeeper; a request's parties never change.
      if (command === null || !mayDo(request, party.personId, command)) return help(deps, request, party, reply, rows);
      const { result, answer, decision } = await act(deps, request, party, command, reply, rows);
      const { and = {} } = decision;
      const outbox = [...(and.outbox ?? [])];
      if (answer)
        outbox.push(await answerRow(deps, decision.request ?? request, party, reply, answer, `reply-${reply.key}`));
      const done = decision.request !== undefined || outbox.length > (answer ? 1 : 0);
      deps.logger.info({ request: request.id, command: command.name, result, queueId: reply.queueId }, 'reply taken');
      return {
        ...decision,
        result,
        and: { ...and, outbox, ...(done && { evidence: [happening(request, reply, command, result)] }) },
      };
    },
  );
}

interface Act {
  readonly result: Outcome;
  /** Null where the mails that follow from the act tell it. */
  readonly answer: Answer | null;
  readonly decision: Omit<Decision<unknown>, 'result'>;
}

const only = (answer: Answer): Act => ({ result: answer.name, answer, decision: {} });

async function act(
  deps: Deps,
  request: Request,
  party: Party,
  command: Command,
  reply: Reply,
  rows: readonly OutboxRow[],
): Promise<Act> {
  if (command.name === 'status') return only({ name: 'status' });
  if (request.endedAt !== null) return only({ name: 'ended' });
  switch (command.name) {
    case 'cancel':
      return {
        result: 'cancelled',
        answer: null,
        decision: remembered(await cancellation(deps, request), party, reply),
      };
    case 'reject':
      return reject(deps, request, party, command.reason, reply);
    case 'remind': {
      if (request.state === 'closing') return only({ name: 'allSigned' });
      const { due, again } = whoIsDueByHand(request, rows, deps.now());
      if (again === null) return only({ name: 'nobodyToRemind' });
      if (due.length === 0) return only({ name: 'remindedBefore', again });
      const outbox = await composeReminders(deps, request, due, `by-${reply.personId}-${deps.now().toISOString()}`);
      return {
        result: 'reminded',
        answer: { name: 'reminded', parties: due.map(session => session.party) },
        decision: { and: { outbox } },
      };
    }
    case 'extend':
      if (request.state === 'closing') return only({ name: 'allSigned' });
      return prolong(deps, request, command.days);
  }
}

async function prolong(deps: Deps, request: Request, days: number): Promise<Act> {
  const latest = new Date(request.createdAt.getTime() + deps.config.requests.maxExpiry);
  const expiresAt = new Date(request.expiresAt.getTime() + days * DAY);
  if (expiresAt > latest) return only({ name: 'tooLong', latest });
  const longer: Request = { ...request, expiresAt, prolonged: (request.prolonged ?? 0) + 1 };
  const now = deps.now();
  const open = longer.sessions.filter(({ state }) => state === 'open');
  const expire = expireJob(longer);
  return {
    result: 'prolonged',
    answer: { name: 'prolonged' },
    decision: {
      request: longer,
      and: {
        // With the new date for their calendars.
        outbox: await composeReminders(deps, longer, open, `until-${expiresAt.toISOString()}`),
        finishJobs: [expire.id, reminderJobId(longer)],
        addJobs: [expire, ...reminderJobs(longer, now)],
      },
    },
  };
}

async function reject(deps: Deps, request: Request, party: Party, reason: string | null, reply: Reply): Promise<Act> {
  const session = request.sessions.find(one => one.party.personId === party.personId);
  if (session?.state === 'signed') return only({ name: 'signedAlready' });
  if (request.state !== 'open' || session?.state !== 'open') return only({ name: 'notYourTurn' });
  if (reason === null && deps.config.requests.rejectionComment === 'required') return only({ name: 'reasonMissing' });
  const decision = await rejection(deps, request, session, null, reason);
  return { result: 'rejected', answer: null, decision: remembered(decision, party, reply) };
}

/** The party's own mail about the end remembers the reply. */
function remembered(decision: Omit<Decision<unknown>, 'result'>, { mail }: Party, reply: Reply): Act['decision'] {
  const outbox = (decision.and?.outbox ?? []).map(row =>
    row.recipient === mail ? { ...row, topic: `reply-${reply.key}` } : row,
  );
  return { ...decision, and: { ...decision.and, outbox } };
}

/** What can be said at all; not again for the same words, and not often. */
async function help(
  deps: Deps,
  request: Request,
  party: Party,
  reply: Reply,
  rows: readonly OutboxRow[],
): Promise<Decision<Outcome>> {
  const helps = answersTo(rows, party.mail, deps.now()).filter(({ topic }) => topic.startsWith('help-'));
  const said = `help-${reply.said.slice(0, 16)}-`;
  if (helps.length >= MOST_HELPS || helps.some(({ topic }) => topic.startsWith(said))) {
    deps.logger.info({ request: request.id, queueId: reply.queueId }, 'reply without a known word left alone');
    return { result: 'silent' };
  }
  const outbox = [await answerRow(deps, request, party, reply, { name: 'help' }, `${said}${reply.key}`)];
  return { result: 'help', and: { outbox } };
}

async function answerRow(
  deps: Deps,
  request: Request,
  party: Party,
  { messageId, references }: Reply,
  answer: Answer,
  topic: string,
): Promise<OutboxRow> {
  const mail = { kind: 'answer', request, answer, to: { messageId, references } } as const;
  return { ...(await composeRow(deps, mail, party)), topic };
}

function happening(request: Request, reply: Reply, command: Command, result: Outcome): Happening {
  return {
    kind: 'request.reply',
    subjects: { request: request.id, person: reply.personId },
    facts: {
      command: command.name,
      ...(command.name === 'extend' && { days: command.days }),
      result,
      messageId: reply.messageId,
      queueId: reply.queueId,
      authenticated: reply.method,
    },
  };
}
