import { describe, expect, test } from 'vitest';
import { facesOf } from '../../../src/documents/font-faces.ts';
import { fitText, printable, shorten } from '../../../src/documents/text-fitting.ts';
import { isPlain, outlineOf, setLine } from '../../../src/documents/typesetting.ts';

const textOf = (text: string) => setLine(text, 'regular').glyphs.map(glyph => glyph.text);
const fileOf = (text: string) => [
  ...new Set(facesOf(text, 'regular').map(({ key }) => /([^/]+)\.\w+( \d+)?$/.exec(key)![1])),
];

describe('a line of text', () => {
  test('finds a face for each script, and shows what no face has', () => {
    expect(fileOf('Zoë Ψάλτης Дмитрий')).toEqual(['Inter_400Regular']);
    expect(fileOf('محمد')).toEqual(['NotoNaskhArabic-Regular']);
    expect(fileOf('שרה')).toEqual(['NotoSansHebrew-Regular']);
    for (const [text, family] of [
      ['สมชาย', 'thai'],
      ['प्रिया', 'devanagari'],
      ['Արմեն', 'armenian'],
      ['გიორგი', 'georgian'],
      ['김민준', 'kr'],
      ['やまだ', 'jp'],
      ['山田太郎', 'jp'],
      ['张伟', 'sc'],
    ] as const) {
      for (const file of fileOf(text)) expect(file, text).toContain(`noto-sans-${family}-`);
      expect(
        setLine(text, 'regular').glyphs.every(({ id }) => id > 0),
        text,
      ).toBe(true);
    }
    expect(setLine('👩', 'regular').glyphs.map(({ id }) => id)).toEqual([0]);
  });

  test('draws ideographs of one country alike: a name’s other letters say which', () => {
    expect(fileOf('山田やまだ').every(file => file!.includes('-jp-'))).toBe(true);
    expect(fileOf('伟大山田').every(file => file!.includes('-sc-'))).toBe(true);
    expect(fileOf('김山').every(file => file!.includes('-kr-'))).toBe(true);
  });

  test('runs from right to left where its letters do, with numbers and foreign words in their own order', () => {
    expect(textOf('שרה')).toEqual(['ה', 'ר', 'ש']);
    expect(textOf('שרה 12').join('')).toBe('12 הרש');
    expect(textOf('שרה ABC כהן').join('')).toBe('ןהכ ABC הרש');
    expect(textOf('ABC שרה').join('')).toBe('ABC הרש');
    // Brackets open towards what they hold.
    expect(textOf('(שרה)').join('')).toBe('(הרש)');
  });

  test('joins Arabic letters', () => {
    const alone = [...'محمد'].map(letter => setLine(letter, 'regular').glyphs[0]!.id);
    const joined = setLine('محمد', 'regular').glyphs.map(({ id }) => id);
    expect(joined.filter(id => alone.includes(id)).length).toBeLessThan(2);
    // Lam and alef become one.
    expect(
      setLine('لا', 'regular').glyphs.filter(({ face, id }) => outlineOf({ face, id }).commands.length > 0),
    ).toHaveLength(1);
  });

  test('forms clusters and places marks', () => {
    expect(setLine('क्ष', 'regular').glyphs).toHaveLength(1);
    const [consonant, tone] = setLine('ก้', 'regular').glyphs;
    expect(tone!.x).toBeGreaterThan(consonant!.x);
    expect(setLine('ก้', 'regular').width).toBe(setLine('ก', 'regular').width);
  });

  test('is plain only where its letters stand each for itself, from left to right', () => {
    for (const text of ['Zoë', 'Дмитрий', '山田太郎', '김민준', 'Արմեն', '12 €', 'µ'])
      expect(isPlain(text), text).toBe(true);
    for (const text of ['محمد', 'שרה', 'สมชาย', 'प्रिया', 'a\u0301\u0323', '٣', 'a\u200db'])
      expect(isPlain(text), text).toBe(false);
  });
});

describe('a text in its place', () => {
  const measure = (text: string) => [...text].length * 500;

  test('shrinks, then breaks, then is cut', () => {
    const lay = (text: string) => fitText(measure, text, { largest: 20, smallest: 10, limit: 100 });
    expect(lay('ten chars.')).toEqual({ size: 20, lines: ['ten chars.'] });
    expect(lay('sixteen letters.')).toEqual({ size: 12.5, lines: ['sixteen letters.'] });
    expect(lay('two lines are needed for this')).toEqual({ size: 10, lines: ['two lines are needed', 'for this'] });
    expect(lay('Hohenzollern-Sigmaringen')).toEqual({ size: 10, lines: ['Hohenzollern-', 'Sigmaringen'] });
    expect(lay('a'.repeat(50))).toEqual({ size: 10, lines: ['a'.repeat(20), `${'a'.repeat(19)}…`] });
    expect(shorten(measure, 'cut between words', 10, 30)).toBe('cut b…');
    expect(shorten(measure, 'cut between words', 10, 25)).toBe('cut…');
    expect(shorten(measure, 'no room', 10, 1)).toBe('…');
  });

  test('has no characters that hide or turn it', () => {
    expect(printable(' a\u202eb\tc\u2028d ')).toBe('a b c d');
    expect(printable('علی\u200cرضا')).toBe('علی\u200cرضا');
  });
});
