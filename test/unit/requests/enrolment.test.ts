/** What is enough to set up a device, by level and beside other devices; and that guessing locks out nobody. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Directory } from '../../../src/directory/directory.ts';
import { DirectoryUnavailable } from '../../../src/directory/directory.ts';
import type { Device } from '../../../src/requests/model.ts';
import { Conflict, EnrolmentRefused, TooManyTries } from '../../../src/requests/requests.ts';
import { directory, newDevice, World } from './world.ts';

type Enrolment = World['deps']['config']['enrolment'];

let world: World;
afterEach(() => world.close());

const HOUR = 3_600_000;
const RIGHT = 'correct horse';
/** Of John. */
const ALIASES = ['j.doe@company.test', 'john.doe@company.test'];

/** A directory that locks an account after five wrong passwords, as ppolicy and Active Directory do. */
class LockingDirectory {
  readonly asked: string[] = [];
  wrong = 0;
  down = false;
  get locked(): boolean {
    return this.wrong >= 5;
  }
  get part(): Directory {
    return {
      ...directory,
      findByMail: async address => directory.findByMail(ALIASES.includes(address) ? 'john@company.test' : address),
      checkPassword: async ({ id }, password) => {
        if (this.down) throw new DirectoryUnavailable('down');
        this.asked.push(id);
        if (password === RIGHT && !this.locked) {
          this.wrong = 0;
          return 'right';
        }
        this.wrong++;
        return 'wrong';
      },
    };
  }
}

async function open(enrolment: Partial<Enrolment>, accounts = new LockingDirectory()): Promise<LockingDirectory> {
  world = await World.open(deps => ({
    ...deps,
    directory: accounts.part,
    config: { ...deps.config, enrolment: { ...deps.config.enrolment, ...enrolment } },
  }));
  return accounts;
}

function enrol(changes: Partial<Parameters<World['devices']['enrol']>[0]> = {}) {
  return world.devices.enrol({
    address: 'john@company.test',
    password: null,
    code: null,
    link: null,
    client: '192.0.2.1',
    device: newDevice(),
    replaces: null,
    ...changes,
  });
}

async function enrolled(changes: Parameters<typeof enrol>[0] = {}): Promise<Device> {
  const outcome = await enrol(changes);
  if (outcome.state !== 'enrolled') throw new Error('waits');
  return outcome.device;
}

async function mailedCode(deviceId: string, link: string | null = null): Promise<string> {
  await world.devices.sendCode({ address: 'john@company.test', link, deviceId });
  return (await world.mail('enrolment-code', 'john'))!.code!;
}

async function adminCode(): Promise<string> {
  return (await world.devices.createAdminCode('john')).code;
}

const PASSWORD = { proofs: { standard: [['password' as const]], advanced: [['password' as const]] } };
const BOTH = {
  proofs: {
    standard: [['password' as const], ['admin-code' as const]],
    advanced: [['mailed-code' as const, 'password' as const], ['admin-code' as const]],
  },
};

describe('passwords', () => {
  test('D4 strangers never lock the account of the directory, and its owner gets in all the same by a link', async () => {
    const accounts = await open(PASSWORD);
    const link = world.requests.linkToken((await world.opened()).sessions[0]!);
    for (let hour = 0; hour < 6; hour++) {
      const guesses = await Promise.allSettled(
        Array.from({ length: 50 }, (_, i) => enrol({ password: `guess ${i}`, client: `198.51.100.${i}` })),
      );
      const reasons = guesses.map(guess => guess.status === 'rejected' && (guess.reason as Error).name);
      expect(reasons.filter(reason => reason === 'EnrolmentRefused')).toHaveLength(2);
      expect(reasons.filter(reason => reason === 'TooManyTries')).toHaveLength(48);
      expect(accounts.locked).toBe(false);
      // Without a link nobody can tell its owner from a stranger.
      await expect(enrol({ password: RIGHT })).rejects.toThrow(TooManyTries);
      const device = await enrolled({ password: RIGHT, link });
      expect(device).toMatchObject({ personId: 'john', proofs: ['password'] });
      await world.devices.end(device.id, 'retired');
      world.pass(HOUR + 1);
    }
    await enrolled({ password: RIGHT });
  });

  test('D4 fewer reach the directory in an hour than lock there, with a link and without', async () => {
    const accounts = await open(PASSWORD);
    const link = world.requests.linkToken((await world.opened()).sessions[0]!);
    const guesses = Array.from({ length: 20 }, (_, i) => [
      enrol({ password: `guess ${i}` }),
      enrol({ password: `guess ${i}`, link }),
    ]);
    await Promise.allSettled(guesses.flat());
    expect(accounts.asked).toHaveLength(4);
    expect(accounts.locked).toBe(false);
  });

  test('a link of somebody else, an ended one or a made-up one is no link of theirs', async () => {
    const accounts = await open(PASSWORD);
    const request = await world.opened();
    const ended = world.requests.linkToken((await world.opened({ key: 'b'.repeat(64) })).sessions[0]!);
    const found = await world.requests.findByLink(ended);
    await world.requests.cancel(found!.request.id);
    const links = [world.requests.linkToken(request.sessions[1]!), ended, 'A'.repeat(27), 'nonsense'];
    for (const link of links) await enrol({ password: 'wrong', link }).catch(() => null);
    expect(accounts.asked).toHaveLength(2);
  });

  test('right ones and a directory that is down use nothing up', async () => {
    const accounts = await open(PASSWORD);
    accounts.down = true;
    for (let i = 0; i < 5; i++) await expect(enrol({ password: RIGHT })).rejects.toThrow(DirectoryUnavailable);
    accounts.down = false;
    for (let i = 0; i < 5; i++) await world.devices.end((await enrolled({ password: RIGHT })).id, 'retired');
  });

  test('unknown people are answered like known ones, also when there were too many', async () => {
    const accounts = await open(PASSWORD);
    const names = async (address: string) => {
      const heard: string[] = [];
      for (let i = 0; i < 4; i++)
        heard.push(
          (await enrol({ address, password: 'wrong' }).catch(
            (error: Error) => `${error.name} ${error.message}`,
          )) as string,
        );
      return heard;
    };
    expect(await names('nobody@company.test')).toEqual(await names('john@company.test'));
    expect(accounts.asked).toEqual(['john', 'john']);
  });

  test('D4 a second address of one person is answered as a stranger hears it of two that nobody has', async () => {
    await open(PASSWORD);
    const heard = (address: string) => enrol({ address, password: 'wrong' }).catch((error: Error) => error.name);
    const all = async (...addresses: string[]) => {
      const names: unknown[] = [];
      for (const address of addresses) names.push(await heard(address));
      return names;
    };
    const [one, other] = ['one@company.test', 'other@company.test'];
    const unknown = await all(one, one, one, other, other, other);
    expect(unknown).toEqual([one, other].flatMap(() => ['EnrolmentRefused', 'EnrolmentRefused', 'TooManyTries']));
    const [mail, alias] = ['john@company.test', 'j.doe@company.test'];
    expect(await all(mail, mail, mail, alias, alias, alias)).toEqual(unknown);
    await world.close();

    const accounts = await open({});
    const link = world.requests.linkToken((await world.opened()).sessions[0]!);
    const code = await adminCode();
    const wrong = code === '000000000' ? '000000001' : '000000000';
    const tries = async (address: string) => {
      const names = await Promise.all(
        Array.from({ length: 51 }, () => enrol({ address, code: wrong }).catch((error: Error) => error.name)),
      );
      return names.filter(name => name === 'TooManyTries').length;
    };
    expect([await tries(mail), await tries(alias), await tries(one), await tries(other)]).toEqual([1, 1, 1, 1]);
    // Nor do more addresses give more tries: the right code isn't even looked at.
    await expect(enrol({ address: 'john.doe@company.test', code })).rejects.toThrow(EnrolmentRefused);
    expect(await enrolled({ address: alias, code, link })).toMatchObject({ personId: 'john' });
    expect(accounts.asked).toEqual([]);
  });

  test('are in neither log nor database', async () => {
    await open(PASSWORD);
    await enrolled({ password: RIGHT });
    await enrol({ password: 'secret and wrong' }).catch(() => null);
    expect(world.log.join('')).not.toMatch(/correct horse|secret and wrong/);
  });

  test('an empty one is never asked about, and one that no level wants neither', async () => {
    const accounts = await open({});
    await expect(enrol({ password: RIGHT })).rejects.toThrow(EnrolmentRefused);
    await expect(enrol({ password: '' })).rejects.toThrow(EnrolmentRefused);
    expect(accounts.asked).toEqual([]);
  });
});

describe("an admin's code", () => {
  test('D4 a stranger who knows the address can not burn it: 49 wrong tries from one network, many from others', async () => {
    await open({});
    const link = world.requests.linkToken((await world.opened()).sessions[0]!);
    const code = await adminCode();
    const wrong = code === '000000000' ? '000000001' : '000000000';
    const guess = (client: string) => enrol({ code: wrong, client }).catch((error: Error) => error.name);
    const heard = await Promise.all(Array.from({ length: 60 }, () => guess('198.51.100.7')));
    expect(heard.filter(name => name === 'EnrolmentRefused')).toHaveLength(50);
    expect(heard.filter(name => name === 'TooManyTries')).toHaveLength(10);
    // From the stranger's own network a link helps.
    await expect(enrol({ code, client: '198.51.100.7' })).rejects.toThrow(TooManyTries);
    expect(await enrolled({ code, client: '198.51.100.7', link })).toMatchObject({ proofs: ['admin-code'] });
    await enrolled({ code: await adminCode(), client: '192.0.2.9' });
  });

  test('D4 guesses from everywhere together stay below a thousand in a quarter of an hour; a link still gets in', async () => {
    await open({});
    const link = world.requests.linkToken((await world.opened()).sessions[0]!);
    const code = await adminCode();
    const wrong = code === '000000000' ? '000000001' : '000000000';
    const heard = await Promise.all(
      Array.from({ length: 1100 }, (_, i) =>
        enrol({ code: wrong, client: `network ${i}` }).catch((error: Error) => error.name),
      ),
    );
    expect(heard.filter(name => name === 'EnrolmentRefused')).toHaveLength(1000);
    expect(await enrolled({ code, link })).toMatchObject({ personId: 'john' });
  });
});

describe('both factors where asked', () => {
  test('a password alone signs at standard, and at advanced once the code was shown, too', async () => {
    await open(BOTH);
    const device = await enrolled({ password: RIGHT });
    const phone = await world.phone('john', 'other');
    await world.devices.end('other', 'retired');
    const request = await world.opened();
    const grant = () =>
      world.requests.grantTurn(request.sessions[0]!.id, device, {
        certificateSerial: phone.serial,
        known: [0],
        utcOffset: 0,
      });
    await expect(grant()).rejects.toMatchObject({ reason: 'more-proof' });
    const code = await mailedCode(device.id);
    const shown = { password: null, link: null, client: '' };
    await expect(world.devices.prove(device, { ...shown, code: null })).rejects.toThrow(EnrolmentRefused);
    await expect(world.devices.prove(device, { ...shown, code: '999999999' })).rejects.toThrow(EnrolmentRefused);
    expect(await world.devices.prove(device, { ...shown, code })).toMatchObject({
      proofs: ['mailed-code', 'password'],
    });
    // Now only the certificate is wrong: it is another device's.
    await expect(grant()).rejects.toMatchObject({ reason: 'no-certificate' });
  });

  test('a code that is not enough by itself is not tried, so it stays good', async () => {
    const accounts = await open({
      proofs: { standard: [['mailed-code', 'password']], advanced: [['mailed-code', 'password']] },
    });
    const device = newDevice();
    const code = await mailedCode(device.id);
    await expect(enrol({ code, device })).rejects.toThrow(EnrolmentRefused);
    await expect(enrol({ code, device, password: 'wrong' })).rejects.toThrow(EnrolmentRefused);
    expect(await enrolled({ code, device, password: RIGHT })).toMatchObject({ proofs: ['mailed-code', 'password'] });
    expect(accounts.asked).toHaveLength(2);
  });

  test('devices of earlier versions have shown what was possible then', async () => {
    await open({ mailedCode: false, proofs: null });
    const phone = await world.phone('john');
    const request = await world.opened();
    expect(await world.grant(request.sessions[0]!, phone)).toMatchObject({ documents: [{}] });
    await world.close();
    await open({ mailedCode: true, proofs: BOTH.proofs });
    const old = await world.phone('john');
    const again = await world.opened();
    await expect(world.grant(again.sessions[0]!, old)).rejects.toThrow(Conflict);
  });
});

describe('beside another active device', () => {
  const waits = async (device: ReturnType<typeof newDevice>, code: string) => {
    const outcome = await enrol({ device, code });
    if (outcome.state !== 'waiting') throw new Error('set up at once');
    return outcome;
  };

  test('D4 a mailed code waits until that one confirms; exactly one answer counts', async () => {
    await open({});
    const old = (await world.phone('john', 'old')).device;
    const device = newDevice('New phone');
    const { pending, others, more } = await waits(device, await mailedCode(device.id));
    // This company uses no passwords.
    expect(more).toEqual([['admin-code']]);
    expect(others.map(({ id }) => id)).toEqual(['old']);
    expect(pending.matching).toMatch(/^\d{4}$/);
    expect(await world.devices.find(device.id)).toBeNull();
    expect(await world.devices.waiting('john')).toMatchObject([{ device: { name: 'New phone' } }]);
    const janes = (await world.phone('jane', 'hers')).device;
    expect(await world.devices.answer(janes, device.id, true)).toBe(false);
    const answers = await Promise.all(Array.from({ length: 10 }, () => world.devices.answer(old, device.id, true)));
    expect(answers.filter(Boolean)).toHaveLength(1);
    expect(await world.devices.enrolment(device.id)).toMatchObject({
      state: 'enrolled',
      device: { proofs: ['mailed-code'], confirmedBy: 'old' },
    });
    expect(await world.devices.find('old')).toMatchObject({ state: 'active' });
    expect(await world.devices.waiting('john')).toEqual([]);
  });

  test('D4 refused there, or too late, it is gone', async () => {
    await open({});
    const old = (await world.phone('john', 'old')).device;
    const refused = newDevice();
    await waits(refused, await mailedCode(refused.id));
    expect(await world.devices.answer(old, refused.id, false)).toBe(true);
    expect(await world.devices.enrolment(refused.id)).toBeNull();
    const late = newDevice();
    await waits(late, await mailedCode(late.id));
    world.pass(15 * 60_000);
    expect(await world.devices.enrolment(late.id)).toBeNull();
    expect(await world.devices.answer(old, late.id, true)).toBe(false);
    await expect(
      world.devices.continueEnrolment(late.id, { password: null, code: null, link: null, client: '', replaces: 'old' }),
    ).rejects.toThrow(EnrolmentRefused);
    expect((await world.devices.listForPerson('john')).map(({ id }) => id)).toEqual(['old']);
  });

  test('D4 replacing the only one is enough with proofs as good as its own, and retires only that one', async () => {
    await open({});
    await world.phone('john', 'old');
    const device = newDevice();
    await waits(device, await mailedCode(device.id));
    const shown = { password: null, code: null, link: null, client: '' };
    expect(await world.devices.continueEnrolment(device.id, { ...shown, replaces: 'old' })).toMatchObject({
      state: 'enrolled',
    });
    expect(await world.devices.find('old')).toMatchObject({ state: 'retired' });
  });

  test('a mailed code never takes the place of a device that more was shown for', async () => {
    await open({});
    const old = await enrolled({ code: await adminCode() });
    const device = newDevice();
    await waits(device, await mailedCode(device.id));
    const shown = { password: null, code: null, link: null, client: '' };
    expect(await world.devices.continueEnrolment(device.id, { ...shown, replaces: old.id })).toMatchObject({
      state: 'waiting',
    });
    expect(await world.devices.find(old.id)).toMatchObject({ state: 'active' });
    const code = await adminCode();
    expect(await world.devices.continueEnrolment(device.id, { ...shown, code, replaces: old.id })).toMatchObject({
      state: 'enrolled',
      device: { proofs: ['mailed-code', 'admin-code'] },
    });
    expect(await world.devices.find(old.id)).toMatchObject({ state: 'retired' });
  });

  test('D4 with two active, replacing one of them unseen is not enough: the other must confirm', async () => {
    await open({});
    const lost = await world.phone('john', 'lost');
    const other = (await world.phone('john', 'other')).device;
    const device = newDevice();
    await waits(device, await mailedCode(device.id));
    const shown = { password: null, code: null, link: null, client: '' };
    expect(await world.devices.continueEnrolment(device.id, { ...shown, replaces: 'lost' })).toMatchObject({
      state: 'waiting',
    });
    expect(await world.devices.find('lost')).toMatchObject({ state: 'active' });
    await world.devices.answer(other, device.id, true);
    const states = (await world.devices.listForPerson('john')).map(({ id, state }) => [id, state]);
    expect(await world.registry.find(lost.serial)).toMatchObject({ reason: 'superseded' });
    expect(Object.fromEntries(states)).toEqual({ lost: 'retired', other: 'active', [device.id]: 'active' });
  });

  test('who holds the key of an active device needs no other', async () => {
    await open({});
    await world.phone('john', 'old');
    await world.phone('john', 'kept');
    const device = newDevice();
    const code = await mailedCode(device.id);
    await enrolled({ device, code, replaces: { deviceId: 'old', held: true } });
    expect(await world.devices.find('old')).toMatchObject({ state: 'retired' });
    expect(await world.devices.find('kept')).toMatchObject({ state: 'active' });
  });

  test('two factors are a stronger proof', async () => {
    await open(BOTH);
    await world.phone('john', 'old');
    const device = newDevice();
    const outcome = await enrol({ device, password: RIGHT });
    expect(outcome).toMatchObject({ state: 'waiting', more: [['admin-code'], ['mailed-code']] });
    const code = await mailedCode(device.id);
    const more = { password: null, code, link: null, client: '', replaces: null };
    expect(await world.devices.continueEnrolment(device.id, more)).toMatchObject({ state: 'enrolled' });
    expect(await world.devices.find('old')).toMatchObject({ state: 'active' });
  });
});

test("D4 a key that waits for one person shows another number when it waits for another's", async () => {
  await open(PASSWORD);
  await world.phone('john');
  await world.phone('jane');
  const device = newDevice();
  const numbers = new Set<string>();
  // Four digits may be the same by chance: not three times in a row.
  for (const address of ['john', 'jane', 'john', 'jane'].map(name => `${name}@company.test`)) {
    const outcome = await enrol({ address, password: RIGHT, device });
    if (outcome.state === 'waiting') numbers.add(outcome.pending.matching);
  }
  expect(numbers.size).toBeGreaterThan(1);
});

describe('one key at once', () => {
  test('an answer that got lost, asked for again while the first is under way: the same answer, one device', async () => {
    await open({});
    const device = newDevice();
    const code = await adminCode();
    const outcomes = await Promise.all([1, 2, 3].map(() => enrol({ code, device })));
    expect(outcomes.map(({ state }) => state)).toEqual(['enrolled', 'enrolled', 'enrolled']);
    expect(await world.devices.listForPerson('john')).toHaveLength(1);
    // It counts for this key and person alone.
    await expect(enrol({ code, device: newDevice() })).rejects.toThrow(EnrolmentRefused);
    await expect(enrol({ code, device, address: 'jane@company.test' })).rejects.toThrow(EnrolmentRefused);
  });

  test('confirmed by two devices while its maker shows more: set up once, and nobody hears of a fault', async () => {
    await open({});
    const [first, second] = [await world.phone('john', 'first'), await world.phone('john', 'second')];
    for (let round = 0; round < 5; round++) {
      const device = newDevice();
      const link = world.requests.linkToken((await world.opened({ key: `${round}`.repeat(64) })).sessions[0]!);
      await enrol({ code: await mailedCode(device.id, link), device, link });
      const code = await adminCode();
      const shown = { password: null, code, link, client: '192.0.2.1', replaces: null };
      const [a, b, more] = await Promise.all([
        world.devices.answer(first.device, device.id, true),
        world.devices.answer(second.device, device.id, true),
        world.devices.continueEnrolment(device.id, shown),
      ]);
      expect([a, b].filter(Boolean).length).toBeLessThan(2);
      expect(more).toMatchObject({ state: 'enrolled', device: { id: device.id } });
      const devices = await world.devices.listForPerson('john');
      expect(devices.filter(({ id }) => id === device.id)).toHaveLength(1);
      expect(await world.devices.waiting('john')).toEqual([]);
    }
  });
});
