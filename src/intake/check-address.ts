/**
 * Addresses of `signpost check --mail`: check+ID@ a sign domain. Only who holds the verdict key can make an id, it works for
 * minutes, and mail to it does nothing but prove the way: it opens no request and bothers nobody.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { VerdictKey } from './verdict.ts';

/** Out: from the command to the gateway. Back: the gateway's answer, to itself. */
export type Leg = 'out' | 'back';

const LETTERS: Readonly<Record<Leg, string>> = { out: 'a', back: 'b' };
/** Mail may wait in Postfix's queue for a while. */
const LIFETIME = 15 * 60_000;
const CLOCK_DIFFERENCE = 60_000;

/** @param number 8 characters [a-z0-9] that tell checks apart */
export function checkId(leg: Leg, number: string, time: Date, key: VerdictKey): string {
  const seconds = Math.floor(time.getTime() / 1000)
    .toString(36)
    .padStart(7, '0');
  const text = `${LETTERS[leg]}${seconds}${number}`;
  return text + mac(text, key);
}

/** What an id says; null for one that isn't ours, or is too old. */
export function readCheckId(
  id: string,
  keys: readonly VerdictKey[],
  now: Date,
): { readonly leg: Leg; readonly number: string } | null {
  const match = /^([ab])([0-9a-z]{7})([0-9a-z]{8})([0-9a-f]{16})$/.exec(id);
  if (!match) return null;
  const given = Buffer.from(match[4]!);
  const text = id.slice(0, -given.length);
  if (!keys.some(key => timingSafeEqual(Buffer.from(mac(text, key)), given))) return null;
  const age = now.getTime() - Number.parseInt(match[2]!, 36) * 1000;
  if (age > LIFETIME || age < -CLOCK_DIFFERENCE) return null;
  return { leg: match[1] === LETTERS.out ? 'out' : 'back', number: match[3]! };
}

/** 64 bits: guesses are made over SMTP, one by one. */
function mac(text: string, { secret }: VerdictKey): string {
  return createHmac('sha256', secret).update(`signpost check 1\n${text}`).digest('hex').slice(0, 16);
}
