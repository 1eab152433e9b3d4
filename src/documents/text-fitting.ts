/** Makes a text fit its place: smaller, then on two lines, then cut with an ellipsis. */

/** Width of a text in 1/1000 em. */
export type Measure = (text: string) => number;

export interface Fitted {
  readonly size: number;
  readonly lines: readonly string[];
}

/** Composed (NFC), without controls and bidirectional marks: what is drawn is what is meant. Joiners are letters' own. */
export function printable(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
}

/** The text, cut with an ellipsis where it is wider than `limit` points at `size`. */
export function shorten(measure: Measure, text: string, size: number, limit: number): string {
  const fits = (candidate: string) => (measure(candidate) / 1000) * size <= limit;
  if (fits(text)) return text;
  const characters = [...text];
  let [kept, tooMany] = [0, characters.length];
  const cut = (count: number) => `${characters.slice(0, count).join('').trimEnd()}…`;
  while (tooMany - kept > 1) {
    const middle = (kept + tooMany) >> 1;
    if (fits(cut(middle))) kept = middle;
    else tooMany = middle;
  }
  return cut(kept);
}

/**
 * @param largest and `smallest` size in points: one line of a size between them; else up to `most` lines of the smallest
 * @param limit width in points
 */
export function fitText(
  measure: Measure,
  text: string,
  { largest, smallest, limit, most = 2 }: { largest: number; smallest: number; limit: number; most?: number },
): Fitted {
  const natural = measure(text) / 1000;
  if (natural * smallest <= limit) return { size: Math.min(largest, limit / Math.max(natural, 0.001)), lines: [text] };
  const lines: string[] = [];
  let rest = text;
  while (lines.length < most - 1 && (measure(rest) / 1000) * smallest > limit) {
    const head = firstLine(measure, rest, smallest, limit);
    lines.push(head.trimEnd());
    rest = rest.slice(head.length).trimStart();
  }
  if (rest !== '') lines.push(shorten(measure, rest, smallest, limit));
  return { size: smallest, lines };
}

/** As much as fits, broken after a word or hyphen; within it where the word alone is too long. */
function firstLine(measure: Measure, text: string, size: number, limit: number): string {
  const fits = (candidate: string) => (measure(candidate.trimEnd()) / 1000) * size <= limit;
  const longest = (pieces: readonly string[]) => {
    let line = '';
    for (const piece of pieces) {
      if (!fits(line + piece)) break;
      line += piece;
    }
    return line;
  };
  return longest(text.split(/(?<=[\s\-‐–/])/u)) || longest([...text]) || [...text][0] || '';
}
