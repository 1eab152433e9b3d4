/** The command line: one file per command, and only the one that is asked for is loaded. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { ConfigError } from '../config/load.ts';
import { plain } from './say.ts';

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  init: async () => (await import('./init.ts')).initCommand(),
  'check-config': async () => (await import('./check-config.ts')).checkConfigCommand(),
  check: async () => (await import('./check.ts')).checkCommand(),
  why: async () => (await import('./why.ts')).whyCommand(),
  serve: async () => (await import('./serve.ts')).serveCommand(),
  user: async () => (await import('./user.ts')).userCommand(),
  requests: async () => (await import('./requests.ts')).requestsCommand(),
  certs: async () => (await import('./certs.ts')).certsCommand(),
  ca: async () => (await import('./ca.ts')).caCommand(),
  keys: async () => (await import('./keys.ts')).keysCommand(),
  devices: async () => (await import('./devices.ts')).devicesCommand(),
  evidence: async () => (await import('./evidence.ts')).evidenceCommand(),
  device: async () => (await import('./device.ts')).deviceCommand(),
  verify: async () => (await import('./verify.ts')).verifyCommand(),
  sign: async () => (await import('./sign.ts')).signCommand(),
  seal: async () => (await import('./seal.ts')).sealCommand(),
  extend: async () => (await import('./extend.ts')).extendCommand(),
};

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const program = new Command('signpost')
  .version(version)
  .description('A mail gateway for signing documents: mail a PDF, get it back signed.')
  .showHelpAfterError();
const asked = COMMANDS[process.argv[2] ?? ''];
for (const load of asked ? [asked] : Object.values(COMMANDS)) program.addCommand(await load());

try {
  await program.parseAsync();
} catch (error) {
  // What a person can mend is said in one sentence; a stack is for bugs.
  const known =
    error instanceof ConfigError ||
    (error instanceof Error && error.constructor !== TypeError && error.constructor !== ReferenceError);
  console.error(known ? plain(`signpost: ${(error as Error).message}`) : error);
  process.exitCode = 1;
}
