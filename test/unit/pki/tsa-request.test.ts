/** Requests to our timestamp authority, made and judged by openssl. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { der } from '../../../src/pki/der.ts';
import type { LoadedPki } from '../../../src/pki/load.ts';
import { OID } from '../../../src/pki/oids.ts';
import { has } from '../../support/tools.ts';
import { ALGORITHMS, DAY, load, make, Workspace } from './support.ts';

const SHA256 = der.sequence(der.oid(OID.sha256));
const imprint = (length = 32, algorithm = SHA256): Uint8Array =>
  der.sequence(algorithm, der.octetString(new Uint8Array(length)));
const query = (...parts: readonly Uint8Array[]): Uint8Array => der.sequence(der.integer(1), ...parts);

describe.skipIf(!has('openssl')).each(ALGORITHMS)('timestamp requests, TSA key of kind %s', algorithm => {
  const workspace = new Workspace();
  let pki: LoadedPki;
  let time = Date.now();
  beforeAll(async () => {
    await make(workspace, { algorithm });
    pki = await load(workspace, { now: () => new Date(time), monotonic: () => time });
    workspace.put('data', 'the data that is stamped');
    workspace.put('other', 'other data');
  });
  afterAll(() => workspace.remove());

  /** openssl asks with these options; the reply is in reply.tsr. @returns it as text */
  async function ask(...options: string[]): Promise<string> {
    workspace.must('ts', '-query', '-data', 'data', ...options, '-out', 'query.tsq');
    workspace.put('reply.tsr', await pki.tsa!.respond(readFileSync(workspace.path('query.tsq'))));
    return workspace.must('ts', '-reply', '-in', 'reply.tsr', '-text');
  }

  const verify = (...about: string[]): string =>
    workspace.openssl('ts', '-verify', '-in', 'reply.tsr', '-CAfile', 'certs/ca.pem', ...about).output;

  it.each(['sha256', 'sha384', 'sha512'])(
    'C2 %s: openssl verifies the reply against its query, nonce included',
    async hash => {
      const text = await ask(`-${hash}`, '-cert');
      expect(text).toMatch(/Status: Granted\./);
      expect(text).toContain(`Hash Algorithm: ${hash}`);
      expect(text).toMatch(/Policy OID: 0\.4\.0\.2023\.1\.1/);
      expect(text).toMatch(/Accuracy: 0x01 seconds/);
      expect(text).toMatch(/Ordering: no/);
      expect(text).toMatch(/Nonce: 0x[0-9A-F]{8}/);
      expect(verify('-queryfile', 'query.tsq')).toMatch(/Verification: OK/);
      expect(verify('-data', 'data')).toMatch(/Verification: OK/);
      expect(verify('-data', 'other')).toMatch(/Verification: FAILED/);
      // Another query of the same data: its nonce differs.
      workspace.must('ts', '-query', '-data', 'data', `-${hash}`, '-cert', '-out', 'second.tsq');
      expect(verify('-queryfile', 'second.tsq')).toMatch(/Verification: FAILED/);
    },
  );

  it('C2 without certReq no certificate goes along; without a nonce there is none', async () => {
    const text = await ask('-sha256', '-no_nonce');
    expect(text).toMatch(/Nonce: unspecified/);
    workspace.must('ts', '-reply', '-in', 'reply.tsr', '-token_out', '-out', 'token.der');
    const cms = workspace.must('cms', '-cmsout', '-print', '-inform', 'DER', '-in', 'token.der', '-noout');
    expect(cms).toMatch(/certificates:\s+<ABSENT>/);
    expect(verify('-queryfile', 'query.tsq')).toMatch(/Verification: FAILED/);
    expect(verify('-queryfile', 'query.tsq', '-untrusted', 'certs/tsa.pem')).toMatch(/Verification: OK/);
  });

  it('our policy may be asked for by name', async () => {
    expect(await ask('-sha256', '-tspolicy', '0.4.0.2023.1.1')).toMatch(/Status: Granted\./);
  });

  it('serials never repeat', async () => {
    const serials = new Set<string>();
    for (let i = 0; i < 20; i++) serials.add(/Serial number: (0x[0-9A-F]+)/.exec(await ask('-sha256'))![1]!);
    expect(serials.size).toBe(20);
  });

  it.each<[failure: string, why: string, request: () => Uint8Array]>([
    [
      'unrecognized or unsupported algorithm identifier',
      'SHA-1',
      () => query(imprint(20, der.sequence(der.oid(OID.sha1)))),
    ],
    [
      'unrecognized or unsupported algorithm identifier',
      'MD5',
      () => query(imprint(16, der.sequence(der.oid('1.2.840.113549.2.5')))),
    ],
    [
      'unrecognized or unsupported algorithm identifier',
      'SHA3-256',
      () => query(imprint(32, der.sequence(der.oid('2.16.840.1.101.3.4.2.8')))),
    ],
    ['the data submitted has the wrong format', 'a digest cut short', () => query(imprint(31))],
    ['the data submitted has the wrong format', 'nothing', () => new Uint8Array()],
    ['the data submitted has the wrong format', 'text', () => Buffer.from('hello')],
    [
      'the data submitted has the wrong format',
      'a trailing octet',
      () => Buffer.concat([query(imprint()), Buffer.of(0)]),
    ],
    [
      'the data submitted has the wrong format',
      'a nonce of 65 octets',
      () => query(imprint(), der.integer('11'.repeat(65))),
    ],
    ['the data submitted has the wrong format', 'a padded nonce', () => query(imprint(), Uint8Array.of(2, 2, 0, 1))],
    ['the data submitted has the wrong format', 'an empty nonce', () => query(imprint(), Uint8Array.of(2, 0))],
    [
      'the data submitted has the wrong format',
      'a BOOLEAN that is neither',
      () => query(imprint(), Uint8Array.of(1, 1, 7)),
    ],
    ['transaction not permitted or supported', 'version 2', () => der.sequence(der.integer(2), imprint())],
    ['the requested TSA policy is not supported', 'another policy', () => query(imprint(), der.oid('1.2.3.4'))],
    [
      'the requested extension is not supported',
      'an extension',
      () => query(imprint(), der.constructed(0, der.sequence(der.oid('1.2.3'), der.octetString()))),
    ],
  ])('is refused with "%s": %s', async (failure, _why, request) => {
    workspace.put('reply.tsr', await pki.tsa!.respond(request()));
    const text = workspace.must('ts', '-reply', '-in', 'reply.tsr', '-text');
    expect(text).toMatch(/Status: Rejected\./);
    expect(text).toContain(`Failure info: ${failure}`);
    expect(text).toMatch(/TST info:\nNot included\./);
  });

  it('a negative nonce, as from clients that send random octets, is repeated', async () => {
    const nonce = Uint8Array.of(2, 8, 0x80, 1, 2, 3, 4, 5, 6, 7);
    workspace.put('query.tsq', query(imprint(), nonce, der.boolean(true)));
    workspace.put('reply.tsr', await pki.tsa!.respond(readFileSync(workspace.path('query.tsq'))));
    expect(verify('-queryfile', 'query.tsq')).toMatch(/Verification: OK/);
  });

  it('C4 a clock in doubt, and an ended certificate: refused with the reason, then stamped again', async () => {
    const steady = time;
    const own = await load(workspace, { now: () => new Date(time), monotonic: () => steady });
    const asked = async (): Promise<string> => {
      workspace.put('reply.tsr', await own.tsa!.respond(query(imprint())));
      return workspace.must('ts', '-reply', '-in', 'reply.tsr', '-text');
    };
    expect(await asked()).toMatch(/Granted/);
    for (const step of [-2000, -3_600_000, -30 * DAY, 30 * DAY]) {
      time += step;
      expect(await asked()).toMatch(/Rejected[\s\S]*Failure info: the TSA's time source is not available/);
      time -= step;
      expect(await asked()).toMatch(/Granted/);
    }
    time += 30 * 365 * DAY;
    const late = await load(workspace, { now: () => new Date(time) }).then(
      () => 'loaded',
      (error: Error) => error.message,
    );
    expect(late).toMatch(/can't be used/);
    own.tsa!.acknowledgeClock();
    expect(await asked()).toMatch(/Failure info: (the request cannot be handled due to system failure)/);
    // The time that can't be has left no trace.
    time -= 30 * 365 * DAY;
    own.tsa!.acknowledgeClock();
    expect(await asked()).toMatch(/Granted/);
  });
});
