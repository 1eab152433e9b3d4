/** Classic cross-reference tables (ISO 32000-2 §7.5.4): subsections of entries of exactly 20 octets. Runs in browsers. */
import { MAX_NUMBER, Parser, PdfSyntaxError, parseDict } from './parser.ts';
import { characters } from './values.ts';
import { type Subsection, sectionOf, type XrefEntry, type XrefSection } from './xref-section.ts';

const ENTRY = 20;
const MAX_SUBSECTIONS = 200_000;

interface TableRun extends Subsection {
  /** Offset of its first entry. */
  readonly entries: number;
}

/** @throws PdfSyntaxError */
export function readXrefTable(bytes: Uint8Array, offset: number): XrefSection {
  const parser = new Parser(bytes, offset);
  parser.word('xref');
  const runs: TableRun[] = [];
  for (parser.skipWhitespace(); !parser.startsWith('trailer'); parser.skipWhitespace()) {
    if (runs.length === MAX_SUBSECTIONS) throw parser.error('a cross-reference table has too many parts');
    const first = parser.integer();
    parser.skipWhitespace();
    const count = parser.integer();
    if (first + count > MAX_NUMBER) throw parser.error('a broken cross-reference table');
    parser.skipWhitespace();
    runs.push({ first, count, entries: parser.position });
    parser.position += ENTRY * count;
    if (parser.position >= bytes.length) throw parser.error('a cross-reference table ends early');
  }
  parser.word('trailer');
  const { value: trailer, end } = parseDict(bytes, parser.position);
  const entry = (run: TableRun, number: number) => readEntry(bytes, run.entries + ENTRY * (number - run.first));
  return sectionOf({ kind: 'table', offset, end, trailer }, runs, entry);
}

function readEntry(bytes: Uint8Array, position: number): XrefEntry {
  const match = characters(bytes.subarray(position, position + ENTRY)).match(/^(\d{10}) (\d{5}) ([fn])( [\r\n]|\r\n)$/);
  if (match === null) throw new PdfSyntaxError(`a broken entry of a cross-reference table at ${position}`);
  const generation = Number(match[2]);
  return match[3] === 'f' ? { kind: 'free', generation } : { kind: 'plain', offset: Number(match[1]), generation };
}
