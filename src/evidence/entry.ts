/**
 * One entry of the evidence log, and how entries hang together. An entry's body is canonical JSON (RFC 8785); what is
 * chained is its SHA-256, not the body, so that others can follow the chain past entries that they may not read:
 *
 *   hash(n) = SHA-256( hex(hash(n−1)) " " hex(SHA-256(body(n))) LF )
 *
 * The salt in each body keeps its hash from being guessed.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';

/** What an entry is about; ids only. */
export interface Subjects {
  /** Request number. */
  readonly request?: string;
  /** Session id. */
  readonly session?: string;
  /** Device id. */
  readonly device?: string;
  /** Certificate serial, lower-case hex. */
  readonly certificate?: string;
  /** Directory id. */
  readonly person?: string;
}

export type Fact = string | number | boolean | null | readonly Fact[] | { readonly [name: string]: Fact };

/** Something that happened. Facts hold no content of documents, no token and no link: hashes and states. */
export interface Happening {
  /** "request.finished", "session.signed", "certificate.revoked" … */
  readonly kind: string;
  readonly subjects: Subjects;
  readonly facts: { readonly [name: string]: Fact };
}

export interface Entry extends Happening {
  /** 1, 2, 3 … without gaps. */
  readonly sequence: number;
  /** ISO 8601, UTC: by the clock of the machine that wrote it. */
  readonly time: string;
  /** 16 random bytes, hex. */
  readonly salt: string;
}

/** An entry as it is stored. */
export interface Row {
  readonly sequence: number;
  /** Hash (hex) of the entry before it. */
  readonly previous: string;
  /** Canonical JSON of the Entry. */
  readonly body: string;
}

/** What the first entry hangs on. */
export const GENESIS = '0'.repeat(64);

/** Its facts are { sequence, token }: the time-stamp token (DER, base64) over the hash of the entry `sequence`. */
export const TIMESTAMPED = 'log.timestamped';

const timestampFacts = z.strictObject({ sequence: z.number().int().min(1), token: z.base64() });

const fact: z.ZodType<Fact> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(fact), z.record(z.string(), fact)]),
);
const entry = z.strictObject({
  sequence: z.number().int().min(1),
  time: z.iso.datetime(),
  kind: z.string(),
  subjects: z.strictObject({
    request: z.string().optional(),
    session: z.string().optional(),
    device: z.string().optional(),
    certificate: z.string().optional(),
    person: z.string().optional(),
  }),
  facts: z.record(z.string(), fact),
  salt: z.string().regex(/^[0-9a-f]{32}$/),
});

/** An entry can't be read; `message` says why. */
export class EntryUnreadable extends Error {
  override readonly name = 'EntryUnreadable';
}

/** @throws EntryUnreadable when the body isn't an entry in canonical JSON */
export function parseEntry(body: string): Entry {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new EntryUnreadable('it is no JSON');
  }
  const parsed = entry.safeParse(value);
  if (!parsed.success) throw new EntryUnreadable('it lacks what an entry has');
  // Absent subjects are absent, never undefined: the canonical form shows it.
  const found = parsed.data as Entry;
  if (canonical(found) !== body) throw new EntryUnreadable('it is not in canonical form');
  return found;
}

/** @returns null for entries of another kind @throws EntryUnreadable */
export function timestampOf({ kind, facts }: Entry): { readonly sequence: number; readonly token: Uint8Array } | null {
  if (kind !== TIMESTAMPED) return null;
  const parsed = timestampFacts.safeParse(facts);
  if (!parsed.success) throw new EntryUnreadable('it holds no timestamp');
  return { sequence: parsed.data.sequence, token: new Uint8Array(Buffer.from(parsed.data.token, 'base64')) };
}

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Hash (hex) of an entry: of the line of text that names the hash before it and that of its body. */
export function hashOf({ previous, body }: Pick<Row, 'previous' | 'body'>): string {
  return chained(previous, sha256(body));
}

/** @param bodyHash SHA-256 (hex) of the entry's body */
export function chained(previous: string, bodyHash: string): string {
  return sha256(`${previous} ${bodyHash}\n`);
}

/** JSON Canonicalization Scheme (RFC 8785): numbers and strings as ECMAScript writes them, names sorted by UTF-16 units. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`);
  return `{${members.join(',')}}`;
}
