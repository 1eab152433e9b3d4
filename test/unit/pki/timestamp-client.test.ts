import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { der } from '../../../src/pki/der.ts';
import { basicConstraints, extendedKeyUsage, keyUsage } from '../../../src/pki/extensions.ts';
import { generateKey, signingKey } from '../../../src/pki/key-file.ts';
import { distinguishedName } from '../../../src/pki/names.ts';
import { OID } from '../../../src/pki/oids.ts';
import { type Timestamp, TimestampUnavailable } from '../../../src/pki/pki.ts';
import { OutsideTimestampAuthority, TimestampAuthorities } from '../../../src/pki/timestamp-client.ts';
import { checkToken, TokenInvalid } from '../../../src/pki/token.ts';
import { EmbeddedTimestampAuthority } from '../../../src/pki/tsa.ts';
import {
  type Certificate,
  fromPem,
  parseCertificate,
  publicKeyInfoOf,
  randomSerial,
  signCertificate,
} from '../../../src/pki/x509.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { SqliteTimestampStore, TIMESTAMPS_SCHEMA } from '../../../src/store/timestamps.ts';
import { has } from '../../support/tools.ts';
import { DAY, load, make, silent, Workspace } from './support.ts';

const DATA = Buffer.from('the data that is stamped');
const DIGEST = new Uint8Array(createHash('sha256').update(DATA).digest());

const CONFIG = `
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[tsa]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[ts]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.3.6.1.4.1.4146.2.3
other_policies = 1.3.6.1.4.1.4146.2.4
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
[ts1]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.3.6.1.4.1.4146.2.3
digests = sha256
ess_cert_id_alg = sha1
[picky]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.3.6.1.4.1.4146.2.3
digests = sha512
`;

describe.skipIf(!has('openssl'))('outside timestamp authority (real openssl ts behind HTTP)', () => {
  const workspace = new Workspace();
  let server: Server;
  let url: string;
  let anchors: Certificate[];
  let answer: (query: Buffer, response: ServerResponse) => void;
  let asked: IncomingMessage;

  const certify = (name: string, ca: string, kind: 'rsa' | 'ec', section: string, ...more: string[]) => {
    const key = kind === 'rsa' ? ['-newkey', 'rsa:2048'] : ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
    const issuer = ca === '' ? [] : ['-CA', `${ca}.pem`, '-CAkey', `${ca}.key`];
    const days = more.includes('-days') ? [] : ['-days', '100'];
    workspace.must(
      ...['req', '-x509', '-config', 'openssl.cnf', '-nodes', '-subj', `/CN=${name}`, '-extensions', section],
      ...[...key, ...issuer, ...days, ...more, '-keyout', `${name}.key`, '-out', `${name}.pem`],
    );
  };

  beforeAll(async () => {
    workspace.put('openssl.cnf', CONFIG);
    workspace.put('serial', '01');
    certify('root', '', 'ec', 'ca');
    certify('middle', 'root', 'rsa', 'ca');
    certify('unit', 'root', 'ec', 'tsa');
    certify('rsaunit', 'middle', 'rsa', 'tsa');
    certify('stranger', '', 'ec', 'ca');
    certify('strange', 'stranger', 'ec', 'tsa');
    workspace.must('req', '-new', '-config', 'openssl.cnf', '-key', 'root.key', '-subj', '/CN=old', '-out', 'old.csr');
    workspace.must('x509', '-req', '-in', 'old.csr', '-signkey', 'root.key', '-out', 'old.pem');
    expect(() => fromPem(readFileSync(workspace.path('old.pem'), 'utf8'))).toThrow();
    anchors = fromPem(readFileSync(workspace.path('root.pem'), 'utf8')).map(parseCertificate);
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      asked = request;
      request.on('data', chunk => chunks.push(chunk));
      request.on('end', () => answer(Buffer.concat(chunks), response));
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tsa`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    workspace.remove();
  });
  afterEach(() => {
    answer = (_, response) => response.destroy();
  });

  /** What openssl answers to a query. */
  const reply = (query: Uint8Array, unit = 'unit', section = 'ts', ...more: string[]): Buffer => {
    workspace.put('query.tsq', query);
    workspace.openssl(
      ...['ts', '-reply', '-config', 'openssl.cnf', '-section', section, '-queryfile', 'query.tsq'],
      ...['-signer', `${unit}.pem`, '-inkey', `${unit}.key`, '-out', 'reply.tsr', ...more],
    );
    return readFileSync(workspace.path('reply.tsr'));
  };
  const send = (response: ServerResponse, body: Uint8Array, status = 200, type = 'application/timestamp-reply') => {
    response.writeHead(status, { 'content-type': type });
    response.end(body);
  };
  const client = (options: { now?: () => Date; timeout?: number; url?: string } = {}) =>
    new OutsideTimestampAuthority({ url, anchors, now: () => new Date(), ...options });

  it.each([
    ['ECDSA, ESSCertIDv2', 'unit', 'ts', []],
    ['RSA under an intermediate CA', 'rsaunit', 'ts', ['-chain', 'middle.pem']],
    ['ESSCertID with SHA-1 (RFC 3161 as first written)', 'unit', 'ts1', []],
    ['a version 1 certificate thrown in', 'unit', 'ts', ['-chain', 'old.pem']],
  ])('%s: the token is taken, and openssl verifies it', async (_, unit, section, more) => {
    answer = (query, response) => send(response, reply(query, unit, section, ...more));
    const stamp = await client().stamp(DIGEST);
    expect(asked.method).toBe('POST');
    expect(asked.headers['content-type']).toBe('application/timestamp-query');
    workspace.put('token.der', stamp.token);
    workspace.put('data', DATA);
    const args = ['-data', 'data', '-in', 'token.der', '-token_in', '-CAfile', 'root.pem'];
    expect(workspace.openssl('ts', '-verify', ...args).output).toMatch(/Verification: OK/);
    const chain = unit === 'unit' ? ['unit', 'root'] : ['rsaunit', 'middle', 'root'];
    expect(stamp.certificates).toEqual(
      chain.map(name => fromPem(readFileSync(workspace.path(`${name}.pem`), 'utf8'))[0]),
    );
  });

  /** A query by openssl of our choice. */
  const query = (...args: string[]) => {
    workspace.put('data', DATA);
    workspace.must('ts', '-query', '-sha256', '-out', 'own.tsq', ...args);
    return readFileSync(workspace.path('own.tsq'));
  };
  const changed = (bytes: Buffer, at: number) => {
    const copy = Buffer.from(bytes);
    copy[at]! ^= 1;
    return copy;
  };
  const withoutCertificates = (sent: Buffer) => {
    // The query's last field is certReq BOOLEAN TRUE: ask for none.
    const stripped = Buffer.from(sent.subarray(0, -3));
    stripped[1]! -= 3;
    return stripped;
  };

  it.each<[string, RegExp, (sent: Buffer, response: ServerResponse) => void]>([
    ['status 500', /status 500/, (sent, response) => send(response, reply(sent), 500)],
    ['another content type', /text\/html/, (sent, response) => send(response, reply(sent), 200, 'text/html')],
    [
      'a redirect',
      /redirect/,
      (_, response) => {
        response.writeHead(307, { location: url });
        response.end();
      },
    ],
    ['more than 1 MiB', /too big/, (_, response) => send(response, Buffer.alloc(1_048_577))],
    ['nothing', /cut short/, (_, response) => send(response, Buffer.alloc(0))],
    ['text', /./, (_, response) => send(response, Buffer.from('sorry'))],
    ['half of it', /cut short/, (sent, response) => send(response, reply(sent).subarray(0, 300))],
    ['a byte too many', /trailing/, (sent, response) => send(response, Buffer.concat([reply(sent), Buffer.of(0)]))],
    ['a refusal', /refused with status 2/, (sent, response) => send(response, reply(sent, 'unit', 'picky'))],
    [
      'granted without a token',
      /cut short/,
      (_, response) => send(response, der.sequence(der.sequence(der.integer(0)))),
    ],
    [
      'a stamp of other data',
      /another imprint/,
      (sent, response) => {
        // Same nonce, another digest.
        const other = Buffer.from(sent);
        createHash('sha256')
          .update('other')
          .digest()
          .copy(other, other.indexOf(Buffer.from(DIGEST)));
        send(response, reply(other));
      },
    ],
    [
      'a stamp with another nonce',
      /another nonce/,
      (_, response) => send(response, reply(query('-data', 'data', '-cert'))),
    ],
    [
      'a stamp without a nonce',
      /another nonce/,
      (_, response) => send(response, reply(query('-data', 'data', '-cert', '-no_nonce'))),
    ],
    ["no signer's certificate", /not in it/, (sent, response) => send(response, reply(withoutCertificates(sent)))],
    ['a TSA of strangers', /no issuer known/, (sent, response) => send(response, reply(sent, 'strange'))],
    [
      'a changed TSTInfo',
      /message digest/,
      (sent, response) => {
        const bytes = reply(sent);
        const policy = Buffer.from(der.oid('1.3.6.1.4.1.4146.2.3'));
        send(response, changed(bytes, bytes.indexOf(policy) + policy.length - 1));
      },
    ],
    [
      'a changed signature',
      /./,
      (sent, response) => {
        const bytes = reply(sent);
        send(response, changed(bytes, bytes.length - 1));
      },
    ],
    ['a closed connection', /fetch failed/, (_, response) => response.destroy()],
  ])('answers with %s: refused', async (_, reason, how) => {
    answer = how;
    const stamp = client().stamp(DIGEST);
    await expect(stamp).rejects.toThrow(TimestampUnavailable);
    await expect(stamp).rejects.toThrow(reason);
  });

  it('never answers: given up after the timeout', async () => {
    answer = () => {};
    await expect(client({ timeout: 200 }).stamp(DIGEST)).rejects.toThrow(/timeout/);
  });

  it.each([
    ['an hour ahead of ours', -3_600_000],
    ['an hour behind ours', 3_600_000],
  ])('has a clock %s: refused', async (_, offset) => {
    answer = (sent, response) => send(response, reply(sent));
    await expect(client({ now: () => new Date(Date.now() + offset) }).stamp(DIGEST)).rejects.toThrow(/can't be/);
  });

  it('sends another certificate for the same key, name and serial: refused by the ESS attribute', async () => {
    workspace.must(
      'req',
      '-new',
      '-config',
      'openssl.cnf',
      '-key',
      'unit.key',
      '-subj',
      '/CN=unit',
      '-out',
      'unit.csr',
    );
    const serial = `0x${parseCertificate(fromPem(readFileSync(workspace.path('unit.pem'), 'utf8'))[0]!).serial}`;
    workspace.must(
      ...['x509', '-req', '-in', 'unit.csr', '-CA', 'root.pem', '-CAkey', 'root.key', '-set_serial', serial],
      ...['-days', '100', '-extfile', 'openssl.cnf', '-extensions', 'tsa', '-out', 'twin.pem'],
    );
    const unit = fromPem(readFileSync(workspace.path('unit.pem'), 'utf8'))[0]!;
    const issueTwin = () => {
      workspace.must(
        ...['x509', '-req', '-in', 'unit.csr', '-CA', 'root.pem', '-CAkey', 'root.key', '-set_serial', serial],
        ...['-days', '100', '-extfile', 'openssl.cnf', '-extensions', 'tsa', '-out', 'twin.pem'],
      );
      return fromPem(readFileSync(workspace.path('twin.pem'), 'utf8'))[0]!;
    };
    // ECDSA signatures vary in length; the swap needs the same one.
    let twin = issueTwin();
    while (twin.length !== unit.length) twin = issueTwin();
    answer = (sent, response) => {
      const bytes = reply(sent);
      Buffer.from(twin).copy(bytes, bytes.indexOf(Buffer.from(unit)));
      send(response, bytes);
    };
    await expect(client().stamp(DIGEST)).rejects.toThrow(/names another certificate/);
  });

  it('any byte of a token changed: refused, or the same statement still', async () => {
    const sent = query('-data', 'data', '-cert', '-no_nonce');
    const response = reply(sent);
    // SEQUENCE { SEQUENCE { INTEGER 0 }, token }
    const token = response.subarray(response.indexOf(Buffer.from('3003020100', 'hex')) + 5);
    const expected = { sha256: DIGEST, nonce: null, anchors, notBefore: new Date(0), notAfter: new Date(1e14) };
    const sound = checkToken(token, expected);
    let refused = 0;
    for (let at = 0; at < token.length; at++) {
      let result: Timestamp;
      try {
        result = checkToken(changed(token, at), expected);
      } catch (error) {
        expect(error).toBeInstanceOf(TokenInvalid);
        refused++;
        continue;
      }
      expect(result.time).toEqual(sound.time);
      expect(result.certificates).toEqual(sound.certificates);
    }
    // What isn't covered by a signature is little: versions and the list of digest algorithms.
    expect(refused).toBeGreaterThan(token.length - 20);
  });

  it('is first in the list and dead: the next one stamps; all dead: unavailable with every reason', async () => {
    await make(workspace);
    const dead = 'http://127.0.0.1:9/tsa';
    const pki = await load(workspace, {
      authorities: [{ url: dead, trust: 'root.pem' }, { url, trust: 'root.pem' }, 'embedded'],
    });
    answer = (sent, response) => send(response, reply(sent));
    const outside = await pki.timestamps.stamp(DIGEST);
    expect(outside.certificates[1]).toEqual(anchors[0]!.der);
    answer = (_, response) => response.destroy();
    expect((await pki.timestamps.stamp(DIGEST)).certificates[1]).toEqual(pki.anchors[0]);

    const known = await pki.validationData([pki.seal.certificate, outside.certificates[0]!]);
    expect(known.certificates).toContainEqual(anchors[0]!.der);
    expect(known.ocsps).toHaveLength(1);

    const none = new TimestampAuthorities([client({ url: dead }), client()], silent);
    await expect(none.stamp(DIGEST)).rejects.toThrow(/127\.0\.0\.1:9[\s\S]*; http/);
    await expect(load(workspace, { authorities: [{ url, trust: 'nothing.pem' }] })).rejects.toThrow(/nothing\.pem/);
  });
});

describe('a token whose signer', () => {
  const timeStamping = extendedKeyUsage([OID.timeStamping], true);
  const stampBy = async (extensions: readonly Uint8Array[]) => {
    const root = signingKey(await generateKey('ecdsa-p256-sha256'));
    const unit = signingKey(await generateKey('ecdsa-p256-sha256'));
    const name = (text: string) => distinguishedName(['commonName', text]);
    const issue = (subject: string, key: typeof unit, list: readonly Uint8Array[]) =>
      signCertificate(
        {
          serial: randomSerial(),
          issuer: name('root'),
          subject: name(subject),
          notBefore: new Date(Date.now() - DAY),
          notAfter: new Date(Date.now() + DAY),
          publicKeyInfo: publicKeyInfoOf(key.publicKey),
          extensions: list,
        },
        root,
      );
    const anchor = await issue('root', root, [basicConstraints(0), keyUsage(5)]);
    const certificate = await issue('unit', unit, extensions);
    const tsa = new EmbeddedTimestampAuthority({
      identity: { key: unit, certificate, issuers: [] },
      store: new SqliteTimestampStore(openDatabase(':memory:', [TIMESTAMPS_SCHEMA])),
      now: () => new Date(),
      monotonic: () => performance.now(),
      logger: silent,
    });
    const { token, time } = await tsa.stamp(DIGEST);
    return () =>
      checkToken(token, {
        sha256: DIGEST,
        nonce: null,
        anchors: [parseCertificate(anchor)],
        notBefore: time,
        notAfter: time,
      });
  };

  it('has the one critical purpose passes', async () => {
    expect((await stampBy([timeStamping, keyUsage(0)]))()).toBeDefined();
    expect((await stampBy([timeStamping]))()).toBeDefined();
  });

  it.each<[string, readonly Uint8Array[], RegExp]>([
    ['has no extended key usage', [], /not a timestamp authority/],
    ['has it not critical', [extendedKeyUsage([OID.timeStamping])], /not a timestamp authority/],
    ['has a second purpose', [extendedKeyUsage([OID.timeStamping, OID.emailProtection], true)], /not a timestamp/],
    ['has another purpose', [extendedKeyUsage([OID.emailProtection], true)], /not a timestamp authority/],
    ['may only sign certificates', [timeStamping, keyUsage(5)], /not for signing/],
  ])('%s is refused', async (_, extensions, reason) => {
    expect(await stampBy(extensions)).toThrow(reason);
  });
});
