/**
 * Makes the first revision (DESIGN.md decision 6): the inspected document rewritten as one clean revision, its form
 * fields flattened, and everything laid down that later revisions fill in. Runs in the worker's child process only.
 */
import {
  PDFArray,
  type PDFContext,
  PDFDict,
  type PDFDocument,
  PDFName,
  type PDFObject,
  type PDFRef,
  PDFStream,
  PDFString,
} from '@cantoo/pdf-lib';
import { FieldLayer, type Lock, type PlacedField } from './first-revision-fields.ts';
import { flattenForms, isWidget } from './first-revision-forms.ts';
import { layOutMarks } from './first-revision-marks.ts';
import { isPostScript, removePrintVariants } from './first-revision-print.ts';
import { writeDocument } from './first-revision-writer.ts';
import { FontBuilder } from './fonts.ts';
import { type Limits, type OpenDocument, openDocument } from './inspect.ts';
import type { DocumentLayout, LayoutPlan, SignatureField } from './layout.ts';
import { dictEntry, entry, nameEntry, numberEntry, rectangleEntry, resolve } from './objects.ts';
import { geometryOf, visibleBox } from './page-geometry.ts';
import { drawSignaturePages, type FieldPlace, type PageSize, textsOf } from './signature-page.ts';
import { PAGE_TEXTS } from './signature-page-texts.ts';

export interface FirstRevision {
  readonly bytes: Uint8Array;
  readonly layout: DocumentLayout;
}

interface Page {
  readonly dict: PDFDict;
  readonly ref: PDFRef;
}

interface Fonts {
  readonly regular: FontBuilder;
  readonly bold: FontBuilder;
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

  const added = addMarks(context, plan, pages);
  const tree = context.register(context.obj({ Type: 'Pages' }));
  const all = [...pages, ...added.pages].map(page => page.ref);
  dictEntry(catalog, 'Pages')?.delete(PDFName.of('Kids'));
  setPageTree(context, tree, all);
  catalog.set(PDFName.of('Type'), PDFName.of('Catalog'));
  catalog.set(PDFName.of('Pages'), tree);
  catalog.set(PDFName.of('AcroForm'), added.form);

  const fields = [added.seal, ...added.signatories, ...added.paraphs.flat(), added.closing];
  const ours = new Set<PDFObject | undefined>(
    [tree, ...all, ...fields.map(field => field.ref)].map(ref => context.lookup(ref)),
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
  const numbers = ({ ref, page }: PlacedField) => ({
    object: written.numberOf(ref),
    pageObject: written.numberOf(page),
  });
  const field = (placed: PlacedField): SignatureField => ({ name: placed.name, ...numbers(placed), box: placed.box });
  return {
    bytes: written.bytes,
    layout: {
      seal: field(added.seal),
      signatories: added.signatories.map((placed, index) => ({
        ...field(placed),
        level: plan.signatories[index]!.level,
        paraphs: added.paraphs[index]!.map(paraph => ({ ...numbers(paraph), box: paraph.box! })),
      })),
      closing: field(added.closing),
      regular: { ...added.regular, object: written.numberOf(added.fonts.regular.ref) },
      bold: { ...added.bold, object: written.numberOf(added.fonts.bold.ref) },
      catalogObject: written.numberOf(catalogRef),
      acroFormObject: written.numberOf(added.form),
      // A page that promises its colours (PDF/A, PDF/X) may not promise RGB.
      ink: entry(catalog, 'OutputIntents') === undefined ? 'blue' : 'black',
    },
  };
}

/** Gives every page its own object with all that it inherited. */
function layOutPages({ document: { context }, pages }: OpenDocument): Page[] {
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
    // Viewers differ about a crop box that leaves the media box.
    if (entry(dict, 'CropBox') !== undefined) dict.set(PDFName.of('CropBox'), context.obj([...visibleBox(dict)]));
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
  const { width, height, unit } = geometryOf(page);
  const fits = (length: number) => length >= 400 && length <= 1300;
  const seen = { width: Math.round(width * unit), height: Math.round(height * unit) };
  return fits(seen.width) && fits(seen.height) ? seen : A4;
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

/** Draws what the plan asks for and lays down the fields: the seal first, the closing seal last. */
function addMarks(context: PDFContext, plan: LayoutPlan, pages: readonly Page[]) {
  const texts = PAGE_TEXTS[plan.language];
  const needed = textsOf(plan);
  const fonts = {
    regular: new FontBuilder(context, 'regular', needed),
    bold: new FontBuilder(context, 'bold', needed),
  };
  const drawn = plan.marks.signaturePage ? addSignaturePages(context, plan, fonts, pages) : null;
  const layer = new FieldLayer(context);
  const add = (name: string, label: string, place: FieldPlace | null, lock: Lock) => {
    const page = place && drawn ? drawn.pages[place.page]!.ref : (drawn?.pages[0] ?? pages.at(-1)!).ref;
    return layer.signature(name, label, page, place && { ...place, page: pages.length + place.page }, lock);
  };

  // Of equal length: some validators take a locked name for the beginning of others.
  const digits = String(plan.signatories.length).length;
  const numbers = plan.signatories.map((_, index) => String(index + 1).padStart(digits, '0'));
  const seal = add('Seal', texts.seal, null, null);
  const paraphs = layOutMarks(
    context,
    pages,
    plan,
    fonts,
    layer,
    numbers.map(number => `Paraph ${number}`),
  );
  const signatories = plan.signatories.map(({ name }, index) => {
    const field = `Signatory ${numbers[index]}`;
    const lock = [field, ...paraphs[index]!.map(paraph => paraph.name)];
    return add(field, `${texts.signatureOf} ${name}`, drawn?.signatories[index] ?? null, lock);
  });
  const closing = add('Closing', `${texts.seal} ${plan.company.name}`, drawn?.closing ?? null, 'all');
  const form = layer.finish([fonts.regular, fonts.bold]);
  const [regular, bold] = [fonts.regular.embed(), fonts.bold.embed()];
  return { pages: drawn?.pages ?? [], seal, signatories, paraphs, closing, form, fonts, regular, bold };
}

function addSignaturePages(context: PDFContext, plan: LayoutPlan, fonts: Fonts, pages: readonly Page[]) {
  const size = signaturePageSize(pages.at(-1)!.dict);
  const { contents, signatories, closing } = drawSignaturePages(size, plan, fonts);
  const resources = context.register(context.obj({ Font: { R: fonts.regular.ref, B: fonts.bold.ref } }));
  const added = contents.map((source): Page => {
    const dict = context.obj({
      Type: 'Page',
      MediaBox: [0, 0, size.width, size.height],
      Resources: resources,
      Contents: context.register(context.flateStream(source)),
    });
    return { dict, ref: context.register(dict) };
  });
  return { pages: added, signatories, closing };
}
