/** Standard over HTTP with the real parts: a question, an answer with the token key, a revision signed by the seal. */
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { utf8 } from '../../../src/client/bytes.ts';
import { Connection } from '../../../src/client/connection.ts';
import { Problem, SignpostDevice, Tampered } from '../../../src/client/device.ts';
import { webCryptoSigner } from '../../../src/client/http-signature.ts';
import type { DeviceStore } from '../../../src/client/keys.ts';
import { decode, parseQuestion, parseView, type View } from '../../../src/client/protocol.ts';
import type { Mark } from '../../../src/documents/strokes.ts';
import type { Request } from '../../../src/requests/model.ts';
import { parseReport } from '../../../src/signatures/report.ts';
import { has, run } from '../../support/tools.ts';
import { type Gateway, JOHN, MARY, memoryStore, startGateway } from './gateway.ts';

const SIGNATURE: Mark = {
  kind: 'drawn',
  drawing: {
    width: 300,
    height: 150,
    strokes: [
      [
        [20, 100, 2.5],
        [60, 40, 3],
        [110, 110, 2],
      ],
      [[200, 75, 3]],
    ],
  },
};
const PARAPH: Mark = { kind: 'typed', text: 'JD' };
const PLACE = 'Esch-sur-Alzette';

let gateway: Gateway;
let john: SignpostDevice;
beforeAll(async () => {
  gateway = await startGateway();
  john = await gateway.deviceFor(JOHN);
});
afterAll(() => gateway?.close());

interface Shown {
  readonly token: string;
  readonly view: View;
  readonly documents: readonly Uint8Array[];
}

async function shown(device: SignpostDevice, request: Request, who = JOHN, at = gateway): Promise<Shown> {
  const token = at.tokenOf(request, who);
  const view = await device.view(token);
  return { token, view, documents: await device.download(token, view) };
}

function approve(
  device: SignpostDevice,
  { token, view, documents }: Shown,
  place: string | null = PLACE,
): Promise<View> {
  return device.approve(token, view, documents, { signature: SIGNATURE, paraph: PARAPH, place });
}

async function problem(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Problem);
  return (error as Problem).type;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('an approval', () => {
  test('signs every document, is proven by its report, and finishes the request', async () => {
    const request = await gateway.submit([JOHN], { level: 'standard', documents: 2 });
    const seen = await shown(john, request);
    expect(seen.view).toMatchObject({ level: 'standard', session: 'open' });
    const steps: string[] = [];
    const after = await john.approve(
      seen.token,
      seen.view,
      seen.documents,
      { signature: SIGNATURE, paraph: PARAPH, place: ' Esch-sur-Alzette\n' },
      step => steps.push(step),
    );
    expect(after.session).toBe('signed');
    expect(steps).toEqual(['turn', 'checking', 'sending']);
    const finished = await gateway.until(request.id, ({ state }) => state === 'finished');

    const [session] = finished.sessions;
    const evidence = await gateway.requests.readEvidence(session!);
    expect(evidence?.fault).toBeNull();
    const report = parseReport(Buffer.from(evidence!.report).toString());
    expect(report).toMatchObject({
      userDn: 'CN=John Doe,O=Company Ltd,C=LU',
      userIp: '127.0.0.1',
      clientId: `127.0.0.1:${gateway.port}`,
      clientIp: '127.0.0.1',
      algorithm: 'SHA256',
    });
    expect(Buffer.from(report.data).toString()).toBe(
      [
        `Request: ${request.id}`,
        'Level: standard',
        'Company: Company Ltd',
        'Asked by: Paul Archer <paul.archer@company.com>',
        'Signed by: John Doe <john.doe@company.com>',
        'Subject: Please sign our contract',
        `Place: ${PLACE}`,
        `Document: SHA-256 ${sha256(seen.documents[0]!)} Contract 1.pdf`,
        `Document: SHA-256 ${sha256(seen.documents[1]!)} Contract 2.pdf`,
        '',
      ].join('\r\n'),
    );
    expect(session).not.toHaveProperty('challenge');

    // The device's signed call, checked with its public key as anybody could: it binds the drawing.
    const call = Buffer.from(evidence!.call);
    const body = call.subarray(call.indexOf('\n\n') + 2);
    const [base, signature] = call.subarray(0, call.indexOf('\n\n')).toString().split('\n"signature": sig=');
    const device = await gateway.devices.find(session!.deviceId!);
    const key = createPublicKey({ key: { ...device!.key }, format: 'jwk' });
    const raw = Buffer.from(signature!.slice(1, -1), 'base64');
    expect(verify('sha256', Buffer.from(base!), { key, dsaEncoding: 'ieee-p1363' }, raw)).toBe(true);
    expect(base).toContain(`sha-256=:${createHash('sha256').update(body).digest('base64')}:`);
    expect(JSON.parse(body.toString())).toMatchObject({ signature: SIGNATURE, paraph: PARAPH });
    // It goes out with the evidence, so no link is in it.
    expect(call.toString()).not.toContain(seen.token);
    expect(base).toContain(`/api/sessions/${sha256(Buffer.from(seen.token))}/approval\n`);
  });

  test('of a device of an earlier version, which names the link itself, is taken; by hash others hear what they hear by link', async () => {
    const store = memoryStore();
    await gateway.deviceFor(JOHN, { store });
    const { enrolled, token: tokenKey } = store.memory.device!;
    const mary = memoryStore();
    await gateway.deviceFor(MARY, { store: mary });
    const request = await gateway.submit([JOHN], { level: 'standard' });
    const token = gateway.tokenOf(request, JOHN);
    const connection = new Connection(gateway.url, { fetch, now: () => new Date(), sleep: async () => undefined });
    const post = <T>(who: typeof store, path: string, body: unknown, read: (body: Uint8Array) => T): Promise<T> => {
      const { authentication: keys, enrolled: as } = who.memory.device!;
      const signer = webCryptoSigner(as.deviceId, keys.privateKey);
      const { gatewayKey } = enrolled;
      return connection.call({ method: 'POST', path: `/api/sessions/${path}`, signer, gatewayKey, body, read });
    };
    const documents = request.documents.map(({ head }) => head!);
    const ask = { documents, place: null };
    const { nonce, data } = await post(store, `${token}/approval/nonce`, ask, body => decode(body, parseQuestion));
    const hmac = await crypto.subtle.sign('HMAC', tokenKey!.key, Buffer.concat([nonce, data]));
    const approval = {
      nonce,
      hmac: new Uint8Array(hmac),
      signature: SIGNATURE,
      paraph: null,
      utcOffset: 0,
      assertion: null,
    };
    const hash = sha256(Buffer.from(token));
    for (const path of [token, hash, '0'.repeat(64), hash.toUpperCase()])
      expect(await problem(post(mary, `${path}/approval`, approval, () => null))).toBe('not-found');
    for (const path of [`${hash}/approval/nonce`, `${hash}/turn`, `${hash}/rejection`])
      expect(await problem(post(store, path, ask, () => null))).toBe('not-found');
    const after = await post(store, `${token}/approval`, approval, body => decode(body, parseView));
    expect(after.session).toBe('signed');
  });

  test.skipIf(!has('openssl'))('its report is sealed by the company: OpenSSL finds the .p7s good', async () => {
    const request = await gateway.submit([JOHN], { level: 'standard' });
    await approve(john, await shown(john, request));
    const { sessions } = await gateway.until(request.id, ({ state }) => state === 'finished');
    const { report, seal } = (await gateway.requests.readEvidence(sessions[0]!))!;
    const folder = mkdtempSync('/tmp/signpost-report-');
    const write = (name: string, content: Uint8Array | string): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const trust = await (await fetch(`${gateway.url}/trust.pem`)).text();
    const args = ['cms', '-verify', '-cades', '-inform', 'DER', '-purpose', 'any', '-CAfile', write('ca.pem', trust)];
    const check = (content: string) =>
      run('openssl', [...args, '-in', write('r.p7s', seal), '-content', content, '-binary', '-out', '/dev/null']);
    const good = check(write('report', report));
    expect(good.status, good.output).toBe(0);
    const bad = Uint8Array.from(report);
    bad[100]! ^= 1;
    expect(check(write('bad', bad)).status).not.toBe(0);
    rmSync(folder, { recursive: true });
  });

  test.skipIf(!has('poppler-utils'))(
    'two at the same moment, on what both had read: both signatures are valid',
    async () => {
      const mary = await gateway.deviceFor(MARY);
      const request = await gateway.submit([JOHN, MARY], { level: 'standard' });
      const [his, hers] = [await shown(john, request), await shown(mary, request, MARY)];
      const afters = await Promise.all([approve(john, his), approve(mary, hers, null), approve(john, his)]);
      expect(afters.map(({ session }) => session)).toEqual(['signed', 'signed', 'signed']);
      const finished = await gateway.until(request.id, ({ state }) => state === 'finished');
      expect(finished.documents[0]!.revisions).toHaveLength(3);
      const path = join(gateway.folder, 'both.pdf');
      writeFileSync(path, await gateway.requests.readFinished(finished, 0));
      const { output } = run('pdfsig', [path]);
      // Certifying seal, two approvals, closing seal; poppler doesn't judge document timestamps.
      expect(output.match(/Signature is Valid/g), output).toHaveLength(4);
      expect(output).not.toMatch(/invalid|mismatch/i);
    },
  );

  test('in order: the second is asked when the first has approved', async () => {
    const mary = await gateway.deviceFor(MARY);
    const request = await gateway.submit([JOHN, MARY], { level: 'standard', mode: 'ordered' });
    const hers = await shown(mary, request, MARY);
    expect(await problem(approve(mary, hers))).toBe('not-your-turn');
    await approve(john, await shown(john, request));
    expect((await approve(mary, await shown(mary, request, MARY))).session).toBe('signed');
  });

  test('again after success, from another device of the person too: the same answer, one signature', async () => {
    const second = await gateway.deviceFor(JOHN);
    const request = await gateway.submit([JOHN], { level: 'standard' });
    const seen = await shown(john, request);
    await approve(john, seen);
    expect((await approve(john, seen)).session).toBe('signed');
    expect((await approve(second, seen)).session).toBe('signed');
    expect((await gateway.requests.find(request.id))!.documents[0]!.revisions).toHaveLength(2);
  });
});

describe('refused', () => {
  test('A4 by the device, when the gateway asks to approve another document than was shown', async () => {
    let lie: (data: string) => string = data => data;
    const hostile = await startGateway({
      tamperQuestion: ({ nonce, data }) => ({ nonce, data: utf8(lie(Buffer.from(data).toString())) }),
    });
    const device = await hostile.deviceFor(JOHN);
    const request = await hostile.submit([JOHN], { level: 'standard' });
    const seen = await shown(device, request, JOHN, hostile);
    const lies: ((data: string) => string)[] = [
      data => data.replace(/SHA-256 [0-9a-f]{64}/, `SHA-256 ${'0'.repeat(64)}`),
      data => `${data}Document: SHA-256 ${'1'.repeat(64)} Another.pdf\r\n`,
      data => data.replace('John Doe', 'Mary Smith'),
      data => data.replace('our contract', 'everything'),
      data => data.replace(`Place: ${PLACE}`, 'Place: Rome'),
      () => '',
    ];
    for (const one of lies) {
      lie = one;
      await expect(approve(device, seen), one.toString()).rejects.toBeInstanceOf(Tampered);
    }
    const { state, sessions } = (await hostile.requests.find(request.id))!;
    expect([state, sessions[0]!.state]).toEqual(['open', 'open']);
    lie = data => data;
    expect((await approve(device, seen)).session).toBe('signed');
    await hostile.close();
  });

  test('by the gateway, when the device holds a document that is none of the request', async () => {
    const request = await gateway.submit([JOHN], { level: 'standard' });
    const seen = await shown(john, request);
    const other = { ...seen, documents: [Buffer.concat([seen.documents[0]!, Buffer.from(' ')])] };
    expect(await problem(approve(john, other))).toBe('bad-approval');
    expect(await problem(approve(john, { ...seen, documents: [] }))).toBe('bad-approval');
  });

  test('five wrong answers end the tries, of this session alone', async () => {
    const store = memoryStore();
    await gateway.deviceFor(JOHN, { store });
    await withWrongKey(store);
    const device = await SignpostDevice.open({ origin: gateway.url, store });
    const request = await gateway.submit([JOHN], { level: 'standard' });
    const seen = await shown(device, request);
    for (let answer = 1; answer <= 5; answer++) expect(await problem(approve(device, seen))).toBe('bad-approval');
    expect(await problem(approve(device, seen))).toBe('no-more-tries');
    expect(await problem(approve(john, seen))).toBe('no-more-tries');
    const another = await gateway.submit([JOHN], { level: 'standard' });
    expect((await approve(john, await shown(john, another))).session).toBe('signed');
  });

  test('the way of another level', async () => {
    const standard = await gateway.submit([JOHN], { level: 'standard' });
    const seen = await shown(john, standard);
    expect(await problem(john.sign(seen.token, seen.view, seen.documents))).toBe('not-open');
    const advanced = await gateway.submit([JOHN]);
    expect(await problem(approve(john, await shown(john, advanced)))).toBe('not-open');
  });

  test('another token key on a device that has one', async () => {
    const device = (await gateway.devices.listForPerson(JOHN.id)).at(-1)!;
    await expect(gateway.devices.setTokenKey(device.id, randomBytes(32))).rejects.toMatchObject({
      reason: 'token-refused',
    });
  });
});

describe('the token key', () => {
  test('is made at enrolment, sent once, and stands nowhere in the clear', async () => {
    const store = memoryStore();
    const device = await gateway.deviceFor(JOHN, { store });
    const { token } = store.memory.device!;
    expect(token!.unsent).toBeNull();
    const bytes = Buffer.from(await crypto.subtle.exportKey('raw', token!.key));
    expect(bytes).toHaveLength(32);
    const request = await gateway.submit([JOHN], { level: 'standard' });
    await approve(device, await shown(device, request));
    const kept = gateway.dump() + gateway.logLines.join('');
    for (const form of ['hex', 'base64', 'base64url'] as const) expect(kept).not.toContain(bytes.toString(form));
  });

  test('of a device that has none yet is made when it is needed', async () => {
    const store = memoryStore();
    const device = await gateway.deviceFor(JOHN, {
      store,
      environment: {
        sleep: async () => undefined,
        fetch: (input, init) =>
          String(input).endsWith('/device/token') ? Promise.reject(new TypeError('offline')) : fetch(input, init),
      },
    });
    expect(device.enrolled?.person.name).toBe('John Doe');
    const { unsent } = store.memory.device!.token!;
    expect(unsent).toHaveLength(32);
    const online = await SignpostDevice.open({ origin: gateway.url, store });
    const request = await gateway.submit([JOHN], { level: 'standard' });
    expect((await approve(online, await shown(online, request))).session).toBe('signed');
    expect(store.memory.device!.token!.unsent).toBeNull();
  });
});

/** As if somebody had copied the authentication key alone. */
async function withWrongKey(store: ReturnType<typeof memoryStore>): Promise<void> {
  const device = store.memory.device!;
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', randomBytes(32), hmac, true, ['sign']);
  await (store as DeviceStore).save({ ...store.memory, device: { ...device, token: { key, unsent: null } } });
}
