/** Finished requests: their parties' devices get them, everybody else gets what an unknown request gets. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AnswerRefused, type SignpostDevice } from '../../../src/client/device.ts';
import { parseFinishedView } from '../../../src/client/protocol.ts';
import type { Person } from '../../../src/directory/directory.ts';
import type { Request } from '../../../src/requests/model.ts';
import { type Gateway, JOHN, MARY, memoryStore, PAUL, startGateway } from './gateway.ts';
import { type RawAnswer, type RawDevice, rawDevice, send } from './raw.ts';

interface Owned {
  readonly device: SignpostDevice;
  /** The same key, for requests written by hand. */
  readonly raw: RawDevice;
}

let gateway: Gateway;
let john: Owned;
let mary: Owned;
let paul: Owned;
/** Paul asks, John signs; Mary has nothing to do with it. */
let request: Request;
/** The same with a copy for Mary, and two documents of one name each. */
let shared: Request;

beforeAll(async () => {
  gateway = await startGateway();
  [john, mary, paul] = (await Promise.all([JOHN, MARY, PAUL].map(own))) as [Owned, Owned, Owned];
  request = await finish(await gateway.submit([JOHN]));
  shared = await finish(await gateway.submit([JOHN], { copies: [MARY], documents: 2 }));
});
afterAll(() => gateway?.close());

async function own(who: Person): Promise<Owned> {
  const store = memoryStore();
  const device = await gateway.deviceFor(who, { store });
  return { device, raw: await rawDevice(store.memory.device!.authentication) };
}

async function finish(asked: Request): Promise<Request> {
  const token = gateway.tokenOf(asked, JOHN);
  const view = await john.device.view(token);
  await john.device.sign(token, view, await john.device.download(token, view));
  return gateway.until(asked.id, ({ state }) => state === 'finished');
}

async function ask(who: Owned, path: string, method = 'GET'): Promise<RawAnswer> {
  const one = { path, method };
  return send(gateway.port, { ...one, headers: { ...(await who.raw.sign(one, gateway.url)) } });
}

/** Without what differs by its nature: time, request id, and what is bound to the request's own signature. */
function comparable({ status, headers, body }: RawAnswer) {
  const { date: _, 'x-request-id': __, signature: ___, 'signature-input': ____, ...rest } = headers;
  return { status, body, headers: rest };
}

const api = ({ id }: { id: string }, more = ''): string => `/api/requests/${id}${more}`;

describe('a party', () => {
  test('sender, signatory and copy see who signed when, and get exactly the finished bytes', async () => {
    for (const { device } of [john, mary, paul]) {
      const view = await device.finished(shared.id);
      expect(view).toMatchObject({
        request: shared.id,
        company: 'Company Ltd',
        level: 'advanced',
        sender: { name: PAUL.name, mail: PAUL.mail },
        subject: shared.subject,
        signatories: [{ name: JOHN.name, signedAt: shared.sessions[0]!.endedAt, you: device === john.device }],
        finishedAt: shared.endedAt,
      });
      const progress: [number, number | null][] = [];
      const documents = await device.downloadFinished(shared.id, view, (...step) => progress.push(step));
      expect(documents).toHaveLength(2);
      for (const [index, bytes] of documents.entries()) {
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        expect(sha256).toBe(shared.documents[index]!.finished);
        expect(view.documents[index]).toEqual({
          kind: 'pdf',
          name: `Contract ${index + 1} signed.pdf`,
          pages: 1,
          length: bytes.length,
          sha256,
        });
      }
      const total = documents[0]!.length + documents[1]!.length;
      expect(progress.at(-1)).toEqual([total, total]);
    }
  });

  test('a document comes under the name that it has in the mail', async () => {
    const answer = await ask(paul, api(shared, '/documents/1'));
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/pdf',
      'content-disposition': `attachment; filename="Contract 2 signed.pdf"; filename*=UTF-8''Contract%202%20signed.pdf`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
  });

  test('learns no link, session, device or address but the sender’s', async () => {
    const { body } = await ask(mary, api(shared));
    const { id, deviceId, certificateSerial } = shared.sessions[0]!;
    for (const secret of [gateway.tokenOf(shared, JOHN), id, deviceId!, certificateSerial!, JOHN.mail]) {
      expect(body).not.toContain(secret);
    }
  });

  test('takes no other document for the one that was named', async () => {
    const view = await paul.device.finished(request.id);
    const documents = view.documents.map(document => ({ ...document, sha256: shared.documents[0]!.finished! }));
    await expect(paul.device.downloadFinished(request.id, { ...view, documents })).rejects.toThrow(AnswerRefused);
  });
});

describe('everybody else', () => {
  test('A3: a request of others, an open, rejected or unknown one, and a wrong device get the same answer', async () => {
    const open = await gateway.submit([JOHN], { copies: [MARY] });
    const rejected = await gateway.submit([JOHN], { copies: [MARY] });
    await john.device.reject(gateway.tokenOf(rejected, JOHN), null);
    const stranger: Owned = { ...john, raw: await rawDevice() };
    const ended = await own(JOHN);
    await gateway.devices.end(ended.raw.id, 'revoked');
    const reference = comparable(await ask(mary, '/api/requests/000000000000'));
    expect(reference.status).toBe(404);
    expect(reference).toEqual(comparable(await ask(mary, `/api/sessions/${'A'.repeat(27)}`)));
    const cases: Readonly<Record<string, readonly [Owned, string]>> = {
      'a request of others': [mary, api(request)],
      'a document of others': [mary, api(request, '/documents/0')],
      'an open request': [john, api(open)],
      'its document': [john, api(open, '/documents/0')],
      'a rejected request': [mary, api(rejected)],
      'a document that is not there': [john, api(request, '/documents/1')],
      'a document that is no number': [john, api(request, '/documents/..%2f')],
      'a number in other letters': [john, api({ id: request.id.toLowerCase().replace(/^\d+$/, 'x') })],
      'no request number': [john, '/api/requests/%00'],
      'a link token in its place': [john, api({ id: gateway.tokenOf(request, JOHN) })],
      'an unknown device': [stranger, api(request)],
      'an ended device': [ended, api(request, '/documents/0')],
    };
    for (const [name, [who, path]] of Object.entries(cases)) {
      expect(comparable(await ask(who, path)), name).toEqual(reference);
    }
    // Who doesn't sign gets no digest either; else the same bytes.
    const { 'content-digest': _, ...headers } = reference.headers;
    for (const path of [api(request), api(request, '/documents/0'), api({ id: '000000000000' })]) {
      expect(comparable(await send(gateway.port, { path })), path).toEqual({ ...reference, headers });
    }
  });

  test('A3: the page is the same bytes for every number', async () => {
    const pages = [request.id, '000000000000', 'x', '..%2f..%2fetc%2fpasswd'].map(id => `/r/${id}`);
    const answers = await Promise.all(
      [...pages, '/s/unknown'].map(async path => comparable(await send(gateway.port, { path }))),
    );
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]).toMatchObject({ status: 200, body: expect.stringContaining('<title>Signpost</title>') });
  });
});

test('A3: GET, HEAD and OPTIONS change nothing', async () => {
  await gateway.jobs.pause();
  const before = gateway.dump();
  for (const path of [api(request), api(request, '/documents/0'), `/r/${request.id}`]) {
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      await send(gateway.port, { path, method });
      await ask(paul, path, method);
    }
  }
  expect(gateway.dump()).toBe(before);
  gateway.jobs.resume();
});

test('what a gateway sends is believed only in the right form', () => {
  const good = {
    request: 'R',
    company: 'C',
    level: 'advanced',
    sender: { name: 'P', mail: 'p@company.com' },
    subject: 'S',
    signatories: [{ name: 'J', signedAt: null, you: true }],
    documents: [{ name: 'D.pdf', pages: 1, length: 2, sha256: 'ab', kind: 'pdf' }],
    finishedAt: '2026-11-24T09:30:00.000Z',
  };
  expect(parseFinishedView(good)).toEqual({ ...good, finishedAt: new Date(good.finishedAt) });
  for (const bad of [
    null,
    { ...good, level: 'other' },
    { ...good, finishedAt: null },
    { ...good, signatories: {} },
    { ...good, documents: [{ ...good.documents[0], length: -1 }] },
    { ...good, documents: [{ ...good.documents[0], sha256: 'a'.repeat(65) }] },
  ])
    expect(() => parseFinishedView(bad)).toThrow();
});
