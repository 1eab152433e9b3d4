/**
 * Writes a document as a single clean revision: only what the catalog leads to, numbered anew from 1 with generation
 * 0, a classic cross-reference table (ISO 32000-2 §7.5.4), no object streams.
 */
import { createHash } from 'node:crypto';
import {
  PDFArray,
  type PDFContext,
  PDFDict,
  PDFHexString,
  PDFName,
  PDFNull,
  type PDFObject,
  PDFRef,
  PDFStream,
} from '@cantoo/pdf-lib';
import { asDict, resolve } from './objects.ts';

export interface Written {
  readonly bytes: Uint8Array;
  /** The new object number of an object that was kept. @throws Error for one that wasn't */
  readonly numberOf: (ref: PDFRef) => number;
}

export interface WriteOptions {
  readonly catalog: PDFRef;
  readonly info: PDFRef;
  readonly version: '1.7' | '2.0';
  /** Objects to forget: references to them become null. */
  readonly dropped: (object: PDFObject) => boolean;
  /** Anything that stands for the input; becomes the file's permanent identifier (§14.4). */
  readonly origin: Uint8Array;
}

/** Serialises. The context's objects are renumbered in place: it can't be used afterwards. */
export function writeDocument(context: PDFContext, options: WriteOptions): Written {
  const { kept, numbers } = renumber(context, options);
  const header = Buffer.from(`%PDF-${options.version}\n%\xe2\xe3\xcf\xd3\n`, 'latin1');
  const offsets: number[] = [];
  let length = header.length;
  kept.forEach((object, index) => {
    offsets.push(length);
    length += `${index + 1} 0 obj\n`.length + object.sizeInBytes() + '\nendobj\n'.length;
  });
  const body = Buffer.alloc(length);
  header.copy(body);
  kept.forEach((object, index) => {
    let at = offsets[index]!;
    at += body.write(`${index + 1} 0 obj\n`, at, 'latin1');
    at += object.copyBytesInto(body, at);
    body.write('\nendobj\n', at, 'latin1');
  });
  const entries = offsets.map(offset => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const table = `xref\n0 ${kept.length + 1}\n0000000000 65535 f \n${entries}`;
  const trailer = context.obj({
    Size: kept.length + 1,
    Root: PDFRef.of(numbers.get(options.catalog)!),
    Info: PDFRef.of(numbers.get(options.info)!),
    ID: [identifier(options.origin), identifier(body)],
  });
  const end = Buffer.from(`${table}trailer\n${trailer}\nstartxref\n${length}\n%%EOF\n`, 'latin1');
  return {
    bytes: Buffer.concat([body, end]),
    numberOf: ref => {
      const number = numbers.get(ref);
      if (number === undefined) throw new Error(`object ${ref.tag} was not kept`);
      return number;
    },
  };
}

/** Walks breadth first from the catalog, so that equal documents get equal numbers. */
function renumber(context: PDFContext, options: WriteOptions): { kept: PDFObject[]; numbers: Map<PDFRef, number> } {
  const kept: PDFObject[] = [];
  const numbers = new Map<PDFRef, number>();
  const byObject = new Map<PDFObject, number>();
  const changed = new Set<PDFObject>();

  const keep = (ref: PDFRef): PDFRef | null => {
    const object = resolve(context, ref);
    if (object === undefined || object === PDFNull || options.dropped(object)) return null;
    let number = byObject.get(object);
    if (number === undefined) {
      number = kept.push(object instanceof PDFHexString ? clean(object) : object);
      byObject.set(object, number);
    }
    numbers.set(ref, number);
    return PDFRef.of(number);
  };

  /** Renames the references in one indirect object; direct containers are part of it. */
  const rename = (indirect: PDFObject) => {
    const containers = [indirect];
    const renamed = (value: PDFObject): PDFObject | null => {
      if (value instanceof PDFHexString) return clean(value);
      if (value instanceof PDFRef) return keep(value);
      if (value instanceof PDFDict || value instanceof PDFArray) {
        if (options.dropped(value)) return null;
        containers.push(value);
      }
      return value;
    };
    for (let container = containers.pop(); container; container = containers.pop()) {
      if (changed.has(container)) continue;
      changed.add(container);
      if (container instanceof PDFArray) {
        for (let index = 0; index < container.size(); index++)
          container.set(index, renamed(container.get(index)) ?? PDFNull);
      }
      const dict = asDict(container);
      if (!dict) continue;
      // The writer sets a stream's length itself; the object that held it is not needed.
      if (container instanceof PDFStream) dict.delete(PDFName.of('Length'));
      for (const [key, value] of dict.entries()) {
        const next = renamed(value);
        if (next === null) dict.delete(key);
        else dict.set(key, next);
      }
    }
  };

  if (keep(options.catalog) === null || keep(options.info) === null) throw new Error('catalog or Info is missing');
  for (let index = 0; index < kept.length; index++) rename(kept[index]!);
  return { kept, numbers };
}

/** Without what isn't hexadecimal: readers disagree on where such a string ends. */
function clean(string: PDFHexString): PDFHexString {
  const digits = string.asString();
  return /^[0-9a-f]*$/i.test(digits) ? string : PDFHexString.of(digits.replace(/[^0-9a-f]/gi, ''));
}

function identifier(content: Uint8Array): PDFHexString {
  return PDFHexString.of(createHash('sha256').update(content).digest('hex').slice(0, 32));
}
