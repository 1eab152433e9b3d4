/**
 * The revision that fills a signature field (ISO 32000-1 §12.7.4.5, §12.8; ETSI EN 319 142-1 §5): its value, its lock as
 * FieldMDP transform, its appearance, and those of the signer's paraphs; nothing else changes. The gateway writes it; the device that is to sign writes
 * it again from what it read and compares. Runs in browsers.
 */
import type { PdfFile } from './file/file.ts';
import { PdfSyntaxError } from './file/parser.ts';
import { dict, isDict, name, nameOf, octets, type PdfDict, type PdfValue, ref, textString } from './file/values.ts';
import { type AddedField, addedField } from './increment-field.ts';
import { extendForm } from './increment-form.ts';
import { lockedBeside, type ParaphFilling, paraphObjects, paraphShapes } from './increment-paraphs.ts';
import { type NewObject, writeIncrement } from './increment-writer.ts';
import { boxOf } from './widget-box.ts';

/** Room for a CMS with its certificates and a timestamp token of an outside authority. */
export const CONTENTS_BYTES = 16384;
/** Contents before it is signed. */
export const ZEROED = '00'.repeat(CONTENTS_BYTES);

export type ByteRange = readonly [number, number, number, number];

export interface Appearance {
  /** The content stream: F1 is the regular font, F2 the bold one. */
  readonly content: Uint8Array;
  /** Object numbers of the fonts; null where the content has only paths. */
  readonly fonts: { readonly regular: number; readonly bold: number } | null;
}

export interface Filling {
  /** Object number of the signature field, or a field that comes with its signature. */
  readonly field: number | AddedField;
  /** The signer's name, in the signature dictionary. */
  readonly signer: string;
  /** PDF date with its UTC offset. */
  readonly time: string;
  /** Null for an invisible field. */
  readonly appearance: Appearance | null;
  /** Where the signer has places for paraphs, and fills them. */
  readonly paraphs?: ParaphFilling;
  /** Hexadecimal digits of Contents. */
  readonly contents: string;
  /** Second part of the file identifier: 16 octets as characters. */
  readonly id: string;
}

export interface SignedIncrement {
  readonly appended: Uint8Array<ArrayBuffer>;
  readonly byteRange: ByteRange;
}

/** Locks the fields that the field's Lock names (§12.7.4.5, FieldMDP). */
export function fillSignature(file: PdfFile, filling: Filling): SignedIncrement {
  const number = file.trailer.size;
  if (typeof filling.field !== 'number') return addSignature(file, filling, filling.field);
  const field = emptySignatureField(file, filling.field);
  const objects: NewObject[] = [];
  if (filling.appearance !== null) objects.push(appearanceObject(number + 1, field, filling.appearance));
  objects.push({ number: filling.field, value: filledField(field, number, filling.appearance && number + 1) });
  const { paraphs } = filling;
  if (paraphs !== undefined) {
    const shapes = paraphShapes(file, lockedBeside(file, field), paraphs.buttons);
    objects.push(...paraphObjects(shapes, paraphs.contents, number + 1 + (filling.appearance === null ? 0 : 1)));
  }
  return writeSigned(file, objects, {
    number,
    type: 'Sig',
    subFilter: 'ETSI.CAdES.detached',
    contents: filling.contents,
    id: filling.id,
    rest: signerEntries(filling, fieldMdp(file, field)),
  });
}

function addSignature(file: PdfFile, filling: Filling, added: AddedField): SignedIncrement {
  const number = file.trailer.size;
  const field = addedField(file, added, number);
  // SignaturesExist, AppendOnly (ISO 32000-2 table 225).
  const form = extendForm(file, [number + 1], 3);
  return writeSigned(file, [...form, { number: number + 1, value: field }], {
    number,
    type: 'Sig',
    subFilter: 'ETSI.CAdES.detached',
    contents: filling.contents,
    id: filling.id,
    rest: signerEntries(filling, fieldMdp(file, field)),
  });
}

/** The first signature: certifies the file so that only form filling and signing may follow (DocMDP, §12.8.2.2). */
export function certify(file: PdfFile, filling: Filling): SignedIncrement {
  if (typeof filling.field !== 'number') throw new RangeError('a certifying seal fills a field of the document');
  const field = emptySignatureField(file, filling.field);
  const number = file.trailer.size;
  const { root } = file.trailer;
  const reference = dict({
    Type: name('SigRef'),
    TransformMethod: name('DocMDP'),
    TransformParams: dict({ Type: name('TransformParams'), P: 2, V: name('1.2') }),
  });
  const objects: NewObject[] = [
    { number: filling.field, value: filledField(field, number, filling.appearance && number + 1) },
    { number: root, value: new Map([...file.dict(root), ['Perms', dict({ DocMDP: ref(number) })]]) },
  ];
  if (filling.appearance !== null) objects.push(appearanceObject(number + 1, field, filling.appearance));
  return writeSigned(file, objects, {
    number,
    type: 'Sig',
    subFilter: 'ETSI.CAdES.detached',
    contents: filling.contents,
    id: filling.id,
    rest: signerEntries(filling, reference),
  });
}

export interface SignatureValue {
  readonly number: number;
  readonly type: 'Sig' | 'DocTimeStamp';
  readonly subFilter: 'ETSI.CAdES.detached' | 'ETSI.RFC3161';
  readonly contents: string;
  readonly id: string;
  readonly rest: PdfDict;
}

const RANGE_WIDTH = '[0 9999999999 9999999999 9999999999]'.length;

/** Writes an increment with a signature dictionary whose ByteRange covers all of the new file but its Contents. */
export function writeSigned(file: PdfFile, objects: readonly NewObject[], signature: SignatureValue): SignedIncrement {
  const value: PdfDict = new Map<string, PdfValue>([
    ['Type', name(signature.type)],
    ['Filter', name('Adobe.PPKLite')],
    ['SubFilter', name(signature.subFilter)],
    ['ByteRange', { raw: '#'.repeat(RANGE_WIDTH) }],
    ['Contents', { raw: `<${signature.contents}>` }],
    ...signature.rest,
  ]);
  const { appended, offsets } = writeIncrement(file, [...objects, { number: signature.number, value }], signature.id);
  const start = (offsets.get(signature.number) as number) - file.bytes.length;
  const gap = appended.indexOf('<'.charCodeAt(0), appended.indexOf('#'.charCodeAt(0), start));
  const first = file.bytes.length + gap;
  const second = first + signature.contents.length + 2;
  const byteRange: ByteRange = [0, first, second, file.bytes.length + appended.length - second];
  appended.set(octets(`[${byteRange.join(' ')}]`.padEnd(RANGE_WIDTH)), appended.indexOf('#'.charCodeAt(0), start));
  return { appended, byteRange };
}

/** The field's dictionary. @throws PdfSyntaxError unless it is an unsigned signature field that is its own widget */
export function emptySignatureField(file: PdfFile, number: number): PdfDict {
  const field = file.dict(number);
  if (nameOf(field.get('FT')) !== 'Sig' || nameOf(field.get('Subtype')) !== 'Widget') {
    throw new PdfSyntaxError(`object ${number} is no signature field`);
  }
  if (field.has('V')) throw new PdfSyntaxError('this field is signed already');
  return field;
}

function filledField(field: PdfDict, value: number, appearance: number | null): PdfDict {
  const entries = new Map([...field, ['V', ref(value)]]);
  if (appearance !== null) entries.set('AP', dict({ N: ref(appearance) }));
  return entries;
}

/** A form XObject exactly as big as the field, so that a viewer neither scales it nor shows what leaves it (§12.5.5). */
function appearanceObject(number: number, field: PdfDict, { content, fonts }: Appearance): NewObject {
  const { width, height } = boxOf(field);
  const value = dict({
    Type: name('XObject'),
    Subtype: name('Form'),
    BBox: [0, 0, width, height],
    Resources: dict({ Font: fonts === null ? undefined : dict({ F1: ref(fonts.regular), F2: ref(fonts.bold) }) }),
  });
  return { number, value, stream: content };
}

function signerEntries({ time, signer }: Filling, reference: PdfDict | null): PdfDict {
  return dict({
    M: { string: time },
    Name: textString(signer),
    Reference: reference === null ? undefined : [reference],
  });
}

/** Null where the field locks nothing: one that others laid down. */
function fieldMdp(file: PdfFile, field: PdfDict): PdfDict | null {
  const lock = file.resolve(field.get('Lock'));
  if (lock === undefined) return null;
  if (!isDict(lock)) throw new PdfSyntaxError('the lock of a signature field is no dictionary');
  return dict({
    Type: name('SigRef'),
    TransformMethod: name('FieldMDP'),
    TransformParams: dict({
      Type: name('TransformParams'),
      Action: lock.get('Action'),
      Fields: lock.get('Fields'),
      V: name('1.2'),
    }),
    Data: file.trailer.rootRef,
  });
}

const two = (value: number) => String(value).padStart(2, '0');

/** A PDF date (§7.9.4) with its offset. @param utcOffset minutes east of UTC */
export function pdfDate(time: Date, utcOffset: number): string {
  const local = new Date(time.getTime() + utcOffset * 60_000).toISOString();
  const offset = Math.abs(utcOffset);
  const sign = utcOffset < 0 ? '-' : '+';
  return `D:${local.slice(0, 19).replace(/[-T:]/g, '')}${sign}${two(Math.floor(offset / 60))}'${two(offset % 60)}'`;
}

/** Reads what pdfDate wrote; null where it is anything else. */
export function readPdfDate(text: string): { readonly time: Date; readonly utcOffset: number } | null {
  const match = text.match(/^D:(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)([+-])(\d\d)'(\d\d)'$/);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const utcOffset = (match[7] === '-' ? -1 : 1) * (Number(match[8]) * 60 + Number(match[9]));
  const time = new Date(Date.UTC(year, month - 1, day, hour, minute, second) - utcOffset * 60_000);
  return pdfDate(time, utcOffset) === text ? { time, utcOffset } : null;
}
