/** Links and identifiers. */
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { newCode, newRequestId, newRowId, newSessionId, newTurnId } from '../../../src/requests/ids.ts';
import { linkHash, linkToken } from '../../../src/requests/links.ts';

describe('link tokens', () => {
  const key = Buffer.alloc(32, 1);
  test('are 160 bits, the same for the same session and key, different for any other', () => {
    const token = linkToken(key, 'abcdefghijklmnop');
    expect(Buffer.from(token, 'base64url')).toHaveLength(20);
    expect(linkToken(key, 'abcdefghijklmnop')).toBe(token);
    expect(linkToken(key, 'abcdefghijklmnoq')).not.toBe(token);
    expect(linkToken(Buffer.alloc(32, 2), 'abcdefghijklmnop')).not.toBe(token);
  });
  test('are stored as their SHA-256; nothing else is looked up', () => {
    const token = linkToken(key, 'abcdefghijklmnop');
    expect(linkHash(token)).toBe(createHash('sha256').update(token).digest('hex'));
    for (const other of ['', token.slice(1), `${token}A`, `${token}=`, ` ${token.slice(1)}`, `${token.slice(1)}\n`]) {
      expect(linkHash(other)).toBeNull();
    }
  });
});

describe('identifiers', () => {
  test.each([
    ['request', newRequestId, /^[0-9A-HJKMNP-TV-Z]{12}$/],
    ['session', newSessionId, /^[A-Za-z0-9]{16}$/],
    ['outbox row', newRowId, /^[a-z0-9]{16}$/],
    ['turn', newTurnId, /^[A-Za-z0-9_-]{22}$/],
    ['code', newCode, /^\d{6}$/],
  ])('of a %s have their form and differ', (_, make, form) => {
    const ids = Array.from({ length: 200 }, () => make(randomBytes));
    for (const id of ids) expect(id).toMatch(form);
    expect(new Set(ids).size).toBeGreaterThan(195);
  });
  test('no character is likelier than another: bytes over the last multiple are drawn again', () => {
    const served = [250, 255, 251, 1, 2, 3].concat([4, 5, 6, 249, 249, 249]);
    const code = newCode(count => Uint8Array.from(served.splice(0, count)));
    expect(code).toBe('123456');
  });
});

test('a token begins and ends with a letter, a digit or an underscore', () => {
  const tokens = Array.from({ length: 2000 }, (_, index) => linkToken(Buffer.alloc(32, 7), `session${index}`));
  expect(tokens.filter(token => !/^\w.{25}\w$/.test(token))).toEqual([]);
  expect(new Set(tokens).size).toBe(2000);
});
