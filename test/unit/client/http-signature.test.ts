import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { base64, fromBase64, utf8 } from '../../../src/client/bytes.ts';
import {
  contentDigest,
  parseRequestSignature,
  signAnswer,
  signatureBase,
  signRequest,
  verifyAnswer,
  verifyBase,
  verifyRequest,
  webCryptoSigner,
} from '../../../src/client/http-signature.ts';
import { exportPublicKey, generateKeys, importPublicKey, thumbprint } from '../../../src/client/keys.ts';
import type { PublicKey } from '../../../src/client/protocol.ts';

/** RFC 9421 B.1.3, test-key-ecc-p256. */
const RFC_KEY: PublicKey = {
  kty: 'EC',
  crv: 'P-256',
  x: 'qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA',
  y: 'Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0',
};
const DIGEST_512 = 'sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:';

let keys: CryptoKeyPair;
let publicKey: PublicKey;
let keyid: string;
beforeAll(async () => {
  keys = await generateKeys(true);
  publicKey = await exportPublicKey(keys.publicKey);
  keyid = await thumbprint(publicKey);
});

const NONCE = 'AAAAAAAAAAAAAAAAAAAAAA';
const CREATED = 1_618_884_473;
const request = (body = utf8('{"a":1}')) => ({
  method: 'POST',
  targetUri: 'https://sign.company.com/api/sessions/abc/turn',
  body,
});
const signer = () => webCryptoSigner(keyid, keys.privateKey);

describe('RFC 9421 vectors', () => {
  test('B.2.4, a response signed with ecdsa-p256-sha256, verifies', async () => {
    const base = signatureBase(
      [
        ['"@status"', '200'],
        ['"content-type"', 'application/json'],
        ['"content-digest"', DIGEST_512],
        ['"content-length"', '23'],
      ],
      '("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"',
    );
    const signature = fromBase64(
      'wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==',
    )!;
    const key = await importPublicKey(RFC_KEY);
    expect(await verifyBase(base, signature, key)).toBe(true);
    expect(await verifyBase(base.with(12, base[12]! ^ 1), signature, key)).toBe(false);
    // The same by node:crypto, which shares no code with WebCrypto's caller.
    const nodeKey = createPublicKey({ key: { ...RFC_KEY }, format: 'jwk' });
    expect(verify('sha256', base, { key: nodeKey, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
  });

  test('RFC 9530: the digest of the empty body', async () => {
    expect(await contentDigest(new Uint8Array())).toBe('sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:');
  });

  test('RFC 7638 §3.1 shape: thumbprint of an EC key as node computes it', async () => {
    const text = `{"crv":"P-256","kty":"EC","x":"${RFC_KEY.x}","y":"${RFC_KEY.y}"}`;
    expect(await thumbprint(RFC_KEY)).toBe(createHash('sha256').update(text).digest('base64url'));
  });
});

describe('requests', () => {
  test('what we sign is the base that RFC 9421 §2.5 describes, verified by node:crypto', async () => {
    const fields = await signRequest(request(), signer(), { created: CREATED, nonce: NONCE });
    expect(fields['signature-input']).toBe(
      `sig=("@method" "@target-uri" "content-digest");created=${CREATED};nonce="${NONCE}";keyid="${keyid}";tag="signpost"`,
    );
    const base = [
      '"@method": POST',
      '"@target-uri": https://sign.company.com/api/sessions/abc/turn',
      `"content-digest": sha-256=:${createHash('sha256').update('{"a":1}').digest('base64')}:`,
      `"@signature-params": ${fields['signature-input'].slice(4)}`,
    ].join('\n');
    const key = createPublicKey({ key: { ...publicKey }, format: 'jwk' });
    const signature = Buffer.from(fields.signature.slice(5, -1), 'base64');
    expect(verify('sha256', Buffer.from(base), { key, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
  });

  test('a signature made by node:crypto is accepted', async () => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = pair.publicKey.export({ format: 'jwk' });
    const theirs: PublicKey = { kty: 'EC', crv: 'P-256', x: jwk.x!, y: jwk.y! };
    const parameters = `("@method" "@target-uri" "content-digest");created=${CREATED};nonce="${NONCE}";keyid="${await thumbprint(theirs)}";tag="signpost"`;
    const digest = await contentDigest(new Uint8Array());
    const base = `"@method": GET\n"@target-uri": https://a.example/api/device\n"content-digest": ${digest}\n"@signature-params": ${parameters}`;
    const signature = sign('sha256', Buffer.from(base), { key: pair.privateKey, dsaEncoding: 'ieee-p1363' });
    const received = parseRequestSignature(`sig=${parameters}`, `sig=:${signature.toString('base64')}:`)!;
    const sent = { method: 'GET', targetUri: 'https://a.example/api/device', contentDigest: digest };
    expect(received.nonce).toBe(NONCE);
    expect(await verifyRequest(sent, received, await importPublicKey(theirs))).toBe(true);
  });

  test('any change of method, path, body, time, nonce or signature is refused', async () => {
    const fields = await signRequest(request(), signer(), { created: CREATED, nonce: NONCE });
    const received = parseRequestSignature(fields['signature-input'], fields.signature)!;
    const sent = {
      method: 'POST',
      targetUri: request().targetUri,
      contentDigest: await contentDigest(request().body),
    };
    expect(await verifyRequest(sent, received, keys.publicKey)).toBe(true);
    const changed = [
      { ...sent, method: 'PUT' },
      { ...sent, targetUri: `${sent.targetUri}?` },
      { ...sent, targetUri: sent.targetUri.replace('https', 'http') },
      { ...sent, contentDigest: await contentDigest(utf8('{"a":2}')) },
    ];
    for (const one of changed) expect(await verifyRequest(one, received, keys.publicKey)).toBe(false);
    const later = parseRequestSignature(
      fields['signature-input'].replace(String(CREATED), String(CREATED + 1)),
      fields.signature,
    )!;
    expect(await verifyRequest(sent, later, keys.publicKey)).toBe(false);
    const other = await generateKeys(false);
    expect(await verifyRequest(sent, received, other.publicKey)).toBe(false);
  });

  test('every one-bit change of the signature is refused', async () => {
    const fields = await signRequest(request(), signer(), { created: CREATED, nonce: NONCE });
    const received = parseRequestSignature(fields['signature-input'], fields.signature)!;
    const sent = { method: 'POST', targetUri: request().targetUri, contentDigest: fields['content-digest'] };
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 511 }), async bit => {
        const signature = received.signature.slice();
        signature[bit >> 3]! ^= 1 << (bit & 7);
        return !(await verifyRequest(sent, { ...received, signature }, keys.publicKey));
      }),
      { numRuns: 100 },
    );
  });

  test('only our components, parameters, order and spelling are parsed', async () => {
    const fields = await signRequest(request(), signer(), { created: CREATED, nonce: NONCE });
    const input = fields['signature-input'];
    const refused = [
      '',
      input.replace('sig=', 'sig1='),
      `${input}, ${input.replace('sig=', 'other=')}`,
      `${input}, ${input}`,
      input.replace('"@method" "@target-uri"', '"@target-uri" "@method"'),
      input.replace(' "content-digest"', ''),
      input.replace('"content-digest")', '"content-digest" "date")'),
      input.replace('"@target-uri"', '"@path"'),
      input.replace('"@method"', '"@method";req'),
      input.replace('tag="signpost"', 'tag="other"'),
      input.replace(';tag="signpost"', ''),
      `${input};alg="ecdsa-p256-sha256"`,
      `${input};expires=99999999999`,
      input.replace(/created=\d+/, 'created=-1'),
      input.replace(/created=\d+/, 'created=1e9'),
      input.replace(/created=/, 'created=0'),
      input.replace(/;created=\d+/, ''),
      input.replace(NONCE, 'short'),
      input.replace(NONCE, `${NONCE}"`),
      input.replace(keyid, `${keyid}A`),
      ` ${input}`,
      `${input} `,
      `${input}\n`,
    ];
    for (const one of refused) expect(parseRequestSignature(one, fields.signature), one).toBeNull();
    const signature = fields.signature;
    for (const one of [
      '',
      signature.replace('sig=', 'sig1='),
      signature.slice(0, -1),
      `${signature}, ${signature}`,
      'sig=:AAAA:',
      `sig=:${base64(new Uint8Array(63))}:`,
      `sig=:${base64(new Uint8Array(65))}:`,
      // Not canonical: bits after the last byte.
      `sig=:${base64(new Uint8Array(64)).replace('A==', 'B==')}:`,
    ])
      expect(parseRequestSignature(input, one), one).toBeNull();
  });

  test('the parser takes any text without throwing', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: 'binary' }), (input, signature) => {
        expect(parseRequestSignature(input, signature)).toBeNull();
      }),
    );
  });
});

describe('answers', () => {
  const requestSignature = `sig=:${base64(new Uint8Array(64).fill(7))}:`;
  const answer = async (body = utf8('{"ok":true}')) => ({
    status: 200,
    body,
    requestSignature,
    fields: await signAnswer({ status: 200, body, requestSignature }, signer(), CREATED),
  });
  const check = (
    one: Omit<Awaited<ReturnType<typeof answer>>, 'fields'>,
    fields: Readonly<Record<string, string>>,
    id = keyid,
    key = keys.publicKey,
  ) => verifyAnswer({ ...one, header: name => fields[name] ?? null }, id, key);

  test('a signed answer verifies and tells the gateway’s time', async () => {
    const { fields, ...one } = await answer();
    expect(await check(one, { ...fields })).toBe(CREATED);
  });

  test('another status, body, request, key or key id is refused', async () => {
    const { fields, ...one } = await answer();
    const other = await generateKeys(false);
    const otherId = await thumbprint(await exportPublicKey(other.publicKey));
    expect(await check({ ...one, status: 404 }, { ...fields })).toBeNull();
    expect(await check({ ...one, body: utf8('{"ok":false}') }, { ...fields })).toBeNull();
    expect(await check({ ...one, requestSignature: requestSignature.replace('B', 'C') }, { ...fields })).toBeNull();
    expect(await check(one, { ...fields }, otherId)).toBeNull();
    expect(await check(one, { ...fields }, keyid, other.publicKey)).toBeNull();
    expect(await check(one, {})).toBeNull();
    const digest = await contentDigest(utf8('other'));
    expect(await check(one, { ...fields, 'content-digest': digest })).toBeNull();
    const { signature: _, ...unsigned } = fields;
    expect(await check(one, unsigned)).toBeNull();
  });

  test('an answer that does not cover the request’s signature is refused', async () => {
    const { fields, ...one } = await answer();
    const input = fields['signature-input'].replace(' "signature";req', '');
    const base = signatureBase(
      [
        ['"@status"', '200'],
        ['"content-digest"', fields['content-digest']],
      ],
      input.slice(4),
    );
    const signature = `sig=:${base64(await signer().sign(base))}:`;
    expect(await check(one, { ...fields, 'signature-input': input, signature })).toBeNull();
  });
});
