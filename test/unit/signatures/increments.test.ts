import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawPanel, shape } from '../../../src/documents/appearance.ts';
import { showTime } from '../../../src/documents/appearance-texts.ts';
import { openFile } from '../../../src/documents/file/file.ts';
import { PdfSyntaxError, parseDict, parseObject } from '../../../src/documents/file/parser.ts';
import { octets, type PdfValue, readText, textString, writeValue } from '../../../src/documents/file/values.ts';
import { pdfDate, readPdfDate } from '../../../src/documents/increment-signature.ts';
import { writeIncrement } from '../../../src/documents/increment-writer.ts';
import type { LayoutFont } from '../../../src/documents/layout.ts';
import { qpdfCheck, qpdfObjects } from '../../e2e/02-pades/signed-file.ts';
import { planFor, smallWorker } from '../../support/pades.ts';
import { has } from '../../support/tools.ts';

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

describe('an increment', () => {
  test.skipIf(!has('qpdf'))('is what qpdf reads', async () => {
    const { bytes } = await smallWorker.firstRevision(new Uint8Array(), planFor(['A B']));
    const file = openFile(bytes);
    const number = file.trailer.size;
    const value = new Map<string, PdfValue>([
      ['Text', textString('Zoë (1)')],
      ['Real', -0.0000005],
      ['Na me#', { ref: 1 }],
    ]);
    const { appended } = writeIncrement(
      file,
      [
        { number: number + 2, value: new Map([['Odd', true]]), stream: octets('a stream') },
        { number, value },
      ],
      '0123456789abcdef',
    );
    const whole = Buffer.concat([bytes, appended]);
    const { output } = qpdfCheck(whole);
    expect(output).toContain('No syntax or stream encoding errors found');
    const objects = qpdfObjects(whole);
    expect(objects[`obj:${number} 0 R`]).toEqual({
      value: { '/Text': 'u:Zoë (1)', '/Real': expect.closeTo(-0.0000005), '/Na me#': '1 0 R' },
    });
    expect(Buffer.from(objects[`obj:${number + 2} 0 R`]!.stream!.data, 'base64').toString()).toBe('a stream');
    expect(openFile(whole).dict(number)).toEqual(value);
  });

  test('finds objects through the chain, and refuses files that are damaged', async () => {
    const { bytes } = await smallWorker.firstRevision(new Uint8Array(), planFor(['A B']));
    const text = Buffer.from(bytes).toString('latin1');
    const changed = (from: string | RegExp, to: string) => Buffer.from(text.replace(from, to), 'latin1');
    expect(openFile(bytes).dict(3).get('Type')).toEqual({ name: 'Page' });
    expect(() => openFile(bytes).dict(99)).toThrow(PdfSyntaxError);
    expect(() => openFile(bytes).dict(0)).toThrow(PdfSyntaxError);
    for (const evil of [
      changed(/%%EOF$/, '%%EOF%'),
      changed(/startxref\n\d+/, 'startxref\n7'),
      changed('/Root 1 0 R', '/Root 1 1 R'),
      changed('/Info', '/Encrypt 3 0 R /Info'),
      changed('/Info', '/XRefStm 9 /Info'),
      changed('/Info', '/Prev -1 /Info'),
      changed(/\/ID \[.*?\]/, '/ID [1 2]'),
    ]) {
      expect(() => openFile(evil)).toThrow(PdfSyntaxError);
    }
    const loop = changed('/Info', `/Prev ${/startxref\n(\d+)/.exec(text)![1]} /Info`);
    expect(() => openFile(loop).dict(99)).toThrow(PdfSyntaxError);
  });
});

describe('texts and dates', () => {
  test('of any language survive', () => {
    for (const text of ['John Doe', 'Zoë', '山田', '𝕏', 'þÿ']) expect(readText(textString(text).string)).toBe(text);
  });

  test('carry their offset, and nothing else is a date', () => {
    const time = new Date(Date.UTC(2026, 1, 28, 23, 59, 58));
    for (const offset of [0, 60, -210, 840]) {
      expect(readPdfDate(pdfDate(time, offset))).toEqual({ time, utcOffset: offset });
    }
    expect(pdfDate(time, -210)).toBe("D:20260228202958-03'30'");
    expect(showTime(time, 60)).toBe('2026-03-01 00:59:58 UTC+01:00');
    expect(showTime(time, -210)).toBe('2026-02-28 20:29:58 UTC−03:30');
    expect(showTime(time, 0)).toBe('2026-02-28 23:59:58 UTC');
    for (const text of [
      "D:20260230000000+00'00'",
      'D:20260228',
      "D:20260228202958+00'00'x",
      "D:20260228202958-00'00'",
    ]) {
      expect(readPdfDate(text)).toBeNull();
    }
  });
});

describe('a panel', () => {
  const glyphs: LayoutFont['glyphs'] = Object.fromEntries(
    [...'abcdefghijklmnopqrstuvwxyz e?…'].map((character, i) => [character, [`00${10 + i}`, 500] as const]),
  );
  const font: LayoutFont = { object: 1, glyphs };

  test('shows a base letter or a question mark for what the font lacks', () => {
    expect(shape(font, 'é').hex).toBe(shape(font, 'e').hex);
    expect(shape(font, '山').hex).toBe(shape(font, '?').hex);
  });

  test('cuts what is too long, and draws within its width', () => {
    const panel = { caption: 'by', title: 'name '.repeat(60), rows: [['label', 'value '.repeat(60)]] as const };
    const content = Buffer.from(drawPanel(panel, { width: 200, height: 80 }, { regular: font, bold: font })).toString();
    const texts = [...content.matchAll(/\/F\d ([\d.]+) Tf\n([\d.]+) [\d.]+ Td\n<(\w+)> Tj/g)];
    expect(texts).toHaveLength(4);
    for (const [, size, x, hex] of texts) {
      expect(Number(x) + (hex!.length / 4) * 0.5 * Number(size)).toBeLessThanOrEqual(200);
    }
  });
});
