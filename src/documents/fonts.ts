/**
 * The two fonts that the signature page, the marks on pages and later appearances are drawn with: glyphs of whatever
 * faces the texts need (font-faces.ts), put together into one font each, embedded as Type0 with Identity-H
 * (ISO 32000-2 §9.7) so that text is a row of glyph ids.
 */
import { deflateSync } from 'node:zlib';
import { type PDFContext, type PDFRef, PDFString } from '@cantoo/pdf-lib';
import { type Face, facesOf, missing } from './font-faces.ts';
import type { LayoutFont } from './layout.ts';
import { type EncodedGlyph, encodeGlyph, UNITS_PER_EM, writeTrueType } from './truetype-writer.ts';
import { isPlain, outlineOf, type SetGlyph, type SetLine, setLine } from './typesetting.ts';

export type Weight = 'regular' | 'bold';

/** Printable ASCII, Latin-1, Latin Extended-A, and the punctuation and marks of our texts. */
const ALWAYS = [...range(0x20, 0x7e), ...range(0xa0, 0x17f), ...'ȘșȚțẞ–—‘’‚“”„†•…‹›€№™→−✓✗×□\u2009\u202f'];

/** Outlines as encoded, by face and glyph: kept for the process's life, since most documents need the same. */
const encoded = new Map<string, EncodedGlyph>();
const MAX_ENCODED = 10_000;

/** A font that grows with what is drawn, and is embedded when all is. */
export class FontBuilder {
  readonly ref: PDFRef;
  readonly weight: Weight;
  /** Character → glyph, for appearances that are drawn later (LayoutFont). */
  readonly glyphs: Record<string, readonly [string, number]> = {};
  readonly #context: PDFContext;
  readonly #ids = new Map<string, number>();
  readonly #outlines: EncodedGlyph[] = [];
  readonly #unicode = new Map<number, string>();

  /**
   * @param texts whose characters appearances will need beyond the usual ones; those of scripts whose letters change
   *   with their neighbours are left to setLine
   */
  constructor(context: PDFContext, weight: Weight, texts: readonly string[]) {
    this.#context = context;
    this.ref = context.nextRef();
    this.weight = weight;
    this.include({ face: missing(weight), id: 0, text: '' });
    for (const text of [ALWAYS.join(''), ...texts]) {
      const faces = facesOf(text, weight);
      [...text].forEach((character, index) => {
        if (isPlain(character) && !(character in this.glyphs)) this.#map(character, faces[index]!);
      });
    }
  }

  #map(character: string, face: Face): void {
    const code = character.codePointAt(0)!;
    const glyph = face.font.hasGlyphForCodePoint(code) ? face.font.glyphForCodePoint(code) : null;
    const id = this.include({ face, id: glyph?.id ?? 0, text: glyph === null ? '' : character });
    this.glyphs[character] = [hex(id), this.#width(id)];
  }

  /** The glyph's id in this font. */
  include(glyph: Pick<SetGlyph, 'face' | 'id' | 'text'>): number {
    const key = `${glyph.face.key}#${glyph.id}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#outlines.push(encode(key, glyph)) - 1;
    this.#ids.set(key, id);
    if (id > 0 && glyph.text !== '') this.#unicode.set(id, glyph.text);
    return id;
  }

  set(text: string): SetLine {
    return setLine(text, this.weight);
  }

  /** A line as operators that show text (§9.4.3), in a text object whose font is this one in that size. */
  show(line: SetLine, size: number): string {
    const parts: string[] = [];
    let row = '';
    let cursor = 0;
    let rise = 0;
    const flush = () => {
      if (row !== '') parts.push(`[${row}] TJ`);
      row = '';
    };
    for (const glyph of line.glyphs) {
      const id = this.include(glyph);
      if (Math.abs(glyph.y - rise) > 0.5) {
        flush();
        rise = glyph.y;
        parts.push(`${round((rise * size) / 1000)} Ts`);
      }
      const gap = glyph.x - cursor;
      if (Math.abs(gap) > 0.6) {
        row += round(-gap);
        cursor = glyph.x;
      }
      row += `<${hex(id)}>`;
      cursor += this.#width(id);
    }
    flush();
    if (rise !== 0) parts.push('0 Ts');
    return parts.join(' ').replaceAll('><', '');
  }

  /** Writes the font into the document; nothing can be included after. */
  embed(): LayoutFont {
    const context = this.#context;
    const metrics = missing(this.weight);
    const { ascent, descent, capHeight, xHeight, postscriptName } = metrics.font;
    const unit = metrics.scale;
    const data = writeTrueType(this.#outlines, {
      ascent: (ascent * unit * UNITS_PER_EM) / 1000,
      descent: (descent * unit * UNITS_PER_EM) / 1000,
    });
    const name = `SIGNPO+${postscriptName}`;
    const compressed = (source: Uint8Array | string, entries = {}) =>
      context.register(context.stream(deflateSync(source), { Filter: 'FlateDecode', ...entries }));
    const descriptor = context.register(
      context.obj({
        Type: 'FontDescriptor',
        FontName: name,
        FontBBox: this.#bounds(),
        // Symbolic: glyphs are addressed by id, not through a standard encoding.
        Flags: 4,
        ItalicAngle: 0,
        Ascent: Math.round(ascent * unit),
        Descent: Math.round(descent * unit),
        CapHeight: Math.round(capHeight * unit),
        XHeight: Math.round(xHeight * unit),
        StemV: 80,
        FontFile2: compressed(data, { Length1: data.length }),
      }),
    );
    const descendant = context.register(
      context.obj({
        Type: 'Font',
        Subtype: 'CIDFontType2',
        BaseFont: name,
        CIDSystemInfo: { Registry: PDFString.of('Adobe'), Ordering: PDFString.of('Identity'), Supplement: 0 },
        CIDToGIDMap: 'Identity',
        FontDescriptor: descriptor,
        DW: 1000,
        W: [0, this.#outlines.map((_, id) => this.#width(id))],
      }),
    );
    const font = context.obj({
      Type: 'Font',
      Subtype: 'Type0',
      BaseFont: name,
      Encoding: 'Identity-H',
      DescendantFonts: [descendant],
      ToUnicode: compressed(toUnicode(this.#unicode)),
    });
    context.assign(this.ref, font);
    return { object: this.ref.objectNumber, glyphs: this.glyphs };
  }

  /** Rounded, as the font's W array tells it. */
  #width(id: number): number {
    return Math.round((this.#outlines[id]!.advance * 1000) / UNITS_PER_EM);
  }

  #bounds(): number[] {
    const drawn = this.#outlines.filter(({ points }) => points > 0).map(({ bounds }) => bounds);
    return [0, 1, 2, 3].map(side => {
      const values = drawn.map(bounds => (bounds[side]! * 1000) / UNITS_PER_EM);
      return side < 2 ? Math.floor(Math.min(...values)) : Math.ceil(Math.max(...values));
    });
  }
}

/** A font of the usual characters and those of `texts`, for a document that draws nothing yet. */
export function embedFont(context: PDFContext, weight: Weight, texts: readonly string[]) {
  const builder = new FontBuilder(context, weight, texts);
  return { ref: builder.ref, ...builder.embed() };
}

function encode(key: string, { face, id }: Pick<SetGlyph, 'face' | 'id'>): EncodedGlyph {
  const known = encoded.get(key);
  if (known) return known;
  const glyph = face.font.getGlyph(id);
  const advance = glyph?.advanceWidth ?? 0;
  const result = encodeGlyph(outlineOf({ face, id }), UNITS_PER_EM / face.font.unitsPerEm, advance);
  if (encoded.size >= MAX_ENCODED) encoded.clear();
  encoded.set(key, result);
  return result;
}

/** A ToUnicode CMap (ISO 32000-2 §9.10.3), at most 100 characters a block. */
function toUnicode(characters: ReadonlyMap<number, string>): string {
  const lines = [...characters].map(([id, text]) => `<${hex(id)}> <${utf16(text)}>`);
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

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function utf16(character: string): string {
  return Array.from({ length: character.length }, (_, index) => hex(character.charCodeAt(index))).join('');
}

function range(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => String.fromCodePoint(first + index));
}
