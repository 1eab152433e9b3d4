/**
 * Preloaded (--import) into a process: at the FAULT_AT-th time that it changes something in the file system by
 * node:fs/promises, the process is killed (FAULT=kill), or the disk is full (FAULT=full). A file that is written by then is
 * half there. FAULT_LOG gets what was to be done, a line each.
 */
import { appendFileSync } from 'node:fs';
import files, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const { FAULT, FAULT_AT, FAULT_LOG } = process.env;

let count = 0;

function fail(): void {
  if (FAULT === 'kill') process.kill(process.pid, 'SIGKILL');
  throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
}

/** @returns whether this is the time */
function arrives(what: string): boolean {
  count += 1;
  if (FAULT_LOG !== undefined) appendFileSync(FAULT_LOG, `${what}\n`);
  return count === Number(FAULT_AT);
}

// Only the command itself: bin/signpost.js starts it.
if (process.argv[1]?.endsWith('/src/commands/main.ts')) {
  for (const name of ['link', 'rename', 'mkdir', 'rm'] as const) {
    // A full disk still lets files go.
    if (FAULT === 'full' && name === 'rm') continue;
    const original = files[name] as (...args: unknown[]) => Promise<unknown>;
    const replacement = async (...args: unknown[]): Promise<unknown> => {
      if (arrives(`${name} ${String(args[0])}`)) fail();
      return original(...args);
    };
    Object.assign(files, { [name]: replacement });
  }
  const { open } = files;
  Object.assign(files, {
    async open(...args: Parameters<typeof open>): Promise<FileHandle> {
      const writes = args[1] === 'wx';
      if (writes && arrives(`open ${String(args[0])}`)) fail();
      const handle = await open(...args);
      if (!writes) return handle;
      const { writeFile } = handle;
      handle.writeFile = async (data: string | Uint8Array): Promise<void> => {
        if (!arrives(`write ${String(args[0])}`)) return writeFile.call(handle, data);
        await writeFile.call(handle, data.slice(0, data.length / 2));
        fail();
      };
      return handle;
    },
  });
  syncBuiltinESMExports();
}
