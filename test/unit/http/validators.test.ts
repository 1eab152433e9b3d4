/** What anybody may send to /ocsp, /tsa and /crl: never a crash, always the status that the standard has for it. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { der, TAG } from '../../../src/pki/der.ts';
import { has, run } from '../../support/tools.ts';
import { startGateway } from './gateway.ts';

const LONG = process.env.SIGNPOST_LONG === '1';
const LIMIT = 65_536;
const TSA_LIMIT = 4096;
/** malformedRequest (RFC 6960 §4.2.1). */
const MALFORMED = Buffer.from(der.sequence(der.enumerated(1)));
/** rejection with badDataFormat (RFC 3161 §2.4.2): failInfo is bit 5. */
const BAD_DATA_FORMAT = Buffer.from(der.flags(5));

type Gateway = Awaited<ReturnType<typeof startGateway>>;
let gateway: Gateway;
const noise = randomBytes(LIMIT);
/** Of an OCSP or a timestamp request: well begun. */
let sound: readonly Buffer[];

beforeAll(async () => {
  gateway = await startGateway();
  sound = [
    Buffer.from(der.sequence(der.sequence(der.sequence(der.sequence(certId()))))),
    Buffer.from(timestampQuery()),
  ];
});
afterAll(() => gateway?.close());

const certId = (): Uint8Array =>
  der.sequence(
    der.sequence(der.oid('1.3.14.3.2.26'), der.null),
    der.octetString(new Uint8Array(20)),
    der.octetString(new Uint8Array(20)),
    der.integer(0x1234),
  );
const timestampQuery = (): Uint8Array =>
  der.sequence(
    der.integer(1),
    der.sequence(der.sequence(der.oid('2.16.840.1.101.3.4.2.1')), der.octetString(new Uint8Array(32))),
  );

/** Every length with SIGNPOST_LONG=1; else the short ones, those around powers of two, and some between. */
function lengths(limit: number): number[] {
  const all = Array.from({ length: limit + 1 }, (_, length) => length);
  if (LONG) return all;
  const near = (length: number): boolean => [0, 1, 2].some(away => Number.isInteger(Math.log2(length + away - 1)));
  return all.filter(length => length < 300 || near(length) || length % 997 === 0);
}

/** A SEQUENCE that fills `length` octets and holds noise; plain noise where no SEQUENCE has that length. */
function sequenceOf(length: number): Buffer {
  for (const header of [2, 3, 4, 5]) {
    if (length < header) break;
    const encoded = der.sequence(noise.subarray(0, length - header));
    if (encoded.length === length) return Buffer.from(encoded);
  }
  return noise.subarray(0, length);
}

function kindsOf(length: number): Buffer[] {
  const begun = sound.map(one =>
    length < one.length ? one.subarray(0, length) : Buffer.concat([one, noise.subarray(0, length - one.length + 1)]),
  );
  return [
    noise.subarray(0, length),
    Buffer.alloc(length),
    Buffer.alloc(length, TAG.sequence),
    sequenceOf(length),
    ...begun,
  ];
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

function send(method: string, path: string, type: string | null, body: Uint8Array): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-length': body.length, ...(type ? { 'content-type': type } : {}) };
    const sent = request(`${gateway.url}${path}`, { method, headers, agent: false }, response => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode!,
          type: response.headers['content-type'] ?? '',
          body: Buffer.concat(chunks),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const postOcsp = (body: Uint8Array) => send('POST', '/ocsp', 'application/ocsp-request', body);
const postTsa = (body: Uint8Array) => send('POST', '/tsa', 'application/timestamp-query', body);

test(`C7 malformed OCSP requests of ${LONG ? 'every length' : 'many lengths'} up to 64 KB: malformedRequest`, async () => {
  for (const length of lengths(LIMIT)) {
    for (const bytes of kindsOf(length)) {
      const { der: answer, reuse } = await gateway.pki.ca.ocsp(bytes);
      if (!MALFORMED.equals(answer) || reuse !== null) expect.fail(`length ${length}: ${bytes.toString('hex', 0, 40)}`);
    }
  }
  expect(gateway.logLines.join('')).not.toContain('OCSP request failed');
});

test(`C7 malformed timestamp requests of ${LONG ? 'every length' : 'many lengths'} up to 64 KB: badDataFormat, no token`, async () => {
  for (const length of lengths(LIMIT)) {
    for (const bytes of kindsOf(length)) {
      const answer = Buffer.from(await gateway.pki.tsa!.respond(bytes));
      // Short, for there is no token in it.
      if (answer.length > 120 || !answer.subarray(-BAD_DATA_FORMAT.length).equals(BAD_DATA_FORMAT))
        expect.fail(`length ${length}: ${bytes.toString('hex', 0, 40)}`);
    }
  }
  expect(gateway.logLines.join('')).not.toContain('timestamp request failed');
});

test('C7 over HTTP: what is too long is refused as such, the rest answered by the protocol, and the gateway goes on', async () => {
  for (const length of [0, 1, 2, 127, 128, 255, 256, 4096, 16_384, 16_385, 65_535, LIMIT]) {
    for (const bytes of kindsOf(length).map(one => one.subarray(0, LIMIT))) {
      const answer = await postOcsp(bytes);
      expect(answer).toMatchObject({ status: 200, type: 'application/ocsp-response' });
      expect(answer.body.equals(MALFORMED)).toBe(true);
    }
  }
  expect((await postOcsp(Buffer.alloc(LIMIT + 1))).status).toBe(413);
  expect(await postTsa(noise.subarray(0, TSA_LIMIT))).toMatchObject({
    status: 200,
    type: 'application/timestamp-reply',
  });
  expect(await postTsa(new Uint8Array())).toMatchObject({ status: 200, type: 'application/timestamp-reply' });
  for (const length of [TSA_LIMIT + 1, 65_535, LIMIT])
    expect((await postTsa(noise.subarray(0, length))).status).toBe(413);

  for (const path of ['/ocsp', '/tsa']) {
    expect((await send('POST', path, 'text/plain', sound[0]!)).status).toBe(415);
    expect((await send('PUT', path, 'application/ocsp-request', sound[0]!)).status).toBeOneOf([404, 415]);
  }
  expect((await send('POST', '/tsa', 'application/ocsp-request', sound[1]!)).status).toBe(415);
  expect((await send('POST', '/ocsp', 'application/timestamp-query', sound[0]!)).status).toBe(415);
  expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
});

test('C7 GET: anything behind /ocsp/ and around /crl/ that is no request', async () => {
  const texts = [
    '',
    '/',
    '%',
    '%00',
    '%zz',
    '?',
    '..%2f..%2fetc%2fpasswd',
    'AAAA',
    '%ff%fe',
    noise.toString('base64url', 0, 300),
  ];
  for (const text of texts) {
    const answer = await send('GET', `/ocsp/${text}`, null, new Uint8Array());
    if (answer.status === 200) expect(answer.body.equals(MALFORMED), text).toBe(true);
    else expect(answer.status, text).toBeOneOf([400, 404]);
  }
  for (const length of lengths(12_000).filter(one => LONG || one % 10 === 0 || one > 4090)) {
    const { status } = await send('GET', `/ocsp/${'A'.repeat(length)}`, null, new Uint8Array());
    if (status !== (length > 4096 ? 404 : 200)) expect.fail(`length ${length}: status ${status}`);
  }
  expect((await send('GET', `/ocsp/${'A'.repeat(LIMIT)}`, null, new Uint8Array())).status).toBe(431);
  for (const path of ['/crl/', '/crl/other.crl', '/crl/company.crl/x', '/crl/..%2fca.cer', `/crl/${'a'.repeat(4000)}`])
    expect((await send('GET', path, null, new Uint8Array())).status, path).toBe(404);
  expect(await send('GET', '/crl/company.crl?delta=1', null, new Uint8Array())).toMatchObject({
    status: 200,
    type: 'application/pkix-crl',
  });
  expect((await send('POST', '/crl/company.crl', 'application/ocsp-request', noise)).status).toBe(404);
  expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
});

describe.skipIf(!has('openssl'))('POST /tsa', () => {
  const at = (name: string): string => join(gateway.folder, name);

  test('C2 openssl asks over HTTP and verifies; then too many from one network are sent away', async () => {
    writeFileSync(at('data'), 'what is stamped');
    writeFileSync(at('tsa-trust.pem'), await (await fetch(`${gateway.url}/trust.pem`)).text());
    run('openssl', ['ts', '-query', '-data', at('data'), '-sha512', '-cert', '-out', at('query.tsq')]);
    const answer = await postTsa(readFileSync(at('query.tsq')));
    expect(answer).toMatchObject({ status: 200, type: 'application/timestamp-reply' });
    writeFileSync(at('reply.tsr'), answer.body);
    const args = [
      'ts',
      '-verify',
      '-queryfile',
      at('query.tsq'),
      '-in',
      at('reply.tsr'),
      '-CAfile',
      at('tsa-trust.pem'),
    ];
    const verified = await new Promise<string>(resolve => {
      execFile('openssl', args, (_error, stdout, stderr) => resolve(stdout + stderr));
    });
    expect(verified).toContain('Verification: OK');

    let last = answer.status;
    for (let tries = 0; tries < 300 && last !== 429; tries++) last = (await postTsa(sound[1]!)).status;
    expect(last).toBe(429);
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
  });
});
