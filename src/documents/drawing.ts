/** A page's content stream of text, lines and boxes in greys (ISO 32000-2 §8, §9). */
import { type EmbeddedFont, encode, widthOf } from './fonts.ts';

export interface TextPlace {
  readonly x: number;
  /** Baseline. */
  readonly y: number;
  /** Longer text is cut, with an ellipsis. */
  readonly width: number;
  /** `right`: x is where the text ends. */
  readonly align?: 'left' | 'right';
}

type FontName = 'R' | 'B';

/** Composed (NFC), without controls and bidirectional marks: what is drawn is what is meant. */
export function printable(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
}

export class Drawing {
  readonly #fonts: Readonly<Record<FontName, EmbeddedFont>>;
  readonly #operators: string[] = [];

  constructor(fonts: { readonly regular: EmbeddedFont; readonly bold: EmbeddedFont }) {
    this.#fonts = { R: fonts.regular, B: fonts.bold };
  }

  /** One line of text. `grey`: 0 black to 1 white. */
  text(font: FontName, size: number, grey: number, place: TextPlace, text: string): void {
    const fitting = this.#fit(font, size, place.width, text);
    const x = place.align === 'right' ? place.x - widthOf(this.#fonts[font], fitting, size) : place.x;
    const glyphs = encode(this.#fonts[font], fitting);
    this.#operators.push(`BT ${grey} g /${font} ${size} Tf ${n(x)} ${n(place.y)} Td ${glyphs} Tj ET`);
  }

  /** Up to `lines` lines, broken between words, growing downwards. Returns the height used. */
  wrapped(font: FontName, size: number, grey: number, place: TextPlace, text: string, lines: number): number {
    const leading = size * 1.25;
    const words = text.split(' ');
    let used = 0;
    while (words.length > 0) {
      let line = words.shift()!;
      const last = used === lines - 1;
      while (words.length > 0 && (last || this.#width(font, size, `${line} ${words[0]}`) <= place.width))
        line += ` ${words.shift()}`;
      this.text(font, size, grey, { ...place, y: place.y - used * leading }, line);
      used++;
    }
    return used * leading;
  }

  /** A hairline from (x, y) to (x2, y). */
  line(x: number, y: number, x2: number, grey: number): void {
    this.#operators.push(`q ${grey} G 0.6 w ${n(x)} ${n(y)} m ${n(x2)} ${n(y)} l S Q`);
  }

  /** A box with rounded corners. */
  box(x: number, y: number, width: number, height: number, grey: number): void {
    const radius = 5;
    const bend = radius * 0.4477;
    const [left, bottom, right, top] = [x, y, x + width, y + height];
    this.#operators.push(
      `q ${grey} G 0.98 g 0.6 w ${n(left + radius)} ${n(bottom)} m ${n(right - radius)} ${n(bottom)} l`,
      `${n(right - bend)} ${n(bottom)} ${n(right)} ${n(bottom + bend)} ${n(right)} ${n(bottom + radius)} c`,
      `${n(right)} ${n(top - radius)} l`,
      `${n(right)} ${n(top - bend)} ${n(right - bend)} ${n(top)} ${n(right - radius)} ${n(top)} c`,
      `${n(left + radius)} ${n(top)} l`,
      `${n(left + bend)} ${n(top)} ${n(left)} ${n(top - bend)} ${n(left)} ${n(top - radius)} c`,
      `${n(left)} ${n(bottom + radius)} l`,
      `${n(left)} ${n(bottom + bend)} ${n(left + bend)} ${n(bottom)} ${n(left + radius)} ${n(bottom)} c B Q`,
    );
  }

  source(): string {
    return `${this.#operators.join('\n')}\n`;
  }

  #fit(font: FontName, size: number, width: number, text: string): string {
    if (this.#width(font, size, text) <= width) return text;
    const characters = [...text];
    while (characters.length > 0 && this.#width(font, size, `${characters.join('')}…`) > width) characters.pop();
    return `${characters.join('').trimEnd()}…`;
  }

  #width(font: FontName, size: number, text: string): number {
    return widthOf(this.#fonts[font], text, size);
  }
}

/** A number as PDF writes it: no exponent, two decimals suffice. */
function n(value: number): string {
  return String(Math.round(value * 100) / 100);
}
