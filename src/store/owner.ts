/**
 * Whose files the state is. An admin runs commands as root beside a gateway that runs as its own user: what root makes
 * there must be the gateway's, or the gateway can't read it. (SQLite does the same for the files beside its database.)
 */
import { statSync } from 'node:fs';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The owner of a folder to whom root hands over what it makes; null where what we make is rightly ours. */
export function otherOwner(folder: string): Owner | null {
  if (process.geteuid?.() !== 0) return null;
  const { uid, gid } = statSync(folder);
  return uid === 0 ? null : { uid, gid };
}
