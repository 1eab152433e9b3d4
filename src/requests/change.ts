/** How every change is made: read, decide, commit; and decide anew when somebody else was faster. */
import type { Change } from '../store/store.ts';
import type { Deps } from './deps.ts';
import type { Request } from './model.ts';

export interface Decision<Result> {
  readonly result: Result;
  /** The request as it shall be. Absent: it stays as it is. */
  readonly request?: Request;
  readonly and?: Omit<Change, 'requests' | 'admit'>;
}

/** Each lost race means that another change was made, so this many in a row is a fault. */
const ATTEMPTS = 50;

/**
 * @param read finds the request afresh
 * @param decide gets the request with its next version already counted; may be called several times, so it must have
 *   no effect but blobs. What it throws passes through.
 */
export async function change<Result>(
  deps: Pick<Deps, 'store' | 'wake'>,
  read: () => Promise<Request | null>,
  decide: (request: Request | null) => Promise<Decision<Result>>,
): Promise<Result> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stored = await read();
    const { result, request, and = {} } = await decide(stored && { ...stored, version: stored.version + 1 });
    const commit = { ...and, requests: request ? [request] : [] };
    if (Object.values(commit).every(list => list.length === 0)) return result;
    if (await deps.store.requests.commit(commit)) {
      if (and.outbox?.length || and.addJobs?.length) deps.wake();
      return result;
    }
  }
  throw new Error('the store refused the same change again and again');
}
