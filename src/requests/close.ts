/** Job 'close': everybody has signed; closing seal, DSS and document timestamp, then the result goes to every party. */
import { DocumentRefused } from '../documents/documents.ts';
import type { FileForm } from '../signatures/file-signatures.ts';
import type { Job } from '../store/store.ts';
import { change } from './change.ts';
import type { Deps } from './deps.ts';
import { extendJob } from './extend.ts';
import { finishedFiles } from './finished-files.ts';
import { composeRow, composeRows, parties } from './mails.ts';
import type { BlobId, Request, RequestDocument } from './model.ts';
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
        const { blob, bytes, form } = outcome[index]!;
        return { ...document, finished: blob, finishedLength: bytes.length, ...(form ? { finishedForm: form } : {}) };
      }),
    };
    const made = new Map(outcome.map(({ blob, bytes }) => [blob, bytes]));
    const files = await Promise.all(
      finishedFiles(finished).map(async ({ blob, ...file }) => ({
        ...file,
        bytes: made.get(blob) ?? (await deps.store.blobs.get(blob)),
      })),
    );
    const outbox = await composeRows(deps, { kind: 'finished', request: finished, files }, parties(finished));
    deps.logger.info({ request: fresh.id, recipients: outbox.length }, 'request finished');
    return {
      result: undefined,
      request: finished,
      and: { finishJobs, outbox, addJobs: [extendJob(finished.id, deps.now())] },
    };
  });
}

interface Closed {
  readonly bytes: Uint8Array;
  readonly blob: BlobId;
  /** Null for a PDF. */
  readonly form: FileForm | null;
}

async function closeDocuments(deps: Deps, request: Request, job: Job): Promise<Closed[] | DocumentRefused> {
  const closed: Closed[] = [];
  try {
    for (const document of request.documents) {
      const form = formOf(deps, request, document);
      const bytes = form ? await closeFile(deps, document, form) : await closePdf(deps, document);
      closed.push({ bytes, blob: await deps.store.blobs.put(bytes), form });
    }
    return closed;
  } catch (error) {
    if (error instanceof DocumentRefused && job.attempts + 1 >= TRIES) return error;
    throw error;
  }
}

async function closePdf({ store, documents, now }: Deps, { head, layout }: RequestDocument): Promise<Uint8Array> {
  if (head === null || layout === null) throw new Error('a signed document has no revision');
  return documents.close(await store.blobs.get(head), layout, now());
}

/** The seal alone fits into XML; devices sign XML like every other file, as the octets that they show. */
function formOf({ config }: Deps, { level }: Request, { kind }: RequestDocument): FileForm | null {
  if (kind === undefined) return null;
  if (kind === 'xml' && level === 'seal') return 'xades';
  return config.documents.cades === 'detached' ? 'cades-detached' : 'cades';
}

async function closeFile(
  { store, files, now }: Deps,
  { original, signatures }: RequestDocument,
  form: FileForm,
): Promise<Uint8Array> {
  const before = signatures === undefined ? null : await store.blobs.get(signatures);
  return files.close(before, await store.blobs.get(original), form, now());
}
