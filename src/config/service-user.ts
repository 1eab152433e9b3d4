/** Gives an installation to the user that the gateway runs as: keys to have, configuration to read, a state folder. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface ServiceUser {
  readonly uid: number;
  readonly gid: number;
}

/** @throws Error in words when there is no such user, or when we may not give files away */
export function serviceUser(name: string): ServiceUser {
  if (process.geteuid?.() !== 0) throw new Error('--user: only root can give files to another user');
  const id = (what: '-u' | '-g'): number =>
    Number(execFileSync('id', [what, '--', name], { stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    throw new Error(`--user: there is no user "${name}"; make it first: useradd --system ${name}`);
  }
}

/**
 * Root keeps the configuration (and the passphrase, which systemd passes on); the user's group reads it; the keys and
 * the state are the user's own, because the gateway makes new ones.
 */
export function giveTo({ uid, gid }: ServiceUser, folder: string, state: string): void {
  const give = (path: string, owner: number): void => {
    chownSync(path, owner, gid);
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const below = join(path, entry.name);
      if (entry.isDirectory()) give(below, below === join(folder, 'keys') ? uid : owner);
      else chownSync(below, owner, gid);
    }
  };
  give(folder, 0);
  for (const path of [folder, join(folder, 'keys')]) chmodSync(path, 0o750);
  // What is above it stays everybody's to pass.
  mkdirSync(dirname(state), { recursive: true });
  mkdirSync(state, { recursive: true, mode: 0o700 });
  give(state, uid);
}
