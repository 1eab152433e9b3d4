import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ComposedMail } from '../../../src/outbound/mail.ts';
import { forgetSettledMails, type Sender, type SenderOptions, startSender } from '../../../src/outbound/sender.ts';
import type { SqliteStore } from '../../../src/store/sqlite.ts';
import type { OutboxRow } from '../../../src/store/store.ts';
import { startPrivatePostfix } from '../../../src/tryout/postfix.ts';
import { startSink } from '../../support/sink.ts';
import { hasPostfix } from '../../support/tools.ts';
import { enqueue, openStore } from './outbox.ts';
import { composer, john, samples } from './samples.ts';
import { type ScriptedSmtp, type Step, startScriptedSmtp } from './scripted-smtp.ts';

const START = new Date('2026-11-24T09:30:00Z');
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let folder: string;
let clock: Date;
let store: SqliteStore;
/** Ends what a test started, last first. */
let endings: (() => Promise<void>)[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signpost-sender-'));
  clock = START;
  store = await openStore(folder, () => clock);
  endings = [];
});

afterEach(async () => {
  for (const end of endings.reverse()) await end();
  await store.close();
  rmSync(folder, { recursive: true });
});

async function smtp(answer: Parameters<typeof startScriptedSmtp>[0], port?: number): Promise<ScriptedSmtp> {
  const server = await startScriptedSmtp(answer, port);
  endings.push(() => server.stop());
  return server;
}

function send(port: number, change: Partial<SenderOptions> = {}): Sender {
  const sender = startSender({
    outbox: store.outbox,
    blobs: store.blobs,
    smtp: { host: '127.0.0.1', port },
    now: () => clock,
    logger: pino({ level: 'silent' }),
    random: () => 0.5,
    pollMs: 10,
    ...change,
  });
  endings.push(() => sender.stop());
  return sender;
}

/** One mail of a few kB to `address`. */
async function put(id: string, address = john.mail): Promise<{ row: OutboxRow; mail: ComposedMail }> {
  const mail = await composer.compose(samples['enrolment-code']!.mail, { ...john, mail: address }, id, START);
  return { mail, row: await enqueue(store, id, mail, START) };
}

/** The row once it fits. */
async function until(id: string, fits: (row: OutboxRow) => boolean): Promise<OutboxRow> {
  for (;;) {
    const row = await store.outbox.find(id);
    if (row && fits(row)) return row;
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}

describe('a mail that is taken', () => {
  test('goes out byte for byte with its own envelope, and the reply is kept', async () => {
    const server = await smtp(() => undefined);
    const { mail } = await put('row1');
    send(server.port);
    const row = await until('row1', ({ state }) => state !== 'pending');
    expect(row).toMatchObject({ state: 'sent', attempts: 1, lastReply: '250 2.0.0 Ok: queued as 4XYZ12' });
    expect(server.mails).toHaveLength(1);
    expect(server.mails[0]!.bytes.equals(mail.bytes)).toBe(true);
    expect(server.mails[0]).toMatchObject({
      from: 'bounce+row1@sign.company.com',
      to: john.mail,
      parameters: `SIZE=${mail.bytes.length}`,
    });
  });

  test('C8 its bytes, which hold a code in clear, are gone then, and also when the process ended in between', async () => {
    const server = await smtp(() => undefined);
    const { row } = await put('row1');
    await expect(store.blobs.get(row.blob)).resolves.toBeDefined();
    const sender = send(server.port);
    await until('row1', ({ state }) => state === 'sent');
    await expect.poll(() => store.blobs.get(row.blob).catch(String)).toMatch(/no blob/);
    await sender.stop();
    const { row: waiting } = await put('row2');
    await store.blobs.put(server.mails[0]!.bytes);
    await forgetSettledMails(store.outbox, store.blobs, pino({ level: 'silent' }));
    await expect(store.blobs.get(row.blob)).rejects.toThrow('no blob');
    await expect(store.blobs.get(waiting.blob)).resolves.toBeDefined();
  });

  test('wake sends at once what was added; pause keeps everything until resume', async () => {
    const server = await smtp(() => undefined);
    const sender = send(server.port, { pollMs: 3_600_000 });
    await put('row1');
    sender.wake();
    await until('row1', ({ state }) => state === 'sent');
    await sender.pause();
    await put('row2');
    sender.wake();
    await new Promise(resolve => setTimeout(resolve, 100));
    expect((await store.outbox.find('row2'))!.state).toBe('pending');
    sender.resume();
    await until('row2', ({ state }) => state === 'sent');
  });

  test('pause waits for the mail that is under way', async () => {
    let reply: (text: string) => void = () => {};
    const arrived = Promise.withResolvers<void>();
    const server = await smtp(step => {
      if (step !== 'MESSAGE') return undefined;
      arrived.resolve();
      return new Promise<string>(resolve => {
        reply = resolve;
      });
    });
    await put('row1');
    const sender = send(server.port);
    await arrived.promise;
    const paused = sender.pause();
    reply('250 done');
    await paused;
    expect((await store.outbox.find('row1'))!.state).toBe('sent');
  });

  test('a hundred mails go over few connections, each once', async () => {
    const server = await smtp(() => undefined);
    for (let index = 0; index < 100; index++) await put(`row${index}`, `person${index}@company.com`);
    send(server.port, { parallel: 3 });
    for (let index = 0; index < 100; index++) await until(`row${index}`, ({ state }) => state === 'sent');
    expect(new Set(server.mails.map(({ to }) => to)).size).toBe(100);
    expect(server.mails).toHaveLength(100);
    expect(server.connections()).toBeLessThanOrEqual(6);
  });
});

describe('a mail that is not taken', () => {
  const answerFor = (step: Step, address: string, reply: string | null) => (at: Step, mail: { to: string }) =>
    at === step && mail.to === address ? reply : undefined;

  test('4xx: is tried again later, while others go out', async () => {
    let times = 0;
    const server = await smtp((step, { to }) => {
      if (step !== 'RCPT' || to !== 'busy@company.com') return undefined;
      times += 1;
      return times <= 2 ? '450 4.2.0 Mailbox busy' : undefined;
    });
    await put('busy', 'busy@company.com');
    await put('other');
    send(server.port);
    await until('other', ({ state }) => state === 'sent');
    const first = await until('busy', ({ attempts }) => attempts === 1);
    expect(first).toMatchObject({ state: 'pending', lastReply: '450 4.2.0 Mailbox busy' });
    expect(first.nextAttemptAt.getTime()).toBe(START.getTime() + 0.75 * MINUTE);
    clock = new Date(clock.getTime() + MINUTE);
    const second = await until('busy', ({ attempts }) => attempts === 2);
    expect(second.nextAttemptAt.getTime()).toBe(clock.getTime() + 1.5 * MINUTE);
    clock = new Date(clock.getTime() + 2 * MINUTE);
    await until('busy', ({ state }) => state === 'sent');
  });

  test('4xx for five days: fails, and the caller is told', async () => {
    const failed: [string, string][] = [];
    const server = await smtp(answerFor('RCPT', john.mail, '450 4.2.0 Mailbox busy'));
    await put('row1');
    send(server.port, { onFailed: (row, reply) => void failed.push([row.id, reply]) });
    await until('row1', ({ attempts }) => attempts === 1);
    clock = new Date(START.getTime() + 5 * DAY);
    await until('row1', ({ state }) => state === 'failed');
    expect(failed).toEqual([['row1', '450 4.2.0 Mailbox busy']]);
  });

  test.each([
    ['RCPT', '550 5.1.1 <john.doe@company.com>: No such user'],
    ['MESSAGE', '554 5.7.1 Looks like spam'],
    ['MESSAGE', '552 5.2.2 Mailbox full'],
  ] as const)('5xx to %s: %s fails at once with the reply kept', async (step, reply) => {
    const failed: string[] = [];
    const server = await smtp(answerFor(step, john.mail, reply));
    await put('row1');
    await put('other', 'other@company.com');
    send(server.port, { onFailed: row => void failed.push(row.id), onTooBig: () => expect.unreachable() });
    expect(await until('row1', ({ state }) => state !== 'pending')).toMatchObject({
      state: 'failed',
      lastReply: reply,
      attempts: 1,
    });
    await until('other', ({ state }) => state === 'sent');
    expect(failed).toEqual(['row1']);
  });

  test.each([
    ['MAIL', '552 5.3.4 Message size exceeds fixed limit'],
    ['MESSAGE', '552 Message exceeds maximum size'],
    ['MESSAGE', '554 5.3.4 Message too big for system'],
  ] as const)('too big, to %s: %s is told as such', async (step, reply) => {
    const told: string[] = [];
    const server = await smtp(at => (at === step ? reply : undefined));
    await put('row1');
    send(server.port, { onTooBig: row => void told.push(row.id), onFailed: () => expect.unreachable() });
    expect((await until('row1', ({ state }) => state === 'failed')).lastReply).toBe(reply);
    expect(told).toEqual(['row1']);
  });

  test('too big by the server’s SIZE: nothing is sent', async () => {
    const told: string[] = [];
    const server = await smtp(step => (step === 'EHLO' ? '250-mx\r\n250 SIZE 1000' : undefined));
    await put('row1');
    // The size is announced; this server refuses nothing by itself, so the client must.
    send(server.port, { onTooBig: row => void told.push(row.id) });
    await until('row1', ({ state }) => state === 'failed');
    expect(told).toEqual(['row1']);
    expect(server.mails).toEqual([]);
  });

  test('the caller can’t take the news now: the mail stays and the news comes again', async () => {
    let times = 0;
    const server = await smtp(answerFor('RCPT', john.mail, '550 5.1.1 No such user'));
    await put('row1');
    send(server.port, {
      onFailed: () => {
        times += 1;
        if (times === 1) throw new Error('the database is busy');
      },
    });
    expect(await until('row1', ({ attempts }) => attempts === 1)).toMatchObject({ state: 'pending' });
    clock = new Date(clock.getTime() + MINUTE);
    await until('row1', ({ state }) => state === 'failed');
    expect(times).toBe(2);
  });

  test.each(['CONNECT', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'MESSAGE'] as const)(
    'a connection cut at %s: the same bytes again',
    async step => {
      let cut = true;
      const server = await smtp(at => {
        if (at !== step || !cut) return undefined;
        cut = false;
        return null;
      });
      const { mail } = await put('row1');
      send(server.port);
      await until('row1', ({ attempts }) => attempts === 1);
      clock = new Date(clock.getTime() + 5 * MINUTE);
      await until('row1', ({ state }) => state === 'sent');
      // Cut after the message had come in whole: it is there twice, and the two are one.
      expect(server.mails).toHaveLength(step === 'MESSAGE' ? 2 : 1);
      for (const { bytes } of server.mails) expect(bytes.equals(mail.bytes)).toBe(true);
    },
  );

  test.each(['421 4.3.2 Shutting down', '554 5.7.1 No service for you'])(
    'a server that greets with %s fails no mail',
    async greeting => {
      let open = false;
      const server = await smtp(step => (step === 'CONNECT' && !open ? greeting : undefined));
      await put('row1');
      send(server.port);
      expect(await until('row1', ({ attempts }) => attempts === 1)).toMatchObject({ state: 'pending' });
      open = true;
      clock = new Date(clock.getTime() + 5 * MINUTE);
      await until('row1', ({ state }) => state === 'sent');
    },
  );

  test('no server at all: few attempts, and all goes out when it is back', async () => {
    const first = await startScriptedSmtp(() => undefined);
    await first.stop();
    for (let index = 0; index < 30; index++) await put(`row${index}`, `person${index}@company.com`);
    send(first.port);
    await until('row0', ({ attempts }) => attempts === 1);
    await new Promise(resolve => setTimeout(resolve, 200));
    let tried = 0;
    for (let index = 0; index < 30; index++) tried += (await store.outbox.find(`row${index}`))!.attempts;
    // The clock stands still, so the hold after the first failures does too.
    expect(tried).toBeLessThanOrEqual(3);
    const server = await smtp(() => undefined, first.port);
    clock = new Date(clock.getTime() + 5 * MINUTE);
    for (let index = 0; index < 30; index++) await until(`row${index}`, ({ state }) => state === 'sent');
    expect(server.mails).toHaveLength(30);
  });

  test('one address that hangs keeps no other from its mail, nor is it sent twice meanwhile', async () => {
    let reply: (text: string) => void = () => {};
    const server = await smtp((step, { to }) =>
      step === 'MESSAGE' && to === 'slow@company.com'
        ? new Promise<string>(resolve => {
            reply = resolve;
          })
        : undefined,
    );
    await put('slow', 'slow@company.com');
    for (let index = 0; index < 20; index++) await put(`row${index}`, `person${index}@company.com`);
    send(server.port, { leaseMs: 1000 });
    for (let index = 0; index < 20; index++) await until(`row${index}`, ({ state }) => state === 'sent');
    // Its lease runs out, but it is under way here.
    for (let index = 0; index < 5; index++) {
      clock = new Date(clock.getTime() + 2000);
      await new Promise(resolve => setTimeout(resolve, 30));
    }
    reply('250 2.0.0 at last');
    await until('slow', ({ state }) => state === 'sent');
    expect(server.mails.filter(({ to }) => to === 'slow@company.com')).toHaveLength(1);
  });
});

describe('faults on our side', () => {
  test('killed after the server’s 250: the next process sends the identical bytes once more', async () => {
    const script = fileURLToPath(new URL('sender-process.ts', import.meta.url));
    let victim: ReturnType<typeof spawn> | null = null;
    const server = await smtp(async step => {
      if (step !== 'MESSAGE' || victim === null) return undefined;
      // The server has the message; its 250 finds nobody.
      victim.kill('SIGKILL');
      await once(victim, 'exit');
      victim = null;
      return undefined;
    });
    const { mail } = await put('row1');
    const child = spawn(process.execPath, [script, folder, String(server.port), START.toISOString()], {
      stdio: 'ignore',
    });
    victim = child;
    endings.push(async () => void child.kill('SIGKILL'));
    await once(child, 'exit');
    expect(await store.outbox.find('row1')).toMatchObject({ state: 'pending', attempts: 0 });
    // The dead process's lease has to run out first.
    clock = new Date(START.getTime() + MINUTE);
    send(server.port);
    await until('row1', ({ state }) => state === 'sent');
    expect(server.mails).toHaveLength(2);
    for (const { bytes } of server.mails) expect(bytes.equals(mail.bytes)).toBe(true);
  });

  test('a full disk after the 250: the mail is not sent again', async () => {
    const server = await smtp(() => undefined);
    await put('row1');
    let refusals = 3;
    send(server.port, {
      leaseMs: 1,
      outbox: {
        lease: (...args) => store.outbox.lease(...args),
        find: id => store.outbox.find(id),
        listForRequest: id => store.outbox.listForRequest(id),
        listSettled: limit => store.outbox.listSettled(limit),
        update: async (id, result) => {
          clock = new Date(clock.getTime() + 1000);
          refusals -= 1;
          if (refusals >= 0) throw new Error('database or disk is full');
          await store.outbox.update(id, result);
        },
      },
    });
    await until('row1', ({ state }) => state === 'sent');
    expect(server.mails).toHaveLength(1);
  });

  test('unreadable bytes fail nothing: the mail waits', async () => {
    const server = await smtp(() => undefined);
    await put('row1');
    await put('row2', 'other@company.com');
    const { blob } = (await store.outbox.find('row1'))!;
    send(server.port, {
      blobs: {
        put: bytes => store.blobs.put(bytes),
        get: id => (id === blob ? Promise.reject(new Error('EIO')) : store.blobs.get(id)),
        remove: id => store.blobs.remove(id),
      },
    });
    await until('row2', ({ state }) => state === 'sent');
    expect(await until('row1', ({ attempts }) => attempts === 1)).toMatchObject({ state: 'pending' });
  });
});

describe.skipIf(!hasPostfix)('through a real Postfix', () => {
  test('each kind of mail arrives with its envelope and body; "queued as" is kept; a refused one fails', async () => {
    const sink = await startSink();
    endings.push(() => sink.stop());
    const home = mkdtempSync(join(tmpdir(), 'signpost-outbound-postfix-'));
    endings.push(async () => rmSync(home, { recursive: true }));
    const postfix = await startPrivatePostfix({
      folder: home,
      signDomains: ['sign.company.com'],
      milter: null,
      lmtp: 'inet:127.0.0.1:1',
      sinkPort: sink.port,
      extra: [
        'smtpd_recipient_restrictions = check_recipient_access inline:{ {gone@company.com = 550 5.1.1 No such user} }',
      ],
    });
    endings.push(() => postfix.stop());
    const names = Object.keys(samples);
    const mails = new Map<string, ComposedMail>();
    for (const [index, name] of names.entries()) {
      const id = `row${index}`;
      const { mail, to } = samples[name]!;
      const composed = await composer.compose(mail, to, id, START);
      mails.set(id, composed);
      await enqueue(store, id, composed, START);
    }
    await put('gone', 'gone@company.com');
    send(postfix.port);
    for (const [id, composed] of mails) {
      expect((await until(id, ({ state }) => state === 'sent')).lastReply).toMatch(/^250 2\.0\.0 Ok: queued as \w+$/);
      const arrived = await sink.waitFor(mail => mail.from === composed.envelope.from);
      expect(arrived.to).toEqual([composed.envelope.to]);
      // Postfix puts its Received in front and leaves the rest alone.
      expect(arrived.raw.toString('latin1').endsWith(Buffer.from(composed.bytes).toString('latin1'))).toBe(true);
    }
    expect(await until('gone', ({ state }) => state === 'failed')).toMatchObject({
      lastReply: expect.stringMatching(/^550 5\.1\.1 .*No such user/),
    });
    expect(sink.mails).toHaveLength(names.length);
  });
});
