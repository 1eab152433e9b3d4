/**
 * What a later revision did to a signed file, object by object (THREATS.md "Shadow attacks, incremental tampering,
 * wrapping, universal forgery"). Fields may be filled in, signatures, evidence and document timestamps added; an object
 * that no rule claims makes the file "modified after signing".
 */
import type { PdfFile } from '../../documents/file/file.ts';
import { type Revision, unusedSpans } from '../../documents/file/revisions.ts';
import { isArray, isDict, nameOf, type PdfDict, type PdfValue, refOf } from '../../documents/file/values.ts';
import { readStore } from './pdf-dss.ts';
import { FieldJudge } from './pdf-field-changes.ts';
import { type Changed, type Permissions, RevisionLedger } from './pdf-ledger.ts';
import { addedTo, changedKeys, describeObject, referencesIn, sameValue } from './pdf-values.ts';
import type { Change } from './result.ts';

/** @throws PdfSyntaxError */
export function judgeRevision(before: PdfFile, after: PdfFile, revision: Revision, permissions: Permissions): Change[] {
  const ledger = new RevisionLedger(before, after, revision, permissions);
  new RevisionJudge(ledger).judge();
  return ledger.changes();
}

class RevisionJudge {
  readonly #ledger: RevisionLedger;

  constructor(ledger: RevisionLedger) {
    this.#ledger = ledger;
  }

  judge(): void {
    const { after, revision, changed } = this.#ledger;
    this.#trailer();
    for (const { start, end } of unusedSpans(after, revision))
      this.#ledger.refuse(null, `octets ${start} to ${end} belong to no object`);
    const fields = new FieldJudge(this.#ledger);
    this.#catalog();
    fields.added();
    this.#evidence();
    fields.filled();
    this.#pages();
    for (const [number, change] of changed) this.#rest(number, change);
  }

  #trailer(): void {
    const [old, now] = [this.#ledger.before.trailer, this.#ledger.after.trailer];
    if (!sameValue(old.rootRef, now.rootRef)) this.#ledger.refuse(null, 'the catalog was replaced by another');
    if (!sameValue(old.info, now.info)) this.#ledger.refuse(null, 'the document information was replaced by another');
    if (now.size < old.size) this.#ledger.refuse(null, 'objects were cut off by a smaller Size');
    if (old.id !== null && now.id?.[0] !== old.id[0]) this.#ledger.refuse(null, 'the file identifier was replaced');
  }

  #catalog(): void {
    const number = this.#ledger.after.trailer.root;
    const changed = this.#ledger.changed.get(number);
    if (!changed || this.#ledger.isJudged(number)) return;
    const [old, now] = [this.#ledger.before.dict(number), this.#ledger.after.dict(number)];
    const allowed = (key: string): boolean => {
      // Both are judged by what they hold.
      if (key === 'DSS') return true;
      if (key === 'AcroForm')
        return isDict(old.get(key)) && (isDict(now.get(key)) || this.#ledger.isNew(refOf(now.get(key)) ?? 0));
      if (key === 'Extensions') return isExtension(now.get(key));
      return (
        key === 'Metadata' && this.#ledger.permissions.docMdp === null && this.#ledger.isNew(refOf(now.get(key)) ?? 0)
      );
    };
    const bad = changedKeys(old, now).filter(key => !allowed(key));
    if (bad.length > 0) this.#ledger.refuse(number, `the catalog was changed (${bad.join(', ')})`);
    else this.#ledger.claim(number, 'catalog', 'the catalog names what was added');
    if (this.#ledger.permissions.docMdp === null) this.#metadata(now);
  }

  /** In a file that nobody certified, programs that sign renew the metadata; no page shows them. */
  #metadata(catalog: PdfDict): void {
    const number = refOf(catalog.get('Metadata'));
    const now = number === null ? null : this.#ledger.changed.get(number)?.now;
    if (number !== null && now && isDict(now.value) && nameOf(now.value.get('Type')) === 'Metadata' && now.stream)
      this.#ledger.claim(number, 'structure', 'metadata about the document were renewed');
  }

  #evidence(): void {
    const old = readStore(this.#ledger.before);
    const now = readStore(this.#ledger.after);
    const root = this.#ledger.after.trailer.root;
    if (now === null) {
      if (old !== null) this.#ledger.refuse(root, 'the evidence for later validation was removed');
      return;
    }
    for (const entry of old?.listed ?? []) {
      if (!now.listed.has(entry)) this.#ledger.refuse(root, 'evidence for later validation was removed');
    }
    for (const number of now.nodes) {
      // An object of another purpose must not become a part of the store.
      if (this.#ledger.isNew(number) || (this.#ledger.changed.has(number) && old?.nodes.has(number)))
        this.#ledger.claim(number, 'evidence-added', 'evidence for later validation (DSS)');
    }
    for (const [number, kind] of now.leaves) {
      if (!this.#ledger.isNew(number)) continue;
      this.#ledger.claim(number, 'evidence-added', `evidence for later validation (${kind})`);
      const { value } = this.#ledger.changed.get(number)!.now!;
      this.#ledger.claimNew(isDict(value) ? value.get('Length') : undefined, 'evidence-added', 'a length');
    }
  }

  /** A page's annotations may grow by the widgets of new signature fields, nothing else (§12.5.2). */
  #pages(): void {
    const lists = new Map<number, PdfValue | undefined>();
    for (const [number, { old, now }] of this.#ledger.changed) {
      if (this.#ledger.isJudged(number) || !old || !now || !isDict(old.value) || !isDict(now.value)) continue;
      if (nameOf(old.value.get('Type')) !== 'Page' || old.stream !== null || now.stream !== null) continue;
      if (changedKeys(old.value, now.value).some(key => key !== 'Annots')) continue;
      if (refOf(now.value.get('Annots')) !== null) continue;
      lists.set(number, this.#ledger.before.resolve(old.value.get('Annots')));
    }
    for (const [number, old] of lists) {
      const { value } = this.#ledger.changed.get(number)!.now!;
      this.#annotations(number, old, isDict(value) ? value.get('Annots') : undefined);
    }
    for (const [number, { old, now }] of this.#ledger.changed) {
      if (this.#ledger.isJudged(number) || !old || !now || !isArray(old.value) || !isArray(now.value)) continue;
      this.#annotations(number, old.value, now.value);
    }
  }

  #annotations(number: number, old: PdfValue | undefined, now: PdfValue | undefined): void {
    const added = addedTo(old, now);
    const areFields = added?.every(widget => this.#ledger.isAddedField(refOf(widget) ?? 0));
    if (added && added.length > 0 && areFields) this.#ledger.claim(number, 'page', 'a page shows the new signature');
  }

  #rest(number: number, { old, now }: Changed): void {
    if (this.#ledger.isJudged(number)) return;
    const what = describeObject((now ?? old)!);
    if (now === null) this.#ledger.refuse(number, `${describeObject(old!)} was removed`);
    else if (old === null) this.#ledger.refuse(number, `${what} was added that no signature, field or evidence needs`);
    else this.#ledger.refuse(number, `${what} was changed`);
  }
}

/** Developer extensions (§7.12): names and numbers only. */
function isExtension(value: PdfValue | undefined): boolean {
  if (!isDict(value)) return false;
  return ![...referencesIn(value)].length;
}
