/**
 * What only a printer would show, in place of what people see before they sign: alternate images (ISO 32000-2
 * §8.9.5.4), files that a print shop swaps in (OPI, §14.11.7), PostScript (ISO 32000-1 §8.8.2). It goes.
 */
import { type PDFContext, PDFName, type PDFObject, PDFStream } from '@cantoo/pdf-lib';
import { nameEntry } from './objects.ts';

const VARIANTS = ['Alternates', 'OPI', 'PS', 'Subtype2'];

export function removePrintVariants(context: PDFContext): void {
  for (const [, object] of context.enumerateIndirectObjects()) {
    if (!(object instanceof PDFStream)) continue;
    const kind = nameEntry(object.dict, 'Subtype');
    if (kind === 'Image' || kind === 'Form') for (const key of VARIANTS) object.dict.delete(PDFName.of(key));
  }
}

/** An XObject that viewers skip and printers run. */
export function isPostScript(object: PDFObject): boolean {
  return object instanceof PDFStream && nameEntry(object.dict, 'Subtype') === 'PS';
}
