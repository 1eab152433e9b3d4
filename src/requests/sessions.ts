/** Who may act on a session: a device of its person, still active, while the directory knows the person. */
import type { Deps } from './deps.ts';
import type { Device, Request, Session } from './model.ts';
import { Conflict } from './requests.ts';

/**
 * The session, when it is this device's business. The device is looked up afresh: what the caller holds may be older
 * than its removal. Another person's session is answered like an unknown one. @throws Conflict, DirectoryUnavailable
 */
export async function ownSession(
  deps: Pick<Deps, 'store' | 'directory'>,
  request: Request | null,
  sessionId: string,
  device: Device,
): Promise<{ request: Request; session: Session; index: number }> {
  const stored = await deps.store.requests.findDevice(device.id);
  const index = request?.sessions.findIndex(({ id }) => id === sessionId) ?? -1;
  const session = request?.sessions[index];
  if (!request || !session || stored?.state !== 'active' || stored.personId !== session.party.personId) {
    throw new Conflict('not-open', 'There is nothing to do here.');
  }
  if ((await deps.directory.findById(stored.personId)) === null) {
    throw new Conflict('not-open', 'Your account is closed or locked, so nothing can be done here.');
  }
  return { request, session, index };
}
