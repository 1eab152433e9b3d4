/**
 * Lays down the fields that later revisions fill (ISO 32000-2 §12.7): signature fields, and push buttons whose
 * appearance becomes a paraph.
 */
import { PDFArray, type PDFContext, PDFDict, PDFHexString, PDFName, type PDFRef, PDFString } from '@cantoo/pdf-lib';
import type { FontBuilder } from './fonts.ts';
import type { Box } from './layout.ts';
import { entry } from './objects.ts';
import type { Rotation } from './page-geometry.ts';
import { printable } from './text-fitting.ts';

export interface PlacedField {
  readonly name: string;
  readonly ref: PDFRef;
  readonly page: PDFRef;
  /** Null for an invisible field. */
  readonly box: Box | null;
}

/** What a signature locks when it is made (§12.7.5.5): every field, or these. */
export type Lock = 'all' | readonly string[] | null;

/** Print, Locked (table 167). */
const FLAGS = 132;
/** Pushbutton (table 229). */
const PUSH_BUTTON = 1 << 16;

type Entries = { [name: string]: string | number | PDFRef | undefined | { [name: string]: number } };

export class FieldLayer {
  readonly #context: PDFContext;
  readonly #fields: PlacedField[] = [];

  constructor(context: PDFContext) {
    this.#context = context;
  }

  signature(name: string, label: string, page: PDFRef, box: Box | null, lock: Lock): PlacedField {
    const context = this.#context;
    const dict = lock && {
      Type: 'SigFieldLock',
      ...(lock === 'all' ? { Action: 'All' } : { Action: 'Include', Fields: lock.map(field => PDFString.of(field)) }),
    };
    return this.#add(name, label, page, box, {
      FT: 'Sig',
      Lock: dict ? context.register(context.obj(dict)) : undefined,
    });
  }

  /** @param rotation of the page: what is drawn later has to be turned against it (table 192, R) */
  button(name: string, label: string, page: PDFRef, box: Box, rotation: Rotation): PlacedField {
    return this.#add(name, label, page, box, {
      FT: 'Btn',
      Ff: PUSH_BUTTON,
      MK: rotation === 0 ? undefined : { R: rotation },
    });
  }

  /** Puts the fields on their pages and into a form. Returns the form. */
  finish(fonts: readonly [regular: FontBuilder, bold: FontBuilder]): PDFRef {
    const context = this.#context;
    const byPage = new Map<PDFRef, PDFRef[]>();
    for (const { page, ref } of this.#fields) byPage.set(page, [...(byPage.get(page) ?? []), ref]);
    for (const [page, refs] of byPage) {
      const dict = context.lookup(page, PDFDict);
      const found = entry(dict, 'Annots');
      dict.set(PDFName.of('Annots'), context.obj([...(found instanceof PDFArray ? found.asArray() : []), ...refs]));
    }
    const [regular, bold] = fonts;
    return context.register(
      context.obj({
        Fields: this.#fields.map(field => field.ref),
        // SignaturesExist, AppendOnly (table 225).
        SigFlags: 3,
        DR: { Font: { R: regular.ref, B: bold.ref } },
        DA: PDFString.of('/R 9 Tf 0 g'),
      }),
    );
  }

  #add(name: string, label: string, page: PDFRef, box: Box | null, entries: Entries) {
    const context = this.#context;
    const { x, y, width, height } = box ?? { x: 0, y: 0, width: 0, height: 0 };
    const appearance = context.stream('', { Type: 'XObject', Subtype: 'Form', BBox: [0, 0, width, height] });
    const ref = context.register(
      context.obj({
        Type: 'Annot',
        Subtype: 'Widget',
        T: PDFString.of(name),
        TU: PDFHexString.fromText(printable(label)),
        Rect: [x, y, x + width, y + height],
        F: FLAGS,
        P: page,
        AP: { N: context.register(appearance) },
        ...entries,
      }),
    );
    const field = { name, ref, page, box };
    this.#fields.push(field);
    return field;
  }
}
