/** Admin acts in the evidence log: who did what at the command line. What it changed stands in entries of its own. */
import { userInfo } from 'node:os';
import type { Fact, Subjects } from '../evidence/entry.ts';
import type { EvidenceLog } from '../evidence/log.ts';

/**
 * To be called before the act, so that none goes unrecorded.
 * @param command as it is written: "requests cancel"
 * @param facts no secret
 */
export function noteAdminAct(
  { store }: { readonly store: { readonly evidence: Pick<EvidenceLog, 'note'> } },
  command: string,
  subjects: Subjects,
  facts: { readonly [name: string]: Fact } = {},
): Promise<void> {
  // Who became root by sudo (8) is somebody.
  const { SUDO_USER: behind } = process.env;
  return store.evidence.note({
    kind: 'admin.act',
    subjects,
    facts: {
      ...facts,
      command,
      user: userName(),
      uid: process.getuid?.() ?? null,
      ...(behind !== undefined && { behind }),
    },
  });
}

/** Null where the system knows no name for this user, as in containers. */
function userName(): string | null {
  try {
    return userInfo().username;
  } catch {
    return null;
  }
}
