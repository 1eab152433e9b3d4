/**
 * Lays down, as one increment, what later revisions fill in a document that arrived signed: signature fields, and
 * nothing else. Where earlier signatures leave pages free, the fields stand as small stamps on the last page; else
 * they are fields that the document has, or invisible. Runs in the worker's child process only.
 */
import { PDFContext } from '@cantoo/pdf-lib';
import { DocumentRefused } from './documents.ts';
import { formOf } from './file/fields.ts';
import { dict, isArray, isRef, name, type PdfDict, type PdfValue, ref, refOf, textString } from './file/values.ts';
import type { FirstRevision } from './first-revision.ts';
import { embedFont } from './fonts.ts';
import { join, renewedId } from './increment.ts';
import { boxOf } from './increment-signature.ts';
import { type NewObject, writeIncrement } from './increment-writer.ts';
import type { Box, LayoutFont, LayoutPlan, SignatoryField, SignatureField } from './layout.ts';
import { fromPdfLib } from './pdf-lib-bridge.ts';
import { textsOf } from './signature-page.ts';
import { PAGE_TEXTS } from './signature-page-texts.ts';
import { freeFields, type SignedDocument } from './signed-document.ts';
import { placeStamps, type Stamps } from './signed-stamps.ts';

/** Annotation flags Print and Locked (ISO 32000-2 table 167). */
const FLAGS = 4 + 128;
/** A field that the document has shows an appearance where it is at least this big, and no bigger than devices accept. */
const READABLE = { width: 80, height: 20, maxWidth: 600, maxHeight: 240 };

/** @throws DocumentRefused 'already-signed-standard' */
export function signedRevision(signed: SignedDocument, plan: LayoutPlan): FirstRevision {
  if (plan.signatories.some(({ level }) => level === 'standard')) {
    throw new DocumentRefused('already-signed-standard', 'a signed document gets no marks of Standard');
  }
  const { file, earlier } = signed;
  const objects: NewObject[] = [];
  let next = file.trailer.size;
  const texts = PAGE_TEXTS[plan.language];
  const existing = earlier.invisibleOnly ? existingFields(signed, plan.signatories.length) : null;
  const stamps = earlier.invisibleOnly ? null : placeStamps(file, signed.pages, plan.signatories.length + 1);
  const names = new Set(signed.fields.map(field => field.name));

  function addField(base: string, label: string, stamp: Box | null, lock: (field: string) => PdfDict): SignatureField {
    const title = uniqueName(base, names);
    const object = next++;
    const page = stamp && stamps ? stamps.pageObject : 0;
    const appearance = stamp && next++;
    const { x, y, width, height } = stamp ?? { x: 0, y: 0, width: 0, height: 0 };
    if (appearance !== null) objects.push(emptyAppearance(appearance, width, height));
    objects.push({
      number: object,
      value: dict({
        Type: name('Annot'),
        Subtype: name('Widget'),
        FT: name('Sig'),
        T: textString(title),
        TU: textString(label),
        Rect: [x, y, x + width, y + height],
        F: FLAGS,
        P: page > 0 ? ref(page) : undefined,
        AP: appearance === null ? undefined : dict({ N: ref(appearance) }),
        Lock: lock(title),
      }),
    });
    return { name: title, object, pageObject: page, box: stamp };
  }

  const signatories = plan.signatories.map((signatory, index): SignatoryField => {
    const field =
      existing?.[index] ??
      addField(
        `${plan.requestId} Signatory ${index + 1}`,
        `${texts.signatureOf} ${signatory.name}`,
        stamps?.boxes[index] ?? null,
        title => dict({ Type: name('SigFieldLock'), Action: name('Include'), Fields: [textString(title)] }),
      );
    return { ...field, level: signatory.level, paraphs: [] };
  });
  const closing = addField(
    `${plan.requestId} Closing`,
    `${texts.seal} ${plan.company.name}`,
    stamps?.boxes[plan.signatories.length] ?? null,
    () => dict({ Type: name('SigFieldLock'), Action: name('All') }),
  );
  const added = [...signatories.filter(field => !existing?.includes(field)), closing];
  const own = existing === null ? added : [closing];

  const fonts = [...signatories, closing].some(({ box }) => box !== null) ? embedFonts(plan, next) : null;
  if (fonts !== null) {
    objects.push(...fonts.objects);
    next += fonts.objects.length;
  }
  const form = extendForm(signed, own, next);
  objects.push(...form.objects);
  if (stamps !== null) objects.push(...annotate(stamps, own));

  const id = renewedId(file, 'fields', plan.requestId, ...own.map(field => field.name));
  const { appended } = writeIncrement(file, objects, id);
  const none: LayoutFont = { object: 0, glyphs: {} };
  return {
    bytes: join(file.bytes, appended),
    layout: {
      seal: null,
      signatories,
      closing,
      regular: fonts?.regular ?? none,
      bold: fonts?.bold ?? none,
      catalogObject: file.trailer.root,
      acroFormObject: form.object,
    },
  };
}

/** One field that the document has per signatory; null where it has too few. */
function existingFields(signed: SignedDocument, count: number): SignatureField[] | null {
  const free = freeFields(signed);
  if (count === 0 || free.length < count) return null;
  return free.slice(0, count).map(({ name: title, object, dict: field }) => {
    const { x, y, width, height } = boxOf(field);
    const { width: minWidth, height: minHeight, maxWidth, maxHeight } = READABLE;
    const readable = width >= minWidth && height >= minHeight && width <= maxWidth && height <= maxHeight;
    const pageObject = refOf(field.get('P')) ?? 0;
    const page = signed.pages.findIndex(({ ref: at }) => at?.objectNumber === pageObject);
    const box = readable && page >= 0 ? { page, x, y, width, height } : null;
    return { name: title, object: object as number, pageObject, box };
  });
}

function uniqueName(base: string, names: Set<string>): string {
  // A dot separates the parts of a full name (§12.7.4.2).
  const plain = base.replaceAll('.', ' ');
  let title = plain;
  for (let i = 2; names.has(title); i++) title = `${plain} (${i})`;
  names.add(title);
  return title;
}

function emptyAppearance(number: number, width: number, height: number): NewObject {
  const value = dict({ Type: name('XObject'), Subtype: name('Form'), BBox: [0, 0, width, height] });
  return { number, value, stream: new Uint8Array() };
}

function embedFonts(plan: LayoutPlan, first: number) {
  const context = PDFContext.create();
  const texts = textsOf(plan);
  const regular = embedFont(context, 'regular', texts);
  const bold = embedFont(context, 'bold', texts);
  const { objects, numberOf } = fromPdfLib(context, first);
  const font = ({ ref: at, glyphs }: typeof regular): LayoutFont => ({ object: numberOf(at), glyphs });
  return { objects, regular: font(regular), bold: font(bold) };
}

/** The form with our fields at its end, and the catalog where it has no form as an object of its own. */
function extendForm({ file }: SignedDocument, fields: readonly SignatureField[], next: number) {
  const { root } = file.trailer;
  const catalog = file.dict(root);
  const entry = catalog.get('AcroForm');
  const form = formOf(file) ?? dict({});
  const old = form.get('Fields');
  const list = file.resolve(old);
  const longer: PdfValue[] = [...(isArray(list) ? list : []), ...fields.map(field => ref(field.object))];
  const oldFlags = file.resolve(form.get('SigFlags'));
  const object = isRef(entry) && file.find(entry.ref) !== null ? entry.ref : next;
  const entries = new Map(form);
  const objects: NewObject[] = [];
  if (isRef(old) && isArray(list)) objects.push({ number: old.ref, value: longer });
  else entries.set('Fields', longer);
  // SignaturesExist, AppendOnly (table 225).
  entries.set('SigFlags', (typeof oldFlags === 'number' ? oldFlags : 0) | 3);
  objects.push({ number: object, value: entries });
  if (object === next) objects.push({ number: root, value: new Map([...catalog, ['AcroForm', ref(object)]]) });
  return { object, objects };
}

/** The page's annotations with those of our fields that stand on it. */
function annotate({ pageObject, page, file }: Stamps, fields: readonly SignatureField[]): NewObject[] {
  const visible = fields.filter(({ box }) => box !== null).map(field => ref(field.object));
  if (visible.length === 0) return [];
  const old = page.get('Annots');
  const list = file.resolve(old);
  const longer = [...(isArray(list) ? list : []), ...visible];
  if (isRef(old) && isArray(list)) return [{ number: old.ref, value: longer }];
  return [{ number: pageObject, value: new Map([...page, ['Annots', longer]]) }];
}
