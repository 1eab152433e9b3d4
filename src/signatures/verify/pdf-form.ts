/** The form of a PDF as changes are judged by it: every field and widget that is an object (ISO 32000-2 §12.7.4). */
import { formOf } from '../../documents/file/fields.ts';
import type { PdfFile } from '../../documents/file/file.ts';
import { PdfSyntaxError } from '../../documents/file/parser.ts';
import { isArray, isDict, nameOf, type PdfValue, readText, refOf, stringOf } from '../../documents/file/values.ts';

export interface FormNode {
  /** Fully qualified. */
  readonly name: string;
  /** FT, inherited. */
  readonly type: string | null;
  /** Only a widget of a field that is another object. */
  readonly widgetOnly: boolean;
}

const MAX_NODES = 50_000;
const MAX_DEPTH = 32;

/** By object number. @throws PdfSyntaxError */
export function formNodes(file: PdfFile): ReadonlyMap<number, FormNode> {
  const nodes = new Map<number, FormNode>();
  function walk(value: PdfValue, parent: FormNode, depth: number): void {
    const number = refOf(value);
    const dict = file.resolve(value);
    if (number === null || !isDict(dict)) return;
    if (nodes.has(number)) throw new PdfSyntaxError('a form field stands in the form twice');
    if (nodes.size >= MAX_NODES || depth > MAX_DEPTH) throw new PdfSyntaxError('the form has too many fields');
    const partial = stringOf(file.resolve(dict.get('T')));
    const kids = file.resolve(dict.get('Kids'));
    const node: FormNode = {
      name: partial === null ? parent.name : [parent.name, readText(partial)].filter(Boolean).join('.'),
      type: nameOf(file.resolve(dict.get('FT'))) ?? parent.type,
      widgetOnly: depth > 0 && partial === null && !isArray(kids),
    };
    nodes.set(number, node);
    for (const kid of isArray(kids) ? kids : []) walk(kid, node, depth + 1);
  }
  const fields = file.resolve(formOf(file)?.get('Fields'));
  for (const field of isArray(fields) ? fields : []) walk(field, { name: '', type: null, widgetOnly: false }, 0);
  return nodes;
}

/** What FieldMDP or a field's Lock locks (§12.8.2.4). */
export interface Lock {
  readonly action: string;
  readonly fields: readonly string[];
}

/** A lock, and the names of the fields that there were when it was set: it can't lock what came later and isn't named. */
export interface LockInPlace extends Lock {
  readonly present: ReadonlySet<string>;
}

/** Whether a lock names this field, or one above it. */
export function isLocked(name: string, locks: readonly LockInPlace[]): boolean {
  return locks.some(({ action, fields, present }) => {
    const named = fields.some(field => name === field || name.startsWith(`${field}.`));
    if (action === 'Include') return named;
    return present.has(name) && (action === 'All' || !named);
  });
}
