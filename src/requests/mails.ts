/** Which mail goes to whom, composed to final bytes and stored before the transaction that holds its outbox row. */
import type { Mail, Recipient } from '../outbound/mail.ts';
import type { OutboxRow } from '../store/store.ts';
import type { Deps } from './deps.ts';
import { newRowId } from './ids.ts';
import { sessionToken } from './links.ts';
import type { Party, Request, Session } from './model.ts';

/** Tells the mails of one kind to one recipient about one request apart: one per signatory who has signed, per person who isn't reached. */
function topicOf(mail: Mail): string {
  if (mail.kind === 'undeliverable' || mail.kind === 'away') return mail.party.mail;
  if (mail.kind === 'left') return mail.party.personId;
  return mail.kind === 'signed-by-one' ? mail.session.id : '';
}

/** Composes one mail; the row waits to be committed. */
export async function composeRow(
  deps: Pick<Deps, 'store' | 'composer' | 'now' | 'randomBytes'>,
  mail: Mail,
  to: Recipient | Party,
): Promise<OutboxRow> {
  const id = newRowId(deps.randomBytes);
  const now = deps.now();
  const composed = await deps.composer.compose(mail, to, id, now);
  return {
    id,
    requestId: 'request' in mail ? mail.request.id : null,
    kind: mail.kind,
    topic: topicOf(mail),
    recipient: composed.envelope.to,
    envelopeFrom: composed.envelope.from,
    messageId: composed.messageId,
    blob: await deps.store.blobs.put(composed.bytes),
    state: 'pending',
    attempts: 0,
    nextAttemptAt: now,
    lastReply: null,
    createdAt: now,
  };
}

/** A session's personal link: for nobody but its signatory. */
export function linkOf(deps: Pick<Deps, 'linkUrl' | 'linkKeys'>, session: Session): string {
  return deps.linkUrl(sessionToken(deps.linkKeys, session));
}

/** The same mail to each, one after the other: with files attached each may be large. */
export async function composeRows(deps: Deps, mail: Mail, to: readonly Party[]): Promise<OutboxRow[]> {
  const rows: OutboxRow[] = [];
  for (const party of to) rows.push(await composeRow(deps, mail, party));
  return rows;
}

/** A please-sign mail to each of these sessions. */
export async function composePleaseSign(
  deps: Deps,
  request: Request,
  sessions: readonly Session[],
): Promise<OutboxRow[]> {
  const rows: OutboxRow[] = [];
  for (const session of sessions) {
    const link = linkOf(deps, session);
    rows.push(await composeRow(deps, { kind: 'please-sign', request, session, link }, session.party));
  }
  return rows;
}

function everybody(request: Request): Party[] {
  return [request.sender, ...request.sessions.map(session => session.party), ...request.copies];
}

/** Null for who isn't one. */
export function partyOf(request: Request, personId: string): Party | null {
  return everybody(request).find(party => party.personId === personId) ?? null;
}

export function isParty(request: Request, personId: string): boolean {
  return everybody(request).some(party => party.personId === personId);
}

/** Sender, signatories, copies: each person and each address once. */
export function parties(request: Request): Party[] {
  const seen = new Set<string>();
  return everybody(request).filter(({ personId, mail }) => {
    const known = seen.has(personId) || seen.has(`<${mail}>`);
    seen.add(personId).add(`<${mail}>`);
    return !known;
  });
}
