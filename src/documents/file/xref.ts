/**
 * One cross-reference section of a file (ISO 32000-2 §7.5.4, §7.5.8): a table, a stream, or the two of a hybrid file. Entries
 * are read when they are asked for. Runs in browsers.
 */
import type { Budget } from './filters.ts';
import { EncryptedFile, Parser, PdfSyntaxError } from './parser.ts';
import { sameEntry, type XrefEntry, type XrefSection } from './xref-section.ts';
import { readXrefStream } from './xref-stream.ts';
import { readXrefTable } from './xref-table.ts';

/** @throws PdfSyntaxError */
export function readXref(bytes: Uint8Array, offset: number, budget: Budget): XrefSection {
  const section = new Parser(bytes, offset).startsWith('xref')
    ? readXrefTable(bytes, offset)
    : readXrefStream(bytes, offset, budget);
  if (section.trailer.has('Encrypt')) throw new EncryptedFile('an encrypted file');
  const stream = section.kind === 'table' ? section.trailer.get('XRefStm') : undefined;
  if (stream === undefined) return section;
  if (typeof stream !== 'number') throw new PdfSyntaxError('a broken trailer');
  return hybrid(section, readXrefStream(bytes, stream, budget));
}

/** Objects in use by the table, then the stream's, then those that the table declares free: they may be hidden ones. */
function hybrid(table: XrefSection, stream: XrefSection): XrefSection {
  function find(number: number): XrefEntry | null {
    const visible = table.find(number);
    const hidden = stream.find(number);
    if (visible === null || visible.kind === 'free') return hidden ?? visible;
    if (hidden !== null && hidden.kind !== 'free' && !sameEntry(visible, hidden)) {
      throw new PdfSyntaxError(`object ${number} stands in two places`);
    }
    return visible;
  }
  return {
    ...table,
    hybrid: stream,
    find,
    *entries() {
      for (const [number] of table.entries()) yield [number, find(number) as XrefEntry];
      for (const [number, entry] of stream.entries()) if (table.find(number) === null) yield [number, entry];
    },
  };
}
