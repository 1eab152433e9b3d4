/** The gateway as companies run it: `signpost serve` in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Site } from '../../src/tryout/site.ts';

const BIN = new URL('../../bin/signpost.js', import.meta.url).pathname;

export interface GatewayProcess {
  readonly pid: number;
  /** The most memory that the process itself ever held, in bytes: without its document children. */
  peakMemory(): number;
  /** Ends it in an orderly way. */
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
}

/** Resolves once it answers. @param env added to ours @throws Error when it ends instead */
export async function startGatewayProcess(
  site: Site,
  logFile: string,
  env: Readonly<Record<string, string>> = {},
): Promise<GatewayProcess> {
  const log = openSync(logFile, 'a');
  const child: ChildProcess = spawn(process.execPath, [BIN, 'serve', '--config', site.configFile], {
    stdio: ['ignore', log, log],
    env: { ...process.env, ...env },
  });
  closeSync(log);
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));
  for (let tries = 0; ; tries++) {
    const up = await fetch(`${site.config.publicUrl}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (up) break;
    if (child.exitCode !== null || tries === 600) {
      child.kill('SIGTERM');
      throw new Error(`the gateway did not start:\n${readFileSync(logFile, 'utf8')}`);
    }
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  // The command starts the pinned Node, which is the gateway.
  const pid = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'latin1').trim().split(' ')[0]);
  return {
    pid,
    peakMemory: () => peakMemoryOf(pid),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
    async kill() {
      process.kill(pid, 'SIGKILL');
      await ended;
    },
  };
}

/** Peak resident memory of a process that runs, in bytes. @throws Error once it has ended */
export function peakMemoryOf(pid: number): number {
  const kilobytes = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} has ended`);
  return Number(kilobytes) * 1024;
}
