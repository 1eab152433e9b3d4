/**
 * The document timestamp (ETSI EN 319 142-1 §5.4.3): an RFC 3161 token over the whole file, in a signature field of its
 * own. The field is new and invisible and stands on no page: the one field that may come after DocMDP P=2 and a
 * FieldMDP that locks all (ISO 32000-2 §12.8.5).
 */

import type { PdfFile } from './file/file.ts';
import { dict, name, type PdfDict, ref } from './file/values.ts';
import { renewedId } from './increment.ts';
import { extendForm } from './increment-form.ts';
import { type SignedIncrement, writeSigned, ZEROED } from './increment-signature.ts';

/** Widget flags Print and Locked (ISO 32000-1 §12.5.3). */
const FLAGS = 4 + 128;

/** @throws PdfSyntaxError */
export function appendTimestampField(file: PdfFile): SignedIncrement {
  const field = file.trailer.size;
  const widget: PdfDict = dict({
    Type: name('Annot'),
    Subtype: name('Widget'),
    FT: name('Sig'),
    T: { string: `Timestamp${field}` },
    Rect: [0, 0, 0, 0],
    F: FLAGS,
    V: ref(field + 1),
  });
  return writeSigned(file, [...extendForm(file, [field]), { number: field, value: widget }], {
    number: field + 1,
    type: 'DocTimeStamp',
    subFilter: 'ETSI.RFC3161',
    contents: ZEROED,
    id: renewedId(file, 'DocTimeStamp', String(file.bytes.length)),
    rest: dict({}),
  });
}
