/** The finished file was too big for somebody's mailbox: they get a mail with a link instead (EXPERIENCE.md section 4). */
import type { OutboxRow } from '../store/store.ts';
import type { Deps } from './deps.ts';
import { composeRow, parties } from './mails.ts';

/**
 * Puts the mail with the link into the outbox when `row` carried the finished file; once per request and recipient,
 * whoever reports how often that it was too big.
 *
 * @returns whether that recipient has or will get the link; false for every other mail
 */
export async function sendFinishedLink(
  deps: Pick<Deps, 'store' | 'composer' | 'now' | 'randomBytes' | 'logger' | 'wake'>,
  row: OutboxRow,
): Promise<boolean> {
  if (row.kind !== 'finished' || row.requestId === null) return false;
  const { store } = deps;
  const request = await store.requests.find(row.requestId);
  const party = request && parties(request).find(({ mail }) => mail === row.recipient);
  if (!request || !party) throw new Error('the row of a finished mail has no request or no party');
  const isThere = async (): Promise<boolean> =>
    (await store.outbox.listForRequest(request.id)).some(
      ({ kind, recipient }) => kind === 'finished-link' && recipient === row.recipient,
    );
  if (await isThere()) return true;
  const link = await composeRow(deps, { kind: 'finished-link', request }, party);
  if (await store.requests.commit({ outbox: [link] })) {
    deps.logger.info({ request: request.id, row: row.id, link: link.id }, 'finished file too big: sending a link');
    deps.wake();
    return true;
  }
  // Another report of the same was faster.
  if (await isThere()) return true;
  throw new Error('the outbox refused a new row');
}
