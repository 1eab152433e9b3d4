/** Text from outside made fit for people's eyes: no controls, nothing that reorders what stands around it. */

/** C0, DEL and C1 without tab, line feed and carriage return. */
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;
/** Bidi embeddings, overrides and isolates, line and paragraph separators, interlinear marks, byte order mark. */
const MARKS = /[\u202a-\u202e\u2066-\u2069\u2028\u2029\ufff9-\ufffb\ufeff]/g;
const FIRST_STRONG_ISOLATE = '\u2068';
const POP_ISOLATE = '\u2069';

/**
 * A name, subject or file name on one line.
 *
 * @param limit at most so many characters as people count them; what is longer ends in "…"
 */
export function cleanLine(text: string, limit = 200): string {
  const line = text
    .toWellFormed()
    .replace(/[\u2028\u2029]/g, ' ')
    .replace(MARKS, '')
    .replace(CONTROLS, '')
    .replace(/\s+/g, ' ')
    .trim();
  return shorten(line, limit);
}

/** Text of several lines: line feeds only, at most one empty line in a row, shortened like `cleanLine`. */
export function cleanText(text: string, limit: number): string {
  const lines = text
    .toWellFormed()
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(MARKS, '')
    .replace(CONTROLS, '')
    .replace(/\t/g, ' ')
    .replace(/[^\S\n]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
  return shorten(lines, limit);
}

/** Cuts after at most `limit` grapheme clusters, so never inside a letter or an emoji. */
function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text;
  // A cluster has no upper length (Zalgo text): the slice bounds the work and the result.
  const clusters = [...new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text.slice(0, limit * 8))];
  if (clusters.length <= limit && text.length <= limit * 8) return text;
  return `${clusters
    .slice(0, limit - 1)
    .map(cluster => cluster.segment)
    .join('')
    .trimEnd()}…`;
}

/** Bytes in one encoded word: with its frame it stays under 75 characters (RFC 2047 §2). */
const WORD_BYTES = 42;

/**
 * A header text for nodemailer, which lets US-ASCII through as it is: text that itself looks like an encoded word would be
 * read as what it hides. Such text is encoded once more, whole.
 */
export function literalWords(text: string): string {
  if (!text.includes('=?')) return text;
  const words: string[] = [''];
  for (const letter of text) {
    if (Buffer.byteLength(words.at(-1) + letter) > WORD_BYTES) words.push('');
    words[words.length - 1] += letter;
  }
  return words.map(word => `=?utf-8?B?${Buffer.from(word).toString('base64')}?=`).join(' ');
}

/**
 * Keeps a right-to-left name from reordering the sentence around it (Unicode UAX #9 §2.4.2): wrapped in isolates of
 * ours where it has such letters, else unchanged. For cleaned text, which has none of its own.
 */
export function isolate(text: string): string {
  return /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}\u200f\u061c]/u.test(
    text,
  )
    ? `${FIRST_STRONG_ISOLATE}${text}${POP_ISOLATE}`
    : text;
}
