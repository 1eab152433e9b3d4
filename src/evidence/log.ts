/**
 * The evidence log as everybody but the store sees it: append-only. What changes the state writes its entries itself, in
 * the same transaction (src/store); `note` is for what changes nothing else.
 */
import type { Happening, Row } from './entry.ts';

export interface EvidenceLog {
  /** Durable when it resolves. */
  note(happening: Happening): Promise<void>;
  /** Everything, from the first entry on. */
  rows(): Iterable<Row>;
  /** The entries from one to another, both included. */
  range(first: number, last: number): readonly Row[];
  /** Those about a request, oldest first. */
  ofRequest(requestId: string): readonly Row[];
  newest(): Row | null;
  /** The first entry after `sequence` that holds a timestamp. */
  timestampAfter(sequence: number): Row | null;
  newestTimestamp(): Row | null;
}
