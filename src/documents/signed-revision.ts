/**
 * What is laid down in a document that arrived signed. Where earlier signatures leave pages free, empty signature fields
 * stand as small stamps on the last page, added in one increment. Else nothing is added: signatures fill fields that the
 * document has, or come with an invisible field of their own. There are no fonts: text is drawn as outlines. Runs in
 * the worker's child process only.
 */
import { DocumentRefused } from './documents.ts';
import { dict, isArray, isRef, name, ref, refOf, textString } from './file/values.ts';
import type { FirstRevision } from './first-revision.ts';
import { join, renewedId } from './increment.ts';
import { extendForm } from './increment-form.ts';
import { type NewObject, writeIncrement } from './increment-writer.ts';
import { type Box, type DocumentLayout, type LayoutPlan, NO_FONT, type SignatureField } from './layout.ts';
import { PAGE_TEXTS } from './signature-page-texts.ts';
import { freeFields, type SignedDocument } from './signed-document.ts';
import { placeStamps, type Stamps } from './signed-stamps.ts';
import { boxOf } from './widget-box.ts';

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
  const texts = PAGE_TEXTS[plan.language];
  const labels = [
    ...plan.signatories.map(({ name: person }) => `${texts.signatureOf} ${person}`),
    `${texts.seal} ${plan.company.name}`,
  ];
  const stamps = earlier.invisibleOnly ? null : placeStamps(file, signed.pages, labels.length);
  const titles = titlesFor(signed, plan);
  const existing = earlier.invisibleOnly ? existingFields(signed, plan.signatories.length) : null;
  const objects: NewObject[] = [];
  const fields = labels.map((label, index): SignatureField => {
    const found = existing?.[index];
    if (found !== undefined) return found;
    const last = index === labels.length - 1;
    const box = stamps?.boxes[index] ?? null;
    const title = titles[index]!;
    if (stamps === null || box === null) return { name: title, object: 0, pageObject: 0, box: null };
    const object = file.trailer.size + objects.length;
    objects.push(...stampField(object, { title, label, box, page: stamps.pageObject, locksAll: last }));
    return { name: title, object, pageObject: stamps.pageObject, box };
  });
  const layout: DocumentLayout = {
    seal: null,
    signatories: plan.signatories.map(({ level }, index) => ({ ...fields[index]!, level, paraphs: [] })),
    closing: fields.at(-1)!,
    regular: NO_FONT,
    bold: NO_FONT,
    catalogObject: file.trailer.root,
    acroFormObject: refOf(file.dict(file.trailer.root).get('AcroForm')) ?? file.trailer.root,
  };
  const added = stamps === null ? [] : fields.map(({ object }) => object).filter(object => object > 0);
  if (stamps === null || added.length === 0) return { bytes: file.bytes, layout };
  // SignaturesExist, AppendOnly (table 225).
  objects.push(...extendForm(file, added, 3), annotate(stamps, added));
  const id = renewedId(file, 'fields', ...titles);
  return { bytes: join(file.bytes, writeIncrement(file, objects, id).appended), layout };
}

/** Names that no field has: a dot would separate the parts of a full name (§12.7.4.2). */
function titlesFor({ fields }: SignedDocument, plan: LayoutPlan): string[] {
  const taken = new Set(fields.map(field => field.name));
  const parts = [...plan.signatories.map((_, index) => `Signatory ${index + 1}`), 'Closing'];
  return parts.map(part => {
    const plain = `${plan.requestId} ${part}`.replaceAll('.', ' ');
    let title = plain;
    for (let i = 2; taken.has(title); i++) title = `${plain} (${i})`;
    taken.add(title);
    return title;
  });
}

interface StampField {
  readonly title: string;
  readonly label: string;
  readonly box: Box;
  /** Object number of the page. */
  readonly page: number;
  readonly locksAll: boolean;
}

/** An empty signature field, and an appearance that shows nothing (§12.5.5 asks for one). */
function stampField(object: number, { title, label, box, page, locksAll }: StampField): NewObject[] {
  const { x, y, width, height } = box;
  const lock = locksAll ? { Action: name('All') } : { Action: name('Include'), Fields: [textString(title)] };
  const field = dict({
    Type: name('Annot'),
    Subtype: name('Widget'),
    FT: name('Sig'),
    T: textString(title),
    TU: textString(label),
    Rect: [x, y, x + width, y + height],
    F: FLAGS,
    P: ref(page),
    AP: dict({ N: ref(object + 1) }),
    Lock: dict({ Type: name('SigFieldLock'), ...lock }),
  });
  const appearance = dict({ Type: name('XObject'), Subtype: name('Form'), BBox: [0, 0, width, height] });
  return [
    { number: object, value: field },
    { number: object + 1, value: appearance, stream: new Uint8Array() },
  ];
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

/** The page's annotations with our fields at their end. */
function annotate({ pageObject, page, file }: Stamps, fields: readonly number[]): NewObject {
  const old = page.get('Annots');
  const list = file.resolve(old);
  const longer = [...(isArray(list) ? list : []), ...fields.map(ref)];
  if (isRef(old) && isArray(list)) return { number: old.ref, value: longer };
  return { number: pageObject, value: new Map([...page, ['Annots', longer]]) };
}
