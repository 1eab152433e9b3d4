/** Two revisions of a file, object by object, as qpdf reads them. */
import { expect } from 'vitest';
import type { DocumentLayout } from '../../../src/documents/layout.ts';
import type { Json, JsonObject, Objects } from './signed-file.ts';

export const key = (object: number) => `obj:${object} 0 R`;

export function member(value: Json | undefined, name: string): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { readonly [name: string]: Json })[name]
    : undefined;
}

export function resolve(objects: Objects, value: Json | undefined): Json | undefined {
  return typeof value === 'string' && / R$/.test(value) ? objects[`obj:${value}`]?.value : value;
}

export const kindOf = (object: JsonObject): string =>
  String(member(object.value ?? object.stream?.dict, '/Type') ?? (object.stream ? 'stream' : 'other'));

/** Objects that a revision adds, and for those that it changes the keys that differ. */
export function compare(before: Objects, after: Objects): { changed: Record<string, string[]>; added: string[] } {
  const changed: Record<string, string[]> = {};
  const added: string[] = [];
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  for (const name of Object.keys(before)) expect(after).toHaveProperty([name]);
  for (const [name, object] of Object.entries(after)) {
    const old = before[name];
    if (old === undefined) added.push(name);
    else if (!same(old, object)) {
      const keys = [old.value, object.value].flatMap(value => Object.keys((value ?? { stream: 0 }) as object));
      const differing = [...new Set(keys)].filter(item => !same(member(old.value, item), member(object.value, item)));
      if (name !== 'trailer') changed[name] = differing.sort();
      else expect(differing.filter(item => !['/ID', '/Prev', '/Size'].includes(item))).toEqual([]);
    }
  }
  return { changed, added };
}

/** The DocMDP permission of the certifying seal, which the catalog names and which stands in the seal's field. */
export function certification(objects: Objects, layout: DocumentLayout): Json | undefined {
  const perms = member(objects[key(layout.catalogObject)]!.value, '/Perms');
  const reference = member(resolve(objects, perms), '/DocMDP');
  expect(reference).toBe(member(objects[key(layout.seal!.object)]!.value, '/V'));
  const [transform] = member(resolve(objects, reference), '/Reference') as readonly Json[];
  expect(member(transform, '/TransformMethod')).toBe('/DocMDP');
  return member(member(transform, '/TransformParams'), '/P');
}

export function fieldMdp(objects: Objects, field: number): { action: Json | undefined; fields: readonly string[] } {
  const signature = resolve(objects, member(objects[key(field)]!.value, '/V'));
  const [transform] = member(signature, '/Reference') as readonly Json[];
  expect(member(transform, '/TransformMethod')).toBe('/FieldMDP');
  const parameters = member(transform, '/TransformParams');
  const fields = (member(parameters, '/Fields') ?? []) as readonly string[];
  return { action: member(parameters, '/Action'), fields: fields.map(name => name.replace(/^[ub]:/, '')) };
}
