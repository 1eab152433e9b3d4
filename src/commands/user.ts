/** `signpost user code NAME`: a one-time code with which a person sets up a phone. */
import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { openCore } from '../gateway/core.ts';
import { createLogger } from '../gateway/logger.ts';
import { noteAdminAct } from './admin-act.ts';
import { type ConfigOptions, configOption } from './options.ts';

export function userCommand(): Command {
  const user = new Command('user').description('people and their enrolment');
  user
    .command('code')
    .description('a one-time code to set up a phone, browser or command line')
    .argument('<name>', 'login, address or id of the person')
    .addOption(configOption())
    .action(async (name: string, options: ConfigOptions) => {
      const config = loadConfig(options.config);
      const core = await openCore(config, { logger: createLogger('error') });
      try {
        const { directory, devices } = core;
        const person =
          (await directory.findByLogin(name)) ?? (await directory.findByMail(name)) ?? (await directory.findById(name));
        if (person === null) throw new Error(`nobody in the directory is called "${name}"`);
        await noteAdminAct(core, 'user code', { person: person.id });
        const { code, expiresAt } = await devices.createAdminCode(person.id);
        console.log(`${code}
For ${person.name} <${person.mail}>, once, until ${expiresAt.toISOString().slice(0, 16).replace('T', ' ')} UTC. Tell it to them in person or by phone.
They open the link of a signing mail (or ${config.publicUrl}/) and enter their address and this code.`);
      } finally {
        await core.close();
      }
    });
  return user;
}
