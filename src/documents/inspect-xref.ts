/** Cross-reference streams (ISO 32000-2 §7.5.8) that declare more than a document can hold: the parser would list it all. */
import { DocumentRefused } from './documents.ts';

/** Bytes before and after the type in which the rest of such a dictionary is looked for. */
const AROUND = 2048;

/**
 * Looks at the source, before anything is parsed. What hides from it still meets the limits of the child.
 * @param maxObjects the most that a table may declare
 * @throws DocumentRefused 'too-complex'
 */
export function checkDeclaredObjects(pdf: Uint8Array, maxObjects: number): void {
  const bytes = Buffer.from(pdf.buffer, pdf.byteOffset, pdf.length);
  for (let at = bytes.indexOf('/XRef'); at >= 0; at = bytes.indexOf('/XRef', at + 1)) {
    const source = bytes.toString('latin1', Math.max(0, at - AROUND), at + AROUND);
    // Its own dictionary: from the object that it stands in to its data.
    const start = source.lastIndexOf('obj', Math.min(at, AROUND));
    const end = source.indexOf('stream', Math.min(at, AROUND));
    const dict = source.slice(Math.max(0, start), end < 0 ? undefined : end);
    const size = Number(/\/Size\s+(\d+)/.exec(dict)?.[1] ?? 0);
    const index = /\/Index\s*\[([\d\s]*)\]/.exec(dict)?.[1]?.trim().split(/\s+/).map(Number) ?? [];
    const declared = index.filter((_, place) => place % 2 === 1).reduce((sum, count) => sum + count, 0);
    if (Math.max(size, declared) > maxObjects)
      throw new DocumentRefused('too-complex', 'the document declares too many parts');
  }
}
