/** A TCP proxy that a test can make slow, silent, deaf, or answer with octets of its own. */
import { connect, createServer, type Socket } from 'node:net';

export type Mood =
  /** As it is, after so many milliseconds in each direction. */
  | { readonly delay: number }
  /** Takes everything and answers nothing. */
  | 'silent'
  /** Closes each connection as soon as something is asked. */
  | 'closing'
  /** Answers every piece with these octets, for ever. */
  | { readonly answer: Uint8Array };

export interface TcpProxy {
  readonly port: number;
  mood: Mood;
  /** Connections so far. */
  readonly connections: number;
  /** Ends all connections, as a server does with idle ones. */
  cut(): void;
  stop(): Promise<void>;
}

export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let mood: Mood = { delay: 0 };
  let connections = 0;
  const server = createServer(client => {
    connections += 1;
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    const pass = (to: Socket, chunk: Buffer): void => {
      if (mood === 'silent') return;
      if (mood === 'closing') {
        client.destroy();
      } else if ('answer' in mood) {
        client.write(mood.answer);
      } else if (mood.delay === 0) {
        to.write(chunk);
      } else {
        setTimeout(() => to.destroyed || to.write(chunk), mood.delay);
      }
    };
    client.on('data', chunk => pass(upstream, chunk));
    upstream.on('data', chunk => pass(client, chunk));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    get mood() {
      return mood;
    },
    set mood(next) {
      mood = next;
    },
    get connections() {
      return connections;
    },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    stop() {
      for (const socket of sockets) socket.destroy();
      return new Promise(resolve => server.close(() => resolve()));
    },
  };
}
