/** What signing has in common at every level: when it is possible, and what follows from it. */
import type { SignatoryLevel } from '../documents/layout.ts';
import type { Decision } from './change.ts';
import type { Deps } from './deps.ts';
import { composePleaseSign, composeRow } from './mails.ts';
import type { BlobId, Request, RequestDocument, Session } from './model.ts';
import { closing, openSessions } from './next.ts';
import { Conflict } from './requests.ts';
import { moveSession } from './states.ts';

/** UTC-12 to UTC+14. */
const OFFSETS = { least: -720, most: 840 };

/** One document's new head; of what isn't a PDF, its signatures. */
export interface Revision {
  readonly blob: BlobId;
  readonly length: number;
}

/** @throws Conflict unless this session can be signed now, and in this way */
export function checkOpen(deps: Pick<Deps, 'now'>, request: Request, session: Session, level: SignatoryLevel): void {
  if (request.state === 'open' && session.state === 'waiting') {
    throw new Conflict('not-your-turn', 'Others sign before you; you will get a mail when it is your turn.');
  }
  if (request.state !== 'open' || session.state !== 'open' || request.expiresAt <= deps.now()) {
    throw new Conflict('not-open', 'This request is not open for your signature.');
  }
  if (request.level !== level) throw new Conflict('not-open', `This request is signed at the level ${request.level}.`);
}

/** Minutes east of UTC as a device says them; 0 for what no place on earth has. */
export function sensibleOffset(minutes: number): number {
  return Number.isInteger(minutes) && minutes >= OFFSETS.least && minutes <= OFFSETS.most ? minutes : 0;
}

/**
 * The session as signed, with its documents' new heads; then the next in order is asked, or everything closed.
 * @param by what the signed session remembers of it
 */
export async function signedDecision(
  deps: Deps,
  request: Request,
  session: Session,
  by: Partial<Session>,
  revisions: readonly Revision[],
): Promise<Decision<Session>> {
  const now = deps.now();
  const signed = { ...moveSession(session, 'signed', now), ...by };
  const after: Request = {
    ...request,
    turn: null,
    sessions: request.sessions.map(other => (other.id === session.id ? signed : other)),
    documents: request.documents.map((document, position) => withHead(document, revisions[position]!)),
  };
  const fields = { request: request.id, session: session.id, device: signed.deviceId };
  if (after.sessions.every(({ state }) => state === 'signed')) {
    deps.logger.info(fields, 'signed, as the last');
    return { result: signed, ...closing(after, now) };
  }
  deps.logger.info(fields, 'signed');
  const next = openSessions(after, now);
  const asked = next.sessions.filter((other, position) => other.state !== after.sessions[position]!.state);
  const told = await composeRow(deps, { kind: 'signed-by-one', request: next, session: signed }, next.sender);
  return {
    result: signed,
    request: next,
    and: { outbox: [told, ...(await composePleaseSign(deps, next, asked))] },
  };
}

function withHead(document: RequestDocument, revision: Revision): RequestDocument {
  if (document.kind !== undefined) return { ...document, signatures: revision.blob };
  return {
    ...document,
    revisions: [...(document.revisions ?? []), revision],
    head: revision.blob,
    headLength: revision.length,
  };
}
