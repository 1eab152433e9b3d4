/** The interactive form of a file that gets new fields (ISO 32000-2 §12.7.3). Runs in browsers. */
import { formOf } from './file/fields.ts';
import type { PdfFile } from './file/file.ts';
import { PdfSyntaxError } from './file/parser.ts';
import { isArray, isRef, type PdfDict, type PdfValue, ref } from './file/values.ts';
import type { NewObject } from './increment-writer.ts';

/**
 * The objects that list further fields, each where it stands already: the list of fields, the form or the catalog.
 * @param fields object numbers of the new fields
 * @param flags SigFlags (table 225) that the form must have from now on
 * @throws PdfSyntaxError where there is no form to extend
 */
export function extendForm(file: PdfFile, fields: readonly number[], flags = 0): NewObject[] {
  const { root } = file.trailer;
  const catalog = file.dict(root);
  const place = catalog.get('AcroForm');
  const form = formOf(file);
  const old = form?.get('Fields');
  const list = file.resolve(old);
  if (form === null || !isArray(list)) throw new PdfSyntaxError('the form has no fields');
  const longer: PdfValue[] = [...list, ...fields.map(ref)];
  const objects: NewObject[] = [];
  const entries = new Map(form);
  if (isRef(old)) objects.push({ number: old.ref, value: longer });
  else entries.set('Fields', longer);
  const oldFlags = file.resolve(form.get('SigFlags')) ?? 0;
  const newFlags = (typeof oldFlags === 'number' ? oldFlags : 0) | flags;
  if (newFlags !== oldFlags) entries.set('SigFlags', newFlags);
  if (!isRef(old) || newFlags !== oldFlags) objects.push(placed(root, catalog, place, entries));
  return objects;
}

function placed(root: number, catalog: PdfDict, place: PdfValue | undefined, form: PdfDict): NewObject {
  return isRef(place)
    ? { number: place.ref, value: form }
    : { number: root, value: new Map([...catalog, ['AcroForm', form]]) };
}
