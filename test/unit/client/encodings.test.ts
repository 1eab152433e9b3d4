import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { base64url, fromBase64url } from '../../../src/client/bytes.ts';
import { certificationRequest } from '../../../src/client/csr.ts';
import { linkToken } from '../../../src/client/device.ts';
import { derSignature, rawSignature } from '../../../src/client/ecdsa.ts';
import { exportPublicKey, generateKeys } from '../../../src/client/keys.ts';
import {
  decode,
  encode,
  Malformed,
  parseGrant,
  parsePublicKey,
  parseTurnAsk,
  parseView,
} from '../../../src/client/protocol.ts';
import { has, run } from '../../support/tools.ts';

test('base64url is what Buffer writes, and only the canonical form is read', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), bytes => {
      const text = Buffer.from(bytes).toString('base64url');
      expect(base64url(bytes)).toBe(text);
      expect(fromBase64url(text)).toEqual(new Uint8Array(bytes));
    }),
  );
  for (const text of ['A', 'AB', 'AA=', 'A A', 'AAA+', 'é']) expect(fromBase64url(text), text).toBeNull();
});

test('node:crypto verifies our DER form of WebCrypto signatures, and we read node’s', async () => {
  const keys = await generateKeys(true);
  const publicKey = createPublicKey({ key: { ...(await exportPublicKey(keys.publicKey)) }, format: 'jwk' });
  const node = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // Enough for numbers with leading zeros and with a high bit.
  for (let i = 0; i < 600; i++) {
    const data = new Uint8Array([i & 0xff, i >> 8]);
    const raw = new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, keys.privateKey, data));
    expect(verify('sha256', data, publicKey, derSignature(raw))).toBe(true);
    expect(rawSignature(derSignature(raw))).toEqual(raw);
    const theirs = rawSignature(sign('sha256', data, node.privateKey));
    expect(verify('sha256', data, { key: node.publicKey, dsaEncoding: 'ieee-p1363' }, theirs)).toBe(true);
  }
});

test('anything but one ECDSA-Sig-Value of P-256 is refused', () => {
  const good = derSignature(new Uint8Array(64).fill(0x7f));
  const bad = [
    new Uint8Array(),
    good.subarray(1),
    good.subarray(0, -1),
    new Uint8Array([...good, 0]),
    good.with(0, 0x31),
    good.with(2, 0x04),
    new Uint8Array([0x30, 3, 2, 1, 1]),
    new Uint8Array([0x30, 38, 2, 33, 1, ...new Array(32).fill(0), 2, 1, 1]),
  ];
  for (const der of bad) expect(() => rawSignature(der)).toThrow();
});

test.skipIf(!has('openssl'))('openssl verifies our certification request', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'signpost-csr-'));
  try {
    const file = join(folder, 'request.der');
    // openssl says it on standard error.
    const verified = (csr: Uint8Array): string => {
      writeFileSync(file, csr);
      return run('/bin/sh', ['-c', 'openssl req -inform DER -in "$1" -verify -noout -text 2>&1', 'sh', file]).output;
    };
    const csr = await certificationRequest(await generateKeys(true));
    expect(verified(csr)).toContain('self-signature verify OK');
    expect(verified(csr)).toContain('ecdsa-with-SHA256');
    expect(verified(csr.with(-1, csr.at(-1)! ^ 1))).not.toContain('verify OK');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('what encode writes the parsers read: dates, bytes, buffers', () => {
  const grant = {
    turn: 't1',
    expiresAt: new Date('2026-01-02T03:04:05.678Z'),
    signingTime: new Date('2026-01-02T03:03:05Z'),
    documents: [
      {
        known: 5,
        appended: Buffer.from([1, 2, 255]),
        byteRange: [0, 1, 2, 3] as const,
        signedAttributes: Uint8Array.of(9),
      },
    ],
  };
  const parsed = decode(Buffer.from(encode(grant)), parseGrant);
  expect(parsed).toEqual({ ...grant, documents: [{ ...grant.documents[0], appended: Uint8Array.of(1, 2, 255) }] });
});

test('parsers refuse what the protocol does not say, whatever it is', () => {
  const parsers = [parseGrant, parseTurnAsk, parseView, parsePublicKey];
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(...parsers), (json, parse) => {
      expect(() => decode(Buffer.from(json), parse as (value: unknown) => unknown)).toThrow(Malformed);
    }),
  );
  const ask = { certificateSerial: 'ab12', known: [1], utcOffset: 60 };
  expect(parseTurnAsk(ask)).toEqual(ask);
  for (const change of [
    { certificateSerial: 'AB' },
    { certificateSerial: '' },
    { known: [-1] },
    { known: [1.5] },
    { known: 1 },
    { utcOffset: 841 },
    { utcOffset: '60' },
    { utcOffset: 0.5 },
  ])
    expect(() => parseTurnAsk({ ...ask, ...change }), JSON.stringify(change)).toThrow(Malformed);
});

test('a link’s token is found in the link and in nothing else', () => {
  const token = 'bDkZ0l1nQ8mV4uXw2T3yR5aKc7e';
  for (const link of [token, ` https://sign.company.com/s/${token}\n`, `http://127.0.0.1:8080/s/${token}/`])
    expect(linkToken(link)).toBe(token);
  for (const link of ['', 'short', `https://sign.company.com/x/${token}`, `https://a/s/${token}?x`, `../s/${token}`])
    expect(linkToken(link)).toBeNull();
});
