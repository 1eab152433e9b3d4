/** `signpost device` beside other devices of the same person, as processes against the real gateway. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Gateway, JOHN, startGateway } from '../http/gateway.ts';

let gateway: Gateway;
let folder: string;
let runner: string;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  gateway = await startGateway();
  folder = mkdtempSync(join(tmpdir(), 'signpost-devices-'));
  runner = join(folder, 'run.ts');
  const command = new URL('../../../src/commands/device.ts', import.meta.url).pathname;
  writeFileSync(
    runner,
    `import { deviceCommand } from '${command}';
     await deviceCommand().parseAsync().catch(error => { console.error(error.message); process.exitCode = 1; });`,
  );
});
afterAll(async () => {
  for (const child of running) child.kill();
  await gateway?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Run {
  /** What it has written so far to standard error. */
  readonly said: () => string;
  readonly ended: Promise<{ readonly status: number | null; readonly out: string; readonly err: string }>;
}

function start(name: string, command: string, ...rest: string[]): Run {
  const child = spawn(process.execPath, [runner, command, '--store', join(folder, name), ...rest], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let out = '';
  let err = '';
  child.stdout.on('data', (data: Buffer) => {
    out += data;
  });
  child.stderr.on('data', (data: Buffer) => {
    err += data;
  });
  const ended = new Promise<{ status: number | null; out: string; err: string }>(resolve => {
    child.on('close', status => {
      running.delete(child);
      resolve({ status, out, err });
    });
  });
  return { said: () => err, ended };
}

const device = (name: string, command: string, ...rest: string[]) => start(name, command, ...rest).ended;

/** Starts to enrol with a mailed code; resolves when it waits for another device. */
async function enrolByMail(name: string): Promise<Run & { readonly number: string }> {
  const { deviceOf, code } = await mailedCode(name);
  const run = start(name, 'enrol', gateway.url, JOHN.mail, '--code', code, '--name', name);
  await expect.poll(run.said, { timeout: 20_000 }).toContain('Confirm this new device there');
  expect(await gateway.devices.find(deviceOf)).toBeNull();
  return { ...run, number: /the number (\d{4})/.exec(run.said())![1]! };
}

/** Has a code mailed for the key that this folder keeps. */
async function mailedCode(name: string): Promise<{ readonly deviceOf: string; readonly code: string }> {
  const { SignpostDevice } = await import('../../../src/client/device.ts');
  const { fileStore } = await import('../../../src/commands/device-store.ts');
  const { exportPublicKey, thumbprint } = await import('../../../src/client/keys.ts');
  const store = fileStore(join(folder, name), gateway.url);
  const before = (await gateway.store.outbox.lease(1000, 0, new Date())).length;
  await (await SignpostDevice.open({ origin: gateway.url, store })).requestCode(JOHN.mail, null);
  const rows = await gateway.store.outbox.lease(1000, 0, new Date());
  expect(rows).toHaveLength(before + 1);
  const mail = Buffer.from(await gateway.store.blobs.get(rows.at(-1)!.blob)).toString();
  const { pending } = await store.load();
  const deviceOf = await thumbprint(await exportPublicKey(pending!.publicKey));
  return { deviceOf, code: /^\s*(\d{3}) ?(\d{3})\s*$/m.exec(mail)!.slice(1).join('') };
}

test('D4 a second one waits until the first confirms; they are listed, renamed and removed', async () => {
  const { code } = await gateway.devices.createAdminCode(JOHN.id);
  expect((await device('first', 'enrol', gateway.url, JOHN.mail, '--code', code, '--name', 'First')).status).toBe(0);
  expect((await device('first', 'confirm')).out).toContain('No new device of yours waits');

  const refused = await enrolByMail('second');
  expect((await device('first', 'confirm')).out).toContain(`“second” shows ${refused.number}`);
  const wrong = refused.number === '0000' ? '0001' : '0000';
  expect(await device('first', 'confirm', wrong)).toMatchObject({ status: 1, err: expect.stringContaining('shows') });
  expect((await device('first', 'confirm', refused.number, '--refuse')).out).toContain('is refused');
  expect(await refused.ended).toMatchObject({ status: 1, err: expect.stringContaining('was not confirmed') });

  const second = await enrolByMail('second');
  expect((await device('first', 'confirm', second.number)).out).toContain('a device of yours now');
  expect(await second.ended).toMatchObject({ status: 0, out: expect.stringContaining('device of John Doe') });

  expect((await device('second', 'rename', 'My terminal')).status).toBe(0);
  const list = JSON.parse((await device('first', 'devices', '--json')).out) as { name: string }[];
  expect(list.map(({ name }) => name)).toEqual(['First', 'My terminal']);
  expect((await device('first', 'remove', 'My terminal')).out).toContain('“My terminal” is removed');
  expect((await device('second', 'list')).err).toContain('nothing here for this device');
  expect((await gateway.devices.listForPerson(JOHN.id)).map(({ state }) => state)).toEqual(['active', 'revoked']);
});

test('a password is read from a file, and one that no level asks for is refused in words', async () => {
  const file = join(folder, 'password');
  writeFileSync(file, 'some password\n');
  const refused = await device('third', 'enrol', gateway.url, JOHN.mail, '--password-file', file);
  expect(refused).toMatchObject({
    status: 1,
    err: expect.stringContaining('wrong, expired, used already or not enough'),
  });
  writeFileSync(file, '\n');
  const empty = await device('third', 'enrol', gateway.url, JOHN.mail, '--password-file', file);
  expect(empty).toMatchObject({ status: 1, err: expect.stringContaining('no password in its first line') });
});
