/** After the end: who may read the finished documents, and the link for those whose mailbox is too small. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Person } from '../../../src/directory/directory.ts';
import { sendFinishedLink } from '../../../src/requests/finished-link.ts';
import type { Request, Submission } from '../../../src/requests/model.ts';
import type { OutboxRow } from '../../../src/store/store.ts';
import { PEOPLE, person, text, World } from './world.ts';

const [mary, john, jane, carl] = PEOPLE as [Person, Person, Person, Person];

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

async function finish(changes: Partial<Submission> = {}): Promise<Request> {
  const request = await world.opened({ signatories: [john], ...changes });
  for (const session of request.sessions) {
    await world.sign(session, await world.phone(session.party.personId, `${request.id} ${session.id}`));
  }
  await world.runJobs();
  return world.fresh(request);
}

async function rowsOf(request: Request, kind: string): Promise<OutboxRow[]> {
  return (await world.store.outbox.listForRequest(request.id)).filter(row => row.kind === kind);
}

describe('finished documents', () => {
  test('are for sender, signatories and copies, and for nobody else', async () => {
    const request = await finish();
    for (const { id } of [mary, john, carl]) {
      expect(await world.requests.findFinished(request.id, id)).toEqual(request);
    }
    for (const id of [jane.id, 'unknown', '']) expect(await world.requests.findFinished(request.id, id)).toBeNull();
    expect(await world.requests.findFinished('7K3M9QTX2B4C', john.id)).toBeNull();
    const bytes = await world.requests.readFinished(request, 0);
    expect(text(bytes)).toMatch(/^PDF\nfirst .*\nsigned .*\nclosed$/);
    expect(request.documents[0]).toMatchObject({ finishedLength: bytes.length });
    await expect(world.requests.readFinished(request, 1)).rejects.toThrow(RangeError);
  });

  test('are for nobody while the request is open, being closed, or ended otherwise', async () => {
    const request = await world.opened({ signatories: [john] });
    const forJohn = () => world.requests.findFinished(request.id, john.id);
    expect(await forJohn()).toBeNull();
    await world.sign(request.sessions[0]!, await world.phone('john'));
    expect(await world.fresh(request)).toMatchObject({ state: 'closing' });
    expect(await forJohn()).toBeNull();
    await world.requests.cancel(request.id);
    expect(await forJohn()).toBeNull();
    await expect(world.requests.readFinished(await world.fresh(request), 0)).rejects.toThrow(RangeError);
  });
});

describe('a finished mail that is too big for its recipient', () => {
  test('is followed by one mail with a link to that recipient, however often it is reported', async () => {
    const request = await finish();
    const [row] = (await rowsOf(request, 'finished')).filter(({ recipient }) => recipient === carl.mail);
    const { wakes } = world;
    const all = await Promise.all(Array.from({ length: 20 }, () => sendFinishedLink(world.deps, row!)));
    expect(new Set(all)).toEqual(new Set([true]));
    expect(await sendFinishedLink(world.deps, { ...row!, state: 'bounced' })).toBe(true);
    const links = await rowsOf(request, 'finished-link');
    expect(links).toMatchObject([{ recipient: carl.mail, state: 'pending', topic: '', requestId: request.id }]);
    expect(links[0]!.id).not.toBe(row!.id);
    expect(world.wakes).toBe(wakes + 1);
    // Its bytes were safe before the row.
    expect(await world.mail('finished-link', 'carl', request.id)).toMatchObject({ rowId: links[0]!.id });
    const [other] = (await rowsOf(request, 'finished')).filter(({ recipient }) => recipient === mary.mail);
    await sendFinishedLink(world.deps, other!);
    expect((await rowsOf(request, 'finished-link')).map(({ recipient }) => recipient).sort()).toEqual(
      [carl.mail, mary.mail].sort(),
    );
  });

  test('is written in the language of the party that gets it', async () => {
    const languages: string[] = [];
    const request = await finish({ copies: [person('paule', { language: 'fr' })] });
    const [row] = (await rowsOf(request, 'finished')).filter(({ recipient }) => recipient.startsWith('paule'));
    const composer = {
      compose: (...[mail, to, ...rest]: Parameters<typeof world.deps.composer.compose>) => {
        languages.push(`${mail.kind} ${to.language} ${to.mail}`);
        return world.deps.composer.compose(mail, to, ...rest);
      },
    };
    await sendFinishedLink({ ...world.deps, composer }, row!);
    expect(languages).toEqual(['finished-link fr paule@company.test']);
  });

  test('other mails that are too big get none; nor does one for nobody of the request', async () => {
    const request = await finish();
    for (const row of await world.store.outbox.listForRequest(request.id)) {
      if (row.kind !== 'finished') expect(await sendFinishedLink(world.deps, row), row.kind).toBe(false);
    }
    const [row] = await rowsOf(request, 'finished');
    expect(await sendFinishedLink(world.deps, { ...row!, requestId: null })).toBe(false);
    await expect(sendFinishedLink(world.deps, { ...row!, recipient: 'x@other.test' })).rejects.toThrow('no party');
    expect(await rowsOf(request, 'finished-link')).toEqual([]);
  });

  test('a fault on our side is thrown, and the next report of the same is taken', async () => {
    const request = await finish();
    const [row] = await rowsOf(request, 'finished');
    const blobs = { ...world.store.blobs, put: () => Promise.reject(new Error('the disk is full')) };
    const store = { ...world.deps.store, blobs };
    await expect(sendFinishedLink({ ...world.deps, store }, row!)).rejects.toThrow('the disk is full');
    expect(await rowsOf(request, 'finished-link')).toEqual([]);
    expect(await sendFinishedLink(world.deps, row!)).toBe(true);
    expect(await rowsOf(request, 'finished-link')).toHaveLength(1);
  });
});
