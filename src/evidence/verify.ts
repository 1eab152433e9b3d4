/** Walks all of the evidence log and says how far it is proven. Trusts nothing in it but what a timestamp covers. */
import { DerError, hex } from '../pki/der.ts';
import { SignedDataInvalid } from '../pki/signed-data.ts';
import { checkToken, parseToken, TokenInvalid } from '../pki/token.ts';
import type { Certificate } from '../pki/x509.ts';
import { type Entry, EntryUnreadable, GENESIS, hashOf, parseEntry, type Row, timestampOf } from './entry.ts';
import type { KeptToken } from './head.ts';

export interface LogReport {
  /** Entries read, up to the fault where there is one. */
  readonly entries: number;
  /** Timestamps in the log that hold. */
  readonly timestamps: number;
  /** The newest head that a timestamp covers, and since when nobody can have changed what is before it. */
  readonly proven: { readonly sequence: number; readonly time: Date } | null;
  /** Null: everything fits. */
  readonly fault: { readonly sequence: number | null; readonly message: string } | null;
}

export interface Trusted {
  /** Where the chains of timestamp authorities must end. */
  readonly anchors: readonly Certificate[];
  /** Tokens kept beside the database, or elsewhere. */
  readonly kept: readonly KeptToken[];
  readonly now: Date;
}

/** How far an authority's clock and ours may be apart, milliseconds. */
const CLOCK_TOLERANCE = 5 * 60_000;

/** @param rows in the order of the log */
export function verifyLog(rows: Iterable<Row>, trusted: Trusted): LogReport {
  const hashes: string[] = [];
  let timestamps = 0;
  let proven: LogReport['proven'] = null;
  const report = (fault: LogReport['fault']): LogReport => ({ entries: hashes.length, timestamps, proven, fault });
  for (const row of rows) {
    try {
      const entry = checkRow(row, hashes);
      const stamp = timestampOf(entry);
      if (stamp !== null) {
        const time = checkStamp(stamp, hashes, trusted);
        timestamps += 1;
        if (proven === null || stamp.sequence > proven.sequence) proven = { sequence: stamp.sequence, time };
      }
    } catch (error) {
      if (!(error instanceof EntryUnreadable || error instanceof TokenInvalid)) throw error;
      return report({ sequence: hashes.length + 1, message: error.message });
    }
    hashes.push(hashOf(row));
  }
  const known = new Map(hashes.map((hash, index) => [hash, index + 1]));
  for (const { file, token } of trusted.kept) {
    const message = keptFault(token, known, trusted);
    if (message !== null) return report({ sequence: null, message: `${file} ${message}` });
  }
  return report(null);
}

/** @throws EntryUnreadable */
function checkRow(row: Row, hashes: readonly string[]): Entry {
  const expected = hashes.length + 1;
  if (row.sequence !== expected) throw new EntryUnreadable(`entry ${row.sequence} stands where it should be`);
  if (row.previous !== (hashes.at(-1) ?? GENESIS)) {
    throw new EntryUnreadable(
      expected === 1 ? 'it does not begin the log' : `it does not follow on entry ${expected - 1} as that stands now`,
    );
  }
  const entry = parseEntry(row.body);
  if (entry.sequence !== expected) throw new EntryUnreadable(`it says that it is entry ${entry.sequence}`);
  return entry;
}

/** @throws TokenInvalid */
function checkStamp(
  { sequence, token }: { readonly sequence: number; readonly token: Uint8Array },
  hashes: readonly string[],
  trusted: Trusted,
): Date {
  const hash = hashes[sequence - 1];
  if (hash === undefined) throw new TokenInvalid('its timestamp is of an entry that comes later');
  return checkFully(token, hash, trusted);
}

/** @throws TokenInvalid */
function checkFully(token: Uint8Array, hash: string, { anchors, now }: Trusted): Date {
  try {
    const { time } = checkToken(token, {
      sha256: new Uint8Array(Buffer.from(hash, 'hex')),
      // Chosen anew for each request and compared then.
      nonce: parseToken(token).info.nonce,
      anchors,
      notBefore: new Date(0),
      notAfter: new Date(now.getTime() + CLOCK_TOLERANCE),
    });
    return time;
  } catch (error) {
    if (error instanceof TokenInvalid || error instanceof DerError || error instanceof SignedDataInvalid)
      throw new TokenInvalid(`its timestamp does not hold: ${error.message}`);
    throw error;
  }
}

/** Null when the log still has what the token is of. */
function keptFault(token: Uint8Array, known: ReadonlyMap<string, number>, trusted: Trusted): string | null {
  try {
    const hash = hex(parseToken(token).info.imprint);
    const time = checkFully(token, hash, trusted);
    return known.has(hash) ? null : `is the timestamp of ${time.toISOString()} of an entry that the log no longer has`;
  } catch (error) {
    if (error instanceof TokenInvalid || error instanceof DerError || error instanceof SignedDataInvalid)
      return `holds no timestamp: ${error.message}`;
    throw error;
  }
}

/** The report in one sentence. */
export function sentenceOf({ entries, proven, fault }: LogReport): string {
  const upTo =
    proven === null
      ? 'no timestamp proves any entry'
      : `entries 1 to ${proven.sequence} are proven to stand as they did on ${proven.time.toISOString()}`;
  if (fault !== null) {
    const where = fault.sequence === null ? fault.message : `at entry ${fault.sequence}, ${fault.message}`;
    return `The evidence log was tampered with or damaged: ${where}; ${upTo}.`;
  }
  if (entries === 0) return 'The evidence log is empty.';
  const rest = entries - (proven?.sequence ?? 0);
  return `The evidence log is whole, ${entries} ${entries === 1 ? 'entry' : 'entries'}: ${upTo}, ${rest === 1 ? 'the newest one is' : `the newest ${rest} are`} chained to them and not yet timestamped.`;
}
