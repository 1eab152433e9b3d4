/** `signpost check-config`: reads the configuration and the directory file, and says what to mend. */
import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { openDirectory } from '../directory/open.ts';
import { createLogger } from '../gateway/logger.ts';
import { type ConfigOptions, configOption } from './options.ts';

export function checkConfigCommand(): Command {
  return new Command('check-config')
    .description('read the configuration and the directory file, and say what to mend')
    .addOption(configOption())
    .action(async (options: ConfigOptions) => {
      const config = loadConfig(options.config);
      const directory = await openDirectory(config, { now: () => new Date(), log: createLogger('error') });
      await directory.close();
      console.log(
        `${options.config} is fine: ${config.domains.map(({ sign, mail }) => `${sign} for ${mail.join(', ')}`).join('; ')}.`,
      );
    });
}
