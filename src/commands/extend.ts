/**
 * `signpost extend FILE…`: signed PDFs, ours or others', stay provable: fresh evidence and a new document timestamp by
 * the gateway's authority, on the gateway's host. Documents of finished requests are extended by the gateway itself.
 */
import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { sha256 } from '../evidence/entry.ts';
import { type Core, openCore } from '../gateway/core.ts';
import { createLogger } from '../gateway/logger.ts';
import { noteAdminAct } from './admin-act.ts';
import { type ConfigOptions, configOption } from './options.ts';
import { plain, say } from './say.ts';
import { type FileOptions, type FileToSign, readFiles, writeNew } from './signed-files.ts';

export function extendCommand(): Command {
  return new Command('extend')
    .description('keep signed PDFs provable: add fresh evidence and a new document timestamp')
    .argument('<file...>', 'signed PDFs')
    .addOption(configOption())
    .option('--out <folder>', 'where the extended files go; beside each file when missing')
    .action(extend);
}

async function extend(paths: readonly string[], { out, config: path }: ConfigOptions & FileOptions): Promise<void> {
  const config = loadConfig(path);
  const files = await readFiles(paths, 'extended', { ...(out === undefined ? {} : { out }) });
  const core = await openCore(config, { logger: createLogger('error') });
  try {
    for (const file of files) {
      try {
        await noteAdminAct(core, 'extend', {}, { file: sha256(file.bytes) });
        await extendOne(core, file);
      } catch (error) {
        // The others are still worth extending.
        if (!(error instanceof Error)) throw error;
        console.error(plain(`signpost: ${file.path} was not extended: ${error.message}`));
        process.exitCode = 1;
      }
    }
  } finally {
    await core.close();
  }
}

/** @throws Error in words */
async function extendOne({ extender }: Core, file: FileToSign): Promise<void> {
  if (file.form !== 'pades') throw new Error('it is not a PDF; only PDFs have a place for later timestamps');
  const bytes = await extender.extend(file.bytes);
  const end = await extender.timestampEnd(bytes);
  await writeNew(file, bytes);
  const until = end === null ? '' : `, whose certificate lasts until ${end.toISOString().slice(0, 10)}`;
  say(`${file.path} has fresh evidence and a new timestamp${until}: ${file.target}`);
}
