/** PDF values as our reader sees them, in the words of `qpdf --json=2`, so that the two can be compared. */
import { isArray, isDict, isRef, type PdfDict, type PdfValue } from '../../src/documents/file/values.ts';
import type { Json } from '../e2e/02-pades/signed-file.ts';

/** PDFDocEncoding where it differs from Latin-1 (ISO 32000-2 annex D.3); 0 where it has nothing. */
const LOW = [0x2d8, 0x2c7, 0x2c6, 0x2d9, 0x2dd, 0x2db, 0x2da, 0x2dc];
const HIGH = [
  0x2022, 0x2020, 0x2021, 0x2026, 0x2014, 0x2013, 0x192, 0x2044, 0x2039, 0x203a, 0x2212, 0x2030, 0x201e, 0x201c, 0x201d,
  0x2018, 0x2019, 0x201a, 0x2122, 0xfb01, 0xfb02, 0x141, 0x152, 0x160, 0x178, 0x17d, 0x131, 0x142, 0x153, 0x161, 0x17e,
  0, 0x20ac,
];

/** As qpdf reads it as text; null where it would rather show octets. */
function decode(string: string): string | null {
  const bytes = Buffer.from(string, 'latin1');
  if (string.startsWith('\xfe\xff')) return new TextDecoder('utf-16be').decode(bytes.subarray(2));
  if (string.startsWith('\xff\xfe')) return new TextDecoder('utf-16le').decode(bytes.subarray(2));
  if (string.startsWith('\xef\xbb\xbf')) return new TextDecoder().decode(bytes.subarray(3));
  let text = '';
  for (const octet of bytes) {
    const point =
      octet >= 0x18 && octet < 0x20 ? LOW[octet - 0x18]! : octet >= 0x80 && octet <= 0xa0 ? HIGH[octet - 0x80]! : octet;
    if (point === 0) return null;
    text += String.fromCodePoint(point);
  }
  return text;
}

/** Whether qpdf's value is ours. Entries that are null count as absent (ISO 32000-2 §7.3.7). */
export function sameValue(ours: PdfValue, theirs: Json): boolean {
  if (ours === null || typeof ours === 'boolean' || typeof ours === 'number') return ours === theirs;
  if (isArray(ours)) {
    return (
      Array.isArray(theirs) && theirs.length === ours.length && ours.every((item, i) => sameValue(item, theirs[i]))
    );
  }
  if (isDict(ours)) return sameDict(ours, theirs);
  if (typeof theirs !== 'string') return false;
  if (isRef(ours)) return theirs === `${ours.ref} ${ours.generation ?? 0} R`;
  if ('name' in ours) return sameName(ours.name, theirs);
  if (!('string' in ours)) return false;
  if (theirs.startsWith('b:')) return Buffer.from(ours.string, 'latin1').toString('hex') === theirs.slice(2);
  return theirs === `u:${decode(ours.string)}`;
}

function sameDict(ours: PdfDict, theirs: Json): boolean {
  if (typeof theirs !== 'object' || theirs === null || Array.isArray(theirs)) return false;
  const left = new Map(Object.entries(theirs).filter(([, value]) => value !== null));
  for (const [key, value] of ours) {
    if (value === null) continue;
    const found = [...left.keys()].find(other => sameName(key, other));
    if (found === undefined || !sameValue(value, left.get(found)!)) return false;
    left.delete(found);
  }
  return left.size === 0;
}

/** Names are octets; qpdf shows those that are UTF-8 as text. */
function sameName(ours: string, theirs: string): boolean {
  return `/${ours}` === theirs || `/${Buffer.from(ours, 'latin1').toString()}` === theirs;
}
