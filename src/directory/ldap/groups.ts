/** Groups in groups: upwards for a person's groups, downwards for a group's people. They may go round in circles. */
import { AndFilter, EqualityFilter, ExtensibleFilter, type Filter, OrFilter } from 'ldapts';
import type { LdapSettings } from '../../config/ldap.ts';
import type { Search } from './connection.ts';
import { attributesOf, type Found, isOctets, type LdapEntry } from './entry.ts';

type Ask = (search: Search) => Promise<LdapEntry[]>;

/** LDAP_MATCHING_RULE_IN_CHAIN (MS-ADTS section 3.1.1.3.4.4.3): the server follows the chain of groups. */
const IN_CHAIN = '1.2.840.113556.1.4.1941';
const DEEPEST = 20;
const AT_ONCE = 25;

/** Names of the groups that the entry is in. @throws ResultCodeError, ServerDown */
export async function groupsAround(dn: string, { groups }: LdapSettings, ask: Ask): Promise<string[]> {
  const search = (holds: Filter): Promise<LdapEntry[]> =>
    ask({
      base: groups.base,
      scope: 'sub',
      filter: new AndFilter({ filters: [groups.filter, holds] }),
      attributes: [groups.name],
    });
  const around = new Map<string, string>();
  if (groups.nested === 'in-chain') {
    const found = await search(new ExtensibleFilter({ matchType: groups.member, rule: IN_CHAIN, value: dn }));
    for (const entry of found) around.set(key(entry.dn), entry.texts(groups.name)[0] ?? '');
  } else {
    let level = [dn];
    for (let depth = 0; level.length > 0 && depth < DEEPEST; depth += 1) {
      const found = await inChunks(level, async some => {
        const holds = some.map(value => new EqualityFilter({ attribute: groups.member, value }));
        return search(new OrFilter({ filters: holds }));
      });
      const news = found.filter(entry => !around.has(key(entry.dn)));
      for (const entry of news) around.set(key(entry.dn), entry.texts(groups.name)[0] ?? '');
      level = news.map(entry => entry.dn);
    }
  }
  return [...new Set(around.values())].filter(name => name !== '');
}

/**
 * Who is in the group; stops soon after more than `most` were found.
 *
 * @param parse an entry as a person, or null
 * @throws ResultCodeError, ServerDown
 */
export async function peopleIn(
  group: string,
  most: number,
  settings: LdapSettings,
  ask: Ask,
  parse: (entry: LdapEntry) => Found | null,
): Promise<Found[]> {
  const { people, groups } = settings;
  const asked = { attributes: attributesOf(settings), binary: isOctets(people.id) ? [people.id] : [] };
  const found = new Map<string, Found>();
  const note = (entry: LdapEntry): void => {
    const one = parse(entry);
    if (one?.state === 'active' && found.size <= most) found.set(one.person.id, one);
  };
  if (groups.nested === 'in-chain') {
    const inside = new ExtensibleFilter({ matchType: 'memberOf', rule: IN_CHAIN, value: group });
    const filter = new AndFilter({ filters: [people.filter, inside] });
    for (const entry of await ask({ base: people.base, scope: 'sub', filter, ...asked, paged: true })) note(entry);
    return [...found.values()];
  }
  const read = async (dn: string): Promise<string[]> => {
    const entries = isUnder(dn, people.base)
      ? await ask({ base: dn, scope: 'base', filter: people.filter, ...asked })
      : [];
    for (const entry of entries) note(entry);
    if (entries.length > 0 || !isUnder(dn, groups.base)) return [];
    const [inner] = await ask({ base: dn, scope: 'base', filter: groups.filter, attributes: [groups.member] });
    return [...(inner?.texts(groups.member) ?? [])];
  };
  const seen = new Set<string>();
  let level = [group];
  for (let depth = 0; level.length > 0 && depth < DEEPEST; depth += 1) {
    const next: string[] = [];
    for (let start = 0; start < level.length && found.size <= most; start += AT_ONCE) {
      const inner = await Promise.all(level.slice(start, start + AT_ONCE).map(read));
      next.push(...inner.flat());
    }
    level = next.filter(dn => !seen.has(key(dn)) && seen.add(key(dn)));
  }
  return [...found.values()];
}

/** As DNs are compared here: servers write one DN in one way. */
function key(dn: string): string {
  return dn.toLowerCase().replace(/\s*,\s*/g, ',');
}

export function isUnder(dn: string, base: string): boolean {
  return key(dn) === key(base) || key(dn).endsWith(`,${key(base)}`);
}

async function inChunks<T, R>(list: readonly T[], work: (some: readonly T[]) => Promise<R[]>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < list.length; start += AT_ONCE) {
    results.push(...(await work(list.slice(start, start + AT_ONCE))));
  }
  return results;
}
