/**
 * Job 'extend': a finished document stays provable for as long as it is kept. Before the certificate of its newest
 * timestamp ends, the document gets fresh evidence and a new timestamp, and takes the place of the finished one. Nobody
 * is mailed: the file that the parties have is the same document. There is one such job per finished request while
 * anything can be done; it falls due right after closing, finds out when it is needed, and waits until then.
 */
import { DocumentRefused } from '../documents/documents.ts';
import { ExtensionRefused } from '../documents/extend.ts';
import type { Job } from '../store/store.ts';
import { change } from './change.ts';
import type { Deps } from './deps.ts';
import type { Request, RequestDocument } from './model.ts';

/** How long until the next try when it is time and there is nothing better yet. */
const AGAIN_MS = 86_400_000;

export function extendJob(requestId: string, dueAt: Date): Job {
  return { id: `${requestId}-extend`, kind: 'extend', requestId, dueAt, attempts: 0 };
}

interface Extended {
  readonly document: RequestDocument;
  /** When to look again; null when nothing can help any more. */
  readonly next: Date | null;
}

/** Safe to repeat. @throws whatever is worth another try */
export async function extendRequest(deps: Deps, job: Job): Promise<void> {
  const read = () => deps.store.requests.find(job.requestId);
  const request = await read();
  const extended = request?.state === 'finished' ? await extendDocuments(deps, request) : [];
  await change(deps, read, async fresh => {
    const finishJobs = [job.id];
    if (fresh?.state !== 'finished') return { result: undefined, and: { finishJobs } };
    // Another worker was faster: what was made here is built on a file that isn't the newest any more.
    if (fresh.documents.some(({ finished }, i) => finished !== request?.documents[i]?.finished))
      return { result: undefined, and: { finishJobs, addJobs: [extendJob(fresh.id, deps.now())] } };
    const times = extended.flatMap(({ next }) => (next === null ? [] : [next.getTime()]));
    const addJobs = times.length > 0 ? [extendJob(fresh.id, new Date(Math.min(...times)))] : [];
    const documents = extended.map(({ document }) => document);
    const changed = documents.some(({ finished }, i) => finished !== fresh.documents[i]?.finished);
    if (!changed) return { result: undefined, and: { finishJobs, addJobs } };
    deps.logger.info({ request: fresh.id, nextAt: addJobs[0]?.dueAt ?? null }, 'finished documents extended');
    return { result: undefined, request: { ...fresh, documents }, and: { finishJobs, addJobs } };
  });
}

async function extendDocuments(deps: Deps, request: Request): Promise<Extended[]> {
  const extended: Extended[] = [];
  for (const document of request.documents) extended.push(await extendDocument(deps, request, document));
  return extended;
}

async function extendDocument(deps: Deps, request: Request, document: RequestDocument): Promise<Extended> {
  // What isn't a PDF has no place for later timestamps.
  if (document.kind !== undefined) return { document, next: null };
  const { extender, logger } = deps;
  const { blobs } = deps.store;
  if (document.finished === null) throw new Error('a finished request has a document without its file');
  const file = await blobs.get(document.finished);
  const end = await extender.timestampEnd(file);
  if (end === null) throw new Error('a finished document has no timestamp');
  const next = nextTime(deps, end);
  if (next !== null && end.getTime() - deps.config.archive.extendBefore > deps.now().getTime())
    return { document, next };
  const about = { request: request.id, document: document.finished, until: end };
  if (next === null) {
    logger.error(about, 'the timestamp of a finished document has aged and can no longer be extended');
    return { document, next };
  }
  try {
    const bytes = await extender.extend(file);
    const newEnd = await extender.timestampEnd(bytes);
    if (newEnd !== null && newEnd > end) {
      const finished = await blobs.put(bytes);
      return { document: { ...document, finished, finishedLength: bytes.length }, next: nextTime(deps, newEnd) };
    }
    logger.error(
      about,
      'a finished document needs a timestamp that lasts longer, but no authority has one: renew its certificate',
    );
  } catch (error) {
    if (!(error instanceof ExtensionRefused || error instanceof DocumentRefused)) throw error;
    logger.error({ ...about, err: error }, 'a finished document could not be extended');
  }
  return { document, next };
}

/** The configured time before the end; daily where that is past; null once the end itself is. */
function nextTime({ config, now }: Pick<Deps, 'config' | 'now'>, end: Date): Date | null {
  const time = now().getTime();
  if (end.getTime() <= time) return null;
  const due = end.getTime() - config.archive.extendBefore;
  return new Date(due > time ? due : time + AGAIN_MS);
}
