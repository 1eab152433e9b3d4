/**
 * The directory as a YAML file of people, for small companies and for trying out. The file is looked at again when its
 * modification time or size changes; a file with a mistake keeps the people of the one before.
 */
import { readFile, stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Directory, DirectoryUnavailable, LANGUAGES, type Language, type Person } from './directory.ts';
import { isPasswordHash, matchesPassword } from './password.ts';
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
      /** Who may send in this person's name: ids or addresses. */
      delegates: z.array(z.string().min(1)).default([]),
      mobile: text.nullable().default(null),
      /** What `signpost user password` prints. */
      password: z.string().refine(isPasswordHash, 'write the line that signpost user password prints').optional(),
    }),
  ),
  /** Groups that have an address, or other groups in them. */
  groups: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        mail: address.optional(),
        aliases: z.array(address).default([]),
        /** Groups whose members are members of this one, too. */
        groups: z.array(z.string().min(1)).default([]),
      }),
    )
    .default([]),
});

interface People {
  readonly byId: ReadonlyMap<string, Person>;
  readonly byMail: ReadonlyMap<string, Person>;
  readonly byLogin: ReadonlyMap<string, Person>;
  /** Members by the group's address. */
  readonly groups: ReadonlyMap<string, readonly Person[]>;
  /** Password hashes by person id. */
  readonly passwords: ReadonlyMap<string, string>;
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
  const passwords = new Map<string, string>();
  const parents = new Map<string, string[]>();
  for (const group of parsed.data.groups) {
    for (const inner of group.groups) parents.set(inner, [...(parents.get(inner) ?? []), group.name]);
  }
  const claim = (map: Map<string, Person>, key: string, person: Person, what: string): void => {
    const other = map.get(key);
    if (other && other !== person) throw new Error(`${what} "${key}" belongs to both ${other.name} and ${person.name}`);
    map.set(key, person);
  };
  const idOf = (name: string): string => {
    const wanted = name.normalize('NFC').toLowerCase();
    const named = parsed.data.people.find(
      ({ id, mail, aliases }) => id === name || mail === wanted || aliases.includes(wanted),
    );
    if (!named) throw new Error(`the delegate "${name}" is nobody's id or address`);
    return named.id ?? named.mail;
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
      groups: withParents(entry.groups, parents),
      delegates: entry.delegates.map(idOf),
      mobile: entry.mobile,
    };
    if (entry.password !== undefined) passwords.set(person.id, entry.password);
    if (byId.has(person.id)) throw new Error(`the id "${person.id}" is there twice`);
    byId.set(person.id, person);
    for (const mail of addresses) {
      claim(byMail, mail, person, 'the address');
      claim(byLogin, mail, person, 'the login');
    }
    for (const login of entry.logins) claim(byLogin, login.toLowerCase(), person, 'the login');
  }
  const groups = new Map<string, readonly Person[]>();
  for (const { name, mail, aliases } of parsed.data.groups) {
    const members = [...byId.values()].filter(person => person.groups.includes(name));
    for (const key of mail === undefined ? aliases : [mail, ...aliases]) {
      if (byMail.has(key)) throw new Error(`the address "${key}" belongs to both a person and the group ${name}`);
      if (groups.has(key)) throw new Error(`the address "${key}" belongs to two groups`);
      groups.set(key, members);
    }
  }
  return { byId, byMail, byLogin, groups, passwords };
}

/** Every group around these, each once; groups may go round in circles. */
function withParents(names: readonly string[], parents: ReadonlyMap<string, readonly string[]>): string[] {
  const all = new Set(names);
  // What is added while walking is walked, too.
  for (const name of all) for (const parent of parents.get(name) ?? []) all.add(parent);
  return [...all];
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
  let people = parsePeople('people: []', language);
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
    async findGroup(mail) {
      return (await current()).groups.get(mail.normalize('NFC').toLowerCase()) ?? null;
    },
    async checkPassword({ id }, password) {
      const { passwords, byId } = await current();
      const hash = passwords.get(id);
      if (password === '' || !byId.has(id)) return 'wrong';
      if (hash === undefined) return 'unsupported';
      return (await matchesPassword(password, hash)) ? 'right' : 'wrong';
    },
    async publishCertificate() {},
    async close() {},
  };
}
