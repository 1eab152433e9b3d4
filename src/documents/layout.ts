/**
 * What the first revision lays down for later ones (DESIGN.md decisions 6 and 7): plain JSON kept with the
 * request, so that a later revision needs no parse of the whole file.
 */

/** Rectangle in PDF points, lower-left origin: x, y of the lower left corner, width, height. */
export interface Box {
  readonly page: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A signature field: one merged field/widget dictionary, an indirect object of the first revision. */
export interface SignatureField {
  /** Fully qualified field name (T). */
  readonly name: string;
  /** Object number of the field/widget dictionary (generation 0). */
  readonly object: number;
  /** Object number of the page that shows it. */
  readonly pageObject: number;
  /** Where it stands; null for an invisible field. */
  readonly box: Box | null;
}

/** The embedded subset font that appearances draw with: a Type0 font, Identity-H, of the first revision. */
export interface LayoutFont {
  readonly object: number;
  /** Character → [glyph id as 4 hex digits, advance width in 1/1000 em]. Holds every character an appearance can need. */
  readonly glyphs: Readonly<Record<string, readonly [string, number]>>;
}

export interface DocumentLayout {
  /** The certifying seal (DocMDP P=2). */
  readonly seal: SignatureField;
  /** One per signatory, in the order of the request's sessions. */
  readonly signatories: readonly SignatureField[];
  /** The company's closing seal, which locks all fields. */
  readonly closing: SignatureField;
  readonly regular: LayoutFont;
  readonly bold: LayoutFont;
  /** Object numbers that later increments touch. */
  readonly catalogObject: number;
  readonly acroFormObject: number;
  /** Of the texts in signature appearances, set by the pipeline from the plan; English where absent. */
  readonly language?: LayoutPlan['language'];
}

/** What the first revision must carry; texts are already in their language. */
export interface LayoutPlan {
  readonly company: { readonly name: string; readonly vat: string | null };
  readonly requestId: string;
  readonly level: string;
  readonly signatories: readonly { readonly name: string; readonly title: string | null }[];
  readonly language: 'en' | 'fr' | 'de';
  /** Creation and modification date of the new revision. */
  readonly date: Date;
}
