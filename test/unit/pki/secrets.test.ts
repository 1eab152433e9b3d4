/** The keys of links and verdicts, and what one made when another has taken its place. */
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { splitMessage } from '../../../src/intake/raw-message.ts';
import { checkVerdict, signVerdict, VERDICT_HEADER, VerdictInvalid } from '../../../src/intake/verdict.ts';
import { changingKeys, KeysBusy } from '../../../src/pki/key-exchange.ts';
import { retiredFolder, rotateSecret, Secrets, secretPath } from '../../../src/pki/secrets.ts';
import { linkHash, linkToken, sessionToken } from '../../../src/requests/links.ts';
import { DAY, Workspace } from './support.ts';

const workspace = new Workspace();
afterAll(() => workspace.remove());

const START = new Date('2026-03-01T10:00:00.123Z');
const onDay = (days: number): Date => new Date(START.getTime() + days * DAY);
let folder: string;
let count = 0;

beforeEach(() => {
  folder = workspace.path(`${++count}`);
  for (const name of ['link', 'verdict'])
    workspace.put(`${count}/keys/${name}.key`, `${name === 'link' ? 'aa' : 'bb'}`.repeat(32));
});

describe('C3 rotate link, verdict: the key', () => {
  test('is exchanged for one of 32 random bytes that only its owner reads; the old one is kept, with its time', async () => {
    const before = new Secrets(folder, 'link').newest;
    const { newest, retired } = await rotateSecret(folder, 'link', START);
    expect(retired).toBe(join(folder, 'keys/retired/link-20260301T100000123Z.key'));
    expect(readFileSync(retired, 'utf8')).toBe('aa'.repeat(32));
    expect(readFileSync(secretPath(folder, 'link'), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
    for (const path of [retired, secretPath(folder, 'link')]) expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'keys')).sort()).toEqual(['link.key', 'retired', 'verdict.key']);
    expect(newest.id).not.toBe(before.id);
    expect(new Secrets(folder, 'link').all()).toEqual([newest, { ...before, retiredAt: START }]);
    // The other one's keys are its own.
    expect(new Secrets(folder, 'verdict').all()).toHaveLength(1);
  });

  test('is taken by who has the old one when told to look again', async () => {
    const secrets = new Secrets(folder, 'verdict');
    const before = secrets.newest;
    const { newest } = await rotateSecret(folder, 'verdict', START);
    expect(secrets.newest).toBe(before);
    secrets.reload();
    expect(secrets.newest).toEqual(newest);
  });

  test('a newest key that is damaged is not used: those before it stay', () => {
    const secrets = new Secrets(folder, 'verdict');
    const before = secrets.all();
    writeFileSync(secretPath(folder, 'verdict'), 'bb');
    expect(() => secrets.reload()).toThrow('must hold at least 32 bytes');
    expect(secrets.all()).toEqual(before);
  });

  test('a damaged key is not rotated: among the old ones it would be in the way', async () => {
    writeFileSync(secretPath(folder, 'link'), 'none');
    await expect(rotateSecret(folder, 'link', START)).rejects.toThrow('must hold at least 32 bytes');
    expect(existsSync(retiredFolder(folder))).toBe(false);
  });

  test('a rotation that was cut short leaves the old key in use, and is begun anew', async () => {
    const before = new Secrets(folder, 'link').newest;
    mkdirSync(retiredFolder(folder));
    linkSync(secretPath(folder, 'link'), join(retiredFolder(folder), 'link-20260228T100000000Z.key'));
    writeFileSync(join(folder, 'keys/link.next.key'), 'half');
    chmodSync(join(folder, 'keys/link.next.key'), 0o400);
    expect(new Secrets(folder, 'link').all()).toEqual([before]);
    const { newest } = await rotateSecret(folder, 'link', START);
    expect(new Secrets(folder, 'link').all()).toEqual([newest, { ...before, retiredAt: START }]);
    expect(existsSync(join(folder, 'keys/link.next.key'))).toBe(false);
  });

  test('one command at a time changes keys; the other says so and does nothing', async () => {
    let inner: unknown = null;
    await changingKeys(folder, async () => {
      inner = await changingKeys(folder, () => rotateSecret(folder, 'link', START)).catch((error: unknown) => error);
    });
    expect(inner).toBeInstanceOf(KeysBusy);
    expect(existsSync(retiredFolder(folder))).toBe(false);
    await changingKeys(folder, () => rotateSecret(folder, 'link', START));
    expect(readdirSync(retiredFolder(folder))).toHaveLength(1);
  });
});

describe('C3 rotate verdict', () => {
  const lifetime = 10 * DAY;
  const raw = 'From: mary@company.com\r\nTo: john@sign.company.com\r\nSubject: contract\r\n\r\nplease\r\n';
  const verdict = (time: Date) =>
    ({ senderId: 'mary', method: 'sasl', time, queueId: '4A', recipients: ['john@sign.company.com'] }) as const;
  /** As the gateway does. */
  const keysAt = (now: Date) => new Secrets(folder, 'verdict').all(new Date(now.getTime() - lifetime));
  const mailed = (time: Date): string =>
    `${VERDICT_HEADER}: ${signVerdict(verdict(time), splitMessage(Buffer.from(raw)), keysAt(time)[0])}\r\n${raw}`;
  const believed = (message: string, now: Date): boolean => {
    try {
      return checkVerdict(splitMessage(Buffer.from(message)), keysAt(now), lifetime, now).senderId === 'mary';
    } catch (error) {
      if (error instanceof VerdictInvalid) return false;
      throw error;
    }
  };

  test('mail that was in the queue is believed for its time; whoever has the old key makes no verdict after that', async () => {
    const stolen = new Secrets(folder, 'verdict').newest;
    const queued = mailed(onDay(0));
    await rotateSecret(folder, 'verdict', onDay(0));
    await rotateSecret(folder, 'verdict', onDay(3));
    expect(believed(queued, onDay(9.9))).toBe(true);
    expect(believed(queued, onDay(10.1))).toBe(false);
    expect(believed(mailed(onDay(4)), onDay(5))).toBe(true);
    const forged = (time: Date): string =>
      `${VERDICT_HEADER}: ${signVerdict(verdict(time), splitMessage(Buffer.from(raw)), stolen)}\r\n${raw}`;
    expect(believed(forged(onDay(10)), onDay(10))).toBe(false);
    expect(believed(forged(onDay(10.2)), onDay(10.2))).toBe(false);
    // Where the old one was stolen, taking it away ends it at once.
    rmSync(join(retiredFolder(folder), 'verdict-20260301T100000123Z.key'));
    expect(believed(queued, onDay(9.9))).toBe(false);
    // The second rotation's old key is good until day 13.
    expect(keysAt(onDay(10.2))).toHaveLength(2);
    expect(keysAt(onDay(13.1))).toHaveLength(1);
  });
});

describe('C3 rotate link', () => {
  test('links that are out are found again by the key that made them; new ones are made with the new key', async () => {
    const secrets = new Secrets(folder, 'link');
    const keys = {
      all: () => {
        const [newest, ...older] = secrets.all();
        return [newest.secret, ...older.map(({ secret }) => secret)] as const;
      },
      reload: () => secrets.reload(),
    };
    const session = (id: string, key: Uint8Array) => ({ id, linkHash: linkHash(linkToken(key, id))! });
    const before = session('one', keys.all()[0]);
    const token = sessionToken(keys, before);
    await rotateSecret(folder, 'link', START);
    // Made by another process that knows the new key already.
    const made = session('two', new Secrets(folder, 'link').newest.secret);
    expect(linkHash(sessionToken(keys, made))).toBe(made.linkHash);
    expect(sessionToken(keys, before)).toBe(token);
    expect(() => sessionToken(keys, { id: 'three', linkHash: made.linkHash })).toThrow('the key is gone');
  });
});
