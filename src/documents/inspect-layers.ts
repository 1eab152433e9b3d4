/**
 * Optional content (ISO 32000-2 §8.11) is fine where it can't make the signed document look different from the one
 * that was seen: every layer is on in the default configuration, and no rule switches one off for printing,
 * exporting, zoom or language.
 */
import { PDFDict as Dict, type PDFDict, type PDFObject } from '@cantoo/pdf-lib';
import { DocumentRefused } from './documents.ts';
import { asDict, dictEntry, elements, entry, nameEntry } from './objects.ts';

const refuse = (detail: string): never => {
  throw new DocumentRefused('optional-content', detail);
};

/** @throws DocumentRefused 'optional-content' */
export function checkLayers(catalog: PDFDict): void {
  const properties = dictEntry(catalog, 'OCProperties');
  if (!properties) return;
  const layers = dicts(elements(properties, 'OCGs'));
  const config = dictEntry(properties, 'D');
  if (!config) return;
  if (nameEntry(config, 'BaseState') === 'OFF') {
    const on = new Set(dicts(elements(config, 'ON')));
    if (layers.some(layer => !on.has(layer))) refuse('a layer is hidden when the document opens');
  }
  if (dicts(elements(config, 'OFF')).length > 0) refuse('a layer is hidden when the document opens');
  for (const rule of dicts(elements(config, 'AS'))) {
    const categories = elements(rule, 'Category').map(name => String(name));
    for (const layer of dicts(elements(rule, 'OCGs')))
      if (!alwaysOn(layer, categories)) refuse('a layer shows or hides depending on how the document is viewed');
  }
}

/** A membership dictionary that shows its content when layers are off, or by an expression that negates. */
export function checkMembership(dict: PDFDict): void {
  if (nameEntry(dict, 'Type') !== 'OCMD') return;
  const policy = nameEntry(dict, 'P');
  if (policy === 'AllOff' || policy === 'AnyOff' || entry(dict, 'VE') !== undefined)
    refuse('content is shown or hidden by a rule over layers');
}

function alwaysOn(layer: PDFDict, categories: readonly string[]): boolean {
  const usage = dictEntry(layer, 'Usage');
  if (!usage) return true;
  return categories.every(category => {
    const kind = category.slice(1);
    const use = dictEntry(usage, kind);
    if (!use) return true;
    if (kind !== 'View' && kind !== 'Print' && kind !== 'Export') return false;
    return nameEntry(use, `${kind}State`) !== 'OFF';
  });
}

function dicts(objects: readonly (PDFObject | undefined)[]): PDFDict[] {
  return objects.map(asDict).filter(dict => dict instanceof Dict);
}
