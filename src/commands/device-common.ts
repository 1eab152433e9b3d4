/** What the subcommands of `signpost device` have in common. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { linkToken, NotEnrolled, SignpostDevice } from '../client/device.ts';
import { isLoopback } from '../config/loopback.ts';
import { defaultStoreFolder, fileStore, storedOrigin } from './device-store.ts';
import { jsonOption } from './options.ts';
import { say } from './say.ts';

export interface Options {
  readonly store: string;
  readonly json?: boolean;
}

export function command(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .addOption(new Option('--store <folder>', 'where the keys are').default(defaultStoreFolder()))
    .addOption(jsonOption());
}

export function parseGateway(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  // Codes, and the gateway's key that is pinned, must not come over a line that others can write on.
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && isLoopback(url.hostname)))
    throw new InvalidArgumentError('Write an address such as https://sign.company.com');
  return url.origin;
}

export function parseLink(text: string): string {
  const token = linkToken(text);
  if (token === null) throw new InvalidArgumentError('Give the whole link from the mail.');
  return token;
}

export async function open({ store }: Options): Promise<SignpostDevice> {
  const origin = await storedOrigin(store);
  if (origin === null) throw new NotEnrolled(`There is no device in ${store} yet: run signpost device enrol.`);
  return SignpostDevice.open({ origin, store: fileStore(store, origin) });
}

export function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

export function print(value: unknown): void {
  say(JSON.stringify(value));
}
