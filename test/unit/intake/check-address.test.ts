/** Addresses of `signpost check --mail`: only who holds the key makes one, and it ends soon. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { checkId, readCheckId } from '../../../src/intake/check-address.ts';
import { parseOwnAddress } from '../../../src/outbound/addresses.ts';

const key = { id: 'k', secret: randomBytes(32) };
const older = { id: 'o', secret: randomBytes(32) };
const T0 = new Date('2026-11-24T09:00:00Z');
const after = (seconds: number) => new Date(T0.getTime() + seconds * 1000);

test('an id is read back with each key that is still believed, for fifteen minutes', () => {
  const id = checkId('out', '12ab34cd', T0, older);
  expect(id).toMatch(/^[a-z0-9]{32}$/);
  expect(parseOwnAddress(`CHECK+${id.toUpperCase()}`)).toEqual({ kind: 'check', id });
  expect(readCheckId(id, [key, older], after(1))).toEqual({ leg: 'out', number: '12ab34cd' });
  expect(readCheckId(id, [key], after(1))).toBeNull();
  expect(readCheckId(id, [older], after(900))).not.toBeNull();
  expect(readCheckId(id, [older], after(901))).toBeNull();
  expect(readCheckId(id, [older], after(-61))).toBeNull();
});

test('no letter of it can be another', () => {
  const id = checkId('back', '12ab34cd', T0, key);
  for (let index = 0; index < id.length; index += 1) {
    const other = id[index] === 'b' ? 'a' : 'b';
    expect(readCheckId(id.slice(0, index) + other + id.slice(index + 1), [key], T0)).toBeNull();
  }
  for (const wrong of ['', id.slice(1), `${id}0`, 'a'.repeat(32)]) expect(readCheckId(wrong, [key], T0)).toBeNull();
});
