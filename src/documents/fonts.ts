/**
 * The two fonts that the signature page and later appearances are drawn with: Inter (OFL), cut down to the characters
 * that can be needed, embedded as Type0 with Identity-H (ISO 32000-2 §9.7) so that text is a row of glyph ids.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { deflateSync } from 'node:zlib';
import { create, type Font } from '@cantoo/fontkit';
import { type PDFContext, PDFHexString, type PDFRef, PDFString } from '@cantoo/pdf-lib';
import type { LayoutFont } from './layout.ts';

export type Weight = 'regular' | 'bold';

const FILES: Readonly<Record<Weight, string>> = {
  regular: '400Regular/Inter_400Regular.ttf',
  bold: '600SemiBold/Inter_600SemiBold.ttf',
};

/** Printable ASCII, Latin-1, Latin Extended-A, and the punctuation and marks of our texts. */
const ALWAYS = [...range(0x20, 0x7e), ...range(0xa0, 0x17f), ...'ȘșȚțẞ–—‘’‚“”„†•…‹›€№™→−✓✗×□\u2009\u202f'];

/** An embedded font, ready to draw with. */
export interface EmbeddedFont extends LayoutFont {
  readonly ref: PDFRef;
}

/** A font cut down, not yet in a document. */
interface Subset {
  readonly name: string;
  /** Deflated TrueType file, and its length before. */
  readonly file: Uint8Array;
  readonly length: number;
  readonly unicode: Uint8Array;
  readonly widths: readonly number[];
  readonly descriptor: Readonly<Record<string, number>>;
  readonly box: readonly number[];
  readonly glyphs: LayoutFont['glyphs'];
}

/** Fonts as read and, as most documents need no further characters, their usual subset: kept for the process's life. */
const loaded = new Map<Weight, { font: Font; usual: Subset }>();

/**
 * Embeds a font whose glyph map holds the usual characters and all of `text`. A character that the font lacks gets
 * the glyph for missing ones, an empty box: it is seen to be missing.
 */
export function embedFont(context: PDFContext, weight: Weight, text: string): EmbeddedFont {
  const { font, usual } = load(weight);
  const more = [...new Set(text)].filter(character => !(character in usual.glyphs));
  const subset = more.length === 0 ? usual : cut(font, [...ALWAYS, ...more]);
  const file = context.register(context.stream(subset.file, { Filter: 'FlateDecode', Length1: subset.length }));
  const descriptor = context.register(
    context.obj({
      Type: 'FontDescriptor',
      FontName: subset.name,
      FontBBox: [...subset.box],
      ...subset.descriptor,
      FontFile2: file,
    }),
  );
  const descendant = context.register(
    context.obj({
      Type: 'Font',
      Subtype: 'CIDFontType2',
      BaseFont: subset.name,
      CIDSystemInfo: { Registry: PDFString.of('Adobe'), Ordering: PDFString.of('Identity'), Supplement: 0 },
      CIDToGIDMap: 'Identity',
      FontDescriptor: descriptor,
      DW: 1000,
      W: [0, [...subset.widths]],
    }),
  );
  const ref = context.register(
    context.obj({
      Type: 'Font',
      Subtype: 'Type0',
      BaseFont: subset.name,
      Encoding: 'Identity-H',
      DescendantFonts: [descendant],
      ToUnicode: context.register(context.stream(subset.unicode, { Filter: 'FlateDecode' })),
    }),
  );
  return { ref, object: ref.objectNumber, glyphs: subset.glyphs };
}

/** Text in the font's glyph ids, as a string operand; characters outside its map are left out. */
export function encode(font: LayoutFont, text: string): PDFHexString {
  return PDFHexString.of([...text].map(character => font.glyphs[character]?.[0] ?? '').join(''));
}

/** Width in points. */
export function widthOf(font: LayoutFont, text: string, size: number): number {
  return ([...text].reduce((sum, character) => sum + (font.glyphs[character]?.[1] ?? 0), 0) * size) / 1000;
}

function load(weight: Weight): { font: Font; usual: Subset } {
  const known = loaded.get(weight);
  if (known) return known;
  const path = createRequire(import.meta.url).resolve(`@expo-google-fonts/inter/${FILES[weight]}`);
  const font = create(readFileSync(path));
  if (!('createSubset' in font)) throw new Error(`${path} is not a single font`);
  const entry = { font, usual: cut(font, ALWAYS) };
  loaded.set(weight, entry);
  return entry;
}

function cut(font: Font, characters: readonly string[]): Subset {
  const scale = 1000 / font.unitsPerEm;
  const subset = font.createSubset();
  const notdef = font.getGlyph(0)!;
  const widths = [Math.round(notdef.advanceWidth * scale)];
  const glyphs: Record<string, readonly [string, number]> = {};
  const unicode = new Map<number, string>();
  for (const character of characters) {
    const codePoint = character.codePointAt(0)!;
    const glyph = (font.hasGlyphForCodePoint(codePoint) && font.glyphForCodePoint(codePoint)) || notdef;
    const id = subset.includeGlyph(glyph);
    const width = Math.round(glyph.advanceWidth * scale);
    widths[id] = width;
    glyphs[character] = [hex(id), width];
    if (id > 0 && !unicode.has(id)) unicode.set(id, character);
  }
  const file = subset.encode();
  const round = (value: number) => Math.round(value * scale);
  const { minX, minY, maxX, maxY } = font.bbox;
  return {
    name: `SIGNPO+${font.postscriptName}`,
    file: deflateSync(file),
    length: file.length,
    unicode: deflateSync(toUnicode(unicode)),
    widths: Array.from(widths, width => width ?? 0),
    // Symbolic: glyphs are addressed by id, not through a standard encoding.
    descriptor: {
      Flags: 4,
      ItalicAngle: 0,
      Ascent: round(font.ascent),
      Descent: round(font.descent),
      CapHeight: round(font.capHeight),
      XHeight: round(font.xHeight),
      StemV: 80,
    },
    box: [minX, minY, maxX, maxY].map(round),
    glyphs,
  };
}

/** A ToUnicode CMap (ISO 32000-2 §9.10.3), at most 100 characters a block. */
function toUnicode(characters: ReadonlyMap<number, string>): string {
  const lines = [...characters].map(([id, character]) => `<${hex(id)}> <${utf16(character)}>`);
  const blocks: string[] = [];
  for (let at = 0; at < lines.length; at += 100) {
    const block = lines.slice(at, at + 100);
    blocks.push(`${block.length} beginbfchar\n${block.join('\n')}\nendbfchar`);
  }
  return `/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <ffff>
endcodespacerange
${blocks.join('\n')}
endcmap
CMapName currentdict /CMap defineresource pop
end
end
`;
}

function hex(id: number): string {
  return id.toString(16).padStart(4, '0');
}

function utf16(character: string): string {
  return Array.from({ length: character.length }, (_, index) => hex(character.charCodeAt(index))).join('');
}

function range(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => String.fromCodePoint(first + index));
}
