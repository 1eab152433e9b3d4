/** The command line: one file per command. */
import { Command } from 'commander';
import { ConfigError } from '../config/load.ts';
import { certsCommand } from './certs.ts';
import { checkConfigCommand } from './check-config.ts';
import { deviceCommand } from './device.ts';
import { devicesCommand } from './devices.ts';
import { evidenceCommand } from './evidence.ts';
import { extendCommand } from './extend.ts';
import { initCommand } from './init.ts';
import { keysCommand } from './keys.ts';
import { requestsCommand } from './requests.ts';
import { plain } from './say.ts';
import { sealCommand } from './seal.ts';
import { serveCommand } from './serve.ts';
import { signCommand } from './sign.ts';
import { userCommand } from './user.ts';
import { verifyCommand } from './verify.ts';

const program = new Command('signpost')
  .description('A mail gateway for signing documents: mail a PDF, get it back signed.')
  .showHelpAfterError()
  .addCommand(initCommand())
  .addCommand(checkConfigCommand())
  .addCommand(serveCommand())
  .addCommand(userCommand())
  .addCommand(requestsCommand())
  .addCommand(certsCommand())
  .addCommand(keysCommand())
  .addCommand(devicesCommand())
  .addCommand(evidenceCommand())
  .addCommand(deviceCommand())
  .addCommand(verifyCommand())
  .addCommand(signCommand())
  .addCommand(sealCommand())
  .addCommand(extendCommand());

try {
  await program.parseAsync();
} catch (error) {
  // What a person can mend is said in one sentence; a stack is for bugs.
  const known =
    error instanceof ConfigError ||
    (error instanceof Error && error.constructor !== TypeError && error.constructor !== ReferenceError);
  console.error(known ? plain(`signpost: ${(error as Error).message}`) : error);
  process.exitCode = 1;
}
