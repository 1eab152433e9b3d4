/** The page tree of a file that may lie about it: counted by walking, with what pages inherit (ISO 32000-2 §7.7.3). */
import { PDFArray, PDFDict, PDFName, type PDFObject, PDFRef } from '@cantoo/pdf-lib';
import { DocumentRefused } from './documents.ts';
import { dictEntry, entry, nameEntry, resolve } from './objects.ts';

const INHERITED = ['Resources', 'MediaBox', 'CropBox', 'Rotate'] as const;

export interface FoundPage {
  readonly dict: PDFDict;
  /** Where it stands as an indirect object; null for a page written directly into Kids. */
  readonly ref: PDFRef | null;
  /** What it inherits and doesn't override. */
  readonly inherited: ReadonlyMap<string, PDFObject>;
}

/**
 * The pages in reading order. A page that stands in the tree twice is listed twice.
 * @throws DocumentRefused 'too-many-pages'; 'damaged' when there is none or the tree isn't a tree
 */
export function findPages(catalog: PDFDict, maxPages: number): FoundPage[] {
  const { context } = catalog;
  const root = dictEntry(catalog, 'Pages');
  if (!root) throw new DocumentRefused('damaged', 'the file has no page tree');
  const pages: FoundPage[] = [];
  const nodes = new Set<PDFDict>();
  const waiting: { object: PDFObject | undefined; inherited: ReadonlyMap<string, PDFObject> }[] = [
    { object: catalog.get(PDFName.of('Pages')), inherited: new Map() },
  ];
  while (waiting.length > 0) {
    const { object, inherited } = waiting.pop()!;
    const dict = resolve(context, object);
    if (!(dict instanceof PDFDict)) continue;
    const kids = entry(dict, 'Kids');
    if (!(kids instanceof PDFArray)) {
      if (nameEntry(dict, 'Type') === 'Pages') continue;
      pages.push({ dict, ref: object instanceof PDFRef ? object : null, inherited: missing(dict, inherited) });
      if (pages.length > maxPages)
        throw new DocumentRefused('too-many-pages', `the document has more than ${maxPages} pages`);
      continue;
    }
    if (nodes.has(dict)) throw new DocumentRefused('damaged', 'the page tree runs in a circle');
    nodes.add(dict);
    const passedOn = new Map(inherited);
    for (const key of INHERITED) {
      const value = dict.get(PDFName.of(key));
      if (value !== undefined) passedOn.set(key, value);
    }
    for (let index = kids.size() - 1; index >= 0; index--)
      waiting.push({ object: kids.get(index), inherited: passedOn });
  }
  if (pages.length === 0) throw new DocumentRefused('damaged', 'the document has no page');
  return pages;
}

function missing(page: PDFDict, inherited: ReadonlyMap<string, PDFObject>): Map<string, PDFObject> {
  return new Map([...inherited].filter(([key]) => entry(page, key) === undefined));
}
