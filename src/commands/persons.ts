/** Persons as an admin knows them: directories made of LDAP have ids that nobody can read. */
import { type Directory, DirectoryUnavailable } from '../directory/directory.ts';

/** Id to address; the id itself for those who have left, or while the directory is away. */
export async function addressesOf(
  directory: Pick<Directory, 'findById'>,
  ids: readonly (string | null)[],
): Promise<(id: string | null) => string> {
  const known = new Map<string, string>();
  for (const id of new Set(ids)) {
    if (id === null) continue;
    try {
      const person = await directory.findById(id);
      if (person !== null) known.set(id, person.mail);
    } catch (error) {
      if (!(error instanceof DirectoryUnavailable)) throw error;
      break;
    }
  }
  return id => (id === null ? '' : (known.get(id) ?? id));
}
