/** Job 'close': everybody has signed; closing seal, DSS and document timestamp, then the result goes to every party. */
import { DocumentRefused } from '../documents/documents.ts';
import type { Job } from '../store/store.ts';
import { change } from './change.ts';
import type { Deps } from './deps.ts';
import { composeRow, composeRows, parties } from './mails.ts';
import type { Request } from './model.ts';
import { moveRequest } from './states.ts';

/** Refusing a file that we made ourselves is a fault of ours or of the machine: worth several tries before giving up. */
const TRIES = 5;

/** Safe to repeat. @throws whatever is worth another try */
export async function closeRequest(deps: Deps, job: Job): Promise<void> {
  const read = () => deps.store.requests.find(job.requestId);
  const request = await read();
  const outcome = request?.state === 'closing' ? await closeDocuments(deps, request, job) : null;
  await change(deps, read, async fresh => {
    const finishJobs = [job.id];
    if (fresh?.state !== 'closing' || outcome === null) return { result: undefined, and: { finishJobs } };
    if (outcome instanceof DocumentRefused) {
      const failed = moveRequest(fresh, 'failed', deps.now());
      deps.logger.error({ request: fresh.id, reason: outcome.reason, err: outcome }, 'documents could not be closed');
      const mail = await composeRow(deps, { kind: 'failed', request: failed, reason: outcome.reason }, failed.sender);
      return { result: undefined, request: failed, and: { finishJobs, outbox: [mail] } };
    }
    const finished: Request = {
      ...moveRequest(fresh, 'finished', deps.now()),
      documents: fresh.documents.map((document, index) => {
        const { blob, bytes } = outcome[index]!;
        return { ...document, finished: blob, finishedLength: bytes.length };
      }),
    };
    const files = finished.documents.map(({ name }, index) => ({ name, bytes: outcome[index]!.bytes }));
    const outbox = await composeRows(deps, { kind: 'finished', request: finished, files }, parties(finished));
    deps.logger.info({ request: fresh.id, recipients: outbox.length }, 'request finished');
    return { result: undefined, request: finished, and: { finishJobs, outbox } };
  });
}

async function closeDocuments(
  deps: Deps,
  request: Request,
  job: Job,
): Promise<{ bytes: Uint8Array; blob: string }[] | DocumentRefused> {
  const closed: { bytes: Uint8Array; blob: string }[] = [];
  try {
    for (const document of request.documents) {
      if (document.head === null || document.layout === null) throw new Error('a signed document has no revision');
      const head = await deps.store.blobs.get(document.head);
      const bytes = await deps.documents.close(head, document.layout, deps.now());
      closed.push({ bytes, blob: await deps.store.blobs.put(bytes) });
    }
    return closed;
  } catch (error) {
    if (error instanceof DocumentRefused && job.attempts + 1 >= TRIES) return error;
    throw error;
  }
}
