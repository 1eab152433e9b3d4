/** Reading PDF objects that may be wrong in any way: every answer is a value of the asked type or undefined, never an exception. */
import {
  PDFArray,
  type PDFContext,
  PDFDict,
  PDFHexString,
  PDFName,
  PDFNumber,
  type PDFObject,
  PDFRef,
  PDFStream,
  PDFString,
} from '@cantoo/pdf-lib';

const MAX_HOPS = 32;

/** Follows references, also references to references; undefined where they lead nowhere. */
export function resolve(context: PDFContext, object: PDFObject | undefined): PDFObject | undefined {
  let at = object;
  for (let hops = 0; at instanceof PDFRef; hops++) {
    if (hops === MAX_HOPS) return undefined;
    at = context.lookup(at);
  }
  return at;
}

/** What a dictionary holds under a key, references followed. */
export function entry(dict: PDFDict, key: string): PDFObject | undefined {
  return resolve(dict.context, dict.get(PDFName.of(key)));
}

/** A dictionary, or the dictionary of a stream. */
export function asDict(object: PDFObject | undefined): PDFDict | undefined {
  if (object instanceof PDFStream) return object.dict;
  return object instanceof PDFDict ? object : undefined;
}

export function dictEntry(dict: PDFDict, key: string): PDFDict | undefined {
  return asDict(entry(dict, key));
}

/** The elements of an array entry, references followed; empty where there is no array. */
export function elements(dict: PDFDict, key: string): (PDFObject | undefined)[] {
  const array = entry(dict, key);
  return array instanceof PDFArray ? array.asArray().map(element => resolve(dict.context, element)) : [];
}

/** A name without its slash. */
export function nameEntry(dict: PDFDict, key: string): string | undefined {
  const name = entry(dict, key);
  return name instanceof PDFName ? name.decodeText() : undefined;
}

export function numberEntry(dict: PDFDict, key: string): number | undefined {
  const number = entry(dict, key);
  return number instanceof PDFNumber ? number.asNumber() : undefined;
}

/** A text string (ISO 32000-2 §7.9.2.2), decoded. */
export function textEntry(dict: PDFDict, key: string): string | undefined {
  const text = entry(dict, key);
  if (!(text instanceof PDFString || text instanceof PDFHexString)) return undefined;
  try {
    return text.decodeText();
  } catch {
    return text.asString();
  }
}

/** Exactly `length` finite numbers, or undefined. */
export function numbersEntry(dict: PDFDict, key: string, length: number): number[] | undefined {
  const numbers = elements(dict, key).map(element => (element instanceof PDFNumber ? element.asNumber() : Number.NaN));
  return numbers.length === length && numbers.every(Number.isFinite) ? numbers : undefined;
}

/** A rectangle as [left, bottom, right, top], whichever corners the file names (ISO 32000-2 §7.9.5). */
export function rectangleEntry(dict: PDFDict, key: string): [number, number, number, number] | undefined {
  const numbers = numbersEntry(dict, key, 4);
  if (!numbers) return undefined;
  const [x1, y1, x2, y2] = numbers as [number, number, number, number];
  return [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];
}

/**
 * Every dictionary, array and stream that the roots lead to, each once, without recursion.
 * @throws RangeError over `limit` of them.
 */
export function* reachable(
  context: PDFContext,
  roots: readonly (PDFObject | undefined)[],
  limit: number,
): Generator<PDFObject> {
  const seen = new Set<PDFObject>();
  const waiting = [...roots];
  const push = (object: PDFObject | undefined) => {
    if (object instanceof PDFRef || object instanceof PDFDict || object instanceof PDFArray) waiting.push(object);
  };
  while (waiting.length > 0) {
    const object = resolve(context, waiting.pop());
    if (object === undefined || seen.has(object)) continue;
    seen.add(object);
    if (seen.size > limit) throw new RangeError(`more than ${limit} objects`);
    yield object;
    if (object instanceof PDFArray) for (let index = 0; index < object.size(); index++) push(object.get(index));
    const dict = asDict(object);
    if (dict) for (const value of dict.values()) push(value);
  }
}
