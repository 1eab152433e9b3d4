/** Broken MTAs: what Postfix sent, mutated, must end that one connection or be served, and nothing else. */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { MilterClient } from '../../../milter/client.ts';
import { CONTINUE, type MilterHandler, type Verdict } from '../../../milter/handler.ts';
import { MilterProtocolError, PacketReader } from '../../../milter/packets.ts';
import { startMilter } from '../../../milter/server.ts';
import { MilterSession } from '../../../milter/session.ts';
import { decodeCommand, decodeReply, encodeCommand, encodeReply } from '../../../milter/wire.ts';
import { below, mutated, packetsOf, type Random, seeded } from './mutate.ts';

const SEED = 20_240_601;
const logger = pino({ level: 'silent' });

/** Streams that a real Postfix 3.7 sent (recorded), and what it never sends. */
function streams(): Buffer[][] {
  const folder = join(import.meta.dirname, 'recorded');
  const recorded = readdirSync(folder).map(name =>
    packetsOf(Buffer.from(readFileSync(join(folder, name), 'utf8').replaceAll('\n', ''), 'hex')),
  );
  const one = recorded[0]!;
  const isA = (packet: Buffer, code: string): boolean => packet[4] === code.charCodeAt(0);
  const untilQuit = one.filter(packet => !isA(packet, 'Q'));
  const twoConnections = [...untilQuit, encodeCommand({ command: 'quitNewConnection' }), ...one.slice(1)];
  const twoMessages = [
    ...untilQuit,
    encodeCommand({ command: 'abort' }),
    ...one.slice(1).filter(packet => !isA(packet, 'C')),
  ];
  const lastChunk = one.map(packet =>
    isA(packet, 'E') ? encodeCommand({ command: 'endOfMessage', chunk: Buffer.from('last piece\r\n') }) : packet,
  );
  return [...recorded, twoConnections, twoMessages, lastChunk];
}

/** Does a bit of everything, keeps what it is given as long as a message lasts, and must be closed exactly once. */
class Busy implements MilterHandler {
  #kept: Uint8Array[] = [];
  closed = 0;

  connect(): Verdict {
    return CONTINUE;
  }
  helo(): Verdict {
    return CONTINUE;
  }
  mail(address: string): Verdict {
    return address.length > 400 ? { action: 'reject' } : CONTINUE;
  }
  rcpt(address: string): Verdict {
    if (address === '') throw new Error('no recipient');
    return address.startsWith('bad') ? { action: 'reply', code: 550, enhanced: '5.1.1', text: [address] } : CONTINUE;
  }
  data(): Verdict {
    return CONTINUE;
  }
  unknown(): Verdict {
    return CONTINUE;
  }
  header({ name, value }: { name: Uint8Array; value: Uint8Array }): Verdict {
    this.#kept.push(name, value);
    return CONTINUE;
  }
  async endOfHeaders(): Promise<Verdict> {
    return CONTINUE;
  }
  body(chunk: Uint8Array): Verdict {
    this.#kept.push(chunk);
    return CONTINUE;
  }
  async endOfMessage(change: Parameters<NonNullable<MilterHandler['endOfMessage']>>[0]): Promise<Verdict> {
    change.addHeader('X-Pieces', String(this.#kept.length));
    this.#kept = [];
    return CONTINUE;
  }
  abort(): void {
    this.#kept = [];
  }
  close(): void {
    this.closed += 1;
    this.#kept = [];
  }
}

interface Outcome {
  readonly end: 'open' | 'quit' | 'protocol error';
  readonly packets: number;
  readonly replies: number;
}

/** Feeds a stream to a session as the server does; any other error than the protocol's goes through. */
async function feed(pieces: readonly Buffer[]): Promise<Outcome> {
  const handlers: Busy[] = [];
  let replies = 0;
  const session = new MilterSession({
    createHandler: () => {
      handlers.push(new Busy());
      return handlers.at(-1)!;
    },
    send: reply => {
      replies += encodeReply(reply).length > 0 ? 1 : 0;
    },
    logger,
    wishes: { actions: ['addHeaders'], silent: ['header'], macros: null, dataSize: '64K' },
    progressMilliseconds: 5_000,
  });
  const reader = new PacketReader(session.maxPacket);
  let packets = 0;
  let end: Outcome['end'] = 'open';
  try {
    reading: for (const piece of pieces) {
      for (const packet of reader.push(piece)) {
        packets += 1;
        if (!(await session.receive(decodeCommand(packet)))) {
          end = 'quit';
          break reading;
        }
      }
    }
  } catch (error) {
    if (!(error instanceof MilterProtocolError)) throw error;
    end = 'protocol error';
  }
  session.end();
  if (handlers.some(handler => handler.closed !== 1)) throw new Error('a handler was not closed exactly once');
  // At most one reply a packet, and one header to add for each end of message.
  if (replies > 2 * packets) throw new Error(`${replies} replies to ${packets} packets`);
  return { end, packets, replies };
}

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') for (let round = 0; round < 3; round += 1) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test('the recorded streams themselves are served to the end', async () => {
  for (const packets of streams()) {
    const { end, packets: served } = await feed([Buffer.concat(packets)]);
    expect(end).toBe('quit');
    expect(served).toBe(packets.length);
  }
});

test('A6 100,000 mutated byte streams from a fixed seed: no crash, memory flat, the next stream served', async () => {
  const sources = streams();
  const random = seeded(SEED);
  const seen = { open: 0, quit: 0, 'protocol error': 0 };
  let heap = 0;
  for (let round = 1; round <= 100_000; round += 1) {
    const { end } = await feed(mutated(sources[below(random, sources.length)]!, random));
    seen[end] += 1;
    if (round % 10_000 === 0) {
      const good = await feed([Buffer.concat(sources[0]!)]);
      expect(good).toMatchObject({ end: 'quit', packets: sources[0]!.length });
      // The first tenth is warming up: compiled code, inline caches.
      if (round === 10_000) heap = heapAfterCollection();
    }
  }
  expect(heapAfterCollection() - heap).toBeLessThan(8_000_000);
  // The mutations reach every kind of end, so the streams are neither all junk nor all harmless.
  expect(Math.min(seen.open, seen.quit, seen['protocol error'])).toBeGreaterThan(2_000);
});

test('A6 1,000 of them over real sockets: each connection ends, the next is served', async () => {
  const server = await startMilter({
    listen: { host: '127.0.0.1', port: 0 },
    createHandler: () => new Busy(),
    logger,
    actions: ['addHeaders'],
  });
  const sources = streams();
  const random = seeded(SEED + 1);
  for (let round = 0; round < 1_000; round += 1) {
    await send(server.port!, mutated(sources[below(random, sources.length)]!, random), random);
    if (round % 50 === 49) {
      const client = await MilterClient.connect({ address: { host: '127.0.0.1', port: server.port! } });
      expect(await client.mail('a@b')).toEqual(CONTINUE);
      await client.quit();
    }
  }
  await expect.poll(() => server.connections, { timeout: 20_000 }).toBe(0);
  await server.stop();
});

/** Sends the pieces, then closes or resets; what comes back must be replies of the protocol. */
async function send(port: number, pieces: readonly Buffer[], random: Random): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  const reader = new PacketReader(1 << 20);
  socket.on('error', () => {});
  socket.on('data', chunk => {
    for (const packet of reader.push(chunk)) decodeReply(packet);
  });
  const closed = once(socket, 'close').catch(() => {});
  for (const piece of pieces.slice(0, 40)) socket.write(piece);
  if (random() < 0.2) {
    await once(socket, 'connect').catch(() => {});
    socket.resetAndDestroy();
  } else socket.end();
  await closed;
}
