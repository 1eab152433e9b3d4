/** Standard in the engine: questions and answers, the seal alone, and the token key at rest. */
import { createHmac, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Mark } from '../../../src/documents/strokes.ts';
import { TimestampUnavailable } from '../../../src/pki/pki.ts';
import type { Request } from '../../../src/requests/model.ts';
import { Conflict, type ConflictReason } from '../../../src/requests/requests.ts';
import { unwrapTokenKey, wrapTokenKey } from '../../../src/requests/token-key.ts';
import { type Phone, submission, text, World } from './world.ts';

const SIGNATURE: Mark = { kind: 'typed', text: 'John' };
const ORIGIN = { userIp: '192.0.2.7', clientId: 'sign.company.test', clientIp: '192.0.2.1', call: Buffer.from('call') };
const random = (size: number) => randomBytes(size);

let world: World;
let john: Phone;
let token: Buffer;
beforeEach(async () => {
  world = await World.open();
  john = await world.phone('john');
  token = randomBytes(32);
  await world.devices.setTokenKey(john.device.id, token);
});
afterEach(() => world.close());

const session = (request: Request, person = 'john') => request.sessions.find(({ party }) => party.personId === person)!;

async function ask(request: Request, phone = john, place: string | null = null) {
  const documents = request.documents.map(({ head }) => head!);
  return world.requests.askApproval(session(request, phone.device.personId).id, phone.device, { documents, place });
}

type Question = Awaited<ReturnType<typeof ask>>;

function answer(request: Request, question: Question, phone = john, key: Uint8Array = token) {
  const hmac = createHmac('sha256', key).update(question.nonce).update(question.data).digest();
  const approval = { nonce: question.nonce, hmac, signature: SIGNATURE, paraph: null, utcOffset: 120, assertion: null };
  return world.requests.approve(session(request, phone.device.personId).id, phone.device, approval, ORIGIN);
}

async function conflict(work: Promise<unknown>): Promise<ConflictReason | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof Conflict) return error.reason;
    throw error;
  }
}

const standard = () => world.opened({ level: 'standard' });

describe('a question', () => {
  test('is answered once, for five minutes, by the device that asked, with the newest nonce', async () => {
    const request = await standard();
    const first = await ask(request);
    const second = await ask(request);
    expect(Buffer.from(first.nonce).equals(Buffer.from(second.nonce))).toBe(false);
    expect(await conflict(answer(request, first))).toBe('turn-lost');
    world.pass(5 * 60_000);
    expect(await conflict(answer(request, second))).toBe('turn-lost');
    const third = await ask(request);
    const other = await world.phone('john', 'second-of-john');
    await world.devices.setTokenKey(other.device.id, token);
    expect(await conflict(answer(request, third, other))).toBe('turn-lost');
    expect((await answer(request, third)).state).toBe('signed');
    expect((await answer(request, third)).state).toBe('signed');
  });

  test('may be about an earlier revision that the device read, never about anything else', async () => {
    const request = await standard();
    const jane = await world.phone('jane');
    await world.devices.setTokenKey(jane.device.id, token);
    expect((await answer(request, await ask(request, jane), jane)).state).toBe('signed');
    // John's device still holds the first revision.
    expect((await answer(request, await ask(request))).state).toBe('signed');
    const { documents } = await world.fresh(request);
    expect(text(await world.store.blobs.get(documents[0]!.head!))).toMatch(/approved Jane\napproved John$/);
    const another = await standard2();
    const documentsOfOthers = [documents[0]!.head!];
    const asked = world.requests.askApproval(session(another).id, john.device, {
      documents: documentsOfOthers,
      place: null,
    });
    expect(await conflict(asked)).toBe('bad-approval');
  });

  test.each(['certificateHold', 'keyCompromise'] as const)(
    'goes to no device whose certificate is under %s; a question that was asked before is not answered',
    async reason => {
      const request = await standard();
      const question = await ask(request);
      await world.registry.revoke(john.serial, reason);
      expect(await conflict(answer(request, question))).toBe('no-certificate');
      expect(await conflict(ask(request))).toBe('no-certificate');
      expect(session(await world.fresh(request)).state).toBe('open');
      const own = await world.phone('john', 'second-of-john');
      await world.devices.setTokenKey(own.device.id, token);
      expect((await answer(request, await ask(request, own), own)).state).toBe('signed');
    },
  );

  test('goes to nobody without a token key, nor to another person', async () => {
    const request = await standard();
    const bare = await world.phone('john', 'bare');
    expect(await conflict(ask(request, bare))).toBe('no-token');
    const carl = await world.phone('carl');
    const asked = world.requests.askApproval(session(request).id, carl.device, { documents: [], place: null });
    expect(await conflict(asked)).toBe('not-open');
  });
});

describe('an answer', () => {
  test('with a wrong HMAC counts; five end the tries, in whatever order they come', async () => {
    const request = await standard();
    const question = await ask(request);
    const wrong = () => conflict(answer(request, question, john, randomBytes(32)));
    expect(await Promise.all([wrong(), wrong(), wrong()])).toEqual(Array(3).fill('bad-approval'));
    expect(session(await world.fresh(request)).wrongAnswers).toBe(3);
    await wrong();
    expect(await wrong()).toBe('bad-approval');
    expect(await conflict(answer(request, question))).toBe('no-more-tries');
    expect(await conflict(ask(request))).toBe('no-more-tries');
    // The other signatory's tries are their own.
    const jane = await world.phone('jane');
    await world.devices.setTokenKey(jane.device.id, token);
    expect((await answer(request, await ask(request, jane), jane)).state).toBe('signed');
  });

  test('changes nothing when no timestamp can be had, and is good later', async () => {
    await world.close();
    let down = true;
    world = await World.open(deps => ({
      ...deps,
      sealEvidence: (...args) => (down ? Promise.reject(new TimestampUnavailable('down')) : deps.sealEvidence(...args)),
    }));
    john = await world.phone('john');
    await world.devices.setTokenKey(john.device.id, token);
    const request = await standard();
    const question = await ask(request);
    await expect(answer(request, question)).rejects.toBeInstanceOf(TimestampUnavailable);
    expect(session(await world.fresh(request)).state).toBe('open');
    down = false;
    expect((await answer(request, question)).state).toBe('signed');
  });

  test('with its evidence, and mails as at any level', async () => {
    const request = await standard();
    const jane = await world.phone('jane');
    await world.devices.setTokenKey(jane.device.id, token);
    await answer(request, await ask(request, john, 'Trier'), john);
    await answer(request, await ask(request, jane), jane);
    await world.runJobs();
    const done = await world.fresh(request);
    expect(done.state).toBe('finished');
    const evidence = await world.requests.readEvidence(session(done));
    expect(evidence?.fault).toBeNull();
    expect(text(evidence!.seal)).toContain('sealed ');
    expect(text(evidence!.call)).toBe('call');
    expect(await world.requests.readEvidence(session(request))).toBeNull();
    expect(await world.mails(request)).toEqual([
      'accepted mary',
      'finished carl',
      'finished jane',
      'finished john',
      'finished mary',
      'please-sign jane',
      'please-sign john',
      'signed-by-one mary',
    ]);
  });
});

describe('the company seal alone', () => {
  test('closes at once: no session, no acknowledgement, the result to sender and copies', async () => {
    const request = await world.opened({ level: 'seal', levelIsDefault: false, signatories: [] });
    expect(request).toMatchObject({ state: 'finished', sessions: [] });
    expect(text(await world.requests.readFinished(request, 0))).toMatch(/closed$/);
    expect(await world.mails(request)).toEqual(['finished carl', 'finished mary']);
    expect(await world.store.jobs.lease(10, 1, new Date(8e15))).toEqual([]);
  });

  test('of a document that can not be sealed: the sender is told', async () => {
    await world.close();
    const { DocumentRefused } = await import('../../../src/documents/documents.ts');
    world = await World.open(deps => ({
      ...deps,
      documents: {
        ...deps.documents,
        prepare: () => Promise.reject(new DocumentRefused('damaged', 'test')),
      },
    }));
    const request = await world.opened({ level: 'seal', signatories: [] });
    expect(request.state).toBe('failed');
    expect(await world.mails(request)).toEqual(['failed mary']);
  });
});

describe('a token key at rest', () => {
  const secret = randomBytes(32);
  const key = randomBytes(32);

  test('is bound to its device and to the secret, and never wrapped twice the same way', () => {
    const wrapped = wrapTokenKey(secret, 'D1', key, random);
    expect(Buffer.from(unwrapTokenKey(secret, 'D1', wrapped)).equals(key)).toBe(true);
    expect(wrapTokenKey(secret, 'D1', key, random)).not.toBe(wrapped);
    expect(() => unwrapTokenKey(secret, 'D2', wrapped)).toThrow();
    expect(() => unwrapTokenKey(randomBytes(32), 'D1', wrapped)).toThrow();
    const bytes = Buffer.from(wrapped, 'base64url');
    for (const at of [0, 12, 40, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1;
      expect(() => unwrapTokenKey(secret, 'D1', changed.toString('base64url'))).toThrow();
    }
    for (const length of [0, 12, 27]) {
      expect(() => unwrapTokenKey(secret, 'D1', bytes.subarray(0, length).toString('base64url'))).toThrow();
    }
  });

  test('is sent once: the same again changes nothing, another is refused, an ended device has none', async () => {
    await world.devices.setTokenKey(john.device.id, token);
    expect(await conflict(world.devices.setTokenKey(john.device.id, randomBytes(32)))).toBe('token-refused');
    expect(await conflict(world.devices.setTokenKey(john.device.id, randomBytes(31)))).toBe('token-refused');
    const ended = await world.phone('jane');
    await world.devices.end(ended.device.id, 'revoked');
    expect(await conflict(world.devices.setTokenKey(ended.device.id, token))).toBe('token-refused');
  });
});

async function standard2(): Promise<Request> {
  const changes = submission({
    level: 'standard',
    key: 'b'.repeat(64),
    documents: [{ name: 'b', bytes: Buffer.from('B') }],
  });
  return world.opened(changes);
}
