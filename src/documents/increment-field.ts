/**
 * A signature field that comes with its signature, for documents whose earlier signatures leave no other way: certified
 * ones, and those whose fields are all locked. It is invisible and stands on no page, as a document timestamp's field;
 * nothing that is locked or certified changes (ISO 32000-2 §12.8.2.2, §12.8.2.4). Runs in browsers.
 */
import { signatureFields } from './file/fields.ts';
import type { PdfFile } from './file/file.ts';
import { PdfSyntaxError } from './file/parser.ts';
import { dict, name, type PdfDict, ref, textString } from './file/values.ts';

export interface AddedField {
  /** Without dots, and not the name of another field. */
  readonly name: string;
  /** What the signature locks: its own field, or all fields. */
  readonly lock: 'self' | 'all';
}

/** Annotation flags Print and Locked (table 167). */
const FLAGS = 4 + 128;

/** @param signature object number of its value. @throws PdfSyntaxError when there is such a field already */
export function addedField(file: PdfFile, added: AddedField, signature: number): PdfDict {
  const title = added.name;
  if (title === '' || title.includes('.') || signatureFields(file).some(field => field.name === title)) {
    throw new PdfSyntaxError('a second field of the same name');
  }
  const lock =
    added.lock === 'all' ? { Action: name('All') } : { Action: name('Include'), Fields: [textString(title)] };
  return dict({
    Type: name('Annot'),
    Subtype: name('Widget'),
    FT: name('Sig'),
    T: textString(title),
    Rect: [0, 0, 0, 0],
    F: FLAGS,
    Lock: dict({ Type: name('SigFieldLock'), ...lock }),
    V: ref(signature),
  });
}
