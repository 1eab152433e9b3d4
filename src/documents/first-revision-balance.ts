/** Graphics states that a page's content leaves open, or closes without having opened them (ISO 32000-2 §8.4.2). */
import { decodePDFRawStream, PDFRawStream, type PDFStream } from '@cantoo/pdf-lib';

/** Saves (q) to put before the content, and restores (Q) after it, so that what is drawn next starts as on an empty page. */
export interface Balance {
  readonly before: number;
  readonly after: number;
}

/** One string with nested parentheses at most once, a hexadecimal string, a comment, an inline picture, or a lone operator. */
const TOKEN =
  /\((?:[^()\\]|\\[\s\S]|\((?:[^()\\]|\\[\s\S])*\))*\)|<[0-9A-Fa-f\s]*>|%[^\r\n]*|\bBI\b[\s\S]*?\sEI\b|[^\s()<>[\]{}/%]+|\/[^\s()<>[\]{}/%]*/g;

/**
 * Reads the streams of a page as one.
 * @param limit bytes of each that are looked at
 */
export function balanceOf(streams: readonly PDFStream[], limit: number): Balance {
  let depth = 0;
  let lowest = 0;
  for (const stream of streams) {
    for (const [token] of contentOf(stream, limit).matchAll(TOKEN)) {
      if (token === 'q') depth++;
      else if (token === 'Q') lowest = Math.min(lowest, --depth);
    }
  }
  return { before: 1 - lowest, after: 1 - lowest + depth };
}

function contentOf(stream: PDFStream, limit: number): string {
  try {
    const bytes = stream instanceof PDFRawStream ? decodePDFRawStream(stream).getBytes(limit) : stream.getContents();
    return Buffer.from(bytes).toString('latin1');
  } catch {
    return '';
  }
}
