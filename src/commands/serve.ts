/** `signpost serve`: runs the gateway until SIGTERM or SIGINT; SIGHUP has it read its configuration again. */
import { Command } from 'commander';
import { ConfigError, loadConfig } from '../config/load.ts';
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
      // The whole new configuration is checked first: a bad one changes nothing.
      const reload = async (): Promise<void> => {
        try {
          await gateway.reload(loadConfig(options.config));
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          logger.error({ reason: error.message }, 'the changed configuration is not sound; nothing was taken from it');
        }
        await gateway.reloadKeys();
      };
      process.on('SIGHUP', () => {
        reload().catch((error: unknown) => logger.error({ err: error }, 'the configuration could not be read again'));
      });
      process.once('SIGTERM', stop);
      process.once('SIGINT', stop);
    });
}
