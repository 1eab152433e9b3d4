#!/usr/bin/env node
// Starts the pinned Node (which runs TypeScript directly) with the real command line: a `bin` may run under any Node.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const pinned = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin', 'node');
const node = existsSync(pinned) ? pinned : process.execPath;
// Mails and documents are large and short-lived: with a small nursery and few malloc arenas, what they took is used
// again instead of growing; and with fixed thresholds (mallopt(3)) a large piece goes back to the system when it is
// freed, where glibc would raise them at the first one and keep all others (systemd/signpost.service says the same).
const MALLOC = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' };
// Authorities that the machine trusts (update-ca-certificates) count for us, too: of a company's https and LDAP.
const TRUST = { NODE_USE_SYSTEM_CA: '1' };
const child = spawn(
  node,
  [
    '--disable-warning=ExperimentalWarning',
    '--max-semi-space-size=8',
    join(root, 'src', 'commands', 'main.ts'),
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit', env: { ...MALLOC, ...TRUST, ...process.env } },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
