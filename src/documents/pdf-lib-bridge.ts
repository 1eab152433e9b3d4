/**
 * From the strict file reader to pdf-lib's objects: a signed document is inspected as the reader sees it, with the same
 * rules as any other. Runs in the worker's child process only.
 */
import {
  PDFArray,
  PDFBool,
  PDFContext,
  PDFDict,
  PDFHexString,
  PDFName,
  PDFNull,
  PDFNumber,
  type PDFObject,
  PDFRawStream,
  PDFRef,
} from '@cantoo/pdf-lib';
import type { PdfFile } from './file/file.ts';
import { PdfSyntaxError } from './file/parser.ts';
import { isArray, isDict, isRef, type PdfDict, type PdfRef, type PdfValue } from './file/values.ts';

/**
 * Everything that the catalog and Info lead to, as the reader sees it.
 * @throws PdfSyntaxError; RangeError over `maxObjects` dictionaries, arrays and streams
 */
export function toPdfLib(file: PdfFile, maxObjects: number): PDFContext {
  const context = PDFContext.create();
  const waiting: PdfRef[] = [file.trailer.rootRef, ...(file.trailer.info === null ? [] : [file.trailer.info])];
  const seen = new Set<string>();
  let containers = 0;

  function convert(value: PdfValue): PDFObject {
    if (value === null) return PDFNull;
    if (typeof value === 'boolean') return value ? PDFBool.True : PDFBool.False;
    if (typeof value === 'number') return PDFNumber.of(value);
    if (isArray(value)) {
      count();
      const array = PDFArray.withContext(context);
      for (const item of value) array.push(convert(item));
      return array;
    }
    if (isDict(value)) return convertDict(value);
    if (isRef(value)) {
      // A reference beyond Size would come to mean what is appended next.
      if (value.ref >= file.trailer.size)
        throw new PdfSyntaxError(`a reference to object ${value.ref} beyond the last`);
      waiting.push(value);
      return PDFRef.of(value.ref, value.generation ?? 0);
    }
    if ('name' in value) return PDFName.of(value.name.replaceAll('#', '#23'));
    if ('string' in value) return PDFHexString.of(Buffer.from(value.string, 'latin1').toString('hex'));
    throw new TypeError('a value that no file holds');
  }

  function convertDict(value: PdfDict): PDFDict {
    count();
    const entries = [...value].map(([key, item]) => [PDFName.of(key.replaceAll('#', '#23')), convert(item)] as const);
    return PDFDict.fromMapWithContext(new Map(entries), context);
  }

  function count(): void {
    if (++containers > maxObjects) throw new RangeError(`more than ${maxObjects} objects`);
  }

  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { ref: number, generation = 0 } = next;
    const key = `${number} ${generation}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const found = file.find(number);
    if (found === null || found.generation !== generation) continue;
    const object =
      found.stream === null ? convert(found.value) : PDFRawStream.of(convertDict(found.value as PdfDict), found.stream);
    context.assign(PDFRef.of(number, generation), object);
  }
  context.trailerInfo.Root = PDFRef.of(file.trailer.root, file.trailer.rootRef.generation ?? 0);
  const { info } = file.trailer;
  if (info !== null) context.trailerInfo.Info = PDFRef.of(info.ref, info.generation ?? 0);
  return context;
}
