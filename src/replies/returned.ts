/**
 * What comes back to a mail of ours by itself: that it can't be delivered, or that its recipient is away. The sender of
 * the request is told of each once; nobody is ever answered.
 */
import { passGate } from '../intake/message-gate.ts';
import { type RawMessage, rawValue } from '../intake/raw-message.ts';
import { Refusal } from '../intake/refusal.ts';
import { DELIVERED } from '../intake/submission.ts';
import { cleanText } from '../outbound/clean.ts';
import { readReport } from '../outbound/report.ts';
import type { Deps } from '../requests/deps.ts';
import { sessionToken } from '../requests/links.ts';
import { composeRow } from '../requests/mails.ts';
import { neverArrived } from '../requests/never-arrived.ts';
import type { OutboxRow } from '../store/store.ts';
import { textAboveQuotation } from './first-line.ts';

type ReturnedDeps = Pick<Deps, 'store' | 'composer' | 'now' | 'randomBytes' | 'logger' | 'wake' | 'linkKeys'>;

/** How much of an absence notice is passed on. */
const MAX_NOTICE = 600;
const ASKING = ['please-sign', 'reminder'];

/** What came with the null sender to the return path of an outbox row. Safe to repeat. */
export async function noteReturned(
  deps: ReturnedDeps,
  rowId: string,
  raw: Buffer,
): Promise<'bounced' | 'passed-on' | 'left-alone'> {
  const row = await deps.store.outbox.find(rowId);
  if (row === null) return 'left-alone';
  const said = readReport(raw);
  if (said === 'other') {
    try {
      const { message, text } = await passGate(raw, DELIVERED.maxHeader);
      return await passOn(deps, row, message, text);
    } catch (error) {
      // However it is written, it is an answer that nobody waits for.
      if (error instanceof Refusal) return 'left-alone';
      throw error;
    }
  }
  await neverArrived(deps, row, said === 'too-big');
  await deps.store.outbox.update(rowId, {
    state: 'bounced',
    nextAttemptAt: row.nextAttemptAt,
    lastReply: row.lastReply,
  });
  deps.logger.warn({ request: row.requestId, row: rowId, kind: row.kind }, 'a mail of ours came back as undeliverable');
  return 'bounced';
}

/**
 * Tells the sender of the request, once per signatory, that a mailbox answered by itself what we asked it to sign.
 *
 * @param row the mail that was answered
 */
export async function passOn(
  deps: ReturnedDeps,
  row: OutboxRow | null,
  message: RawMessage,
  text: string,
): Promise<'passed-on' | 'left-alone'> {
  const request = row?.requestId ? await deps.store.requests.find(row.requestId) : null;
  const session = request?.sessions.find(({ party, state }) => party.mail === row?.recipient && state === 'open');
  if (!row || !request || !session || !ASKING.includes(row.kind)) return 'left-alone';
  const { party } = session;
  // Delivery and disposition notices (RFC 3464, RFC 8098) tell nothing about a person.
  if (isReport(message) || party.mail === request.sender.mail) return 'left-alone';
  const own = cleanText(textAboveQuotation(text), MAX_NOTICE);
  // Nobody but this signatory may see their link, however their mailbox quotes our mail.
  const shown = sharesAPart(own.replace(/\s/g, ''), sessionToken(deps.linkKeys, session)) ? '' : own;
  const notice = { kind: 'away', request, party, text: shown } as const;
  const mail = await composeRow(deps, notice, request.sender);
  // False: the sender has been told already.
  if (!(await deps.store.requests.commit({ outbox: [mail] }))) return 'left-alone';
  deps.logger.info({ request: request.id, row: row.id, notice: mail.id }, 'telling the sender that somebody is away');
  deps.wake();
  return 'passed-on';
}

/** The outbox row of a mail about this request that the message names as what it answers; null for none. */
export async function rowReferredTo(
  { store }: Pick<Deps, 'store'>,
  requestId: string,
  references: readonly string[],
): Promise<OutboxRow | null> {
  // The one that is answered stands last.
  for (const id of references.toReversed()) {
    const rowId = /^<([a-z0-9]{1,32})\.[a-z-]+@/.exec(id)?.[1];
    const row = rowId === undefined ? null : await store.outbox.find(rowId);
    if (row?.requestId === requestId && row.messageId === id) return row;
  }
  return null;
}

/** The mail that asked this person to sign; null when they weren't asked. */
export async function rowTo(
  { store }: Pick<Deps, 'store'>,
  requestId: string,
  personId: string,
): Promise<OutboxRow | null> {
  const request = await store.requests.find(requestId);
  const party = request?.sessions.find(session => session.party.personId === personId)?.party;
  const rows = await store.outbox.listForRequest(requestId);
  return rows.find(({ recipient, kind }) => recipient === party?.mail && ASKING.includes(kind)) ?? null;
}

function isReport(message: RawMessage): boolean {
  return /^multipart\/report\b/i.test(rawValue(message, 'content-type') ?? '');
}

/** Eight characters in a row: no other word has them. */
function sharesAPart(text: string, secret: string): boolean {
  for (let at = 0; at + 8 <= secret.length; at += 1) if (text.includes(secret.slice(at, at + 8))) return true;
  return false;
}
