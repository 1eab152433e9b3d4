/** Secrets out of examples are known for what they are; real ones aren't. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { isSample } from '../../src/config/sample-secrets.ts';

test.each([
  'changeme',
  'change-me',
  'Change this passphrase',
  'CHANGE_IT',
  'replace this',
  'your password here',
  'password',
  'passphrase',
  '<passphrase>',
  '1234',
  '12345678',
  'xxxxxxxx',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
  'deadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeef'.replaceAll('beef', 'dead'),
])('%s is a sample', text => expect(isSample(text)).toBe(true));

test('what init makes, and what people choose, is none', () => {
  for (let round = 0; round < 200; round += 1) {
    expect(isSample(randomBytes(24).toString('base64url'))).toBe(false);
    expect(isSample(randomBytes(32).toString('hex'))).toBe(false);
  }
  for (const text of ['271828', 'reads for everybody', 'my change was here yesterday', 'Tr0ub4dor&3'])
    expect(isSample(text)).toBe(false);
});
