/**
 * Between the strict file reader and pdf-lib's objects: a signed document is inspected as the reader sees it, with the
 * same rules as any other, and what is made with pdf-lib can be appended. Runs in the worker's child process only.
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
  PDFString,
} from '@cantoo/pdf-lib';
import type { PdfFile } from './file/file.ts';
import { PdfSyntaxError } from './file/parser.ts';
import { characters, isArray, isDict, isRef, type PdfDict, type PdfRef, type PdfValue } from './file/values.ts';
import type { NewObject } from './increment-writer.ts';

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

/**
 * The indirect objects of a context, renumbered from `first` on.
 * @returns `numberOf` tells the new number of an object
 */
export function fromPdfLib(
  context: PDFContext,
  first: number,
): { readonly objects: readonly NewObject[]; readonly numberOf: (ref: PDFRef) => number } {
  const indirect = context.enumerateIndirectObjects();
  const numbers = new Map(indirect.map(([ref], index) => [ref, first + index]));
  const numberOf = (ref: PDFRef): number => {
    const number = numbers.get(ref);
    if (number === undefined) throw new Error(`object ${ref.tag} is missing`);
    return number;
  };

  function convert(object: PDFObject): PdfValue {
    if (object instanceof PDFRef) return { ref: numberOf(object) };
    if (object instanceof PDFName) return { name: characters(Buffer.from(object.decodeText(), 'latin1')) };
    if (object instanceof PDFNumber) return object.asNumber();
    if (object instanceof PDFBool) return object.asBoolean();
    if (object instanceof PDFString || object instanceof PDFHexString) return { string: characters(object.asBytes()) };
    if (object instanceof PDFArray) return object.asArray().map(convert);
    if (object instanceof PDFDict) return convertDict(object);
    if (object === PDFNull) return null;
    throw new TypeError(`an object that can't be appended: ${object.constructor.name}`);
  }

  const convertDict = (dict: PDFDict): PdfDict =>
    new Map(dict.entries().map(([key, value]) => [key.decodeText(), convert(value)]));

  const objects = indirect.map(([ref, object]): NewObject => {
    const number = numberOf(ref);
    if (!(object instanceof PDFRawStream)) return { number, value: convert(object) };
    const value = new Map(convertDict(object.dict));
    value.delete('Length');
    return { number, value, stream: object.getContents() };
  });
  return { objects, numberOf };
}
