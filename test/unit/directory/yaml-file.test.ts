import { mkdtempSync, renameSync, rmSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { DirectoryUnavailable } from '../../../src/directory/directory.ts';
import { editDistance } from '../../../src/directory/distance.ts';
import { hashPassword, isPasswordHash } from '../../../src/directory/password.ts';
import { openYamlDirectory, parsePeople } from '../../../src/directory/yaml-file.ts';
import { CONTRACT_GROUPS, CONTRACT_PASSWORD, CONTRACT_PEOPLE, directoryContract } from './contract.ts';

const folder = mkdtempSync('/tmp/signpost-people-');
const path = join(folder, 'people.yaml');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const lines: Record<string, unknown>[] = [];
const log = pino({ level: 'info' }, { write: text => lines.push(JSON.parse(text) as Record<string, unknown>) });
let age = 1000;
/** Writes the file with a modification time of its own, as an editor some seconds later would. */
function save(yaml: string): void {
  writeFileSync(`${path}.new`, yaml);
  age += 1;
  utimesSync(`${path}.new`, age, age);
  renameSync(`${path}.new`, path);
}
beforeEach(() => {
  lines.length = 0;
  save(COMPANY);
});
const [john, ...others] = CONTRACT_PEOPLE;
const COMPANY = stringify({
  people: [{ ...john, password: await hashPassword(CONTRACT_PASSWORD) }, ...others],
  groups: CONTRACT_GROUPS,
});

directoryContract('people.yaml', () => openYamlDirectory(path, 'en', log));

describe('a mistake in the file stops the start and names it', () => {
  const person = 'id: a, name: Ann, mail: ann@company.com';
  test.each([
    [
      'an address of two people',
      `people: [{ ${person} }, { id: b, name: Bob, mail: bob@company.com, aliases: [ANN@company.com] }]`,
      '"ann@company.com" belongs to both Ann and Bob',
    ],
    [
      'a login of two people',
      `people: [{ ${person}, logins: [x] }, { id: b, name: Bob, mail: bob@company.com, logins: [X] }]`,
      '"x" belongs to both',
    ],
    [
      "a login that is another's address",
      `people: [{ ${person} }, { id: b, name: Bob, mail: bob@company.com, logins: [ann@company.com] }]`,
      'belongs to both',
    ],
    [
      'an id twice',
      `people: [{ ${person} }, { id: a, name: Bob, mail: bob@company.com }]`,
      'the id "a" is there twice',
    ],
    ['a delegate who is nobody', `people: [{ ${person}, delegates: [bob] }]`, '"bob" is nobody'],
    ['a password as it is typed', `people: [{ ${person}, password: secret }]`, 'signpost user password'],
    [
      "a group with a person's address",
      `people: [{ ${person} }]\ngroups: [{ name: g, mail: ann@company.com }]`,
      'both a person and the group g',
    ],
    [
      'two groups with one address',
      'people: []\ngroups: [{ name: g, mail: g@company.com }, { name: h, aliases: [G@company.com] }]',
      'belongs to two groups',
    ],
    ['no address', 'people: [{ name: Ann, mail: ann }]', 'such as mary.smith@company.com'],
    ['no name', 'people: [{ mail: ann@company.com }]', 'name'],
    ['a word that is not known', `people: [{ ${person}, phone: 1 }]`, 'phone'],
    ['a language that we do not speak', `people: [{ ${person}, language: nl }]`, 'language'],
    ['no YAML', 'people: [', 'people.yaml: '],
    ['something else', '- a', 'people.yaml: '],
  ])('%s', async (_, yaml, says) => {
    save(yaml);
    await expect(openYamlDirectory(path, 'en', log)).rejects.toThrow(says);
  });

  test('no file', async () => {
    await expect(openYamlDirectory(join(folder, 'none.yaml'), 'en', log)).rejects.toThrow('none.yaml');
  });
});

describe('a file that changes', () => {
  test('is read again', async () => {
    const directory = await openYamlDirectory(path, 'en', log);
    expect(await directory.findById('new')).toBeNull();
    save('people: [{ id: new, name: New, mail: new@company.com }]');
    expect(await directory.findById('new')).toMatchObject({ name: 'New' });
    expect(await directory.findById('john')).toBeNull();
  });

  test('into a broken one keeps the people, and says so once', async () => {
    const directory = await openYamlDirectory(path, 'en', log);
    save('people: [{ name: ');
    expect(await directory.findById('john')).not.toBeNull();
    expect(await directory.findById('john')).not.toBeNull();
    expect(lines.filter(({ level }) => level === 50)).toHaveLength(1);
    save('people: [{ id: new, name: New, mail: new@company.com }]');
    expect(await directory.findById('new')).not.toBeNull();
  });

  test.each(['', 'people:\n'])('while an editor is writing it (%j so far) keeps the people', async text => {
    const directory = await openYamlDirectory(path, 'en', log);
    save(text);
    expect(await directory.findById('john')).not.toBeNull();
  });

  test('into nothing is a directory that is down, not one without people', async () => {
    const directory = await openYamlDirectory(path, 'en', log);
    unlinkSync(path);
    await expect(directory.findByMail('john.doe@company.com')).rejects.toThrow(DirectoryUnavailable);
  });
});

test('the language of people who have none is the company’s', () => {
  expect(
    parsePeople('people: [{ name: Ann, mail: ann@company.com }]', 'fr').byId.get('ann@company.com')?.language,
  ).toBe('fr');
  expect(parsePeople('people: []', 'fr').byId.size).toBe(0);
});

test('who has no password in the file has none to prove', async () => {
  const directory = await openYamlDirectory(path, 'en', log);
  const zoe = (await directory.findById('zoe'))!;
  expect(await directory.checkPassword(zoe, 'anything')).toBe('unsupported');
});

test('a delegate may be written as an address', () => {
  const { byId } = parsePeople(
    'people: [{ id: a, name: A, mail: a@b.com, delegates: [C@b.com] }, { id: c, name: C, mail: c@b.com }]',
    'en',
  );
  expect(byId.get('a')?.delegates).toEqual(['c']);
});

test('password lines whose costs could stop the gateway are none', async () => {
  const line = await hashPassword('x');
  expect(isPasswordHash(line)).toBe(true);
  expect(isPasswordHash(line.replace('32768', '8388608'))).toBe(false);
  expect(isPasswordHash(line.replace('32768', '32767'))).toBe(false);
  expect(isPasswordHash(`${line}=`)).toBe(false);
  await expect(hashPassword('')).rejects.toThrow('empty');
});

test.each([
  ['', '', 0],
  ['abc', '', 3],
  ['kitten', 'sitting', 3],
  ['advnaced', 'advanced', 1],
  ['ca', 'abc', 3],
])('from %j to %j are %i slips', (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
  expect(editDistance(b, a)).toBe(distance);
});
