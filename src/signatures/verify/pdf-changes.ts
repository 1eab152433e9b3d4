/**
 * What a later revision did to a signed file, object by object (THREATS.md "Shadow attacks, incremental tampering,
 * wrapping, universal forgery"). Fields may be filled in, signatures, evidence and document timestamps added; an object
 * that no rule claims makes the file "modified after signing".
 */
import type { FoundObject, PdfFile } from '../../documents/file/file.ts';
import { type Revision, unusedSpans } from '../../documents/file/revisions.ts';
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
import { readStore } from './pdf-dss.ts';
import { type FormNode, formNodes, isLocked, type LockInPlace } from './pdf-form.ts';
import { changedKeys, describeObject, referencesIn, sameObject, sameValue } from './pdf-values.ts';
import type { Change, ChangeKind } from './result.ts';

/** What the signatures before a revision allow. */
export interface Permissions {
  /** DocMDP P; null where nothing is certified. */
  readonly docMdp: number | null;
  readonly locks: readonly LockInPlace[];
  /** Numbers that were referred to before they were defined: to define them changes what refers to them. */
  readonly dangling: ReadonlySet<number>;
}

interface Changed {
  readonly old: FoundObject | null;
  /** Null where it was removed. */
  readonly now: FoundObject | null;
}

/** @throws PdfSyntaxError */
export function judgeRevision(before: PdfFile, after: PdfFile, revision: Revision, permissions: Permissions): Change[] {
  return new RevisionJudge(before, after, revision, permissions).judge();
}

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

class RevisionJudge {
  readonly #before: PdfFile;
  readonly #after: PdfFile;
  readonly #revision: Revision;
  readonly #permissions: Permissions;
  readonly #changed = new Map<number, Changed>();
  readonly #claimed = new Map<number, Change>();
  readonly #whole: Change[] = [];
  #fields: ReadonlyMap<number, FormNode> = new Map();

  constructor(before: PdfFile, after: PdfFile, revision: Revision, permissions: Permissions) {
    this.#before = before;
    this.#after = after;
    this.#revision = revision;
    this.#permissions = permissions;
  }

  judge(): Change[] {
    this.#trailer();
    for (const { start, end } of unusedSpans(this.#after, this.#revision))
      this.#refuse(null, `octets ${start} to ${end} belong to no object`);
    this.#collect();
    this.#fields = formNodes(this.#before);
    this.#catalog();
    this.#form();
    this.#evidence();
    this.#existing();
    this.#pages();
    for (const [number, changed] of this.#changed) this.#rest(number, changed);
    return [...this.#whole, ...[...this.#claimed.values()].toSorted((a, b) => (a.object ?? 0) - (b.object ?? 0))];
  }

  // --- bookkeeping -----------------------------------------------------------------------------------------------

  #change(object: number | null, kind: ChangeKind, allowed: boolean, text: string): Change {
    return { revision: this.#revision.index + 1, object, kind, allowed, text };
  }

  #refuse(object: number | null, text: string): void {
    const change = this.#change(object, 'modified', false, text);
    if (object === null) this.#whole.push(change);
    else this.#claimed.set(object, change);
  }

  /** A refusal stays. */
  #claim(object: number, kind: ChangeKind, text: string): void {
    if (this.#claimed.get(object)?.allowed === false) return;
    const early = this.#permissions.dangling.has(object) && this.#changed.get(object)?.old === null;
    if (early) this.#refuse(object, 'something referred to it before it existed');
    else this.#claimed.set(object, this.#change(object, kind, true, text));
  }

  #isNew(number: number): boolean {
    const changed = this.#changed.get(number);
    return changed !== undefined && changed.old === null && changed.now !== null;
  }

  #newDict(number: number | null): PdfDict | null {
    if (number === null || !this.#isNew(number)) return null;
    const { value, stream } = this.#changed.get(number)!.now!;
    return isDict(value) && stream === null ? value : null;
  }

  // --- what changed ----------------------------------------------------------------------------------------------

  #trailer(): void {
    const [old, now] = [this.#before.trailer, this.#after.trailer];
    if (!sameValue(old.rootRef, now.rootRef)) this.#refuse(null, 'the catalog was replaced by another');
    if (!sameValue(old.info, now.info)) this.#refuse(null, 'the document information was replaced by another');
    if (now.size < old.size) this.#refuse(null, 'objects were cut off by a smaller Size');
    if (old.id !== null && now.id?.[0] !== old.id[0]) this.#refuse(null, 'the file identifier was replaced');
  }

  #collect(): void {
    const containers = new Set<number>();
    const sections = this.#revision.sections.flatMap(section =>
      section.hybrid ? [section, section.hybrid] : [section],
    );
    for (const [number, entry] of this.#revision.entries()) {
      if (number === 0) continue;
      if (entry.kind === 'compressed') containers.add(entry.container);
      const old = this.#before.find(number);
      const now = this.#after.find(number);
      if (old === null && now === null) continue;
      this.#changed.set(number, { old, now });
      if (old !== null && now !== null && sameObject(old, now))
        this.#claimed.set(number, this.#change(number, 'unchanged', true, 'written again as it was'));
    }
    for (const [number, { old, now }] of this.#changed) {
      const isXref = now !== null && sections.some(({ kind, offset }) => kind === 'stream' && offset === now.start);
      if (old === null && (isXref || containers.has(number))) this.#claim(number, 'structure', 'structure of the file');
    }
  }

  // --- catalog, form, evidence -----------------------------------------------------------------------------------

  #catalog(): void {
    const number = this.#after.trailer.root;
    const changed = this.#changed.get(number);
    if (!changed || this.#claimed.has(number)) return;
    const [old, now] = [this.#before.dict(number), this.#after.dict(number)];
    const allowed = (key: string): boolean => {
      // Both are judged by what they hold.
      if (key === 'DSS') return true;
      if (key === 'AcroForm')
        return isDict(old.get(key)) && (isDict(now.get(key)) || this.#isNew(refOf(now.get(key)) ?? 0));
      if (key === 'Extensions') return isExtension(now.get(key));
      return key === 'Metadata' && this.#permissions.docMdp === null && this.#isNew(refOf(now.get(key)) ?? 0);
    };
    const bad = changedKeys(old, now).filter(key => !allowed(key));
    if (bad.length > 0) this.#refuse(number, `the catalog was changed (${bad.join(', ')})`);
    else this.#claim(number, 'catalog', 'the catalog names what was added');
    if (this.#permissions.docMdp === null) this.#metadata(now);
  }

  /** In a file that nobody certified, programs that sign renew the metadata; no page shows them. */
  #metadata(catalog: PdfDict): void {
    const number = refOf(catalog.get('Metadata'));
    const now = number === null ? null : this.#changed.get(number)?.now;
    if (number !== null && now && isDict(now.value) && nameOf(now.value.get('Type')) === 'Metadata' && now.stream)
      this.#claim(number, 'structure', 'metadata about the document were renewed');
  }

  #form(): void {
    const [oldRef, nowRef] = [this.#before, this.#after].map(file => file.dict(file.trailer.root).get('AcroForm'));
    const [old, now] = [this.#before.resolve(oldRef), this.#after.resolve(nowRef)];
    if (!isDict(old) || !isDict(now)) return;
    const number = refOf(nowRef);
    const added = this.#addedFields(old, now);
    const problems = typeof added === 'string' ? [added] : added.map(field => this.#newField(refOf(field)));
    for (const problem of problems) if (problem !== null) this.#refuse(number ?? this.#after.trailer.root, problem);
    const text = added.length > 0 ? 'the form lists the new field' : 'the form says that it has signatures';
    for (const node of [number, refOf(now.get('Fields'))]) {
      if (node !== null && this.#changed.has(node) && !this.#claimed.has(node)) this.#claim(node, 'form', text);
    }
  }

  /** What the form's list has more than before; or what is wrong. */
  #addedFields(old: PdfDict, now: PdfDict): readonly PdfValue[] | string {
    const bad = changedKeys(old, now).filter(key => key !== 'Fields' && !(key === 'SigFlags' && isSigFlags(old, now)));
    if (bad.length > 0) return `the form was changed (${bad.join(', ')})`;
    const list = refOf(now.get('Fields'));
    if (list !== null && list !== refOf(old.get('Fields')) && !this.#isNew(list)) return 'the list of fields was moved';
    const added = addedTo(this.#before.resolve(old.get('Fields')), this.#after.resolve(now.get('Fields')));
    return added ?? 'fields were removed from the form or put in another order';
  }

  /** A new signature field, with its signature or to be signed later. @returns what is wrong, or null */
  #newField(number: number | null): string | null {
    const dict = this.#newDict(number);
    if (number === null || dict === null) return 'a field was added that is no new object';
    const name = stringOf(this.#after.resolve(dict.get('T')));
    if (nameOf(dict.get('FT')) !== 'Sig' || name === null) return 'a field was added that is no signature';
    const strange = [...dict.keys()].filter(key => !NEW_FIELD.has(key));
    if (strange.length > 0) return `a field was added with strange entries (${strange.join(', ')})`;
    const text = readText(name);
    if (text.includes('.') || [...this.#fields.values()].some(field => field.name === text))
      return `a second field ${text} was added`;
    const signature = refOf(dict.get('V'));
    const value = this.#newDict(signature);
    if (dict.has('V') && value === null) return `field ${text} was added with a signature that is no new object`;
    const timestamp = isTimestamp(value);
    const problem = this.#placeFault(text, timestamp, isVisible(dict));
    if (problem !== null) return problem;
    const empty = !dict.has('V');
    if (empty && (dict.has('MK') || this.#draws(dict.get('AP'))))
      return `field ${text} was added, which shows something without a signature`;
    const purpose = timestamp ? 'a document timestamp' : 'a signature';
    this.#claim(number, 'field-added', `field ${text} for ${purpose}`);
    if (signature !== null && value !== null)
      this.#claimSignature(signature, value, timestamp ? 'timestamp-added' : 'signature-added', text);
    this.#claimAppearance(dict.get('AP'), undefined, text);
    for (const key of ['Lock', 'SV', 'MK']) this.#claimNew(dict.get(key), 'field-added', `part of field ${text}`);
    return null;
  }

  /** Whether an appearance shows anything: what its stream is made of does not matter where it is empty. */
  #draws(appearance: PdfValue | undefined): boolean {
    if (appearance === undefined) return false;
    const entries = this.#after.resolve(appearance);
    if (!isDict(entries)) return true;
    return [...entries].some(([key, value]) => {
      const number = refOf(value);
      return key !== 'N' || number === null || this.#after.find(number)?.stream?.length !== 0;
    });
  }

  /** Why a new field may not stand there, or null. */
  #placeFault(name: string, timestamp: boolean, visible: boolean): string | null {
    const { docMdp, locks } = this.#permissions;
    if (visible && timestamp) return 'a document timestamp was added that is visible';
    if (timestamp) return null;
    if (docMdp === 1) return `field ${name} was added, which the certification forbids`;
    // Only P = 3 lets pages change; a lock that isn't by name is meant for whatever the pages show.
    const fixed = (docMdp !== null && docMdp < 3) || locks.some(({ action }) => action !== 'Include');
    if (visible && fixed) return `the visible field ${name} was added, which an earlier signature forbids`;
    return isLocked(name, locks) ? `field ${name} was added after an earlier signature locked it` : null;
  }

  #claimSignature(number: number, value: PdfDict, kind: ChangeKind, field: string): void {
    this.#claim(number, kind, kind === 'timestamp-added' ? 'a document timestamp' : `a signature in field ${field}`);
    for (const key of ['Reference', 'Prop_Build'])
      this.#claimNew(value.get(key), kind, `part of the signature in field ${field}`);
  }

  #evidence(): void {
    const old = readStore(this.#before);
    const now = readStore(this.#after);
    const root = this.#after.trailer.root;
    if (now === null) {
      if (old !== null) this.#refuse(root, 'the evidence for later validation was removed');
      return;
    }
    for (const entry of old?.listed ?? []) {
      if (!now.listed.has(entry)) this.#refuse(root, 'evidence for later validation was removed');
    }
    for (const number of now.nodes) {
      // An object of another purpose must not become a part of the store.
      if (this.#isNew(number) || (this.#changed.has(number) && old?.nodes.has(number)))
        this.#claim(number, 'evidence-added', 'evidence for later validation (DSS)');
    }
    for (const [number, kind] of now.leaves) {
      if (!this.#isNew(number)) continue;
      this.#claim(number, 'evidence-added', `evidence for later validation (${kind})`);
      const { value } = this.#changed.get(number)!.now!;
      this.#claimNew(isDict(value) ? value.get('Length') : undefined, 'evidence-added', 'a length');
    }
  }

  // --- fields and pages ------------------------------------------------------------------------------------------

  #existing(): void {
    for (const [number, { old, now }] of this.#changed) {
      if (old === null || this.#claimed.has(number)) continue;
      const field = this.#fields.get(number);
      if (now === null || !field || !isDict(old.value) || !isDict(now.value) || now.stream !== null) continue;
      const problem = this.#filled(number, field, old.value, now.value);
      if (problem !== null) this.#refuse(number, problem);
    }
  }

  /** @returns what is wrong, or null */
  #filled(number: number, { name, type, widgetOnly }: FormNode, old: PdfDict, now: PdfDict): string | null {
    const keys = changedKeys(old, now);
    const allowed = type === 'Sig' ? FILLED_SIGNATURE : widgetOnly ? FILLED_WIDGET : FILLED_FIELD;
    const bad = keys.filter(key => !allowed.has(key));
    if (bad.length > 0) return `field ${name} was changed (${bad.join(', ')})`;
    if (isLocked(name, this.#permissions.locks))
      return `field ${name} was filled in after an earlier signature locked it`;
    if (this.#permissions.docMdp === 1) return `field ${name} was filled in, which the certification forbids`;
    if (type === 'Sig' && !widgetOnly) {
      const signature = refOf(now.get('V'));
      const value = this.#newDict(signature);
      if ((old.get('V') ?? null) !== null) return `field ${name} was changed after it was signed`;
      if (signature === null || value === null) return `field ${name} was changed without being signed`;
      this.#claim(number, 'field-filled', `field ${name} was signed`);
      this.#claimSignature(signature, value, 'signature-added', name);
    } else if (type === 'Sig' || type === null) return `field ${name} was changed`;
    else this.#claim(number, 'field-filled', `field ${name} was filled in`);
    if (!this.#claimAppearance(now.get('AP'), old.get('AP'), name))
      return `field ${name} shows what it did not show before`;
    return null;
  }

  /** Appearance streams that are new, and what is new in them. @returns whether it shows nothing else */
  #claimAppearance(value: PdfValue | undefined, old: PdfValue | undefined, name: string): boolean {
    const kept = new Set(referencesIn(old));
    for (const number of referencesIn(value)) {
      if (!this.#isNew(number) && !kept.has(number)) return false;
    }
    this.#claimNew(value, 'appearance', `what field ${name} shows`);
    return true;
  }

  /** Everything new that a value leads to. */
  #claimNew(value: PdfValue | undefined, kind: ChangeKind, text: string): void {
    const waiting = [...referencesIn(value)];
    for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
      if (!this.#isNew(number) || this.#claimed.has(number)) continue;
      this.#claim(number, kind, text);
      waiting.push(...referencesIn(this.#changed.get(number)!.now!.value));
    }
  }

  /** A page's annotations may grow by the widgets of new signature fields, nothing else (§12.5.2). */
  #pages(): void {
    const lists = new Map<number, PdfValue | undefined>();
    for (const [number, { old, now }] of this.#changed) {
      if (this.#claimed.has(number) || !old || !now || !isDict(old.value) || !isDict(now.value)) continue;
      if (nameOf(old.value.get('Type')) !== 'Page' || old.stream !== null || now.stream !== null) continue;
      if (changedKeys(old.value, now.value).some(key => key !== 'Annots')) continue;
      if (refOf(now.value.get('Annots')) !== null) continue;
      lists.set(number, this.#before.resolve(old.value.get('Annots')));
    }
    for (const [number, old] of lists) {
      const { value } = this.#changed.get(number)!.now!;
      this.#annotations(number, old, isDict(value) ? value.get('Annots') : undefined);
    }
    for (const [number, { old, now }] of this.#changed) {
      if (this.#claimed.has(number) || !old || !now || !isArray(old.value) || !isArray(now.value)) continue;
      this.#annotations(number, old.value, now.value);
    }
  }

  #annotations(number: number, old: PdfValue | undefined, now: PdfValue | undefined): void {
    const added = addedTo(old, now);
    const areFields = added?.every(widget => this.#claimed.get(refOf(widget) ?? 0)?.kind === 'field-added');
    if (added && added.length > 0 && areFields) this.#claim(number, 'page', 'a page shows the new signature');
  }

  #rest(number: number, { old, now }: Changed): void {
    if (this.#claimed.has(number)) return;
    const what = describeObject((now ?? old)!);
    if (now === null) this.#refuse(number, `${describeObject(old!)} was removed`);
    else if (old === null) this.#refuse(number, `${what} was added that no signature, field or evidence needs`);
    else this.#refuse(number, `${what} was changed`);
  }
}

/** Items at the end of `now` that `old` doesn't have; null unless `now` begins with all of `old`. */
function addedTo(old: PdfValue | undefined, now: PdfValue | undefined): readonly PdfValue[] | null {
  const before = old ?? [];
  const after = now ?? [];
  if (!isArray(before) || !isArray(after) || after.length < before.length) return null;
  return before.every((item, i) => sameValue(item, after[i])) ? after.slice(before.length) : null;
}

/** SigFlags (§12.7.3): SignaturesExist and AppendOnly may be set. */
function isSigFlags(old: PdfDict, now: PdfDict): boolean {
  const [before, after] = [old.get('SigFlags') ?? 0, now.get('SigFlags')];
  return typeof before === 'number' && typeof after === 'number' && (before | after) === after && after <= 3;
}

/** Developer extensions (§7.12): names and numbers only. */
function isExtension(value: PdfValue | undefined): boolean {
  if (!isDict(value)) return false;
  return ![...referencesIn(value)].length;
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
