import { createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BadReport,
  checkReport,
  formatReport,
  hashData,
  isReport,
  makeReport,
  otpOf,
  parseReport,
  type Transaction,
} from '../../../src/signatures/report.ts';
import { run } from '../../support/tools.ts';

/** The published example (openotp-contract.md § "Transaction report"). */
const KEY = Buffer.from('3b552d82189668c37621eb5ae7dd7db28e4a21a6', 'hex');
const NONCE = Buffer.from('46a4feffcad38af3c972521c4c3d0d61995e7d7a', 'hex');
const DATA = Buffer.from(
  'PGh0bWwgc3R5bGU9ImNvbG9yOndoaXRlIj4NCjxiPlBsZWFzZSwgY29uZmlybSBwYXltZW50IG9uIFJDRGV2cyBzdG9yZTwvYj48YnI+DQo8YnI+DQpBY2NvdW50OiBMVVhDRVlYMjM0ODdYWFhYWFhYWFhYWFg8YnI+DQpBbW91bnQ6IDQ5OTkuMzYgRXVyb3M8YnI+DQo8L2h0bWw+',
  'base64',
);

function transaction(change: Partial<Transaction> = {}): Transaction {
  return {
    started: new Date('2026-11-24T06:00:00.000Z'),
    stopped: new Date('2026-11-24T06:01:02.345Z'),
    userDn: 'CN=John Doe,O=Example Company S.A.,C=LU',
    userIp: '192.0.2.7',
    clientId: 'sign.company.com',
    clientIp: '192.0.2.1',
    nonce: NONCE,
    data: DATA,
    ...change,
  };
}

test('B8 the published transaction report is reproduced: Hash Data, OTP Result, OTP Key', () => {
  const report = makeReport(transaction(), KEY);
  expect(Buffer.from(report.hashData).toString('hex')).toBe('d5ec3a4660de1ebc429ed8f7f4e946e706b76cd3');
  expect(report.otp).toBe('4660DE1E');
  expect(report.keyChecksum).toBe(1015170774);
  expect(formatReport(report)).toBe(`Started: 2026-11-24T06:00:00.000Z
Stopped: 2026-11-24T06:01:02.345Z
User DN: CN=John Doe,O=Example Company S.A.,C=LU
User IP: 192.0.2.7
Client ID: sign.company.com
Client IP: 192.0.2.1
Hash Data: d5ec3a4660de1ebc429ed8f7f4e946e706b76cd3 (Nonce + Data)
OTP Token: Token #1 (TOTP)
OTP Algo: SHA1
OTP Key: 1015170774 (CRC32)
OTP Nonce: 46a4feffcad38af3c972521c4c3d0d61995e7d7a
OTP Result: 4660DE1E (OATH)
Transaction Details (Base64)
PGh0bWwgc3R5bGU9ImNvbG9yOndoaXRlIj4NCjxiPlBsZWFzZSwgY29uZmlybSBw
YXltZW50IG9uIFJDRGV2cyBzdG9yZTwvYj48YnI+DQo8YnI+DQpBY2NvdW50OiBM
VVhDRVlYMjM0ODdYWFhYWFhYWFhYWFg8YnI+DQpBbW91bnQ6IDQ5OTkuMzYgRXVy
b3M8YnI+DQo8L2h0bWw+
`);
});

test.each([
  [20, 'SHA1', 'sha1'],
  [32, 'SHA256', 'sha256'],
  [64, 'SHA512', 'sha512'],
] as const)('a key of %i bytes means HMAC-%s, as OpenSSL computes it', (length, algorithm, digest) => {
  const key = randomBytes(length);
  const report = makeReport(transaction(), key);
  expect(report.algorithm).toBe(algorithm);
  const args = ['dgst', `-${digest}`, '-mac', 'HMAC', '-macopt', `hexkey:${key.toString('hex')}`];
  const { output } = run('openssl', args, Buffer.concat([NONCE, DATA]));
  expect(output.trim().split(' ').at(-1)).toBe(Buffer.from(report.hashData).toString('hex'));
});

test('keys and nonces of other lengths make no report', () => {
  expect(() => hashData(randomBytes(16), NONCE, DATA)).toThrow(RangeError);
  expect(() => makeReport(transaction({ nonce: randomBytes(19) }), KEY)).toThrow(RangeError);
});

describe('reading', () => {
  test('whatever is written is read again and checks; a name can add no line', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ minLength: 20, maxLength: 20 }),
        fc.uint8Array({ maxLength: 500 }),
        fc.string({ unit: 'binary' }),
        (key, nonce, data, name) => {
          const report = makeReport(transaction({ nonce, data, userDn: name, clientId: `x\n${name}` }), key);
          const read = parseReport(formatReport(report));
          checkReport(read, key);
          expect(Buffer.from(read.data)).toEqual(Buffer.from(data));
          expect(read.otp).toBe(report.otp);
        },
      ),
    );
  });

  test('any changed character is noticed, by the form or with the key', () => {
    const key = randomBytes(32);
    const text = formatReport(makeReport(transaction(), key));
    // What the HMAC doesn't cover (times, names, addresses) is what the seal beside the report is for.
    const from = text.indexOf('Hash Data');
    for (let at = from; at < text.length; at++) {
      const changed = `${text.slice(0, at)}${text[at] === '1' ? '2' : '1'}${text.slice(at + 1)}`;
      expect(() => checkReport(parseReport(changed), key), changed).toThrow(BadReport);
    }
    for (let end = 0; end < text.length; end++)
      expect(() => checkReport(parseReport(text.slice(0, end)), key)).toThrow(BadReport);
  });

  test('another key is named as such', () => {
    const report = makeReport(transaction(), randomBytes(32));
    expect(() => checkReport(report, randomBytes(32))).toThrow('another key');
    expect(() => checkReport(report, KEY)).toThrow('another length');
    const data = Uint8Array.of(...DATA, 0);
    const key = randomBytes(32);
    expect(() => checkReport({ ...makeReport(transaction(), key), data }, key)).toThrow('not that of nonce and data');
  });

  test('a report is told from other text', () => {
    expect(isReport(formatReport(makeReport(transaction(), KEY)))).toBe(true);
    expect(isReport('Started: yes')).toBe(false);
  });

  test("RFC 4226's own example (appendix D): the same truncation", () => {
    const hmac = createHmac('sha1', '12345678901234567890').update(Buffer.alloc(8)).digest();
    expect(Number.parseInt(otpOf(hmac), 16) % 1_000_000).toBe(755_224);
  });
});
