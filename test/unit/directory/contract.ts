/** What every directory does: run by the tests of each implementation with the same two people in it. */
import { describe, expect, test } from 'vitest';
import type { Directory } from '../../../src/directory/directory.ts';

/** The people that the directory under test must hold. */
export const CONTRACT_PEOPLE = [
  {
    id: 'john',
    name: 'John Doe',
    givenName: 'John',
    surname: 'Doe',
    mail: 'john.doe@company.com',
    aliases: ['jd@company.com'],
    logins: ['jdoe'],
    language: 'de',
    title: 'Head of Sales',
    groups: ['sales'],
    delegates: ['zoe'],
    mobile: '+352 621 123 456',
  },
  { id: 'zoe', name: 'Zoë Çelik', mail: 'zoe.celik@company.com', aliases: ['zoë@company.com'], groups: ['board'] },
] as const;

/** The groups that it must hold: sales is inside board, and board inside sales again. */
export const CONTRACT_GROUPS = [
  { name: 'board', mail: 'board@company.com', aliases: ['directors@company.com'], groups: ['sales'] },
  { name: 'sales', mail: 'sales@company.com', groups: ['board'] },
  { name: 'nobody', mail: 'nobody@company.com' },
] as const;

/** John's; Zoë has none where the directory can do without. */
export const CONTRACT_PASSWORD = 'correct horse battery staple';

export function directoryContract(name: string, open: () => Promise<Directory>): void {
  describe(`${name} is a directory`, () => {
    test('a person as the directory knows them', async () => {
      const john = await (await open()).findByMail('john.doe@company.com');
      expect(john).toEqual({
        id: 'john',
        name: 'John Doe',
        givenName: 'John',
        surname: 'Doe',
        mail: 'john.doe@company.com',
        addresses: ['john.doe@company.com', 'jd@company.com'],
        language: 'de',
        title: 'Head of Sales',
        groups: expect.arrayContaining(['sales', 'board']) as string[],
        delegates: ['zoe'],
        mobile: '+352 621 123 456',
      });
      expect(john?.groups).toHaveLength(2);
      expect(await (await open()).findById('zoe')).toMatchObject({
        givenName: null,
        surname: null,
        language: 'en',
        title: null,
        delegates: [],
        mobile: null,
      });
    });

    test.each(['JD@Company.COM', 'John.Doe@company.com', 'jd@company.com'])('%s is John', async address => {
      expect((await (await open()).findByMail(address))?.id).toBe('john');
    });

    test('letters beyond ASCII, composed or not', async () => {
      const directory = await open();
      expect((await directory.findByMail('zo\u00eb@company.com'))?.id).toBe('zoe');
      expect((await directory.findByMail('ZO\u0045\u0308@company.com'))?.id).toBe('zoe');
    });

    test.each(['', 'john', '@company.com', 'john.doe@company.com ', 'john.doe@other.com', '*', 'jdoe', '__proto__'])(
      '%j is nobody’s address',
      async address => {
        expect(await (await open()).findByMail(address)).toBeNull();
      },
    );

    test('a login is a login name or an address', async () => {
      const directory = await open();
      for (const login of ['jdoe', 'JDOE', 'john.doe@company.com', 'jd@company.com']) {
        expect((await directory.findByLogin(login))?.id).toBe('john');
      }
      for (const login of ['', 'zoe', 'john', 'constructor']) expect(await directory.findByLogin(login)).toBeNull();
    });

    test('ids are exact', async () => {
      const directory = await open();
      expect((await directory.findById('john'))?.name).toBe('John Doe');
      expect(await directory.findById('JOHN')).toBeNull();
      expect(await directory.findById('')).toBeNull();
    });

    test.each(['board@company.com', 'Directors@Company.com', 'sales@company.com'])(
      '%s is everybody in the group and in the groups inside, each once',
      async address => {
        const members = await (await open()).findGroup(address, 10);
        expect(members?.map(({ id }) => id).sort()).toEqual(['john', 'zoe']);
      },
    );

    test('a group without members is not an unknown one', async () => {
      const directory = await open();
      expect(await directory.findGroup('nobody@company.com', 10)).toEqual([]);
      for (const address of ['', 'board', 'board@other.com', 'john.doe@company.com', '*@company.com', '__proto__']) {
        expect(await directory.findGroup(address, 10)).toBeNull();
      }
      expect(await directory.findByMail('board@company.com')).toBeNull();
    });

    test('a password is right, or wrong; the empty one is always wrong', async () => {
      const directory = await open();
      const john = (await directory.findById('john'))!;
      expect(await directory.checkPassword(john, CONTRACT_PASSWORD)).toBe('right');
      for (const password of ['', ' ', 'Correct horse battery staple', `${CONTRACT_PASSWORD} `, '*']) {
        expect(await directory.checkPassword(john, password)).toBe('wrong');
      }
      const gone = { ...john, id: 'gone' };
      expect(await directory.checkPassword(gone, CONTRACT_PASSWORD)).toBe('wrong');
    });

    test('suggestions are people a few slips away, in the same domain', async () => {
      const directory = await open();
      const suggest = async (address: string) => (await directory.suggest(address)).map(({ id }) => id);
      expect(await suggest('john.deo@company.com')).toEqual(['john']);
      expect(await suggest('jon.doe@company.com')).toEqual(['john']);
      expect(await suggest('zoe.celic@company.com')).toEqual(['zoe']);
      expect(await suggest('john.doe@other.com')).toEqual([]);
      expect(await suggest('mary@company.com')).toEqual([]);
      expect(await suggest('')).toEqual([]);
    });
  });
}
