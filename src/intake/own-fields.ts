/** Header fields that only we may write: removed from what comes in (THREATS.md "Forged sender"). */
import type { Modifications } from '../../milter/handler.ts';
import { authservId } from '../senders/results.ts';

/** What was seen of a message's header fields, in their order. */
export interface SeenFields {
  /** Lower-case names. */
  readonly names: readonly string[];
  /** Values of the Authentication-Results fields. */
  readonly authenticationResults: readonly string[];
}

/**
 * Takes away X-Signpost-* and Authentication-Results in our name (RFC 8601 §5).
 *
 * @param ownIds lower case: names of our mail server and the sign domains
 */
export function removeForged(modifications: Modifications, seen: SeenFields, ownIds: readonly string[]): void {
  const counts = new Map<string, number>();
  for (const name of seen.names) if (name.startsWith('x-signpost-')) counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const [name, count] of counts) {
    // From the last: an earlier deletion must not shift the number of a later one.
    for (let occurrence = count; occurrence >= 1; occurrence -= 1) modifications.deleteHeader(name, occurrence);
  }
  for (let index = seen.authenticationResults.length - 1; index >= 0; index -= 1) {
    const id = authservId(seen.authenticationResults[index]!.replace(/\r?\n/g, ''));
    // What can't be read might be ours to somebody else's eyes.
    if (id === null || ownIds.includes(id)) modifications.deleteHeader('Authentication-Results', index + 1);
  }
}
