/** When signatories are reminded by themselves, and that more time counts. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Person } from '../../../src/directory/directory.ts';
import { actByReply, type Command, type Reply } from '../../../src/requests/by-reply.ts';
import { expireRequest } from '../../../src/requests/ending.ts';
import type { Request } from '../../../src/requests/model.ts';
import { nextReminder } from '../../../src/requests/reminders.ts';
import { DAY, PEOPLE, T0, World } from './world.ts';

const HOUR = 3_600_000;
const [mary, john, jane] = PEOPLE as [Person, Person, Person];

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

const later = (milliseconds: number): Date => new Date(T0.getTime() + milliseconds);

/** Hours after the request at which signatories are reminded. */
function schedule(length: number): number[] {
  const request = { createdAt: T0, expiresAt: later(length) };
  const times: number[] = [];
  for (let next = nextReminder(request, T0); next; next = nextReminder(request, next))
    times.push((next.getTime() - T0.getTime()) / HOUR);
  return times;
}

async function reply(request: Request, command: Command, who = 'mary', key = Math.random().toString(16).slice(2)) {
  const said: Reply = {
    requestId: request.id,
    personId: who,
    command,
    said: 'x'.repeat(64),
    key,
    messageId: `<${key}@company.test>`,
    references: [],
    method: 'sasl',
    queueId: 'Q1',
  };
  return actByReply(world.deps, said);
}

/** Hours after T0 and recipients of the reminders so far. */
async function reminded(request: Request): Promise<[number, string][]> {
  const rows = await world.store.outbox.listForRequest(request.id);
  return rows
    .filter(({ kind }) => kind === 'reminder')
    .map(({ createdAt, recipient }): [number, string] => [
      (createdAt.getTime() - T0.getTime()) / HOUR,
      recipient.split('@')[0]!,
    ])
    .sort(([a, first], [b, second]) => a - b || first.localeCompare(second));
}

/** Hour by hour. */
async function live(hours: number): Promise<void> {
  for (let hour = 0; hour < hours; hour += 1) {
    world.pass(HOUR);
    await world.runJobs();
  }
}

describe('reminders by themselves', () => {
  test.each<[string, number, number[]]>([
    ['seven days', 7 * DAY, [84, 144]],
    ['thirty days', 30 * DAY, [360, 696]],
    ['three days', 3 * DAY, [36, 48]],
    ['two days: both would be one', 2 * DAY, [24]],
    ['a day', DAY, [12]],
    ['less than a day', DAY - 1, []],
    ['a minute', 60_000, []],
  ])('%s', (_, length, hours) => expect(schedule(length)).toEqual(hours));

  test('go to those who still have to sign, twice in seven days, and end with the request', async () => {
    const request = await world.opened({ sender: mary, signatories: [john, jane] });
    const phone = await world.phone('john');
    await live(100);
    expect(await reminded(request)).toEqual([
      [84, 'jane'],
      [84, 'john'],
    ]);
    await world.sign((await world.fresh(request)).sessions[0]!, phone);
    await live(70);
    expect((await reminded(request)).slice(2)).toEqual([[144, 'jane']]);
    expect((await world.fresh(request)).state).toBe('expired');
    await live(100);
    expect(await reminded(request)).toHaveLength(3);
  });

  test('not to who was asked or reminded within twelve hours', async () => {
    const request = await world.opened({ sender: mary, signatories: [john, jane], mode: 'ordered' });
    const phone = await world.phone('john');
    await live(80);
    await world.sign(request.sessions[0]!, phone);
    await live(20);
    // Jane was asked four hours before half time.
    expect(await reminded(request)).toEqual([]);
    await live(35);
    expect(await reply(request, { name: 'remind' })).toBe('reminded');
    await live(10);
    expect(await reminded(request)).toEqual([[135, 'jane']]);
  });

  test('none for the company seal, none after the end', async () => {
    const request = await world.opened({ sender: mary, signatories: [john] });
    await world.requests.cancel(request.id);
    await live(200);
    expect(await reminded(request)).toEqual([]);
  });
});

describe('more time', () => {
  test('moves the end and the reminders; the old end passes by', async () => {
    const request = await world.opened({ sender: mary, signatories: [john] });
    await live(100);
    expect(await reply(request, { name: 'extend', days: 7 })).toBe('prolonged');
    const longer = await world.fresh(request);
    expect(longer).toMatchObject({ expiresAt: later(14 * DAY), prolonged: 1, state: 'open' });
    await live(100);
    expect((await world.fresh(request)).state).toBe('open');
    await live(140);
    expect((await world.fresh(request)).state).toBe('expired');
    expect((await world.fresh(request)).endedAt).toEqual(later(14 * DAY));
    // Half time as it was, the change, the new half time, the last day.
    expect((await reminded(request)).map(([hour]) => hour)).toEqual([84, 100, 168, 312]);
  });

  test('an end that was under way while it came does nothing', async () => {
    const request = await world.opened({ sender: mary, signatories: [john] });
    world.now = new Date(request.expiresAt.getTime() + 1000);
    const [job] = await world.store.jobs.lease(1, 60_000, world.now);
    expect(await reply(request, { name: 'extend', days: 1 })).toBe('prolonged');
    await expireRequest(world.deps, job!);
    expect((await world.fresh(request)).state).toBe('open');
    world.now = later(8 * DAY);
    await world.runJobs();
    expect((await world.fresh(request)).state).toBe('expired');
  });

  test('no longer than a request may be open', async () => {
    const request = await world.opened({ sender: mary, signatories: [john] });
    expect(await reply(request, { name: 'extend', days: 24 })).toBe('tooLong');
    expect(await reply(request, { name: 'extend', days: 23 })).toBe('prolonged');
    expect((await world.fresh(request)).expiresAt).toEqual(later(30 * DAY));
    expect(await reply(request, { name: 'extend', days: 1 })).toBe('tooLong');
  });
});

describe('by reply', () => {
  test('D5 the same reply in parallel and again acts once; another person’s key or a stranger acts never', async () => {
    const request = await world.opened({ sender: mary, signatories: [john, jane] });
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, () => reply(request, { name: 'extend', days: 1 }, 'mary', 'same')),
    );
    expect(outcomes.filter(outcome => outcome === 'prolonged')).toHaveLength(1);
    expect(new Set(outcomes)).toEqual(new Set(['prolonged', 'repeated']));
    expect((await world.fresh(request)).prolonged).toBe(1);
    expect(await reply(request, { name: 'cancel' }, 'nobody')).toBe('unknown');
    expect(await reply({ ...request, id: 'NOTHING' }, { name: 'cancel' })).toBe('unknown');
    // Past the gatekeeper, too, nobody does what isn't theirs.
    expect(await reply(request, { name: 'cancel' }, 'john')).toBe('help');
    expect((await world.fresh(request)).state).toBe('open');
  });

  test('D5 two people at once: one cancels, one declines, one outcome', async () => {
    const request = await world.opened({ sender: mary, signatories: [john, jane] });
    const outcomes = await Promise.all([
      reply(request, { name: 'cancel' }, 'mary'),
      reply(request, { name: 'reject', reason: 'no' }, 'john'),
    ]);
    expect(outcomes.filter(outcome => outcome === 'ended')).toHaveLength(1);
    expect(['cancelled', 'rejected']).toContain((await world.fresh(request)).state);
  });

  test('D5 what signatories did can’t be undone by reply, and a reason is asked for where the config wants one', async () => {
    const request = await world.opened({ sender: mary, signatories: [john, jane] });
    await world.sign(request.sessions[0]!, await world.phone('john'));
    expect(await reply(request, { name: 'reject', reason: 'no' }, 'john')).toBe('signedAlready');
    const { config } = world.deps;
    const strict = { ...config, requests: { ...config.requests, rejectionComment: 'required' as const } };
    const ask = {
      requestId: request.id,
      personId: 'jane',
      said: 'y',
      messageId: '<a@b>',
      references: [],
      method: 'sasl',
      queueId: null,
    };
    const deps = { ...world.deps, config: strict };
    expect(await actByReply(deps, { ...ask, key: 'k1', command: { name: 'reject', reason: null } })).toBe(
      'reasonMissing',
    );
    expect(await actByReply(deps, { ...ask, key: 'k2', command: { name: 'reject', reason: '\u202eno\u0000' } })).toBe(
      'rejected',
    );
    expect((await world.fresh(request)).sessions[1]!.comment).toBe('no');
  });

  test('D5 after twenty answers a day there are no more, and nothing is done', async () => {
    const request = await world.opened({ sender: mary, signatories: [john] });
    for (let count = 0; count < 20; count += 1) expect(await reply(request, { name: 'status' })).toBe('status');
    expect(await reply(request, { name: 'cancel' })).toBe('silent');
    expect((await world.fresh(request)).state).toBe('open');
    world.pass(DAY);
    expect(await reply(request, { name: 'cancel' })).toBe('cancelled');
  });
});
