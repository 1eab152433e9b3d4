import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PdfSyntaxError, parseDict, parseObject } from '../../../../src/documents/file/parser.ts';
import { octets, type PdfValue, writeValue } from '../../../../src/documents/file/values.ts';

const parse = (text: string) => parseObject(octets(`7 0 obj\n${text}\nendobj\n`), 0).value;

/** Any value that a file can hold. */
const values: fc.Arbitrary<PdfValue> = fc.letrec<{ value: PdfValue }>(tie => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.integer({ min: -1e9, max: 1e9 }),
    fc.integer({ min: -1e6, max: 1e6 }).map(number => number / 1000),
    fc.uint8Array({ maxLength: 20 }).map(bytes => ({ string: Buffer.from(bytes).toString('latin1') })),
    fc.uint8Array({ maxLength: 8, min: 1 }).map(bytes => ({ name: Buffer.from(bytes).toString('latin1') })),
    fc.integer({ min: 0, max: 99999 }).map(ref => ({ ref })),
    fc.integer({ min: 1, max: 65535 }).map(generation => ({ ref: 7, generation })),
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .dictionary(
        fc.string({ minLength: 1, maxLength: 5 }).filter(key => /^[\x01-\xff]+$/.test(key)),
        tie('value'),
        {
          maxKeys: 4,
        },
      )
      .map(entries => new Map(Object.entries(entries))),
  ),
})).value;

describe('PDF objects', () => {
  test('are read as they were written', () => {
    fc.assert(
      fc.property(values, value => {
        expect(parse(writeValue(value))).toEqual(value);
      }),
    );
  });

  test('of other writers are read, too', () => {
    expect(parse('<</A(a\\(b\\)\\\n(c)\\101\r\n)/B<4 1 4>%a comment >>\r/C[1 0 R 2 3 R 2 -.5]/D#20E true>>')).toEqual(
      new Map<string, PdfValue>([
        ['A', { string: 'a(b)(c)A\n' }],
        ['B', { string: 'A@' }],
        ['C', [{ ref: 1 }, { ref: 2, generation: 3 }, 2, -0.5]],
        ['D E', true],
      ]),
    );
  });

  test.each([
    ['a duplicate key', '<< /A 1 /A 2 >>'],
    ['a duplicate key in disguise', '<< /A 1 /#41 2 >>'],
    ['a generation that is too high', '1 65536 R'],
    ['text after the value', '<< >> 1'],
    ['an unknown word', 'trap'],
    ['an exponent', '1e5'],
    ['an open string', '(a'],
    ['a stream with an indirect length', '<< /Length 5 0 R >>\nstream\nabc\nendstream'],
    ['a stream that is longer than it says', '<< /Length 1 >>\nstream\nabc\nendstream'],
    ['deep nesting', '['.repeat(200) + ']'.repeat(200)],
  ])('with %s are refused', (_, text) => {
    expect(() => parse(text)).toThrow(PdfSyntaxError);
  });

  test('of random octets are read or refused, never anything else', () => {
    const pieces = fc.constantFrom(
      '<<',
      '>>',
      '[',
      ']',
      '(',
      ')',
      '/A',
      ' ',
      '1',
      '0 R',
      '<41>',
      '\\',
      'true',
      '#4',
      '%',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), parts => {
        try {
          parseDict(octets(`<<${parts.join('')}`), 0);
        } catch (error) {
          expect(error).toBeInstanceOf(PdfSyntaxError);
        }
      }),
    );
  });
});

describe('an indirect object', () => {
  const at = (text: string, offset = 0) => parseObject(octets(text), offset);

  test('is told with its place, its generation and its stream', () => {
    const text = '\n12 3 obj<</Length 3>>stream\r\nabc\nendstream endobj\r\n13 0 obj';
    expect(at(text, 1)).toEqual({
      number: 12,
      generation: 3,
      value: new Map([['Length', 3]]),
      stream: octets('abc'),
      start: 1,
      end: text.indexOf('13 0'),
    });
  });

  test('may have its length elsewhere', () => {
    const text = '1 0 obj\n<< /Length 9 0 R >>\nstream\nabc\nendstream\nendobj\n';
    expect(parseObject(octets(text), 0, ({ ref }) => (ref === 9 ? 3 : 0)).stream).toEqual(octets('abc'));
    expect(() => at(text)).toThrow(PdfSyntaxError);
  });

  test.each([
    ['an offset within a number', '12 0 obj\n1\nendobj\n', 1],
    ['an offset after the end', '1 0 obj\n1\nendobj\n', 99],
    ['a negative offset', '1 0 obj\n1\nendobj\n', -1],
    ['a broken offset', '1 0 obj\n1\nendobj\n', Number.NaN],
    ['number 0', '0 0 obj\n1\nendobj\n', 0],
    ['a number beyond all', '2147483648 0 obj\n1\nendobj\n', 0],
    ['a generation beyond all', '1 65536 obj\n1\nendobj\n', 0],
    ['no end', '1 0 obj\n1\n', 0],
    ['an end that goes on', '1 0 obj\n1\nendobject\n', 0],
    ['a length that is too short', '1 0 obj\n<</Length 2>>stream\nabc\nendstream\nendobj\n', 0],
    ['a length that is too long', '1 0 obj\n<</Length 5>>stream\nabc\nendstream\nendobj\n', 0],
    ['a length beyond the file', '1 0 obj\n<</Length 99999>>stream\nabc\nendstream\nendobj\n', 0],
    ['a length that is negative', '1 0 obj\n<</Length -1>>stream\nabc\nendstream\nendobj\n', 0],
    ['a stream after a carriage return alone', '1 0 obj\n<</Length 3>>stream\rabc\nendstream\nendobj\n', 0],
    ['a stream without dictionary', '1 0 obj\n1 stream\nabc\nendstream\nendobj\n', 0],
    ['two values', '1 0 obj\n1 2\nendobj\n', 0],
  ])('is refused with %s', (_, text, offset) => {
    expect(() => at(text, offset)).toThrow(PdfSyntaxError);
  });

  test('with a million parts or more is refused, without hanging', () => {
    expect(() => at(`1 0 obj\n[${'1 '.repeat(1_000_001)}]\nendobj\n`)).toThrow(PdfSyntaxError);
    expect(at(`1 0 obj\n[${'1 '.repeat(100_000)}]\nendobj\n`).value).toHaveLength(100_000);
  });
});
