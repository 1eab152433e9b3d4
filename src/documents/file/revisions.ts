/**
 * The revisions of a file (ISO 32000-2 §7.5.6): where each ends, and what it says of which object. Each is a prefix of
 * the file and a file itself. Runs in browsers.
 */
import { openFile, type PdfFile, type ReadLimits } from './file.ts';
import { Parser, PdfSyntaxError } from './parser.ts';
import { sameEntry, type XrefEntry, type XrefSection } from './xref-section.ts';

export interface Revision {
  /** 0 is the oldest. */
  readonly index: number;
  /** Where the revision before it ends. */
  readonly start: number;
  /** After the `%%EOF` and its end of line: the length of the file as of this revision. */
  readonly end: number;
  /** Newest first: one, or the two of a linearized file (§ Annex F). */
  readonly sections: readonly XrefSection[];
  /** What this revision says of objects, each once: where it defines them, or that it frees them. @throws PdfSyntaxError */
  entries(): Iterable<readonly [number: number, entry: XrefEntry]>;
}

/** Octets from `start` up to `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Oldest first. @throws PdfSyntaxError where the chain of sections and the ends of revisions don't fit each other: a
 * section that is not followed by its own `startxref`, sections that don't stand in the order of the chain
 */
export function readRevisions(file: PdfFile): Revision[] {
  const groups: XrefSection[][] = [];
  for (const section of file.sections()) {
    const group = groups.at(-1);
    const newer = group?.at(-1);
    // Only a linearized file's first section stands before the one that it refers to.
    if (group !== undefined && newer !== undefined && section.offset > newer.offset) group.push(section);
    else groups.push([section]);
  }
  if (groups.slice(0, -1).some(group => group.length > 1) || (groups.at(-1)?.length ?? 0) > 2) {
    throw new PdfSyntaxError('the cross-reference sections do not stand in their order');
  }
  const revisions: Revision[] = [];
  let start = 0;
  for (const sections of groups.reverse()) {
    const last = sections.at(-1) as XrefSection;
    const end = endOf(file.bytes, last, (sections[0] as XrefSection).offset);
    if (last.offset < start) throw new PdfSyntaxError('a cross-reference section stands in an older revision');
    revisions.push({ index: revisions.length, start, end, sections, entries: () => entriesOf(sections) });
    start = end;
  }
  const tail = file.bytes.subarray(start);
  if (tail.some(octet => octet !== 0 && octet !== 0x20 && (octet < 0x09 || octet > 0x0d))) {
    throw new PdfSyntaxError('something follows the newest revision');
  }
  return revisions;
}

/** The file as of a revision. @throws PdfSyntaxError */
export function asOf(file: PdfFile, revision: Revision, limits?: ReadLimits): PdfFile {
  return openFile(file.bytes.subarray(0, revision.end), limits);
}

/** Where `%%EOF` after a section ends; its `startxref` must name the newest section of the revision. */
function endOf(bytes: Uint8Array, section: XrefSection, newest: number): number {
  const parser = new Parser(bytes, section.end);
  parser.skip();
  parser.word('startxref');
  parser.skipWhitespace();
  if (parser.integer() !== newest) throw parser.error('a startxref names another section');
  parser.skipWhitespace();
  if (!parser.startsWith('%%EOF')) throw parser.error('%%EOF is missing');
  parser.position += '%%EOF'.length;
  parser.endOfLine();
  return parser.position;
}

function* entriesOf(sections: readonly XrefSection[]): Iterable<readonly [number, XrefEntry]> {
  for (const [i, section] of sections.entries()) {
    for (const [number, entry] of section.entries()) {
      const newer = sections.slice(0, i).some(other => other.find(number) !== null);
      if (!newer) yield [number, entry];
    }
  }
}

/**
 * Parts of a revision that belong to no object that it defines and to no cross-reference section, whitespace aside:
 * nothing that readers look at, unless they repair the file. Reads every object of the revision.
 * @throws PdfSyntaxError when an object is broken, or two of them overlap
 */
export function unusedSpans(file: PdfFile, revision: Revision): Span[] {
  const then = asOf(file, revision);
  const used: Span[] = [];
  for (const [number, entry] of revision.entries()) {
    if (entry.kind !== 'plain') continue;
    const now = then.entry(number);
    if (now === null || !sameEntry(now, entry)) continue;
    const { start, end } = then.object(number);
    // An entry may also point at what an older revision holds.
    if (start >= revision.start) used.push({ start, end });
  }
  for (const section of revision.sections) {
    for (const part of [section, section.hybrid]) if (part !== null) used.push(sectionSpan(file.bytes, part));
  }
  // A cross-reference stream is an object, too; the longer span has its startxref.
  used.sort((a, b) => a.start - b.start || b.end - a.end);
  const unused: Span[] = [];
  let at = revision.start === 0 ? headerEnd(file.bytes) : revision.start;
  for (const [i, { start, end }] of used.entries()) {
    if (used[i - 1]?.start === start) continue;
    if (start < at) throw new PdfSyntaxError(`two objects overlap at ${start}`);
    if (start > at) unused.push(...visible(file.bytes, at, start));
    at = end;
  }
  unused.push(...visible(file.bytes, at, revision.end));
  return unused;
}

/** The header and the comment of binary octets after it (§7.5.2). */
function headerEnd(bytes: Uint8Array): number {
  const parser = new Parser(bytes, 0);
  parser.skip();
  return parser.position;
}

/** A section with the `startxref` and `%%EOF` that follow it, where they do. */
function sectionSpan(bytes: Uint8Array, { offset, end }: XrefSection): Span {
  const parser = new Parser(bytes, end);
  parser.skipWhitespace();
  if (!parser.startsWith('startxref')) return { start: offset, end };
  parser.word('startxref');
  parser.skipWhitespace();
  parser.integer();
  parser.skipWhitespace();
  if (!parser.startsWith('%%EOF')) return { start: offset, end };
  parser.position += '%%EOF'.length;
  parser.endOfLine();
  return { start: offset, end: parser.position };
}

/** The span without whitespace around; none where nothing else is in it. */
function visible(bytes: Uint8Array, start: number, end: number): Span[] {
  const white = (at: number) => [0x00, 0x09, 0x0a, 0x0c, 0x0d, 0x20].includes(bytes[at] as number);
  let [first, last] = [start, end];
  while (first < last && white(first)) first++;
  while (last > first && white(last - 1)) last--;
  return first < last ? [{ start: first, end: last }] : [];
}
