/**
 * What a signature looks like on the page: a calm panel of lines and glyphs, drawn with the fonts that the first
 * revision embeds. Only operators that the device's check knows (src/client/increments.ts).
 */
import { octets } from './increment-values.ts';
import type { DocumentLayout, LayoutFont } from './layout.ts';

export interface Panel {
  /** Small, above the title. */
  readonly caption: string;
  /** Big: who signs. */
  readonly title: string;
  /** Label and value, aligned under the title. */
  readonly rows: readonly (readonly [label: string, value: string])[];
}

type Colour = readonly [red: number, green: number, blue: number];
const GROUND: Colour = [0.965, 0.973, 0.984];
const ACCENT: Colour = [0.102, 0.361, 0.62];
const INK: Colour = [0.09, 0.11, 0.15];
const QUIET: Colour = [0.36, 0.4, 0.47];
const RULE: Colour = [0.8, 0.84, 0.89];

/** The panel is designed at this height, in points, and scaled to its field. */
const DESIGN_HEIGHT = 86;

const round = (value: number) => String(Math.round(value * 100) / 100);
const numbers = (...values: number[]) => values.map(round).join(' ');

/**
 * Glyphs and width (in 1/1000 em) of a text; what the font lacks is shown by its base letter, else by a question mark.
 */
export function shape(font: LayoutFont, text: string): { readonly hex: string; readonly width: number } {
  let hex = '';
  let width = 0;
  for (const character of text.normalize('NFC')) {
    const base = character.normalize('NFKD').charAt(0);
    const glyph = font.glyphs[character] ?? font.glyphs[base] ?? font.glyphs['?'];
    if (glyph === undefined) continue;
    hex += glyph[0].toUpperCase();
    width += glyph[1];
  }
  return { hex, width };
}

/** The text, cut with an ellipsis where it is wider than `limit` points at `size`. */
function shorten(font: LayoutFont, text: string, size: number, limit: number): string {
  const tooWide = (candidate: string) => (shape(font, candidate).width / 1000) * size > limit;
  if (!tooWide(text)) return text;
  let characters = [...text];
  while (characters.length > 1 && tooWide(`${characters.join('').trimEnd()}…`)) characters = characters.slice(0, -1);
  return `${characters.join('').trimEnd()}…`;
}

/**
 * @param size of the field, in points
 * @returns a content stream; F1 is the regular font, F2 the bold one
 */
export function drawPanel(
  panel: Panel,
  size: { readonly width: number; readonly height: number },
  { regular, bold }: Pick<DocumentLayout, 'regular' | 'bold'>,
): Uint8Array<ArrayBuffer> {
  const { width, height } = size;
  const scale = Math.min(height / DESIGN_HEIGHT, width / 180);
  const margin = 10 * scale;
  const left = margin + 3 * scale;
  const inner = width - left - margin;
  const lines: string[] = ['q'];
  const paint = (colour: Colour, x: number, y: number, w: number, h: number) =>
    lines.push(`${numbers(...colour)} rg`, `${numbers(x, y, w, h)} re`, 'f');
  const write = (resource: 'F1' | 'F2', points: number, colour: Colour, x: number, y: number, text: string) => {
    const { hex } = shape(resource === 'F1' ? regular : bold, text);
    if (hex === '') return;
    lines.push(
      'BT',
      `${numbers(...colour)} rg`,
      `/${resource} ${round(points)} Tf`,
      `${numbers(x, y)} Td`,
      `<${hex}> Tj`,
      'ET',
    );
  };

  paint(GROUND, 0, 0, width, height);
  paint(ACCENT, 0, 0, 3 * scale, height);

  let y = height - 15 * scale;
  write('F1', 6.5 * scale, QUIET, left, y, shorten(regular, panel.caption, 6.5 * scale, inner));
  const natural = (shape(bold, panel.title).width / 1000) * 15 * scale;
  const titleSize = Math.max(8 * scale, Math.min(15 * scale, (15 * scale * inner) / Math.max(natural, 1)));
  y -= 17 * scale;
  write('F2', titleSize, INK, left, y, shorten(bold, panel.title, titleSize, inner));
  y -= 8 * scale;
  paint(RULE, left, y, inner, 0.5 * scale);

  const rowSize = 6.5 * scale;
  const column =
    Math.max(0, ...panel.rows.map(([label]) => (shape(regular, label).width / 1000) * rowSize)) + 8 * scale;
  y -= 12 * scale;
  for (const [label, value] of panel.rows) {
    write('F1', rowSize, QUIET, left, y, label);
    write('F1', rowSize, INK, left + column, y, shorten(regular, value, rowSize, inner - column));
    y -= 9.5 * scale;
  }
  lines.push('Q');
  return octets(lines.join('\n'));
}
