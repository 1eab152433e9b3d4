/**
 * EXPERIENCE.md section 4: who can't get the finished file by mail gets a link, and opens it on their own device. The
 * mail servers behind Postfix are real ones that take no big mail: one announces its SIZE, one answers 552 at the end.
 */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { enrolByMail, type Phone, type Phones, sign, startPhones, waitForReview } from '../../../src/tryout/browser.ts';
import { type Letter, linkIn, read, waitForLetter } from '../../../src/tryout/letters.ts';
import { addressOf, PEOPLE, SIGN_DOMAIN } from '../../../src/tryout/site.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { dumpDatabase } from '../../support/dump.ts';
import { firstExtra, simplePdf } from '../../support/pdfs.ts';
import { type Sink, startSink } from '../../support/sink.ts';
import { has, hasPostfix, run } from '../../support/tools.ts';

const LIMIT = 60_000;
const MARY = addressOf('mary.smith');
const JOHN = addressOf('john.doe');
const ANNA = addressOf('anna.muller');
const PAUL = addressOf('paul.archer');
const people = [...PEOPLE, { id: 'paul.archer', name: 'Paul Archer' }];

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A picture that doesn't compress keeps it larger than the small servers take. */
function bigPdf(): Uint8Array {
  const picture = '/Type /XObject /Subtype /Image /Width 200 /Height 300 /ColorSpace /DeviceGray /BitsPerComponent 8';
  return simplePdf({
    resources: `/XObject << /Im1 ${firstExtra()} 0 R >>`,
    extra: [{ dict: picture, data: randomBytes(200 * 300) }],
  });
}

function attachmentOf({ parsed }: Letter): { readonly name: string; readonly bytes: Buffer } {
  const [pdf, ...others] = parsed.attachments.filter(({ contentType }) => contentType === 'application/pdf');
  expect(others).toEqual([]);
  return { name: pdf!.filename!, bytes: pdf!.content };
}

/** Presses Download and takes the file that the browser saves. */
async function download({ page }: Phone): Promise<{ readonly name: string; readonly bytes: Buffer }> {
  const link = page.getByRole('link', { name: 'Download' });
  await link.waitFor();
  const [saved] = await Promise.all([page.waitForEvent('download'), link.click()]);
  return { name: saved.suggestedFilename(), bytes: readFileSync(await saved.path()) };
}

async function kindsTo(sink: Sink, to: string, request: string): Promise<string[]> {
  const letters = await Promise.all(sink.mails.filter(mail => mail.to.includes(to)).map(read));
  return letters.filter(letter => letter.request === request).map(({ kind }) => kind);
}

describe.skipIf(!hasPostfix || !has('chromium'))('a finished file that is too big for two of three recipients', () => {
  let company: Company;
  let phones: Phones;
  /** Announces a small SIZE: Postfix doesn't even try, and reports 5.3.4. */
  let small: Sink;
  /** Says it at the end, without an enhanced code. */
  let strict: Sink;
  let request: string;
  let attached: { readonly name: string; readonly bytes: Buffer };
  let john: Phone;
  let anna: Phone;
  let forMary: Letter;
  let forJohn: Letter;

  beforeAll(async () => {
    small = await startSink(0, { size: LIMIT });
    strict = await startSink(0, {
      refuse: ({ raw }) => (raw.length > LIMIT ? { code: 552, text: 'message exceeds fixed maximum' } : null),
    });
    company = await startCompany({ people });
    const etc = company.site.postfix!.configFolder;
    const maps = run('postconf', ['-c', etc, '-h', 'transport_maps']).output.trim();
    const routes = `inline:{ { ${ANNA} = smtp:[127.0.0.1]:${small.port} }, { ${JOHN} = smtp:[127.0.0.1]:${strict.port} } }`;
    run('postconf', ['-c', etc, '-e', `transport_maps = ${routes}, ${maps}`]);
    expect(run('postfix', ['-c', etc, 'reload']).status).toBe(0);
    phones = await startPhones();
    [john, anna] = [await phones.open(), await phones.open()];

    // Mary asks herself and John; Anna gets a copy.
    await company.site.send({
      from: MARY,
      to: [`self@${SIGN_DOMAIN}`, `john.doe@${SIGN_DOMAIN}`],
      cc: [ANNA],
      subject: 'Advanced: a big contract',
      attachments: [{ filename: 'big contract.pdf', content: bigPdf() }],
    });
    forMary = await waitForLetter(company.site.mailboxes, MARY, 'please-sign');
    forJohn = await waitForLetter(strict, JOHN, 'please-sign');
    request = forMary.request!;
    const mary = await phones.open();
    for (const [phone, letter, sink, address] of [
      [mary, forMary, company.site.mailboxes, MARY],
      [john, forJohn, strict, JOHN],
    ] as const) {
      await phone.page.goto(linkIn(letter));
      await enrolByMail(phone, sink, address);
      await waitForReview(phone);
      await sign(phone);
    }
    attached = attachmentOf(await waitForLetter(company.site.mailboxes, MARY, 'finished'));
    await mary.context.close();
  });
  afterAll(async () => {
    await phones?.close();
    await company?.stop();
    await Promise.all([small, strict].map(sink => sink?.stop()));
  });

  test('each of the two gets one mail with a link, the third the file', async () => {
    const links = [
      await waitForLetter(strict, JOHN, 'finished-link'),
      await waitForLetter(small, ANNA, 'finished-link'),
    ];
    for (const { parsed } of links) {
      expect(parsed.attachments).toEqual([]);
      expect(parsed.text).toContain('too big for your mailbox');
      expect(linkIn({ parsed } as Letter)).toBe(`${company.site.config.publicUrl}/r/${request}`);
      expect(parsed.subject).toBe('Re: Advanced: a big contract');
    }
    expect(attached.name).toBe('big contract signed.pdf');
    const outcome = async (): Promise<string[]> =>
      (await company.gateway.core.store.outbox.listForRequest(request))
        .filter(({ kind }) => kind.startsWith('finished'))
        .map(({ kind, recipient, state }) => `${kind} ${recipient} ${state}`)
        .sort();
    // The row is updated just after the mail has gone.
    await expect
      .poll(outcome, { timeout: 30_000 })
      .toEqual([
        `finished ${ANNA} bounced`,
        `finished ${JOHN} bounced`,
        `finished ${MARY} sent`,
        `finished-link ${ANNA} sent`,
        `finished-link ${JOHN} sent`,
      ]);
    expect(await kindsTo(company.site.mailboxes, MARY, request)).not.toContain('finished-link');
    expect((await kindsTo(strict, JOHN, request)).filter(kind => kind.startsWith('finished'))).toEqual([
      'finished-link',
    ]);
    expect(await kindsTo(small, ANNA, request)).toEqual(['finished-link']);
  });

  test('the same refusal reported once more sends nothing more', async () => {
    const { store } = company.gateway.core;
    const rows = await store.outbox.listForRequest(request);
    const row = rows.find(({ kind, recipient }) => kind === 'finished' && recipient === JOHN)!;
    const reports = (): number =>
      company.site.postfix!.log().match(new RegExp(`to=<bounce\\+${row.id}@.*status=sent`, 'g'))?.length ?? 0;
    expect(reports()).toBe(1);
    const transport = createTransport({ host: '127.0.0.1', port: company.site.smtpPort, ignoreTLS: true });
    // Its own bytes are gone since it was sent; another party's copy is as big.
    const { raw } = company.site.mailboxes.mails.find(
      ({ to, raw }) =>
        to.includes(MARY) &&
        raw.includes('Signpost-Status: finished\r\n') &&
        raw.includes(`Signpost-Request: ${request}\r\n`),
    )!;
    await transport.sendMail({ raw, envelope: { from: row.envelopeFrom, to: row.recipient } });
    transport.close();
    await expect.poll(reports, { timeout: 60_000 }).toBe(2);
    const after = await store.outbox.listForRequest(request);
    expect(after.map(({ id }) => id).sort()).toEqual(rows.map(({ id }) => id).sort());
  });

  test('the link opens on the enrolled phone: who signed, the document, and exactly its bytes', async () => {
    await john.page.goto(linkIn(await waitForLetter(strict, JOHN, 'finished-link')));
    await john.page.getByRole('heading', { name: 'The signed document' }).waitFor();
    await john.page.locator('.page canvas').first().waitFor();
    const facts = await john.page.locator('.facts').textContent();
    expect(facts).toMatch(/Signed by.*Mary Smith, .*John Doe \(you\), .*Finished/);
    const saved = await download(john);
    expect(saved.name).toBe(attached.name);
    expect(sha256(saved.bytes)).toBe(sha256(attached.bytes));
    // A browser that can't show it can keep it all the same.
    await john.page.route('**/assets/pdf-*', route => route.abort());
    await john.page.reload();
    await john.page.getByText('This browser can’t show the document').waitFor();
    expect(sha256((await download(john)).bytes)).toBe(sha256(attached.bytes));
    await john.page.unroute('**/assets/pdf-*');
    // The page of the signed session leads there, too.
    await john.page.goto(linkIn(forJohn));
    await john.page.getByRole('link', { name: 'Open the signed document' }).click();
    await john.page.getByRole('heading', { name: 'The signed document' }).waitFor();
    expect(new URL(john.page.url()).pathname).toBe(`/r/${request}`);
  });

  test('whoever only gets a copy sets up a phone on the way, and gets the same bytes', async () => {
    await anna.page.goto(linkIn(await waitForLetter(small, ANNA, 'finished-link')));
    await enrolByMail(anna, small, ANNA);
    await anna.page.getByRole('heading', { name: 'The signed document' }).waitFor();
    expect(sha256((await download(anna)).bytes)).toBe(sha256(attached.bytes));
  });

  test("A3 another person's phone sees what an unknown number shows, and so does one that isn't set up", async () => {
    const { publicUrl } = company.site.config;
    const seen = async ({ page }: Phone, path: string): Promise<string> => {
      await page.goto(`${publicUrl}${path}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      return page.locator('body').innerHTML();
    };
    const paul = await phones.open();
    const before = await seen(paul, `/r/${request}`);
    expect(before).toContain('Set up this device');
    expect(before).toBe(await seen(paul, '/r/000000000000'));
    expect(before).toBe(await seen(paul, '/s/unknown-unknown-unknown-42'));
    await seen(paul, `/r/${request}`);
    await enrolByMail(paul, company.site.mailboxes, PAUL);
    await paul.page.getByRole('heading', { name: 'Nothing to sign here' }).waitFor();
    const after = await seen(paul, `/r/${request}`);
    expect(after).toContain('Nothing to sign here');
    expect(after).toBe(await seen(paul, '/r/000000000000'));
    expect(after).not.toContain('big contract');
    await paul.context.close();
  });

  test('A3 looking and downloading change nothing in the database', async () => {
    await company.gateway.pause();
    const state = join(company.site.config.folder, company.site.config.state);
    const before = dumpDatabase(state);
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      await (await fetch(`${company.site.config.publicUrl}/r/${request}`, { method })).arrayBuffer();
    }
    await john.page.goto(`${company.site.config.publicUrl}/r/${request}`);
    await download(john);
    expect(dumpDatabase(state)).toBe(before);
    company.gateway.resume();
  });

  test('signpost device save fetches the same bytes', async () => {
    const store = join(company.folder, 'device');
    const saved = join(company.folder, 'saved');
    const { code } = await company.gateway.core.devices.createAdminCode('mary.smith');
    expect(
      await signpost('device', 'enrol', company.site.config.publicUrl, MARY, '--code', code, '--store', store),
    ).toMatchObject({ status: 0 });
    const done = await signpost('device', 'save', request, '--save', saved, '--store', store);
    expect(done, done.output).toMatchObject({ status: 0 });
    expect(done.output).toContain(sha256(attached.bytes));
    const [file, ...others] = readdirSync(saved);
    expect(others).toEqual([]);
    expect(file).toBe('1 big contract signed.pdf');
    expect(sha256(readFileSync(join(saved, file!)))).toBe(sha256(attached.bytes));
    const unknown = await signpost('device', 'save', '000000000000', '--save', saved, '--store', store);
    expect(unknown).toMatchObject({ status: 1, output: expect.stringContaining('nothing here') });
  });
});

describe.skipIf(!hasPostfix)("a finished file that is too big for the company's own Postfix", () => {
  test('every party gets the link, once', async () => {
    // What comes in passes; with the signatures it is too big to go out.
    const pdf = bigPdf();
    const company = await startCompany({
      postfixExtra: [`message_size_limit = ${Math.ceil(pdf.length * 1.37) + 10_000}`],
    });
    try {
      const [letter] = await company.ask('mary.smith', ['self'], 'Advanced: at the limit', pdf);
      const store = join(company.folder, 'device');
      const { code } = await company.gateway.core.devices.createAdminCode('mary.smith');
      await signpost('device', 'enrol', company.site.config.publicUrl, MARY, '--code', code, '--store', store);
      expect(await signpost('device', 'sign', linkIn(letter!), '--yes', '--store', store)).toMatchObject({ status: 0 });
      await waitForLetter(company.site.mailboxes, MARY, 'finished-link');
      expect(await kindsTo(company.site.mailboxes, MARY, letter!.request!)).not.toContain('finished');
      const rows = await company.gateway.core.store.outbox.listForRequest(letter!.request!);
      expect(rows.filter(({ kind }) => kind === 'finished')).toMatchObject([{ state: 'failed' }]);
      expect(rows.filter(({ kind }) => kind === 'finished-link')).toHaveLength(1);
      const saved = join(company.folder, 'saved');
      const done = await signpost('device', 'save', letter!.request!, '--save', saved, '--store', store);
      expect(done, done.output).toMatchObject({ status: 0 });
      expect(
        readFileSync(join(saved, readdirSync(saved)[0]!))
          .subarray(0, 5)
          .toString(),
      ).toBe('%PDF-');
    } finally {
      await company.stop();
    }
  });
});

function signpost(...args: string[]): Promise<{ status: number; output: string }> {
  const bin = new URL('../../../bin/signpost.js', import.meta.url).pathname;
  return new Promise(resolve => {
    execFile(process.execPath, [bin, ...args], (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code) : 0, output: `${stdout}${stderr}` });
    });
  });
}
