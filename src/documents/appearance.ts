/**
 * What a signature looks like on the page: a calm panel of lines and glyphs, drawn with the fonts that the first
 * revision embeds. Only operators that the device's check knows (src/client/increments.ts).
 */
import { octets } from './file/values.ts';
import type { DocumentLayout, LayoutFont } from './layout.ts';

export interface Panel {
  /** Small, above the title. */
  readonly caption: string;
  /** Big: who signs. */
  readonly title: string;
  /** Label and value, aligned under the title. */
  readonly rows: readonly (readonly [label: string, value: string])[];
}

/** Greys only, as on the signature page, so that it fits a document of any colour space (PDF/A asks for that). */
const BAR = 0.3;
const INK = 0.1;
const QUIET = 0.42;
const RULE = 0.78;

/** The panel is designed at this height, in points, and scaled to its field. */
const DESIGN_HEIGHT = 80;

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
export function shorten(font: LayoutFont, text: string, size: number, limit: number): string {
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
  const left = 18 * scale;
  const inner = width - left - 12 * scale;
  const lines: string[] = ['q'];
  const paint = (grey: number, x: number, y: number, w: number, h: number) =>
    lines.push(`${numbers(grey)} g`, `${numbers(x, y, w, h)} re`, 'f');
  const write = (resource: 'F1' | 'F2', points: number, grey: number, x: number, y: number, text: string) => {
    const { hex } = shape(resource === 'F1' ? regular : bold, text);
    if (hex === '') return;
    lines.push(
      'BT',
      `${numbers(grey)} g`,
      `/${resource} ${numbers(points)} Tf`,
      `${numbers(x, y)} Td`,
      `<${hex}> Tj`,
      'ET',
    );
  };

  // The page has drawn the box; a bar well inside it says that it is filled.
  paint(BAR, 9 * scale, 10 * scale, 2 * scale, height - 20 * scale);

  const small = 7 * scale;
  let y = height - 15 * scale;
  write('F1', small, QUIET, left, y, shorten(regular, panel.caption, small, inner));
  const natural = (shape(bold, panel.title).width / 1000) * 14 * scale;
  const big = Math.max(9 * scale, Math.min(14 * scale, (14 * scale * inner) / Math.max(natural, 1)));
  y -= 16.5 * scale;
  write('F2', big, INK, left, y, shorten(bold, panel.title, big, inner));
  y -= 7 * scale;
  paint(RULE, left, y, inner, 0.5 * scale);

  const labels = panel.rows.map(([label]) => (shape(regular, label).width / 1000) * small);
  const column = Math.max(0, ...labels) + 8 * scale;
  y -= 10.5 * scale;
  for (const [label, value] of panel.rows) {
    write('F1', small, QUIET, left, y, label);
    write('F1', small, INK, left + column, y, shorten(regular, value, small, inner - column));
    y -= 10 * scale;
  }
  lines.push('Q');
  return octets(lines.join('\n'));
}
