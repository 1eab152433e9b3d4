/**
 * Fields and signatures that a later revision added or filled in (ISO 32000-2 §12.7, §12.8): only what every earlier
 * signature allows.
 */
import {
  isArray,
  isDict,
  nameOf,
  type PdfDict,
  type PdfValue,
  readText,
  refOf,
  stringOf,
} from '../../documents/file/values.ts';
import { type FormNode, formNodes, isLocked } from './pdf-form.ts';
import type { RevisionLedger } from './pdf-ledger.ts';
import { addedTo, changedKeys } from './pdf-values.ts';
import type { ChangeKind } from './result.ts';

const FILLED_SIGNATURE = new Set(['V', 'AP', 'AS', 'M']);
const FILLED_FIELD = new Set(['V', 'AP', 'AS', 'I', 'M', 'RV']);
const FILLED_WIDGET = new Set(['AP', 'AS', 'M']);
/** A new signature field's own entries: no actions, no kids. */
const NEW_FIELD = new Set([
  'Type',
  'Subtype',
  'FT',
  'T',
  'V',
  'Rect',
  'F',
  'P',
  'AP',
  'AS',
  'M',
  'Ff',
  'Lock',
  'SV',
  'DA',
  'MK',
  'TU',
]);

export class FieldJudge {
  readonly #ledger: RevisionLedger;
  readonly #fields: ReadonlyMap<number, FormNode>;

  /** @throws PdfSyntaxError */
  constructor(ledger: RevisionLedger) {
    this.#ledger = ledger;
    this.#fields = formNodes(ledger.before);
  }

  /** What the form lists that it did not before. */
  added(): void {
    const [oldRef, nowRef] = [this.#ledger.before, this.#ledger.after].map(file =>
      file.dict(file.trailer.root).get('AcroForm'),
    );
    const [old, now] = [this.#ledger.before.resolve(oldRef), this.#ledger.after.resolve(nowRef)];
    if (!isDict(old) || !isDict(now)) return;
    const number = refOf(nowRef);
    const added = this.#addedFields(old, now);
    const problems = typeof added === 'string' ? [added] : added.map(field => this.#newField(refOf(field)));
    for (const problem of problems)
      if (problem !== null) this.#ledger.refuse(number ?? this.#ledger.after.trailer.root, problem);
    const text = added.length > 0 ? 'the form lists the new field' : 'the form says that it has signatures';
    for (const node of [number, refOf(now.get('Fields'))]) {
      if (node !== null && this.#ledger.changed.has(node) && !this.#ledger.isJudged(node))
        this.#ledger.claim(node, 'form', text);
    }
  }

  /** What the form's list has more than before; or what is wrong. */
  #addedFields(old: PdfDict, now: PdfDict): readonly PdfValue[] | string {
    const bad = changedKeys(old, now).filter(key => key !== 'Fields' && !(key === 'SigFlags' && isSigFlags(old, now)));
    if (bad.length > 0) return `the form was changed (${bad.join(', ')})`;
    const list = refOf(now.get('Fields'));
    if (list !== null && list !== refOf(old.get('Fields')) && !this.#ledger.isNew(list))
      return 'the list of fields was moved';
    const added = addedTo(
      this.#ledger.before.resolve(old.get('Fields')),
      this.#ledger.after.resolve(now.get('Fields')),
    );
    return added ?? 'fields were removed from the form or put in another order';
  }

  /** A new signature field, with its signature or to be signed later. @returns what is wrong, or null */
  #newField(number: number | null): string | null {
    const dict = this.#ledger.newDict(number);
    if (number === null || dict === null) return 'a field was added that is no new object';
    const name = stringOf(this.#ledger.after.resolve(dict.get('T')));
    if (nameOf(dict.get('FT')) !== 'Sig' || name === null) return 'a field was added that is no signature';
    const strange = [...dict.keys()].filter(key => !NEW_FIELD.has(key));
    if (strange.length > 0) return `a field was added with strange entries (${strange.join(', ')})`;
    const text = readText(name);
    if (text.includes('.') || [...this.#fields.values()].some(field => field.name === text))
      return `a second field ${text} was added`;
    const signature = refOf(dict.get('V'));
    const value = this.#ledger.newDict(signature);
    if (dict.has('V') && value === null) return `field ${text} was added with a signature that is no new object`;
    const timestamp = isTimestamp(value);
    const problem = this.#placeFault(text, timestamp, isVisible(dict));
    if (problem !== null) return problem;
    const empty = !dict.has('V');
    if (empty && (dict.has('MK') || this.#draws(dict.get('AP'))))
      return `field ${text} was added, which shows something without a signature`;
    const purpose = timestamp ? 'a document timestamp' : 'a signature';
    this.#ledger.claim(number, 'field-added', `field ${text} for ${purpose}`);
    if (signature !== null && value !== null)
      this.#claimSignature(signature, value, timestamp ? 'timestamp-added' : 'signature-added', text);
    this.#ledger.claimAppearance(dict.get('AP'), undefined, text);
    for (const key of ['Lock', 'SV', 'MK'])
      this.#ledger.claimNew(dict.get(key), 'field-added', `part of field ${text}`);
    return null;
  }

  /** Whether an appearance shows anything: what its stream is made of does not matter where it is empty. */
  #draws(appearance: PdfValue | undefined): boolean {
    if (appearance === undefined) return false;
    const entries = this.#ledger.after.resolve(appearance);
    if (!isDict(entries)) return true;
    return [...entries].some(([key, value]) => {
      const number = refOf(value);
      return key !== 'N' || number === null || this.#ledger.after.find(number)?.stream?.length !== 0;
    });
  }

  /** Why a new field may not stand there, or null. */
  #placeFault(name: string, timestamp: boolean, visible: boolean): string | null {
    const { docMdp, locks } = this.#ledger.permissions;
    if (visible && timestamp) return 'a document timestamp was added that is visible';
    if (timestamp) return null;
    if (docMdp === 1) return `field ${name} was added, which the certification forbids`;
    // Only P = 3 lets pages change; a lock that isn't by name is meant for whatever the pages show.
    const fixed = (docMdp !== null && docMdp < 3) || locks.some(({ action }) => action !== 'Include');
    if (visible && fixed) return `the visible field ${name} was added, which an earlier signature forbids`;
    return isLocked(name, locks) ? `field ${name} was added after an earlier signature locked it` : null;
  }

  #claimSignature(number: number, value: PdfDict, kind: ChangeKind, field: string): void {
    this.#ledger.claim(
      number,
      kind,
      kind === 'timestamp-added' ? 'a document timestamp' : `a signature in field ${field}`,
    );
    for (const key of ['Reference', 'Prop_Build'])
      this.#ledger.claimNew(value.get(key), kind, `part of the signature in field ${field}`);
  }

  /** Fields that were there before: filled in or signed. */
  filled(): void {
    for (const [number, { old, now }] of this.#ledger.changed) {
      if (old === null || this.#ledger.isJudged(number)) continue;
      const field = this.#fields.get(number);
      if (now === null || !field || !isDict(old.value) || !isDict(now.value) || now.stream !== null) continue;
      const problem = this.#filled(number, field, old.value, now.value);
      if (problem !== null) this.#ledger.refuse(number, problem);
    }
  }

  /** @returns what is wrong, or null */
  #filled(number: number, { name, type, widgetOnly }: FormNode, old: PdfDict, now: PdfDict): string | null {
    const keys = changedKeys(old, now);
    const allowed = type === 'Sig' ? FILLED_SIGNATURE : widgetOnly ? FILLED_WIDGET : FILLED_FIELD;
    const bad = keys.filter(key => !allowed.has(key));
    if (bad.length > 0) return `field ${name} was changed (${bad.join(', ')})`;
    if (isLocked(name, this.#ledger.permissions.locks))
      return `field ${name} was filled in after an earlier signature locked it`;
    if (this.#ledger.permissions.docMdp === 1) return `field ${name} was filled in, which the certification forbids`;
    if (type === 'Sig' && !widgetOnly) {
      const signature = refOf(now.get('V'));
      const value = this.#ledger.newDict(signature);
      if ((old.get('V') ?? null) !== null) return `field ${name} was changed after it was signed`;
      if (signature === null || value === null) return `field ${name} was changed without being signed`;
      this.#ledger.claim(number, 'field-filled', `field ${name} was signed`);
      this.#claimSignature(signature, value, 'signature-added', name);
    } else if (type === 'Sig' || type === null) return `field ${name} was changed`;
    else this.#ledger.claim(number, 'field-filled', `field ${name} was filled in`);
    if (!this.#ledger.claimAppearance(now.get('AP'), old.get('AP'), name))
      return `field ${name} shows what it did not show before`;
    return null;
  }
}

/** SigFlags (§12.7.3): SignaturesExist and AppendOnly may be set. */
function isSigFlags(old: PdfDict, now: PdfDict): boolean {
  const [before, after] = [old.get('SigFlags') ?? 0, now.get('SigFlags')];
  return typeof before === 'number' && typeof after === 'number' && (before | after) === after && after <= 3;
}

const isTimestamp = (value: PdfDict | null): boolean =>
  nameOf(value?.get('Type')) === 'DocTimeStamp' && nameOf(value?.get('SubFilter')) === 'ETSI.RFC3161';

/** Shows something on a page: an appearance on a rectangle with an area (EN 319 142-1 §5.4.3: timestamps don't). */
function isVisible(field: PdfDict): boolean {
  const rect = field.get('Rect');
  if (!isArray(rect) || rect.length !== 4) return field.has('Rect') || field.has('AP');
  const [a, b, c, d] = rect;
  return !(a === c || b === d);
}
