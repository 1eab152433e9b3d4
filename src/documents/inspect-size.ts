/** Content that is small in the file and huge on a phone: pictures by their pixels, other streams by what they expand to. */
import { inflateSync } from 'node:zlib';
import { decodePDFRawStream, PDFName, type PDFObject, PDFRawStream } from '@cantoo/pdf-lib';
import { DocumentRefused } from './documents.ts';
import { elements, entry, nameEntry, numberEntry } from './objects.ts';

export interface SizeLimits {
  /** Pixels of one picture. */
  readonly maxImagePixels: number;
  /** Bytes of one decoded stream. */
  readonly maxStream: number;
}

/** The most that one byte can become, by filter; others don't expand. */
const EXPANSION: Readonly<Record<string, number>> = {
  FlateDecode: 1032,
  Fl: 1032,
  LZWDecode: 1370,
  LZW: 1370,
  RunLengthDecode: 64,
  RL: 64,
};

/** Bytes: four colours of 16 bits. */
const MOST_PER_PIXEL = 8;

/** @throws DocumentRefused 'too-complex' */
export function checkSize(object: PDFObject, limits: SizeLimits): void {
  if (!(object instanceof PDFRawStream)) return;
  const { dict } = object;
  if (nameEntry(dict, 'Subtype') === 'Image') {
    const pixels = (numberEntry(dict, 'Width') ?? 0) * (numberEntry(dict, 'Height') ?? 0);
    if (pixels > limits.maxImagePixels)
      throw new DocumentRefused('too-complex', 'a picture in the document is too big');
    // A big picture expands to its pixels, and viewers read no more; a small one has no reason to.
    if (pixels * MOST_PER_PIXEL > limits.maxStream) return;
  }
  if (expandsOver(object, limits.maxStream))
    throw new DocumentRefused('too-complex', 'a part of the document expands too much');
}

function expandsOver(stream: PDFRawStream, limit: number): boolean {
  const raw = stream.getContents();
  const single = entry(stream.dict, 'Filter');
  const filters = (single instanceof PDFName ? [single] : elements(stream.dict, 'Filter')).map(filter =>
    filter instanceof PDFName ? filter.decodeText() : '',
  );
  const most = filters.reduce((bytes, filter) => bytes * (EXPANSION[filter] ?? 1), raw.length);
  // Nearly every stream is too short to matter, and not decoded.
  if (most <= limit) return false;
  try {
    if (filters.length === 1 && filters[0]?.startsWith('Fl')) {
      inflateSync(raw, { maxOutputLength: limit });
      return false;
    }
    return decodePDFRawStream(stream).getBytes(limit + 1).length > limit;
  } catch (error) {
    // Damage inside a stream is the viewer's to cope with.
    return error instanceof RangeError;
  }
}
