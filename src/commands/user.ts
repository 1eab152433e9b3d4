/** `signpost user code|password NAME`: a one-time code to set up a phone; a password for the people file. */
import { Command } from 'commander';
import { loadConfig, pathIn } from '../config/load.ts';
import type { Directory, Person } from '../directory/directory.ts';
import { openDirectory } from '../directory/open.ts';
import { hashPassword } from '../directory/password.ts';
import { openCore } from '../gateway/core.ts';
import { createLogger } from '../gateway/logger.ts';
import { readPassphrase } from '../pki/key-file.ts';
import { noteAdminAct } from './admin-act.ts';
import { askSecret } from './ask.ts';
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
        const person = await findPerson(directory, name);
        await noteAdminAct(core, 'user code', { person: person.id });
        const { code, expiresAt } = await devices.createAdminCode(person.id);
        console.log(`${code}
For ${person.name} <${person.mail}>, once, until ${expiresAt.toISOString().slice(0, 16).replace('T', ' ')} UTC. Tell it to them in person or by phone.
They open the link of a signing mail (or ${config.publicUrl}/) and enter their address and this code.`);
      } finally {
        await core.close();
      }
    });
  user
    .command('password')
    .description('the line for people.yaml with which a person proves who they are by a password')
    .argument('<name>', 'login, address or id of the person')
    .option('--password-file <file>', 'file with the password, mode 0600; without it you are asked')
    .addOption(configOption())
    .action(async (name: string, options: ConfigOptions & { readonly passwordFile?: string }) => {
      const config = loadConfig(options.config);
      if (config.directory.file === undefined)
        throw new Error('people come from LDAP here, and so do their passwords: set it there');
      const directory = await openDirectory(config, { now: () => new Date(), log: createLogger('error') });
      const person = await findPerson(directory, name);
      const password =
        options.passwordFile === undefined
          ? await askSecret(`Password of ${person.name}`, '--password-file')
          : await readPassphrase(options.passwordFile, process.env.CREDENTIALS_DIRECTORY);
      console.log(`    password: ${await hashPassword(password)}`);
      console.error(
        `Put this line under ${person.name} in ${pathIn(config, config.directory.file)}; it counts at once.`,
      );
    });
  return user;
}

async function findPerson(directory: Directory, name: string): Promise<Person> {
  const person =
    (await directory.findByLogin(name)) ?? (await directory.findByMail(name)) ?? (await directory.findById(name));
  if (person === null) throw new Error(`nobody in the directory is called "${name}"`);
  return person;
}
