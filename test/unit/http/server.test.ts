/** The web server: what it refuses to start with, what every answer carries, pages, validators' addresses, TLS. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isLoopback } from '../../../src/config/loopback.ts';
import { proxyTrust, publicOrigin, UnsafeAddress } from '../../../src/http/address.ts';
import { startHttp } from '../../../src/http/server.ts';
import { has, run } from '../../support/tools.ts';
import { type Gateway, JOHN, MARY, startGateway } from './gateway.ts';
import { type RawRequest, send } from './raw.ts';

/** Not `run`: while that waits, the gateway in this very process can't answer. */
function shell(script: string, ...args: string[]): Promise<string> {
  return new Promise(resolve => {
    const child = execFile(
      '/bin/sh',
      ['-c', `(${script}) 2>&1`, 'sh', ...args],
      { timeout: 30_000 },
      (_error, output) => resolve(output),
    );
    child.stdin?.end();
  });
}

let gateway: Gateway;
let token: string;
beforeAll(async () => {
  gateway = await startGateway();
  token = gateway.tokenOf(await gateway.submit([JOHN]), JOHN);
});
afterAll(() => gateway?.close());

const get = (path: string, headers: Record<string, string> = {}) => send(gateway.port, { path, headers });

describe('what is refused at start, with what to write instead', () => {
  test('a public address that isn’t https, loopback aside', () => {
    expect(() => publicOrigin('http://sign.company.com')).toThrow('publicUrl: https://sign.company.com');
    expect(() => publicOrigin('http://127.0.0.1.evil.example')).toThrow(UnsafeAddress);
    expect(() => publicOrigin('https://sign.company.com/app')).toThrow('publicUrl: https://sign.company.com');
    expect(() => publicOrigin('ftp://sign.company.com')).toThrow(UnsafeAddress);
    expect(publicOrigin('https://Sign.Company.com:443')).toBe('https://sign.company.com');
    for (const url of ['http://localhost:8080', 'http://127.0.0.1:8080', 'http://[::1]:8080'])
      expect(publicOrigin(url)).toBe(url);
  });

  test('plain HTTP for other machines', async () => {
    const config = { ...gateway.config, http: { ...gateway.config.http, listen: { host: '0.0.0.0', port: 8080 } } };
    await expect(startHttp({ ...gateway.httpDeps, config })).rejects.toThrow(
      'http.listen is 0.0.0.0:8080 without http.tls',
    );
  });

  test('trusted proxies that are no addresses; and only they are believed', () => {
    for (const entry of ['proxy', '10.0.0.0/33', '10.0.0.0/x', '::/129'])
      expect(() => proxyTrust([entry], false), entry).toThrow(entry);
    const trusted = proxyTrust(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32'], false);
    for (const one of ['10.1.2.3', '192.0.2.7', '2001:db8:1::1', '::ffff:10.1.2.3'])
      expect(trusted(one, 0), one).toBe(true);
    for (const one of ['11.1.2.3', '192.0.2.8', '2001:db9::1', '', 'unknown']) expect(trusted(one, 0), one).toBe(false);
    expect(proxyTrust([], true)('', 0)).toBe(true);
    expect(proxyTrust([], true)('192.0.2.9', 1)).toBe(false);
    expect(isLoopback('127.1.2.3') && !isLoopback('128.0.0.1') && !isLoopback('0.0.0.0')).toBe(true);
  });

  test('pages that were not built', async () => {
    await expect(startHttp({ ...gateway.httpDeps, webRoot: '/nowhere' })).rejects.toThrow('npm run build');
  });
});

describe('every answer', () => {
  const requests: readonly RawRequest[] = [
    { path: '/' },
    { path: `/s/${'A'.repeat(27)}` },
    { path: '/assets/app-1a2b3c4d.js' },
    { path: '/nothing' },
    { path: '/%zz' },
    { path: `/s/${'A'.repeat(5000)}` },
    { path: '/api/device' },
    { path: '/api/enrolment', method: 'POST', body: '{', headers: { 'content-type': 'application/json' } },
    { path: '/api/enrolment', method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } },
    {
      path: '/api/enrolment',
      method: 'POST',
      body: 'x'.repeat(70_000),
      headers: { 'content-type': 'application/json' },
    },
    { path: '/ocsp', method: 'POST', body: 'x', headers: { 'content-type': 'application/ocsp-request' } },
    { path: '/trust.pem' },
    { path: '/healthz' },
  ];

  test('carries the security header fields, errors too', async () => {
    for (const one of requests) {
      const { headers } = await send(gateway.port, one);
      expect(headers, one.path.slice(0, 40)).toMatchObject({
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
      });
      const csp = headers['content-security-policy'] ?? '';
      expect(csp).toContain("default-src 'none'");
      expect(csp).toContain("frame-ancestors 'none'");
      expect(csp).not.toContain('unsafe');
      expect(headers['access-control-allow-origin']).toBeUndefined();
      expect(headers['set-cookie']).toBeUndefined();
    }
  });

  test('problems are application/problem+json and never show what was sent', async () => {
    const statuses = [];
    for (const one of requests) {
      const { status, headers, body } = await send(gateway.port, one);
      statuses.push(status);
      if (status < 400) continue;
      expect(headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(JSON.parse(body)).toMatchObject({ status, type: expect.stringMatching(/^urn:signpost:problem:/) });
      expect(headers['cache-control']).toBe('no-store');
      expect(body).not.toContain('AAAA');
    }
    expect(statuses).toEqual([200, 200, 200, 404, 404, 404, 404, 400, 415, 413, 200, 200, 200]);
  });

  test('HSTS where the public address is https', async () => {
    expect((await get('/')).headers['strict-transport-security']).toBeUndefined();
    const https = await startGateway({ publicUrl: () => 'https://sign.company.com' });
    try {
      expect((await send(https.port, { path: '/' })).headers['strict-transport-security']).toMatch(/^max-age=\d{8}/);
    } finally {
      await https.close();
    }
  });
});

test('on a unix socket the proxy is believed about the client', async () => {
  const path = join(gateway.folder, 'http.sock');
  const config = { ...gateway.config, http: { ...gateway.config.http, listen: { path } } };
  // What a killed gateway leaves behind.
  run(process.execPath, ['-e', `require('net').createServer().listen('${path}', () => process.kill(process.pid, 9))`]);
  expect(existsSync(path)).toBe(true);
  const http = await startHttp({ ...gateway.httpDeps, config });
  await expect(startHttp({ ...gateway.httpDeps, config })).rejects.toThrow('in use');
  try {
    const answer = await send(path, { path: '/healthz', headers: { 'x-forwarded-for': '192.0.2.99, 192.0.2.44' } });
    expect(answer.body).toBe('ok\n');
    expect(gateway.logLines.join('')).toContain('"client":"192.0.2.44"');
  } finally {
    await http.close();
  }
});

test('bytes that are no HTTP end that connection alone', async () => {
  for (const bytes of [
    '\x16\x03\x01\x02\x00\x01',
    'GET',
    `GET / HTTP/1.1\r\n${'a'.repeat(100_000)}`,
    '\0'.repeat(1000),
  ]) {
    await new Promise<void>(resolve => {
      const socket = connect(gateway.port, '127.0.0.1', () => socket.end(Buffer.from(bytes, 'latin1')));
      socket.on('error', () => undefined).on('close', () => resolve());
      socket.resume();
    });
  }
  expect((await get('/healthz')).body).toBe('ok\n');
});

describe('pages', () => {
  test('A3: a link gets the same bytes whether it is known, another’s or nothing', async () => {
    const marys = gateway.tokenOf(await gateway.submit([MARY]), MARY);
    const answers = await Promise.all(
      [token, marys, 'A'.repeat(27), 'x', '..%2f..%2fetc%2fpasswd'].map(one => get(`/s/${one}`)),
    );
    const [first] = answers.map(({ status, body, headers: { date: _, 'x-request-id': __, ...headers } }) => ({
      status,
      body,
      headers,
    }));
    for (const { status, body, headers } of answers) {
      const { date: _, 'x-request-id': __, ...rest } = headers;
      expect({ status, body, headers: rest }).toEqual(first);
    }
    expect(first).toMatchObject({
      status: 200,
      headers: { 'cache-control': 'no-store', 'content-type': 'text/html; charset=utf-8' },
    });
    expect(first?.body).toContain('<title>Signpost</title>');
  });

  test('assets are compressed, kept for ever, and found by name only', async () => {
    const asset = '/assets/app-1a2b3c4d.js';
    const compressed = await get(asset, { 'accept-encoding': 'gzip, br' });
    expect(compressed.headers).toMatchObject({
      'content-encoding': 'br',
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
    });
    const plain = await get(asset);
    expect(brotliDecompressSync(Buffer.from(compressed.body, 'latin1')).toString()).toBe(plain.body);
    expect((await get(asset, { 'if-none-match': plain.headers.etag! })).status).toBe(304);
    for (const path of [
      '/assets/',
      '/assets/../signpost.db',
      '/assets/%2e%2e/signpost.db',
      '/keys/gateway.p8',
      '/..',
      '//etc/passwd',
    ])
      expect((await get(path)).status, path).toBe(404);
  });
});

test('the log holds no link, neither from pages nor from the API', async () => {
  const secret = 'SECRETsecretSECRETsecret123';
  await get(`/s/${secret}`);
  await get(`/s/${secret}/more`);
  await get(`/${secret}%zz`);
  await get(`/api/sessions/${secret}`);
  await get(`/api/nonce?method=POST&path=/api/sessions/${secret}/turn`);
  await send(gateway.port, { path: `/api/sessions/${secret}/turn`, method: 'POST', body: secret });
  const device = await gateway.deviceFor(JOHN);
  await expect(device.view(secret)).rejects.toMatchObject({ type: 'not-found' });
  const view = await device.view(token);
  await device.sign(token, view, await device.download(token, view));
  const log = gateway.logLines.join('');
  expect(log).toContain('"route":"/s/:token"');
  expect(log).toContain('"route":"/api/sessions/:token/signature"');
  expect(log).not.toContain(secret);
  expect(log).not.toContain(token);
});

describe.skipIf(!has('openssl'))('what validators ask for, asked by openssl', () => {
  const path = (name: string): string => join(gateway.folder, name);

  test('anchors, CA certificate, CRL and OCSP by POST and GET', async () => {
    const device = await gateway.deviceFor(JOHN);
    const link = gateway.tokenOf(await gateway.submit([JOHN]), JOHN);
    const view = await device.view(link);
    await device.sign(link, view, await device.download(link, view));
    const [record] = await gateway.pki.ca.listForDevice(device.enrolled!.deviceId);
    for (const [name, address] of [
      ['trust.pem', '/trust.pem'],
      ['ca.der', '/ca.cer'],
      ['company.crl', '/crl/company.crl'],
    ] as const)
      writeFileSync(path(name), Buffer.from((await get(address)).body, 'latin1'));
    run('openssl', ['x509', '-inform', 'DER', '-in', path('ca.der'), '-out', path('ca.pem')]);
    writeFileSync(path('user.der'), record!.certificate);
    run('openssl', ['x509', '-inform', 'DER', '-in', path('user.der'), '-out', path('user.pem')]);

    expect(run('openssl', ['verify', '-CAfile', path('trust.pem'), path('user.pem')]).output).toContain('OK');
    const crl = run('/bin/sh', [
      '-c',
      `openssl crl -inform DER -in ${path('company.crl')} -CAfile ${path('ca.pem')} -noout 2>&1`,
    ]);
    expect(crl.output).toContain('verify OK');

    const ask = (...more: string[]): Promise<string> =>
      shell(`openssl ocsp -issuer ${path('ca.pem')} -CAfile ${path('trust.pem')} "$@"`, ...more);
    const posted = (): Promise<string> => ask('-cert', path('user.pem'), '-url', `${gateway.url}/ocsp`);
    expect(await posted()).toMatch(/Response verify OK[\s\S]*user\.pem: good/);

    await ask('-cert', path('user.pem'), '-no_nonce', '-reqout', path('request.der'));
    const request = execFileSync('base64', ['-w0', path('request.der')]).toString();
    for (const encoded of [request, encodeURIComponent(request)]) {
      const answer = await get(`/ocsp/${encoded}`);
      expect(answer.headers['content-type']).toBe('application/ocsp-response');
      // RFC 5019 §6.2: caches may answer for a minute.
      expect(answer.headers['cache-control']).toMatch(
        /^max-age=([1-9]|[1-5]\d|60), public, no-transform, must-revalidate$/,
      );
      const [madeAt, until] = ['last-modified', 'expires'].map(name => Date.parse(String(answer.headers[name])));
      expect(until! - madeAt!).toBe(3_600_000);
      expect(answer.headers.etag).toMatch(/^"[0-9a-f]{64}"$/);
      writeFileSync(path('answer.der'), Buffer.from(answer.body, 'latin1'));
      expect(await ask('-cert', path('user.pem'), '-respin', path('answer.der'))).toMatch(/user\.pem: good/);
    }

    await ask('-cert', path('user.pem'), '-reqout', path('live.der'));
    const live = execFileSync('base64', ['-w0', path('live.der')]).toString();
    expect((await get(`/ocsp/${encodeURIComponent(live)}`)).headers['cache-control']).toBe('no-cache');

    await gateway.devices.end(device.enrolled!.deviceId, 'revoked');
    expect(await posted()).toMatch(/user\.pem: revoked/);
    expect(run('openssl', ['ocsp', '-respin', path('answer.der'), '-noverify', '-text']).output).toContain(
      'successful',
    );
    writeFileSync(path('bad.der'), Buffer.from((await get('/ocsp/AAAA')).body, 'latin1'));
    expect(await ask('-respin', path('bad.der'), '-noverify')).toMatch(/malformedrequest/i);
  });
});

describe.skipIf(!has('openssl'))('TLS', () => {
  function certificate(folder: string, name: string): { certificate: string; key: string } {
    const files = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        '-subj',
        `/CN=${name}`,
        '-keyout',
        files.key,
        '-out',
        files.certificate,
      ],
      { stdio: 'ignore' },
    );
    return files;
  }
  const copy = (from: string, to: string): unknown => execFileSync('cp', [from, to]);

  test('certificate files are read again when they change; a pair that doesn’t fit leaves the old one', async () => {
    const folder = gateway.folder;
    const first = certificate(folder, 'first');
    const second = certificate(folder, 'second');
    copy(first.certificate, join(folder, 'live.pem'));
    copy(first.key, join(folder, 'live.key'));
    const config = {
      ...gateway.config,
      http: {
        ...gateway.config.http,
        listen: { host: '127.0.0.1', port: 0 },
        tls: { certificate: 'live.pem', key: 'live.key' },
      },
    };
    const http = await startHttp({ ...gateway.httpDeps, config });
    try {
      const host = http.address.replace('https://', '');
      const served = (...more: string[]): Promise<string> => shell(`openssl s_client -connect ${host} "$@"`, ...more);
      const until = async (fits: () => boolean): Promise<void> => {
        while (!fits()) await new Promise(resolve => setTimeout(resolve, 50));
      };
      const logged = (text: string): boolean => gateway.logLines.some(line => line.includes(text));
      expect(await served()).toMatch(/subject=CN ?= ?first/);
      expect(await served('-tls1_1')).not.toMatch(/Cipher is (TLS|ECDHE)/);
      copy(second.certificate, join(folder, 'live.pem'));
      await until(() => logged('the old one stays'));
      expect(await served()).toMatch(/subject=CN ?= ?first/);
      copy(second.key, join(folder, 'live.key'));
      await until(() => logged('TLS certificate loaded again'));
      expect(await served()).toMatch(/subject=CN ?= ?second/);
      rmSync(join(folder, 'live.key'));
      await until(() => gateway.logLines.filter(line => line.includes('the old one stays')).length > 1);
      expect(await served()).toMatch(/subject=CN ?= ?second/);
    } finally {
      await http.close();
    }
  });

  test('a certificate with another key’s file stops the start', async () => {
    const { certificate: file } = certificate(gateway.folder, 'third');
    const { key } = certificate(gateway.folder, 'fourth');
    const config = { ...gateway.config, http: { ...gateway.config.http, tls: { certificate: file, key } } };
    await expect(startHttp({ ...gateway.httpDeps, config })).rejects.toThrow(
      /http\.tls can't be used.*third\.pem.*mismatch/,
    );
  });
});
