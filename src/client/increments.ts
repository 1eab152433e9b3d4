/**
 * What was appended to a document since a device read it (DESIGN.md decision 5). Only one kind of revision passes: a
 * signature field that was there, empty, is filled; or, in a document that arrived signed and allows nothing else, an
 * invisible one comes with its signature. To be sure that nothing hides in it, the few free things (which
 * field, name, time, signature, drawing) are read from it, the whole revision is written again from them by the
 * gateway's own writer, and every byte must be the same: no other object, no second definition, no other
 * cross-reference table, comment, stream or trailer can stand there.
 */
import { openFile, type PdfFile } from '../documents/file/file.ts';
import { type PdfObject, PdfSyntaxError, parseDict, parseObject } from '../documents/file/parser.ts';
import {
  characters,
  isArray,
  isDict,
  nameOf,
  type PdfDict,
  type PdfValue,
  readText,
  refOf,
  stringOf,
} from '../documents/file/values.ts';
import type { AddedField } from '../documents/increment-field.ts';
import { lockedBeside, type ParaphFilling, paraphShapes } from '../documents/increment-paraphs.ts';
import {
  type Appearance,
  type ByteRange,
  CONTENTS_BYTES,
  emptySignatureField,
  type Filling,
  fillSignature,
  readPdfDate,
} from '../documents/increment-signature.ts';
import { boxOf } from '../documents/widget-box.ts';
import { equalBytes } from './der.ts';

/** What was appended is not what it should be; `message` says why. Nothing may be signed. */
export class Tampered extends Error {
  override readonly name = 'Tampered';
}

/** One revision that fills a signature field. */
export interface AppendedRevision {
  /** The field's name, and its object number; 0 for an invisible one that comes with the signature. */
  readonly field: string;
  readonly fieldObject: number;
  /** Object numbers of the push buttons that show the signer's paraph from now on. */
  readonly paraphObjects: readonly number[];
  /** Object number of the page that shows it. */
  readonly pageObject: number | null;
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  /** The signer as the signature names them. */
  readonly signer: string;
  readonly signingTime: Date;
  /** Minutes east of UTC. */
  readonly utcOffset: number;
  readonly byteRange: ByteRange;
  /** False while Contents is still zeroed. */
  readonly signed: boolean;
  /** Length of the file with this revision. */
  readonly end: number;
}

/** No signature of ours is bigger than this; a bigger field could hide what is under it. */
const LARGEST_FIELD = { width: 600, height: 240 };
/** Nor a paraph than this, whichever way its page is turned. */
const LARGEST_PARAPH = { long: 240, short: 80 };
/** Pages of a document, more or less: a paraph stands on each. */
const MAX_OBJECTS = 20_000;

/** Reads every revision in `whole` after its first `known` octets. @throws Tampered */
export function readAppended(whole: Uint8Array, known: number): AppendedRevision[] {
  const revisions: AppendedRevision[] = [];
  try {
    for (let end = known; end < whole.length; ) {
      const revision = readRevision(openFile(whole.subarray(0, end)), whole);
      revisions.push(revision);
      end = revision.end;
    }
  } catch (error) {
    if (error instanceof PdfSyntaxError) throw new Tampered(error.message);
    throw error;
  }
  return revisions;
}

function readRevision(file: PdfFile, whole: Uint8Array): AppendedRevision {
  const { objects, trailer } = readObjects(file, whole);
  const { size } = file.trailer;
  const added = readAddedField(objects.find(({ number }) => number === size + 1));
  if (added !== null) return readAddition(file, whole, added, objects, trailer);
  const { field, buttons } = readChanged(file, objects);
  const old = emptySignatureField(file, field);
  const box = boxOf(old);
  if (box.width > LARGEST_FIELD.width || box.height > LARGEST_FIELD.height) {
    throw new Tampered('a signature field is too big');
  }

  const appearance = readAppearance(
    file,
    objects.find(({ number, value }) => number === size + 1 && isDict(value) && value.has('Resources')),
  );
  const paraphs = readParaphs(file, old, buttons, objects, size + 1 + (appearance === null ? 0 : 1));
  const filling: Filling = {
    field,
    ...readSignature(objects.find(object => object.number === size)),
    appearance,
    ...(paraphs ? { paraphs } : {}),
    id: readId(trailer),
  };
  return {
    field: readText(stringOf(old.get('T')) ?? ''),
    fieldObject: field,
    paraphObjects: buttons,
    pageObject: refOf(old.get('P')),
    box,
    ...writtenAgain(file, whole, filling),
  };
}

/** A field that comes with its signature shows nothing. */
function readAddition(
  file: PdfFile,
  whole: Uint8Array,
  added: AddedField,
  objects: readonly PdfObject[],
  trailer: PdfDict,
): AppendedRevision {
  const signature = readSignature(objects.find(({ number }) => number === file.trailer.size));
  return {
    field: added.name,
    fieldObject: 0,
    paraphObjects: [],
    pageObject: null,
    box: { x: 0, y: 0, width: 0, height: 0 },
    ...writtenAgain(file, whole, { field: added, ...signature, appearance: null, id: readId(trailer) }),
  };
}

/** Null unless the object is a new signature field; whatever it says but its name must be what the writer says. */
function readAddedField(object: PdfObject | undefined): AddedField | null {
  const value = object?.value;
  if (!isDict(value) || nameOf(value.get('FT')) !== 'Sig') return null;
  return { name: readText(stringOf(value.get('T')) ?? ''), lock: 'self' };
}

/** Writes the revision again from what was read. @throws Tampered unless every byte is the same */
function writtenAgain(file: PdfFile, whole: Uint8Array, filling: Filling) {
  const time = readPdfDate(filling.time);
  if (time === null) throw new Tampered('the signing time is no date');
  const { appended, byteRange } = fillSignature(file, filling);
  const start = file.bytes.length;
  const end = start + appended.length;
  if (!equalBytes(appended, whole.subarray(start, end))) {
    throw new Tampered('what was appended is more or other than a signature');
  }
  return {
    signer: filling.signer,
    signingTime: time.time,
    utcOffset: time.utcOffset,
    byteRange,
    signed: !/^0*$/.test(filling.contents),
    end,
  };
}

/** Which objects of `file` the revision rewrites: one signature field, and push buttons. What they are is in `file`. */
function readChanged(file: PdfFile, objects: readonly PdfObject[]): { field: number; buttons: readonly number[] } {
  const changed = objects.map(({ number }) => number).filter(number => number < file.trailer.size);
  const isButton = (number: number) => nameOf(file.dict(number).get('FT')) === 'Btn';
  const [field, ...more] = changed.filter(number => !isButton(number));
  if (field === undefined || more.length > 0)
    throw new Tampered('other objects than one signature field and its paraphs are changed');
  return { field, buttons: changed.filter(isButton) };
}

/** The drawings in the push buttons that the signature field locks: in all of them, or in none. */
function readParaphs(
  file: PdfFile,
  field: PdfDict,
  buttons: readonly number[],
  objects: readonly PdfObject[],
  first: number,
): ParaphFilling | null {
  if (buttons.length === 0) return null;
  const shapes = paraphShapes(file, lockedBeside(file, field), buttons);
  const contents = shapes.map(({ width, height }, index) => {
    if (Math.max(width, height) > LARGEST_PARAPH.long || Math.min(width, height) > LARGEST_PARAPH.short) {
      throw new Tampered('a place for a paraph is too big');
    }
    const stream = objects.find(({ number }) => number === first + index)?.stream ?? null;
    if (stream === null || !draws(stream, PATHS)) throw new Tampered('a paraph is more than lines');
    return stream;
  });
  return { buttons, contents };
}

/** The objects of the revision after `file`, and the dictionary of its trailer or cross-reference stream. */
function readObjects(file: PdfFile, whole: Uint8Array): { objects: readonly PdfObject[]; trailer: PdfDict } {
  const objects: PdfObject[] = [];
  let position = file.bytes.length;
  if (file.bytes.at(-1) !== 0x0a) position++;
  while (characters(whole.subarray(position, position + 5)) !== 'xref\n') {
    const object = parseObject(whole, position);
    const { value } = object;
    if (isDict(value) && nameOf(value.get('Type')) === 'XRef') return { objects, trailer: value };
    if (objects.length === MAX_OBJECTS) throw new Tampered('what was appended has more objects than a signature');
    objects.push(object);
    position = object.end;
  }
  return { objects, trailer: parseDict(whole, afterTable(whole, position)).value };
}

/** Where the trailer dictionary after the cross-reference table at `position` stands (ISO 32000-1 §7.5.4). */
function afterTable(whole: Uint8Array, position: number): number {
  const here = (at: number) => characters(whole.subarray(at, at + 32));
  let at = position + 'xref\n'.length;
  for (
    let section = here(at).match(/^\d{1,10} (\d{1,7})\n/);
    section;
    section = here(at).match(/^\d{1,10} (\d{1,7})\n/)
  ) {
    at += section[0].length + 20 * Number(section[1]);
  }
  if (!here(at).startsWith('trailer\n')) throw new Tampered('what was appended has no trailer');
  return at + 'trailer\n'.length;
}

function readSignature(object: PdfObject | undefined): Pick<Filling, 'signer' | 'time' | 'contents'> {
  const value = object?.value;
  if (!isDict(value)) throw new Tampered('what was appended has no signature');
  const contents = stringOf(value.get('Contents'));
  const time = stringOf(value.get('M'));
  const signer = stringOf(value.get('Name'));
  if (contents === null || time === null || signer === null || contents.length !== CONTENTS_BYTES) {
    throw new Tampered('the signature dictionary is not one of ours');
  }
  let hex = '';
  for (let i = 0; i < contents.length; i++) hex += contents.charCodeAt(i).toString(16).padStart(2, '0');
  return { contents: hex.toUpperCase(), time, signer: readText(signer) };
}

/** One operator of a drawing a line: paths and colours. */
const PATHS = /^(?:-?\d{1,5}(?:\.\d{1,5})? )*(?:q|Q|w|J|j|rg|RG|g|G|m|l|c|h|re|f|f\*|S|B|W n)$/;
/** The same and text in the two fonts; no pictures, no other objects. */
const DRAWING = new RegExp(
  `${PATHS.source}|${/^(?:-?\d{1,5}(?:\.\d{1,5})? )*(?:BT|ET|Td|Tc)$|^\/F[12] \d{1,3}(?:\.\d{1,5})? Tf$|^<(?:[0-9A-F]{4})+> Tj$/.source}`,
);

function draws(stream: Uint8Array, operators: RegExp): boolean {
  return characters(stream)
    .split('\n')
    .every(line => operators.test(line));
}

function readAppearance(file: PdfFile, object: PdfObject | undefined): Appearance | null {
  if (object === undefined) return null;
  const { value, stream } = object;
  if (!isDict(value) || stream === null) throw new Tampered('the appearance of a signature is not one of ours');
  const resources = value.get('Resources');
  const fonts = isDict(resources) ? resources.get('Font') : undefined;
  if (!draws(stream, fonts === undefined ? PATHS : DRAWING)) {
    throw new Tampered('the appearance of a signature draws more than lines and text');
  }
  if (fonts === undefined) return { content: stream, fonts: null };
  if (!isDict(fonts)) throw new Tampered('the appearance of a signature is not one of ours');
  return {
    content: stream,
    fonts: { regular: readFont(file, fonts.get('F1')), bold: readFont(file, fonts.get('F2')) },
  };
}

/** A font that the reader had already. */
function readFont(file: PdfFile, value: PdfValue | undefined): number {
  const number = refOf(value);
  const font = number === null ? undefined : file.dict(number);
  if (number === null || nameOf(font?.get('Type')) !== 'Font' || nameOf(font?.get('Subtype')) !== 'Type0') {
    throw new Tampered('the appearance of a signature uses another font');
  }
  return number;
}

/** The renewed second part of the file identifier: free, but 16 octets. */
function readId(trailer: PdfDict): string {
  const id = trailer.get('ID');
  const second = isArray(id) ? stringOf(id[1]) : '';
  if (second === null || (id !== undefined && second.length !== 16))
    throw new Tampered('the trailer is not one of ours');
  return second;
}
