/** Content that does something by itself, or that lies elsewhere: refused wherever it stands. */
import { PDFArray, PDFDict, PDFHexString, type PDFObject, PDFStream, PDFString } from '@cantoo/pdf-lib';
import { type DocumentRefusalReason, DocumentRefused } from './documents.ts';
import { asDict, dictEntry, elements, entry, nameEntry, resolve, textEntry } from './objects.ts';

/** Actions (ISO 32000-2 §12.6.4) that are refused; going somewhere, links, and playing a sound are fine. */
const ACTIONS: Readonly<Record<string, readonly [DocumentRefusalReason, string]>> = {
  JavaScript: ['javascript', 'the document contains a script'],
  RichMediaExecute: ['javascript', 'the document contains a script'],
  Launch: ['launch', 'the document starts a program or opens another file'],
  SubmitForm: ['launch', 'the document sends what is filled in to somebody'],
  ImportData: ['launch', 'the document fills itself in from another file'],
  SetOCGState: ['optional-content', 'the document shows or hides layers on a click'],
  Hide: ['optional-content', 'the document shows or hides content on a click'],
};

/** @throws DocumentRefused for what this one object is; what it refers to is not looked at. */
export function checkActive(object: PDFObject): void {
  const dict = asDict(object);
  if (!dict) return;
  const action = ACTIONS[nameEntry(dict, 'S') ?? ''];
  if (action) throw new DocumentRefused(...action);
  if (holdsScript(dict, 'JS') || holdsScript(dict, 'OnInstantiate'))
    throw new DocumentRefused('javascript', 'the document contains a script');
  if (/^[\s\p{Cc}]*javascript:/iu.test(textEntry(dict, 'URI') ?? ''))
    throw new DocumentRefused('javascript', 'a link of the document contains a script');
  if (object instanceof PDFStream) checkExternal(object.dict);
}

/** Fine on a click, not by themselves: web pages, which tell somebody who opened the document, and other files. */
const ON_CLICK_ONLY = new Set(['URI', 'GoToR', 'GoToE', 'Thread']);
/** Triggers that are clicks (ISO 32000-2 table 197). */
const CLICKS = new Set(['D', 'U']);

/**
 * What a catalog, page, annotation or field does without a click (§12.6.3).
 * @throws DocumentRefused 'launch'
 */
export function checkAutomatic(dict: PDFDict): void {
  const triggers = dictEntry(dict, 'AA')?.entries() ?? [];
  const automatic = triggers.flatMap(([trigger, action]) => (CLICKS.has(trigger.decodeText()) ? [] : [action]));
  const onOpen = entry(dict, 'OpenAction');
  if (onOpen instanceof PDFDict) automatic.push(onOpen);
  const waiting = automatic.map(action => resolve(dict.context, action));
  for (const done = new Set<PDFObject | undefined>(); waiting.length > 0; ) {
    const action = waiting.pop();
    if (done.has(action) || !(action instanceof PDFDict)) continue;
    done.add(action);
    if (ON_CLICK_ONLY.has(nameEntry(action, 'S') ?? ''))
      throw new DocumentRefused('launch', 'the document opens a web page or another file by itself');
    const next = entry(action, 'Next');
    waiting.push(...(next instanceof PDFArray ? elements(action, 'Next') : [next]));
  }
}

/** Scripts outside actions: renditions (§12.6.4.14), 3D artwork (§13.6.3.3). A resource may be called JS, too. */
function holdsScript(dict: PDFDict, key: string): boolean {
  const value = entry(dict, key);
  if (value instanceof PDFString || value instanceof PDFHexString) return true;
  return value instanceof PDFStream && nameEntry(value.dict, 'Subtype') === undefined;
}

/** Stream data in another file (§7.3.8.2), or a page of another file shown in its place (§8.10.4). */
function checkExternal(dict: PDFDict): void {
  const file = entry(dict, 'F');
  const elsewhere = file instanceof PDFString || file instanceof PDFHexString || file instanceof PDFDict;
  if (elsewhere || dictEntry(dict, 'Ref')) {
    throw new DocumentRefused('external-stream', 'a part of the document lies in another file');
  }
}
