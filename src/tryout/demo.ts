/**
 * `npm run demo`: the product's main job end to end on this machine. Mails a PDF to `self@` and another to a colleague
 * through a real mail server, signs both, and leaves the results in --out DIR.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { pino } from 'pino';
import { startGateway } from '../gateway/gateway.ts';
import { canRunChromium } from './browser.ts';
import { type Letter, linkIn, waitForLetter } from './letters.ts';
import { startMailboxPage } from './mailbox-page.ts';
import { proofs } from './proofs.ts';
import { sampleContract } from './sample.ts';
import { browserSigners, commandLineSigners, type Signers } from './signers.ts';
import { addressOf, makeSite, PEOPLE, SIGN_DOMAIN, type Site } from './site.ts';

interface Options {
  readonly out: string;
  readonly stay?: boolean;
  readonly postfix: boolean;
  readonly browser: boolean;
}

const options = new Command('demo')
  .description('mails documents through a real mail server, has them signed, and shows the results')
  .option('--out <dir>', 'where the results go', 'demo-out')
  .option('--stay', 'keep everything running and print the address of a page to play all parts')
  .option('--no-postfix', 'use the try-out front door even where Postfix is installed')
  .option('--no-browser', 'sign with the command-line device even where Chromium is installed')
  .parse()
  .opts<Options>();

const started = Date.now();
const say = (line: string): void => console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s  ${line}`);

const MARY = addressOf('mary.smith');
const JOHN = addressOf('john.doe');

await demo(options);

async function demo({ out, stay, postfix, browser }: Options): Promise<void> {
  const folder = mkdtempSync('/tmp/signpost-demo-');
  const results = resolve(out);
  mkdirSync(join(results, 'mails'), { recursive: true });
  const cleanUp: (() => Promise<unknown> | unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    const site = await makeSite({ folder, postfix });
    cleanUp.push(() => site.stop());
    say(
      site.postfix
        ? `Mail server: a private Postfix on 127.0.0.1:${site.smtpPort}.`
        : `Mail server: the try-out front door on 127.0.0.1:${site.smtpPort} (${postfix ? 'no Postfix here, or no root' : 'as you asked'}; it is for trying out only).`,
    );
    const gateway = await startGateway(site.config, {
      logger: pino({ level: 'info' }, pino.destination(join(results, 'gateway.log'))),
    });
    cleanUp.push(() => gateway.stop());
    say(`Gateway: milter, LMTP and ${site.config.publicUrl} are up.`);
    const signers: Signers =
      browser && canRunChromium()
        ? await browserSigners(site)
        : await commandLineSigners(site, join(folder, 'devices'));
    cleanUp.push(() => signers.close());
    say(`Signatories: ${signers.description}.`);

    const finished = await runStory(site, signers);
    await keepResults(site, finished, results);

    if (stay) {
      const page = await startMailboxPage(site, PEOPLE);
      cleanUp.push(() => page.stop());
      say(`Everything keeps running. Play all parts at ${page.url} (Ctrl-C ends it).`);
      await new Promise<void>(done => {
        process.once('SIGINT', done);
        process.once('SIGTERM', done);
      });
    }
  } finally {
    for (const step of cleanUp.reverse()) await step();
  }
}

/** Two documents: one that Mary signs herself, one that Mary asks John to sign. */
async function runStory(site: Site, signers: Signers): Promise<Letter> {
  await site.send({
    from: MARY,
    to: [`self@${SIGN_DOMAIN}`],
    subject: 'Advanced: my travel rules',
    attachments: [
      { filename: 'travel-rules.pdf', content: await sampleContract('Travel rules', ['the company', 'its employees']) },
    ],
  });
  say(`Mary mailed a PDF to self@${SIGN_DOMAIN}: accepted while she was connected.`);
  const own = await waitForLetter(site.mailboxes, MARY, 'please-sign');
  await signers.sign('mary.smith', linkIn(own));
  say('Mary followed the link in her mail, set up her phone, read the document and signed.');
  await waitForLetter(site.mailboxes, MARY, 'finished', ({ request }) => request === own.request);
  say('Her sealed and timestamped copy is in her mailbox.');

  await site.send({
    from: MARY,
    to: [`john.doe@${SIGN_DOMAIN}`],
    subject: 'Advanced: cooperation agreement',
    text: 'Dear John,\n\nthis is what we agreed on Monday. Please sign by Friday.\n\nMary',
    attachments: [
      { filename: 'agreement.pdf', content: await sampleContract('Cooperation agreement', ['Mary Smith', 'John Doe']) },
    ],
  });
  say(`Mary mailed another PDF to john.doe@${SIGN_DOMAIN}.`);
  const asked = await waitForLetter(site.mailboxes, JOHN, 'please-sign');
  await signers.sign('john.doe', linkIn(asked));
  say('John set up his phone, read the document and signed.');
  const finished = await waitForLetter(site.mailboxes, JOHN, 'finished', ({ request }) => request === asked.request);
  await waitForLetter(site.mailboxes, MARY, 'finished', ({ request }) => request === asked.request);
  say('Both have the finished document in their mailboxes.');
  return finished;
}

async function keepResults(site: Site, finished: Letter, out: string): Promise<void> {
  const attachment = finished.parsed.attachments.find(({ contentType }) => contentType === 'application/pdf');
  if (!attachment) throw new Error('the finished mail carries no PDF');
  const pdf = join(out, 'signed.pdf');
  const trust = join(out, 'trust.pem');
  writeFileSync(pdf, attachment.content);
  writeFileSync(trust, await (await fetch(`${site.config.publicUrl}/trust.pem`)).text());
  for (const [index, { to, raw }] of site.mailboxes.mails.entries()) {
    const status = /^Signpost-Status: (.*)$/im.exec(raw.toString())?.[1]?.trim() ?? 'other';
    writeFileSync(
      join(out, 'mails', `${String(index + 1).padStart(2, '0')}-${status}-${to[0]?.split('@')[0]}.eml`),
      raw,
    );
  }
  say(`Results: ${pdf}, ${trust}, and ${site.mailboxes.mails.length} mails in ${join(out, 'mails')}.`);
  const found = await proofs(pdf, trust);
  for (const { by, good, says } of found) {
    say(`${good ? 'Proven' : 'NOT PROVEN'} by ${by}: ${says}.`);
    if (!good) process.exitCode = 1;
  }
  if (found.length === 0)
    say(
      'Neither pdfsig nor qpdf is installed (Debian: poppler-utils, libnss3-tools, qpdf), so nobody else has judged it.',
    );
}
