/** Who may ask whom at which level. Pure: people and levels in, yes or no out; every entrance asks it. */
import type { Config } from '../config/schema.ts';
import type { Person } from '../directory/directory.ts';
import type { Level } from '../requests/model.ts';

export type Policy = Config['policy'];
type Names = NonNullable<Policy>[number]['signatories'];

/** Stands in a list of signatories for whoever asks themselves. */
const SELF = 'self';

/**
 * The levels, of those offered, at which one person may ask another. Without a policy: all. With one, the first entry
 * that names the signatory decides; a person whom none names is asked by nobody.
 */
export function allowedLevels(
  policy: Policy,
  sender: Person,
  signatory: Person,
  offered: readonly Level[],
): readonly Level[] {
  if (policy === null) return offered;
  const entry = policy.find(
    ({ signatories }) => names(signatories, signatory) || (namesSelf(signatories) && sender.id === signatory.id),
  );
  const fitting = (entry?.allowed ?? []).filter(({ senders }) => names(senders, sender));
  return offered.filter(level =>
    fitting.some(({ levels }) => levels === undefined || levels.some(one => one === level)),
  );
}

/** By a group or by the person's id. */
function names(list: Names, { id, groups }: Person): boolean {
  return list === 'everyone' || list.some(name => name !== SELF && (name === id || groups.includes(name)));
}

function namesSelf(list: Names): boolean {
  return list !== 'everyone' && list.includes(SELF);
}
