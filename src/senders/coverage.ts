/**
 * What a signature of the mail must be like so that nobody can make another request of it (DKIM replay, RFC 6376 §8.6):
 * it covers all that decides who asks whom for what, the whole body, and is young.
 */
import { fieldsOf, type RawMessage, rawValue } from '../intake/raw-message.ts';
import type { Tags } from './tag-list.ts';

/** Signed whether they are there or not: else one could be added (RFC 6376 §5.4.2). */
const ALWAYS = ['From', 'To', 'Subject', 'Date', 'Message-ID', 'Content-Type'];
/** Signed where they are there; most signers leave out what is not. */
const WHERE_PRESENT = ['Cc', 'Content-Transfer-Encoding', 'Content-Disposition'];
/** Clocks of two companies differ a little. */
const MAX_CLOCK_DIFFERENCE = 5 * 60_000;

export interface Freshness {
  readonly now: Date;
  /** Milliseconds. */
  readonly maxAge: number;
}

/**
 * What is wrong with a signature even if it verifies, as the end of "its signature …"; null when nothing is.
 *
 * @param tags of the DKIM-Signature or ARC-Message-Signature
 */
export function weaknessOf(message: RawMessage, tags: Tags, { now, maxAge }: Freshness): string | null {
  if (tags.has('l')) return 'covers only a part of the mail (l=)';
  const missing = uncovered(message, tags.get('h') ?? '');
  if (missing.length > 0) return `does not cover ${missing.join(', ')}`;
  const signed = signedAt(message, tags);
  if (signed === null) return 'does not say when it was made';
  const age = now.getTime() - signed;
  if (age > maxAge) return `is older than ${Math.round(maxAge / 3_600_000)} hours`;
  if (age < -MAX_CLOCK_DIFFERENCE) return 'says that it was made in the future';
  const expires = tags.get('x');
  if (expires !== undefined && Number(expires) * 1000 < now.getTime()) return 'has expired';
  return null;
}

/** Fields that a signature with this h= says nothing about. Each occurrence needs its own mention (RFC 6376 §5.4.2). */
function uncovered(message: RawMessage, list: string): string[] {
  const signed = list.split(':').map(name => name.trim().toLowerCase());
  const mentions = (name: string): number => signed.filter(other => other === name.toLowerCase()).length;
  const occurrences = (name: string): number => fieldsOf(message, name.toLowerCase()).length;
  return [
    ...ALWAYS.filter(name => mentions(name) < Math.max(1, occurrences(name))),
    ...WHERE_PRESENT.filter(name => mentions(name) < occurrences(name)),
  ];
}

/** Time of the signature (t=), or else of the mail, in milliseconds. */
function signedAt(message: RawMessage, tags: Tags): number | null {
  const written = tags.get('t');
  const time = written === undefined ? Date.parse(rawValue(message, 'date') ?? '') : Number(written) * 1000;
  return Number.isFinite(time) ? time : null;
}
