/** Enrolment by codes, and the end of a device. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DirectoryUnavailable } from '../../../src/directory/directory.ts';
import type { Device } from '../../../src/requests/model.ts';
import { EnrolmentRefused, TooManyTries } from '../../../src/requests/requests.ts';
import { DAY, directory, newDevice, World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

const MINUTE = 60_000;
async function enrol(code: string, changes: Partial<Parameters<World['devices']['enrol']>[0]> = {}): Promise<Device> {
  const outcome = await world.devices.enrol({
    address: 'john@company.test',
    password: null,
    code,
    link: null,
    client: '192.0.2.1',
    device: newDevice(),
    replaces: null,
    ...changes,
  });
  if (outcome.state !== 'enrolled') throw new Error('the device waits for another');
  return outcome.device;
}
const wrongs = (code: string, count: number) =>
  Array.from({ length: count }, (_, i) =>
    String((Number(code) + i + 1) % 10 ** code.length).padStart(code.length, '0'),
  );

/** Kinds and recipients of the mails that belong to no request. */
async function notices(): Promise<string[]> {
  const rows = await world.store.outbox.lease(1000, 0, world.now);
  return rows.map(({ kind, recipient }) => `${kind} ${recipient.split('@')[0]}`).sort();
}

describe("an admin's code", () => {
  test('enrols one device of its person, who is told', async () => {
    const { code, expiresAt } = await world.devices.createAdminCode('john');
    expect(code).toMatch(/^\d{9}$/);
    expect(expiresAt).toEqual(new Date(world.now.getTime() + 15 * MINUTE));
    const device = newDevice('Firefox on Android');
    const enrolled = await enrol(`${code.slice(0, 3)} ${code.slice(3)}`, { device, address: 'JOHN@Company.test' });
    expect(enrolled).toEqual({
      ...device,
      personId: 'john',
      proofs: ['admin-code'],
      provedAt: world.now,
      state: 'active',
      createdAt: world.now,
      endedAt: null,
    });
    expect(await world.devices.find(device.id)).toEqual(enrolled);
    expect(await world.devices.listForPerson('john')).toEqual([enrolled]);
    expect(await notices()).toEqual(['device-enrolled john']);
    await expect(enrol(code)).rejects.toThrow(EnrolmentRefused);
  });

  test('is in neither log nor database', async () => {
    const { code } = await world.devices.createAdminCode('john');
    const { DatabaseSync } = await import('node:sqlite');
    const database = new DatabaseSync(`${world.folder}/signpost.db`);
    expect(JSON.stringify(database.prepare('SELECT * FROM codes').all())).not.toContain(code);
    expect(database.prepare('SELECT count(*) AS count FROM codes').get()).toEqual({ count: 1 });
    database.close();
    expect(world.log.join('')).not.toContain(code);
  });

  test('D4 wrong codes: a key has five tries; the code stays good for others, whoever tried', async () => {
    for (const [tries, works] of [
      [4, true],
      [5, false],
    ] as const) {
      const { code } = await world.devices.createAdminCode('john');
      const device = newDevice();
      for (const wrong of wrongs(code, tries)) await expect(enrol(wrong, { device })).rejects.toThrow(EnrolmentRefused);
      if (works) expect(await enrol(code, { device })).toMatchObject({ personId: 'john' });
      else await expect(enrol(code, { device })).rejects.toThrow(TooManyTries);
      if (!works) expect(await enrol(code)).toMatchObject({ personId: 'john' });
    }
  });

  test('D4 of 1,000 devices that use it at once, exactly one is enrolled', async () => {
    const { code } = await world.devices.createAdminCode('john');
    const results = await Promise.allSettled(
      Array.from({ length: 1000 }, (_, i) => enrol(code, { client: `192.0.2.${i % 250}` })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await world.devices.list()).toHaveLength(1);
    expect(await notices()).toEqual(['device-enrolled john']);
  });

  test('every refusal is the same answer: late, replaced, another person, unknown person, foreign key', async () => {
    const old = await world.devices.createAdminCode('john');
    const { code } = await world.devices.createAdminCode('john');
    const device = newDevice();
    const refusals = [
      enrol(old.code === code ? wrongs(code, 1)[0]! : old.code),
      enrol(code, { address: 'jane@company.test' }),
      enrol(code, { address: 'nobody@company.test' }),
      enrol(code, { device: { ...device, id: newDevice().id } }),
    ];
    const answers = await Promise.all(refusals.map(refusal => refusal.catch((error: unknown) => error)));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]).toBeInstanceOf(EnrolmentRefused);
    world.pass(15 * MINUTE);
    await expect(enrol(code)).rejects.toThrow(EnrolmentRefused);
    expect(await world.devices.list()).toEqual([]);
  });

  test('an answer that got lost: the same code from the same key gets it again, and nothing is done twice', async () => {
    const { code } = await world.devices.createAdminCode('john');
    const device = newDevice();
    const first = await enrol(code, { device });
    world.pass(MINUTE);
    expect(await enrol(code, { device })).toEqual(first);
    expect(await enrol(code, { device })).toEqual(first);
    expect(await notices()).toEqual(['device-enrolled john']);
    await expect(enrol(code, { device, address: 'jane@company.test' })).rejects.toThrow(EnrolmentRefused);
    await world.devices.end(device.id, 'revoked');
    await expect(enrol(code, { device })).rejects.toThrow(EnrolmentRefused);
  });

  test('nobody gets a code who is not in the directory; a directory that is down is not "unknown"', async () => {
    await expect(world.devices.createAdminCode('nobody')).rejects.toThrow(EnrolmentRefused);
    await world.close();
    const down = () => Promise.reject(new DirectoryUnavailable('down'));
    world = await World.open(deps => ({ ...deps, directory: { ...directory, findByMail: down } }));
    const { code } = await world.devices.createAdminCode('john');
    await expect(enrol(code)).rejects.toThrow(DirectoryUnavailable);
  });
});

describe('a mailed code', () => {
  const send = (deviceId: string, link: string | null = null, address = 'john@company.test') =>
    world.devices.sendCode({ address, link, deviceId });

  test('goes to the primary address and enrols the key and link that it was asked for, once', async () => {
    const request = await world.opened();
    const link = world.requests.linkToken(request.sessions[0]!);
    const device = newDevice();
    await send(device.id, link);
    const { code = '' } = (await world.mail('enrolment-code', 'john'))!;
    await expect(enrol(code, { device })).rejects.toThrow(EnrolmentRefused);
    await expect(enrol(code, { device: newDevice(), link })).rejects.toThrow(EnrolmentRefused);
    await expect(enrol(code, { device, link, address: 'jane@company.test' })).rejects.toThrow(EnrolmentRefused);
    expect(await enrol(code, { device, link })).toMatchObject({ id: device.id, personId: 'john' });
    expect(world.log.join('')).not.toContain(code);
  });

  test('is not sent, and the caller can not tell: unknown person, a link of another, an unknown link', async () => {
    const request = await world.opened();
    const before = await notices();
    await send(newDevice().id, null, 'nobody@company.test');
    await send(newDevice().id, world.requests.linkToken(request.sessions[1]!));
    await send(newDevice().id, 'A'.repeat(27));
    await send(newDevice().id, 'nonsense');
    expect(await notices()).toEqual(before);
  });

  test('is not sent where the config does not allow it', async () => {
    await world.close();
    world = await World.open(deps => ({
      ...deps,
      config: { ...deps.config, enrolment: { ...deps.config.enrolment, mailedCode: false } },
    }));
    await send(newDevice().id);
    expect(await notices()).toEqual([]);
  });

  test('at most five a person and day, whatever key asks; those with a link of theirs have their own', async () => {
    await Promise.all(Array.from({ length: 7 }, () => send(newDevice().id)));
    expect(await notices()).toEqual(Array(5).fill('enrolment-code john'));
    await send(newDevice().id, null, 'jane@company.test');
    expect(await notices()).toHaveLength(6);
    const link = world.requests.linkToken((await world.opened()).sessions[0]!);
    await send(newDevice().id, link);
    expect((await notices()).filter(notice => notice === 'enrolment-code john')).toHaveLength(6);
    // Nor can strangers keep a device from showing more.
    const phone = await world.phone('john');
    await send(phone.device.id);
    expect((await notices()).filter(notice => notice === 'enrolment-code john')).toHaveLength(7);
    await send((await world.phone('jane')).device.id);
    await world.devices.end(phone.device.id, 'retired');
    await send(phone.device.id);
    expect((await notices()).filter(notice => notice === 'enrolment-code john')).toHaveLength(7);
    world.pass(DAY + 1);
    await send(newDevice().id);
    expect((await notices()).filter(notice => notice === 'enrolment-code john')).toHaveLength(8);
  });

  test('five wrong tries use it up', async () => {
    const device = newDevice();
    await send(device.id);
    const { code = '' } = (await world.mail('enrolment-code', 'john'))!;
    for (const wrong of wrongs(code, 5)) await expect(enrol(wrong, { device })).rejects.toThrow(EnrolmentRefused);
    await expect(enrol(code, { device })).rejects.toThrow(EnrolmentRefused);
  });
});

describe('the end of a device', () => {
  test('revokes its certificates and tells its person, once', async () => {
    const phone = await world.phone('john');
    const other = await world.phone('jane');
    await Promise.all([world.devices.end(phone.device.id, 'revoked'), world.devices.end(phone.device.id, 'revoked')]);
    await world.devices.end(phone.device.id, 'retired');
    await world.devices.end('unknown', 'revoked');
    expect(await world.devices.find(phone.device.id)).toMatchObject({ state: 'revoked', endedAt: world.now });
    expect(await world.registry.find(phone.serial)).toMatchObject({ reason: 'unspecified' });
    expect((await world.registry.find(other.serial))?.revokedAt).toBeNull();
    expect(await notices()).toEqual(['device-removed john']);
  });

  test('does not wait for a directory that is down', async () => {
    await world.close();
    const down = () => Promise.reject(new DirectoryUnavailable('down'));
    world = await World.open(deps => ({ ...deps, directory: { ...directory, findById: down } }));
    const phone = await world.phone('john');
    await world.devices.end(phone.device.id, 'revoked');
    expect(await world.devices.find(phone.device.id)).toMatchObject({ state: 'revoked' });
    expect((await world.registry.find(phone.serial))?.revokedAt).not.toBeNull();
  });

  test('comes with its replacement, as superseded; other devices stay', async () => {
    const [old, kept] = [await world.phone('john', 'old'), await world.phone('john', 'kept')];
    const { code } = await world.devices.createAdminCode('john');
    const device = newDevice();
    await enrol(code, { device, replaces: { deviceId: 'old', held: true } });
    expect((await world.devices.listForPerson('john')).map(({ id, state }) => [id, state])).toEqual(
      expect.arrayContaining([
        ['old', 'retired'],
        ['kept', 'active'],
        [device.id, 'active'],
      ]),
    );
    expect(await world.registry.find(old.serial)).toMatchObject({ reason: 'superseded' });
    expect((await world.registry.find(kept.serial))?.revokedAt).toBeNull();
    expect(await notices()).toEqual(['device-enrolled john', 'device-removed john']);
  });

  test("nobody replaces another person's device, or one that has ended", async () => {
    await world.phone('jane', 'hers');
    await world.phone('john', 'ended');
    await world.devices.end('ended', 'retired');
    for (const deviceId of ['hers', 'ended']) {
      const { code } = await world.devices.createAdminCode('john');
      await enrol(code, { replaces: { deviceId, held: true } });
    }
    expect(await world.devices.find('hers')).toMatchObject({ state: 'active' });
    expect(await notices()).toEqual(['device-enrolled john', 'device-enrolled john', 'device-removed john']);
  });
});
