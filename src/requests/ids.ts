/** Random identifiers, without bias. */

export type RandomBytes = (count: number) => Uint8Array;

/** Crockford's base32: no I, L, O, U, so it can be read out. */
const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const DIGITS = '0123456789';
const LOWER = 'abcdefghijklmnopqrstuvwxyz';

export function newRequestId(random: RandomBytes): string {
  return draw(CROCKFORD, 12, random);
}

export function newSessionId(random: RandomBytes): string {
  return draw(LOWER.toUpperCase() + LOWER + DIGITS, 16, random);
}

/** Of outbox rows: it stands in a return path, so lower case only. */
export function newRowId(random: RandomBytes): string {
  return draw(LOWER + DIGITS, 16, random);
}

/** Fencing token of a turn, 128 bits. */
export function newTurnId(random: RandomBytes): string {
  return Buffer.from(random(16)).toString('base64url');
}

/** Digits, by kind: mailed ones fit one key only, an admin's fits any, so there are more to guess from. */
export const CODE_LENGTHS = { 'mailed-code': 6, 'admin-code': 9 } as const;

/** By mail: only the key that asked for it can use it. */
export function newCode(random: RandomBytes): string {
  return draw(DIGITS, CODE_LENGTHS['mailed-code'], random);
}

/** From the admin: any key can use it. */
export function newAdminCode(random: RandomBytes): string {
  return draw(DIGITS, CODE_LENGTHS['admin-code'], random);
}

/** What two devices show to be compared. */
export function newMatchingCode(random: RandomBytes): string {
  return draw(DIGITS, 4, random);
}

/** Bytes that would favour the first characters are drawn again. */
function draw(alphabet: string, length: number, random: RandomBytes): string {
  const limit = 256 - (256 % alphabet.length);
  let text = '';
  while (text.length < length) {
    for (const byte of random(length)) {
      if (byte < limit && text.length < length) text += alphabet[byte % alphabet.length];
    }
  }
  return text;
}
