/**
 * Signature fields of a file (ISO 32000-2 §12.7.4, §12.7.5.5): the form's field tree, with what fields inherit, and the
 * permissions that signatures give (§12.8.2). Runs in browsers.
 */
import type { PdfFile } from './file.ts';
import { PdfSyntaxError } from './parser.ts';
import { isArray, isDict, isRef, nameOf, type PdfDict, type PdfValue, readText, refOf, stringOf } from './values.ts';

export interface FoundField {
  /** Fully qualified name: partial names, joined by dots. */
  readonly name: string;
  /** Null where the field's dictionary stands directly in Fields or Kids. */
  readonly object: number | null;
  readonly dict: PdfDict;
  /** Object numbers of its widgets: its own, or its kids'. */
  readonly widgets: readonly number[];
  /** Its signature; null while it is empty. */
  readonly signature: FoundSignature | null;
}

export interface FoundSignature {
  /** Null where the dictionary stands directly in the field. */
  readonly object: number | null;
  readonly dict: PdfDict;
}

const MAX_FIELDS = 50_000;
const MAX_DEPTH = 32;

interface Inherited {
  readonly name: string;
  readonly type: string | null;
  readonly value: PdfValue | undefined;
  readonly depth: number;
}

/** The catalog's form; null where it has none. @throws PdfSyntaxError */
export function formOf(file: PdfFile): PdfDict | null {
  const form = file.resolve(file.dict(file.trailer.root).get('AcroForm'));
  if (form === undefined || form === null) return null;
  if (!isDict(form)) throw new PdfSyntaxError('the form is no dictionary');
  return form;
}

/** Every signature field, in the order of the tree. @throws PdfSyntaxError, also where a field stands in it twice */
export function signatureFields(file: PdfFile): FoundField[] {
  const form = formOf(file);
  const found: FoundField[] = [];
  const seen = new Set<number>();
  let count = 0;

  function walk(value: PdfValue, inherited: Inherited): void {
    const number = refOf(value);
    if (number !== null) {
      if (seen.has(number)) throw new PdfSyntaxError('a form field stands in the form twice');
      seen.add(number);
    }
    if (++count > MAX_FIELDS || inherited.depth > MAX_DEPTH) throw new PdfSyntaxError('the form has too many fields');
    const field = file.resolve(value);
    if (field === undefined || field === null) return;
    if (!isDict(field)) throw new PdfSyntaxError('a form field is no dictionary');
    const partial = stringOf(file.resolve(field.get('T')));
    const here: Inherited = {
      name: partial === null ? inherited.name : [inherited.name, readText(partial)].filter(Boolean).join('.'),
      type: nameOf(file.resolve(field.get('FT'))) ?? inherited.type,
      value: field.get('V') ?? inherited.value,
      depth: inherited.depth + 1,
    };
    const kids = file.resolve(field.get('Kids'));
    const children = isArray(kids) ? kids : [];
    const widgets: number[] =
      nameOf(file.resolve(field.get('Subtype'))) === 'Widget' && number !== null ? [number] : [];
    let terminal = true;
    for (const kid of children) {
      const dict = file.resolve(kid);
      // A kid without a name of its own is only a widget of this field.
      if (isDict(dict) && !dict.has('T') && !dict.has('Kids')) {
        const widget = refOf(kid);
        if (widget !== null) widgets.push(widget);
        if (++count > MAX_FIELDS) throw new PdfSyntaxError('the form has too many fields');
        continue;
      }
      terminal = false;
      walk(kid, here);
    }
    if (!terminal || here.type !== 'Sig') return;
    found.push({ name: here.name, object: number, dict: field, widgets, signature: signatureOf(file, here.value) });
  }

  const fields = file.resolve(form?.get('Fields'));
  for (const value of isArray(fields) ? fields : []) {
    walk(value, { name: '', type: null, value: undefined, depth: 0 });
  }
  return found;
}

function signatureOf(file: PdfFile, value: PdfValue | undefined): FoundSignature | null {
  const dict = file.resolve(value);
  if (dict === undefined || dict === null) return null;
  if (!isDict(dict)) throw new PdfSyntaxError('a signature is no dictionary');
  return { object: refOf(value), dict };
}

/** What the transform parameters of a signature say. */
export interface SignaturePermissions {
  /** DocMDP P (§12.8.2.2): 1 nothing, 2 filling in and signing, 3 annotations, too; null without DocMDP. */
  readonly docMdp: number | null;
  /** FieldMDP (§12.8.2.4): the fields that it locks; null without one. */
  readonly fieldMdp: { readonly action: string; readonly fields: readonly string[] } | null;
}

/** @throws PdfSyntaxError when its Reference is broken */
export function permissionsOf(file: PdfFile, signature: PdfDict): SignaturePermissions {
  let docMdp: number | null = null;
  let fieldMdp: SignaturePermissions['fieldMdp'] = null;
  const references = file.resolve(signature.get('Reference'));
  for (const item of isArray(references) ? references : []) {
    const reference = file.resolve(item);
    if (!isDict(reference)) throw new PdfSyntaxError('a signature reference is no dictionary');
    const method = nameOf(file.resolve(reference.get('TransformMethod')));
    const parameters = file.resolve(reference.get('TransformParams'));
    const entries: PdfDict = isDict(parameters) ? parameters : new Map();
    if (method === 'DocMDP') {
      const permission = file.resolve(entries.get('P')) ?? 2;
      if (permission !== 1 && permission !== 2 && permission !== 3) throw new PdfSyntaxError('a broken DocMDP');
      docMdp = Math.min(docMdp ?? 3, permission);
    }
    if (method === 'FieldMDP') {
      const lock = readLock(file, entries);
      if (lock === null || fieldMdp !== null) throw new PdfSyntaxError('a broken FieldMDP');
      fieldMdp = lock;
    }
  }
  return { docMdp, fieldMdp };
}

/** Action and Fields of a FieldMDP or of a field's Lock (§12.7.5.5); null where it has none. @throws PdfSyntaxError */
export function readLock(file: PdfFile, lock: PdfDict): SignaturePermissions['fieldMdp'] {
  const action = nameOf(file.resolve(lock.get('Action')));
  const fields = file.resolve(lock.get('Fields'));
  if (action === null) return null;
  const names = (isArray(fields) ? fields : []).map(value => stringOf(file.resolve(value)));
  if (!['All', 'Include', 'Exclude'].includes(action) || names.includes(null)) {
    throw new PdfSyntaxError('a broken lock of fields');
  }
  return { action, fields: names.map(name => readText(name ?? '')) };
}

/** The certifying signature, which the catalog's Perms name (§12.8.2.2, §12.8.6); null where there is none. */
export function certification(file: PdfFile): FoundSignature | null {
  const permissions = file.resolve(file.dict(file.trailer.root).get('Perms'));
  if (!isDict(permissions)) return null;
  const value = permissions.get('DocMDP');
  return isRef(value) || isDict(value) ? signatureOf(file, value) : null;
}
