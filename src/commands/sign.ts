/**
 * `signpost sign FILE… --as PERSON`: a person's signature from the shell, on the gateway's host. The person's own
 * command-line device (`signpost device enrol`) holds the key; the gateway never does. PDFs go the way of every request,
 * through the running gateway, and their result is mailed as usual, too; other files are signed by the device at once,
 * and the gateway's part is the certificate and the timestamp.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { Problem, SignpostDevice, Unreachable } from '../client/device.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { Person } from '../directory/directory.ts';
import { sha256 } from '../evidence/entry.ts';
import { type Core, openCore } from '../gateway/core.ts';
import { createLogger } from '../gateway/logger.ts';
import type { Request, RequestState } from '../requests/model.ts';
import { type FileSigner, signFile } from '../signatures/files.ts';
import { noteAdminAct } from './admin-act.ts';
import { defaultStoreFolder, fileStore, storedOrigin } from './device-store.ts';
import { type ConfigOptions, configOption } from './options.ts';
import { say } from './say.ts';
import { explain, type FileOptions, type FileToSign, readFiles, writeResult } from './signed-files.ts';

type SigningLevel = 'advanced' | 'standard';

interface Options extends ConfigOptions, FileOptions {
  readonly as: string;
  readonly level: SigningLevel;
  readonly store: string;
}

/** How long the running gateway may take to prepare or to close, milliseconds. */
const PATIENCE = 120_000;

export function signCommand(): Command {
  return new Command('sign')
    .description("sign files as a person, with the key of that person's command-line device")
    .argument('<file...>', 'files to sign: PDF and XML inside, anything else in a .p7m around it')
    .requiredOption('--as <person>', 'login, address or id of the person')
    .addOption(configOption())
    .addOption(
      new Option('--level <level>', "with the person's own key; standard: with the typed name")
        .choices(['advanced', 'standard'])
        .default('advanced'),
    )
    .addOption(new Option('--store <folder>', "where the device's keys are").default(defaultStoreFolder()))
    .option('--out <folder>', 'where the signed files go; beside each file when missing')
    .option('--detached', 'leave the files alone: signatures in .p7s files beside them')
    .action(sign);
}

async function sign(paths: readonly string[], options: Options): Promise<void> {
  const config = loadConfig(options.config);
  const files = await readFiles(paths, 'signed', options);
  checkLevel(config, files, options.level);
  const core = await openCore(config, { logger: createLogger('error') });
  try {
    const person = await findPerson(core, options.as);
    const device = await openDevice(config, person, options.store);
    await checkGateway(config);
    const asked = { level: options.level, files: files.map(({ bytes }) => sha256(bytes)) };
    await noteAdminAct(core, 'sign', { person: person.id }, asked);
    for (const file of files) if (file.form !== 'pades') await writeResult(file, await signed(core, device, file));
    const pdfs = files.filter(({ form }) => form === 'pades');
    if (pdfs.length > 0) await signPdfs(core, person, device, pdfs, options.level);
    explain(files);
  } catch (error) {
    if (error instanceof Unreachable || error instanceof Problem) throw new Error(error.message, { cause: error });
    throw error;
  } finally {
    await core.close();
  }
}

/** @throws Error in words */
function checkLevel(config: Config, files: readonly FileToSign[], level: SigningLevel): void {
  const other = files.find(({ form }) => form !== 'pades');
  if (level === 'standard' && other) throw new Error(`Standard is for PDFs; sign ${other.path} with --level advanced`);
  if (files.some(({ form }) => form === 'pades') && !config.levels.offered.includes(level))
    throw new Error(`the configuration does not offer the level ${level} (levels.offered)`);
}

async function findPerson({ directory }: Core, name: string): Promise<Person> {
  const person =
    (await directory.findByLogin(name)) ?? (await directory.findByMail(name)) ?? (await directory.findById(name));
  if (person === null) throw new Error(`nobody in the directory is called "${name}"`);
  return person;
}

async function openDevice(config: Config, person: Person, store: string): Promise<SignpostDevice> {
  const { origin } = new URL(config.publicUrl);
  const how = `make one with: signpost device enrol ${origin} ${person.mail} --store ${store}`;
  if ((await storedOrigin(store)) !== origin) throw new Error(`there is no device of this gateway in ${store}; ${how}`);
  const device = await SignpostDevice.open({ origin, store: fileStore(store, origin) });
  const owner = device.enrolled?.person;
  if (owner === undefined) throw new Error(`the device in ${store} has not been set up; ${how}`);
  if (!person.addresses.includes(owner.mail.toLowerCase()))
    throw new Error(`the device in ${store} is ${owner.name}'s, not ${person.name}'s; ${how}`);
  return device;
}

/** A device signs with its gateway only. @throws Error in words */
async function checkGateway({ publicUrl }: Config): Promise<void> {
  try {
    const response = await fetch(`${publicUrl}/healthz`, { signal: AbortSignal.timeout(10_000), redirect: 'error' });
    if (response.ok) return;
  } catch {
    // Said below.
  }
  throw new Error(`the gateway does not answer at ${publicUrl}; start it (signpost serve), then sign again`);
}

/** A file that isn't a PDF, or any file from beside. */
async function signed({ pki, worker }: Core, device: SignpostDevice, file: FileToSign): Promise<Uint8Array> {
  const { bytes, form } = file;
  if (form === 'pades') throw new Error('a PDF goes through a request');
  const identity = await device.identity();
  const record = await pki.ca.find(identity.serial);
  if (record === null || record.revokedAt !== null) throw new Error("the device's certificate is not valid any more");
  const signer: FileSigner = {
    certificate: identity.certificate,
    issuers: pki.ca.issuersOf(identity.certificate),
    algorithm: 'ecdsa-p256-sha256',
    sign: data => identity.sign(data),
  };
  const { timestamps } = pki;
  const engine = { readXml: (xml: Uint8Array) => worker.xmlToSign(xml), timestamps, signingTime: new Date() };
  return signFile({ bytes, form }, signer, engine);
}

/** One request with all PDFs, from the person to the same person. */
async function signPdfs(
  core: Core,
  person: Person,
  device: SignpostDevice,
  files: readonly FileToSign[],
  level: SigningLevel,
): Promise<void> {
  // What can't be signed is said here, before a request and its mails are made.
  for (const { path, bytes } of files) {
    await core.documents.inspect(bytes).catch((error: Error) => {
      throw new Error(`${path}: ${error.message}`, { cause: error });
    });
  }
  const { request } = await core.requests.open({
    sender: person,
    signatories: [person],
    copies: [],
    level,
    levelIsDefault: false,
    mode: 'parallel',
    expiresAt: null,
    documents: files.map(({ name, bytes }) => ({ name, bytes })),
    passedOver: [],
    subject: files
      .map(({ name }) => name)
      .join(', ')
      .slice(0, 200),
    text: '',
    messageId: `<${randomUUID()}@${core.config.domains[0]!.sign}>`,
    references: [],
    key: randomBytes(32).toString('hex'),
    queueId: null,
  });
  say(`Request ${request.id} is opened; it is being prepared.`);
  const open = await waitFor(core, request.id, 'open');
  const token = core.requests.linkToken(open.sessions[0]!);
  const view = await device.view(token);
  const documents = await device.download(token, view);
  if (level === 'advanced') await device.sign(token, view, documents);
  else await device.approve(token, view, documents, typedMarks(person));
  say(`Signed by the device of ${person.name}; the company's seal follows.`);
  const finished = await waitFor(core, request.id, 'finished');
  for (const [index, file] of files.entries())
    await writeResult(file, await core.requests.readFinished(finished, index));
}

/** Nobody draws on a command line: the name as signature, the initials as paraph. */
function typedMarks({ name }: Person) {
  const initials = name
    .split(/[\s-]+/)
    .map(part => Array.from(part)[0] ?? '')
    .join('');
  const typed = (text: string) => ({ kind: 'typed', text }) as const;
  return { signature: typed(name), paraph: typed(initials), place: null };
}

/** The running gateway does the work. @throws Error when the request ends otherwise, or takes too long */
async function waitFor({ requests }: Core, id: string, state: RequestState): Promise<Request> {
  const until = Date.now() + PATIENCE;
  for (;;) {
    const request = await requests.find(id);
    if (request?.state === state) return request;
    if (request === null || request.endedAt !== null)
      throw new Error(`request ${id} is ${request?.state ?? 'gone'}; see: signpost requests show ${id}`);
    if (Date.now() > until)
      throw new Error(
        `request ${id} is still ${request.state}; see the gateway's log, and: signpost requests show ${id}`,
      );
    await sleep(200);
  }
}
