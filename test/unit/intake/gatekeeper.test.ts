/** The gatekeeper where a real mail server can't easily be brought: faults of ours, limits, and what it changes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MilterHandler, Modifications, Verdict } from '../../../milter/handler.ts';
import { DirectoryUnavailable } from '../../../src/directory/directory.ts';
import { createDns } from '../../../src/dns/resolver.ts';
import { type DocumentRefusalReason, DocumentRefused } from '../../../src/documents/documents.ts';
import { atMost } from '../../../src/intake/at-most.ts';
import { createGatekeeper, type GatekeeperDeps } from '../../../src/intake/gatekeeper.ts';
import { splitMessage } from '../../../src/intake/raw-message.ts';
import { checkVerdict } from '../../../src/intake/verdict.ts';
import { TooManyRequests } from '../../../src/requests/requests.ts';
import { dkimKey, dkimSign } from '../../support/dkim.ts';
import { makeMessage } from '../../support/message.ts';
import { KEY, log, makeWorld, NOW, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});
afterAll(() => world.close());

const fine: Pick<GatekeeperDeps, 'documents' | 'readXml' | 'replies' | 'checkLimits' | 'dns'> = {
  // Nobody is asked of who logged in.
  dns: createDns({ servers: ['127.0.0.1:1'], timeout: 100 }),
  documents: { inspect: async () => ({ pages: 1, attachments: [], formFields: 0 }) },
  readXml: async () => {
    throw new Error('no XML here');
  },
  replies: { judge: () => Promise.reject(new Error('no reply here')) },
  checkLimits: async () => {},
};

interface Outcome {
  readonly rcpt: readonly Verdict[];
  readonly end: Verdict | null;
  readonly changes: readonly string[];
  readonly added: readonly [string, string][];
}

async function run(
  raw: Buffer,
  deps: Partial<GatekeeperDeps> = {},
  to: readonly string[] = ['john.doe@sign.company.com'],
  handler?: MilterHandler,
): Promise<Outcome> {
  const gate =
    handler ??
    createGatekeeper({
      config: world.config,
      directory: world.directory,
      verdictKeys: [KEY],
      reading: atMost(3),
      now: () => NOW,
      log,
      ...fine,
      ...deps,
    })();
  const macros = new Map([
    ['auth_authen', 'msmith'],
    ['i', 'QUEUE1'],
    ['j', 'mx.company.com'],
  ]);
  await gate.connect?.({ hostname: 'x', family: 'inet', address: '203.0.113.9', port: 1 }, macros);
  await gate.mail?.('mary.smith@company.com', [], macros);
  const rcpt: Verdict[] = [];
  for (const address of to) rcpt.push(await gate.rcpt!(address, [], macros));
  const changes: string[] = [];
  const added: [string, string][] = [];
  if (!rcpt.some(({ action }) => action === 'continue')) return { rcpt, end: null, changes, added };
  const data = await gate.data!(macros);
  if (data.action !== 'continue') return { rcpt, end: data, changes, added };
  const message = splitMessage(raw);
  for (const { name, value } of message.fields) {
    await gate.header?.(
      { name: Buffer.from(name), value: Buffer.from(value.toString('latin1').replaceAll('\r\n', '\n'), 'latin1') },
      macros,
    );
  }
  await gate.endOfHeaders?.(macros);
  for (let at = 0; at < message.body.length; at += 65_535)
    await gate.body?.(message.body.subarray(at, at + 65_535), macros);
  const modifications = {
    addHeader: (name: string, value: string) => added.push([name, value]),
    insertHeader: (index: number, name: string, value: string) => changes.push(`insert ${index} ${name}: ${value}`),
    deleteHeader: (name: string, occurrence: number) => changes.push(`delete ${name} ${occurrence}`),
  } as Partial<Modifications> as Modifications;
  const end = await gate.endOfMessage!(modifications, macros);
  return { rcpt, end, changes, added };
}

describe('a good message', () => {
  test('is admitted with a verdict that fits it, queue id and recipients included', async () => {
    const raw = makeMessage({ to: 'john.doe@sign.company.com, self@sign.company.com' });
    const { end, added } = await run(raw, {}, ['john.doe@sign.company.com', 'SELF@sign.company.com']);
    expect(end).toEqual({ action: 'continue' });
    expect(added).toHaveLength(1);
    const [name, value] = added[0]!;
    const delivered = splitMessage(Buffer.concat([Buffer.from(`${name}: ${value.replaceAll('\n', '\r\n')}\r\n`), raw]));
    expect(checkVerdict(delivered, [KEY], 1, NOW)).toEqual({
      senderId: 'mary',
      method: 'sasl',
      time: NOW,
      queueId: 'QUEUE1',
      recipients: ['john.doe@sign.company.com', 'self@sign.company.com'],
    });
  });

  test('loses what only we may write, from the last to the first', async () => {
    const { changes } = await run(
      makeMessage({
        headers: [
          'X-Signpost-Verdict: a',
          'Authentication-Results: other.example; dkim=pass',
          'x-signpost-verdict: b',
          'X-SIGNPOST-Anything: c',
          'Authentication-Results: sign.company.com; spf=pass',
          'Authentication-Results:\r\n mx.company.com 1; spf=pass',
        ],
      }),
    );
    expect(changes).toEqual([
      'delete x-signpost-verdict 2',
      'delete x-signpost-verdict 1',
      'delete x-signpost-anything 1',
      'delete Authentication-Results 3',
      'delete Authentication-Results 2',
      'insert 0 Authentication-Results: mx.company.com;\n auth=pass',
    ]);
  });

  test('several on one connection are told apart, also after one that was broken off', async () => {
    const handler = createGatekeeper({
      config: world.config,
      directory: world.directory,
      verdictKeys: [KEY],
      reading: atMost(3),
      now: () => NOW,
      log,
      ...fine,
    })();
    expect((await run(makeMessage({ parts: [] }), {}, undefined, handler)).end).toMatchObject({ code: 550 });
    await handler.mail?.('mary.smith@company.com', [], new Map([['auth_authen', 'msmith']]));
    await handler.rcpt?.('anna.muller@sign.company.com', [], new Map());
    handler.abort?.();
    const { end, added } = await run(makeMessage(), {}, undefined, handler);
    expect(end).toEqual({ action: 'continue' });
    expect(added).toHaveLength(1);
  });

  test('for nobody on the sign domain is not touched, whatever it carries', async () => {
    const raw = makeMessage({ headers: ['X-Signpost-Verdict: a', 'From: b@c.org'], parts: [] });
    const { rcpt, end, changes, added } = await run(raw, {}, [
      'x@outside.example',
      'john.doe@company.com',
      '"odd one"@y.org',
    ]);
    expect(rcpt.every(({ action }) => action === 'continue')).toBe(true);
    expect({ end, changes, added }).toEqual({ end: { action: 'accept' }, changes: [], added: [] });
  });
});

describe('faults of ours are temporary', () => {
  const down = async (): Promise<never> => {
    throw new DirectoryUnavailable('down');
  };

  test('the directory is down at RCPT', async () => {
    const directory = { ...world.directory, findByMail: down, findByLogin: down };
    const { rcpt } = await run(makeMessage(), { directory });
    expect(rcpt[0]).toMatchObject({ action: 'reply', code: 451, enhanced: '4.3.0' });
  });

  test('the directory goes down between RCPT (three look-ups) and the end of the message', async () => {
    let calls = 0;
    const directory = {
      ...world.directory,
      findByMail: (address: string) => (calls++ < 3 ? world.directory.findByMail(address) : down()),
    };
    expect((await run(makeMessage(), { directory })).end).toMatchObject({ code: 451, enhanced: '4.3.0' });
  });

  test.each<[string, Error, number, string]>([
    ['the document worker is gone', new Error('worker exited'), 451, '4.3.0'],
    ['the disk is full', Object.assign(new Error('no space'), { code: 'ENOSPC' }), 452, '4.3.1'],
    ['the database is full', Object.assign(new Error('full'), { errcode: 13 }), 452, '4.3.1'],
  ])('%s', async (_, error, code, enhanced) => {
    const documents = { inspect: () => Promise.reject(error) };
    const { end, added } = await run(makeMessage(), { documents });
    expect(end).toMatchObject({ action: 'reply', code, enhanced });
    expect(added).toEqual([]);
  });
});

describe('limits', () => {
  test.each(['per-sender', 'per-pair', 'per-day'] as const)('too many requests %s: come back later', async limit => {
    const checkLimits = async () => {
      throw new TooManyRequests(limit, 73);
    };
    expect((await run(makeMessage(), { checkLimits })).end).toMatchObject({
      code: 450,
      enhanced: '4.7.1',
      text: [expect.stringContaining('73'), expect.stringContaining('again')],
    });
  });

  test('at the size limit exactly, and one byte over', async () => {
    const raw = makeMessage();
    const at = (maxMessageSize: number) => ({
      config: { ...world.config, mail: { ...world.config.mail, maxMessageSize } },
    });
    expect((await run(raw, at(raw.length))).end).toEqual({ action: 'continue' });
    expect((await run(raw, at(raw.length - 1))).end).toMatchObject({ code: 552, enhanced: '5.3.4' });
  });

  test('a mail to many addresses of ours would be read for each of them', async () => {
    const to = Array.from({ length: 11 }, (_, n) => `request+abc${n}@sign.company.com`);
    const replies = { judge: async () => {} };
    expect((await run(makeMessage(), { replies }, to.slice(1))).end).toEqual({ action: 'continue' });
    expect((await run(makeMessage(), { replies }, to)).end).toMatchObject({ code: 550, enhanced: '5.7.1' });
  });

  test('a limit that is raised in the middle of a message: no rest of it is taken for the whole', async () => {
    const mail = { ...world.config.mail, maxMessageSize: 70_000 };
    const gate = createGatekeeper({
      config: { ...world.config, mail },
      directory: world.directory,
      verdictKeys: [KEY],
      reading: atMost(3),
      now: () => NOW,
      log,
      ...fine,
    })();
    const body = gate.body!.bind(gate);
    let pieces = 0;
    gate.body = (chunk, macros) => {
      pieces += 1;
      if (pieces === 3) mail.maxMessageSize = 1_000_000;
      return body(chunk, macros);
    };
    const raw = makeMessage({ text: 'x\r\n'.repeat(100_000) });
    expect((await run(raw, {}, undefined, gate)).end).toMatchObject({ code: 552, enhanced: '5.3.4' });
  });
});

test.each<[DocumentRefusalReason, string]>([
  ['encrypted', '5.6.1'],
  ['javascript', '5.6.1'],
  ['xfa', '5.6.1'],
  ['damaged', '5.6.0'],
  ['certified-no-changes', '5.6.1'],
  ['already-signed-standard', '5.6.1'],
  ['too-complex', '5.6.0'],
])('a document that is %s is refused by name', async (reason, enhanced) => {
  const documents = { inspect: () => Promise.reject(new DocumentRefused(reason, 'secret detail')) };
  const { end } = await run(makeMessage(), { documents });
  expect(end).toMatchObject({
    code: 550,
    enhanced,
    text: [expect.stringMatching(/^"contract.pdf" /), expect.any(String)],
  });
  expect(JSON.stringify(end)).not.toContain('secret detail');
});

describe('clients who have not said who they are', () => {
  const LIMIT = 64 * 1024;
  const signed = (size: number, h?: string): Buffer =>
    dkimSign(makeMessage({ text: `${'x'.repeat(70)}\r\n`.repeat(size / 72) }), dkimKey('company.com', 's1'), {
      tags: { t: NOW.getTime() / 1000 },
      ...(h === undefined ? {} : { h }),
    });
  const gates = () =>
    createGatekeeper({
      config: { ...world.config, mail: { ...world.config.mail, maxMessageSize: LIMIT } },
      directory: world.directory,
      verdictKeys: [KEY],
      reading: atMost(3),
      now: () => NOW,
      log,
      ...fine,
    });
  /** Everything but the end. The verdict at the end of the header. */
  const feed = async (
    gate: MilterHandler,
    raw: Buffer,
    [from, to]: readonly string[] = ['mary.smith@company.com', 'john.doe@sign.company.com'],
  ): Promise<Verdict> => {
    await gate.connect?.({ hostname: 'x', family: 'inet', address: '203.0.113.9', port: 1 }, new Map());
    await gate.mail?.(from!, [], new Map());
    expect(await gate.rcpt?.(to!, [], new Map())).toEqual({ action: 'continue' });
    const { fields, body } = splitMessage(raw);
    for (const { name, value } of fields) {
      const text = value.toString('latin1').replaceAll('\r\n', '\n');
      await gate.header?.({ name: Buffer.from(name), value: Buffer.from(text, 'latin1') }, new Map());
    }
    const verdict = await gate.endOfHeaders!(new Map());
    if (verdict.action === 'continue') await gate.body?.(body, new Map());
    return verdict;
  };
  const end = (gate: MilterHandler) => gate.endOfMessage!({} as Modifications, new Map());

  test('their bodies are wanted only when the header gives hope', async () => {
    expect(await feed(gates()(), makeMessage())).toMatchObject({ code: 550, enhanced: '5.7.1' });
    expect(await feed(gates()(), signed(1000, 'from:to:date:message-id:content-type'))).toMatchObject({
      code: 550,
      text: expect.arrayContaining([expect.stringContaining('does not cover Subject')]),
    });
    expect(await feed(gates()(), signed(1000))).toEqual({ action: 'continue' });
  });

  test('all together may not make us keep more than a few large mails; the next ones come again', async () => {
    const gate = gates();
    const large = signed(60_000);
    const waiting = [gate(), gate(), gate(), gate()];
    for (const one of waiting) expect(await feed(one, large)).toEqual({ action: 'continue' });
    const late = gate();
    await feed(late, large);
    expect(await end(late)).toMatchObject({ code: 451, enhanced: '4.3.2' });
    // Whoever logs in is none of them.
    expect((await run(makeMessage(), {}, undefined, gate())).end).toEqual({ action: 'continue' });
    waiting[0]!.abort!();
    waiting[1]!.close!();
    const next = gate();
    await feed(next, large);
    // There was room: now the name server matters, and there is none here.
    expect(await end(next)).toMatchObject({ code: 451, enhanced: '4.7.0' });
    for (let count = 0; count < 10; count += 1) {
      const again = gate();
      await feed(again, large);
      expect(await end(again)).toMatchObject({ enhanced: '4.7.0' });
    }
  });

  const REPORT = ['', 'bounce+abc@sign.company.com'];

  test('delivery reports count among them: anybody can send such', async () => {
    const gate = gates();
    const large = makeMessage({ text: 'x\r\n'.repeat(20_000) });
    for (let count = 0; count < 4; count += 1)
      expect(await feed(gate(), large, REPORT)).toEqual({ action: 'continue' });
    const late = gate();
    await feed(late, large, REPORT);
    expect(await end(late)).toMatchObject({ code: 451, enhanced: '4.3.2' });
  });

  test('a header of very many short lines is refused at its end, and not kept', async () => {
    const raw = Buffer.from(`From: mary.smith@company.com\r\n${'a:\r\n'.repeat(30_000)}\r\nx\r\n`);
    for (const envelope of [undefined, REPORT])
      expect(await feed(gates()(), raw, envelope)).toMatchObject({
        code: 550,
        text: expect.arrayContaining([expect.stringContaining('header is too long')]),
      });
  });

  test('where DMARC is switched off, they hear so at once', async () => {
    const gate = createGatekeeper({
      config: { ...world.config, senders: { ...world.config.senders, dmarc: false } },
      directory: world.directory,
      verdictKeys: [KEY],
      reading: atMost(3),
      now: () => NOW,
      log,
      ...fine,
    })();
    await gate.connect?.({ hostname: 'x', family: 'inet', address: '203.0.113.9', port: 1 }, new Map());
    await gate.mail?.('mary.smith@company.com', [], new Map());
    expect(await gate.rcpt?.('john.doe@sign.company.com', [], new Map())).toMatchObject({
      code: 550,
      enhanced: '5.7.1',
    });
  });
});
