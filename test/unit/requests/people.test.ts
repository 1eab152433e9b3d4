/** People who are renamed or leave while a request is open. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Directory, DirectoryUnavailable, type Person } from '../../../src/directory/directory.ts';
import { createPresence } from '../../../src/directory/presence.ts';
import type { Request } from '../../../src/requests/model.ts';
import { lookAtPeople } from '../../../src/requests/people.ts';
import type { OutboxRow } from '../../../src/store/store.ts';
import { directory, PEOPLE, World } from './world.ts';

const [mary, john, jane] = PEOPLE as [Person, Person, Person];

let world: World;
let people: Map<string, Person>;
let away = false;
const changing: Directory = {
  ...directory,
  async findById(id) {
    if (away) throw new DirectoryUnavailable('away');
    return people.get(id) ?? null;
  },
};

beforeEach(async () => {
  away = false;
  people = new Map(PEOPLE.map(person => [person.id, person]));
  world = await World.open(deps => ({ ...deps, directory: changing }));
});
afterEach(() => world.close());

async function rows(request: Request, kind: string): Promise<OutboxRow[]> {
  return (await world.store.outbox.listForRequest(request.id)).filter(row => row.kind === kind);
}

test('D3 who left can neither sign nor reject, and the sender is told once', async () => {
  const request = await world.opened({ sender: mary, signatories: [john, jane] });
  const phone = await world.phone(john.id);
  const [session] = request.sessions;
  people.delete(john.id);
  const ask = { certificateSerial: phone.serial, known: [], utcOffset: 0 };
  await expect(world.requests.grantTurn(session!.id, phone.device, ask)).rejects.toThrow(/closed or locked/);
  await expect(world.requests.reject(session!.id, phone.device, 'no')).rejects.toThrow(/closed or locked/);
  await lookAtPeople(world.deps);
  await lookAtPeople(world.deps);
  expect((await rows(request, 'left')).map(({ recipient }) => recipient)).toEqual([mary.mail]);
  // Unlocked again: nothing is lost.
  people.set(john.id, john);
  expect((await world.requests.grantTurn(session!.id, phone.device, ask)).turn).toBeTypeOf('string');
});

test('D3 who left in the middle of signing does not complete it', async () => {
  const request = await world.opened({ sender: mary, signatories: [john] });
  const phone = await world.phone(john.id);
  const [session] = request.sessions;
  const grant = await world.requests.grantTurn(session!.id, phone.device, {
    certificateSerial: phone.serial,
    known: [],
    utcOffset: 0,
  });
  people.delete(john.id);
  await expect(world.requests.completeTurn(session!.id, phone.device, grant.turn, [])).rejects.toThrow(
    /closed or locked/,
  );
});

test('D3 while the directory is away nobody has left, and nobody signs', async () => {
  const request = await world.opened({ sender: mary, signatories: [john] });
  const phone = await world.phone(john.id);
  away = true;
  await lookAtPeople(world.deps);
  expect(await rows(request, 'left')).toEqual([]);
  const ask = { certificateSerial: phone.serial, known: [], utcOffset: 0 };
  await expect(world.requests.grantTurn(request.sessions[0]!.id, phone.device, ask)).rejects.toThrow(
    DirectoryUnavailable,
  );
});

test('D3 who has a new address is asked there, and all later mail goes there', async () => {
  const request = await world.opened({ sender: mary, signatories: [john, jane] });
  people.set(john.id, { ...john, name: 'John Married', mail: 'new@company.test', addresses: ['new@company.test'] });
  people.set(mary.id, { ...mary, mail: 'boss@company.test', addresses: ['boss@company.test'] });
  await lookAtPeople(world.deps);
  await lookAtPeople(world.deps);
  const asked = await rows(request, 'please-sign');
  expect(asked.map(({ recipient }) => recipient).sort()).toEqual([jane.mail, john.mail, 'new@company.test'].sort());
  const now = (await world.store.requests.find(request.id))!;
  // The name stands in the document already.
  expect(now.sessions[0]!.party).toMatchObject({ personId: john.id, name: john.name, mail: 'new@company.test' });
  await world.requests.cancel(request.id);
  const told = (await rows(request, 'cancelled')).map(({ recipient }) => recipient);
  expect(told).toEqual(expect.arrayContaining(['new@company.test', 'boss@company.test']));
  expect(told).not.toContain(john.mail);
});

test('back to the first address: asked once at each', async () => {
  const request = await world.opened({ sender: mary, signatories: [john] });
  for (const mail of ['new@company.test', john.mail]) {
    people.set(john.id, { ...john, mail });
    await lookAtPeople(world.deps);
  }
  expect(await rows(request, 'please-sign')).toHaveLength(2);
  expect((await world.store.requests.find(request.id))!.sessions[0]!.party.mail).toBe(john.mail);
});

test('who only looks is asked about rarely, and remembered while the directory is away', async () => {
  let now = 0;
  let asked = 0;
  const counting = {
    findById: (id: string) => {
      asked += 1;
      return changing.findById(id);
    },
  };
  const isHere = createPresence(counting, () => new Date(now));
  expect(await isHere('john')).toBe(true);
  expect(await isHere('john')).toBe(true);
  expect(asked).toBe(1);
  people.delete('john');
  now += 31_000;
  expect(await isHere('john')).toBe(false);
  away = true;
  now += 3_600_000;
  expect(await isHere('john')).toBe(false);
  await expect(isHere('mary')).rejects.toThrow(DirectoryUnavailable);
  now += 13 * 3_600_000;
  await expect(isHere('john')).rejects.toThrow(DirectoryUnavailable);
});
