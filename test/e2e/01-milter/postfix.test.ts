/** The milter server behind a real Postfix: what it is told, what SMTP clients hear, what arrives. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  CONTINUE,
  type Macros,
  type MilterHandler,
  type Modifications,
  type Verdict,
} from '../../../milter/handler.ts';
import { applyModifications, parseMessage } from '../../../milter/message.ts';
import { ModificationList } from '../../../milter/modifications.ts';
import { type MilterOptions, type MilterServer, startMilter } from '../../../milter/server.ts';
import { type PrivatePostfix, startPrivatePostfix } from '../../../src/tryout/postfix.ts';
import { type Sink, startSink } from '../../support/sink.ts';
import { SmtpClient } from '../../support/smtp.ts';
import { hasPostfix } from '../../support/tools.ts';
import { below, type Random, seeded } from './mutate.ts';

const ALL_ACTIONS = [
  'addHeaders',
  'changeHeaders',
  'replaceBody',
  'addRecipients',
  'deleteRecipients',
  'changeSender',
  'quarantine',
] as const;

let milter: MilterServer;
let postfix: PrivatePostfix;
let sink: Sink;
let folder: string;
let port = 0;
/** What the next SMTP connection meets. */
let handler: MilterHandler = {};
const errors: string[] = [];
const open: SmtpClient[] = [];

async function serve(options: Partial<MilterOptions> = {}): Promise<void> {
  milter = await startMilter({
    listen: { host: '127.0.0.1', port },
    createHandler: () => handler,
    logger: pino({ level: 'warn' }, { write: line => void errors.push(line) }),
    actions: ALL_ACTIONS,
    progressMilliseconds: 1_000,
    ...options,
  });
  port = milter.port!;
}

async function smtp(): Promise<SmtpClient> {
  const client = await SmtpClient.connect(postfix.port);
  open.push(client);
  return client;
}

let number = 0;
/** A message with a subject of its own, to find it again. */
function message(lines = 'Hello\r\n', fields = ''): { subject: string; raw: string } {
  number += 1;
  const subject = `message ${number} of ${process.pid}`;
  return {
    subject,
    raw: `From: Alice <alice@a.example>\r\nTo: bob@b.example\r\nSubject: ${subject}\r\n${fields}\r\n${lines}`,
  };
}

function arrived(subject: string) {
  return sink.waitFor(mail => mail.raw.includes(`Subject: ${subject}\r\n`), 30_000);
}

function reply(code: number, enhanced: string, ...text: string[]): Verdict {
  return { action: 'reply', code, enhanced, text };
}

type Edit = (change: Modifications) => void;

function randomEdit(random: Random): Edit {
  const name = random() < 0.5 ? 'X-A' : 'X-B';
  const value = `value ${below(random, 1_000)}`;
  const occurrence = 1 + below(random, 4);
  const index = below(random, 14);
  const edits: readonly Edit[] = [
    change => change.addHeader(name, value),
    change => change.insertHeader(index, name, value),
    change => change.changeHeader(name, occurrence, value),
    change => change.deleteHeader(name, occurrence),
  ];
  return edits[below(random, edits.length)]!;
}

describe.skipIf(!hasPostfix)('A6 milter behind Postfix', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'signpost-milter-'));
    sink = await startSink();
    await serve();
    postfix = await startPrivatePostfix({
      folder,
      signDomains: ['sign.a.example'],
      milter: `inet:127.0.0.1:${port}`,
      lmtp: 'inet:127.0.0.1:9',
      sinkPort: sink.port,
      extra: [
        'milter_content_timeout = 3s',
        'milter_command_timeout = 20s',
        'smtpd_authorized_xclient_hosts = 127.0.0.1',
        'smtpd_client_connection_count_limit = 0',
        'smtpd_peername_lookup = no',
        'default_process_limit = 60',
      ],
    });
  });

  afterEach(() => {
    for (const client of open.splice(0)) client.close();
    handler = {};
  });

  afterAll(async () => {
    await postfix?.stop();
    await milter?.stop(0);
    await sink?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('A6 every stage is called, in order, with what the client said and its macros', async () => {
    const seen: [string, ...unknown[]][] = [];
    let queueId = '';
    const body: Buffer[] = [];
    const pick = (macros: Macros, ...names: string[]): unknown => names.map(name => macros.get(name));
    const note = (...entry: [string, ...unknown[]]): Verdict => {
      seen.push(entry);
      return CONTINUE;
    };
    handler = {
      connect: (client, macros) => note('connect', client, pick(macros, 'daemon_name')),
      helo: name => note('helo', name),
      mail: (address, parameters, macros) =>
        note('mail', address, parameters, pick(macros, 'auth_authen', 'mail_addr')),
      rcpt: (address, parameters, macros) =>
        note('rcpt', address, parameters, pick(macros, 'rcpt_addr', 'auth_authen')),
      data: macros => {
        queueId = macros.get('i') ?? '';
        return note('data');
      },
      unknown: command => note('unknown', command),
      header: ({ name, value }) => note('header', `${Buffer.from(name)}:${Buffer.from(value)}`),
      endOfHeaders: () => note('endOfHeaders'),
      body: chunk => {
        body.push(Buffer.from(chunk));
        return CONTINUE;
      },
      endOfMessage: (_change, macros) => note('endOfMessage', pick(macros, 'i', 'auth_authen')),
      abort: () => void seen.push(['abort']),
      close: () => void seen.push(['close']),
    };
    const client = await smtp();
    await client.command('XCLIENT NAME=mua.example ADDR=127.0.0.9 PORT=34567 LOGIN=alice');
    await expect.poll(() => seen.at(-1)?.[0], { timeout: 20_000 }).toBe('connect');
    seen.splice(0, seen.length - 1);
    await client.command('EHLO mua.example');
    expect((await client.command('FOO bar')).code).toBe(500);
    const big = `${'é line\r\n'.repeat(20_000)}.\r\nend\r\n`;
    const { raw, subject } = message(big, 'X-Folded: one\r\n two\r\n\tthree\r\nX-None:none\r\nX-Tab:\ttab\r\n');
    const { final } = await client.send('alice@a.example', ['bob@b.example', 'carol@b.example'], raw, 'BODY=8BITMIME');
    expect(final.code).toBe(250);
    const id = /queued as (\w+)/.exec(final.text)?.[1];
    expect(queueId).toBe(id);
    expect(seen).toEqual([
      [
        'connect',
        { hostname: 'mua.example', family: 'inet', address: '127.0.0.9', port: 34_567 },
        ['mx.sign.a.example'],
      ],
      ['helo', 'mua.example'],
      ['unknown', 'FOO'],
      ['mail', 'alice@a.example', ['BODY=8BITMIME'], ['alice', 'alice@a.example']],
      ['rcpt', 'bob@b.example', [], ['bob@b.example', 'alice']],
      ['rcpt', 'carol@b.example', [], ['carol@b.example', 'alice']],
      ['data'],
      ['header', 'From: Alice <alice@a.example>'],
      ['header', 'To: bob@b.example'],
      ['header', `Subject: ${subject}`],
      ['header', 'X-Folded: one\n two\n\tthree'],
      ['header', 'X-None:none'],
      ['header', 'X-Tab:\ttab'],
      ['header', expect.stringMatching(/^Message-Id: </)],
      ['header', expect.stringMatching(/^Date: /)],
      ['endOfHeaders'],
      ['endOfMessage', [id, 'alice']],
    ]);
    expect(Buffer.concat(body).equals(Buffer.from(big))).toBe(true);
    await client.command('QUIT');
    await expect.poll(() => seen.at(-1), { timeout: 20_000 }).toEqual(['close']);
    expect(seen.some(([stage]) => stage === 'abort')).toBe(false);
    expect((await arrived(subject)).to).toEqual(['bob@b.example', 'carol@b.example']);
  });

  test('A6 connect tells the client’s address', async () => {
    let seen: unknown;
    handler = {
      connect: client => {
        seen = client;
        return CONTINUE;
      },
    };
    const client = await smtp();
    await client.command('NOOP');
    expect(seen).toEqual({
      hostname: '[127.0.0.1]',
      family: 'inet',
      address: '127.0.0.1',
      port: expect.any(Number),
    });
  });

  test.each(['helo', 'mail', 'rcpt', 'data', 'header', 'endOfHeaders', 'body', 'endOfMessage'] as const)(
    'A6 a refusal at %s reaches the SMTP client: reject, tempfail, a reply of ours in one line and in several',
    async stage => {
      const verdicts: [Verdict, number, RegExp][] = [
        [{ action: 'reject' }, 550, /^5\.7\.1 /],
        [{ action: 'tempfail' }, 451, /^4\.7\.1 /],
        [reply(554, '5.6.2', 'This is 100% refused (50%%), %s.'), 554, /^5\.6\.2 This is 100% refused \(50%%\), %s\.$/],
        [reply(452, '4.2.2', 'First line,', 'second % line.'), 452, /^4\.2\.2 First line,\n4\.2\.2 second % line\.$/],
      ];
      for (const [verdict, code, text] of verdicts) {
        handler = { [stage]: () => verdict };
        const client = await SmtpClient.connect(postfix.port);
        const { raw, subject } = message();
        // Postfix tells a refused HELO at the HELO itself and at every command after it.
        const { final } = await client.send('alice@a.example', ['bob@b.example'], raw);
        expect(final.code).toBe(code);
        expect(final.text).toMatch(text);
        client.close();
        expect(sink.mails.some(mail => mail.raw.includes(subject))).toBe(false);
      }
      // Nothing was left in a bad state.
      handler = {};
      const { raw, subject } = message();
      expect((await (await smtp()).send('alice@a.example', ['bob@b.example'], raw)).final.code).toBe(250);
      await arrived(subject);
    },
  );

  test('A6 a refused recipient among several: the others get the mail', async () => {
    handler = {
      rcpt: address => (address.startsWith('bad') ? reply(550, '5.1.1', `There is no ${address} here.`) : CONTINUE),
    };
    const { raw, subject } = message();
    const client = await smtp();
    const { recipients, final } = await client.send(
      'alice@a.example',
      ['bob@b.example', 'bad@b.example', 'carol@b.example'],
      raw,
    );
    expect(recipients.map(each => each.code)).toEqual([250, 550, 250]);
    expect(recipients[1]!.text).toBe('5.1.1 There is no bad@b.example here.');
    expect(final.code).toBe(250);
    expect((await arrived(subject)).to).toEqual(['bob@b.example', 'carol@b.example']);
  });

  test('A6 after a refused DATA the transaction goes on', async () => {
    let refusals = 1;
    handler = {
      rcpt: () => CONTINUE,
      data: () => (refusals-- > 0 ? reply(451, '4.3.0', 'Once more, please.') : CONTINUE),
    };
    const client = await smtp();
    await client.command('MAIL FROM:<alice@a.example>');
    await client.command('RCPT TO:<bob@b.example>');
    expect((await client.command('DATA')).code).toBe(451);
    expect((await client.command('RCPT TO:<carol@b.example>')).code).toBe(250);
    expect((await client.command('DATA')).code).toBe(354);
    const { raw, subject } = message();
    client.write(`${raw}.\r\n`);
    expect((await client.reply()).code).toBe(250);
    expect((await arrived(subject)).to).toEqual(['bob@b.example', 'carol@b.example']);
  });

  test('A6 header fields are inserted, added, changed and deleted, the body replaced', async () => {
    handler = {
      endOfMessage: change => {
        change.deleteHeader('x-old', 3);
        change.deleteHeader('X-Old', 1);
        change.changeHeader('To', 1, 'changed@b.example,\n\tfolded@b.example');
        change.changeHeader('X-New', 1, 'appended');
        change.addHeader('X-Added', 'at the end é');
        change.insertHeader(1, 'X-Second', 'under Received');
        change.insertHeader(0, 'X-Top', 'above Received');
        change.replaceBody(Buffer.from(`${'new é line\r\n'.repeat(10_000)}.\r\n`));
        change.replaceBody(Buffer.from('end\r\n'));
        return { action: 'accept' };
      },
    };
    const { raw, subject } = message('old body\r\n', 'X-Old: 1\r\nX-Old: 2\r\nX-Old: 3\r\n');
    await (await smtp()).send('alice@a.example', ['bob@b.example'], raw);
    const mail = (await arrived(subject)).raw.toString();
    const [head, ...rest] = mail.split('\r\n\r\n');
    expect(rest.join('\r\n\r\n') === `${'new é line\r\n'.repeat(10_000)}.\r\nend\r\n`).toBe(true);
    const fields = head!.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
    // What Postfix's own delivery adds comes on top: its Received of this hop is in the queue file already.
    expect(fields.map(each => each.replace(/^(Received|Message-Id|Date):.*/, '$1'))).toEqual([
      'X-Top: above Received',
      'Received',
      'X-Second: under Received',
      'From: Alice <alice@a.example>',
      'To: changed@b.example, folded@b.example',
      `Subject: ${subject}`,
      'X-Old: 2',
      'Message-Id',
      'Date',
      'X-New: appended',
      'X-Added: at the end é',
    ]);
  });

  test('A6 the client applies header changes exactly as Postfix does: 25 random sequences from a fixed seed', async () => {
    const random = seeded(7);
    let edits: Edit[] = [];
    handler = {
      endOfMessage: change => {
        for (const edit of edits) edit(change);
        return CONTINUE;
      },
    };
    const client = await smtp();
    const fields = ['X-A: 1', 'X-B: 1', 'x-a: 2', 'X-A: 3', 'X-B: 2'].map(each => `${each}\r\n`).join('');
    const unfolded = (mail: Uint8Array): string[] => {
      const text = Buffer.from(mail).toString();
      const head = text.slice(0, text.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ');
      // What Postfix adds differs in its text, not in its place.
      return head.split('\r\n').map(each => each.replace(/^(Received|Message-Id|Date):.*/, '$1'));
    };
    for (let round = 0; round < 25; round += 1) {
      edits = Array.from({ length: 1 + below(random, 6) }, () => randomEdit(random));
      const { raw, subject } = message('body\r\n', fields);
      await client.send('alice@a.example', ['bob@b.example'], raw);
      const list = new ModificationList(0x1ff, true);
      for (const edit of edits) edit(list);
      const before = parseMessage(
        Buffer.from(`Received: x\r\n${raw.replace('\r\n\r\n', '\r\nMessage-Id: x\r\nDate: x\r\n\r\n')}`),
      );
      const ours = applyModifications(before, { sender: '', recipients: [] }, list.close(), true);
      expect(unfolded(ours.message)).toEqual(unfolded((await arrived(subject)).raw));
    }
  });

  test('A6 addresses and header fields in UTF-8', async () => {
    const seen: string[] = [];
    const note = (text: string): Verdict => {
      seen.push(text);
      return CONTINUE;
    };
    handler = {
      mail: (address, parameters) => note(`${address} ${parameters.join(' ')}`),
      rcpt: address => note(address),
      header: ({ value }) => note(Buffer.from(value).toString()),
    };
    const { raw, subject } = message('x\r\n', 'X-Word: žluťoučký kůň\r\n');
    const client = await smtp();
    client.write('MAIL FROM:<jösé@a.example> SMTPUTF8 BODY=8BITMIME\r\nRCPT TO:<日本@b.example>\r\nDATA\r\n');
    expect([(await client.reply()).code, (await client.reply()).code, (await client.reply()).code]).toEqual([
      250, 250, 354,
    ]);
    client.write(`${raw}.\r\n`);
    expect((await client.reply()).code).toBe(250);
    expect(seen.slice(0, 2)).toEqual(['jösé@a.example SMTPUTF8 BODY=8BITMIME', '日本@b.example']);
    expect(seen).toContain(' žluťoučký kůň');
    expect((await arrived(subject)).from).toBe('jösé@a.example');
  });

  test('A6 deletes every occurrence, last one first, and inserts its own after', async () => {
    handler = {
      endOfMessage: change => {
        for (let occurrence = 4; occurrence >= 1; occurrence -= 1) change.deleteHeader('X-Verdict', occurrence);
        change.insertHeader(0, 'X-Verdict', 'ours');
        return CONTINUE;
      },
    };
    const { raw, subject } = message('x\r\n', 'X-Verdict: forged\r\nx-verdict: forged\r\nX-VERDICT:\r\n forged\r\n');
    await (await smtp()).send('alice@a.example', ['bob@b.example'], raw);
    const mail = (await arrived(subject)).raw.toString();
    expect(mail.match(/x-verdict:.*/gi)).toEqual(['X-Verdict: ours']);
    expect(mail).not.toContain('forged');
  });

  test('A6 the body can be replaced by nothing', async () => {
    handler = {
      endOfMessage: change => {
        change.replaceBody(Buffer.alloc(0));
        return CONTINUE;
      },
    };
    const { raw, subject } = message();
    expect((await (await smtp()).send('alice@a.example', ['bob@b.example'], raw)).final.code).toBe(250);
    const mail = (await arrived(subject)).raw.toString();
    expect(mail.slice(mail.indexOf('\r\n\r\n') + 4)).toBe('');
  });

  test('A6 recipients are added and deleted, the sender changed', async () => {
    handler = {
      endOfMessage: change => {
        change.deleteRecipient('bob@b.example');
        change.addRecipient('dave@b.example');
        change.changeSender('else@a.example');
        return CONTINUE;
      },
    };
    const { raw, subject } = message();
    await (await smtp()).send('alice@a.example', ['bob@b.example', 'carol@b.example'], raw);
    const mail = await arrived(subject);
    expect([...mail.to].sort()).toEqual(['carol@b.example', 'dave@b.example']);
    expect(mail.from).toBe('else@a.example');
  });

  test('A6 quarantine holds the message in the queue, discard drops it', async () => {
    handler = {
      endOfMessage: change => {
        change.quarantine('look at it');
        return CONTINUE;
      },
    };
    const held = message();
    const { final } = await (await smtp()).send('alice@a.example', ['bob@b.example'], held.raw);
    expect(final.code).toBe(250);
    const id = /queued as (\w+)/.exec(final.text)?.[1];
    const entry = (await postfix.queue()).find(each => each.queue_id === id);
    expect(entry).toMatchObject({ queue_name: 'hold' });

    handler = { endOfMessage: () => ({ action: 'discard' }) };
    const dropped = message();
    expect((await (await smtp()).send('alice@a.example', ['bob@b.example'], dropped.raw)).final.code).toBe(250);
    handler = {};
    const after = message();
    await (await smtp()).send('alice@a.example', ['bob@b.example'], after.raw);
    await arrived(after.subject);
    expect(sink.mails.some(mail => mail.raw.includes(dropped.subject) || mail.raw.includes(held.subject))).toBe(false);
  });

  test('A6 several messages on one connection, RSET and EHLO in the middle: each its own', async () => {
    const seen: string[] = [];
    handler = {
      mail: address => {
        seen.push(`mail ${address}`);
        return CONTINUE;
      },
      header: ({ name, value }) => {
        if (Buffer.from(name).toString() === 'Subject') seen.push(`subject${Buffer.from(value)}`);
        return CONTINUE;
      },
      endOfMessage: change => {
        seen.push('end');
        change.addHeader('X-Seen', String(seen.filter(each => each === 'end').length));
        return CONTINUE;
      },
      abort: () => void seen.push('abort'),
    };
    const client = await smtp();
    const all = [message(), message(), message()];
    await client.send('one@a.example', ['bob@b.example'], all[0]!.raw);
    await client.command('MAIL FROM:<reset@a.example>');
    await client.command('RCPT TO:<bob@b.example>');
    expect((await client.command('RSET')).code).toBe(250);
    await client.send('two@a.example', ['bob@b.example'], all[1]!.raw);
    await client.command('MAIL FROM:<again@a.example>');
    expect((await client.command('EHLO again.example')).code).toBe(250);
    await client.send('', ['bob@b.example'], all[2]!.raw);
    expect(seen).toEqual([
      'mail one@a.example',
      `subject ${all[0]!.subject}`,
      'end',
      'mail reset@a.example',
      'abort',
      'mail two@a.example',
      `subject ${all[1]!.subject}`,
      'end',
      'mail again@a.example',
      'abort',
      'mail ',
      `subject ${all[2]!.subject}`,
      'end',
    ]);
    for (const [at, { subject }] of all.entries()) {
      expect((await arrived(subject)).raw.toString()).toContain(`\r\nX-Seen: ${at + 1}\r\n`);
    }
  });

  test('A6 a client that vanishes in the middle of its message: abort, close', async () => {
    const seen: string[] = [];
    handler = {
      rcpt: () => CONTINUE,
      endOfMessage: () => CONTINUE,
      abort: () => void seen.push('abort'),
      close: () => void seen.push('close'),
    };
    const client = await smtp();
    await client.command('MAIL FROM:<alice@a.example>');
    await client.command('RCPT TO:<bob@b.example>');
    await client.command('DATA');
    client.write('Subject: never\r\n\r\nhalf a bo');
    client.close();
    await expect.poll(() => seen, { timeout: 20_000 }).toEqual(['abort', 'close']);
  });

  test('A6 the end of a message may take longer than Postfix’s timeout, thanks to progress', async () => {
    handler = {
      endOfMessage: async change => {
        await new Promise(resolve => setTimeout(resolve, 5_000));
        change.addHeader('X-Slow', 'yes');
        return CONTINUE;
      },
    };
    const { raw, subject } = message();
    expect((await (await smtp()).send('alice@a.example', ['bob@b.example'], raw)).final.code).toBe(250);
    expect((await arrived(subject)).raw.toString()).toContain('\r\nX-Slow: yes\r\n');
  });

  test('A6 a handler that throws: the client is asked to try again, the next message goes through', async () => {
    let broken = true;
    handler = {
      endOfMessage: change => {
        change.addHeader('X-Half', 'done');
        if (broken) throw new Error('broken on purpose');
        return CONTINUE;
      },
    };
    const client = await smtp();
    const { raw, subject } = message();
    expect((await client.send('alice@a.example', ['bob@b.example'], raw)).final.code).toBe(451);
    expect(errors.some(line => line.includes('broken on purpose'))).toBe(true);
    broken = false;
    expect((await client.send('alice@a.example', ['bob@b.example'], raw)).final.code).toBe(250);
    await arrived(subject);
  });

  test('A6 skip: the rest of a long body is not sent', async () => {
    let chunks = 0;
    handler = {
      body: () => {
        chunks += 1;
        return { action: 'skip' };
      },
    };
    const { raw, subject } = message('0123456789abcdef\r\n'.repeat(40_000));
    expect((await (await smtp()).send('alice@a.example', ['bob@b.example'], raw)).final.code).toBe(250);
    expect(chunks).toBe(1);
    expect((await arrived(subject)).raw.length).toBeGreaterThan(700_000);
  });

  test('A6 the longest header field that Postfix hands to a milter passes', async () => {
    let longest = 0;
    handler = {
      header: ({ value }) => {
        longest = Math.max(longest, value.length);
        return CONTINUE;
      },
    };
    const field = `X-Long:${` ${'x'.repeat(900)}\r\n`.repeat(110)}`;
    const { raw, subject } = message('x\r\n', field);
    expect((await (await smtp()).send('alice@a.example', ['bob@b.example'], raw)).final.code).toBe(250);
    expect(longest).toBeGreaterThan(59_000);
    await arrived(subject);
  });

  test('A6 macro lists of our own: only those come', async () => {
    await milter.stop(0);
    await serve({ macros: { connect: ['client_addr'], mail: ['mail_addr'], endOfMessage: ['i'] } });
    const seen: unknown[] = [];
    handler = {
      mail: (_address, _parameters, macros) => {
        seen.push(Object.fromEntries(macros));
        return CONTINUE;
      },
      endOfMessage: (_change, macros) => {
        seen.push(Object.fromEntries(macros));
        return CONTINUE;
      },
    };
    const { raw } = message();
    const { final } = await (await smtp()).send('alice@a.example', ['bob@b.example'], raw);
    const mail = { client_addr: '127.0.0.1', mail_addr: 'alice@a.example' };
    expect(seen).toEqual([mail, { ...mail, i: /queued as (\w+)/.exec(final.text)?.[1] }]);
    await milter.stop(0);
    await serve();
  });

  test('A6 an MTA that speaks version 2 only, over a unix socket', async () => {
    const path = join(folder, 'milter.sock');
    const beside = await startMilter({
      listen: { path, mode: 0o666 },
      createHandler: () => handler,
      logger: pino({ level: 'silent' }),
      actions: ['addHeaders'],
    });
    const old = await startPrivatePostfix({
      folder: join(folder, 'old'),
      signDomains: ['sign.a.example'],
      milter: `unix:${path}`,
      lmtp: 'inet:127.0.0.1:9',
      sinkPort: sink.port,
      extra: ['milter_protocol = 2'],
    });
    try {
      const seen: string[] = [];
      handler = {
        data: () => ({ action: 'reject' }),
        header: ({ name, value }) => {
          seen.push(`${Buffer.from(name)}:${Buffer.from(value)}`);
          return CONTINUE;
        },
        endOfMessage: change => {
          change.addHeader('X-Old-Way', 'value');
          return CONTINUE;
        },
      };
      const { raw, subject } = message();
      const client = await SmtpClient.connect(old.port);
      expect((await client.send('alice@a.example', ['bob@b.example'], raw)).final.code).toBe(250);
      client.close();
      expect(seen).toContain(`Subject:${subject}`);
      expect((await arrived(subject)).raw.toString()).toContain('\r\nX-Old-Way: value\r\n');
    } finally {
      await old.stop();
      await beside.stop(0);
    }
  });

  test('A6 50 parallel connections, 500 messages from smtp-source: all pass the milter, all arrive', async () => {
    await milter.stop(0);
    await serve({ silent: ['header', 'body'] });
    let ends = 0;
    let at = 0;
    let most = 0;
    handler = {
      header: () => CONTINUE,
      body: () => CONTINUE,
      endOfMessage: async change => {
        at += 1;
        most = Math.max(most, at);
        await new Promise(resolve => setTimeout(resolve, 20));
        at -= 1;
        ends += 1;
        change.addHeader('X-Load', String(ends));
        return CONTINUE;
      },
    };
    const before = sink.mails.length;
    const source = spawn(
      '/usr/sbin/smtp-source',
      [
        '-s',
        '50',
        '-m',
        '500',
        '-l',
        '20000',
        '-f',
        'alice@a.example',
        '-t',
        'bob@b.example',
        `127.0.0.1:${postfix.port}`,
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const status = await new Promise(resolve => source.on('close', resolve));
    expect(status).toBe(0);
    await expect.poll(() => sink.mails.length - before, { timeout: 90_000, interval: 200 }).toBe(500);
    expect(ends).toBe(500);
    const marks = sink.mails.slice(before).map(mail => /\r\nX-Load: (\d+)\r\n/.exec(mail.raw.toString('latin1'))?.[1]);
    expect(new Set(marks).size).toBe(500);
    expect(most).toBeGreaterThan(1);
    expect(await postfix.queue()).toHaveLength(1); // the one in quarantine
    await expect.poll(() => milter.connections, { timeout: 20_000 }).toBe(0);
  });

  test('A6 Postfix had nothing to complain about', () => {
    const complaints = postfix
      .log()
      .split('\n')
      .filter(line => /: (warning|error|fatal|panic): (.* )?milter /.test(line));
    expect(complaints).toEqual([]);
    expect(errors.filter(line => !line.includes('broken on purpose'))).toEqual([]);
  });
});
