/** Key files that change while the gateway runs. */
import { renameSync, rmSync, utimesSync } from 'node:fs';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { type KeyWatch, watchKeys } from '../../../src/gateway/key-watch.ts';
import { silent, Workspace } from '../pki/support.ts';

const workspace = new Workspace();
afterAll(() => workspace.remove());

let watch: KeyWatch;
let looks = 0;
/** How many run at this moment, and did at most. */
let running = 0;
let most = 0;
let fails = false;

beforeEach(() => {
  for (const name of ['keys/verdict.key', 'keys/retired/verdict-1.key', 'certs/seal.pem']) workspace.put(name, 'one');
  [looks, running, most, fails] = [0, 0, 0, false];
  watch = watchKeys(
    workspace.folder,
    async () => {
      looks += 1;
      running += 1;
      most = Math.max(most, running);
      await new Promise(resolve => setTimeout(resolve, 20));
      running -= 1;
      if (fails) throw new Error('half a file');
    },
    silent,
  );
});
afterEach(() => watch.stop());

const seen = (count: number) => expect.poll(() => looks, { timeout: 30_000 }).toBeGreaterThanOrEqual(count);

test.each([
  [
    'a file of another name takes its place',
    () => renameSync(workspace.put('next', 'two'), workspace.path('keys/verdict.key')),
  ],
  ['a certificate is written', () => workspace.put('certs/seal.pem', 'another')],
  ['a key comes', () => workspace.put('keys/seal.p8', 'one')],
  ['an old key is taken away', () => rmSync(workspace.path('keys/retired/verdict-1.key'))],
])('C3 is looked at by itself: %s', async (_, change) => {
  change();
  await seen(1);
});

test('a file that was merely read is not looked at', async () => {
  const path = workspace.path('certs/seal.pem');
  utimesSync(path, new Date(), new Date('2026-01-01T00:00:00Z'));
  await seen(1);
  utimesSync(path, new Date('2026-02-01T00:00:00Z'), new Date('2026-01-01T00:00:00Z'));
  renameSync(workspace.put('next', 'two'), workspace.path('keys/verdict.key'));
  await seen(2);
  expect(looks).toBe(2);
});

test('looks happen one after the other, and one that is still to come sees all that has changed before it', async () => {
  await Promise.all([watch.look(), watch.look(), watch.look()]);
  expect([looks, most]).toEqual([1, 1]);
  const first = watch.look();
  await new Promise(resolve => setTimeout(resolve, 5));
  await Promise.all([first, watch.look(), watch.look()]);
  expect([looks, most]).toEqual([3, 1]);
});

test('one that fails does not end the others', async () => {
  fails = true;
  await watch.look();
  fails = false;
  await watch.look();
  expect(looks).toBe(2);
});
