/**
 * One signature of a PDF in its place (ISO 32000-2 §12.8.1, ETSI EN 319 142-1 §5): its ByteRange must cover the whole of
 * the revision that it stands in, all but exactly its own Contents.
 */
import { type FoundField, permissionsOf, readLock } from '../../documents/file/fields.ts';
import type { FoundObject, PdfFile } from '../../documents/file/file.ts';
import { PdfSyntaxError, parseObject } from '../../documents/file/parser.ts';
import type { Revision } from '../../documents/file/revisions.ts';
import {
  isArray,
  isDict,
  nameOf,
  octets,
  type PdfDict,
  type PdfValue,
  readText,
  stringOf,
} from '../../documents/file/values.ts';
import { cleanLine } from '../../outbound/clean.ts';
import { DerError } from '../../pki/der.ts';
import { toDer } from './ber.ts';
import type { Lock } from './pdf-form.ts';
import { sameValue } from './pdf-values.ts';

/** SubFilters that are accepted. */
export type SubFilter = 'ETSI.CAdES.detached' | 'adbe.pkcs7.detached' | 'ETSI.RFC3161';
const MAX_NAME = 200;
const SUB_FILTERS: readonly string[] = [
  'ETSI.CAdES.detached',
  'adbe.pkcs7.detached',
  'ETSI.RFC3161',
] satisfies SubFilter[];

export interface PlacedSignature {
  readonly field: string;
  readonly object: number;
  readonly subFilter: SubFilter;
  readonly revision: Revision;
  readonly byteRange: readonly [number, number, number, number];
  /** The CMS or token, without the zeros that fill Contents. */
  readonly value: Uint8Array;
  /** Name: whose signature it is, as the signer claims. */
  readonly signerName: string | null;
  /** M: as the signer claims. */
  readonly claimedTime: Date | null;
  /** DocMDP P that it sets. */
  readonly docMdp: number | null;
  /** FieldMDP, and the Lock of its field. */
  readonly locks: readonly Lock[];
}

/** @throws PdfSyntaxError that says which rule is broken */
export function placeSignature(file: PdfFile, field: FoundField, revisions: readonly Revision[]): PlacedSignature {
  const { signature, name } = field;
  if (signature === null || signature.object === null)
    throw new PdfSyntaxError('its dictionary is no object of its own');
  const found = file.object(signature.object);
  const { dict } = signature;
  if (found.container !== null || found.stream !== null) throw new PdfSyntaxError('its dictionary is no plain object');
  const subFilter = nameOf(dict.get('SubFilter'));
  if (subFilter === null || !SUB_FILTERS.includes(subFilter))
    throw new PdfSyntaxError(`its kind (${subFilter ?? 'none'}) is not accepted here`);
  const type = nameOf(dict.get('Type'));
  if (subFilter === 'ETSI.RFC3161' ? type !== 'DocTimeStamp' : type !== null && type !== 'Sig')
    throw new PdfSyntaxError('its type does not fit its kind');
  const byteRange = readByteRange(dict);
  const contents = checkGap(file.bytes, found, dict, byteRange);
  const revision = revisions.findLast(({ start }) => found.start >= start)!;
  checkCoverage(file.bytes, revision, byteRange);
  const { docMdp, fieldMdp } = permissionsOf(file, dict);
  const lock = file.resolve(field.dict.get('Lock'));
  const fieldLock = isDict(lock) ? readLock(file, lock) : null;
  const lockPermission = isDict(lock) ? file.resolve(lock.get('P')) : undefined;
  return {
    field: name,
    object: signature.object,
    subFilter: subFilter as SubFilter,
    revision,
    byteRange,
    value: withoutPadding(contents),
    signerName: readName(file.resolve(dict.get('Name'))),
    claimedTime: readDate(stringOf(file.resolve(dict.get('M')))),
    docMdp: typeof lockPermission === 'number' ? Math.min(docMdp ?? 3, lockPermission) : docMdp,
    locks: [fieldMdp, fieldLock].filter(item => item !== null),
  };
}

function readByteRange(dict: PdfDict): PlacedSignature['byteRange'] {
  const range = dict.get('ByteRange');
  const numbers = isArray(range) ? range : [];
  const whole = (value: PdfValue | undefined): value is number =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
  const [start, first, second, rest] = numbers;
  if (numbers.length !== 4 || !whole(start) || !whole(first) || !whole(second) || !whole(rest) || start !== 0)
    throw new PdfSyntaxError('its ByteRange is not four whole numbers that start at 0');
  return [start, first, second, rest];
}

/** The gap is one hexadecimal string, without blanks, and that string is this dictionary's Contents. */
function checkGap(
  bytes: Uint8Array,
  found: FoundObject,
  dict: PdfDict,
  [, first, second]: PlacedSignature['byteRange'],
): Uint8Array {
  const gap = Buffer.from(bytes.subarray(first, second)).toString('latin1');
  if (!/^<(?:[0-9A-Fa-f]{2})+>$/.test(gap) || first < found.start || second > found.end)
    throw new PdfSyntaxError('the gap of its ByteRange is not its Contents');
  // With other digits in the gap, Contents must be another and all else the same.
  // A copy: slice of a Buffer would be a view.
  const probe = Uint8Array.from(bytes.subarray(found.start, found.end));
  const digits = probe.subarray(first + 1 - found.start, second - 1 - found.start);
  const flipped = Buffer.from(Buffer.from(gap.slice(1, -1), 'hex').map(octet => octet ^ 0xff));
  digits.set(octets(flipped.toString('hex')));
  const { value } = parseObject(probe, 0);
  const contents = stringOf(dict.get('Contents'));
  const probed = isDict(value) ? stringOf(value.get('Contents')) : null;
  const others =
    isDict(value) && [...dict.keys()].every(key => key === 'Contents' || sameValue(dict.get(key), value.get(key)));
  if (contents === null || probed === null || !others || probed !== flipped.toString('latin1'))
    throw new PdfSyntaxError('the gap of its ByteRange is not its Contents');
  return octets(contents);
}

/** Up to the end of the revision; only its last end of line may be left out. */
function checkCoverage(
  bytes: Uint8Array,
  { end }: Revision,
  [, first, second, rest]: PlacedSignature['byteRange'],
): void {
  const covered = second + rest;
  const left = bytes.subarray(covered, end);
  if (second <= first || covered > end || left.some(octet => octet !== 0x0a && octet !== 0x0d) || left.length > 2)
    throw new PdfSyntaxError('its ByteRange does not cover the revision that it stands in');
}

/** The value says how long it is; zeros alone may follow. */
function withoutPadding(contents: Uint8Array): Uint8Array {
  try {
    const { der, length } = toDer(contents);
    if (contents.subarray(length).every(octet => octet === 0)) return der.slice();
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
  }
  throw new PdfSyntaxError('its Contents is no signature value with zeros after it');
}

function readName(value: PdfValue | undefined): string | null {
  const text = stringOf(value);
  return text === null ? null : cleanLine(readText(text), MAX_NAME) || null;
}

/** A PDF date (ISO 32000-2 §7.9.4). */
function readDate(text: string | null): Date | null {
  const match = text?.match(/^D:(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:Z(?:00'?00'?)?|([+-])(\d\d)'?(\d\d)?'?)?$/);
  if (!match) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const offset = (match[7] === '-' ? -1 : 1) * (Number(match[8] ?? 0) * 60 + Number(match[9] ?? 0));
  return new Date(Date.UTC(year, month - 1, day, hour, minute, second) - offset * 60_000);
}
