import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { EVERYTHING, MilterClient, MilterUnavailable } from '../../../milter/client.ts';
import { CONTINUE, type MilterHandler, type Verdict } from '../../../milter/handler.ts';
import { SMFIP } from '../../../milter/protocol.ts';
import { startMilter } from '../../../milter/server.ts';
import { submit } from '../../../milter/submit.ts';
import { type Command, encodeCommand } from '../../../milter/wire.ts';
import { CLIENT, keepingLogger, quiet, serve, stopAll } from './support.ts';

afterEach(stopAll);

const MESSAGE = Buffer.from(
  'Received: from a\r\n\tby b\r\nFrom: a@b\r\nSubject:no space\r\nX-Old: 1\r\nX-Old: 2\r\n\r\nHällo\r\n.dot\r\n',
);
const MAIL = { client: CLIENT, helo: 'client.example', sender: 'a@b', recipients: ['c@d'], message: MESSAGE } as const;

function bytes(...commands: Command[]): Buffer {
  return Buffer.concat(commands.map(encodeCommand));
}

async function raw(port: number): Promise<{ socket: Socket; ended: Promise<Buffer> }> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const chunks: Buffer[] = [];
  socket.on('data', chunk => chunks.push(chunk));
  socket.on('error', () => {});
  const ended = once(socket, 'close').then(() => Buffer.concat(chunks));
  return { socket, ended };
}

async function until(fits: () => boolean): Promise<void> {
  while (!fits()) await new Promise(resolve => setTimeout(resolve, 5));
}

describe('client and server', () => {
  test('every stage gets what the client said, byte for byte, with its macros', async () => {
    const seen: unknown[] = [];
    const note = (...values: unknown[]): Verdict => {
      seen.push(...values);
      return CONTINUE;
    };
    const body: Buffer[] = [];
    const { connect } = await serve(
      {
        connect: (client, macros) => note(client, macros.get('v')),
        helo: name => note(name),
        mail: (address, parameters, macros) => note(address, parameters, macros.get('auth_authen')),
        rcpt: (address, _parameters, macros) => note(address, macros.get('rcpt_addr')),
        data: macros => note(macros.get('i')),
        header: ({ name, value }) => note(`${Buffer.from(name)}:${Buffer.from(value)}`),
        endOfHeaders: () => note('eoh'),
        body: chunk => {
          body.push(Buffer.from(chunk));
          return CONTINUE;
        },
        endOfMessage: (_change, macros) => note(macros.get('i')),
      },
      { silent: ['header', 'body'] },
    );
    const milter = await connect();
    const big = Buffer.concat([MESSAGE, Buffer.alloc(200_000, 'line of text\r\n')]);
    const { stage, verdict, result } = await submit(milter, {
      ...MAIL,
      senderParameters: ['SIZE=9'],
      recipients: ['c@d', 'e@f'],
      message: big,
      macros: {
        connect: { v: 'Postfix' },
        mail: { auth_authen: 'alice' },
        rcpt: address => ({ rcpt_addr: address }),
        data: { i: 'QUEUE1' },
      },
    });
    expect({ stage, verdict }).toEqual({ stage: 'endOfMessage', verdict: CONTINUE });
    expect(seen).toEqual([
      CLIENT,
      'Postfix',
      'client.example',
      'a@b',
      ['SIZE=9'],
      'alice',
      'c@d',
      'c@d',
      'e@f',
      'e@f',
      'QUEUE1',
      'Received: from a\n\tby b',
      'From: a@b',
      'Subject:no space',
      'X-Old: 1',
      'X-Old: 2',
      'eoh',
      'QUEUE1',
    ]);
    expect(Buffer.concat(body).equals(big.subarray(big.indexOf('\r\n\r\n') + 4))).toBe(true);
    expect(result?.message.equals(big)).toBe(true);
    await milter.quit();
  });

  test('changes are applied as Postfix applies them', async () => {
    const { connect } = await serve(
      {
        endOfMessage: change => {
          change.deleteHeader('x-old', 2);
          change.deleteHeader('x-old', 1);
          change.changeHeader('Subject', 1, 'spaced');
          change.changeHeader('Not-There', 1, 'appended');
          change.insertHeader(1, 'Second', 'in');
          change.addRecipient('new@d');
          change.deleteRecipient('c@d');
          change.changeSender('else@b');
          change.quarantine('held');
          change.replaceBody(Buffer.from('new body\r\n'));
          return CONTINUE;
        },
      },
      {
        actions: [
          'addHeaders',
          'changeHeaders',
          'replaceBody',
          'addRecipients',
          'deleteRecipients',
          'changeSender',
          'quarantine',
        ],
      },
    );
    for (const steps of [EVERYTHING.steps, 0x7f]) {
      const milter = await connect({ offer: { ...EVERYTHING, steps } });
      const { result } = await submit(milter, MAIL);
      expect(result).toEqual({
        sender: 'else@b',
        senderParameters: null,
        recipients: ['new@d'],
        quarantine: 'held',
        message: Buffer.from(
          'Received: from a\r\n\tby b\r\nSecond: in\r\nFrom: a@b\r\nSubject: spaced\r\nNot-There: appended\r\n\r\nnew body\r\n',
        ),
      });
      await milter.quit();
    }
  });

  test('a refused recipient is one of several; all refused ends the mail', async () => {
    const refusal = { action: 'reply', code: 550, enhanced: '5.1.1', text: ['No %s here', 'at all'] } as const;
    const { connect } = await serve({ rcpt: address => (address.startsWith('bad') ? refusal : CONTINUE) });
    const milter = await connect();
    const some = await submit(milter, { ...MAIL, recipients: ['bad@d', 'c@d'] });
    expect(some.recipients).toEqual([
      { address: 'bad@d', verdict: refusal },
      { address: 'c@d', verdict: CONTINUE },
    ]);
    expect(some.result?.recipients).toEqual(['c@d']);
    await milter.quitNewConnection();
    const none = await submit(milter, { ...MAIL, recipients: ['bad@d', 'bad2@d'] });
    expect(none).toMatchObject({ stage: 'rcpt', verdict: refusal, result: null });
    await milter.quit();
  });

  test.each(['connect', 'helo', 'mail', 'data', 'header', 'endOfHeaders', 'body', 'endOfMessage'] as const)(
    'a refusal at %s is told as that stage, and the connection goes on',
    async stage => {
      const refusal = { action: 'reply', code: 451, enhanced: '4.7.1', text: [`not at ${stage}`] } as const;
      const { connect } = await serve({ [stage]: () => refusal });
      const milter = await connect();
      for (let round = 0; round < 2; round += 1) {
        expect(await submit(milter, MAIL)).toMatchObject({ stage, verdict: refusal, result: null });
        await milter.quitNewConnection();
      }
      await milter.quit();
    },
  );

  test('the macros that the milter names for a stage replace the MTA’s choice there', async () => {
    const seen: unknown[] = [];
    const { connect } = await serve(
      {
        mail: (_address, _parameters, macros) => {
          seen.push([...macros]);
          return CONTINUE;
        },
      },
      { macros: { mail: ['auth_authen'], endOfMessage: ['i'] } },
    );
    const milter = await connect();
    await milter.helo('a', { kept: '1' });
    await milter.mail('a@b', [], { auth_authen: 'alice', dropped: '2' });
    expect(seen).toEqual([
      [
        ['kept', '1'],
        ['auth_authen', 'alice'],
      ],
    ]);
    await milter.quit();
  });

  test('a slow end of message outlasts the client’s timeout, thanks to progress', async () => {
    const { connect } = await serve(
      {
        endOfMessage: async () => {
          await new Promise(resolve => setTimeout(resolve, 1_600));
          return { action: 'accept' };
        },
      },
      { progressMilliseconds: 50 },
    );
    const milter = await connect({ timeoutMilliseconds: 1_000 });
    expect(await submit(milter, MAIL)).toMatchObject({ verdict: { action: 'accept' } });
    await milter.quit();
  });

  test('pipelined commands in one segment are answered in order, also after the MTA closed its side', async () => {
    const order: string[] = [];
    const { server } = await serve({
      mail: async address => {
        await new Promise(resolve => setTimeout(resolve, 20));
        order.push(address);
        return { action: 'reject' };
      },
      rcpt: address => {
        order.push(address);
        return CONTINUE;
      },
      unknown: () => CONTINUE,
    });
    const { socket, ended } = await raw(server.port!);
    const mail = (address: string): Command => ({ command: 'mail', address, parameters: [] });
    socket.end(
      bytes({ command: 'negotiate', ...EVERYTHING }, mail('<1>'), { command: 'unknown', line: 'X' }, mail('<2>'), {
        command: 'quit',
      }),
    );
    const replies = await ended;
    expect(order).toEqual(['1', '2']);
    expect(replies.subarray(17).toString('latin1')).toBe('\0\0\0\x01r\0\0\0\x01c\0\0\0\x01r');
  });

  test('a peer that reads nothing is not worked for: its commands wait', async () => {
    let heard = 0;
    const { server } = await serve({
      unknown: () => {
        heard += 1;
        return CONTINUE;
      },
    });
    const socket = connect(server.port!, '127.0.0.1');
    await once(socket, 'connect');
    socket.pause();
    socket.write(bytes({ command: 'negotiate', ...EVERYTHING }));
    const flood = Buffer.concat(Array<Buffer>(20_000).fill(bytes({ command: 'unknown', line: '' })));
    let sent = 0;
    for (; sent < 200 && socket.write(flood) === true; sent += 1);
    for (; sent < 200; sent += 1) {
      socket.write(flood);
      if (socket.writableLength > 8_000_000) break;
    }
    let before = -1;
    while (before !== heard) {
      before = heard;
      await new Promise(resolve => setTimeout(resolve, 200));
    }
    expect(heard).toBeLessThan(sent * 20_000);
    socket.destroy();
  });
});

describe('bad input', () => {
  const junk: [string, Buffer][] = [
    ['an empty packet', Buffer.alloc(4)],
    ['a length of 4 GB', Buffer.from('ffffffff4f', 'hex')],
    ['an unknown command', Buffer.from('000000017a', 'hex')],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['mail before the negotiation', bytes({ command: 'mail', address: '<a>', parameters: [] })],
  ];
  test.each(junk)('%s ends that connection, is logged, and the next is served', async (_name, stream) => {
    const { logger, lines } = keepingLogger();
    const { server, connect } = await serve({ mail: () => CONTINUE }, { logger });
    const other = await connect();
    const { socket, ended } = await raw(server.port!);
    socket.write(stream);
    expect(await ended).toHaveLength(0);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 40, msg: 'milter connection ended: not the protocol' });
    expect(await other.mail('a@b')).toEqual(CONTINUE);
    const next = await connect();
    expect(await next.mail('a@b')).toEqual(CONTINUE);
  });

  test('an MTA without a needed action is sent away with a reason in the log', async () => {
    const { logger, lines } = keepingLogger();
    const { connect } = await serve({}, { logger, actions: ['changeSender'] });
    await expect(connect({ offer: { ...EVERYTHING, actions: 1 } })).rejects.toThrow(MilterUnavailable);
    expect(JSON.stringify(lines)).toContain('changeSender');
  });

  test('a handler that cannot be made ends the connection, not the server', async () => {
    let broken = true;
    const { connect } = await serve((): MilterHandler => {
      if (broken) throw new Error('broken on purpose');
      return {};
    });
    await expect(connect()).rejects.toThrow(MilterUnavailable);
    broken = false;
    await (await connect()).quit();
  });

  test('a connection reset at any moment, also while the handler works, is nothing', async () => {
    const ends: string[] = [];
    let working: () => void = () => {};
    const started = new Promise<void>(resolve => {
      working = resolve;
    });
    const { server, connect: join } = await serve({
      rcpt: () => CONTINUE,
      endOfMessage: async () => {
        working();
        await new Promise(resolve => setTimeout(resolve, 50));
        return CONTINUE;
      },
      abort: () => void ends.push('abort'),
      close: () => void ends.push('close'),
    });
    const milter = await raw(server.port!);
    milter.socket.write(
      bytes({ command: 'negotiate', ...EVERYTHING }, { command: 'rcpt', address: '<a>', parameters: [] }),
    );
    milter.socket.write(bytes({ command: 'endOfMessage', chunk: Buffer.alloc(0) }));
    await started;
    milter.socket.resetAndDestroy();
    await until(() => server.connections === 0);
    expect(ends).toEqual(['close']);
    await (await join()).quit();
  });
});

describe('limits', () => {
  test('a silent MTA is hung up on, one that waits for us is not', async () => {
    const { server, connect } = await serve(
      {
        helo: async () => {
          await new Promise(resolve => setTimeout(resolve, 1_500));
          return CONTINUE;
        },
      },
      { idleMilliseconds: 1_000 },
    );
    const milter = await connect();
    expect(await milter.helo('a')).toEqual(CONTINUE);
    await until(() => server.connections === 0);
  });

  test('connections beyond the limit are closed, those within served', async () => {
    const { server, connect } = await serve({ helo: () => CONTINUE }, { maxConnections: 2 });
    const two = [await connect(), await connect()];
    await expect(connect()).rejects.toThrow(MilterUnavailable);
    for (const each of two) expect(await each.helo('a')).toEqual(CONTINUE);
    await two[0]!.quit();
    await until(() => server.connections === 1);
    await (await connect()).quit();
  });
});

describe('stopping', () => {
  test('finishes the message that is under way, takes no other', async () => {
    const { server, connect } = await serve({ mail: () => CONTINUE, rcpt: () => CONTINUE, body: () => CONTINUE });
    const [busy, idle] = [await connect(), await connect()];
    await busy.mail('a@b');
    const stopped = server.stop();
    await expect(connect()).rejects.toThrow();
    await expect(idle.mail('a@b')).rejects.toThrow(MilterUnavailable);
    expect(await busy.rcpt('c@d')).toEqual(CONTINUE);
    expect((await busy.content(MESSAGE)).verdict).toEqual(CONTINUE);
    await stopped;
    await expect(busy.mail('a@b')).rejects.toThrow(MilterUnavailable);
  });

  test('what takes longer than the grace is cut off', async () => {
    const { server, connect } = await serve({ mail: () => CONTINUE, rcpt: () => CONTINUE });
    const milter = await connect();
    await milter.mail('a@b');
    await server.stop(20);
    await expect(milter.rcpt('c@d')).rejects.toThrow(MilterUnavailable);
  });
});

describe('unix socket', () => {
  const folder = mkdtempSync(join(tmpdir(), 'milter-'));
  const path = join(folder, 'milter.sock');
  afterEach(() => rmSync(path, { force: true }));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('has its mode, replaces a dead socket file, respects a live one and any other file', async () => {
    const options = { listen: { path }, createHandler: () => ({}), logger: quiet };
    const first = await startMilter(options);
    expect(statSync(path).mode & 0o777).toBe(0o660);
    await expect(startMilter(options)).rejects.toThrow(/EADDRINUSE/);
    await (await MilterClient.connect({ address: { path } })).quit();
    await first.stop();
    expect(existsSync(path)).toBe(false);

    // A server that was killed leaves its file behind.
    const listen = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 9))`;
    spawnSync(process.execPath, ['-e', listen]);
    expect(statSync(path).isSocket()).toBe(true);
    const second = await startMilter({ ...options, listen: { path, mode: 0o600 } });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await (await MilterClient.connect({ address: { path } })).quit();
    await second.stop();
  });

  test('any other file stays', async () => {
    writeFileSync(path, 'precious');
    await expect(startMilter({ listen: { path }, createHandler: () => ({}), logger: quiet })).rejects.toThrow(
      /EADDRINUSE/,
    );
    expect(statSync(path).size).toBe(8);
  });
});

describe('client', () => {
  async function fake(reply: Buffer) {
    const server = createServer(socket => {
      socket.on('error', () => {});
      socket.once('data', () => socket.write(reply));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return { server, address: { host: '127.0.0.1', port: address.port } };
  }

  test.each([
    ['nonsense', Buffer.from('000000057a00000000', 'hex')],
    ['a reply in place of a negotiation', Buffer.from('0000000163', 'hex')],
    ['steps that were not offered', Buffer.from('0000000d4f000000060000000040000000', 'hex')],
    ['a length that lies', Buffer.from('7fffffff4f', 'hex')],
    ['silence', Buffer.alloc(0)],
  ])('%s from the milter is MilterUnavailable', async (_name, reply) => {
    const { server, address } = await fake(reply);
    await expect(MilterClient.connect({ address, timeoutMilliseconds: 200 })).rejects.toThrow(MilterUnavailable);
    server.close();
  });

  test('nobody there is MilterUnavailable', async () => {
    await expect(MilterClient.connect({ address: { path: '/nonexistent/socket' } })).rejects.toThrow(MilterUnavailable);
  });

  test('offers no data size of its own', () => {
    expect(EVERYTHING.steps & (SMFIP.MDS_1M | SMFIP.MDS_256K)).toBe(0);
  });
});
