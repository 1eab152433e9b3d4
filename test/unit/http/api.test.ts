/** The API from outside, with requests that a device would never send. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificationRequest } from '../../../src/client/csr.ts';
import { generateKeys } from '../../../src/client/keys.ts';
import { encode } from '../../../src/client/protocol.ts';
import type { Request } from '../../../src/requests/model.ts';
import { type Gateway, JOHN, MARY, memoryStore, PAUL, startGateway } from './gateway.ts';
import { type RawAnswer, type RawDevice, type RawRequest, rawDevice, send } from './raw.ts';

let gateway: Gateway;
let john: RawDevice;
let request: Request;
let token: string;

beforeAll(async () => {
  gateway = await startGateway({ http: { trustedProxies: ['127.0.0.1'] } });
  john = await enrolled();
  request = await gateway.submit([JOHN, MARY]);
  token = gateway.tokenOf(request, JOHN);
});
afterAll(() => gateway?.close());

/** John's device, whose key the test holds. */
async function enrolled(): Promise<RawDevice> {
  const store = memoryStore();
  await gateway.deviceFor(JOHN, { store });
  return rawDevice(store.memory.device!.authentication);
}

async function signed(
  device: RawDevice,
  one: RawRequest,
  options: { created?: number; nonce?: string; origin?: string } = {},
): Promise<RawRequest> {
  const fields = await device.sign(one, options.origin ?? gateway.url, options);
  const type: Record<string, string> = one.body === undefined ? {} : { 'content-type': 'application/json' };
  return { ...one, headers: { ...fields, ...type, ...one.headers } };
}

async function nonceFor(device: RawDevice, method: string, path: string): Promise<string> {
  const query = new URLSearchParams({ method, path });
  const answer = await send(gateway.port, await signed(device, { path: `/api/nonce?${query}` }));
  return JSON.parse(answer.body).nonce;
}

async function change(device: RawDevice, one: RawRequest & { method: string }): Promise<RawAnswer> {
  const nonce = await nonceFor(device, one.method, one.path);
  return send(gateway.port, await signed(device, one, { nonce }));
}

/** Without what differs by its nature: time, request id, and what is bound to the request's own signature. */
function comparable({ status, headers, body }: RawAnswer) {
  const { date: _, 'x-request-id': __, signature: ___, 'signature-input': ____, ...rest } = headers;
  return { status, body, headers: rest };
}

const problem = (answer: RawAnswer): string => JSON.parse(answer.body).type.split(':').at(-1);
const session = (more = ''): string => `/api/sessions/${token}${more}`;

describe('the same 404', () => {
  test('A3: unknown link, another person’s link, unknown device, ended device and bad signatures get the same answer', async () => {
    const stranger = await rawDevice();
    const ended = await enrolled();
    await gateway.devices.end(ended.id, 'revoked');
    const unknown = `/api/sessions/${'A'.repeat(27)}`;
    const marys = `/api/sessions/${gateway.tokenOf(request, MARY)}`;
    const good = await signed(john, { path: session() });
    expect((await send(gateway.port, good)).status).toBe(200);
    const hour = 3600;
    const now = Math.floor(Date.now() / 1000);
    const cases: Readonly<Record<string, RawRequest>> = {
      'unknown link': await signed(john, { path: unknown }),
      'link that can be none': await signed(john, { path: '/api/sessions/x' }),
      'another person’s link': await signed(john, { path: marys }),
      'another person’s document': await signed(john, { path: `${marys}/documents/0` }),
      'unknown document': await signed(john, { path: session('/documents/1') }),
      'document that is no number': await signed(john, { path: session('/documents/..%2f') }),
      'unknown route': await signed(john, { path: '/api/other' }),
      'unknown device': await signed(stranger, { path: session() }),
      'ended device': await signed(ended, { path: session() }),
      'too old': await signed(john, { path: session() }, { created: now - hour }),
      'from the future': await signed(john, { path: session() }, { created: now + hour }),
      'another path': { ...(await signed(john, { path: unknown })), path: session() },
      'another query': { ...good, path: `${good.path}?x=1` },
      'another host': await signed(john, { path: session() }, { origin: 'https://evil.example' }),
      'another method': { ...(await signed(john, { path: session(), method: 'POST' })), method: 'GET' },
      'another key id': {
        path: session(),
        headers: {
          ...good.headers,
          'signature-input': good.headers!['signature-input']!.replace(john.id, stranger.id),
        },
      },
      'another digest': { path: session(), headers: { ...good.headers, 'content-digest': 'sha-256=:AAAA:' } },
    };
    const unsigned: Readonly<Record<string, RawRequest>> = {
      unsigned: { path: session() },
      'unsigned, unknown link': { path: unknown },
      'another tag': {
        path: session(),
        headers: {
          ...good.headers,
          'signature-input': good.headers!['signature-input']!.replace('"signpost"', '"other"'),
        },
      },
      'unsigned change': {
        path: session('/rejection'),
        method: 'POST',
        body: '{}',
        headers: { 'content-type': 'application/json' },
      },
    };
    const reference = comparable(await send(gateway.port, cases['unknown link']!));
    expect(reference.status).toBe(404);
    for (const [name, one] of Object.entries(cases))
      expect(comparable(await send(gateway.port, one)), name).toEqual(reference);
    // Who doesn't sign gets no digest either; else the same bytes.
    const { 'content-digest': _, ...headers } = reference.headers;
    for (const [name, one] of Object.entries(unsigned))
      expect(comparable(await send(gateway.port, one)), name).toEqual({ ...reference, headers });
  });

  test('a changed body is refused, and nothing happens', async () => {
    const path = session('/rejection');
    const nonce = await nonceFor(john, 'POST', path);
    const good = await signed(john, { path, method: 'POST', body: '{"comment":null}' }, { nonce });
    expect((await send(gateway.port, { ...good, body: '{"comment":"no"}' })).status).toBe(404);
    expect((await gateway.requests.find(request.id))?.state).toBe('open');
  });
});

describe('nonces', () => {
  const csr = async (): Promise<string> => encode({ csr: await certificationRequest(await generateKeys(true)) });
  const post = async (): Promise<RawRequest & { method: string }> => ({
    path: '/api/certificates',
    method: 'POST',
    body: await csr(),
  });

  test('the same signed request a second time is refused as used, a repeat with a fresh nonce gets the first answer', async () => {
    const one = await post();
    const nonce = await nonceFor(john, 'POST', one.path);
    const sent = await signed(john, one, { nonce });
    const first = await send(gateway.port, sent);
    expect(first.status).toBe(200);
    const replay = await send(gateway.port, sent);
    expect([replay.status, problem(replay)]).toEqual([409, 'nonce']);
    const again = await change(john, one);
    expect(again.body).toBe(first.body);
  });

  test('a nonce of the device’s own, for another path, method or device, is refused', async () => {
    const one = await post();
    const other = await enrolled();
    for (const nonce of [
      'n'.repeat(22),
      'a.b.c'.padEnd(30, 'x'),
      await nonceFor(john, 'POST', '/api/enrolment'),
      await nonceFor(john, 'DELETE', one.path),
      await nonceFor(other, 'POST', one.path),
    ]) {
      const answer = await send(gateway.port, await signed(john, one, { nonce }));
      expect([answer.status, problem(answer)]).toEqual([409, 'nonce']);
    }
  });

  test('a nonce is believed for five minutes', async () => {
    let time = Date.now();
    const own = await startGateway({ now: () => new Date(time) });
    try {
      const store = memoryStore();
      await own.deviceFor(JOHN, { store });
      const device = await rawDevice(store.memory.device!.authentication);
      const path = '/api/device';
      const at = (): { created: number } => ({ created: Math.floor(time / 1000) });
      const query = new URLSearchParams({ method: 'DELETE', path });
      const asked = { path: `/api/nonce?${query}` };
      const headers = { ...(await device.sign(asked, own.url, at())) };
      const { nonce } = JSON.parse((await send(own.port, { ...asked, headers })).body);
      time += 301_000;
      const one = { path, method: 'DELETE' };
      const late = await send(own.port, {
        ...one,
        headers: { ...(await device.sign(one, own.url, { ...at(), nonce })) },
      });
      expect(problem(late)).toBe('nonce');
      time -= 2_000;
      const early = await send(own.port, {
        ...one,
        headers: { ...(await device.sign(one, own.url, { ...at(), nonce })) },
      });
      expect(early.status).toBe(200);
    } finally {
      await own.close();
    }
  });
});

test('A3: GET, HEAD and OPTIONS on every address change nothing', async () => {
  await gateway.jobs.pause();
  const paths = [
    '/',
    `/s/${token}`,
    '/trust',
    '/trust.pem',
    '/ca.cer',
    '/ocsp/AAAA',
    '/healthz',
    '/api/device',
    '/api/device/sessions',
    '/api/nonce?method=POST&path=/api/device',
    session(),
    session('/documents/0'),
    session('/turn'),
    session('/signature'),
    session('/rejection'),
    '/api/enrolment',
    '/api/enrolment/code',
    '/api/certificates',
  ];
  // The first CRL is made when it is first asked for.
  await send(gateway.port, { path: '/crl/company.crl' });
  const before = gateway.dump();
  for (const path of [...paths, '/crl/company.crl'])
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      await send(gateway.port, { path, method });
      await send(gateway.port, await signed(john, { path, method }));
    }
  expect(gateway.dump()).toBe(before);
  gateway.jobs.resume();
});

test('no answer holds another party’s link, session or address', async () => {
  const answers = await Promise.all(
    [session(), '/api/device', '/api/device/sessions'].map(async path =>
      send(gateway.port, await signed(john, { path })),
    ),
  );
  for (const { status, body } of answers) {
    expect(status).toBe(200);
    expect(body).not.toContain(gateway.tokenOf(request, MARY));
    expect(body).not.toContain(MARY.mail);
    for (const { id } of request.sessions) expect(body).not.toContain(id);
  }
});

test('a document comes as it is, with a name that is no path (RFC 6266)', async () => {
  const answer = await send(gateway.port, await signed(john, { path: session('/documents/0') }));
  expect(answer.headers).toMatchObject({
    'content-type': 'application/pdf',
    'content-disposition': `attachment; filename="Contract 1.pdf"; filename*=UTF-8''Contract%201.pdf`,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  expect(Buffer.from(answer.body, 'latin1')).toEqual(
    Buffer.from(await gateway.requests.readHead((await gateway.requests.find(request.id))!, 0)),
  );
});

describe('certificates', () => {
  test('the authentication key gets none, nor does a key of another device, nor what is no request', async () => {
    const path = '/api/certificates';
    const ask = (csr: Uint8Array) => ({ path, method: 'POST', body: encode({ csr }) });
    const own = await change(john, ask(await certificationRequest(john.keys)));
    expect([own.status, problem(own)]).toEqual([422, 'certificate-refused']);
    const csr = await certificationRequest(await generateKeys(true));
    expect((await change(john, ask(csr))).status).toBe(200);
    const second = await change(await enrolled(), ask(csr));
    expect([second.status, problem(second)]).toEqual([422, 'certificate-refused']);
    const broken = await change(john, ask(csr.with(20, csr[20]! ^ 1)));
    expect([broken.status, problem(broken)]).toEqual([422, 'certificate-refused']);
    for (const body of ['', '{', '{}', '[]', '{"csr":1}', '\xff'])
      expect(problem(await change(john, { path, method: 'POST', body })), body).toBe('bad-request');
  });
});

describe('enrolment', () => {
  const code = (device: RawDevice, address: string, link: string | null = null, headers = {}) => ({
    path: '/api/enrolment/code',
    method: 'POST',
    body: encode({ key: device.key, address, link }),
    headers,
  });
  const mailed = async (): Promise<number> =>
    JSON.parse(gateway.dump()).flatMap((table: [string, { kind?: string }[]]) =>
      table[0] === 'outbox' ? table[1].filter(({ kind }) => kind === 'enrolment-code') : [],
    ).length;

  test('asking for a code tells nothing: the same answer for known and unknown people and links', async () => {
    const device = await rawDevice();
    const before = await mailed();
    const answers = [
      await change(device, code(device, 'nobody@company.com')),
      await change(device, code(device, JOHN.mail, gateway.tokenOf(request, MARY))),
      await change(device, code(device, JOHN.mail, 'A'.repeat(27))),
    ];
    expect(await mailed()).toBe(before);
    answers.push(await change(device, code(device, ' John.Doe@Company.com ', token)));
    expect(await mailed()).toBe(before + 1);
    for (const answer of answers) expect(comparable(answer)).toEqual(comparable(answers[0]!));
    expect(answers[0]).toMatchObject({ status: 202, body: '{}' });
  });

  test('the key must be the one that signs', async () => {
    const device = await rawDevice();
    const other = await rawDevice();
    const answer = await change(device, code(other, JOHN.mail));
    expect([answer.status, problem(answer)]).toEqual([400, 'bad-request']);
    // Signed by the key in the body, under another's id.
    const claiming = { ...(await rawDevice(other.keys, device.id)), key: other.key };
    const claimed = await change(claiming, code(other, JOHN.mail));
    expect([claimed.status, problem(claimed)]).toEqual([400, 'bad-request']);
  });

  test('D4 of a thousand phones in twenty networks that hand in one code at once, exactly one is set up', async () => {
    const before = (await gateway.devices.listForPerson(PAUL.id)).length;
    const { code: digits } = await gateway.devices.createAdminCode(PAUL.id);
    const keys = await Promise.all(Array.from({ length: 1000 }, () => rawDevice()));
    const answers = await Promise.all(
      keys.map((device, i) => {
        const ask = { key: device.key, address: PAUL.mail, link: null, password: null, code: digits };
        return change(device, {
          path: '/api/enrolment',
          method: 'POST',
          body: encode({ ...ask, name: `phone ${i}`, kind: 'browser', replaces: null }),
          headers: { 'x-forwarded-for': `198.51.100.${i % 20}` },
        });
      }),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 403]));
    expect(await gateway.devices.listForPerson(PAUL.id)).toHaveLength(before + 1);
  });

  test('whoever tries too often is stopped, others are not', async () => {
    const device = await rawDevice();
    const body = encode({
      key: device.key,
      address: PAUL.mail,
      link: null,
      password: null,
      code: '000000',
      name: 'x',
      kind: 'browser',
      replaces: null,
    });
    const attempt = (client: string) =>
      change(device, { path: '/api/enrolment', method: 'POST', body, headers: { 'x-forwarded-for': client } });
    const stopped = async (clients: readonly string[]) => {
      const answers = await Promise.all(clients.map(attempt));
      return answers.filter(({ status }) => status === 429);
    };
    expect(await stopped(Array(60).fill('192.0.2.1'))).toHaveLength(0);
    const last = await attempt('192.0.2.1');
    expect([last.status, problem(last), last.headers['retry-after']]).toEqual([429, 'too-many-tries', '60']);
    expect((await attempt('192.0.2.2')).status).toBe(403);
    // One customer's IPv6 network is one client.
    expect(await stopped(Array.from({ length: 61 }, (_, i) => `2001:db8::${i.toString(16)}`))).toHaveLength(1);
    expect((await attempt('2001:db8:0:1::1')).status).toBe(403);
  });

  test('D4 who comes by a link is not kept out by others behind the same address, nor by who has seen the link', async () => {
    const mine = await gateway.submit([PAUL]);
    const device = await rawDevice();
    const attempt = (link: string | null, client: string) => {
      const { key } = device;
      const ask = { key, address: PAUL.mail, link, password: null, code: '000000', name: 'x', kind: 'browser' };
      const headers = { 'x-forwarded-for': client };
      return change(device, {
        path: '/api/enrolment',
        method: 'POST',
        body: encode({ ...ask, replaces: null }),
        headers,
      });
    };
    const statuses = async (link: string | null, client: string, times: number) => {
      const answers = await Promise.all(Array.from({ length: times }, () => attempt(link, client)));
      return new Set(answers.map(({ status }) => status));
    };
    await statuses(null, '192.0.2.77', 60);
    expect(await statuses(null, '192.0.2.77', 1)).toEqual(new Set([429]));
    expect(await statuses('A'.repeat(27), '192.0.2.77', 1)).toEqual(new Set([429]));
    const link = gateway.tokenOf(mine, PAUL);
    expect(await statuses(link, '192.0.2.77', 1)).toEqual(new Set([403]));
    // Whoever photographed it uses it up, and is stopped; its owner is elsewhere.
    expect(await statuses(link, '192.0.2.66', 130)).toEqual(new Set([403, 429]));
    expect(await statuses(link, '192.0.2.66', 1)).toEqual(new Set([429]));
    expect(await statuses(link, '192.0.2.78', 1)).toEqual(new Set([403]));
  });
});

test('a rejection without a comment is refused where the company asks for one', async () => {
  const strict = await startGateway({ rejectionComment: 'required' });
  try {
    const device = await strict.deviceFor(JOHN);
    const link = strict.tokenOf(await strict.submit([JOHN]), JOHN);
    for (const comment of [null, '', ' \n '])
      await expect(device.reject(link, comment)).rejects.toMatchObject({ type: 'comment-required' });
    expect((await device.reject(link, 'No')).state).toBe('rejected');
  } finally {
    await strict.close();
  }
});

test('whatever a device sends, the gateway answers in words and never with a fault', async () => {
  const routes = [
    '/api/enrolment',
    '/api/enrolment/code',
    '/api/certificates',
    session('/turn'),
    session('/signature'),
  ];
  const grant = {
    turn: 'x',
    signatures: ['AAAA'],
    known: [1],
    certificateSerial: 'ab',
    utcOffset: 0,
    csr: 'MAA',
    key: john.key,
  };
  const body = fc.oneof(
    fc.json(),
    fc.string({ unit: 'binary' }),
    fc
      .record(
        {
          ...Object.fromEntries(
            Object.entries(grant).map(([name, value]) => [name, fc.oneof(fc.constant(value), fc.jsonValue())]),
          ),
          address: fc.oneof(fc.constant(JOHN.mail), fc.string({ unit: 'binary' })),
          link: fc.oneof(fc.constant(null), fc.constant(token), fc.string()),
          code: fc.string(),
          name: fc.string({ unit: 'binary' }),
          kind: fc.constantFrom('browser', 'command-line', 'other'),
          replaces: fc.oneof(fc.constant(null), fc.constant(john.id), fc.string()),
        },
        { requiredKeys: [] },
      )
      .map(value => JSON.stringify(value)),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...routes), body, async (path, text) => {
      const answer = await change(john, { path, method: 'POST', body: text });
      expect(answer.status, answer.body).toBeLessThan(500);
    }),
    { numRuns: 150 },
  );
  expect((await gateway.devices.find(john.id))?.state).toBe('active');
});
