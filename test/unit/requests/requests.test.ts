/** A request's way through the engine, on the real store. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Person } from '../../../src/directory/directory.ts';
import { DocumentRefused } from '../../../src/documents/documents.ts';
import type { Deps } from '../../../src/requests/deps.ts';
import { createRequests } from '../../../src/requests/engine.ts';
import type { Session } from '../../../src/requests/model.ts';
import { Conflict, TooManyRequests } from '../../../src/requests/requests.ts';
import { DAY, documents, PEOPLE, signatures, submission, text, World } from './world.ts';

const [mary, john, , carl] = PEOPLE as [Person, Person, Person, Person];

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

const conflict = (reason: string) => expect.objectContaining({ name: 'Conflict', reason });

describe('opening', () => {
  test('keeps documents, request, sessions, jobs and the acknowledgement before it returns', async () => {
    const { request, created } = await world.requests.open(submission());
    expect(created).toBe(true);
    expect(request.id).toMatch(/^[0-9A-HJKMNP-TV-Z]{12}$/);
    expect(request).toMatchObject({
      state: 'preparing',
      version: 1,
      expiresAt: new Date(world.now.getTime() + 7 * DAY),
    });
    expect(request.sessions.map(({ state, title }) => [state, title])).toEqual([
      ['waiting', 'Buyer'],
      ['waiting', undefined],
    ]);
    for (const { id } of request.sessions) expect(id).toMatch(/^[A-Za-z0-9]{16}$/);
    expect(await world.fresh(request)).toEqual(request);
    expect(text(await world.store.blobs.get(request.documents[0]!.original))).toBe('PDF');
    expect(await world.mails(request)).toEqual(['accepted mary']);
    expect(world.wakes).toBe(1);
    const [prepare] = await world.store.jobs.lease(9, 1000, world.now);
    expect(prepare).toMatchObject({ kind: 'prepare', requestId: request.id });
    expect(await world.store.jobs.lease(9, 1000, request.expiresAt)).toContainEqual(
      expect.objectContaining({ kind: 'expire' }),
    );
  });

  test('the same submission twenty times at once is one request', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => world.requests.open(submission())));
    expect(all.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(all.map(({ request }) => request.id)).size).toBe(1);
    expect(await world.requests.list({ ended: false })).toHaveLength(1);
    expect(await world.mails(all[0]!.request)).toEqual(['accepted mary']);
  });

  test('the same submission after its request has ended is still that request', async () => {
    const { request } = await world.requests.open(submission());
    await world.requests.cancel(request.id);
    expect(await world.requests.open(submission())).toMatchObject({ created: false, request: { state: 'cancelled' } });
  });

  test('one more than the limit is refused, a repetition is not', async () => {
    await world.close();
    world = await World.open(deps => ({
      ...deps,
      config: { ...deps.config, requests: { ...deps.config.requests, maxPendingPerSender: 2 } },
    }));
    const first = await world.requests.open(submission({ key: '1' }));
    await world.requests.open(submission({ key: '2' }));
    await expect(world.requests.open(submission({ key: '3' }))).rejects.toThrow(TooManyRequests);
    expect((await world.requests.open(submission({ key: '1' }))).created).toBe(false);
    expect((await world.requests.open(submission({ key: '4', sender: john }))).created).toBe(true);
    await world.requests.cancel(first.request.id);
    expect((await world.requests.open(submission({ key: '3' }))).created).toBe(true);
  });

  const limited = (limits: Partial<Deps['config']['requests']>) => (deps: Deps) => ({
    ...deps,
    config: { ...deps.config, requests: { ...deps.config.requests, ...limits } },
  });

  test('so many of one sender may wait for one person; others, and oneself, are asked all the same', async () => {
    await world.close();
    world = await World.open(limited({ maxPendingPerPair: 1 }));
    await world.requests.open(submission({ key: '1', signatories: [john] }));
    const again = world.requests.open(submission({ key: '2', signatories: [carl, john] }));
    await expect(again).rejects.toMatchObject({ limit: 'per-pair', personId: john.id });
    for (const key of ['3', '4']) await world.requests.open(submission({ key, signatories: [mary] }));
    await world.requests.open(submission({ key: '5', signatories: [carl] }));
    await world.requests.open(submission({ key: '6', sender: carl, signatories: [john] }));
  });

  test('so many a day, however many have ended; the next day it is possible again', async () => {
    await world.close();
    world = await World.open(limited({ maxPerDay: 2 }));
    for (const key of ['1', '2']) {
      const { request } = await world.requests.open(submission({ key }));
      await world.requests.cancel(request.id);
    }
    await expect(world.requests.open(submission({ key: '3' }))).rejects.toMatchObject({ limit: 'per-day' });
    world.pass(DAY);
    expect((await world.requests.open(submission({ key: '3' }))).created).toBe(true);
  });

  test('of twenty that come in at once, as many are opened as the limit says', async () => {
    await world.close();
    world = await World.open(limited({ maxPendingPerSender: 5 }));
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => world.requests.open(submission({ key: `${index}` }))),
    );
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
  });

  test('a deadline beyond the longest allowed is cut to it', async () => {
    const { request } = await world.requests.open(submission({ expiresAt: new Date(world.now.getTime() + 99 * DAY) }));
    expect(request.expiresAt).toEqual(new Date(world.now.getTime() + 30 * DAY));
  });
});

describe('preparing', () => {
  test('lays down the first revision and asks everybody', async () => {
    const request = await world.opened();
    expect(request).toMatchObject({ state: 'open', version: 2, documents: [{ pages: 3 }] });
    expect(text(await world.requests.readHead(request, 0))).toBe('PDF\nfirst advanced John,Jane');
    expect(request.documents[0]!.revisions).toEqual([
      { length: request.documents[0]!.headLength, blob: request.documents[0]!.head },
    ]);
    expect(await world.mails(request)).toEqual(['accepted mary', 'please-sign jane', 'please-sign john']);
  });

  test('each link leads to its own session, and only the mail holds it', async () => {
    const request = await world.opened();
    for (const [index, who] of ['john', 'jane'].entries()) {
      const { link } = (await world.mail('please-sign', who, request.id))!;
      const token = link!.slice('https://sign.company.test/s/'.length);
      expect(token).toMatch(/^[A-Za-z0-9_-]{27}$/);
      expect(token).toBe(world.requests.linkToken(request.sessions[index]!));
      expect(await world.requests.findByLink(token)).toEqual({ request, session: request.sessions[index] });
      expect(JSON.stringify(request)).not.toContain(token);
      expect(world.log.join('')).not.toContain(token);
      expect(await world.requests.findByLink(`${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`)).toBeNull();
    }
    expect(await world.requests.findByLink(request.sessions[0]!.linkHash)).toBeNull();
    expect(await world.requests.findByLink(request.sessions[0]!.id)).toBeNull();
    expect(await world.requests.waitingFor('john')).toEqual([{ request, session: request.sessions[0] }]);
    expect(await world.requests.waitingFor('mary')).toEqual([]);
  });

  test('a refused document fails the request and tells the sender why', async () => {
    const refusing = {
      ...documents,
      prepare: () => Promise.reject(new DocumentRefused('xfa', 'has an XFA form')),
    };
    const { request } = await world.requests.open(submission());
    await world.runJobs({ ...world.deps, documents: refusing });
    expect(await world.fresh(request)).toMatchObject({
      state: 'failed',
      endedAt: world.now,
      sessions: [{ state: 'closed' }, { state: 'closed' }],
    });
    expect(await world.mails(request)).toEqual(['accepted mary', 'failed mary']);
    expect(await world.mail('failed', 'mary', request.id)).toMatchObject({ reason: 'xfa' });
    world.pass(31 * DAY);
    expect(await world.store.jobs.lease(9, 1000, world.now)).toEqual([]);
  });
});

describe('signing', () => {
  test('one after the other in parallel mode: both signatures, then closed, then mailed to every party once', async () => {
    const request = await world.opened({ copies: [carl, john] });
    const [one, two] = request.sessions as [Session, Session];
    expect(await world.sign(two, await world.phone('jane'))).toMatchObject({
      state: 'signed',
      deviceId: 'device-of-jane',
      endedAt: world.now,
    });
    expect(await world.fresh(request)).toMatchObject({ state: 'open', turn: null });
    await world.sign(one, await world.phone('john'));
    expect(await world.fresh(request)).toMatchObject({ state: 'closing' });
    await world.runJobs();
    const finished = await world.fresh(request);
    expect(finished).toMatchObject({ state: 'finished', endedAt: world.now });
    const result = text(await world.store.blobs.get(finished.documents[0]!.finished!));
    expect(result.split('\n').map(line => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'PDF',
      'first advanced John,Jane',
      'signed 1 Jane',
      'signed 0 John',
      'closed',
    ]);
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
    expect(await world.mail('finished', 'carl', request.id)).toMatchObject({ files: result });
    world.pass(31 * DAY);
    expect(await world.store.jobs.lease(9, 1000, world.now)).toEqual([]);
  });

  test('in order: the next is asked when the one before has signed', async () => {
    const request = await world.opened({ mode: 'ordered' });
    const [one, two] = request.sessions as [Session, Session];
    const phones = [await world.phone('john'), await world.phone('jane')] as const;
    expect(request.sessions.map(({ state }) => state)).toEqual(['open', 'waiting']);
    await expect(world.sign(two, phones[1])).rejects.toEqual(conflict('not-your-turn'));
    await expect(world.requests.reject(two.id, phones[1].device, null)).rejects.toEqual(conflict('not-your-turn'));
    expect(await world.mails(request)).toEqual(['accepted mary', 'please-sign john']);
    await world.sign(one, phones[0]);
    expect((await world.fresh(request)).sessions.map(({ state }) => state)).toEqual(['signed', 'open']);
    expect(await world.mails(request)).toContain('please-sign jane');
    await world.sign(two, phones[1]);
    expect(await world.fresh(request)).toMatchObject({ state: 'closing' });
  });

  test('the sender who signs alone gets each mail once', async () => {
    const request = await world.opened({ signatories: [mary], copies: [] });
    await world.sign(request.sessions[0]!, await world.phone('mary'));
    await world.runJobs();
    expect(await world.mails(request)).toEqual(['accepted mary', 'finished mary', 'please-sign mary']);
  });

  test('several documents are signed at once or not at all', async () => {
    const request = await world.opened({
      documents: ['one', 'two'].map(name => ({ name, bytes: Buffer.from(name) })),
    });
    const phone = await world.phone('john');
    const [session] = request.sessions;
    const grant = await world.grant(session!, phone, [0, 0]);
    const both = signatures(grant, phone);
    for (const wrong of [[], [both[0]!], [both[0]!, both[0]!], [both[1]!, both[0]!], [...both, both[0]!]]) {
      await expect(world.requests.completeTurn(session!.id, phone.device, grant.turn, wrong)).rejects.toEqual(
        conflict('bad-signature'),
      );
    }
    expect((await world.fresh(request)).documents).toEqual(request.documents);
    await world.requests.completeTurn(session!.id, phone.device, grant.turn, both);
    for (const { revisions } of (await world.fresh(request)).documents) expect(revisions).toHaveLength(2);
  });

  test.each([
    ['garbage', Buffer.from('not a signature')],
    ['nothing', Buffer.alloc(0)],
    ['a truncated DER', Buffer.from('3046022100', 'hex')],
  ])('a signature that is %s changes nothing; the right one may still follow', async (_, wrong) => {
    const request = await world.opened();
    const phone = await world.phone('john');
    const session = request.sessions[0]!;
    const grant = await world.grant(session, phone);
    await expect(world.requests.completeTurn(session.id, phone.device, grant.turn, [wrong])).rejects.toEqual(
      conflict('bad-signature'),
    );
    expect(
      await world.requests.completeTurn(session.id, phone.device, grant.turn, signatures(grant, phone)),
    ).toMatchObject({ state: 'signed' });
  });

  test('a device gets only what was appended since the revision it has; else everything', async () => {
    const request = await world.opened();
    const [one, two] = request.sessions as [Session, Session];
    const john = await world.phone('john');
    const first = request.documents[0]!.headLength;
    await world.sign(two, await world.phone('jane'));
    const head = await world.requests.readHead(await world.fresh(request), 0);
    for (const known of [first, head.length]) {
      const [document] = (await world.grant(one, john, [known])).documents;
      expect(document!.known).toBe(known);
      const whole = Buffer.concat([head.subarray(0, known), document!.appended]);
      expect(text(whole).startsWith(text(head))).toBe(true);
    }
    for (const known of [[1], [first + 1], [-1], [], [Number.NaN], [1e9]]) {
      const [document] = (await world.grant(one, john, known)).documents;
      expect(document!.known).toBe(0);
      expect(text(document!.appended).startsWith(text(head))).toBe(true);
    }
  });

  test('documents of another length than asked for are not mixed up: asking twice gives the same turn and bytes', async () => {
    const request = await world.opened();
    const phone = await world.phone('john');
    const grant = await world.grant(request.sessions[0]!, phone);
    world.pass(30_000);
    const again = await world.requests.grantTurn(request.sessions[0]!.id, phone.device, {
      certificateSerial: phone.serial,
      known: [0],
      utcOffset: -300,
    });
    expect(again).toEqual(grant);
  });
});

describe('turns', () => {
  test('two people who press at once: one is busy, tries again, and both have signed', async () => {
    const request = await world.opened();
    const phones = [await world.phone('john'), await world.phone('jane')];
    const signing = request.sessions.map(async (session, index) => {
      for (;;) {
        try {
          return await world.sign(session, phones[index]!);
        } catch (error) {
          if (!(error instanceof Conflict) || error.reason !== 'busy') throw error;
          await new Promise(resolve => setTimeout(resolve, 1));
        }
      }
    });
    for (const session of await Promise.all(signing)) expect(session.state).toBe('signed');
    await world.runJobs();
    const finished = await world.fresh(request);
    const result = text(await world.store.blobs.get(finished.documents[0]!.finished!));
    expect(result).toMatch(/signed \d John/);
    expect(result).toMatch(/signed \d Jane/);
  });

  test('twenty presses on one device are one signature and one answer', async () => {
    const request = await world.opened();
    const phone = await world.phone('john');
    const session = request.sessions[0]!;
    const grant = await world.grant(session, phone);
    const hand = () => world.requests.completeTurn(session.id, phone.device, grant.turn, signatures(grant, phone));
    const answers = await Promise.all(Array.from({ length: 20 }, hand));
    world.pass(120_000);
    answers.push(await hand());
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    const after = await world.fresh(request);
    expect(after.documents[0]!.revisions).toHaveLength(2);
    expect((await world.mails(request)).filter(mail => mail.startsWith('signed-by-one'))).toHaveLength(1);
  });

  test('a second phone of the same person waits for the first', async () => {
    const request = await world.opened();
    const [first, second] = [await world.phone('john', 'phone-1'), await world.phone('john', 'phone-2')];
    const session = request.sessions[0]!;
    const grant = await world.grant(session, first);
    await expect(world.grant(session, second)).rejects.toEqual(conflict('busy'));
    await expect(
      world.requests.completeTurn(session.id, second.device, grant.turn, signatures(grant, second)),
    ).rejects.toEqual(conflict('turn-lost'));
    world.pass(60_000);
    expect(await world.sign(session, second)).toMatchObject({ deviceId: 'phone-2' });
    await expect(
      world.requests.completeTurn(session.id, first.device, grant.turn, signatures(grant, first)),
    ).rejects.toEqual(conflict('not-open'));
  });

  test('a signature must name the turn it was made for', async () => {
    const request = await world.opened();
    const phone = await world.phone('john');
    const session = request.sessions[0]!;
    const grant = await world.grant(session, phone);
    for (const turn of ['', `${grant.turn}x`, 'A'.repeat(22)]) {
      await expect(
        world.requests.completeTurn(session.id, phone.device, turn, signatures(grant, phone)),
      ).rejects.toEqual(conflict('turn-lost'));
    }
    expect((await world.fresh(request)).sessions[0]).toMatchObject({ state: 'open' });
  });

  test('after its sixty seconds a turn is lost, and a new one works', async () => {
    const request = await world.opened();
    const phone = await world.phone('john');
    const session = request.sessions[0]!;
    const grant = await world.grant(session, phone);
    expect(grant.expiresAt).toEqual(new Date(world.now.getTime() + 60_000));
    world.pass(60_000);
    const late = signatures(grant, phone);
    await expect(world.requests.completeTurn(session.id, phone.device, grant.turn, late)).rejects.toEqual(
      conflict('turn-lost'),
    );
    const next = await world.grant(session, phone);
    expect(next.turn).not.toBe(grant.turn);
    // The old signature doesn't fit the new turn: its signing time is another.
    await expect(world.requests.completeTurn(session.id, phone.device, next.turn, late)).rejects.toEqual(
      conflict('bad-signature'),
    );
    await world.requests.completeTurn(session.id, phone.device, next.turn, signatures(next, phone));
  });

  test('a turn that runs out while the signature is being timestamped loses to whoever signed meanwhile', async () => {
    const request = await world.opened();
    const [one, two] = request.sessions as [Session, Session];
    const [phone, other] = [await world.phone('john'), await world.phone('jane')];
    const slow = createRequests({
      ...world.deps,
      documents: {
        ...documents,
        async completeSignature(prepared, signer) {
          world.pass(61_000);
          await world.sign(two, other);
          return documents.completeSignature(prepared, signer);
        },
      },
    });
    const grant = await world.grant(one, phone);
    await expect(slow.completeTurn(one.id, phone.device, grant.turn, signatures(grant, phone))).rejects.toEqual(
      conflict('turn-lost'),
    );
    expect((await world.fresh(request)).sessions.map(({ state }) => state)).toEqual(['open', 'signed']);
    await world.sign(one, phone);
    expect(await world.fresh(request)).toMatchObject({ state: 'closing' });
  });

  test("the certificate must be the device's own, in date and not revoked, at the grant and at completion", async () => {
    const request = await world.opened({ expiresAt: new Date(world.now.getTime() + 30 * DAY) });
    const phone = await world.phone('john');
    const other = await world.phone('jane');
    const session = request.sessions[0]!;
    const ask = (certificateSerial: string) =>
      world.requests.grantTurn(session.id, phone.device, { certificateSerial, known: [0], utcOffset: 0 });
    await expect(ask('00')).rejects.toEqual(conflict('no-certificate'));
    await expect(ask(other.serial)).rejects.toEqual(conflict('no-certificate'));
    const grant = await world.grant(session, phone);
    const hand = () => world.requests.completeTurn(session.id, phone.device, grant.turn, signatures(grant, phone));
    await world.registry.revoke(phone.serial, 'superseded');
    await expect(hand()).rejects.toEqual(conflict('no-certificate'));
    await expect(world.grant(session, phone)).rejects.toEqual(conflict('no-certificate'));
    const newer = await world.phone('john', 'newer');
    world.pass(29 * DAY + 23 * 3_600_000);
    await world.sign(request.sessions[1]!, other);
    world.pass(3_600_000 - 1);
    await world.grant(session, newer);
  });

  test("another person's device, an ended device and an unknown session are answered alike", async () => {
    const request = await world.opened();
    const [phone, other] = [await world.phone('john'), await world.phone('jane')];
    const session = request.sessions[0]!;
    const refusals = [
      world.grant(session, other),
      world.requests.reject(session.id, other.device, null),
      world.requests.completeTurn(session.id, other.device, 'x', []),
      world.grant({ ...session, id: 'unknown' }, phone),
      // A device object that claims to be another person's.
      world.grant(session, { ...other, device: { ...other.device, personId: 'john' } }),
      world.devices.end(phone.device.id, 'revoked').then(() => world.grant(session, phone)),
    ];
    const reasons = await Promise.all(refusals.map(refusal => refusal.catch((error: unknown) => error)));
    for (const reason of reasons) expect(reason).toEqual(reasons[0]);
    expect(reasons[0]).toEqual(conflict('not-open'));
  });
});

describe('ending', () => {
  test('a rejection ends it for everybody, also for those who have signed, and voids a turn that is on', async () => {
    const request = await world.opened();
    const [one, two] = request.sessions as [Session, Session];
    const [john, jane] = [await world.phone('john'), await world.phone('jane')];
    const grant = await world.grant(one, john);
    const rejected = await world.requests.reject(two.id, jane.device, '  wrong\u202e price\u0000\r\nsee page 2 ');
    expect(rejected).toMatchObject({ state: 'rejected', comment: 'wrong  price \nsee page 2' });
    expect(await world.requests.reject(two.id, jane.device, 'other')).toEqual(rejected);
    expect(await world.fresh(request)).toMatchObject({
      state: 'rejected',
      turn: null,
      sessions: [{ state: 'closed' }, { state: 'rejected' }],
    });
    await expect(world.requests.completeTurn(one.id, john.device, grant.turn, signatures(grant, john))).rejects.toEqual(
      conflict('not-open'),
    );
    const told = (await world.mails(request)).filter(mail => mail.startsWith('rejected'));
    expect(told).toEqual(['rejected carl', 'rejected jane', 'rejected john', 'rejected mary']);
    expect(await world.requests.waitingFor('john')).toEqual([]);
  });

  test('nobody rejects what they have signed', async () => {
    const request = await world.opened();
    const phone = await world.phone('john');
    await world.sign(request.sessions[0]!, phone);
    await expect(world.requests.reject(request.sessions[0]!.id, phone.device, null)).rejects.toEqual(
      conflict('not-open'),
    );
  });

  test('cancelled: every party hears it once, a second time is a conflict', async () => {
    const request = await world.opened();
    await world.sign(request.sessions[0]!, await world.phone('john'));
    const cancelled = await world.requests.cancel(request.id);
    expect(cancelled).toEqual(await world.fresh(request));
    expect(cancelled).toMatchObject({ state: 'cancelled', sessions: [{ state: 'signed' }, { state: 'closed' }] });
    await expect(world.requests.cancel(request.id)).rejects.toThrow('cancelled');
    await expect(world.requests.cancel('NONE')).rejects.toEqual(conflict('not-open'));
    const told = (await world.mails(request)).filter(mail => mail.startsWith('cancelled'));
    expect(told).toEqual(['cancelled carl', 'cancelled jane', 'cancelled john', 'cancelled mary']);
  });

  test('expired: at its time, not before; nobody signs any more', async () => {
    const request = await world.opened();
    const phone = await world.phone('john');
    world.pass(7 * DAY - 1);
    await world.runJobs();
    expect(await world.fresh(request)).toMatchObject({ state: 'open' });
    const grant = await world.grant(request.sessions[0]!, phone);
    world.pass(1);
    // The job may be late; the deadline is not.
    await expect(
      world.requests.completeTurn(request.sessions[0]!.id, phone.device, grant.turn, signatures(grant, phone)),
    ).rejects.toEqual(conflict('not-open'));
    await world.runJobs();
    expect(await world.fresh(request)).toMatchObject({ state: 'expired', turn: null });
    const told = (await world.mails(request)).filter(mail => mail.startsWith('expired'));
    expect(told).toEqual(['expired carl', 'expired jane', 'expired john', 'expired mary']);
  });

  test('signed by everybody in time, it does not expire while it is being closed', async () => {
    const request = await world.opened({ signatories: [john] });
    await world.sign(request.sessions[0]!, await world.phone('john'));
    const expire = {
      id: `${request.id}-expire`,
      kind: 'expire',
      requestId: request.id,
      dueAt: world.now,
      attempts: 0,
    } as const;
    await world.store.requests.commit({ addJobs: [expire] });
    world.pass(8 * DAY);
    await world.runJobs();
    expect(await world.fresh(request)).toMatchObject({ state: 'finished' });
  });
});
