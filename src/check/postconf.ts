/** Postfix's settings as Postfix itself reads them: postconf(1), postmap(1). */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** One line of master.cf. */
export interface Service {
  /** "submission/inet" */
  readonly name: string;
  readonly type: string;
  /** The daemon: "smtpd". */
  readonly program: string;
  /** What its -o options say instead of main.cf. */
  readonly overrides: ReadonlyMap<string, string>;
}

export interface Postfix {
  /** Where main.cf is. */
  readonly folder: string;
  readonly version: string;
  readonly services: readonly Service[];
  /** Value in main.cf or the default, with $names replaced; undefined for what this version doesn't know. */
  value(setting: string): string | undefined;
  /** What a table gives for a key, null for nothing. @param table "inline:{…}", "hash:/etc/postfix/transport" @throws Error when Postfix can't read it */
  query(table: string, key: string): Promise<string | null>;
}

/** There is no Postfix, or it can't read its own configuration; `message` is what it says. */
export class PostfixUnreadable extends Error {
  override readonly name = 'PostfixUnreadable';
}

/** @param folder of another instance's main.cf; null: the system's. @throws PostfixUnreadable */
export async function readPostfix(folder: string | null, settings: readonly string[]): Promise<Postfix> {
  const where = folder === null ? [] : ['-c', folder];
  const [main, listed, overridden] = await Promise.all([
    run('postconf', [...where, '-x', 'config_directory', 'mail_version', ...settings]),
    run('postconf', [...where, '-M']),
    run('postconf', [...where, '-Px']),
  ]);
  const values = assignments(main);
  const overrides = assignments(overridden);
  const services = listed.split('\n').flatMap((line): Service[] => {
    const [name, type, , , , , , program] = line.trim().split(/\s+/);
    if (name === undefined || type === undefined || program === undefined) return [];
    const prefix = `${name}/${type}/`;
    const own = [...overrides].filter(([key]) => key.startsWith(prefix));
    return [
      {
        name: `${name}/${type}`,
        type,
        program,
        overrides: new Map(own.map(([key, value]) => [key.slice(prefix.length), value])),
      },
    ];
  });
  return {
    folder: values.get('config_directory') ?? folder ?? '/etc/postfix',
    version: values.get('mail_version') ?? '',
    services,
    value: setting => values.get(setting),
    async query(table, key) {
      try {
        return (await run('postmap', [...where, '-q', key, table])).trim();
      } catch (error) {
        // Status 1 without a word: there is no such key.
        if (error instanceof PostfixUnreadable && error.message === '') return null;
        throw error;
      }
    },
  };
}

/** postconf(1) and its like are in /usr/sbin, which isn't in everybody's PATH. */
async function run(command: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await execute(`/usr/sbin/${command}`, args, { timeout: 20_000 });
    return stdout;
  } catch (error) {
    const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === 'ENOENT') throw new PostfixUnreadable(`there is no /usr/sbin/${command}`);
    throw new PostfixUnreadable((stderr ?? message).trim());
  }
}

/** "name = value" lines. */
function assignments(text: string): Map<string, string> {
  return new Map(
    text.split('\n').flatMap(line => {
      const match = /^(\S+) =(?: (.*))?$/.exec(line);
      return match ? [[match[1]!, (match[2] ?? '').trim()] as const] : [];
    }),
  );
}

/** The elements of a list: separated by commas or spaces, but not inside of braces (postconf(5)). */
export function elements(value: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let current = '';
  for (const letter of value) {
    if (depth === 0 && /[\s,]/.test(letter)) {
      if (current !== '') found.push(current);
      current = '';
      continue;
    }
    if (letter === '{') depth += 1;
    if (letter === '}') depth -= 1;
    current += letter;
  }
  return current === '' ? found : [...found, current];
}

/** "5d", "300s", "10" → milliseconds. @param unit of a number without one (postconf(5): it differs by setting) */
export function milliseconds(value: string, unit: 's' | 'd'): number {
  const match = /^(\d+)([smhdw]?)$/.exec(value);
  if (!match) return Number.NaN;
  const seconds = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;
  return Number(match[1]) * seconds[(match[2] || unit) as keyof typeof seconds] * 1000;
}
