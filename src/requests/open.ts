/** A submission becomes a request: files first, then one transaction (DESIGN.md decision 3). */
import type { Person } from '../directory/directory.ts';
import type { Deps } from './deps.ts';
import { expireJob } from './ending.ts';
import { newRequestId, newSessionId } from './ids.ts';
import { admission, checkLimits } from './limits.ts';
import { linkHash, linkToken } from './links.ts';
import { composeRow } from './mails.ts';
import type { Party, Request, RequestDocument, Session, Submission } from './model.ts';
import { reminderJobs } from './reminders.ts';
import type { Opened } from './requests.ts';

/** A clash other than the submission's own key is one of random ids: try with others. */
const ATTEMPTS = 3;

/** Safe when it returns. @throws TooManyRequests */
export async function openRequest(deps: Deps, submission: Submission): Promise<Opened> {
  const { store } = deps;
  const existing = await store.requests.findByKey(submission.key);
  if (existing) return known(deps, existing, submission);
  // Before the files are stored; again inside the transaction.
  await checkLimits(deps, submission);

  const documents: RequestDocument[] = [];
  for (const { name, bytes, kind } of submission.documents) {
    const original = await store.blobs.put(bytes);
    documents.push({
      name,
      ...(kind === undefined ? {} : { kind }),
      pages: 0,
      original,
      head: null,
      headLength: 0,
      layout: null,
      finished: null,
    });
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const request = newRequest(deps, submission, documents);
    // The sealed document itself comes back within seconds: nothing to acknowledge.
    const sealedOnly = request.sessions.length === 0;
    const outbox = sealedOnly ? [] : [await composeRow(deps, { kind: 'accepted', request }, request.sender)];
    const committed = await store.requests.commit({
      requests: [request],
      admit: admission(deps, submission),
      outbox,
      addJobs: [
        { id: `${request.id}-prepare`, kind: 'prepare', requestId: request.id, dueAt: request.createdAt, attempts: 0 },
        expireJob(request),
        ...reminderJobs(request, request.createdAt),
      ],
    });
    if (committed) {
      deps.logger.info(
        {
          request: request.id,
          queueId: submission.queueId,
          sender: request.sender.personId,
          sessions: request.sessions.map(session => session.id),
          level: request.level,
        },
        'request opened',
      );
      deps.wake();
      return { request, created: true };
    }
    const winner = await store.requests.findByKey(submission.key);
    if (winner) return known(deps, winner, submission);
  }
  throw new Error('no free request number');
}

function known(deps: Deps, request: Request, submission: Submission): Opened {
  deps.logger.info({ request: request.id, queueId: submission.queueId }, 'same submission again');
  return { request, created: false };
}

function newRequest(deps: Deps, submission: Submission, documents: readonly RequestDocument[]): Request {
  const createdAt = deps.now();
  const { expiry, maxExpiry } = deps.config.requests;
  const wanted = submission.expiresAt?.getTime() ?? createdAt.getTime() + expiry;
  return {
    id: newRequestId(deps.randomBytes),
    key: submission.key,
    state: 'preparing',
    level: submission.level,
    levelIsDefault: submission.levelIsDefault,
    mode: submission.mode,
    sender: party(submission.sender),
    copies: submission.copies.map(party),
    sessions: submission.signatories.map(person => newSession(deps, person)),
    documents,
    passedOver: submission.passedOver,
    subject: submission.subject,
    text: submission.text,
    messageId: submission.messageId,
    references: submission.references,
    queueId: submission.queueId,
    createdAt,
    expiresAt: new Date(Math.min(wanted, createdAt.getTime() + maxExpiry)),
    endedAt: null,
    turn: null,
    version: 1,
  };
}

function newSession(deps: Deps, person: Person): Session {
  const id = newSessionId(deps.randomBytes);
  const hash = linkHash(linkToken(deps.linkKeys.all()[0], id));
  if (hash === null) throw new Error('a link token has an unexpected form');
  return {
    id,
    party: party(person),
    ...(person.title === null ? {} : { title: person.title }),
    state: 'waiting',
    linkHash: hash,
    endedAt: null,
    comment: null,
    deviceId: null,
    certificateSerial: null,
  };
}

function party(person: Person): Party {
  return { personId: person.id, name: person.name, mail: person.mail, language: person.language };
}
