/**
 * What changed in a revision, object by object, and which rule has claimed or refused each: where the rules for pages,
 * fields and evidence write down what they find.
 */
import type { FoundObject, PdfFile } from '../../documents/file/file.ts';
import type { Revision } from '../../documents/file/revisions.ts';
import { isDict, type PdfDict, type PdfValue } from '../../documents/file/values.ts';
import type { LockInPlace } from './pdf-form.ts';
import { referencesIn, sameObject } from './pdf-values.ts';
import type { Change, ChangeKind } from './result.ts';

/** What the signatures before a revision allow. */
export interface Permissions {
  /** DocMDP P; null where nothing is certified. */
  readonly docMdp: number | null;
  readonly locks: readonly LockInPlace[];
  /** Numbers that were referred to before they were defined: to define them changes what refers to them. */
  readonly dangling: ReadonlySet<number>;
}

export interface Changed {
  readonly old: FoundObject | null;
  /** Null where it was removed. */
  readonly now: FoundObject | null;
}

export class RevisionLedger {
  readonly before: PdfFile;
  readonly after: PdfFile;
  readonly revision: Revision;
  readonly permissions: Permissions;
  readonly changed = new Map<number, Changed>();
  readonly #claimed = new Map<number, Change>();
  readonly #whole: Change[] = [];

  /** @throws PdfSyntaxError */
  constructor(before: PdfFile, after: PdfFile, revision: Revision, permissions: Permissions) {
    this.before = before;
    this.after = after;
    this.revision = revision;
    this.permissions = permissions;
    this.#collect();
  }

  /** Those of the file as a whole, then by object number. */
  changes(): Change[] {
    return [...this.#whole, ...[...this.#claimed.values()].toSorted((a, b) => (a.object ?? 0) - (b.object ?? 0))];
  }

  /** By any rule. */
  isJudged(object: number): boolean {
    return this.#claimed.has(object);
  }

  isAddedField(object: number): boolean {
    return this.#claimed.get(object)?.kind === 'field-added';
  }

  #change(object: number | null, kind: ChangeKind, allowed: boolean, text: string): Change {
    return { revision: this.revision.index + 1, object, kind, allowed, text };
  }

  /** `object` null: what is no object. */
  refuse(object: number | null, text: string): void {
    const change = this.#change(object, 'modified', false, text);
    if (object === null) this.#whole.push(change);
    else this.#claimed.set(object, change);
  }

  /** A refusal stays. */
  claim(object: number, kind: ChangeKind, text: string): void {
    if (this.#claimed.get(object)?.allowed === false) return;
    const early = this.permissions.dangling.has(object) && this.changed.get(object)?.old === null;
    if (early) this.refuse(object, 'something referred to it before it existed');
    else this.#claimed.set(object, this.#change(object, kind, true, text));
  }

  /** Not there before. */
  isNew(number: number): boolean {
    const changed = this.changed.get(number);
    return changed !== undefined && changed.old === null && changed.now !== null;
  }

  /** The dictionary of a new object that is no stream, or null. */
  newDict(number: number | null): PdfDict | null {
    if (number === null || !this.isNew(number)) return null;
    const { value, stream } = this.changed.get(number)!.now!;
    return isDict(value) && stream === null ? value : null;
  }

  /** Appearance streams that are new, and what is new in them. @returns whether it shows nothing else */
  claimAppearance(value: PdfValue | undefined, old: PdfValue | undefined, name: string): boolean {
    const kept = new Set(referencesIn(old));
    for (const number of referencesIn(value)) {
      if (!this.isNew(number) && !kept.has(number)) return false;
    }
    this.claimNew(value, 'appearance', `what field ${name} shows`);
    return true;
  }

  /** Everything new that a value leads to. */
  claimNew(value: PdfValue | undefined, kind: ChangeKind, text: string): void {
    const waiting = [...referencesIn(value)];
    for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
      if (!this.isNew(number) || this.#claimed.has(number)) continue;
      this.claim(number, kind, text);
      waiting.push(...referencesIn(this.changed.get(number)!.now!.value));
    }
  }

  #collect(): void {
    const containers = new Set<number>();
    const sections = this.revision.sections.flatMap(section =>
      section.hybrid ? [section, section.hybrid] : [section],
    );
    for (const [number, entry] of this.revision.entries()) {
      if (number === 0) continue;
      if (entry.kind === 'compressed') containers.add(entry.container);
      const old = this.before.find(number);
      const now = this.after.find(number);
      if (old === null && now === null) continue;
      this.changed.set(number, { old, now });
      if (old !== null && now !== null && sameObject(old, now))
        this.#claimed.set(number, this.#change(number, 'unchanged', true, 'written again as it was'));
    }
    for (const [number, { old, now }] of this.changed) {
      const isXref = now !== null && sections.some(({ kind, offset }) => kind === 'stream' && offset === now.start);
      if (old === null && (isXref || containers.has(number))) this.claim(number, 'structure', 'structure of the file');
    }
  }
}
