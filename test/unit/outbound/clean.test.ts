import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanLine, cleanText, isolate } from '../../../src/outbound/clean.ts';
import { signedFileNames } from '../../../src/outbound/filenames.ts';
import { html } from '../../../src/outbound/html.ts';
import { formatDate } from '../../../src/outbound/texts/dates.ts';

const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]/;
const anyText = fc.string({ unit: 'binary', maxLength: 300 });

describe('clean text', () => {
  test('a cleaned line has no control, bidi mark or line end, is short, and cleaning it again changes nothing', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 2, max: 50 }), (text, limit) => {
        const line = cleanLine(text, limit);
        expect(line).not.toMatch(FORBIDDEN);
        expect([...new Intl.Segmenter('en').segment(line)].length).toBeLessThanOrEqual(limit);
        expect(cleanLine(line, limit)).toBe(line);
        expect(line.isWellFormed()).toBe(true);
      }),
    );
  });

  test('text keeps its lines and loses the rest', () => {
    expect(cleanText('a\r\nb\rc\u2028d\n\n\n\ne\t\u202ef\u0000 ', 100)).toBe('a\nb\nc\nd\n\ne f');
    fc.assert(
      fc.property(anyText, text => {
        expect(cleanText(text, 100).replaceAll('\n', '')).not.toMatch(FORBIDDEN);
      }),
    );
  });

  test('letters made of many marks can’t make a line endless', () => {
    expect(cleanLine(`a${'\u0301'.repeat(100_000)}`, 50).length).toBeLessThanOrEqual(50 * 8 + 1);
  });

  test('only right-to-left text is isolated', () => {
    expect(isolate('Zoë 太郎')).toBe('Zoë 太郎');
    expect(isolate('דנה')).toBe('\u2068דנה\u2069');
  });
});

describe('names of finished files', () => {
  test.each([
    ['Contract.pdf', 'Contract signed.pdf'],
    ['contract.PDF.pdf', 'contract signed.pdf'],
    ['Contract signed.pdf', 'Contract signed.pdf'],
    ['/etc/passwd', 'passwd signed.pdf'],
    ['C:\\temp\\a:b*c?.pdf', 'a b c signed.pdf'],
    ['..', 'document signed.pdf'],
    ['.pdf', 'document signed.pdf'],
    ['', 'document signed.pdf'],
    ['invoice\u202efdp.exe', 'invoicefdp.exe signed.pdf'],
    ['a"; filename="evil.exe', 'a ; filename= evil.exe signed.pdf'],
  ])('%j becomes %j', (name, expected) => {
    expect(signedFileNames([{ name }])).toEqual([expected]);
  });

  test.each<[string, 'cades' | 'xades' | 'content', string]>([
    ['letter.txt', 'cades', 'letter.txt.p7m'],
    ['letter signed.docx', 'cades', 'letter signed.docx.p7m'],
    ['../a:b', 'cades', 'a b.p7m'],
    ['.htaccess', 'cades', 'document.htaccess.p7m'],
    ['invoice\u202etxt.exe', 'content', 'invoicetxt.exe'],
    ['Invoice.XML', 'xades', 'Invoice signed.xml'],
  ])('%j as %s becomes %j', (name, form, expected) => {
    expect(signedFileNames([{ name, form }])).toEqual([expected]);
  });

  test('files with their signatures beside them, whatever they are called: distinct, and each signature after its file', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(anyText, fc.constantFrom('a.txt', 'A.TXT', 'a')), { maxLength: 8 }), names => {
        const safe = signedFileNames(
          names.flatMap(name => [
            { name, form: 'content' as const },
            { name, form: 'cades-detached' as const },
          ]),
        );
        expect(new Set(safe.map(name => name.toLowerCase())).size).toBe(2 * names.length);
        for (const [index, name] of safe.entries()) {
          expect(name).toMatch(/^[^./\\<>:"|?*][^/\\<>:"|?*]*$/);
          expect(name).not.toMatch(FORBIDDEN);
          if (index % 2 === 1) expect(name).toBe(`${safe[index - 1]}.p7s`);
        }
      }),
    );
  });

  test('any names become distinct, short, and no paths', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(anyText, fc.constant('a.pdf'), fc.constant('A signed.PDF')), { maxLength: 8 }),
        names => {
          const safe = signedFileNames(names.map(name => ({ name })));
          expect(new Set(safe.map(name => name.toLowerCase())).size).toBe(names.length);
          for (const name of safe) {
            expect(name).toMatch(/^[^./\\<>:"|?*][^/\\<>:"|?*]* signed( \(\d+\))?\.pdf$/);
            expect(name).not.toMatch(FORBIDDEN);
          }
        },
      ),
    );
  });
});

test('the HTML template escapes everything but its own results', () => {
  const inner = html`<b title="${`"'<&>`}">${'<script>'}</b>`;
  expect(inner.source).toBe('<b title="&#34;&#39;&#60;&#38;&#62;">&#60;script&#62;</b>');
  expect(html`<p>${inner}${[inner, inner]}${3}</p>`.source).toBe(`<p>${inner.source.repeat(3)}3</p>`);
});

test('dates are in the reader’s language with the UTC offset, summer time included', () => {
  const summer = new Date('2026-07-01T12:05:00Z');
  expect(formatDate(summer, 'en', 'Europe/Berlin')).toBe('Wednesday, 1 July 2026 at 14:05 (UTC+02:00)');
  expect(formatDate(summer, 'fr', 'Europe/Paris')).toBe('mercredi 1er juillet 2026 à 14:05 (UTC+02:00)');
  expect(formatDate(summer, 'de', 'Asia/Kathmandu')).toBe('Mittwoch, 1. Juli 2026 um 17:50 (UTC+05:45)');
  expect(formatDate(new Date('2026-11-12T23:59:00Z'), 'fr', 'UTC')).toBe('jeudi 12 novembre 2026 à 23:59 (UTC+00:00)');
});
