/**
 * Reads a PDF from outside and refuses what must not be signed (THREATS.md "Documents and signatures"). Only what the
 * catalog leads to counts: the first revision keeps nothing else. Runs in the worker's child process only.
 */
import { ParseSpeeds, type PDFContext, PDFDict, PDFDocument, PDFInvalidObject, type PDFObject } from '@cantoo/pdf-lib';
import { DocumentRefused, type Inspection } from './documents.ts';
import { checkActive, checkAutomatic } from './inspect-active.ts';
import { attachmentName } from './inspect-attachments.ts';
import { checkLayers, checkMembership } from './inspect-layers.ts';
import { type FoundPage, findPages } from './inspect-pages.ts';
import { checkSize, type SizeLimits } from './inspect-size.ts';
import { checkDeclaredObjects } from './inspect-xref.ts';
import { asDict, dictEntry, elements, entry, nameEntry, reachable, resolve, textEntry } from './objects.ts';
import { peakMemory } from './worker-memory.ts';

export interface Limits extends SizeLimits {
  readonly maxPages: number;
  /** Dictionaries, arrays and streams. */
  readonly maxObjects: number;
  /** Bytes; over it, what could not be read was too big rather than damaged. */
  readonly memory: number;
}

/** A parsed document that passed inspection. */
export interface OpenDocument {
  readonly document: PDFDocument;
  readonly catalog: PDFDict;
  readonly pages: readonly FoundPage[];
  readonly inspection: Inspection;
}

/**
 * Parses and inspects.
 * @throws DocumentRefused with the reason
 */
export async function openDocument(pdf: Uint8Array, limits: Limits): Promise<OpenDocument> {
  // Like viewers, we take a header within the first 1024 bytes. What stands before it is not in what gets signed.
  const header = Buffer.from(pdf.buffer, pdf.byteOffset, Math.min(pdf.length, 1024)).indexOf('%PDF-');
  if (header < 0) throw new DocumentRefused('not-pdf', 'the file is not a PDF');
  checkDeclaredObjects(pdf, limits.maxObjects);
  const document = await parse(header === 0 ? pdf : pdf.subarray(header));
  const { context } = document;
  if (context.trailerInfo.Encrypt !== undefined)
    throw new DocumentRefused('encrypted', 'the document is protected by a password or encrypted');
  refuseUnreadObjectStreams(document, limits);
  const catalog = resolve(context, context.trailerInfo.Root);
  if (!(catalog instanceof PDFDict)) throw new DocumentRefused('damaged', 'the document has no catalog');
  return { document, catalog, ...checkDocument(context, catalog, limits) };
}

/**
 * The rules for whatever a document holds. Unless they are known, signatures are refused: the document would be
 * rewritten.
 * @throws DocumentRefused
 */
export function checkDocument(
  context: PDFContext,
  catalog: PDFDict,
  limits: Limits,
  { signed } = { signed: false },
): Pick<OpenDocument, 'pages' | 'inspection'> {
  const pages = findPages(catalog, limits.maxPages);
  checkForm(catalog);
  checkAutomatic(catalog);
  checkLayers(catalog);
  const names = dictEntry(catalog, 'Names');
  if (names && entry(names, 'JavaScript') !== undefined)
    throw new DocumentRefused('javascript', 'the document contains a script');
  const attachments = checkObjects(context, catalog, limits, signed);
  return { pages, inspection: { pages: pages.length, attachments, formFields: countFields(pages) } };
}

async function parse(pdf: Uint8Array): Promise<PDFDocument> {
  try {
    return await PDFDocument.load(pdf, {
      ignoreEncryption: true,
      updateMetadata: false,
      preserveXFA: true,
      parseSpeed: ParseSpeeds.Fastest,
    });
  } catch (error) {
    if (error instanceof RangeError) throw new DocumentRefused('too-complex', 'the document is too complex');
    throw new DocumentRefused('damaged', 'the document is damaged');
  }
}

/** The parser skips an object stream that it can't read; its objects would be missing without a word. */
function refuseUnreadObjectStreams({ context }: PDFDocument, limits: Limits): void {
  for (const [, object] of context.enumerateIndirectObjects()) {
    if (!(object instanceof PDFInvalidObject)) continue;
    const source = new Uint8Array(object.sizeInBytes());
    object.copyBytesInto(source, 0);
    if (!Buffer.from(source).includes('ObjStm')) continue;
    if (peakMemory() > limits.memory / 2) throw new DocumentRefused('too-complex', 'the document expands too much');
    throw new DocumentRefused('damaged', 'a part of the document cannot be read');
  }
}

function checkForm(catalog: PDFDict): void {
  const form = dictEntry(catalog, 'AcroForm');
  if (form && entry(form, 'XFA') !== undefined)
    throw new DocumentRefused('xfa', 'the document is a dynamic form (XFA)');
}

/** Looks at every object once. Returns the names of embedded files. */
function checkObjects(context: PDFContext, catalog: PDFDict, limits: Limits, signed: boolean): string[] {
  const attachments: string[] = [];
  // Usage rights (§12.8.2.3) are a signature of no person; the first revision drops them.
  const roots = catalog.entries().flatMap(([key, value]) => (key.decodeText() === 'Perms' ? [] : [value]));
  try {
    for (const object of reachable(context, [...roots, context.trailerInfo.Info], limits.maxObjects)) {
      if (object instanceof PDFInvalidObject)
        throw new DocumentRefused('damaged', 'a part of the document cannot be read');
      checkActive(object);
      checkSize(object, limits);
      const dict = asDict(object);
      if (!dict) continue;
      checkAutomatic(dict);
      checkMembership(dict);
      if (!signed) checkUnsigned(dict);
      const name = attachmentName(dict);
      if (name !== null) attachments.push(name);
    }
  } catch (error) {
    if (error instanceof RangeError) throw new DocumentRefused('too-complex', 'the document has too many parts');
    throw error;
  }
  return attachments.reverse();
}

/** A signed document that could not be read strictly (src/documents/signed-document.ts). */
function checkUnsigned(dict: PDFDict): void {
  const signature = entry(dict, 'ByteRange') !== undefined && entry(dict, 'Contents') !== undefined;
  if (signature || (nameEntry(dict, 'FT') === 'Sig' && dictEntry(dict, 'V')))
    throw new DocumentRefused('damaged', 'the document is signed, and damaged: readers would have to repair it');
}

/** The form fields that stand on pages: several widgets of one field count once. */
function countFields(pages: readonly FoundPage[]): number {
  const fields = new Set<PDFObject>();
  for (const page of pages) {
    for (const annotation of elements(page.dict, 'Annots')) {
      if (annotation instanceof PDFDict && nameEntry(annotation, 'Subtype') === 'Widget')
        fields.add(fieldOf(annotation));
    }
  }
  return fields.size;
}

/** The field that a widget belongs to: itself, or the nearest parent with a name. */
function fieldOf(widget: PDFDict): PDFDict {
  let at = widget;
  for (let hops = 0; hops < 32; hops++) {
    if (textEntry(at, 'T') !== undefined) return at;
    const parent = dictEntry(at, 'Parent');
    if (!parent) break;
    at = parent;
  }
  return at;
}
