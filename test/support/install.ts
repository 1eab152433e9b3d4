/**
 * Vitest global set-up: installs the Debian packages that tests need when this is Debian and we are root;
 * elsewhere says which are missing, and the tests that need them skip.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, unlinkSync, writeFileSync } from 'node:fs';
import { has, PACKAGES, type Package } from './tools.ts';

export default function install(): void {
  const missing = (Object.keys(PACKAGES) as Package[]).filter(name => !has(name));
  if (missing.length === 0) return;
  if (process.env.SIGNPOST_WITHOUT === undefined && process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    console.log(`Installing for the tests: ${missing.join(', ')} (once, takes a minute)`);
    try {
      withoutStartingServices(() => {
        const options = {
          stdio: ['ignore', 'ignore', 'inherit'] as const,
          env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
        };
        execFileSync('apt-get', ['update', '-qq'], { ...options, stdio: ['ignore', 'ignore', 'inherit'] });
        execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], {
          ...options,
          stdio: ['ignore', 'ignore', 'inherit'],
        });
      });
    } catch {
      console.warn('apt-get did not succeed; going on without.');
    }
  }
  const still = missing.filter(name => !has(name));
  if (still.length > 0) console.warn(`SKIPPING the tests that need: ${still.join(', ')}`);
}

/** Debian starts a service at install unless policy-rc.d says no; tests run private instances instead. */
function withoutStartingServices(work: () => void): void {
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    work();
  } finally {
    if (ours) unlinkSync(policy);
  }
}
