/** Unix sockets to listen on. */
import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';

/**
 * Removes a socket file that a killed gateway left behind: it keeps us from listening.
 * @throws Error when somebody answers there, or it is no socket
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (!found) return;
  if (!found.isSocket()) throw new Error(`${path} is no socket`);
  const dead = await new Promise<boolean>(resolve => {
    const probe = connect(path);
    probe.on('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
  if (!dead) throw new Error(`${path} is in use by another process`);
  await unlink(path);
}
