/**
 * Makes the first revision (DESIGN.md decision 6): the inspected document rewritten as one clean revision, its form
 * fields flattened, and everything laid down that later revisions fill in. Runs in the worker's child process only.
 */
import {
  PDFArray,
  type PDFContext,
  PDFDict,
  type PDFDocument,
  PDFHexString,
  PDFName,
  type PDFObject,
  type PDFRef,
  PDFStream,
  PDFString,
} from '@cantoo/pdf-lib';
import { printable } from './drawing.ts';
import { flattenForms, isWidget } from './first-revision-forms.ts';
import { isPostScript, removePrintVariants } from './first-revision-print.ts';
import { writeDocument } from './first-revision-writer.ts';
import { embedFont } from './fonts.ts';
import { type Limits, type OpenDocument, openDocument } from './inspect.ts';
import type { Box, DocumentLayout, LayoutPlan, SignatureField } from './layout.ts';
import { dictEntry, entry, nameEntry, numberEntry, rectangleEntry, resolve } from './objects.ts';
import { drawSignaturePages, type FieldPlace, type PageSize, textsOf } from './signature-page.ts';
import { PAGE_TEXTS } from './signature-page-texts.ts';

export interface FirstRevision {
  readonly bytes: Uint8Array;
  readonly layout: DocumentLayout;
}

const A4: PageSize = { width: 595, height: 842 };

/** @throws DocumentRefused as inspection does */
export async function firstRevision(pdf: Uint8Array, plan: LayoutPlan, limits: Limits): Promise<FirstRevision> {
  const opened = await openDocument(pdf, limits);
  const { document, catalog } = opened;
  const { context } = document;
  const pages = layOutPages(opened);
  await flattenForms(
    document,
    catalog,
    pages.map(page => page.dict),
  );
  cleanCatalog(catalog);
  removePrintVariants(context);

  const size = signaturePageSize(pages.at(-1)!.dict);
  const added = addSignaturePages(context, plan, size);
  const tree = context.register(context.obj({ Type: 'Pages' }));
  const all = [...pages.map(page => page.ref), ...added.pages];
  dictEntry(catalog, 'Pages')?.delete(PDFName.of('Kids'));
  setPageTree(context, tree, all);
  catalog.set(PDFName.of('Type'), PDFName.of('Catalog'));
  catalog.set(PDFName.of('Pages'), tree);
  catalog.set(PDFName.of('AcroForm'), added.form);

  const ours = new Set<PDFObject | undefined>(
    [tree, ...all, ...added.fields.map(field => field.ref)].map(ref => context.lookup(ref)),
  );
  const catalogRef = context.register(catalog);
  const written = writeDocument(context, {
    catalog: catalogRef,
    info: infoOf(document, plan.date),
    version: context.header.toString().includes('2.0') || nameEntry(catalog, 'Version') === '2.0' ? '2.0' : '1.7',
    // Pages outside the tree, and fields that something still refers to, don't exist any more.
    dropped: object => !ours.has(object) && (isPage(object) || isWidget(object) || isPostScript(object)),
    origin: pdf,
  });
  const field = ({ ref, page, name, box }: PlacedField): SignatureField => ({
    name,
    object: written.numberOf(ref),
    pageObject: written.numberOf(page),
    box: box && { ...box, page: pages.length + box.page },
  });
  const [seal, ...others] = added.fields;
  const closing = others.pop();
  return {
    bytes: written.bytes,
    layout: {
      seal: field(seal!),
      signatories: others.map((other, index) => ({
        ...field(other),
        level: plan.signatories[index]!.level,
        paraphs: [],
      })),
      closing: field(closing!),
      regular: { object: written.numberOf(added.regular.ref), glyphs: added.regular.glyphs },
      bold: { object: written.numberOf(added.bold.ref), glyphs: added.bold.glyphs },
      catalogObject: written.numberOf(catalogRef),
      acroFormObject: written.numberOf(added.form),
    },
  };
}

/** Gives every page its own object with all that it inherited. */
function layOutPages({ document: { context }, pages }: OpenDocument): { dict: PDFDict; ref: PDFRef }[] {
  const used = new Set<PDFDict>();
  return pages.map(({ dict: found, ref: foundRef, inherited }) => {
    const again = used.has(found);
    used.add(found);
    const dict = again ? found.clone() : found;
    const ref = again || foundRef === null ? context.register(dict) : foundRef;
    for (const [key, value] of inherited) dict.set(PDFName.of(key), value);
    dict.set(PDFName.of('Type'), PDFName.of('Page'));
    // A viewer's default, said aloud; Resources are required (ISO 32000-2 table 31).
    if (!rectangleEntry(dict, 'MediaBox')) dict.set(PDFName.of('MediaBox'), context.obj([0, 0, 612, 792]));
    if (!(entry(dict, 'Resources') instanceof PDFDict)) dict.set(PDFName.of('Resources'), context.obj({}));
    layOutContents(context, dict);
    dict.set(PDFName.of('Rotate'), context.obj(quarterTurn(numberEntry(dict, 'Rotate') ?? 0)));
    return { dict, ref };
  });
}

/** Only streams: viewers differ about anything else. */
function layOutContents(context: PDFContext, page: PDFDict): void {
  const contents = entry(page, 'Contents');
  if (contents instanceof PDFStream) return;
  if (contents instanceof PDFArray) {
    const streams = contents.asArray().filter(part => resolve(context, part) instanceof PDFStream);
    page.set(PDFName.of('Contents'), context.obj(streams));
  } else page.delete(PDFName.of('Contents'));
}

/** 0, 90, 180 or 270: viewers differ about anything else, so nobody's page stands differently from what was seen. */
function quarterTurn(degrees: number): number {
  return degrees % 90 === 0 ? ((degrees % 360) + 360) % 360 : 0;
}

/** Takes away what belongs to the input's form and signatures, or lets a viewer show something else than the pages. */
function cleanCatalog(catalog: PDFDict): void {
  for (const key of ['AcroForm', 'Perms', 'NeedsRendering', 'Collection', 'Version', 'DSS'])
    catalog.delete(PDFName.of(key));
  // Hidden pages that scripts would show.
  const names = dictEntry(catalog, 'Names');
  names?.delete(PDFName.of('Templates'));
  names?.delete(PDFName.of('Pages'));
  // Other layer configurations that a reader could choose.
  dictEntry(catalog, 'OCProperties')?.delete(PDFName.of('Configs'));
}

/** The last page as it is seen: cropped and turned. A4 where that is too small or too large to sign on. */
function signaturePageSize(page: PDFDict): PageSize {
  const [left, bottom, right, top] = rectangleEntry(page, 'CropBox') ?? rectangleEntry(page, 'MediaBox')!;
  const turned = (numberEntry(page, 'Rotate') ?? 0) % 180 !== 0;
  const [width, height] = turned ? [top - bottom, right - left] : [right - left, top - bottom];
  const fits = (length: number) => length >= 400 && length <= 1300;
  return fits(width) && fits(height) ? { width: Math.round(width), height: Math.round(height) } : A4;
}

function isPage(object: PDFObject): boolean {
  if (!(object instanceof PDFDict)) return false;
  const type = nameEntry(object, 'Type');
  return type === 'Page' || type === 'Pages' || type === 'Template';
}

function setPageTree(context: PDFContext, tree: PDFRef, pages: readonly PDFRef[]): void {
  const node = context.lookup(tree, PDFDict);
  node.set(PDFName.of('Count'), context.obj(pages.length));
  node.set(PDFName.of('Kids'), context.obj([...pages]));
  for (const page of pages) context.lookup(page, PDFDict).set(PDFName.of('Parent'), tree);
}

/** The document's own metadata stays; where only the Info dictionary tells dates, the modification is told, too. */
function infoOf({ context, catalog }: PDFDocument, date: Date): PDFRef {
  const found = resolve(context, context.trailerInfo.Info);
  const info = found instanceof PDFDict ? found : context.obj({});
  if (entry(catalog, 'Metadata') === undefined) info.set(PDFName.of('ModDate'), PDFString.fromDate(date));
  return context.register(info);
}

interface PlacedField {
  readonly name: string;
  readonly ref: PDFRef;
  readonly page: PDFRef;
  /** Its page counted from the first signature page. */
  readonly box: Box | null;
}

/** Draws the signature pages and lays their fields: the seal first, the closing seal last. */
function addSignaturePages(context: PDFContext, plan: LayoutPlan, size: PageSize) {
  const text = textsOf(plan);
  const regular = embedFont(context, 'regular', text);
  const bold = embedFont(context, 'bold', text);
  const drawn = drawSignaturePages(size, plan, { regular, bold });
  const resources = context.register(context.obj({ Font: { R: regular.ref, B: bold.ref } }));
  const pages = drawn.contents.map(source =>
    context.register(
      context.obj({
        Type: 'Page',
        MediaBox: [0, 0, size.width, size.height],
        Resources: resources,
        Contents: context.register(context.flateStream(source)),
      }),
    ),
  );

  const texts = PAGE_TEXTS[plan.language];
  const fields: PlacedField[] = [];
  const add = (
    name: string,
    label: string,
    place: FieldPlace | null,
    lock: { Action: string; Fields?: PDFString[] } | null,
  ) => {
    const page = pages[place?.page ?? 0]!;
    const { x, y, width, height } = place ?? { x: 0, y: 0, width: 0, height: 0 };
    const appearance = context.stream('', { Type: 'XObject', Subtype: 'Form', BBox: [0, 0, width, height] });
    const ref = context.register(
      context.obj({
        Type: 'Annot',
        Subtype: 'Widget',
        FT: 'Sig',
        T: PDFString.of(name),
        TU: PDFHexString.fromText(printable(label)),
        Rect: [x, y, x + width, y + height],
        // Print, Locked (ISO 32000-2 table 167).
        F: 132,
        P: page,
        AP: { N: context.register(appearance) },
        Lock: lock ? context.register(context.obj({ Type: 'SigFieldLock', ...lock })) : undefined,
      }),
    );
    fields.push({ name, ref, page, box: place });
  };
  add('Seal', texts.seal, null, null);
  plan.signatories.forEach(({ name }, index) => {
    const field = `Signatory ${index + 1}`;
    const lock = { Action: 'Include', Fields: [PDFString.of(field)] };
    add(field, `${texts.signatureOf} ${name}`, drawn.signatories[index]!, lock);
  });
  add('Closing', `${texts.seal} ${plan.company.name}`, drawn.closing, { Action: 'All' });
  for (const page of pages) {
    const own = fields.filter(field => field.page === page).map(field => field.ref);
    context.lookup(page, PDFDict).set(PDFName.of('Annots'), context.obj(own));
  }
  const form = context.register(
    context.obj({
      Fields: fields.map(field => field.ref),
      // SignaturesExist, AppendOnly (ISO 32000-2 table 225).
      SigFlags: 3,
      DR: { Font: { R: regular.ref, B: bold.ref } },
      DA: PDFString.of('/R 9 Tf 0 g'),
    }),
  );
  return { pages, fields, form, regular, bold };
}
