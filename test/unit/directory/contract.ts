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
  },
  { id: 'zoe', name: 'Zoë Çelik', mail: 'zoe.celik@company.com', aliases: ['zoë@company.com'] },
] as const;

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
        groups: ['sales'],
      });
      expect(await (await open()).findById('zoe')).toMatchObject({
        givenName: null,
        surname: null,
        language: 'en',
        title: null,
        groups: [],
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
