/** A mail of ours will never reach its recipient: a link in its place where that helps, else the sender is told (EXPERIENCE.md section 4). */
import type { OutboxRow } from '../store/store.ts';
import type { Deps } from './deps.ts';
import { sendFinishedLink } from './finished-link.ts';
import { composeRow, parties } from './mails.ts';

/**
 * Safe to repeat: the sender hears of each person once per request, whichever of our mails came back and how often.
 *
 * @param tooBig the receiving side says that the mail's size is the reason
 */
export async function neverArrived(
  deps: Pick<Deps, 'store' | 'composer' | 'now' | 'randomBytes' | 'logger' | 'wake'>,
  row: OutboxRow,
  tooBig: boolean,
): Promise<void> {
  if (tooBig && (await sendFinishedLink(deps, row))) return;
  const request = row.requestId === null ? null : await deps.store.requests.find(row.requestId);
  const party = request && parties(request).find(({ mail }) => mail === row.recipient);
  // Of a mail to the sender there is nobody to tell but the log.
  if (!request || !party || party.mail === request.sender.mail) return;
  const notice = await composeRow(deps, { kind: 'undeliverable', request, party }, request.sender);
  // False: the sender has been told already.
  if (!(await deps.store.requests.commit({ outbox: [notice] }))) return;
  deps.logger.info({ request: request.id, row: row.id, notice: notice.id }, 'telling the sender who is not reached');
  deps.wake();
}
