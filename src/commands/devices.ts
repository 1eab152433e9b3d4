/** `signpost devices list|revoke`: the phones, browsers and command lines that can sign. */
import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { openCore } from '../gateway/core.ts';
import { createLogger } from '../gateway/logger.ts';
import { noteAdminAct } from './admin-act.ts';
import { type ConfigOptions, configOption, jsonOption } from './options.ts';
import { addressesOf } from './persons.ts';
import { say } from './say.ts';
import { printTable } from './table.ts';

interface Options extends ConfigOptions {
  readonly json?: boolean;
}

export function devicesCommand(): Command {
  const devices = new Command('devices').description('phones, browsers and command lines that can sign');
  devices
    .command('list')
    .description('every device, newest last')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(async (options: Options) => {
      const core = await openCore(loadConfig(options.config), { logger: createLogger('error') });
      try {
        const all = await core.devices.list();
        // No keys, not even wrapped ones.
        if (options.json)
          return console.log(
            JSON.stringify(
              all.map(({ tokenKey: _, ...shown }) => shown),
              null,
              2,
            ),
          );
        if (all.length === 0)
          return console.log('No device is set up yet: signpost user code NAME makes a code for one.');
        const address = await addressesOf(
          core.directory,
          all.map(({ personId }) => personId),
        );
        printTable(
          ['DEVICE', 'PERSON', 'STATE', 'KIND', 'SINCE', 'SHOWN', 'NAME'],
          all.map(({ id, personId, state, kind, createdAt, name, proofs, passkey }) => [
            id.slice(0, 12),
            address(personId),
            state,
            kind,
            createdAt.toISOString().slice(0, 10),
            [...(proofs ?? ['?']), ...(passkey ? ['passkey'] : [])].join('+'),
            name,
          ]),
        );
      } finally {
        await core.close();
      }
    });
  devices
    .command('revoke')
    .description('a device can sign no more, and its certificates are revoked')
    .argument('<device>', 'device id, or its beginning as `devices list` shows it')
    .addOption(configOption())
    .action(async (id: string, options: Options) => {
      const core = await openCore(loadConfig(options.config), { logger: createLogger('error') });
      try {
        const fits = (await core.devices.list()).filter(device => device.id.startsWith(id));
        if (fits.length !== 1)
          throw new Error(
            fits.length === 0 ? `there is no device ${id}` : `${id} fits ${fits.length} devices: write more of it`,
          );
        await noteAdminAct(core, 'devices revoke', { device: fits[0]!.id, person: fits[0]!.personId });
        await core.devices.end(fits[0]!.id, 'revoked');
        const address = await addressesOf(core.directory, [fits[0]!.personId]);
        say(`“${fits[0]!.name}” of ${address(fits[0]!.personId)} is revoked.`);
      } finally {
        await core.close();
      }
    });
  return devices;
}
