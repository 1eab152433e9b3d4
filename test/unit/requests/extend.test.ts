/** The archive: finished documents are extended by themselves, once, and nobody is mailed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ExtensionRefused } from '../../../src/documents/extend.ts';
import { TimestampUnavailable } from '../../../src/pki/pki.ts';
import type { Deps } from '../../../src/requests/deps.ts';
import { extendJob, extendRequest } from '../../../src/requests/extend.ts';
import type { Request, Submission } from '../../../src/requests/model.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { MIGRATIONS } from '../../../src/store/migrations.ts';
import type { LeasedJob } from '../../../src/store/store.ts';
import { DAY, extender, T0, text, World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

const END = new Date(T0.getTime() + 365 * DAY);
const DUE = new Date(T0.getTime() + 275 * DAY);

async function finish(changes: Partial<Submission> = {}): Promise<Request> {
  const request = await world.opened(changes);
  for (const session of request.sessions)
    await world.sign(session, await world.phone(session.party.personId, `${session.id}`));
  await world.runJobs();
  return world.fresh(request);
}

/** Every job that is there, whenever it is due; none is held afterwards. */
async function jobs(): Promise<readonly LeasedJob[]> {
  const all = await world.store.jobs.lease(100, 0, new Date(T0.getTime() + 100 * 365 * DAY));
  world.store.forgetLeases();
  return all;
}

const read = async ({ documents }: Request): Promise<string[]> =>
  Promise.all(documents.map(async ({ finished }) => text(await world.store.blobs.get(finished!))));

const withExtender = (changes: Partial<Deps['extender']>): Deps => ({
  ...world.deps,
  extender: { ...extender, ...changes },
});

const logged = (part: string): number => world.log.filter(line => line.includes(part)).length;

describe('a finished request', () => {
  test('is extended the configured time before its timestamp certificate ends, again before the next, without a mail', async () => {
    const request = await finish();
    expect(await jobs()).toMatchObject([{ kind: 'extend', requestId: request.id, dueAt: DUE }]);
    const mails = await world.mails(request);

    world.now = new Date(DUE.getTime() - 1);
    await world.runJobs();
    expect(await world.fresh(request)).toEqual(request);

    world.now = DUE;
    await world.runJobs();
    const extended = await world.fresh(request);
    const [bytes] = await read(extended);
    expect(bytes).toBe(`${(await read(request))[0]}\nuntil ${new Date(END.getTime() + 365 * DAY).toISOString()}`);
    expect(extended).toEqual({
      ...request,
      version: request.version + 1,
      documents: [
        { ...request.documents[0], finished: extended.documents[0]!.finished, finishedLength: bytes!.length },
      ],
    });
    expect(text(await world.requests.readFinished(extended, 0))).toBe(bytes);
    expect(await jobs()).toMatchObject([{ kind: 'extend', dueAt: new Date(DUE.getTime() + 365 * DAY) }]);

    world.now = new Date(DUE.getTime() + 365 * DAY);
    await world.runJobs();
    expect((await read(await world.fresh(request)))[0]!.match(/until/g)).toHaveLength(2);
    expect(await world.mails(request)).toEqual(mails);
    expect(logged('finished documents extended')).toBe(2);
  });

  test('with several documents is extended in one change; what lasts longer stays as it is', async () => {
    const [early, late] = [END, new Date(END.getTime() + 365 * DAY)];
    const until = (date: Date, name: string) => `${name}\nuntil ${date.toISOString()}`;
    const request = await finish({ documents: ['a', 'b'].map(name => ({ name, bytes: Buffer.from(name) })) });
    const [first, second] = request.documents;
    const blobs = [
      await world.store.blobs.put(Buffer.from(until(early, 'a'))),
      await world.store.blobs.put(Buffer.from(until(late, 'b'))),
    ] as const;
    const documents = [
      { ...first!, finished: blobs[0] },
      { ...second!, finished: blobs[1] },
    ];
    await world.store.requests.commit({ requests: [{ ...request, documents, version: request.version + 1 }] });
    world.now = DUE;
    await world.runJobs();
    const extended = await world.fresh(request);
    expect(extended.version).toBe(request.version + 2);
    expect(extended.documents[1]).toEqual(documents[1]);
    expect((await read(extended))[0]).toBe(`${until(early, 'a')}\nuntil ${late.toISOString()}`);
    expect(await jobs()).toMatchObject([{ dueAt: new Date(late.getTime() - 90 * DAY) }]);
  });

  test('is tried again when an authority or a worker is down, and nothing has changed meanwhile', async () => {
    const request = await finish();
    world.now = DUE;
    const [job] = await jobs();
    const down = withExtender({ extend: () => Promise.reject(new TimestampUnavailable('down')) });
    await expect(extendRequest(down, job!)).rejects.toThrow(TimestampUnavailable);
    expect(await world.fresh(request)).toEqual(request);
    expect(await jobs()).toMatchObject([{ dueAt: DUE }]);
  });

  test('is extended once, however often the job runs', async () => {
    const request = await finish();
    world.now = DUE;
    const [job] = await jobs();
    await Promise.all(Array.from({ length: 5 }, () => extendRequest(world.deps, job!)));
    await extendRequest(world.deps, job!);
    const extended = await world.fresh(request);
    expect(extended.version).toBe(request.version + 1);
    expect((await read(extended))[0]!.match(/until/g)).toHaveLength(1);
    world.pass(1);
    await world.runJobs();
    expect(await world.fresh(request)).toEqual(extended);
    expect(await jobs()).toMatchObject([{ dueAt: new Date(DUE.getTime() + 365 * DAY) }]);
  });

  test('keeps its file while no authority lasts longer or it is refused: daily an error in the log, until it is too late', async () => {
    const request = await finish();
    const ways: Deps[] = [
      withExtender({ extend: async file => file }),
      withExtender({ extend: () => Promise.reject(new ExtensionRefused('the seal does not hold any more')) }),
    ];
    let day = 0;
    for (world.now = DUE; world.now < END; world.pass(DAY)) {
      await world.runJobs(ways[day++ % 2]);
      if (world.now.getTime() + DAY < END.getTime())
        expect(await jobs()).toMatchObject([{ dueAt: new Date(world.now.getTime() + DAY) }]);
    }
    expect(day).toBe(90);
    expect(logged('renew its certificate')).toBe(45);
    expect(logged('the seal does not hold any more')).toBe(45);
    await world.runJobs();
    expect(await jobs()).toEqual([]);
    expect(logged('can no longer be extended')).toBe(1);
    expect(await world.fresh(request)).toEqual(request);
  });

  test('is the only kind that is extended', async () => {
    const request = await world.opened();
    await world.requests.cancel(request.id);
    const cancelled = await world.fresh(request);
    for (const id of [request.id, '7K3M9QTX2B4C']) await extendRequest(world.deps, extendJob(id, DUE));
    expect(await world.fresh(request)).toEqual(cancelled);
    expect(await jobs()).toEqual([]);
  });
});

test('what was finished before there was this job gets one with the update', () => {
  const folder = mkdtempSync(join(tmpdir(), 'signpost-archive-'));
  try {
    const file = join(folder, 'db');
    const old = openDatabase(file, MIGRATIONS.slice(0, 3));
    const insert = old.prepare('INSERT INTO requests VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?)');
    for (const state of ['finished', 'open', 'expired'])
      insert.run(`id-${state}`, state, state, 'mary', '', '', null, '{}');
    old.close();
    const updated = openDatabase(file, MIGRATIONS);
    expect(updated.prepare('SELECT id, kind, request_id FROM jobs').all()).toEqual([
      { id: 'id-finished-extend', kind: 'extend', request_id: 'id-finished' },
    ]);
    updated.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
