/**
 * The font files that texts of ours are drawn with, and which of them draws which character: Inter, a handwriting face
 * for typed marks, and Noto for other scripts. All under the SIL Open Font License, from npm packages, read when first
 * needed and kept. East Asian fonts come in slices by Unicode range, so that a name reads a few of them only.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { create, type Font } from '@cantoo/fontkit';

export type Style = 'regular' | 'bold' | 'script';

export interface Face {
  /** Names the file and weight: the same for the same glyphs. */
  readonly key: string;
  readonly font: Font;
  /** From the font's units to 1/1000 em. */
  readonly scale: number;
  /** Handwriting. */
  readonly hand: boolean;
}

type Weight = 'regular' | 'bold';

/** Finds the face of one character; null where the family lacks it. */
type Family = (character: string, weight: Weight) => Face | null;

const require = createRequire(import.meta.url);
const faces = new Map<string, Face>();

/** @param weight of a variable font, on its `wght` axis; only outlines without components can vary */
function open(path: string, weight?: number): Face {
  const key = weight === undefined ? path : `${path} ${weight}`;
  const known = faces.get(key);
  if (known) return known;
  const font = create(readFileSync(path));
  if (!('layout' in font)) throw new Error(`${path} is not a single font`);
  // fontkit's getVariation can't read WOFF2 again; the coordinates are what it would set.
  if (weight !== undefined) Object.assign(font, { variationCoords: [weight] });
  const face: Face = { key, font, scale: 1000 / font.unitsPerEm, hand: font.familyName?.startsWith('Caveat') === true };
  faces.set(key, face);
  return face;
}

/** A family of one file a weight. */
function whole(files: () => Readonly<Record<Weight, string>>): Family {
  let paths: Readonly<Record<Weight, string>> | null = null;
  return (character, weight) => {
    paths ??= files();
    const face = open(paths[weight]);
    return face.font.hasGlyphForCodePoint(character.codePointAt(0)!) ? face : null;
  };
}

interface Slice {
  readonly first: number;
  readonly last: number;
  readonly path: string;
}

/** A Fontsource package: one variable WOFF2 file per Unicode range. @param variable whether its outlines can vary */
function sliced(name: string, scripts: RegExp, variable: boolean): Family {
  let slices: Slice[] | null = null;
  return (character, weight) => {
    if (!scripts.test(character)) return null;
    slices ??= readSlices(name);
    const code = character.codePointAt(0)!;
    const slice = slices.find(({ first, last }) => code >= first && code <= last);
    if (slice === undefined) return null;
    const face = variable ? open(slice.path, weight === 'bold' ? 600 : 400) : open(slice.path);
    return face.font.hasGlyphForCodePoint(code) ? face : null;
  };
}

function readSlices(name: string): Slice[] {
  const file = require.resolve(`@fontsource-variable/${name}/unicode.json`);
  const ranges = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, string>>;
  return Object.entries(ranges).flatMap(([key, list]) => {
    const path = join(dirname(file), 'files', `${name}-${key.replace(/[[\]]/g, '')}-wght-normal.woff2`);
    return list.split(',').map(range => {
      const [first, last] = range
        .trim()
        .slice(2)
        .split('-')
        .map(code => Number.parseInt(code, 16)) as [number, number?];
      return { first, last: last ?? first, path };
    });
  });
}

const inter = whole(() => ({
  regular: require.resolve('@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf'),
  bold: require.resolve('@expo-google-fonts/inter/600SemiBold/Inter_600SemiBold.ttf'),
}));
const hand = whole(() => {
  const path = require.resolve('@expo-google-fonts/caveat/500Medium/Caveat_500Medium.ttf');
  return { regular: path, bold: path };
});

/** These packages export no path of their files but that of a module beside them. */
function embedPdf(script: string, file: string): Family {
  return whole(() => {
    const folder = join(dirname(require.resolve(`@embedpdf/fonts-${script}`)), '..', 'fonts');
    return { regular: join(folder, `${file}-Regular.ttf`), bold: join(folder, `${file}-Bold.ttf`) };
  });
}

const IDEOGRAPHS = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Bopo}\uff00-\uffef]/u;
const japanese = sliced('noto-sans-jp', IDEOGRAPHS, true);
const chinese = sliced('noto-sans-sc', IDEOGRAPHS, true);
const korean = sliced('noto-sans-kr', /[\p{scx=Hang}\p{scx=Han}\uff00-\uffef]/u, true);

const others: readonly Family[] = [
  embedPdf('arabic', 'NotoNaskhArabic'),
  embedPdf('hebrew', 'NotoSansHebrew'),
  sliced('noto-sans-thai', /\p{scx=Thai}/u, false),
  sliced('noto-sans-devanagari', /\p{scx=Deva}/u, false),
  sliced('noto-sans-armenian', /\p{scx=Armn}/u, false),
  sliced('noto-sans-georgian', /\p{scx=Geor}/u, false),
];

/**
 * East Asian families in the order that suits a text: ideographs look different in each country, and a name written
 * with them says at best by its other letters, or by characters that only one country uses, whose it is.
 */
function eastAsian(text: string): readonly Family[] {
  if (/\p{Script=Hangul}/u.test(text)) return [korean, japanese, chinese];
  const ideographs = text.match(/\p{Script=Han}/gu) ?? [];
  const known = (family: Family) => ideographs.every(character => family(character, 'regular') !== null);
  return known(japanese) || !known(chinese) ? [japanese, chinese, korean] : [chinese, japanese, korean];
}

/**
 * The face for each character of a text. A mark or joiner goes with what it follows, where that face has it.
 * What no face has is drawn with Inter's glyph for missing ones, an empty box: it is seen to be missing.
 */
export function facesOf(text: string, style: Style): Face[] {
  const weight = style === 'bold' ? 'bold' : 'regular';
  const latin = style === 'script' ? [hand, inter] : [inter];
  let rest: readonly Family[] | null = null;
  let previous: Face | null = null;
  return [...text].map(character => {
    const follows = previous !== null && /\p{M}|\u200c|\u200d/u.test(character);
    if (!follows || !previous!.font.hasGlyphForCodePoint(character.codePointAt(0)!)) {
      let found: Face | null = null;
      for (const family of latin) found ??= family(character, weight);
      if (found === null) {
        rest ??= [...others, ...eastAsian(text)];
        for (const family of rest) found ??= family(character, weight);
      }
      if (found !== null || !follows) previous = found ?? missing(weight);
    }
    return previous ?? missing(weight);
  });
}

/** The face whose glyph 0 stands for missing characters. */
export function missing(weight: Weight): Face {
  return inter('A', weight) as Face;
}
