import { describe, expect, test } from 'vitest';
import { CONTINUE, type MilterHandler, type Modifications, type Verdict } from '../../../milter/handler.ts';
import type { Wishes } from '../../../milter/negotiation.ts';
import { MilterProtocolError } from '../../../milter/packets.ts';
import { SMFIF, SMFIP } from '../../../milter/protocol.ts';
import { MilterSession } from '../../../milter/session.ts';
import type { Command, Negotiation, Reply } from '../../../milter/wire.ts';
import { CLIENT, keepingLogger } from './support.ts';

const POSTFIX: Negotiation = { version: 6, actions: 0x1ff, steps: 0x1fffff };
const NO_WISHES: Wishes = { actions: [], silent: [], macros: null, dataSize: '64K' };

const HELO: Command = { command: 'helo', name: 'a' };
const MAIL: Command = { command: 'mail', address: '<a@b>', parameters: ['SIZE=1'] };
const RCPT: Command = { command: 'rcpt', address: '<c@d>', parameters: [] };
const HEADER: Command = { command: 'header', name: Buffer.from('A'), value: Buffer.from(' b') };
const BODY: Command = { command: 'body', chunk: Buffer.from('x\r\n') };
const EOM: Command = { command: 'endOfMessage', chunk: Buffer.alloc(0) };
const simple = (command: 'data' | 'endOfHeaders' | 'abort' | 'quit' | 'quitNewConnection'): Command => ({ command });
const macros = (
  stage: 'connect' | 'helo' | 'mail' | 'rcpt' | 'endOfMessage',
  values: Record<string, string>,
): Command => ({
  command: 'macros',
  stage,
  macros: new Map(Object.entries(values)),
});

function start(handler: MilterHandler, wishes: Partial<Wishes> = {}) {
  const replies: Reply[] = [];
  const { logger, lines } = keepingLogger();
  let made = 0;
  const session = new MilterSession({
    createHandler: () => {
      made += 1;
      return handler;
    },
    send: reply => replies.push(reply),
    logger,
    wishes: { ...NO_WISHES, ...wishes },
    progressMilliseconds: 5,
  });
  return {
    session,
    lines,
    made: () => made,
    /** The replies to these commands. */
    async say(...commands: Command[]): Promise<Reply[]> {
      const from = replies.length;
      for (const command of commands) await session.receive(command);
      return replies.slice(from);
    },
    names: async (...commands: Command[]): Promise<string[]> => {
      const from = replies.length;
      for (const command of commands) await session.receive(command);
      return replies.slice(from).map(each => each.reply);
    },
    negotiate: (offer: Partial<Negotiation> = {}) => session.receive({ command: 'negotiate', ...POSTFIX, ...offer }),
  };
}

/** A handler that implements every stage, notes what it is told and answers as it is told. */
function noting(answers: Partial<Record<keyof MilterHandler, Verdict>> = {}) {
  const calls: string[] = [];
  const stage =
    (name: keyof MilterHandler) =>
    (...args: unknown[]): Verdict => {
      const plain = args.filter(each => typeof each === 'string');
      calls.push([name, ...plain].join(' '));
      return answers[name] ?? CONTINUE;
    };
  const handler: MilterHandler = {
    connect: stage('connect'),
    helo: stage('helo'),
    mail: stage('mail'),
    rcpt: stage('rcpt'),
    data: stage('data'),
    unknown: stage('unknown'),
    header: stage('header'),
    endOfHeaders: stage('endOfHeaders'),
    body: stage('body'),
    endOfMessage: stage('endOfMessage'),
    abort: () => void calls.push('abort'),
    close: () => void calls.push('close'),
  };
  return { handler, calls };
}

describe('negotiation', () => {
  async function agreed(handler: MilterHandler, wishes: Partial<Wishes>, offer: Partial<Negotiation> = {}) {
    const { session, say } = start(handler, wishes);
    const [reply] = await say({ command: 'negotiate', ...POSTFIX, ...offer });
    if (reply?.reply !== 'negotiate') throw new Error('no negotiation');
    return { ...reply, session };
  }

  test('asks only for the stages that the handler has', async () => {
    const { version, actions, steps } = await agreed({ rcpt: () => CONTINUE, endOfMessage: () => CONTINUE }, {});
    expect(version).toBe(6);
    expect(actions).toBe(0);
    const left = SMFIP.NOCONNECT | SMFIP.NOHELO | SMFIP.NOMAIL | SMFIP.NOBODY | SMFIP.NOHDRS | SMFIP.NOEOH;
    expect(steps).toBe(left | SMFIP.NOUNKNOWN | SMFIP.NODATA | SMFIP.SKIP | SMFIP.HDR_LEADSPC);
  });

  test.each([2, 3, 4, 5, 6])('speaks version %i and takes no step that was not offered', async version => {
    const reply = await agreed({}, { silent: ['header'] }, { version, steps: 0x7f });
    expect(reply.version).toBe(version);
    expect(reply.steps).toBe(0x7f);
  });

  test('answers 6 to a later version, refuses version 1', async () => {
    expect((await agreed({}, {}, { version: 9 })).version).toBe(6);
    await expect(agreed({}, {}, { version: 1 })).rejects.toThrow(/version 1 only/);
  });

  test('refuses an MTA that lacks an action, and names it', async () => {
    const wishes = { actions: ['addHeaders', 'quarantine'] as const };
    await expect(agreed({}, wishes, { actions: SMFIF.ADDHDRS })).rejects.toThrow(/quarantine/);
    expect((await agreed({}, wishes)).actions).toBe(SMFIF.ADDHDRS | SMFIF.QUARANTINE);
  });

  test('names the macros it wants, where the MTA lets it', async () => {
    const wishes = { macros: { endOfMessage: ['i'], mail: ['auth_authen'] } };
    const reply = await agreed({}, wishes);
    expect(reply.macros).toEqual(new Map(Object.entries(wishes.macros)));
    expect(reply.actions).toBe(SMFIF.SETSYMLIST);
    expect((await agreed({}, wishes, { actions: 0xff })).macros.size).toBe(0);
  });

  test('agrees to a larger data size only when offered and wished, and then takes larger packets', async () => {
    const both = POSTFIX.steps | SMFIP.MDS_256K | SMFIP.MDS_1M;
    const small = await agreed({}, {}, { steps: both });
    expect(small.steps & (SMFIP.MDS_256K | SMFIP.MDS_1M)).toBe(0);
    expect(small.session.maxPacket).toBe(65_535 + 4_096);
    const large = await agreed({}, { dataSize: '1M' }, { steps: both });
    expect(large.steps & (SMFIP.MDS_256K | SMFIP.MDS_1M)).toBe(SMFIP.MDS_1M);
    expect(large.session.maxPacket).toBe(1_048_575 + 4_096);
    const medium = await agreed({}, { dataSize: '1M' }, { steps: POSTFIX.steps | SMFIP.MDS_256K });
    expect(medium.session.maxPacket).toBe(262_143 + 4_096);
  });
});

describe('order of commands', () => {
  test('a whole mail calls every stage in order', async () => {
    const { handler, calls } = noting();
    const { negotiate, names, session } = start(handler);
    await negotiate();
    const replies = await names(
      { command: 'connect', client: CLIENT },
      HELO,
      MAIL,
      RCPT,
      RCPT,
      simple('data'),
      HEADER,
      simple('endOfHeaders'),
      BODY,
      EOM,
    );
    expect(replies).toEqual(Array(10).fill('continue'));
    expect(calls).toEqual([
      'connect',
      'helo a',
      'mail a@b',
      'rcpt c@d',
      'rcpt c@d',
      'data',
      'header',
      'endOfHeaders',
      'body',
      'endOfMessage',
    ]);
    expect(session.inMessage).toBe(false);
    expect(await session.receive(simple('quit'))).toBe(false);
    expect(calls.slice(-1)).toEqual(['close']);
  });

  const before: [string, Command[], Command][] = [
    ['anything before the negotiation', [], HELO],
    ['abort before the negotiation', [], simple('abort')],
    ['a second negotiation', [{ command: 'negotiate', ...POSTFIX }], { command: 'negotiate', ...POSTFIX }],
    ['rcpt before mail', [{ command: 'negotiate', ...POSTFIX }], RCPT],
    ['end of message before mail', [{ command: 'negotiate', ...POSTFIX }], EOM],
    ['a second mail', [{ command: 'negotiate', ...POSTFIX }, MAIL], MAIL],
    ['mail after headers', [{ command: 'negotiate', ...POSTFIX }, MAIL, RCPT, HEADER], MAIL],
    ['rcpt after headers', [{ command: 'negotiate', ...POSTFIX }, MAIL, RCPT, HEADER], RCPT],
    ['header after body', [{ command: 'negotiate', ...POSTFIX }, MAIL, RCPT, BODY], HEADER],
    ['helo after headers', [{ command: 'negotiate', ...POSTFIX }, MAIL, RCPT, HEADER], HELO],
    ['body after the end', [{ command: 'negotiate', ...POSTFIX }, MAIL, RCPT, EOM], BODY],
    [
      'a second connect',
      [
        { command: 'negotiate', ...POSTFIX },
        { command: 'connect', client: CLIENT },
      ],
      { command: 'connect', client: CLIENT },
    ],
  ];
  test.each(before)('illegal: %s', async (_name, commands, command) => {
    const { say } = start(noting().handler);
    await say(...commands);
    await expect(say(command)).rejects.toThrow(MilterProtocolError);
  });

  test('after quit nothing is legal', async () => {
    const { negotiate, say } = start({});
    await negotiate();
    await say(simple('quit'));
    await expect(say(HELO)).rejects.toThrow(/after the end/);
  });

  test('a message may begin with RCPT when MAIL was not asked for', async () => {
    const { negotiate, names } = start({ rcpt: () => CONTINUE });
    await negotiate();
    expect(await names(RCPT, EOM, RCPT, EOM)).toEqual(Array(4).fill('continue'));
  });

  test('abort tells the handler only of a message that had no verdict', async () => {
    const { handler, calls } = noting();
    const { negotiate, say } = start(handler);
    await negotiate();
    await say(simple('abort'), MAIL, RCPT, simple('abort'), MAIL, RCPT, EOM, simple('abort'));
    expect(calls).toEqual(['mail a@b', 'rcpt c@d', 'abort', 'mail a@b', 'rcpt c@d', 'endOfMessage']);
  });

  test('HELO in the middle of a message, then its abort, as Postfix sends them', async () => {
    const { handler, calls } = noting();
    const { negotiate, say } = start(handler);
    await negotiate();
    await say(MAIL, RCPT, HELO, simple('abort'), MAIL);
    expect(calls).toEqual(['mail a@b', 'rcpt c@d', 'helo a', 'abort', 'mail a@b']);
  });

  test('a lost connection aborts and closes, once', async () => {
    const { handler, calls } = noting();
    const { negotiate, say, session } = start(handler);
    await negotiate();
    await say(MAIL);
    session.end();
    session.end();
    expect(calls).toEqual(['mail a@b', 'abort', 'close']);
  });

  test('quit-new-connection: a new handler, old macros forgotten, connect legal again, no second negotiation', async () => {
    const seen: [string | undefined, string | undefined][] = [];
    const { negotiate, say, made } = start({
      connect: () => CONTINUE,
      mail: (_address, _parameters, all) => {
        seen.push([all.get('client_addr'), all.get('i')]);
        return CONTINUE;
      },
    });
    await negotiate();
    await say(
      macros('connect', { client_addr: '1' }),
      { command: 'connect', client: CLIENT },
      macros('mail', { i: 'Q' }),
    );
    await say(MAIL, simple('quitNewConnection'), { command: 'connect', client: CLIENT }, MAIL);
    expect(made()).toBe(2);
    expect(seen).toEqual([
      ['1', 'Q'],
      [undefined, undefined],
    ]);
    await expect(say({ command: 'negotiate', ...POSTFIX })).rejects.toThrow(MilterProtocolError);
  });
});

describe('macros', () => {
  test('are seen where they hold, and dropped with what they describe', async () => {
    const seen: string[] = [];
    const note =
      (stage: string) =>
      (...args: unknown[]): Verdict => {
        const all = args.at(-1) as ReadonlyMap<string, string>;
        seen.push(`${stage} ${[...all].map(([name, value]) => `${name}=${value}`).join(' ')}`);
        return CONTINUE;
      };
    const { negotiate, say } = start({
      helo: note('helo'),
      mail: note('mail'),
      rcpt: note('rcpt'),
      endOfMessage: note('end'),
    });
    await negotiate();
    await say(macros('connect', { c: '1' }), macros('helo', { h: '1' }), HELO);
    await say(macros('mail', { m: '1', c: 'own' }), MAIL, macros('rcpt', { r: '1' }), RCPT, RCPT);
    await say(macros('endOfMessage', { i: 'Q' }), EOM, MAIL);
    expect(seen).toEqual([
      'helo c=1 h=1',
      'mail c=own h=1 m=1',
      'rcpt c=own h=1 m=1 r=1',
      'rcpt c=own h=1 m=1',
      'end c=own h=1 m=1 i=Q',
      'mail c=1 h=1',
    ]);
  });
});

describe('verdicts', () => {
  test.each([
    ['mail', 'reject', true],
    ['mail', 'tempfail', true],
    ['rcpt', 'reject', false],
    ['rcpt', 'accept', true],
    ['data', 'reject', false],
    ['data', 'discard', true],
    ['header', 'reject', true],
    ['endOfHeaders', 'tempfail', true],
    ['body', 'accept', true],
    ['endOfMessage', 'reject', true],
  ] as const)('%s: %s ends the message: %s', async (stage, action, over) => {
    const { handler, calls } = noting({ [stage]: { action } });
    const { negotiate, say, session } = start(handler);
    await negotiate();
    const all: Command[] = [MAIL, RCPT, simple('data'), HEADER, simple('endOfHeaders'), BODY, EOM];
    const at = all.findIndex(each => each.command === stage);
    const replies = await say(...all.slice(0, at + 1));
    expect(replies.at(-1)).toEqual({ reply: action });
    expect(session.inMessage).toBe(!over);
    await say(simple('abort'), MAIL);
    expect(calls.includes('abort')).toBe(!over);
  });

  test('Postfix goes on with RCPT after a refused DATA', async () => {
    const { negotiate, names } = start(noting({ data: { action: 'reject' } }).handler);
    await negotiate();
    expect(await names(MAIL, RCPT, simple('data'), RCPT, simple('data'))).toEqual([
      'continue',
      'continue',
      'reject',
      'continue',
      'reject',
    ]);
  });

  test('skip: the MTA is told where it understands, else the rest of the body is taken and not shown', async () => {
    for (const [steps, reply] of [
      [0x1fffff, 'skip'],
      [0x7f, 'continue'],
    ] as const) {
      const { handler, calls } = noting({ body: { action: 'skip' } });
      const { negotiate, names } = start(handler);
      await negotiate({ steps });
      expect(await names(MAIL, RCPT, BODY, BODY, EOM, MAIL, RCPT, BODY)).toEqual([
        'continue',
        'continue',
        reply,
        'continue',
        'continue',
        'continue',
        'continue',
        reply,
      ]);
      expect(calls.filter(each => each === 'body')).toHaveLength(2);
    }
  });

  test('a last piece of body on the end of the message is body', async () => {
    const chunks: string[] = [];
    const { negotiate, names } = start({
      body: chunk => {
        chunks.push(Buffer.from(chunk).toString());
        return chunk.length > 3 ? { action: 'reject' } : CONTINUE;
      },
    });
    await negotiate();
    expect(await names(RCPT, BODY, { command: 'endOfMessage', chunk: Buffer.from('end') })).toEqual(
      Array(3).fill('continue'),
    );
    expect(await names(RCPT, { command: 'endOfMessage', chunk: Buffer.from('long') })).toEqual(['continue', 'reject']);
    expect(chunks).toEqual(['x\r\n', 'end', 'long']);
  });

  test('silent stages get no reply; their verdict comes with the next reply', async () => {
    const { handler, calls } = noting({
      header: { action: 'reply', code: 550, enhanced: '5.6.0', text: ['Bad field'] },
    });
    const { negotiate, say } = start(handler, { silent: ['header', 'body'] });
    await negotiate();
    await say(MAIL, RCPT);
    const refusal = { reply: 'replyCode', text: '550 5.6.0 Bad field' };
    expect(await say(HEADER, HEADER)).toEqual([]);
    expect(await say(simple('endOfHeaders'))).toEqual([refusal]);
    // Once refused the handler hears no more of it.
    expect(calls.filter(each => each === 'header')).toHaveLength(1);
    expect(await say(MAIL, RCPT, BODY, EOM)).toHaveLength(3);
  });

  test('silent stages are answered when the MTA does not offer that', async () => {
    const { negotiate, names } = start(noting().handler, { silent: ['header'] });
    await negotiate({ steps: 0x7f });
    expect(await names(MAIL, RCPT, HEADER)).toEqual(Array(3).fill('continue'));
  });
});

describe('reply text', () => {
  async function replied(verdict: Verdict): Promise<Reply | undefined> {
    const { negotiate, say } = start({ mail: () => verdict });
    await negotiate();
    return (await say(MAIL)).at(-1);
  }
  const reply = (code: number, enhanced: string, ...text: string[]): Verdict => ({
    action: 'reply',
    code,
    enhanced,
    text,
  });

  test('one line, several lines, no line', async () => {
    expect(await replied(reply(550, '5.7.1', 'No.'))).toEqual({ reply: 'replyCode', text: '550 5.7.1 No.' });
    expect(await replied(reply(451, '4.3.0', 'a', 'b', 'c'))).toEqual({
      reply: 'replyCode',
      text: '451-4.3.0 a\r\n451-4.3.0 b\r\n451 4.3.0 c',
    });
    expect(await replied(reply(451, '4.3.0'))).toEqual({ reply: 'replyCode', text: '451 4.3.0 ' });
  });

  test('controls and what is not ASCII never reach the client', async () => {
    expect(await replied(reply(550, '5.7.1', 'a\r\n250 ok\0b\x7fé😀'))).toEqual({
      reply: 'replyCode',
      text: '550 5.7.1 a 250 ok b ??',
    });
  });

  test('a long line is broken at a space, within the 512 octets of RFC 5321; 32 lines at most', async () => {
    const long = await replied(reply(550, '5.1.1', `${'word '.repeat(400)}${'x'.repeat(1_200)}`));
    if (long?.reply !== 'replyCode') throw new Error('no reply');
    const lines = long.text.split('\r\n');
    expect(lines.every(line => line.length <= 510 && /^550[- ]5\.1\.1 (word|x)/.test(line))).toBe(true);
    expect(
      lines
        .join('')
        .replace(/550[- ]5\.1\.1 /g, '')
        .replaceAll(' ', ''),
    ).toBe('word'.repeat(400) + 'x'.repeat(1_200));
    const many = await replied(reply(550, '5.1.1', ...Array<string>(100).fill('a')));
    expect(many?.reply === 'replyCode' && many.text.split('\r\n').length).toBe(32);
  });

  test.each([
    reply(250, '2.0.0', 'ok'),
    reply(354, '4.0.0', 'x'),
    reply(550, '4.7.1', 'x'),
    reply(451, '5.7.1', 'x'),
    reply(550, '5.7.1\r\n', 'x'),
    reply(550, '', 'x'),
    reply(Number.NaN, '5.7.1', 'x'),
  ])('%j is a fault of the handler: tempfail', async verdict => {
    expect(await replied(verdict)).toEqual({ reply: 'tempfail' });
  });
});

describe('handler faults', () => {
  test.each(['mail', 'rcpt', 'data', 'header', 'endOfHeaders', 'body', 'endOfMessage'] as const)(
    'an exception in %s refuses the message for now, is logged, and the next message is served',
    async stage => {
      let broken = true;
      const { handler, calls } = noting();
      const { negotiate, say, lines } = start({
        ...handler,
        [stage]: () => {
          if (broken) throw new Error('broken on purpose');
          return CONTINUE;
        },
      });
      await negotiate();
      const all: Command[] = [MAIL, RCPT, simple('data'), HEADER, simple('endOfHeaders'), BODY, EOM];
      const at = all.findIndex(each => each.command === stage);
      const replies = await say(...all.slice(0, at + 1));
      expect(replies.at(-1)).toEqual({ reply: 'tempfail' });
      // Where the MTA goes on with the message all the same, it stays refused and the handler is left in peace.
      if (stage === 'rcpt')
        expect((await say(RCPT, simple('data'))).map(each => each.reply)).toEqual(['tempfail', 'tempfail']);
      await say(simple('abort'));
      expect(calls.filter(each => each === 'abort')).toHaveLength(1);
      expect(lines.filter(line => line.level === 50)).toHaveLength(1);
      broken = false;
      expect((await say(...all)).map(each => each.reply)).toEqual(Array(7).fill('continue'));
    },
  );

  test('a rejected promise, a throwing abort and close are no more than a log line', async () => {
    const boom = (): never => {
      throw new Error('broken on purpose');
    };
    const { negotiate, names, session, lines } = start({
      connect: () => Promise.reject(new Error('no')),
      abort: boom,
      close: boom,
    });
    await negotiate();
    expect(await names({ command: 'connect', client: CLIENT }, HELO)).toEqual(['tempfail', 'continue']);
    await names(RCPT, simple('abort'));
    session.end();
    expect(lines.filter(line => line.level === 50)).toHaveLength(3);
  });
});

describe('modifications', () => {
  const ALL = {
    actions: [
      'addHeaders',
      'changeHeaders',
      'replaceBody',
      'addRecipients',
      'deleteRecipients',
      'changeSender',
      'quarantine',
    ],
  } as const;

  async function modified(
    edit: NonNullable<MilterHandler['endOfMessage']>,
    wishes: Partial<Wishes> = ALL,
    steps = 0x1fffff,
  ) {
    const { negotiate, say } = start({ rcpt: () => CONTINUE, endOfMessage: edit }, wishes);
    await negotiate({ steps });
    await say(RCPT);
    return say(EOM);
  }

  test('all of them, in order, the body last and in one run', async () => {
    const replies = await modified(change => {
      change.replaceBody(Buffer.alloc(65_536, 'a'));
      change.deleteHeader('X', 2);
      change.changeHeader('Y', 1, 'new\r\n folded');
      change.addHeader('Z', 'end');
      change.insertHeader(0, 'Top', 'value');
      change.addRecipient('new@b');
      change.deleteRecipient('old@b');
      change.changeSender('', 'BODY=8BITMIME');
      change.quarantine('look at it');
      change.replaceBody(Buffer.from('b'));
      return { action: 'accept' };
    });
    expect(replies.map(each => (each.reply === 'replaceBody' ? each.chunk.length : each))).toEqual([
      { reply: 'changeHeader', occurrence: 2, name: 'X', value: '' },
      { reply: 'changeHeader', occurrence: 1, name: 'Y', value: ' new\n folded' },
      { reply: 'addHeader', name: 'Z', value: ' end' },
      { reply: 'insertHeader', index: 0, name: 'Top', value: ' value' },
      { reply: 'addRecipient', address: '<new@b>' },
      { reply: 'deleteRecipient', address: '<old@b>' },
      { reply: 'changeSender', address: '<>', parameters: 'BODY=8BITMIME' },
      { reply: 'quarantine', reason: 'look at it' },
      65_535,
      1,
      1,
      { reply: 'accept' },
    ]);
  });

  test('an older MTA writes the space after the colon itself', async () => {
    const replies = await modified(
      change => {
        change.addHeader('A', 'b');
        return CONTINUE;
      },
      ALL,
      0x7f,
    );
    expect(replies[0]).toEqual({ reply: 'addHeader', name: 'A', value: 'b' });
  });

  test('none of them when the message is refused, or the handler fails after asking', async () => {
    expect(
      await modified(change => {
        change.addHeader('A', 'b');
        return { action: 'reject' };
      }),
    ).toEqual([{ reply: 'reject' }]);
    expect(
      await modified(change => {
        change.addHeader('A', 'b');
        throw new Error('broken on purpose');
      }),
    ).toEqual([{ reply: 'tempfail' }]);
  });

  test('what was not negotiated is a fault of the handler', async () => {
    expect(
      await modified(change => {
        change.quarantine('x');
        return CONTINUE;
      }, {}),
    ).toEqual([{ reply: 'tempfail' }]);
  });

  test('too late is too late', async () => {
    let late: (() => void) | null = null;
    await modified(change => {
      late = () => change.addHeader('A', 'b');
      return CONTINUE;
    });
    expect(late).toThrow(/only during endOfMessage/);
  });

  test.each<[string, (change: Modifications) => void]>([
    ['a header within a value', change => change.addHeader('A', 'b\nEvil: c')],
    ['a bare CR', change => change.addHeader('A', 'b\rc')],
    ['a NUL', change => change.changeHeader('A', 1, 'b\0')],
    ['a colon in a name', change => change.addHeader('A:', 'b')],
    ['an empty name', change => change.deleteHeader('', 1)],
    ['occurrence 0', change => change.deleteHeader('A', 0)],
    ['index -1', change => change.insertHeader(-1, 'A', 'b')],
    ['a change to nothing', change => change.changeHeader('A', 1, '')],
    ['an address with a bracket', change => change.addRecipient('a@b>,<c@d')],
    ['a reason of two lines', change => change.quarantine('a\nb')],
  ])('%s is refused', async (_name, edit) => {
    const replies = await modified(change => {
      edit(change);
      return CONTINUE;
    });
    expect(replies).toEqual([{ reply: 'tempfail' }]);
  });

  test('the MTA hears progress while the end of a message takes its time', async () => {
    const replies = await modified(async () => {
      await new Promise(resolve => setTimeout(resolve, 300));
      return CONTINUE;
    });
    expect(replies.length).toBeGreaterThan(2);
    expect(replies.slice(0, -1).every(each => each.reply === 'progress')).toBe(true);
    expect(replies.at(-1)).toEqual({ reply: 'continue' });
  });
});
