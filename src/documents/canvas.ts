/** A content stream of text, lines and boxes in greys (ISO 32000-2 §8, §9). */
import type { FontBuilder } from './fonts.ts';
import { fitText, shorten } from './text-fitting.ts';

export interface TextPlace {
  readonly x: number;
  /** Baseline. */
  readonly y: number;
  /** Longer text is cut, with an ellipsis. */
  readonly width: number;
  /** Where in the width it stands; for `right`, x is where the text ends, for `center` its middle. */
  readonly align?: 'left' | 'center' | 'right';
}

type FontName = 'R' | 'B';

export class Canvas {
  readonly #fonts: Readonly<Record<FontName, FontBuilder>>;
  readonly #operators: string[] = [];

  /** The fonts stand in the resources as R and B. */
  constructor(fonts: { readonly regular: FontBuilder; readonly bold: FontBuilder }) {
    this.#fonts = { R: fonts.regular, B: fonts.bold };
  }

  /** One line of text. `grey`: 0 black to 1 white. */
  text(font: FontName, size: number, grey: number, place: TextPlace, text: string): void {
    const builder = this.#fonts[font];
    const line = builder.set(shorten(this.#measure(font), text, size, place.width));
    const before = { left: 0, center: 0.5, right: 1 }[place.align ?? 'left'];
    const x = place.x - (before * line.width * size) / 1000;
    this.#operators.push(`BT ${grey} g /${font} ${n(size)} Tf ${n(x)} ${n(place.y)} Td ${builder.show(line, size)} ET`);
  }

  /** Up to two lines growing downwards, smaller before they are two. Returns the height used. */
  fitted(
    font: FontName,
    sizes: readonly [largest: number, smallest: number],
    grey: number,
    place: TextPlace,
    text: string,
  ) {
    const [largest, smallest] = sizes;
    const { size, lines } = fitText(this.#measure(font), text, { largest, smallest, limit: place.width });
    const leading = size * 1.25;
    for (const [index, line] of lines.entries()) {
      this.text(font, size, grey, { ...place, y: place.y - index * leading }, line);
    }
    return lines.length * leading;
  }

  /** A hairline from (x, y) to (x2, y). */
  line(x: number, y: number, x2: number, grey: number, width = 0.6): void {
    this.#operators.push(`q ${grey} G ${n(width)} w ${n(x)} ${n(y)} m ${n(x2)} ${n(y)} l S Q`);
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

  #measure(font: FontName): (text: string) => number {
    return text => this.#fonts[font].set(text).width;
  }
}

/** A number as PDF writes it: no exponent, two decimals suffice. */
function n(value: number): string {
  return String(Math.round(value * 100) / 100);
}
