/** Job 'prepare': first revisions of all documents, then the signatories are asked; or, for the company seal alone, closed. */
import { DocumentRefused } from '../documents/documents.ts';
import type { Job } from '../store/store.ts';
import { change } from './change.ts';
import type { Deps } from './deps.ts';
import { composePleaseSign, composeRow } from './mails.ts';
import type { Request, RequestDocument } from './model.ts';
import { closing, openSessions } from './next.ts';
import { moveRequest } from './states.ts';

/** A slow document may only have met a busy machine; a document that is wrong stays wrong. */
const TRIES_WHEN_SLOW = 3;

/** Safe to repeat. @throws whatever is worth another try */
export async function prepareRequest(deps: Deps, job: Job): Promise<void> {
  const read = () => deps.store.requests.find(job.requestId);
  const request = await read();
  const outcome = request?.state === 'preparing' ? await prepareDocuments(deps, request, job) : null;
  await change(deps, read, async fresh => {
    if (fresh?.state !== 'preparing' || outcome === null) return done(job);
    const now = deps.now();
    if (outcome instanceof DocumentRefused) {
      const failed = moveRequest(fresh, 'failed', now);
      deps.logger.warn({ request: fresh.id, queueId: fresh.queueId, reason: outcome.reason }, 'document refused');
      const mail = await composeRow(deps, { kind: 'failed', request: failed, reason: outcome.reason }, failed.sender);
      return {
        ...done(job),
        request: failed,
        and: { finishJobs: [job.id, `${fresh.id}-expire`, `${fresh.id}-remind`], outbox: [mail] },
      };
    }
    if (fresh.sessions.length === 0) {
      const { request, and } = closing({ ...fresh, documents: outcome }, now);
      deps.logger.info({ request: fresh.id }, 'request ready to seal');
      return { result: undefined, request, and: { ...and, finishJobs: [job.id, ...(and.finishJobs ?? [])] } };
    }
    const opened = openSessions({ ...moveRequest(fresh, 'open', now), documents: outcome }, now);
    const asked = opened.sessions.filter(session => session.state === 'open');
    deps.logger.info({ request: fresh.id, sessions: asked.map(session => session.id) }, 'request ready to sign');
    return {
      ...done(job),
      request: opened,
      and: { finishJobs: [job.id], outbox: await composePleaseSign(deps, opened, asked) },
    };
  });
}

async function prepareDocuments(deps: Deps, request: Request, job: Job): Promise<RequestDocument[] | DocumentRefused> {
  const { language } = request.sender;
  const drawn = request.level === 'standard';
  const prepared: RequestDocument[] = [];
  try {
    for (const document of request.documents) {
      const original = await deps.store.blobs.get(document.original);
      if (document.kind !== undefined) {
        if (drawn) throw new DocumentRefused('not-pdf', 'marks can only be drawn on the pages of a PDF');
        prepared.push(readyFile(document, original.length));
        continue;
      }
      const { pages } = await deps.documents.inspect(original);
      const { bytes, layout } = await deps.documents.prepare(original, {
        company: { name: deps.config.company.name, vat: deps.config.company.vat },
        requestId: request.id,
        signatories: request.sessions.map(({ party, title }) => ({
          name: party.name,
          title: title ?? null,
          level: drawn ? 'standard' : 'advanced',
        })),
        marks: drawn
          ? { signaturePage: true, paraphs: true, watermark: true }
          : { signaturePage: deps.config.documents.signaturePage, paraphs: false, watermark: false },
        language,
        date: deps.now(),
      });
      const blob = await deps.store.blobs.put(bytes);
      prepared.push({
        ...document,
        pages,
        revisions: [{ length: bytes.length, blob }],
        head: blob,
        headLength: bytes.length,
        layout,
      });
    }
    return prepared;
  } catch (error) {
    if (!(error instanceof DocumentRefused)) throw error;
    if (error.reason === 'too-slow' && job.attempts + 1 < TRIES_WHEN_SLOW) throw error;
    return error;
  }
}

/** What isn't a PDF is signed as it was mailed. */
function readyFile(document: RequestDocument, length: number): RequestDocument {
  const blob = document.original;
  return { ...document, revisions: [{ length, blob }], head: blob, headLength: length };
}

function done(job: Job) {
  return { result: undefined, and: { finishJobs: [job.id] } };
}
