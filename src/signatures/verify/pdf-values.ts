/** Comparing PDF objects, and following what they refer to. */
import type { FoundObject, PdfFile } from '../../documents/file/file.ts';
import { isArray, isDict, isRef, type PdfDict, type PdfValue } from '../../documents/file/values.ts';
import { equal } from '../../pki/der.ts';

/** Equal as written, but for order of keys and white space. */
export function sameValue(a: PdfValue | undefined, b: PdfValue | undefined): boolean {
  if (a === undefined || b === undefined || a === null || b === null || typeof a !== 'object' || typeof b !== 'object')
    return a === b;
  if (isArray(a)) return isArray(b) && a.length === b.length && a.every((item, i) => sameValue(item, b[i]));
  if (isDict(a)) {
    if (!isDict(b) || a.size !== b.size) return false;
    return [...a].every(([key, value]) => b.has(key) && sameValue(value, b.get(key)));
  }
  if (isArray(b) || isDict(b)) return false;
  if (isRef(a)) return isRef(b) && a.ref === b.ref && (a.generation ?? 0) === (b.generation ?? 0);
  if ('name' in a) return 'name' in b && a.name === b.name;
  if ('string' in a) return 'string' in b && a.string === b.string;
  return false;
}

export function sameObject(a: FoundObject, b: FoundObject): boolean {
  if (a.generation !== b.generation || (a.stream === null) !== (b.stream === null)) return false;
  if (a.stream !== null && b.stream !== null && !equal(a.stream, b.stream)) return false;
  return sameValue(a.value, b.value);
}

/** Keys whose values differ. */
export function changedKeys(old: PdfDict, now: PdfDict): string[] {
  return [...new Set([...old.keys(), ...now.keys()])].filter(key => !sameValue(old.get(key), now.get(key)));
}

/** Items at the end of `now` that `old` doesn't have; null unless `now` begins with all of `old`. */
export function addedTo(old: PdfValue | undefined, now: PdfValue | undefined): readonly PdfValue[] | null {
  const before = old ?? [];
  const after = now ?? [];
  if (!isArray(before) || !isArray(after) || after.length < before.length) return null;
  return before.every((item, i) => sameValue(item, after[i])) ? after.slice(before.length) : null;
}

/** Object numbers that a value refers to. */
export function* referencesIn(value: PdfValue | undefined): Iterable<number> {
  if (isRef(value)) yield value.ref;
  else if (isArray(value)) for (const item of value) yield* referencesIn(item);
  else if (isDict(value)) for (const item of value.values()) yield* referencesIn(item);
}

/** Every object that is in use. @throws PdfSyntaxError where one is broken */
export function* objectsOf(file: PdfFile): Iterable<FoundObject> {
  const seen = new Set<number>();
  for (const section of file.sections()) {
    for (const [number] of section.entries()) {
      if (seen.has(number)) continue;
      seen.add(number);
      const found = file.find(number);
      if (found !== null) yield found;
    }
  }
}

/** What a person calls an object. */
export function describeObject({ value, stream }: FoundObject): string {
  const dict = isDict(value) ? value : null;
  const text = (key: string): string | null => {
    const entry = dict?.get(key);
    return entry && typeof entry === 'object' && 'name' in entry ? entry.name : null;
  };
  const type = text('Type');
  if (type === 'Page') return 'a page';
  if (type === 'Pages') return 'the page tree';
  if (type === 'Catalog') return 'the catalog';
  if (type === 'Font' || type === 'FontDescriptor') return 'a font';
  if (type === 'Annot' || (dict?.has('Subtype') && dict.has('Rect')))
    return `an annotation (${text('Subtype') ?? 'no type'})`;
  if (type === 'Metadata') return 'metadata';
  if (type === 'Sig' || type === 'DocTimeStamp') return 'a signature';
  if (dict?.has('JS') || (dict?.has('S') && text('S') === 'JavaScript')) return 'a script';
  if (stream !== null)
    return text('Subtype') === 'Image' ? 'a picture' : text('Subtype') === 'Form' ? 'a drawing' : 'a stream';
  if (dict) return type === null ? 'a dictionary' : `a dictionary (${type})`;
  return isArray(value) ? 'a list' : 'a value';
}
