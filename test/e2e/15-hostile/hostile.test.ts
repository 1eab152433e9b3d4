/**
 * Every bad input of issue 4 through a real Postfix to a gateway in its own process, while clean mails flow: it is
 * refused in the SMTP reply for what it is, and nothing is opened; or it is signed, and soundly so. The next clean
 * document is served at once, and the gateway's own memory stays small through all of it.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linkToken, SignpostDevice } from '../../../src/client/device.ts';
import { type Core, openCore } from '../../../src/gateway/core.ts';
import { linkIn, waitForLetter } from '../../../src/tryout/letters.ts';
import { addressOf, makeSite, type Site } from '../../../src/tryout/site.ts';
import { memoryStore } from '../../support/device-store.ts';
import { type GatewayProcess, startGatewayProcess } from '../../support/gateway-process.ts';
import { attachment, makeMessage, pdfPart } from '../../support/message.ts';
import { SmtpClient, type SmtpReply } from '../../support/smtp.ts';
import { has, hasPostfix, run } from '../../support/tools.ts';
import { type HostileInput, INPUTS } from './inputs.ts';

const LONG = process.env.SIGNPOST_LONG === '1';
const MARY = addressOf('mary.smith');
const JOHN = addressOf('john.doe');
const ANNA = addressOf('anna.muller');
/** Bytes that the gateway's own process may ever hold. */
const MEMORY = 400_000_000;
/** Between two clean mails, milliseconds. */
const PACE = 500;

const ready = hasPostfix && has('qpdf', 'poppler-utils');
if (!ready) console.warn('SKIPPING hostile documents (B6): needs root, postfix, qpdf and poppler-utils');

let folder: string;
let site: Site;
let gateway: GatewayProcess;
let core: Core;
let device: SignpostDevice;
let streaming = true;
let stream: Promise<void>;
const clean = { sent: 0, refused: [] as string[], whileHostile: 0 };
let hostile = false;
/** The first input after which the gateway had held too much. */
let tooMuchBy: string | null = null;

async function mail(from: string, to: string, message: Uint8Array): Promise<SmtpReply> {
  const client = await SmtpClient.connect(site.smtpPort);
  try {
    return (await client.send(from, [to], message)).final;
  } finally {
    client.close();
  }
}

/** A document of Anna's for herself; what she hears if it isn't taken is kept. */
async function sendClean(): Promise<void> {
  const subject = `Clean document ${clean.sent}`;
  clean.sent += 1;
  const started = hostile;
  const to = 'self@sign.company.com';
  const { code, text } = await mail(ANNA, to, makeMessage({ from: ANNA, to, subject, parts: [pdfPart('clean.pdf')] }));
  if (code !== 250) clean.refused.push(`${subject}: ${code} ${text}`);
  else if (started && hostile) clean.whileHostile += 1;
}

beforeAll(async () => {
  if (!ready) return;
  folder = mkdtempSync('/tmp/signpost-hostile-');
  site = await makeSite({
    folder,
    configure: config =>
      Object.assign(config, {
        requests: { maxPendingPerSender: 10_000, maxPendingPerPair: 10_000, maxPerDay: 10_000 },
        log: { level: 'warn' },
      }),
  });
  gateway = await startGatewayProcess(site, join(folder, 'gateway.log'));
  core = await openCore(site.config, { logger: pino({ level: 'silent' }) });
  const { code } = await core.devices.createAdminCode('john.doe');
  device = await SignpostDevice.open({ origin: site.config.publicUrl, store: memoryStore() });
  await device.enrol({ address: JOHN, code, link: null, name: 'shell', kind: 'command-line' });
  stream = (async () => {
    while (streaming) {
      await sendClean();
      await new Promise(resolve => setTimeout(resolve, PACE));
    }
  })();
});

afterAll(async () => {
  if (!ready) return;
  streaming = false;
  await stream;
  await core?.close();
  await gateway?.stop();
  await site?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function openedFrom(messageId: string): Promise<number> {
  const lists = await Promise.all([true, false].map(ended => core.requests.list({ ended })));
  return lists.flat().filter(request => request.messageId === messageId).length;
}

/** What qpdf says of a file: 0 sound, 1 warnings, 2 errors. */
function faults(file: string): number {
  const { status } = run('/usr/bin/qpdf', ['--check', file]);
  return status === 0 ? 0 : status === 3 ? 1 : 2;
}

/** John signs what arrived under this subject; the finished file. */
async function sign(subject: string): Promise<{ seen: Uint8Array; finished: Uint8Array }> {
  const fits = ({ parsed }: { parsed: { subject?: string | undefined } }) => parsed.subject?.endsWith(subject) ?? false;
  const token = linkToken(linkIn(await waitForLetter(site.mailboxes, JOHN, 'please-sign', fits)))!;
  const view = await device.view(token);
  const documents = await device.download(token, view);
  await device.sign(token, view, documents);
  const { parsed } = await waitForLetter(site.mailboxes, MARY, 'finished', fits);
  expect(parsed.attachments).toHaveLength(1);
  return { seen: documents[0]!, finished: parsed.attachments[0]!.content };
}

function expectSound(input: HostileInput, original: Uint8Array, seen: Uint8Array, finished: Uint8Array): void {
  const [before, during, after] = ['before.pdf', 'during.pdf', 'after.pdf'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(before, original);
  writeFileSync(during, seen);
  writeFileSync(after, finished);
  expect(Buffer.from(finished.subarray(0, seen.length)).subarray(0, 5).toString()).toBe('%PDF-');
  expect(faults(after)).toBeLessThanOrEqual(faults(before));
  const signatures = run('/usr/bin/pdfsig', ['-nocert', after]).output;
  // The certifying seal, John, the closing seal; pdfsig has no verdict on the document timestamp.
  expect(signatures.match(/Signature Validation: Signature is Valid\./g)).toHaveLength(3);
  expect(signatures).not.toMatch(/Signature is Invalid|not signed by this/);
  // What John saw and signed is what everybody gets.
  const text = (file: string) => run('/usr/bin/pdftotext', ['-l', '1', file, '-']).output;
  expect(text(after)).toBe(text(during));
  if (input.shows) expect(text(after)).toMatch(input.shows);
  if (input.without) expect(Buffer.from(finished).includes(Buffer.from(input.without, 'latin1'))).toBe(false);
}

describe.skipIf(!ready)('hostile documents through Postfix', () => {
  const inputs = INPUTS.filter(({ long }) => LONG || !long).map((input, index) => ({ ...input, index }));

  test.each(inputs)('B6 $name', async input => {
    const pdf = input.make();
    const subject = `file number ${input.index}`;
    const messageId = `<hostile-${input.index}@company.com>`;
    const message = makeMessage({ subject, messageId, parts: [attachment(pdf)] });
    hostile = true;
    const { code, text } = await mail(MARY, 'john.doe@sign.company.com', message);
    hostile = false;
    // The next one is served at once.
    await sendClean();
    expect(clean.refused).toEqual([]);
    if (input.refused) {
      expect(`${code} ${text}`).toMatch(input.refused);
      expect(await openedFrom(messageId)).toBe(0);
    } else {
      expect(`${code} ${text}`).toMatch(/^250 /);
      const { seen, finished } = await sign(subject);
      expectSound(input, pdf, seen, finished);
      expect(await openedFrom(messageId)).toBe(1);
    }
    if (gateway.peakMemory() >= MEMORY) tooMuchBy ??= input.name;
  });

  test('B6 meanwhile every clean mail was taken and prepared, and the gateway stayed small and alive', async () => {
    streaming = false;
    await stream;
    expect(clean.refused).toEqual([]);
    expect(clean.sent).toBeGreaterThan(inputs.length);
    // Else nothing was shown of the two side by side.
    expect(clean.whileHostile).toBeGreaterThan(0);
    for (;;) {
      const prepared = site.mailboxes.mails
        .filter(({ to }) => to.includes(ANNA))
        .map(({ raw }) => raw.toString('latin1'))
        .filter(raw => /^Signpost-Status: please-sign/m.test(raw))
        .map(raw => /^Subject: .*(Clean document \d+)/m.exec(raw)?.[1]);
      if (new Set(prepared).size === clean.sent) break;
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    const queue = await site.postfix!.queue();
    expect(queue.filter(({ sender }) => sender === MARY || sender === ANNA)).toEqual([]);
    const peak = gateway.peakMemory();
    console.log(
      `B6: ${clean.sent} clean mails, ${clean.whileHostile} beside a hostile one; peak memory ${Math.round(peak / 1e6)} MB`,
    );
    expect(tooMuchBy).toBeNull();
    expect(peak).toBeLessThan(MEMORY);
    expect(readFileSync(join(folder, 'gateway.log'), 'utf8')).not.toMatch(/no rule foresaw|"level":60/);
  });
});
