/** LMTP's own promises; the real Postfix is in test/e2e/03-intake. */
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DirectoryUnavailable } from '../../../src/directory/directory.ts';
import { atMost } from '../../../src/intake/at-most.ts';
import { type Lmtp, type LmtpDeps, startLmtp } from '../../../src/intake/lmtp.ts';
import { splitMessage } from '../../../src/intake/raw-message.ts';
import { signVerdict, VERDICT_HEADER } from '../../../src/intake/verdict.ts';
import { TooManyRequests } from '../../../src/requests/requests.ts';
import { makeMessage } from '../../support/message.ts';
import { SmtpClient, type SmtpReply } from '../../support/smtp.ts';
import { KEY, log, makeWorld, NOW, type World } from './world.ts';

let world: World;
let folder: string;
beforeAll(async () => {
  world = await makeWorld();
  folder = mkdtempSync('/tmp/signpost-lmtp-');
});
afterAll(() => {
  world.close();
  rmSync(folder, { recursive: true, force: true });
});

const JOHN = 'john.doe@sign.company.com';

const deps = (more: Partial<LmtpDeps>): LmtpDeps => ({
  listen: { host: '127.0.0.1', port: 0 },
  config: world.config,
  directory: world.directory,
  verdictKeys: [KEY],
  reading: atMost(3),
  requests: { open: () => Promise.reject(new Error('nothing to open here')) },
  replies: { take: () => Promise.reject(new Error('no reply here')) },
  now: () => NOW,
  log,
  ...more,
});

function admitted(raw: Buffer, method: 'sasl' | 'bounce' = 'sasl', recipients = [JOHN], senderId = 'mary'): Buffer {
  const value = signVerdict({ senderId, method, time: NOW, queueId: 'Q1', recipients }, splitMessage(raw), KEY);
  return Buffer.concat([Buffer.from(`${VERDICT_HEADER}: ${value.replaceAll('\n', '\r\n')}\r\n`), raw]);
}

async function handIn(lmtp: Lmtp, message: Uint8Array, to = [JOHN]): Promise<SmtpReply[]> {
  const client = await SmtpClient.connect(lmtp.port!, 'x', { lmtp: true });
  const { final } = await client.send('mary.smith@company.com', to, message);
  const replies = [final];
  while (replies.length < to.length) replies.push(await client.reply());
  client.close();
  return replies;
}

test('D10 who is refused only now hears it in their language, too: the words come in a delivery report', async () => {
  const lmtp = await startLmtp(deps({ requests: { open: () => Promise.reject(new TooManyRequests('per-day', 7)) } }));
  const raw = makeMessage({ from: 'anna.muller@company.com' });
  const [reply] = await handIn(lmtp, admitted(raw, 'sasl', [JOHN], 'anna'));
  expect(reply).toMatchObject({ code: 450 });
  expect(reply!.text).toMatch(/^4\.7\.1 You have sent 7 requests .* Sie haben /);
  await lmtp.stop();
});

describe('where it listens', () => {
  test.each(['0.0.0.0', '192.0.2.1', '::', 'mail.company.com'])('%s is refused: others could reach it', async host => {
    await expect(startLmtp(deps({ listen: { host, port: 0 } }))).rejects.toThrow('not loopback');
  });

  test('a unix socket that the mail server may use; one left behind is replaced, a living one is not', async () => {
    const path = join(folder, 'lmtp.sock');
    const first = await startLmtp(deps({ listen: { path } }));
    expect(statSync(path).mode & 0o777).toBe(0o666);
    const client = await SmtpClient.connect({ path }, 'x', { lmtp: true });
    expect(await client.command('NOOP')).toMatchObject({ code: 250 });
    client.close();
    await expect(startLmtp(deps({ listen: { path } }))).rejects.toThrow('in use');
    await first.stop();
    const stale = createServer().listen(path);
    await new Promise(resolve => stale.once('listening', resolve));
    // Closing would remove the file: a killed process leaves it.
    const copy = join(folder, 'stale.sock');
    const { renameSync } = await import('node:fs');
    renameSync(path, copy);
    await new Promise(resolve => stale.close(resolve));
    expect(existsSync(copy)).toBe(true);
    await (await startLmtp(deps({ listen: { path: copy } }))).stop();
  });

  test('a file that is no socket stays', async () => {
    const path = join(folder, 'notes.txt');
    writeFileSync(path, 'mine');
    await expect(startLmtp(deps({ listen: { path } }))).rejects.toThrow('no socket');
  });
});

describe('what it answers', () => {
  test.each<[string, Error, number, RegExp]>([
    ['a fault of ours', new Error('database is locked'), 451, /^4\.3\.0 /],
    ['a full disk', Object.assign(new Error('no space'), { code: 'ENOSPC' }), 452, /^4\.3\.1 /],
    ['a full database', Object.assign(new Error('full'), { errcode: 13 }), 452, /^4\.3\.1 /],
    ['the directory is down', new DirectoryUnavailable('down'), 451, /^4\.3\.0 .*directory/],
    ['too many requests', new TooManyRequests('per-sender', 100), 450, /^4\.7\.1 /],
  ])('%s: temporary, to every recipient', async (_, error, code, text) => {
    const lmtp = await startLmtp(deps({ requests: { open: () => Promise.reject(error) } }));
    const to = [JOHN, 'anna.muller@sign.company.com'];
    const replies = await handIn(lmtp, admitted(makeMessage({ to: to.join(',') }), 'sasl', to), to);
    expect(replies.map(reply => reply.code)).toEqual([code, code]);
    for (const reply of replies) expect(reply.text).toMatch(text);
    await lmtp.stop();
  });

  test('the reply waits until the request is safe', async () => {
    let safe = false;
    const lmtp = await startLmtp(
      deps({
        requests: {
          open: async () => {
            await new Promise(resolve => setTimeout(resolve, 100));
            safe = true;
            throw new TooManyRequests('per-day', 500);
          },
        },
      }),
    );
    await handIn(lmtp, admitted(makeMessage()));
    expect(safe).toBe(true);
    await lmtp.stop();
  });

  test('reports go to their rows, each recipient its own; a row that is not safe is tried again', async () => {
    const rows: string[] = [];
    const lmtp = await startLmtp(
      deps({
        replies: {
          async take(_, to) {
            if (to.kind !== 'bounce' || to.rowId === 'bad') throw new Error('not now');
            rows.push(to.rowId);
            return 'bounced';
          },
        },
      }),
    );
    const to = ['bounce+abc123@sign.company.com', 'bounce+def456@sign.company.com'];
    const report = makeMessage({ subject: 'Undelivered', parts: [] });
    const replies = await handIn(lmtp, admitted(report, 'bounce', to, ''), to);
    expect(replies.map(({ code }) => code)).toEqual([250, 250]);
    expect(rows).toEqual(['abc123', 'def456']);
    const bad = ['bounce+bad@sign.company.com'];
    expect((await handIn(lmtp, admitted(report, 'bounce', bad, ''), bad))[0]).toMatchObject({ code: 451 });
    await lmtp.stop();
  });

  test('a sender who left the company meanwhile is told in a bounce, for good', async () => {
    const lmtp = await startLmtp(deps({}));
    const [reply] = await handIn(lmtp, admitted(makeMessage(), 'sasl', [JOHN], 'gone'));
    expect(reply).toMatchObject({ code: 550, text: expect.stringMatching(/^5\.7\.1 .*"mary.smith@company.com"/) });
    await lmtp.stop();
  });
});
