/** A milter for tests: a server on a free port with a handler that is written inline, and a client for it. */
import { type Logger, pino } from 'pino';
import { MilterClient, type MilterClientOptions } from '../../../milter/client.ts';
import type { ClientInfo, MilterHandler } from '../../../milter/handler.ts';
import { type MilterOptions, type MilterServer, startMilter } from '../../../milter/server.ts';

export const CLIENT: ClientInfo = {
  hostname: 'client.example',
  family: 'inet',
  address: '192.0.2.7',
  port: 34_567,
};

export const quiet = pino({ level: 'silent' });

/** A logger that keeps its lines. */
export function keepingLogger(): { logger: Logger; lines: { level: number; msg: string }[] } {
  const lines: { level: number; msg: string }[] = [];
  const logger = pino({ level: 'debug' }, { write: line => void lines.push(JSON.parse(line)) });
  return { logger, lines };
}

export interface Pair {
  readonly server: MilterServer;
  connect(options?: Partial<MilterClientOptions>): Promise<MilterClient>;
}

const running = new Set<MilterServer>();

export async function serve(handler: MilterHandler | (() => MilterHandler), options: Partial<MilterOptions> = {}) {
  const server = await startMilter({
    listen: { host: '127.0.0.1', port: 0 },
    createHandler: typeof handler === 'function' ? handler : () => handler,
    logger: quiet,
    ...options,
  });
  running.add(server);
  const pair: Pair = {
    server,
    connect: more => MilterClient.connect({ address: { host: '127.0.0.1', port: server.port! }, ...more }),
  };
  return pair;
}

export async function stopAll(): Promise<void> {
  await Promise.all([...running].map(server => server.stop(0)));
  running.clear();
}
