/** The device against the real gateway: enrol, look, sign, reject; and against one that lies, is slow or goes away. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Environment, Unreachable } from '../../../src/client/connection.ts';
import { AnswerRefused, NotEnrolled, Problem, SignpostDevice, Tampered } from '../../../src/client/device.ts';
import { exportPublicKey, generateKeys } from '../../../src/client/keys.ts';
import type { Grant } from '../../../src/client/protocol.ts';
import { type Gateway, JOHN, MARY, memoryStore, startGateway } from '../http/gateway.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway?.close());

const withoutWaiting: Partial<Environment> = { sleep: async () => undefined };

/** A fetch that answers as `change` says for requests that fit. */
function interceptor(
  fits: (url: string, method: string) => boolean,
  change: (send: () => Promise<Response>) => Promise<Response>,
): Partial<Environment> {
  return {
    ...withoutWaiting,
    fetch: (input, init) => {
      const send = (): Promise<Response> => fetch(input, init);
      return fits(String(input), init?.method ?? 'GET') ? change(send) : send();
    },
  };
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  );
}

describe('the whole way', () => {
  test('enrol with a code, look, sign two documents in one approval; again changes nothing', async () => {
    const request = await gateway.submit([JOHN], { documents: 2 });
    const device = await gateway.deviceFor(JOHN);
    expect(device.enrolled?.person).toEqual({ name: 'John Doe', mail: 'john.doe@company.com' });
    const [waiting] = await device.waiting();
    const token = waiting!.link;
    expect(token).toBe(gateway.tokenOf(request, JOHN));

    const view = await device.view(token);
    expect(view).toMatchObject({
      request: request.id,
      company: 'Company Ltd',
      session: 'open',
      sender: { name: 'Paul Archer' },
      you: { name: 'John Doe' },
      rejectionComment: 'optional',
    });
    const progress: number[] = [];
    const documents = await device.download(token, view, received => progress.push(received));
    expect(documents.map(one => createHash('sha256').update(one).digest('hex'))).toEqual(
      view.documents.map(({ sha256 }) => sha256),
    );
    expect(progress.at(-1)).toBe(documents[0]!.length + documents[1]!.length);

    const steps: string[] = [];
    const after = await device.sign(token, view, documents, step => steps.push(step));
    expect(after.session).toBe('signed');
    expect(steps).toEqual(['certificate', 'turn', 'checking', 'sending']);
    expect((await device.sign(token, view, documents)).session).toBe('signed');
    expect(await device.waiting()).toEqual([]);
    const finished = await gateway.until(request.id, ({ state }) => state === 'finished');
    expect(finished.sessions[0]).toMatchObject({ state: 'signed', deviceId: device.enrolled?.deviceId });
  });

  test('what another signed between review and press is checked and accepted, without a second press', async () => {
    const request = await gateway.submit([JOHN, MARY]);
    const john = await gateway.deviceFor(JOHN);
    const mary = await gateway.deviceFor(MARY);
    const [johns, marys] = [gateway.tokenOf(request, JOHN), gateway.tokenOf(request, MARY)];
    const view = await john.view(johns);
    const documents = await john.download(johns, view);
    const hers = await mary.view(marys);
    await mary.sign(marys, hers, await mary.download(marys, hers));
    const after = await john.sign(johns, view, documents);
    expect(after.signatories.map(({ state, you }) => [state, you])).toEqual([
      ['signed', true],
      ['signed', false],
    ]);
  });

  test('two who press at the same moment both sign', async () => {
    const request = await gateway.submit([JOHN, MARY]);
    const states = await Promise.all(
      [JOHN, MARY].map(async who => {
        const device = await gateway.deviceFor(who, {
          environment: { sleep: ms => new Promise(r => setTimeout(r, ms / 10)) },
        });
        const token = gateway.tokenOf(request, who);
        const view = await device.view(token);
        return (await device.sign(token, view, await device.download(token, view))).session;
      }),
    );
    expect(states).toEqual(['signed', 'signed']);
  });

  test('a double press, and two devices of one person at once: one signature, the same answer', async () => {
    const request = await gateway.submit([JOHN, MARY]);
    const environment = { sleep: (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms / 10)) };
    const [phone, desk] = [
      await gateway.deviceFor(JOHN, { environment }),
      await gateway.deviceFor(JOHN, { environment }),
    ];
    const token = gateway.tokenOf(request, JOHN);
    const view = await phone.view(token);
    const documents = await phone.download(token, view);
    const afters = await Promise.all([phone, phone, desk].map(device => device.sign(token, view, documents)));
    expect(afters.map(({ session }) => session)).toEqual(['signed', 'signed', 'signed']);
    const after = await gateway.requests.find(request.id);
    // The first revision, and one signature on it.
    expect(after?.documents[0]?.revisions?.length).toBe(2);
  });

  test('reject with a comment ends it for everybody; repeating it is the same answer', async () => {
    const request = await gateway.submit([JOHN, MARY]);
    const john = await gateway.deviceFor(JOHN);
    const mary = await gateway.deviceFor(MARY);
    const token = gateway.tokenOf(request, JOHN);
    const first = await john.reject(token, '  Wrong\u202e amount\u0007 ');
    expect(first).toMatchObject({ session: 'rejected', state: 'rejected', comment: 'Wrong amount' });
    expect(await john.reject(token, 'Wrong amount')).toEqual(first);
    const hers = await mary.view(gateway.tokenOf(request, MARY));
    expect(hers).toMatchObject({ session: 'closed', comment: 'Wrong amount' });
    const documents = await mary.download(gateway.tokenOf(request, MARY), hers);
    const late = mary.sign(gateway.tokenOf(request, MARY), hers, documents);
    expect(await rejection(late)).toMatchObject({ type: 'not-open' });
  });

  test('a superseded certificate is renewed inside the flow, and the device itself goes on', async () => {
    const store = memoryStore();
    const device = await gateway.deviceFor(JOHN, { store });
    for (let round = 0; round < 2; round++) {
      const token = gateway.tokenOf(await gateway.submit([JOHN]), JOHN);
      const view = await device.view(token);
      expect((await device.sign(token, view, await device.download(token, view))).session).toBe('signed');
      await gateway.pki.ca.revoke(store.memory.device!.signing!.serial, 'superseded');
    }
    const records = await gateway.pki.ca.listForDevice(device.enrolled!.deviceId);
    expect(records.length).toBe(2);
  });

  test('setting up again in the same browser retires the device before; others stay', async () => {
    const store = memoryStore();
    const other = await gateway.deviceFor(JOHN);
    const first = await gateway.deviceFor(JOHN, { store });
    const second = await gateway.deviceFor(JOHN, { store });
    expect(await gateway.devices.find(first.enrolled!.deviceId)).toMatchObject({ state: 'retired' });
    expect((await second.info()).id).toBe(second.enrolled!.deviceId);
    expect((await other.info()).id).toBe(other.enrolled!.deviceId);
    await gateway.devices.end(second.enrolled!.deviceId, 'revoked');
    expect(await rejection(second.info())).toMatchObject({ type: 'not-found' });
    const third = await gateway.deviceFor(JOHN, { store });
    expect((await third.info()).person.name).toBe('John Doe');
    // Another person on the same browser: John's device is not theirs to retire.
    const marys = await gateway.deviceFor(MARY, { store });
    expect((await marys.info()).person.name).toBe('Mary Smith');
    expect(await gateway.devices.find(third.enrolled!.deviceId)).toMatchObject({ state: 'active' });
  });

  test('a device that its person removes can do nothing any more', async () => {
    const store = memoryStore();
    const device = await gateway.deviceFor(JOHN, { store });
    const id = device.enrolled!.deviceId;
    const copy = await SignpostDevice.open({
      origin: gateway.url,
      store: { ...store, load: async () => store.memory },
    });
    const token = gateway.tokenOf(await gateway.submit([JOHN]), JOHN);
    await device.remove();
    expect(device.enrolled).toBeNull();
    expect(await rejection(device.view(token))).toBeInstanceOf(NotEnrolled);
    expect(await rejection(copy.view(token))).toMatchObject({ type: 'not-found' });
    expect(await gateway.devices.find(id)).toMatchObject({ state: 'retired' });
  });
});

describe('faults on the way', () => {
  test('every answer of a change lost once: signed once all the same', async () => {
    const request = await gateway.submit([JOHN]);
    const lost = new Set<string>();
    const environment = interceptor(
      (url, method) => method === 'POST' && !lost.has(url) && Boolean(lost.add(url)),
      async send => {
        await (await send()).arrayBuffer();
        throw new TypeError('network');
      },
    );
    const device = await gateway.deviceFor(JOHN, { environment });
    const token = gateway.tokenOf(request, JOHN);
    const view = await device.view(token);
    expect((await device.sign(token, view, await device.download(token, view))).session).toBe('signed');
    expect([...lost].map(url => new URL(url).pathname.split('/').at(-1))).toEqual([
      'enrolment',
      'token',
      'certificates',
      'turn',
      'signature',
    ]);
    expect((await gateway.pki.ca.listForDevice(device.enrolled!.deviceId)).length).toBe(1);
  });

  test('a phone whose clock is a day off works', async () => {
    const now = (): Date => new Date(Date.now() - 86_400_000);
    const store = memoryStore();
    await gateway.deviceFor(JOHN, { store, environment: { now } });
    // As after a reload: nothing is known about the clock yet.
    const device = await SignpostDevice.open({ origin: gateway.url, store, environment: { now } });
    expect((await device.info()).person.name).toBe('John Doe');
  });

  test('D4 nor does it matter while another device is asked, after a reload', async () => {
    await gateway.deviceFor(MARY);
    const environment = { now: () => new Date(Date.now() - 3 * 3_600_000) };
    const store = memoryStore();
    const open = () => SignpostDevice.open({ origin: gateway.url, store, environment });
    const device = await open();
    const code = await gateway.codeFor(device, MARY);
    expect(await device.enrol({ address: MARY.mail, code, link: null, name: 'New', kind: 'browser' })).toMatchObject({
      state: 'waiting',
    });
    expect(await (await open()).enrolment()).toMatchObject({ state: 'waiting' });
  });

  test('a gateway that was exchanged, or a proxy that answers, is never believed', async () => {
    const store = memoryStore();
    await gateway.deviceFor(JOHN, { store });
    const { device } = store.memory;
    const open = (environment: Partial<Environment>) =>
      SignpostDevice.open({ origin: gateway.url, store, environment });
    const fits = (url: string): boolean => url.endsWith('/api/device');
    const changed = async (make: (body: string, headers: Headers) => Response): Promise<unknown> => {
      const environment = interceptor(fits, async send => {
        const response = await send();
        return make(await response.text(), new Headers(response.headers));
      });
      return rejection((await open(environment)).info());
    };
    const refusals = [
      await changed((body, headers) => new Response(body.replace('John', 'Jack'), { headers })),
      await changed((body, headers) => new Response(body, { headers, status: 201 })),
      await changed(body => new Response(body)),
      await changed(() => new Response('<html>Log in to the Wi-Fi</html>')),
    ];
    for (const refusal of refusals) expect(refusal).toBeInstanceOf(AnswerRefused);
    expect(await changed(() => new Response('Bad gateway', { status: 502 }))).toBeInstanceOf(Unreachable);

    // An answer to one request can't stand for another.
    let kept: Response | null = null;
    const replaying = await open(
      interceptor(fits, async send => {
        const response = await send();
        const old = kept;
        kept = response.clone();
        return old ?? response;
      }),
    );
    await replaying.info();
    expect(await rejection(replaying.info())).toBeInstanceOf(AnswerRefused);

    const gatewayKey = await exportPublicKey((await generateKeys(false)).publicKey);
    store.memory = { pending: null, device: { ...device!, enrolled: { ...device!.enrolled, gatewayKey } } };
    expect(await rejection((await open({})).info())).toBeInstanceOf(AnswerRefused);
  });

  test('A4: a document that isn’t the one that was shown is not signed', async () => {
    const request = await gateway.submit([JOHN]);
    const device = await gateway.deviceFor(JOHN);
    const token = gateway.tokenOf(request, JOHN);
    const view = await device.view(token);
    const [document] = await device.download(token, view);
    const shown = document!.slice();
    shown[shown.length - 600]! ^= 1;
    expect(await rejection(device.sign(token, view, [shown]))).toBeInstanceOf(Tampered);
    expect(await rejection(device.sign(token, view, [shown.subarray(0, 400)]))).toBeInstanceOf(Tampered);
    const elsewhere = view.documents.map(one => ({ ...one, field: { name: 'Other', object: 1 } }));
    expect(await rejection(device.sign(token, { ...view, documents: elsewhere }, [document!]))).toBeInstanceOf(
      Tampered,
    );
    const nowhere = view.documents.map(one => ({ ...one, field: null }));
    expect(await rejection(device.sign(token, { ...view, documents: nowhere }, [document!]))).toBeInstanceOf(Tampered);
    const another = { ...view, you: { ...view.you, name: 'Jack Doe' } };
    expect(await rejection(device.sign(token, another, [document!]))).toBeInstanceOf(Tampered);
    expect((await device.view(token)).session).toBe('open');
  });

  test('a code that is wrong, another person’s link, or too many documents: refused in words', async () => {
    const request = await gateway.submit([MARY]);
    const device = await SignpostDevice.open({ origin: gateway.url, store: memoryStore() });
    const refused = await rejection(
      device.enrol({ address: JOHN.mail, code: '000000', link: null, name: 'x', kind: 'browser' }),
    );
    expect(refused).toBeInstanceOf(Problem);
    expect(refused).toMatchObject({ type: 'enrolment-refused', status: 403 });
    expect(device.enrolled).toBeNull();
    const john = await gateway.deviceFor(JOHN);
    const token = gateway.tokenOf(request, MARY);
    expect(await rejection(john.view(token))).toMatchObject({ type: 'not-found' });
    expect(await rejection(john.reject(token, null))).toMatchObject({ type: 'not-found' });
  });
});

test('A4: a gateway that asks to sign anything but what was shown gets no signature', async () => {
  const flip = (bytes: Uint8Array, at: number): Uint8Array => bytes.with(at, bytes.at(at)! ^ 1);
  const first = (grant: Grant, change: Partial<Grant['documents'][number]>): Grant => ({
    ...grant,
    documents: [{ ...grant.documents[0]!, ...change }],
  });
  const attacks: Readonly<Record<string, (grant: Grant) => Grant>> = {
    'another digest': grant => first(grant, { signedAttributes: flip(grant.documents[0]!.signedAttributes, -50) }),
    'another certificate': grant => first(grant, { signedAttributes: flip(grant.documents[0]!.signedAttributes, -1) }),
    'a changed increment': grant => first(grant, { appended: flip(grant.documents[0]!.appended, 60) }),
    'bytes after the end': grant =>
      first(grant, { appended: Buffer.concat([grant.documents[0]!.appended, Buffer.from(' ')]) }),
    'another ByteRange': grant => first(grant, { byteRange: [0, 1, 2, 3] }),
    'another document': grant => first(grant, { known: 0 }),
    'another time': grant => ({ ...grant, signingTime: new Date(grant.signingTime.getTime() - 86_400_000) }),
    'no document': grant => ({ ...grant, documents: [] }),
    'one document more': grant => ({ ...grant, documents: [...grant.documents, ...grant.documents] }),
  };
  let attack: ((grant: Grant) => Grant) | null = null;
  const hostile = await startGateway({ tamper: grant => attack?.(grant) ?? grant });
  try {
    const request = await hostile.submit([JOHN]);
    const device = await hostile.deviceFor(JOHN);
    const token = hostile.tokenOf(request, JOHN);
    const view = await device.view(token);
    const documents = await device.download(token, view);
    for (const [name, one] of Object.entries(attacks)) {
      attack = one;
      expect(await rejection(device.sign(token, view, documents)), name).toBeInstanceOf(Tampered);
    }
    expect((await hostile.requests.find(request.id))?.sessions[0]?.state).toBe('open');
    attack = null;
    expect((await device.sign(token, view, documents)).session).toBe('signed');
  } finally {
    await hostile.close();
  }
});
