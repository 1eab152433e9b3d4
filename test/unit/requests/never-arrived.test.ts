/** Mails that came back: who is told, and how often. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Person } from '../../../src/directory/directory.ts';
import type { Request } from '../../../src/requests/model.ts';
import { neverArrived } from '../../../src/requests/never-arrived.ts';
import type { OutboxRow } from '../../../src/store/store.ts';
import { PEOPLE, World } from './world.ts';

const [mary, john, jane] = PEOPLE as [Person, Person, Person];

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

async function rows(request: Request, kind: string): Promise<OutboxRow[]> {
  return (await world.store.outbox.listForRequest(request.id)).filter(row => row.kind === kind);
}

test('the sender hears of each person who is not reached, once per request', async () => {
  const request = await world.opened({ sender: mary, signatories: [john, jane], copies: [] });
  const asked = await rows(request, 'please-sign');
  const { wakes } = world;
  for (const row of asked) await Promise.all([1, 2, 3].map(() => neverArrived(world.deps, row, false)));
  await world.requests.cancel(request.id);
  for (const row of await rows(request, 'cancelled')) await neverArrived(world.deps, row, true);
  const notices = await rows(request, 'undeliverable');
  expect(notices.map(({ recipient, topic }) => [recipient, topic]).sort()).toEqual([
    [mary.mail, jane.mail],
    [mary.mail, john.mail],
  ]);
  expect(world.wakes).toBe(wakes + 3);
});

test('of mails to the sender, and of those that belong to no request, nobody is told', async () => {
  const request = await world.opened({ sender: mary, signatories: [john] });
  const [accepted] = await rows(request, 'accepted');
  await neverArrived(world.deps, accepted!, false);
  await neverArrived(world.deps, { ...accepted!, requestId: null, recipient: john.mail }, false);
  const [asked] = await rows(request, 'please-sign');
  await neverArrived(world.deps, asked!, false);
  const [notice] = await rows(request, 'undeliverable');
  await neverArrived(world.deps, notice!, false);
  expect(await rows(request, 'undeliverable')).toHaveLength(1);
});
