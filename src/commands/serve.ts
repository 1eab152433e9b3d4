/** `signpost serve`: runs the gateway until SIGTERM or SIGINT. */
import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { startGateway } from '../gateway/gateway.ts';
import { createLogger } from '../gateway/logger.ts';
import { type ConfigOptions, configOption } from './options.ts';

export function serveCommand(): Command {
  return new Command('serve')
    .description('run the gateway')
    .addOption(configOption())
    .action(async (options: ConfigOptions) => {
      const config = loadConfig(options.config);
      const logger = createLogger(config.log.level);
      const gateway = await startGateway(config, { logger });
      const stop = (signal: string): void => {
        logger.info({ signal }, 'stopping');
        gateway.stop().then(
          () => process.exit(0),
          (error: unknown) => {
            logger.error({ err: error }, 'did not stop cleanly');
            process.exit(1);
          },
        );
      };
      // Else it would end the process.
      process.on('SIGHUP', () => void gateway.reloadKeys());
      process.once('SIGTERM', stop);
      process.once('SIGINT', stop);
    });
}
