import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { authservId, readArcResults, writeResults } from '../../../src/senders/results.ts';

describe('Authentication-Results', () => {
  test.each<[string, string | null]>([
    ['mx.company.com; dkim=pass', 'mx.company.com'],
    [' MX.Company.COM 1; none', 'mx.company.com'],
    ['(a comment) mx.company.com; none', 'mx.company.com'],
    ['(nested (deep \\) ;) comment)mx.company.com;none', 'mx.company.com'],
    ['"mx.company.com" ; none', 'mx.company.com'],
    ['"mx.\\company.com"; none', 'mx.company.com'],
    ['mx.company.com', 'mx.company.com'],
    ['(; mx.company.com; none', null],
    ['"mx.company.com; none', null],
    ['; dkim=pass', null],
    ['', null],
  ])('the id of %j', (value, id) => {
    expect(authservId(value)).toBe(id);
  });

  test('D1 a forwarder’s results: what stands in comments and quoted strings is no result', () => {
    const read = (value: string): string[] | undefined =>
      readArcResults(value)?.results.map(
        ({ method, result, properties }) =>
          `${method} ${result} ${[...properties].map(pair => pair.join('=')).join(',')}`,
      );
    expect(
      read('i=1; mx.x.example; dkim=pass header.d=a.example header.s="b c"; DMARC=Pass (p=NONE) header.from=A.example'),
    ).toEqual(['dkim pass header.d=a.example,header.s=b c', 'dmarc pass header.from=A.example']);
    expect(read('i=1; mx; spf=fail (dmarc=pass; dmarc=pass) smtp.mailfrom="x; dmarc=pass"')).toEqual([
      'spf fail smtp.mailfrom=x; dmarc=pass',
    ]);
    expect(read('i=1; mx; none')).toEqual([]);
    expect(read('mx.x.example; dmarc=pass')).toBeUndefined();
    expect(read('i=100; mx; dmarc=pass')).toBeUndefined();
    expect(read('i=1; mx; dmarc=pass (')).toBeUndefined();
  });

  test('whatever is read ends, and has an id that was there', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '.', ' ', ';', '=', '"', '(', ')', '\\', 'i', '1') }),
        value => {
          const id = authservId(value);
          readArcResults(value);
          if (id !== null) expect(value.replaceAll('\\', '').toLowerCase()).toContain(id.replaceAll('\\', ''));
        },
      ),
    );
  });

  test('ours', () => {
    expect(writeResults('mx.company.com', ['auth=pass'])).toBe('mx.company.com;\n auth=pass');
    expect(writeResults('mx.company.com', [])).toBe('mx.company.com;\n none');
  });
});
