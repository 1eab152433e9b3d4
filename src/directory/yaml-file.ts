/**
 * The directory as a YAML file of people, for small companies and for trying out. The file is looked at again when its
 * modification time or size changes; a file with a mistake keeps the people of the one before.
 */
import { readFile, stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Directory, DirectoryUnavailable, LANGUAGES, type Language, type Person } from './directory.ts';
import { closest } from './suggest.ts';

/** Plain addresses only: the same ones that the mail entrance takes. */
const address = z
  .string()
  .transform(text => text.normalize('NFC').toLowerCase())
  .pipe(
    z
      .string()
      .regex(
        /^[a-z0-9!#$&'*+\-/=?^_`{|}~\u00a1-\uffff]+(\.[a-z0-9!#$&'*+\-/=?^_`{|}~\u00a1-\uffff]+)*@[a-z0-9-]+(\.[a-z0-9-]+)+$/,
        'write an address such as mary.smith@company.com',
      ),
  );
const text = z.string().trim().min(1).max(200);

const fileSchema = z.strictObject({
  people: z.array(
    z.strictObject({
      /** Stable identifier; the primary address when absent. */
      id: z.string().min(1).max(200).optional(),
      name: text,
      givenName: text.nullable().default(null),
      surname: text.nullable().default(null),
      mail: address,
      aliases: z.array(address).default([]),
      /** SASL login names beside the addresses. */
      logins: z.array(z.string().min(1)).default([]),
      language: z.enum(LANGUAGES).optional(),
      title: text.nullable().default(null),
      groups: z.array(z.string()).default([]),
    }),
  ),
});

interface People {
  readonly byId: ReadonlyMap<string, Person>;
  readonly byMail: ReadonlyMap<string, Person>;
  readonly byLogin: ReadonlyMap<string, Person>;
}

/**
 * Parses the text of a people file.
 *
 * @param language of people who have none in the file
 * @throws Error in words that name the person and the mistake
 */
export function parsePeople(yaml: string, language: Language): People {
  const parsed = fileSchema.safeParse(parse(yaml, { maxAliasCount: 100 }));
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  const byId = new Map<string, Person>();
  const byMail = new Map<string, Person>();
  const byLogin = new Map<string, Person>();
  const claim = (map: Map<string, Person>, key: string, person: Person, what: string): void => {
    const other = map.get(key);
    if (other && other !== person) throw new Error(`${what} "${key}" belongs to both ${other.name} and ${person.name}`);
    map.set(key, person);
  };
  for (const entry of parsed.data.people) {
    const addresses = [...new Set([entry.mail, ...entry.aliases])];
    const person: Person = {
      id: entry.id ?? entry.mail,
      name: entry.name,
      givenName: entry.givenName,
      surname: entry.surname,
      mail: entry.mail,
      addresses,
      language: entry.language ?? language,
      title: entry.title,
      groups: entry.groups,
    };
    if (byId.has(person.id)) throw new Error(`the id "${person.id}" is there twice`);
    byId.set(person.id, person);
    for (const mail of addresses) {
      claim(byMail, mail, person, 'the address');
      claim(byLogin, mail, person, 'the login');
    }
    for (const login of entry.logins) claim(byLogin, login.toLowerCase(), person, 'the login');
  }
  return { byId, byMail, byLogin };
}

/**
 * Opens a people file.
 *
 * @param path of the YAML file
 * @param language of people who have none in the file
 * @throws Error when the first reading fails: a gateway doesn't start with a broken directory
 */
export async function openYamlDirectory(path: string, language: Language, log: Logger): Promise<Directory> {
  let stamp = '';
  let people: People = { byId: new Map(), byMail: new Map(), byLogin: new Map() };
  let reading: Promise<void> | null = null;

  const read = async (first: boolean): Promise<void> => {
    try {
      const { mtimeMs, size, ino } = await stat(path);
      const seen = `${mtimeMs} ${size} ${ino}`;
      if (seen === stamp) return;
      const yaml = await readFile(path, 'utf8');
      // Before the parse: a broken file is reported once, not at every look-up.
      stamp = seen;
      people = parsePeople(yaml, language);
      log.info({ path, people: people.byId.size }, first ? 'directory read' : 'directory read again');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (first) throw new Error(`${path}: ${reason}`);
      // The file can't be read at all: that is a directory which is down, not one without people.
      if (error instanceof Error && 'syscall' in error) throw new DirectoryUnavailable(`${path}: ${reason}`);
      log.error({ path, reason }, 'directory file has a mistake; the people read before stay');
    }
  };
  const current = async (): Promise<People> => {
    reading ??= read(false).finally(() => {
      reading = null;
    });
    await reading;
    return people;
  };
  await read(true);

  return {
    async findByMail(mail) {
      return (await current()).byMail.get(mail.normalize('NFC').toLowerCase()) ?? null;
    },
    async findByLogin(login) {
      return (await current()).byLogin.get(login.normalize('NFC').toLowerCase()) ?? null;
    },
    async findById(id) {
      return (await current()).byId.get(id) ?? null;
    },
    async suggest(mail) {
      return closest(mail, [...(await current()).byId.values()]);
    },
  };
}
