import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAddress, parseMailboxList } from '../../../src/intake/addresses.ts';
import { Refusal } from '../../../src/intake/refusal.ts';

const parse = (text: string): string[] => parseMailboxList(Buffer.from(text), 'To').map(({ address }) => address);

test.each<[string, string[]]>([
  ['john.doe@sign.company.com', ['john.doe@sign.company.com']],
  ['John.Doe@SIGN.Company.COM', ['john.doe@sign.company.com']],
  ['<a@b.org>', ['a@b.org']],
  ['John Doe <a@b.org>', ['a@b.org']],
  ['John Q. Public <a@b.org>', ['a@b.org']],
  ['"Doe, John" <a@b.org>, <c@d.org>', ['a@b.org', 'c@d.org']],
  ['"say \\"hi\\" @ home" <a@b.org>', ['a@b.org']],
  ['=?utf-8?q?J=C3=BCrgen?= <a@b.org>', ['a@b.org']],
  ['Jürgen <a@b.org>', ['a@b.org']],
  ['jürgen@b.org', ['jürgen@b.org']],
  ['ju\u0308rgen@b.org', ['jürgen@b.org']],
  ['a@bücher.example', ['a@xn--bcher-kva.example']],
  ['a+tag@b.org,b_c@d.org ,  e-f@g.org', ['a+tag@b.org', 'b_c@d.org', 'e-f@g.org']],
  ["o'brien@b.org", ["o'brien@b.org"]],
])('%s is read', (text, addresses) => {
  expect(parse(text)).toEqual(addresses);
});

test.each([
  ['', 'empty'],
  ['John Doe', 'no address'],
  ['john', 'not plain'],
  ['boss@company.com <evil@x.org>', 'looks like an address'],
  ['<boss@company.com> <evil@x.org>', 'between two addresses'],
  ['boss@company.com evil@x.org', 'no address'],
  ['<a@b.org> John', 'between two addresses'],
  ['team: a@b.org, c@d.org;', 'group'],
  ['undisclosed-recipients:;', 'group'],
  ['<@relay.org:a@b.org>', 'route'],
  ['<@relay.org,@other.org:a@b.org>', 'route'],
  ['a@b.org (John)', 'comment'],
  ['a(x)@b.org', 'comment'],
  ['John (the boss) <a@b.org>', 'comment'],
  ['"a b"@c.org', 'touches'],
  ['"a"@c.org', 'touches'],
  ['<"a"@c.org>', 'touches'],
  ['a@[127.0.0.1]', 'stray bracket'],
  ['a@b@c.org', 'not plain'],
  ['a @b.org', 'no address'],
  ['a@ b.org', 'no address'],
  ['<a @b.org>', 'not plain'],
  ['<a@b.org', 'not plain'],
  ['a@b.org>', 'between two addresses'],
  ['<<a@b.org>>', 'not plain'],
  ['<>', 'not plain'],
  ['a@b.org,', 'missing'],
  [',a@b.org', 'missing'],
  ['a@b.org,,c@d.org', 'missing'],
  ['.a@b.org', 'not plain'],
  ['a..b@c.org', 'not plain'],
  ['a@b..org', 'not plain'],
  ['a@-b.org', 'not plain'],
  ['=?utf-8?q?a=40b.org?=', 'not plain'],
  ['=?utf-8?q?boss?=@company.com', 'not plain'],
  ['<=?utf-8?q?boss?=@company.com>', 'not plain'],
  ['"open <a@b.org>', 'quotation mark'],
  ['a\\b@c.org', 'backslash'],
  ['a\u0000@b.org', 'control'],
  ['a\u0007 <a@b.org>', 'control'],
  ['a\u202eb@c.org', 'not plain'],
  ['a\u00a0b@c.org', 'not plain'],
  ['a\u200b@c.org', 'not plain'],
  ['a@b.org; c@d.org', 'group'],
  [`${'a@b.org,'.repeat(250)}a@b.org`, 'more than'],
])('%j is refused: %s', (text, says) => {
  expect(() => parse(text)).toThrow(Refusal);
  expect(() => parse(text)).toThrow(says);
});

test('letters that are not UTF-8 are refused', () => {
  expect(() => parseMailboxList(Buffer.from('J\xfcrgen <a@b.org>', 'latin1'), 'From')).toThrow('not UTF-8');
});

test('any bytes are read or refused, and what is read is canonical', () => {
  const soup = fc
    .array(
      fc.constantFrom('a', 'b', '@', '.', '<', '>', ',', '"', ' ', '\\', '(', ')', ':', ';', 'é', '=?', '[', '\t'),
      {
        maxLength: 20,
      },
    )
    .map(parts => parts.join(''));
  fc.assert(
    fc.property(soup, text => {
      try {
        for (const address of parse(text)) expect(parseAddress(address)?.address).toBe(address);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
      }
    }),
    { numRuns: 5000, seed: 3 },
  );
});
