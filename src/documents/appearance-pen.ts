/**
 * Writes on an appearance: text in the fonts that the file has where they can show it, as outlines where they can't, so
 * that a device's or a place's name comes out right in any script. Only operators that the device's check knows.
 */
import { octets } from './file/values.ts';
import { drawOutlines, numbers } from './ink.ts';
import type { DocumentLayout, LayoutFont } from './layout.ts';
import { fitText, printable, shorten } from './text-fitting.ts';
import { isPlain, setLine } from './typesetting.ts';

type Fonts = Pick<DocumentLayout, 'regular' | 'bold'>;
/** In the appearance's resources: F1 is the regular font, F2 the bold one. */
type Resource = 'F1' | 'F2';

type Sizes = readonly [largest: number, smallest: number];

export class Pen {
  readonly lines: string[] = ['q'];
  readonly #fonts: Fonts;

  constructor(fonts: Fonts) {
    this.#fonts = fonts;
  }

  content(): Uint8Array<ArrayBuffer> {
    return octets([...this.lines, 'Q'].join('\n'));
  }

  paint(grey: number, x: number, y: number, width: number, height: number): void {
    this.lines.push(`${numbers(grey)} g`, `${numbers(x, y, width, height)} re`, 'f');
  }

  /** Glyph ids of the font in the file where it has them all, else outlines. */
  write(resource: Resource, size: number, grey: number, x: number, y: number, text: string): void {
    const line = printable(text);
    if (line === '') return;
    const row = glyphRow(this.#font(resource), line);
    if (row === null) {
      const outlines = drawOutlines(setLine(line, resource === 'F1' ? 'regular' : 'bold'), x, y, size);
      this.lines.push(`${numbers(grey)} g`, ...outlines);
      return;
    }
    const { lines } = this;
    lines.push('BT', `${numbers(grey)} g`, `/${resource} ${numbers(size)} Tf`, `${numbers(x, y)} Td`);
    lines.push(`<${row.hex}> Tj`, 'ET');
  }

  /** Bold, in one line or two. Returns the height used, to the last baseline. */
  title(text: string, grey: number, sizes: Sizes, x: number, top: number, limit: number): number {
    const { size, lines, first, leading } = this.#fitTitle(text, sizes, limit);
    for (const [index, line] of lines.entries()) this.write('F2', size, grey, x, top - first - index * leading, line);
    return first + (lines.length - 1) * leading;
  }

  /** What title would use. */
  titleHeight(text: string, sizes: Sizes, limit: number): number {
    const { lines, first, leading } = this.#fitTitle(text, sizes, limit);
    return first + (lines.length - 1) * leading;
  }

  #fitTitle(text: string, [largest, smallest]: Sizes, limit: number) {
    const { size, lines } = fitText(this.#measure('F2'), printable(text), { largest, smallest, limit });
    // One line stands where a large one would, so that what follows doesn't move.
    return { size, lines, first: lines.length === 1 ? largest : smallest, leading: size * 1.15 };
  }

  shorten(resource: Resource, text: string, size: number, limit: number): string {
    return shorten(this.#measure(resource), printable(text), size, limit);
  }

  width(resource: Resource, text: string, size: number): number {
    return (this.#measure(resource)(printable(text)) * size) / 1000;
  }

  #measure(resource: Resource): (text: string) => number {
    const font = this.#font(resource);
    return text => glyphRow(font, text)?.width ?? setLine(text, resource === 'F1' ? 'regular' : 'bold').width;
  }

  #font(resource: Resource): LayoutFont {
    return resource === 'F1' ? this.#fonts.regular : this.#fonts.bold;
  }
}

/** Glyphs and width (in 1/1000 em) of a text; null where the font in the file can't show it as it should be. */
export function glyphRow(font: LayoutFont, text: string): { readonly hex: string; readonly width: number } | null {
  if (!isPlain(text)) return null;
  let hex = '';
  let width = 0;
  for (const character of text) {
    const glyph = Object.hasOwn(font.glyphs, character) ? font.glyphs[character] : undefined;
    if (glyph === undefined) return null;
    hex += glyph[0].toUpperCase();
    width += glyph[1];
  }
  return { hex, width };
}
