/** Puts the watermark and the places for paraphs on the document's own pages, over what they show. */
import { PDFArray, type PDFContext, type PDFDict, PDFName, type PDFRef, PDFStream } from '@cantoo/pdf-lib';
import { balanceOf } from './first-revision-balance.ts';
import type { FieldLayer, PlacedField } from './first-revision-fields.ts';
import type { FontBuilder } from './fonts.ts';
import type { LayoutPlan } from './layout.ts';
import { dictEntry, elements, entry } from './objects.ts';
import { geometryOf, onPage, type PageGeometry } from './page-geometry.ts';
import { type DrawnMarks, drawMarks } from './page-marks.ts';
import { PAGE_TEXTS } from './signature-page-texts.ts';

interface Page {
  readonly dict: PDFDict;
  readonly ref: PDFRef;
}

/** Bytes of a page's content that are looked at. */
const MAX_CONTENT = 32 << 20;

/**
 * @param fieldNames prefix of the paraph fields of each signatory
 * @returns for each signatory, the fields of the paraphs, one a page
 */
export function layOutMarks(
  context: PDFContext,
  pages: readonly Page[],
  plan: LayoutPlan,
  fonts: { readonly regular: FontBuilder; readonly bold: FontBuilder },
  fields: FieldLayer,
  fieldNames: readonly string[],
): PlacedField[][] {
  const wanted = plan.marks.paraphs && pages.length > 1 ? plan.signatories.map(({ name }) => name) : [];
  const paraphs: PlacedField[][] = plan.signatories.map(() => []);
  if (wanted.length === 0 && !plan.marks.watermark) return paraphs;
  const stamper = new Stamper(context, fonts);
  const label = PAGE_TEXTS[plan.language].paraphOf;
  pages.forEach((page, index) => {
    const geometry = geometryOf(page.dict);
    const { places } = stamper.stamp(page, geometry, () => drawMarks(geometry, plan, wanted, fonts));
    places.forEach(({ x, y, width, height }, signatory) => {
      const box = { page: index, ...rounded(onPage(geometry, x, y, width, height)) };
      const name = `${fieldNames[signatory]} page ${index + 1}`;
      paraphs[signatory]!.push(fields.button(name, `${label} ${wanted[signatory]}`, page.ref, box, geometry.rotation));
    });
  });
  return paraphs;
}

function rounded(box: { x: number; y: number; width: number; height: number }) {
  const round = (value: number) => Math.round(value * 100) / 100;
  return { x: round(box.x), y: round(box.y), width: round(box.width), height: round(box.height) };
}

/** Draws the same marks once for all pages of the same size, whatever way they are turned. */
class Stamper {
  readonly #context: PDFContext;
  readonly #fonts: { readonly regular: FontBuilder; readonly bold: FontBuilder };
  readonly #drawn = new Map<string, { readonly marks: DrawnMarks; readonly form: PDFRef }>();
  readonly #streams = new Map<string, PDFRef>();
  readonly #resources = new Map<PDFDict, Map<PDFRef, { readonly dict: PDFRef; readonly name: string }>>();

  constructor(context: PDFContext, fonts: { readonly regular: FontBuilder; readonly bold: FontBuilder }) {
    this.#context = context;
    this.#fonts = fonts;
  }

  stamp({ dict: page }: Page, geometry: PageGeometry, draw: () => DrawnMarks): DrawnMarks {
    const { width, height, unit, matrix } = geometry;
    const key = [width, height, unit].join();
    let drawn = this.#drawn.get(key);
    if (drawn === undefined) {
      const marks = draw();
      drawn = { marks, form: this.#form(marks.content, width, height) };
      this.#drawn.set(key, drawn);
    }
    const resources = this.#withForm(page, drawn.form);
    page.set(PDFName.of('Resources'), resources.dict);
    const contents = contentsOf(page);
    const balance = balanceOf(
      contents.map(({ stream }) => stream),
      MAX_CONTENT,
    );
    const place = `/Artifact BMC q ${matrix.map(decimal).join(' ')} cm /${resources.name} Do Q EMC`;
    const before = this.#stream('q\n'.repeat(balance.before));
    const after = this.#stream(`\n${'Q\n'.repeat(balance.after)}${place}\n`);
    page.set(PDFName.of('Contents'), this.#context.obj([before, ...contents.map(({ ref }) => ref), after]));
    return drawn.marks;
  }

  #form(content: string, width: number, height: number): PDFRef {
    const context = this.#context;
    const { regular, bold } = this.#fonts;
    return context.register(
      context.flateStream(content, {
        Type: 'XObject',
        Subtype: 'Form',
        BBox: [0, 0, width, height],
        Resources: { Font: { R: regular.ref, B: bold.ref } },
      }),
    );
  }

  #stream(source: string): PDFRef {
    const known = this.#streams.get(source);
    if (known) return known;
    const ref = this.#context.register(this.#context.stream(source));
    this.#streams.set(source, ref);
    return ref;
  }

  /** A copy of the page's resources, which other pages may share, with the marks among its XObjects. */
  #withForm(page: PDFDict, form: PDFRef): { readonly dict: PDFRef; readonly name: string } {
    const context = this.#context;
    const old = dictEntry(page, 'Resources') ?? context.obj({});
    const copies = this.#resources.get(old) ?? new Map();
    this.#resources.set(old, copies);
    const known = copies.get(form);
    if (known) return known;
    const copy = old.clone();
    const xObjects = (dictEntry(old, 'XObject') ?? context.obj({})).clone();
    let name = 'Marks';
    for (let number = 2; xObjects.has(PDFName.of(name)); number++) name = `Marks${number}`;
    xObjects.set(PDFName.of(name), form);
    copy.set(PDFName.of('XObject'), xObjects);
    const made = { dict: context.register(copy), name };
    copies.set(form, made);
    return made;
  }
}

function contentsOf(page: PDFDict): { ref: PDFRef; stream: PDFStream }[] {
  const { context } = page;
  const contents = entry(page, 'Contents');
  const streams = contents instanceof PDFArray ? elements(page, 'Contents') : [contents];
  return streams
    .filter(stream => stream instanceof PDFStream)
    .map(stream => ({ stream, ref: context.getObjectRef(stream) ?? context.register(stream) }));
}

function decimal(value: number): string {
  return value.toFixed(5).replace(/\.?0+$/, '');
}
