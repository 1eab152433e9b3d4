/** `signpost device`: a signatory's device as a command-line tool, on the same module as the phone page. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { initials } from '../client/approval.ts';
import { hex, sha256 } from '../client/bytes.ts';
import { Problem, requestNumber, type SignpostDevice, Tampered, Unreachable } from '../client/device.ts';
import type { DocumentKind, View } from '../client/protocol.ts';
import { BadMark, type Mark, parseDrawing, parseMark } from '../documents/strokes.ts';
import { ask } from './ask.ts';
import { command, day, type Options, open, parseLink, print } from './device-common.ts';
import { enrolCommand } from './device-enrol.ts';
import { ownDeviceCommands } from './device-own.ts';
import { plain, say } from './say.ts';
import { printTable } from './table.ts';

interface MarkOptions {
  readonly type?: string;
  readonly draw?: string;
  readonly paraph?: string;
  readonly place?: string;
}

interface ShownApproval {
  readonly signature: Mark;
  readonly paraph: Mark;
  readonly place: string | null;
}

export function deviceCommand(): Command {
  const device = new Command('device').description('sign from the command line, as a signatory');
  enrolCommand(device);
  ownDeviceCommands(device);
  command(device, 'list', 'what waits for your signature').action(list);
  command(device, 'show', 'one request: who asks, what for, which documents')
    .argument('<link>', 'link from the mail', parseLink)
    .option('--save <folder>', 'write the documents there, exactly as they would be signed')
    .action(show);
  command(device, 'save', 'fetch the finished documents of a request that you are a party of')
    .alias('finished')
    .argument('<request>', 'request number, or the link from the mail', parseRequest)
    .option('--save <folder>', 'write the documents there', '.')
    .action(saveFinished);
  command(device, 'sign', 'sign all documents of a request')
    .argument('<link>', 'link from the mail', parseLink)
    .option('--save <folder>', 'write the documents there before asking: exactly these are signed')
    .option('--yes', 'without asking')
    .addOption(
      new Option('--type <text>', 'level standard: what is shown as signature; your name when missing').conflicts(
        'draw',
      ),
    )
    .option('--draw <file>', 'level standard: a drawing as signature, JSON as the pad makes it')
    .option('--paraph <text>', 'level standard: what is shown at the foot of every page; your initials when missing')
    .option('--place <text>', 'level standard: place to be shown')
    .action(sign);
  command(device, 'reject', 'reject a request, for everybody')
    .argument('<link>', 'link from the mail', parseLink)
    .option('--reason <text>', 'why')
    .action(reject);
  command(device, 'watch', 'wait for requests')
    .option('--sign', 'sign everything that comes')
    .option('--once', 'look once and stop')
    .option('--interval <seconds>', 'how often to look', parseSeconds, 10)
    .action(watch);
  return device;
}

function parseRequest(text: string): string {
  const number = requestNumber(text);
  if (number === null) throw new InvalidArgumentError('Give the request number (12 characters), or the whole link.');
  return number;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0)) throw new InvalidArgumentError('Write a number of seconds.');
  return seconds;
}

async function list(options: Options): Promise<void> {
  const device = await open(options);
  const waiting = await device.waiting();
  const links = waiting.map(one => ({ ...one, link: `${device.origin}/s/${one.link}` }));
  if (options.json) return print(links);
  if (links.length === 0) return say('Nothing waits for your signature.');
  printTable(
    ['REQUEST', 'UNTIL', 'FROM', 'SUBJECT', 'LINK'],
    links.map(({ request, expiresAt, sender, subject, link }) => [request, day(expiresAt), sender.mail, subject, link]),
  );
}

async function show(token: string, options: Options & { readonly save?: string }): Promise<void> {
  const device = await open(options);
  const view = await device.view(token);
  const documents = options.save === undefined ? null : await device.download(token, view);
  const saved = documents === null ? [] : await save(options.save!, view.documents, documents);
  if (options.json) return print({ ...view, saved });
  await describe(view, documents, saved);
}

async function saveFinished(requestId: string, options: Options & { readonly save: string }): Promise<void> {
  const device = await open(options);
  const view = await device.finished(requestId);
  const saved = await save(options.save, view.documents, await device.downloadFinished(requestId, view));
  if (options.json) return print({ ...view, saved });
  say(`${view.request}  ${view.subject}
From      ${view.sender.name} <${view.sender.mail}>
Finished  ${view.finishedAt.toISOString()}`);
  for (const { name, signedAt } of view.signatories)
    say(`Signatory ${name}${signedAt === null ? '' : `: signed ${signedAt.toISOString()}`}`);
  for (const [index, path] of saved.entries()) say(`Saved     ${path}, SHA-256 ${view.documents[index]!.sha256}`);
}

async function sign(
  token: string,
  options: Options & MarkOptions & { readonly yes?: boolean; readonly save?: string },
): Promise<void> {
  const device = await open(options);
  const view = await device.view(token);
  const approval = await approvalOf(view, options);
  const documents = await device.download(token, view);
  const saved = options.save === undefined ? [] : await save(options.save, view.documents, documents);
  if (!options.json) await describe(view, documents, saved);
  if (!options.yes) {
    const answer = await ask('Sign these documents? (yes/no)', '--yes', null, text =>
      /^(yes|no)$/i.test(text) ? null : 'Write yes or no.',
    );
    if (answer.toLowerCase() !== 'yes') return say('Not signed.');
  }
  report(await signAs(device, token, view, documents, approval), options);
}

/** What is shown of this person at the level Standard; null at the others. @throws Error in words when the drawing is none */
async function approvalOf(view: View, { type, draw, paraph, place }: MarkOptions): Promise<ShownApproval | null> {
  if (view.level !== 'standard') return null;
  const { name } = view.you;
  const typed = (text: string): Mark => parseMark({ kind: 'typed', text });
  try {
    const signature: Mark =
      draw === undefined
        ? typed(type ?? name)
        : { kind: 'drawn', drawing: parseDrawing(JSON.parse(await readFile(draw, 'utf8'))) };
    return { signature, paraph: typed(paraph ?? initials(name)), place: place ?? null };
  } catch (error) {
    if (!(error instanceof BadMark || error instanceof SyntaxError)) throw error;
    throw new Error(`the signature can't be used: ${error.message}`, { cause: error });
  }
}

/** @throws Error that says in words that nothing was signed, and why */
async function signAs(
  device: SignpostDevice,
  token: string,
  view: View,
  documents: readonly Uint8Array[],
  approval: ShownApproval | null,
): Promise<View> {
  try {
    return approval
      ? await device.approve(token, view, documents, approval)
      : await device.sign(token, view, documents);
  } catch (error) {
    if (!(error instanceof Tampered)) throw error;
    throw new Error(`NOT SIGNED. What the gateway asks to be signed isn't what it showed: ${error.message}.`, {
      cause: error,
    });
  }
}

async function reject(token: string, options: Options & { readonly reason?: string }): Promise<void> {
  const device = await open(options);
  report(await device.reject(token, options.reason ?? null), options);
}

async function watch(
  options: Options & { readonly sign?: boolean; readonly once?: boolean; readonly interval: number },
): Promise<void> {
  const device = await open(options);
  const seen = new Set<string>();
  for (;;) {
    try {
      await look(device, seen, options);
    } catch (error) {
      // Somebody rejected meanwhile, a lost line: look again. What was tampered with stops.
      if (options.once || !(error instanceof Problem || error instanceof Unreachable)) throw error;
      console.error(plain(error.message));
    }
    if (options.once) return;
    await sleep(options.interval * 1000);
  }
}

async function look(
  device: SignpostDevice,
  seen: Set<string>,
  options: Options & { readonly sign?: boolean },
): Promise<void> {
  for (const { link, request, subject, sender } of await device.waiting()) {
    if (!seen.has(link)) {
      if (options.json) print({ event: 'waiting', request, subject, sender, link: `${device.origin}/s/${link}` });
      else say(`${request}  ${sender.name} asks you to sign: ${subject}`);
    }
    seen.add(link);
    if (options.sign) {
      const view = await device.view(link);
      const approval = await approvalOf(view, {});
      report(await signAs(device, link, view, await device.download(link, view), approval), options);
    }
  }
}

/** Names are never paths: only letters, digits and a few signs, numbered. */
async function save(
  folder: string,
  named: readonly { readonly name: string; readonly kind: DocumentKind }[],
  documents: readonly Uint8Array[],
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const paths: string[] = [];
  for (const [index, bytes] of documents.entries()) {
    const { name = '', kind = 'pdf' } = named[index] ?? {};
    const extension = kind === 'pdf' ? '.pdf' : (/(\.[A-Za-z0-9]{1,10}){1,2}$/.exec(name)?.[0] ?? '');
    const stem = kind === 'pdf' ? name.replace(/\.pdf$/i, '') : name.slice(0, name.length - extension.length);
    const path = join(folder, `${index + 1} ${stem.replace(/[^\p{L}\p{N} _-]/gu, '_').slice(0, 80)}${extension}`);
    await writeFile(path, bytes);
    paths.push(path);
  }
  return paths;
}

/** @param documents as received: what is hashed, and what would be signed; null when only the view was asked for */
async function describe(view: View, documents: readonly Uint8Array[] | null, saved: readonly string[]): Promise<void> {
  say(`${view.request}  ${view.subject}
From      ${view.sender.name} <${view.sender.mail}>
You       ${view.you.name} <${view.you.mail}>: ${view.session}
State     ${view.state}, ${view.level}, until ${day(view.expiresAt)}`);
  for (const [index, { name, kind, pages, length, sha256: told }] of view.documents.entries()) {
    const hash = documents === null ? (told ?? 'not prepared yet') : hex(await sha256(documents[index]!));
    say(`Document  ${name}, ${kind === 'pdf' ? `${pages} page(s)` : `${length} bytes`}, SHA-256 ${hash}`);
  }
  for (const path of saved) say(`Saved     ${path}`);
  for (const { name, state } of view.signatories) say(`Signatory ${name}: ${state}`);
  if (view.text !== '') say(`\n${view.text.replace(/^/gm, '> ')}\n`);
}

function report(view: View, options: Options): void {
  if (options.json) {
    print(view);
    return;
  }
  const done = view.session === 'signed' ? 'Signed' : view.session === 'rejected' ? 'Rejected' : `Now ${view.session}`;
  const next = view.signatories.filter(({ state }) => state === 'open').map(({ name }) => name);
  say(`${done}: ${view.request}  ${view.subject}${next.length === 0 ? '' : `. Now asked: ${next.join(', ')}`}`);
}
