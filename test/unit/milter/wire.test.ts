import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodePacket, MilterProtocolError, type Packet, PacketReader } from '../../../milter/packets.ts';
import { SMFIM, STAGE_STEPS } from '../../../milter/protocol.ts';
import {
  type Command,
  decodeCommand,
  decodeReply,
  encodeCommand,
  encodeReply,
  type Reply,
} from '../../../milter/wire.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 40 }).map(each => each.replaceAll('\0', ''));
const bytes = fc.uint8Array({ maxLength: 300 }).map(each => Buffer.from(each));
const line = bytes.map(each => Buffer.from(each.filter(byte => byte !== 0)));
const uint32 = fc.nat(0xffff_ffff);
const macroName = fc.stringMatching(/^[a-z_]{1,12}$/);
const stage = fc.constantFrom(...(Object.keys(STAGE_STEPS) as (keyof typeof STAGE_STEPS)[]));
const negotiation = { version: uint32, actions: uint32, steps: uint32 };
const client = fc.oneof(
  fc.record({
    hostname: text,
    family: fc.constant('unknown' as const),
    address: fc.constant(''),
    port: fc.constant(0),
  }),
  fc.record({
    hostname: text,
    family: fc.constantFrom('inet' as const, 'inet6' as const, 'unix' as const),
    address: fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant('/run/socket')),
    port: fc.nat(65_535),
  }),
);
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ command: fc.constant('negotiate' as const), ...negotiation }),
  fc.record({
    command: fc.constant('macros' as const),
    stage,
    macros: fc.array(fc.tuple(macroName, text)).map(all => new Map(all)),
  }),
  fc.record({ command: fc.constant('connect' as const), client }),
  fc.record({ command: fc.constant('helo' as const), name: text }),
  fc.record({ command: fc.constantFrom('mail' as const, 'rcpt' as const), address: text, parameters: fc.array(text) }),
  fc.record({
    command: fc.constantFrom(
      'data' as const,
      'endOfHeaders' as const,
      'abort' as const,
      'quit' as const,
      'quitNewConnection' as const,
    ),
  }),
  fc.record({ command: fc.constant('unknown' as const), line: text }),
  fc.record({ command: fc.constant('header' as const), name: line, value: line }),
  fc.record({ command: fc.constantFrom('body' as const, 'endOfMessage' as const), chunk: bytes }),
);
const reply: fc.Arbitrary<Reply> = fc.oneof(
  fc.record({
    reply: fc.constant('negotiate' as const),
    ...negotiation,
    macros: fc
      .array(fc.tuple(fc.constantFrom(...(Object.keys(SMFIM) as (keyof typeof SMFIM)[])), fc.array(macroName)))
      .map(all => new Map(all)),
  }),
  fc.record({
    reply: fc.constantFrom(
      'continue' as const,
      'accept' as const,
      'reject' as const,
      'tempfail' as const,
      'discard' as const,
      'skip' as const,
      'progress' as const,
      'shutdown' as const,
      'connectionFailed' as const,
    ),
  }),
  fc.record({ reply: fc.constant('replyCode' as const), text }),
  fc.record({ reply: fc.constant('addHeader' as const), name: text, value: text }),
  fc.record({ reply: fc.constant('insertHeader' as const), index: uint32, name: text, value: text }),
  fc.record({ reply: fc.constant('changeHeader' as const), occurrence: uint32, name: text, value: text }),
  fc.record(
    { reply: fc.constantFrom('addRecipient' as const, 'changeSender' as const), address: text, parameters: text },
    { requiredKeys: ['reply', 'address'] },
  ),
  fc.record({ reply: fc.constant('deleteRecipient' as const), address: text }),
  fc.record({ reply: fc.constant('replaceBody' as const), chunk: bytes }),
  fc.record({ reply: fc.constant('quarantine' as const), reason: text }),
);

function single(stream: Buffer): Packet {
  const packets = [...new PacketReader(1 << 20).push(stream)];
  expect(packets).toHaveLength(1);
  return packets[0]!;
}

describe('commands and replies', () => {
  test('every command comes back as it was', () => {
    fc.assert(
      fc.property(command, each => {
        expect(decodeCommand(single(encodeCommand(each)))).toEqual(each);
      }),
    );
  });

  test('every reply comes back as it was', () => {
    fc.assert(
      fc.property(reply, each => {
        expect(decodeReply(single(encodeReply(each)))).toEqual(each);
      }),
    );
  });

  test('decoding any packet gives a value or a MilterProtocolError, nothing else', () => {
    fc.assert(
      fc.property(fc.nat(255), fc.uint8Array({ maxLength: 60 }), (code, data) => {
        const packet = { code: String.fromCharCode(code), data: Buffer.from(data) };
        for (const decode of [decodeCommand, decodeReply]) {
          try {
            decode(packet);
          } catch (error) {
            expect(error).toBeInstanceOf(MilterProtocolError);
          }
        }
      }),
      { numRuns: 3_000 },
    );
  });

  // The bytes as libmilter's documentation and Postfix have them, not as our encoder makes them.
  test.each([
    ['0000000d 4f 00000006 000001ff 001fffff', { command: 'negotiate', version: 6, actions: 0x1ff, steps: 0x1fffff }],
    [
      '00000016 43 6d782e74657374 00 34 1f90 3132372e302e302e31 00',
      { command: 'connect', client: { hostname: 'mx.test', family: 'inet', address: '127.0.0.1', port: 8080 } },
    ],
    [
      '00000017 43 61 00 36 0019 495076363a323030313a6462383a3a31 00',
      { command: 'connect', client: { hostname: 'a', family: 'inet6', address: '2001:db8::1', port: 25 } },
    ],
    [
      '00000004 43 61 00 55',
      { command: 'connect', client: { hostname: 'a', family: 'unknown', address: '', port: 0 } },
    ],
    [
      '0000000e 44 4d 69 00 414200 7b78797d 00 7a 00 ',
      {
        command: 'macros',
        stage: 'mail',
        macros: new Map([
          ['i', 'AB'],
          ['xy', 'z'],
        ]),
      },
    ],
    ['0000000e 4d 3c6140623e 00 53495a453d31 00', { command: 'mail', address: '<a@b>', parameters: ['SIZE=1'] }],
    ['00000001 54', { command: 'data' }],
    ['00000001 4b', { command: 'quitNewConnection' }],
    ['00000004 45 610d0a', { command: 'endOfMessage', chunk: Buffer.from('a\r\n') }],
  ])('%s', (hex, expected) => {
    const stream = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    expect(decodeCommand(single(stream))).toEqual(expected);
  });

  test.each([
    [{ reply: 'continue' }, '00000001 63'],
    [{ reply: 'replyCode', text: '550 5.7.1 100% no' }, `00000014 79 ${hex('550 5.7.1 100%% no')} 00`],
    [{ reply: 'insertHeader', index: 1, name: 'A', value: ' b' }, '0000000a 69 00000001 41 00 2062 00'],
    [{ reply: 'addRecipient', address: '<a>' }, '00000005 2b 3c613e 00'],
    [{ reply: 'addRecipient', address: '<a>', parameters: 'X' }, '00000007 32 3c613e 00 58 00'],
    [
      {
        reply: 'negotiate',
        version: 6,
        actions: 0x100,
        steps: 0,
        macros: new Map([['endOfMessage', ['i', 'auth_authen']]]),
      },
      `00000021 4f 00000006 00000100 00000000 00000005 ${hex('i {auth_authen}')} 00`,
    ],
  ] as [Reply, string][])('%j is %s', (each, expected) => {
    expect(encodeReply(each).toString('hex')).toBe(expected.replaceAll(' ', ''));
  });

  test.each([
    ['unknown command', 'Z', ''],
    ['negotiation that is short', 'O', '000000060000'],
    ['negotiation with bytes to spare', 'O', '00000006000000010000000100'],
    ['helo without its NUL', 'H', '6161'],
    ['helo with bytes after its NUL', 'H', '61006100'],
    ['mail without an address', 'M', ''],
    ['header without a value', 'L', '6100'],
    ['macros for no stage', 'D', ''],
    ['macros for a negotiation', 'D', '4f'],
    ['a macro without a value', 'D', '4d6900'],
    ['an address family that there is not', 'C', '61005a0019610000'],
    ['a connect that ends in the port', 'C', '61003400'],
    ['abort with data', 'A', '00'],
  ])('malformed: %s', (_name, code, data) => {
    expect(() => decodeCommand({ code, data: Buffer.from(data, 'hex') })).toThrow(MilterProtocolError);
  });

  test('a byte that is not UTF-8 never becomes another character that we know', () => {
    const decoded = decodeCommand({ code: 'R', data: Buffer.from('<j\xf6hn@a.b>\0', 'latin1') });
    expect(decoded).toEqual({ command: 'rcpt', address: '<j\ufffdhn@a.b>', parameters: [] });
  });

  test('a NUL cannot be smuggled into a string', () => {
    expect(() => encodeReply({ reply: 'addHeader', name: 'A', value: 'b\0c' })).toThrow(RangeError);
  });
});

function hex(plain: string): string {
  return Buffer.from(plain).toString('hex');
}

describe('PacketReader', () => {
  test('gives the same packets however the stream is split', () => {
    fc.assert(
      fc.property(
        fc.array(command, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 40 })),
        (commands, sizes) => {
          const stream = Buffer.concat(commands.map(encodeCommand));
          const reader = new PacketReader(65_535);
          const seen: Command[] = [];
          for (let at = 0, turn = 0; at < stream.length; turn += 1) {
            const size = sizes[turn % Math.max(sizes.length, 1)] ?? stream.length;
            for (const packet of reader.push(stream.subarray(at, at + size))) seen.push(decodeCommand(packet));
            at += size;
          }
          expect(seen).toEqual(commands);
        },
      ),
    );
  });

  test('an empty packet is malformed', () => {
    expect(() => [...new PacketReader(10).push(Buffer.alloc(4))]).toThrow(/empty packet/);
  });

  test('takes a packet of exactly the cap, refuses one byte more at its length, before its data comes', () => {
    const reader = new PacketReader(10);
    expect([...reader.push(encodePacket('B', Buffer.alloc(10)))]).toHaveLength(1);
    expect(() => [...reader.push(encodePacket('B', Buffer.alloc(11)).subarray(0, 4))]).toThrow(/limit is 11/);
  });

  test('allocates nothing for a length that lies', () => {
    const before = process.memoryUsage().arrayBuffers;
    for (let round = 0; round < 100; round += 1) {
      const reader = new PacketReader(131_071);
      expect(() => [...reader.push(Buffer.from('ffffffff', 'hex'))]).toThrow(MilterProtocolError);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
  });

  test('the cap may grow between packets', () => {
    const reader = new PacketReader(10);
    reader.maximum = 100;
    expect([...reader.push(encodePacket('B', Buffer.alloc(100)))]).toHaveLength(1);
  });
});
