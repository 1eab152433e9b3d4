/** `signpost device devices|confirm|remove|rename|prove`: a person's devices, from one of them. */
import { type Command, InvalidArgumentError } from 'commander';
import type { SignpostDevice } from '../client/device.ts';
import { command, day, type Options, open, parseLink, print } from './device-common.ts';
import { whatIsShown } from './device-enrol.ts';
import { say } from './say.ts';
import { printTable } from './table.ts';

export function ownDeviceCommands(device: Command): void {
  command(device, 'devices', 'all your devices').action(list);
  command(device, 'confirm', 'confirm a new device of yours, or refuse it')
    .argument('[number]', 'what the new device shows; without it, what waits is listed', parseNumber)
    .option('--refuse', 'the device with this number is not yours')
    .action(confirm);
  command(device, 'remove', 'end a device of yours: it can sign no more')
    .argument('<device>', 'its name, or the beginning of its id as `devices` shows it')
    .action(remove);
  command(device, 'rename', 'call this device something else').argument('<name>', 'its new name').action(rename);
  command(device, 'prove', 'show more of who you are, for levels that ask for it')
    .option('--code <code>', 'code from your admin or from the mail; asked for when missing')
    .option('--password-file <file>', 'file with the password of your company account')
    .option('--link <link>', 'a link of yours')
    .action(prove);
}

function parseNumber(text: string): string {
  if (!/^\d{4}$/.test(text)) throw new InvalidArgumentError('Write the four digits that the new device shows.');
  return text;
}

async function list(options: Options): Promise<void> {
  const all = await (await open(options)).own.list();
  if (options.json) return print(all);
  printTable(
    ['DEVICE', 'KIND', 'SINCE', 'STATE', 'NAME'],
    all.map(({ id, kind, createdAt, endedAt, own, name }) => [
      id.slice(0, 12),
      kind,
      day(createdAt),
      own ? 'this one' : endedAt === null ? 'active' : `removed ${day(endedAt)}`,
      name,
    ]),
  );
}

async function confirm(number: string | undefined, options: Options & { readonly refuse?: boolean }): Promise<void> {
  const device = await open(options);
  const waiting = await device.own.newcomers();
  if (number === undefined) {
    if (options.json) return print(waiting);
    if (waiting.length === 0) return say('No new device of yours waits.');
    for (const { name, code } of waiting) say(`“${name}” shows ${code}: signpost device confirm ${code}`);
    return;
  }
  const fits = waiting.filter(({ code }) => code === number);
  if (fits.length === 0) throw new Error(`no new device of yours shows ${number}`);
  for (const { id, name } of fits) {
    await device.own.answer(id, options.refuse !== true);
    if (options.json) print({ device: id, name, confirmed: options.refuse !== true });
    else say(options.refuse ? `“${name}” is refused.` : `“${name}” is a device of yours now.`);
  }
}

async function remove(wanted: string, options: Options): Promise<void> {
  const device = await open(options);
  const active = (await device.own.list()).filter(({ endedAt }) => endedAt === null);
  const fits = active.filter(({ id, name }) => name === wanted || id.startsWith(wanted));
  const [found] = fits;
  if (found === undefined || fits.length > 1) throw new Error(`“${wanted}” fits ${fits.length} of your devices`);
  await end(device, found);
  if (options.json) return print({ device: found.id, removed: true });
  say(`“${found.name}” is removed.`);
}

async function end(device: SignpostDevice, { id, own }: { readonly id: string; readonly own: boolean }): Promise<void> {
  await (own ? device.remove() : device.own.remove(id));
}

async function rename(name: string, options: Options): Promise<void> {
  await (await open(options)).own.rename(name);
  if (options.json) return print({ name });
  say(`This device is now called “${name}”.`);
}

async function prove(
  options: Options & { readonly code?: string; readonly passwordFile?: string; readonly link?: string },
): Promise<void> {
  const device = await open(options);
  const link = options.link === undefined ? null : parseLink(options.link);
  await device.own.prove({ ...(await whatIsShown(device, null, link, options)), link });
  if (options.json) return print({ proved: true });
  say('That is enough.');
}
