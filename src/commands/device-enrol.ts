/** `signpost device enrol`: makes a folder a device of its person. */
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { Problem, SignpostDevice, Unreachable } from '../client/device.ts';
import type { Enrolled, EnrolmentAnswer, ProofAsk } from '../client/protocol.ts';
import { ask, askSecret } from './ask.ts';
import { command, type Options, parseGateway, parseLink, print } from './device-common.ts';
import { fileStore } from './device-store.ts';
import { say } from './say.ts';

interface EnrolOptions extends Options {
  readonly code?: string;
  readonly passwordFile?: string;
  readonly link?: string;
  readonly name: string;
  readonly replace?: string;
}

const POLL = 2000;

export function enrolCommand(device: Command): void {
  command(device, 'enrol', 'make this folder a device of yours')
    .argument('<url>', "the gateway's address, or a link from a mail", parseGateway)
    .argument('<address>', 'your company address')
    .option('--code <code>', 'code from your admin or from the mail; asked for when missing')
    .option('--password-file <file>', 'file with the password of your company account; asked for when it is needed')
    .option('--link <link>', 'the link that led here, when the code is mailed')
    .option('--name <name>', 'what to call this device', `signpost device on ${hostname()}`)
    .option('--replace <name>', 'the device that this one replaces, when you have it no more: its name')
    .action(enrol);
}

async function enrol(origin: string, address: string, options: EnrolOptions): Promise<void> {
  const device = await SignpostDevice.open({ origin, store: fileStore(options.store, origin) });
  const link = options.link === undefined ? null : parseLink(options.link);
  const shown = await whatIsShown(device, address, link, options);
  const first = await device.enrol({ address, ...shown, link, name: options.name, kind: 'command-line' });
  const enrolled = await confirmed(device, first, link, options);
  if (options.json) return print(enrolled);
  say(`This is now a device of ${enrolled.person.name} <${enrolled.person.mail}>, ${enrolled.company}.`);
}

/** From the flags; what is still needed is asked for. */
export async function whatIsShown(
  device: SignpostDevice,
  address: string | null,
  link: string | null,
  options: Pick<EnrolOptions, 'code' | 'passwordFile'>,
): Promise<Pick<ProofAsk, 'password' | 'code'>> {
  const wanted = (await device.enrolmentOptions()).proofs.flat();
  let password = options.passwordFile === undefined ? null : await readPassword(options.passwordFile);
  let code = options.code ?? null;
  if (password !== null || code !== null) return { password, code };
  if (wanted.includes('password')) password = (await askSecret('Password (empty for none)', '--password-file')) || null;
  if (wanted.includes('mailed-code')) {
    await (address === null ? device.own.requestCode(link) : device.requestCode(address, link));
    console.error('A code by mail is on its way to you, if you may have one.');
  }
  if (wanted.some(proof => proof !== 'password'))
    code = await ask('Code from your admin or from that mail', '--code', password === null ? null : '', answer =>
      answer === '' && password === null ? 'The code is needed.' : null,
    );
  return { password, code: code || null };
}

async function readPassword(path: string): Promise<string> {
  const [line = ''] = (await readFile(path, 'utf8')).split(/\r?\n/);
  if (line === '') throw new Error(`${path} has no password in its first line`);
  return line;
}

/** Waits for the other device, where there is one that has to confirm. @throws Error in words when it doesn't */
async function confirmed(
  device: SignpostDevice,
  first: EnrolmentAnswer,
  link: string | null,
  { replace }: EnrolOptions,
): Promise<Enrolled> {
  let answer = first;
  if (answer.state === 'waiting' && replace !== undefined) {
    const fits = answer.others.filter(({ id, name }) => name === replace || id.startsWith(replace));
    if (fits.length !== 1) throw new Error(`“${replace}” fits ${fits.length} of your devices: ${named(answer)}`);
    answer = await device.showMore({ link, replaces: fits[0]!.id });
  }
  if (answer.state === 'waiting')
    console.error(`You already sign with ${named(answer)}. Confirm this new device there (${device.origin}, or
signpost device confirm): it must show the number ${answer.code}. Waiting …`);
  while (answer.state === 'waiting') {
    await sleep(POLL);
    try {
      answer = await device.enrolment();
    } catch (error) {
      if (error instanceof Unreachable) continue;
      if (!(error instanceof Problem && error.type === 'not-found')) throw error;
      await device.stopEnrolling();
      throw new Error('this device was not confirmed: your other device said no, or it took too long', {
        cause: error,
      });
    }
  }
  return answer.enrolled;
}

function named({ others }: Extract<EnrolmentAnswer, { readonly state: 'waiting' }>): string {
  return others.map(({ name }) => `“${name}”`).join(', ');
}
