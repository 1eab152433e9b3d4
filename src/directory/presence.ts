/**
 * Whether somebody is still a person of the directory, for those who only look at what was meant for them: asked at most
 * every half minute, and answered as before while the directory is away. Whoever changes something is looked up afresh.
 */
import { type Directory, DirectoryUnavailable } from './directory.ts';

const FRESH = 30_000;
/** While the directory is away. */
const STALE = 12 * 3_600_000;
const MOST = 20_000;

export type IsHere = (personId: string) => Promise<boolean>;

/** The function throws DirectoryUnavailable about those who weren't asked for in the last hours. */
export function createPresence(directory: Pick<Directory, 'findById'>, now: () => Date): IsHere {
  const known = new Map<string, { readonly here: boolean; readonly at: number }>();
  return async personId => {
    const time = now().getTime();
    const before = known.get(personId);
    if (before && time - before.at < FRESH) return before.here;
    try {
      const here = (await directory.findById(personId)) !== null;
      // The oldest goes: a Map keeps the order of entering.
      known.delete(personId);
      known.set(personId, { here, at: time });
      if (known.size > MOST) known.delete(known.keys().next().value!);
      return here;
    } catch (error) {
      if (error instanceof DirectoryUnavailable && before && time - before.at < STALE) return before.here;
      throw error;
    }
  };
}
