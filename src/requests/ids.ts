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

export function newCode(random: RandomBytes): string {
  return draw(DIGITS, 6, random);
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
