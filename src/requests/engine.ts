/** The Requests that entrances and the phone's API use; each concern has a file of its own. */
import { approve, askApproval } from './approvals.ts';
import type { Deps } from './deps.ts';
import { cancelRequest, rejectSession } from './ending.ts';
import { readEvidence } from './evidence.ts';
import { finishedFiles } from './finished-files.ts';
import { linkHash, sessionToken } from './links.ts';
import { isParty } from './mails.ts';
import type { Request, Session } from './model.ts';
import { openRequest } from './open.ts';
import type { Requests } from './requests.ts';
import { completeTurn, grantTurn } from './turns.ts';

export function createRequests(deps: Deps): Requests {
  const store = deps.store.requests;
  return {
    open: submission => openRequest(deps, submission),
    grantTurn: (sessionId, device, ask) => grantTurn(deps, sessionId, device, ask),
    completeTurn: (sessionId, device, turn, signatures, assertion) =>
      completeTurn(deps, sessionId, device, turn, signatures, assertion),
    askApproval: (sessionId, device, ask) => askApproval(deps, sessionId, device, ask),
    approve: (sessionId, device, approval, origin) => approve(deps, sessionId, device, approval, origin),
    readEvidence: session => readEvidence(deps, session),
    reject: (sessionId, device, comment) => rejectSession(deps, sessionId, device, comment),
    cancel: requestId => cancelRequest(deps, requestId),

    async findByLink(token) {
      const hash = linkHash(token);
      return hash === null ? null : sessionByLinkHash(store, hash);
    },
    findByLinkHash: hash => sessionByLinkHash(store, hash),
    linkToken: session => sessionToken(deps.linkKeys, session),
    async waitingFor(personId) {
      const waits = ({ party, state }: Session): boolean => party.personId === personId && state === 'open';
      return (await store.listWaiting(personId)).flatMap(request =>
        request.sessions.filter(waits).map(session => ({ request, session })),
      );
    },
    async readHead(request: Request, index: number) {
      const head = request.documents[index]?.head ?? null;
      if (head === null) throw new RangeError('there is no such document, or it is not prepared yet');
      return deps.store.blobs.get(head);
    },
    async findFinished(requestId, personId) {
      const request = await store.find(requestId);
      return request?.state === 'finished' && isParty(request, personId) ? request : null;
    },
    async readFinished(request: Request, index: number) {
      const file = finishedFiles(request)[index];
      if (file === undefined) throw new RangeError('there is no such file');
      return deps.store.blobs.get(file.blob);
    },
    find: requestId => store.find(requestId),
    list: filter => store.list(filter),
  };
}

async function sessionByLinkHash(
  store: Deps['store']['requests'],
  hash: string,
): Promise<{ request: Request; session: Session } | null> {
  const request = await store.findByLinkHash(hash);
  const session = request?.sessions.find(one => one.linkHash === hash);
  return request && session ? { request, session } : null;
}
