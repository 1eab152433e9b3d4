/**
 * Passwords in the people file: one line of text, `scrypt$N$r$p$SALT$HASH` (RFC 7914; salt and hash in base64url). The
 * costs stand in the line, so that they can be raised without making old lines useless.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

const COSTS = { N: 1 << 15, r: 8, p: 3 } as const;
const LENGTH = 32;
const LINE = /^scrypt\$(\d{4,7})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9_-]{16,})\$([A-Za-z0-9_-]{43})$/;

/** Whether the text is a line that `hashPassword` may have made, with bearable costs. */
export function isPasswordHash(line: string): boolean {
  const [, N, r, p] = (LINE.exec(line) ?? []).map(Number);
  // scrypt's N is a power of two; over 256 MiB a file could stop the gateway.
  return N !== undefined && Number.isInteger(Math.log2(N)) && r! > 0 && p! > 0 && 128 * N * r! <= 1 << 28;
}

/** The line for people.yaml. @param password not empty */
export async function hashPassword(password: string, salt: Buffer = randomBytes(16)): Promise<string> {
  if (password === '') throw new Error('an empty password is none');
  const { N, r, p } = COSTS;
  const hash = await derive(password, salt, N, r, p);
  return ['scrypt', N, r, p, salt.toString('base64url'), hash.toString('base64url')].join('$');
}

/** Constant time in the comparison; the empty password never matches. */
export async function matchesPassword(password: string, line: string): Promise<boolean> {
  const match = LINE.exec(line);
  if (password === '' || !match || !isPasswordHash(line)) return false;
  const [N, r, p] = match.slice(1, 4).map(Number);
  const hash = await derive(password, Buffer.from(match[4]!, 'base64url'), N!, r!, p!);
  return timingSafeEqual(hash, Buffer.from(match[5]!, 'base64url'));
}

function derive(password: string, salt: Buffer, N: number, r: number, p: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, LENGTH, { N, r, p, maxmem: 1 << 29 }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
