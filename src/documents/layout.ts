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
  /** Object number of the field/widget dictionary (generation 0); 0 for an invisible one that comes with its signature. */
  readonly object: number;
  /** Object number of the page that shows it; 0 for one that stands on no page. */
  readonly pageObject: number;
  /** Where it stands; null for an invisible field. */
  readonly box: Box | null;
}

/** How a signatory signs: `standard` draws and approves, the company's seal key signs; `advanced` signs with an own key. */
export type SignatoryLevel = 'standard' | 'advanced';

/** One place of a signatory's paraph, at the foot of one page: a widget of the signatory's push-button field. */
export interface ParaphPlace {
  /** Object number of the widget dictionary (generation 0), which that signatory's revision rewrites with an appearance. */
  readonly object: number;
  /** Object number of the page that shows it. */
  readonly pageObject: number;
  /** `page` counts from 0; width and height are as stored, before the page is turned. */
  readonly box: Box;
}

/** What one signatory's revision fills. */
export interface SignatoryField extends SignatureField {
  readonly level: SignatoryLevel;
  /** One per page where the plan asks for paraphs and the document has more than one page; else empty. */
  readonly paraphs: readonly ParaphPlace[];
}

/** The embedded subset font that appearances draw with: a Type0 font, Identity-H, of the first revision. */
export interface LayoutFont {
  readonly object: number;
  /** Character → [glyph id as 4 hex digits, advance width in 1/1000 em]. Holds every character an appearance can need. */
  readonly glyphs: Readonly<Record<string, readonly [string, number]>>;
}

/** In files without fonts of ours: text is drawn as outlines. */
export const NO_FONT: LayoutFont = { object: 0, glyphs: {} };

export interface DocumentLayout {
  /** The certifying seal (DocMDP P=2); null in a document that arrived signed. */
  readonly seal: SignatureField | null;
  /** One per signatory, in the order of the request's sessions. */
  readonly signatories: readonly SignatoryField[];
  /** The company's closing seal, which locks all fields. */
  readonly closing: SignatureField;
  readonly regular: LayoutFont;
  readonly bold: LayoutFont;
  /** Object numbers that later increments touch. */
  readonly catalogObject: number;
  readonly acroFormObject: number;
  /** Of signatures and paraphs: black where colours of other kinds than RGB are promised (PDF/A, PDF/X), or where absent. */
  readonly ink?: 'blue' | 'black';
  /** Of the texts in signature appearances, set by the pipeline from the plan; English where absent. */
  readonly language?: LayoutPlan['language'];
}

export interface PlannedSignatory {
  readonly name: string;
  /** Job title, for the signature page. */
  readonly title: string | null;
  readonly level: SignatoryLevel;
}

/** What the first revision adds to the document's own pages. */
export interface PlannedMarks {
  /** A page with a box per signatory and one for the seal; without it the signatures are invisible. */
  readonly signaturePage: boolean;
  /** A row of places at the foot of every page of a document with more than one page, one per signatory. */
  readonly paraphs: boolean;
  /** A line with the company's name and VAT number at the top of every page. */
  readonly watermark: boolean;
}

/** What the first revision must carry; texts of its own are in `language`. */
export interface LayoutPlan {
  readonly company: { readonly name: string; readonly vat: string | null };
  readonly requestId: string;
  /** In the order of the request's sessions; levels may differ. */
  readonly signatories: readonly PlannedSignatory[];
  readonly marks: PlannedMarks;
  readonly language: 'en' | 'fr' | 'de';
  /** Creation and modification date of the new revision. */
  readonly date: Date;
}
