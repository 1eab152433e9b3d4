/**
 * A milter server on a TCP port or a unix socket. Each connection is read only as fast as its handler works and the MTA
 * takes the replies; what goes wrong on one ends that one.
 */
import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import type { MilterHandler } from './handler.ts';
import type { Wishes } from './negotiation.ts';
import { MilterProtocolError, PacketReader } from './packets.ts';
import { MilterSession } from './session.ts';
import { decodeCommand, encodeReply, type Reply } from './wire.ts';

export interface MilterOptions extends Partial<Wishes> {
  /** `mode` of the unix socket, default 0o660. Port 0: any free one. */
  readonly listen: { readonly host: string; readonly port: number } | { readonly path: string; readonly mode?: number };
  /** Called once for each SMTP connection; all handlers implement the same stages: only those are asked for. */
  readonly createHandler: () => MilterHandler;
  readonly logger: Logger;
  /** How often the MTA hears that a slow endOfMessage is still at work; default 5,000. */
  readonly progressMilliseconds?: number;
  /**
   * How long an MTA may be silent; default 7,210,000 as in libmilter, because Postfix says nothing while an SMTP client
   * sends a message slowly.
   */
  readonly idleMilliseconds?: number;
  /** Connections beyond these are closed at once (the MTA then does as its default action says); default 1,000. */
  readonly maxConnections?: number;
}

export interface MilterServer {
  /** The TCP port; null on a unix socket. */
  readonly port: number | null;
  /** Connections open now. */
  readonly connections: number;
  /**
   * Takes no new connections, lets each message that is under way come to its end, closes.
   * @param graceMilliseconds after that time what is left is cut off; default 30,000
   */
  stop(graceMilliseconds?: number): Promise<void>;
}

const HANG_UP_MILLISECONDS = 5_000;

/** @throws Error when the address is in use or cannot be listened on */
export async function startMilter(options: MilterOptions): Promise<MilterServer> {
  const connections = new Map<Connection, Promise<void>>();
  let stopping = false;
  // A half-closed connection still gets the replies to what it sent.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    const connection = new Connection(socket, options, () => stopping);
    connections.set(
      connection,
      connection.run().finally(() => connections.delete(connection)),
    );
  });
  server.maxConnections = options.maxConnections ?? 1_000;
  server.on('drop', () => options.logger.warn({ limit: server.maxConnections }, 'too many milter connections'));
  await listen(server, options.listen);
  server.on('error', error => options.logger.error({ err: error }, 'milter listener'));

  const address = server.address();
  return {
    port: address === null || typeof address === 'string' ? null : address.port,
    get connections() {
      return connections.size;
    },
    async stop(graceMilliseconds = 30_000) {
      stopping = true;
      const closed = new Promise<void>(resolve => server.close(() => resolve()));
      for (const connection of connections.keys()) connection.closeIfIdle();
      const { promise: graceOver, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, graceMilliseconds);
      await Promise.race([Promise.all(connections.values()), graceOver]);
      clearTimeout(timer);
      for (const connection of connections.keys()) connection.cut();
      await closed;
    },
  };
}

async function listen(server: Server, where: MilterOptions['listen']): Promise<void> {
  if ('path' in where) await removeStaleSocket(where.path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen('path' in where ? { path: where.path } : { host: where.host, port: where.port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // Until here the umask rules, and without write permission nobody connects: the usual 022 is stricter than 0660.
  if ('path' in where) await chmod(where.path, where.mode ?? 0o660);
}

/** A socket file that a dead server left keeps us from listening; one that answers is somebody's. */
async function removeStaleSocket(path: string): Promise<void> {
  const isSocket = await lstat(path).then(
    stats => stats.isSocket(),
    () => false,
  );
  if (!isSocket) return;
  const dead = await new Promise<boolean>(resolve => {
    const probe = connect(path);
    probe.on('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
  if (dead) await unlink(path);
}

class Connection {
  readonly #socket: Socket;
  readonly #options: MilterOptions;
  readonly #stopping: () => boolean;
  readonly #idleMilliseconds: number;
  #session: MilterSession | null = null;
  /** The handler is at work, so silence is ours. */
  #working = false;

  constructor(socket: Socket, options: MilterOptions, stopping: () => boolean) {
    this.#socket = socket;
    this.#options = options;
    this.#stopping = stopping;
    this.#idleMilliseconds = options.idleMilliseconds ?? 7_210_000;
  }

  /** Serves the connection to its end; never rejects. */
  async run(): Promise<void> {
    const socket = this.#socket;
    // Also after the last read: an error event that nobody hears would end the process.
    socket.on('error', () => {});
    socket.setTimeout(this.#idleMilliseconds).on('timeout', () => {
      if (!this.#working) socket.destroy(new Error('the MTA was silent for too long'));
    });
    try {
      await this.#serve();
    } catch (error) {
      this.#report(error);
    }
    this.#session?.end();
    socket.destroySoon();
    // The last reply may find no reader.
    socket.setTimeout(HANG_UP_MILLISECONDS);
    if (!socket.closed) await new Promise(resolve => socket.once('close', resolve));
  }

  async #serve(): Promise<void> {
    const { actions = [], silent = [], macros = null, dataSize = '64K' } = this.#options;
    const session = new MilterSession({
      createHandler: this.#options.createHandler,
      send: reply => this.#send(reply),
      logger: this.#options.logger,
      wishes: { actions, silent, macros, dataSize },
      progressMilliseconds: this.#options.progressMilliseconds ?? 5_000,
    });
    this.#session = session;
    const reader = new PacketReader(session.maxPacket);
    for await (const chunk of this.#socket.iterator({ destroyOnReturn: false })) {
      for (const packet of reader.push(chunk as Buffer)) {
        const command = decodeCommand(packet);
        this.#working = true;
        const more = await session.receive(command).finally(() => {
          this.#working = false;
        });
        if (!more || (this.#stopping() && !session.inMessage)) return;
        reader.maximum = session.maxPacket;
        await this.#drained();
      }
      this.#socket.setTimeout(this.#idleMilliseconds);
    }
  }

  #send(reply: Reply): void {
    if (this.#socket.writable) this.#socket.write(encodeReply(reply));
  }

  async #drained(): Promise<void> {
    const socket = this.#socket;
    if (!socket.writableNeedDrain || socket.destroyed) return;
    await new Promise<void>(resolve => {
      const done = (): void => {
        socket.off('drain', done).off('close', done);
        resolve();
      };
      socket.on('drain', done).on('close', done);
    });
  }

  #report(error: unknown): void {
    if (error instanceof MilterProtocolError) {
      this.#options.logger.warn({ err: error }, 'milter connection ended: not the protocol');
    } else if (this.#socket.destroyed) {
      this.#options.logger.info({ err: error }, 'milter connection lost');
    } else {
      this.#options.logger.error({ err: error }, 'milter connection ended by a fault of ours');
    }
  }

  /** Between two messages nothing is lost by closing. */
  closeIfIdle(): void {
    if (!this.#working && !this.#session?.inMessage) this.#socket.destroySoon();
  }

  cut(): void {
    this.#socket.destroy();
  }
}
