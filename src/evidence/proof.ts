/**
 * The proof of one request's entries: the chain from its first one to the next timestamped head. The entries of others in
 * between are there as their bodies' hashes, which tell nothing.
 */
import { hashOf, parseEntry, type Row, sha256, timestampOf } from './entry.ts';
import type { EvidenceLog } from './log.ts';

export interface Proof {
  /** The request's own entries. */
  readonly entries: readonly Row[];
  /** Every entry from the first to the timestamped head. */
  readonly chain: readonly {
    readonly sequence: number;
    readonly previous: string;
    readonly bodyHash: string;
    readonly hash: string;
  }[];
  /** Tokens over heads within the chain; the last is over its end. */
  readonly tokens: readonly { readonly sequence: number; readonly token: Uint8Array }[];
}

/** @returns null when the newest entry is not yet under a timestamp, or there is none about the request */
export function proofOf(log: EvidenceLog, requestId: string): Proof | null {
  const entries = log.ofRequest(requestId);
  const [first, last] = [entries[0], entries.at(-1)];
  if (first === undefined || last === undefined) return null;
  let head: number | null = null;
  for (let after = last.sequence; head === null; ) {
    const row = log.timestampAfter(after);
    if (row === null) return null;
    const { sequence } = timestampOf(parseEntry(row.body))!;
    // It may be of an entry before, when somebody wrote while the authority answered.
    if (sequence >= last.sequence) head = sequence;
    after = row.sequence;
  }
  const rows = log.range(first.sequence, head);
  const tokens = [];
  for (let row = log.timestampAfter(first.sequence); row !== null; row = log.timestampAfter(row.sequence)) {
    const stamp = timestampOf(parseEntry(row.body))!;
    if (stamp.sequence >= first.sequence && stamp.sequence <= head) tokens.push(stamp);
    if (stamp.sequence >= head) break;
  }
  return {
    entries,
    chain: rows.map(row => ({
      sequence: row.sequence,
      previous: row.previous,
      bodyHash: sha256(row.body),
      hash: hashOf(row),
    })),
    tokens,
  };
}
