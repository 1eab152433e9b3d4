/** A TCP proxy that keeps what the client sent and can swallow a reply: a network that fails at the worst moment. */
import { connect, createServer, type Socket } from 'node:net';

export interface LossyProxy {
  readonly port: number;
  /** Everything that clients sent, one string (latin1) per connection. */
  readonly sent: string[];
  /** The next reply that fits is swallowed, and both sides are cut off; resolves when it happened. */
  loseReply(fits: RegExp): Promise<void>;
  stop(): Promise<void>;
}

export async function startLossyProxy(port: number, target: () => number): Promise<LossyProxy> {
  const sockets = new Set<Socket>();
  const sent: string[] = [];
  let lose: { fits: RegExp; done: () => void } | null = null;
  const server = createServer(client => {
    const upstream = connect(target(), '127.0.0.1');
    const index = sent.push('') - 1;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', chunk => {
      sent[index] += chunk.toString('latin1');
      upstream.write(chunk);
    });
    upstream.on('data', chunk => {
      if (lose?.fits.test(chunk.toString('latin1'))) {
        lose.done();
        lose = null;
        client.destroy();
        return;
      }
      client.write(chunk);
    });
  });
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  return {
    port,
    sent,
    loseReply: fits =>
      new Promise(resolve => {
        lose = { fits, done: resolve };
      }),
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
