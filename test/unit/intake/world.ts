/** A small company for unit tests of the mail entrance, with a real directory file and real refusals of documents. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { type Config, configSchema } from '../../../src/config/schema.ts';
import type { Directory, Person } from '../../../src/directory/directory.ts';
import { openYamlDirectory } from '../../../src/directory/yaml-file.ts';
import type { VerdictKey } from '../../../src/intake/verdict.ts';

export const log = pino({ level: 'silent' });
export const NOW = new Date('2026-11-24T10:00:00Z');
export const KEY: VerdictKey = { id: 'k1', secret: Buffer.alloc(32, 7) };

const PEOPLE = `
people:
  - { id: mary, name: Mary Smith, mail: mary.smith@company.com, logins: [msmith] }
  - { id: john, name: John Doe, mail: john.doe@company.com, aliases: [jd@company.com] }
  - { id: anna, name: Anna Müller, mail: anna.muller@company.com, aliases: [anna@company.fr], language: de }
  - { id: rita, name: Rita Roe, mail: rita@company.fr }
  - { id: sam.de, name: Sam One, mail: sam@company.com }
  - { id: sam.fr, name: Sam Two, mail: sam@company.fr }
  - { id: trick, name: Self Ish, mail: self@company.com }
  - { id: trick.too, name: Sea Lion, mail: seal@company.com }
  - { id: law, name: Lara Law, mail: lara.law@company.com, groups: [legal] }
  - { id: bea, name: Bea Board, mail: bea@company.com, groups: [board] }
  - { id: ben, name: Ben Board, mail: ben@company.com, groups: [board, legal] }
groups:
  - { name: board, mail: board@company.com, aliases: [vorstand@company.fr] }
  - { name: everybody, mail: all@company.com, groups: [board, legal] }
  - { name: two.de, mail: two@company.com }
  - { name: two.fr, mail: two@company.fr }
  - { name: empty, mail: empty@company.com }
`;

export interface World {
  readonly directory: Directory;
  readonly config: Config;
  person(id: string): Promise<Person>;
  close(): void;
}

export async function makeWorld(mail: Record<string, unknown> = {}): Promise<World> {
  const folder = mkdtempSync('/tmp/signpost-intake-');
  writeFileSync(join(folder, 'people.yaml'), PEOPLE);
  const directory = await openYamlDirectory(join(folder, 'people.yaml'), 'en', log);
  const config = configSchema.parse({
    company: { name: 'Company', country: 'LU' },
    publicUrl: 'http://localhost:1',
    domains: [{ sign: 'sign.company.com', mail: ['company.com', 'company.fr'] }],
    directory: {},
    mail: {
      milter: '127.0.0.1:0',
      lmtp: '127.0.0.1:0',
      smtp: { host: '127.0.0.1', port: 25 },
      authenticatingRelays: ['192.0.2.7', '10.0.0.0/8', '2001:db8::/32'],
      ...mail,
    },
    http: { listen: '127.0.0.1:0' },
  });
  return {
    directory,
    config: { ...config, folder },
    async person(id) {
      const person = await directory.findById(id);
      if (!person) throw new Error(`no person ${id}`);
      return person;
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
