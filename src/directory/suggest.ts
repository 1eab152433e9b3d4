/** "Did you mean": people whose address is a few typing slips away. */
import type { Person } from './directory.ts';
import { editDistance } from './distance.ts';

const MOST = 3;

/** Up to three people, the closest first, for directories that can list everybody. */
export function closest(address: string, people: readonly Person[]): Person[] {
  const wanted = address.normalize('NFC').toLowerCase();
  const split = wanted.lastIndexOf('@');
  const local = wanted.slice(0, split);
  const domain = wanted.slice(split + 1);
  // One slip in short names, three in long ones: "bob" is not "amy".
  const limit = Math.min(3, Math.max(1, Math.floor(local.length / 4)));
  return people
    .map(person => ({
      person,
      distance: Math.min(
        ...person.addresses.map(candidate => {
          const at = candidate.lastIndexOf('@');
          if (candidate.slice(at + 1) !== domain || Math.abs(at - local.length) > limit)
            return Number.POSITIVE_INFINITY;
          return editDistance(local, candidate.slice(0, at), limit);
        }),
      ),
    }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, MOST)
    .map(({ person }) => person);
}
