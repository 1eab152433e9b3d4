/** Dovecot's authentication protocol (version 1.2), as far as Postfix speaks it: one user and password, PLAIN. */
import { createServer, type Socket } from 'node:net';

export interface AuthServer {
  readonly port: number;
  stop(): Promise<void>;
}

export async function startAuthServer(users: Readonly<Record<string, string>>): Promise<AuthServer> {
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.write(`VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t${'0'.repeat(32)}\nDONE\n`);
    let buffer = '';
    socket.on('data', chunk => {
      buffer += chunk.toString();
      const lines = buffer.split('\n');
      buffer = lines.pop() ?? '';
      for (const line of lines) {
        const [command, id, mechanism, ...parameters] = line.split('\t');
        if (command !== 'AUTH') continue;
        const response = parameters.find(parameter => parameter.startsWith('resp='))?.slice(5) ?? '';
        const [, user, password] = Buffer.from(response, 'base64').toString().split('\0');
        const good = mechanism === 'PLAIN' && user !== undefined && users[user] === password;
        socket.write(good ? `OK\t${id}\tuser=${user}\n` : `FAIL\t${id}\tuser=${user ?? ''}\n`);
      }
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return {
    port: address.port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
