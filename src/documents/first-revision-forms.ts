/** Form fields of the input become part of their page (ISO 32000-2 §12.5.5), as they look when the document opens. */
import {
  AcroTextFlags,
  decodePDFRawStream,
  PDFArray,
  type PDFContext,
  PDFDict,
  type PDFDocument,
  PDFHexString,
  PDFName,
  type PDFObject,
  PDFRawStream,
  PDFStream,
  PDFString,
  StandardFonts,
} from '@cantoo/pdf-lib';
import { balanceOf } from './first-revision-balance.ts';
import { dictEntry, elements, entry, nameEntry, numberEntry, numbersEntry, rectangleEntry } from './objects.ts';

/** Annotation flags (ISO 32000-2 table 167). */
const HIDDEN = 2;
const NO_VIEW = 32;
/** Bytes of an appearance that are looked at. */
const MAX_APPEARANCE = 1 << 20;
/** Bytes of a page's content that are looked at. */
const MAX_CONTENT = 32 << 20;

/**
 * Draws each visible widget's appearance onto its page and takes the widgets away. Annotations that only appear in
 * print go as well: nobody sees them before signing.
 * @param pages page objects, each with its own Resources entry
 */
export async function flattenForms(document: PDFDocument, catalog: PDFDict, pages: readonly PDFDict[]): Promise<void> {
  const { context } = document;
  const form = dictEntry(catalog, 'AcroForm');
  if (form && pages.some(page => widgetsOf(page).length > 0)) await makeAppearances(document, form);
  for (const page of pages) {
    const kept: PDFObject[] = [];
    const drawn: { widget: PDFDict; appearance: PDFStream }[] = [];
    const annotations = entry(page, 'Annots');
    if (!(annotations instanceof PDFArray)) {
      page.delete(PDFName.of('Annots'));
      continue;
    }
    const resolved = elements(page, 'Annots');
    for (let index = 0; index < resolved.length; index++) {
      const annotation = resolved[index];
      if (!(annotation instanceof PDFDict)) continue;
      const flags = numberEntry(annotation, 'F') ?? 0;
      if (!isWidget(annotation)) {
        if ((flags & (HIDDEN | NO_VIEW)) !== NO_VIEW) kept.push(annotations.get(index));
      } else if ((flags & (HIDDEN | NO_VIEW)) === 0) {
        const appearance = appearanceOf(annotation);
        if (appearance) drawn.push({ widget: annotation, appearance });
      }
    }
    if (kept.length > 0) page.set(PDFName.of('Annots'), context.obj(kept));
    else page.delete(PDFName.of('Annots'));
    if (drawn.length > 0) drawOnto(context, page, drawn, form && entry(form, 'DR'));
  }
}

export function isWidget(object: PDFObject): boolean {
  return object instanceof PDFDict && nameEntry(object, 'Subtype') === 'Widget';
}

function widgetsOf(page: PDFDict): PDFDict[] {
  return elements(page, 'Annots').filter((object): object is PDFDict => object instanceof PDFDict && isWidget(object));
}

/** The normal appearance, in the state that the widget is in. */
function appearanceOf(widget: PDFDict): PDFStream | null {
  const normal = dictEntry(widget, 'AP') && entry(dictEntry(widget, 'AP')!, 'N');
  if (normal instanceof PDFStream) return normal;
  if (!(normal instanceof PDFDict)) return null;
  const state = entry(normal, nameEntry(widget, 'AS') ?? nameEntry(widget, 'V') ?? 'Off');
  return state instanceof PDFStream ? state : null;
}

/**
 * Where a viewer would have to draw a value itself, because the field has no appearance or the form asks for new ones,
 * pdf-lib does it. A field that it can't draw keeps the appearance that it has.
 */
async function makeAppearances(document: PDFDocument, form: PDFDict): Promise<void> {
  const renew = String(entry(form, 'NeedAppearances')) === 'true';
  const fields = attempt(() => document.getForm().getFields()) ?? [];
  const helvetica = document.embedStandardFont(StandardFonts.Helvetica);
  for (const field of fields) {
    const { acroField } = field;
    const inherited = (key: string) => attempt(() => acroField.getInheritableAttribute(PDFName.of(key)));
    const type = inherited('FT')?.toString();
    const value = attempt(() => textOf(inherited('V'))) ?? '';
    if (value === '' || (type === '/Tx' && acroField.hasFlag(AcroTextFlags.Password))) continue;
    const appearances = (attempt(() => acroField.getWidgets()) ?? []).map(widget => appearanceOf(widget.dict));
    const missing = appearances.includes(null);
    // A button's states are pictures that stand in the file, a choice may be shown by another name; only text is its value.
    const stale =
      renew && type === '/Tx' && appearances.some(appearance => appearance && !attempt(() => shows(appearance, value)));
    if (missing || stale) attempt(() => field.defaultUpdateAppearances(helvetica));
  }
  await document.flush();
}

function textOf(value: PDFObject | undefined): string {
  if (value instanceof PDFName) return value.decodeText();
  return value instanceof PDFString || value instanceof PDFHexString ? value.decodeText() : '';
}

/** Whether an appearance's strings are the value, spaces aside: then it needs no drawing anew, even where the form asks. */
function shows(appearance: PDFStream, value: string): boolean {
  if (!(appearance instanceof PDFRawStream)) return false;
  const bytes = attempt(() => decodePDFRawStream(appearance).getBytes(MAX_APPEARANCE)) ?? new Uint8Array();
  const source = Buffer.from(bytes).toString('latin1');
  const strings = [...source.matchAll(/\(((?:[^()\\]|\\.)*)\)|<([0-9a-f\s]+)>/gi)].map(([, literal, hex]) =>
    hex === undefined ? PDFString.of(literal ?? '').decodeText() : PDFHexString.of(hex).decodeText(),
  );
  const spaceless = (text: string) => text.replace(/\s/g, '');
  return spaceless(strings.join('')) === spaceless(value);
}

/** Anything can be wrong with a field; what can't be done for one is left out. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function drawOnto(
  context: PDFContext,
  page: PDFDict,
  drawn: readonly { widget: PDFDict; appearance: PDFStream }[],
  defaultResources: PDFObject | undefined,
): void {
  // Resources may be shared with other pages: ours are a copy.
  const resources = (dictEntry(page, 'Resources') ?? context.obj({})).clone();
  const xObjects = (dictEntry(resources, 'XObject') ?? context.obj({})).clone();
  const operators: string[] = [];
  let number = 0;
  for (const { widget, appearance } of drawn) {
    const rectangle = rectangleEntry(widget, 'Rect');
    const matrix = rectangle && placement(appearance.dict, rectangle);
    if (!matrix) continue;
    const dict = appearance.dict;
    dict.set(PDFName.of('Type'), PDFName.of('XObject'));
    dict.set(PDFName.of('Subtype'), PDFName.of('Form'));
    if (!dictEntry(dict, 'Resources') && defaultResources) dict.set(PDFName.of('Resources'), defaultResources);
    do number++;
    while (xObjects.has(PDFName.of(`Field${number}`)));
    xObjects.set(PDFName.of(`Field${number}`), context.register(appearance));
    operators.push(`q ${matrix.map(decimal).join(' ')} cm /Field${number} Do Q`);
  }
  if (operators.length === 0) return;
  resources.set(PDFName.of('XObject'), xObjects);
  page.set(PDFName.of('Resources'), resources);
  const contents = contentsOf(page);
  const balance = balanceOf(contents, MAX_CONTENT);
  const before = context.register(context.stream('q\n'.repeat(balance.before)));
  const after = context.register(context.stream(`\n${'Q\n'.repeat(balance.after)}${operators.join('\n')}\n`));
  // A stream gets a second reference here: the writer knows objects by identity and writes it once.
  const between = contents.map(stream => context.register(stream));
  page.set(PDFName.of('Contents'), context.obj([before, ...between, after]));
}

function contentsOf(page: PDFDict): PDFStream[] {
  const contents = entry(page, 'Contents');
  const streams = contents instanceof PDFArray ? elements(page, 'Contents') : [contents];
  return streams.filter(stream => stream instanceof PDFStream);
}

/** Algorithm "appearance streams" (ISO 32000-2 §12.5.5): the matrix that lays the transformed BBox onto the rectangle. */
function placement(appearance: PDFDict, rectangle: readonly [number, number, number, number]): number[] | null {
  const [left, bottom, right, top] = rectangle;
  const box = rectangleEntry(appearance, 'BBox') ?? [0, 0, right - left, top - bottom];
  const [a, b, c, d, e, f] = numbersEntry(appearance, 'Matrix', 6) ?? [1, 0, 0, 1, 0, 0];
  const corners = [0, 2].flatMap(i => [1, 3].map(j => [box[i]!, box[j]!] as const));
  const xs = corners.map(([x, y]) => a! * x + c! * y + e!);
  const ys = corners.map(([x, y]) => b! * x + d! * y + f!);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  const [width, height] = [Math.max(...xs) - x, Math.max(...ys) - y];
  if (!(width > 0 && height > 0)) return null;
  const scaleX = (right - left) / width;
  const scaleY = (top - bottom) / height;
  return [scaleX, 0, 0, scaleY, left - x * scaleX, bottom - y * scaleY];
}

function decimal(value: number): string {
  return value.toFixed(5).replace(/\.?0+$/, '');
}
