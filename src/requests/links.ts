/**
 * Link tokens: 160 bits that only locate a session (DESIGN.md decision 4). They are derived, so that a reminder can
 * name the same link again, and only their hash is stored, so that the database alone yields no working link.
 */
import { createHash, createHmac } from 'node:crypto';
import type { Session } from './model.ts';

/** Newest first: new links are made with the first; those that are out go on until their request ends. */
export interface LinkKeys {
  /** Each at least 32 random bytes. */
  all(): readonly [Uint8Array, ...Uint8Array[]];
  /** Looks for keys that another process has made. @throws ConfigError */
  reload(): void;
}

/** Keeps this use of the key apart from any other. */
const DOMAIN = 'signpost link v1\0';
const TOKEN_BYTES = 20;
const TOKEN = /^[A-Za-z0-9_-]{27}$/;

/** @param linkKey at least 32 random bytes */
export function linkToken(linkKey: Uint8Array, sessionId: Session['id']): string {
  // A hyphen at its begin would be an option on a command line, one at its end is lost where mail programs find links.
  for (let round = 0; ; round++) {
    const token = createHmac('sha256', linkKey)
      .update(DOMAIN)
      .update(sessionId)
      .update('\0'.repeat(round))
      .digest()
      .subarray(0, TOKEN_BYTES)
      .toString('base64url');
    if (!token.startsWith('-') && !token.endsWith('-')) return token;
  }
}

/** The link of a session, whichever key it was made with. @throws Error when that key is gone */
export function sessionToken(keys: LinkKeys, { id, linkHash: hash }: Pick<Session, 'id' | 'linkHash'>): string {
  const find = (): string | undefined =>
    keys
      .all()
      .map(key => linkToken(key, id))
      .find(token => linkHash(token) === hash);
  const known = find();
  if (known !== undefined) return known;
  // The command line may have opened the request with a key that was made a moment ago.
  keys.reload();
  const token = find();
  if (token === undefined) throw new Error(`the key is gone that the link of session ${id} was made with`);
  return token;
}

/** What the store looks up; null for a text that can't be a token. */
export function linkHash(token: string): string | null {
  return TOKEN.test(token) ? createHash('sha256').update(token).digest('hex') : null;
}
