/**
 * Every bad input of the main job through a real Postfix: what the sender reads, that nothing was opened, and that
 * nothing stays behind in the queue.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Request } from '../../../src/requests/model.ts';
import { PEOPLE } from '../../../src/tryout/site.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { attachment, BOUNDARY, makeMessage, pdfPart, type TestMessage } from '../../support/message.ts';
import { bombPdf, encryptedPdf, scriptedPdf, xfaPdf } from '../../support/pdfs.ts';
import { SmtpClient, type SmtpReply } from '../../support/smtp.ts';
import { has, hasPostfix } from '../../support/tools.ts';

const MARY = 'mary.smith@company.com';
const JOHN = 'john.doe@sign.company.com';
const LIMIT = 2 * 1024 * 1024;
const STRANGER = '127.0.0.2';

let company: Company;

beforeAll(async () => {
  if (!hasPostfix) return;
  company = await startCompany({
    people: [...PEOPLE, { id: 'jurgen', name: 'Jürgen Groß', aliases: ['jürgen@company.com'] }],
    configure: config => {
      (config.mail as Record<string, unknown>).maxMessageSize = '2 MiB';
    },
    // Reports about our own mails come back through the gatekeeper, too, as the shipped snippet has it.
  });
});
afterAll(() => company?.stop());

/** What Postfix holds of others' mail; our own letters may still be on their way. */
async function queued(): Promise<unknown[]> {
  const queue = await company.site.postfix!.queue();
  return queue.filter(({ sender }) => !/^bounce\+\w+@sign\.company\.com$/.test(String(sender)));
}

async function allRequests(): Promise<Request[]> {
  const { requests } = company.gateway.core;
  return [...(await requests.list({ ended: false })), ...(await requests.list({ ended: true }))];
}

async function deliver(
  message: Uint8Array,
  envelope: { from?: string; to?: readonly string[]; client?: string; parameters?: string } = {},
): Promise<{ recipients: SmtpReply[]; final: SmtpReply }> {
  const client = await SmtpClient.connect(company.site.smtpPort, 'client.test', {
    localAddress: envelope.client ?? '127.0.0.1',
  });
  try {
    return await client.send(envelope.from ?? MARY, envelope.to ?? [JOHN], message, envelope.parameters);
  } finally {
    client.close();
  }
}

/** Refused with this code and words; nothing opened, nothing queued. */
async function expectRefused(
  message: Uint8Array,
  code: RegExp,
  envelope: Parameters<typeof deliver>[1] = {},
): Promise<SmtpReply> {
  const before = (await allRequests()).length;
  const { final } = await deliver(message, envelope);
  expect(`${final.code} ${final.text}`).toMatch(code);
  expect(await queued()).toEqual([]);
  expect((await allRequests()).length).toBe(before);
  return final;
}

/** Accepted, and the request that it opened. */
async function expectOpened(message: Uint8Array, envelope: Parameters<typeof deliver>[1] = {}): Promise<Request> {
  const before = new Set((await allRequests()).map(({ id }) => id));
  const { final } = await deliver(message, envelope);
  expect(`${final.code} ${final.text}`).toMatch(/^250 /);
  for (let tries = 0; tries < 200; tries += 1) {
    const opened = (await allRequests()).filter(({ id }) => !before.has(id));
    if (opened.length > 0) {
      expect(opened).toHaveLength(1);
      return opened[0]!;
    }
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`no request was opened\n${company.site.postfix!.log().split('\n').slice(-20).join('\n')}`);
}

const withPart = (bytes: Uint8Array, name?: string, type?: string): TestMessage => ({
  parts: [attachment(bytes, name, type)],
});

/** As long as the SMTP limit minus what stands around the filler. */
function messageOf(size: number): Buffer {
  const empty = makeMessage({ messageId: '<size@company.com>', text: '' }).length;
  const line = `${'x'.repeat(70)}\r\n`;
  const filler = size - empty;
  const text = line.repeat(Math.floor(filler / line.length)) + 'y'.repeat(filler % line.length);
  const message = makeMessage({ messageId: `<s${String(size).padStart(8, '0').slice(-3)}@company.com>`, text });
  expect(message.length).toBe(size);
  return message;
}

describe.skipIf(!hasPostfix)('through Postfix', () => {
  test.each<[string, TestMessage, RegExp]>([
    ['no attachment', { parts: [] }, /^550 5\.6\.1 There is no PDF attached/],
    [
      'not a PDF',
      withPart(Buffer.from('hello, world')),
      /^550 5\.6\.1 The attachment "contract.pdf" is called a PDF but is none/,
    ],
    ['a PDF in name and head only', withPart(Buffer.from('%PDF-1.7\nhello')), /^550 5\.6\.0 "contract.pdf" is damaged/],
    ['scripted PDF', withPart(scriptedPdf()), /^550 5\.6\.1 "contract.pdf" contains scripts(.|\n)*Print to PDF/],
    ['XFA', withPart(xfaPdf()), /^550 5\.6\.1 "contract.pdf" is a dynamic form \(XFA\)/],
    ['bomb PDF', withPart(bombPdf()), /^550 5\.6\.0 "contract.pdf" (is too complex|takes too long)/],
    [
      'docx',
      withPart(Buffer.from('PK\x03\x04word'), 'contract.docx', 'application/octet-stream'),
      /^550 5\.6\.1 "contract.docx" is an office document(.|\n)*Save it as PDF/,
    ],
    [
      'zip',
      withPart(Buffer.from('PK\x03\x04zip'), 'contract.bin', 'application/octet-stream'),
      /^550 5\.6\.1 "contract.bin" is an archive/,
    ],
    [
      'winmail.dat',
      withPart(Buffer.from('\x78\x9f\x3e\x22xx', 'latin1'), 'winmail.dat', 'application/ms-tnef'),
      /^550 5\.6\.1 Outlook packed(.|\n)*Convert to HTML/,
    ],
    [
      'encrypted mail',
      { headers: ['Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m'], body: 'AAAA' },
      /^550 5\.6\.1 The mail is encrypted/,
    ],
    [
      'opaque-signed mail',
      { headers: ['Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m'], body: 'AAAA' },
      /^550 5\.6\.1 The mail is wrapped/,
    ],
    [
      'unknown level',
      { subject: '[advnaced] contract' },
      /^550 5\.6\.0 "advnaced" in the subject looks like a misspelt level. Write \[advanced\]/,
    ],
    ['level not offered', { subject: '[qualified] contract' }, /^550 5\.6\.0 The level qualified is not offered here/],
    ['two levels', { subject: '[advanced] contract - qualified' }, /^550 5\.6\.0 The subject asks for two levels/],
    [
      'higher level hidden in the subject',
      { subject: 'Qualified staff contract' },
      /^550 5\.6\.0 The subject says "qualified"(.|\n)*\[qualified\] or \[advanced\]/,
    ],
    [
      'higher level hidden in encoded words',
      { subject: '=?utf-8?b?UXVhbGlmaWVk?= staff contract' },
      /^550 5\.6\.0 The subject says "qualified"/,
    ],
    [
      'two From fields',
      { headers: ['From: john.doe@company.com'] },
      /^550 5\.6\.0 The mail is not well-formed: it has two from lines/,
    ],
    [
      'two addresses in From',
      { from: 'mary.smith@company.com, john.doe@company.com' },
      /^550 5\.6\.0 The From line .* names several people/,
    ],
    [
      'an address in the name of From',
      { from: '<mary.smith@company.com> <john.doe@company.com>' },
      /^550 5\.6\.0 The From line/,
    ],
    [
      'another person in From',
      { from: 'john.doe@company.com' },
      /^550 5\.7\.1 The From line of the mail names somebody else/,
    ],
    [
      'another person in Sender',
      { headers: ['Sender: john.doe@company.com'] },
      /^550 5\.7\.1 The Sender line of the mail names somebody else/,
    ],
    ['group', { to: 'board: john.doe@sign.company.com;' }, /^550 5\.6\.0 The To line .* group/],
    ['re-sent', { headers: ['Resent-From: mary.smith@company.com'] }, /^550 5\.6\.0 .*re-sent/],
    ['auto-submitted', { headers: ['Auto-Submitted: auto-replied'] }, /^550 5\.7\.1 Automatic and list mail/],
    ['list mail', { headers: ['List-Id: <board.company.com>'] }, /^550 5\.7\.1 Automatic and list mail/],
    ['bulk mail', { headers: ['Precedence: bulk'] }, /^550 5\.7\.1 Automatic and list mail/],
    ['own Message-ID', { messageId: '<abc@sign.company.com>' }, /^550 5\.7\.1 .*Message-ID is one of our own/],
    [
      'a loop',
      { headers: Array.from({ length: 26 }, (_, n) => `Received: from a by b; ${n}`) },
      /^550 5\.7\.1 .*more than 25 servers/,
    ],
    ['a line of 2,000 bytes', { text: 'x'.repeat(2000) }, /^550 5\.6\.0 .*a line of 2000 bytes/],
    ['a NUL in the body', { text: 'a\u0000b' }, /^55\d 5\./],
    ['a NUL in the header', { subject: 'a\u0000b' }, /^55\d 5\./],
    ['nobody to sign', { to: 'john.doe@company.com', cc: JOHN }, /^550 5\.1\.3 Nobody in the To line/],
    [
      'text after the padding',
      { parts: [{ ...pdfPart(), body: 'JVBERi0xLjc=\r\nJVBERi0xLjc=' }] },
      /^550 5\.6\.0 .*base64/,
    ],
    [
      'a multipart without end',
      { headers: [`Content-Type: multipart/mixed; boundary=${BOUNDARY}`], body: `--${BOUNDARY}\r\n\r\nhello\r\n` },
      /^550 5\.6\.0 .*no end/,
    ],
    [
      'message/partial',
      { headers: ['Content-Type: message/partial; id=a; number=1; total=2'], body: 'x' },
      /^550 5\.6\.1 The mail arrives in pieces/,
    ],
  ])('A7 %s', async (_, message, code) => {
    await expectRefused(makeMessage(message), code);
  });

  test.skipIf(!has('qpdf'))('A7 encrypted PDF', async () => {
    await expectRefused(
      makeMessage(withPart(encryptedPdf())),
      /^550 5\.6\.1 "contract.pdf" is protected with a password/,
    );
  });

  test('A7 8-bit letters in From that are not UTF-8', async () => {
    const message = makeMessage({ from: 'M\u00fcller <mary.smith@company.com>' });
    await expectRefused(Buffer.from(message.toString('utf8'), 'latin1'), /^550 5\.6\.0 The From line .* not UTF-8/);
  });

  test('A7 unknown recipient, with a hint', async () => {
    await expectRefused(
      makeMessage({ to: 'john.deo@sign.company.com' }),
      /^550 5\.1\.1 .*"john.deo@sign.company.com" is not known here. Did you mean john.doe@sign.company.com\?/,
      { to: ['john.deo@sign.company.com'] },
    );
  });

  test('A7 one bad recipient of three refuses the whole, naming it', async () => {
    const to = ['john.doe@sign.company.com', 'nobody@sign.company.com', 'anna.muller@sign.company.com'];
    const before = (await allRequests()).length;
    const { recipients, final } = await deliver(makeMessage({ to: to.join(', ') }), { to });
    expect(recipients.map(({ code }) => code)).toEqual([250, 550, 250]);
    expect(`${final.code} ${final.text}`).toMatch(
      /^550 5\.1\.1 Nobody was asked(.|\n)*"nobody@sign.company.com" is not known/,
    );
    expect((await allRequests()).length).toBe(before);
  });

  test('A7 every bad name of the header is in the text, though no envelope recipient is bad', async () => {
    const reply = await expectRefused(
      makeMessage({ to: `${JOHN}, nobody@sign.company.com`, cc: 'nowhere@company.com' }),
      /^550 5\.1\.1/,
    );
    expect(reply.text).toContain('"nobody@sign.company.com"');
    expect(reply.text).toContain('"nowhere@company.com"');
  });

  test('A7 external recipient, after and before a signatory', async () => {
    const before = (await allRequests()).length;
    const after = await deliver(makeMessage({ cc: 'x@outside.example' }), { to: ['x@outside.example', JOHN] });
    expect(after.recipients[1]).toMatchObject({ code: 550, text: expect.stringMatching(/^5\.7\.1 .*outside/) });
    await company.site.mailboxes.waitFor(({ to }) => to.includes('x@outside.example'));
    const first = await SmtpClient.connect(company.site.smtpPort);
    await first.command(`MAIL FROM:<${MARY}>`);
    expect(await first.command(`RCPT TO:<${JOHN}>`)).toMatchObject({ code: 250 });
    expect(await first.command('RCPT TO:<x@outside.example>')).toMatchObject({
      code: 550,
      text: expect.stringMatching(/^5\.7\.1 .*outside/),
    });
    first.close();
    expect((await allRequests()).length).toBe(before);
  });

  test('A7 Bcc', async () => {
    await expectRefused(makeMessage(), /^550 5\.7\.1 Bcc can't be used here: "anna.muller@sign.company.com"/, {
      to: [JOHN, 'anna.muller@sign.company.com'],
    });
    await expectRefused(makeMessage(), /^550 5\.7\.1 Bcc can't be used here: "anna.muller@company.com"/, {
      to: [JOHN, 'anna.muller@company.com'],
    });
  });

  test('A7 unauthenticated sender, who learns nothing about who exists', async () => {
    await expectRefused(makeMessage(), /^550 5\.7\.1 Only people of this company/, { client: STRANGER });
    await expectRefused(makeMessage(), /^550 5\.7\.1 Only people of this company/, {
      client: STRANGER,
      to: ['nobody@sign.company.com'],
    });
    await expectRefused(makeMessage(), /^550 5\.7\.1 The sender address "who@outside.example"/, {
      from: 'who@outside.example',
    });
  });

  test('A7 null sender', async () => {
    await expectRefused(makeMessage(), /^550 5\.7\.1 This address takes no automatic mail/, { from: '' });
  });

  test('A7 addresses of ours', async () => {
    await expectRefused(makeMessage(), /^550 5\.7\.1 .*delivery reports only/, { to: ['bounce+abc@sign.company.com'] });
    await expectRefused(makeMessage(), /^550 5\.7\.1 There is no request of yours/, {
      to: ['request+abc@sign.company.com'],
    });
    await expectRefused(makeMessage(), /^550 5\.1\.1 The signing service itself/, {
      to: ['signpost@sign.company.com'],
    });
  });

  test('A7 at the size limit exactly', async () => {
    const request = await expectOpened(messageOf(LIMIT));
    expect(request.documents).toHaveLength(1);
  });

  test('A7 over the size limit by one byte and by ten times', async () => {
    await expectRefused(messageOf(LIMIT + 1), /^552 5\.3\.4 The mail is too big. The limit here is 2 MiB/);
    await expectRefused(messageOf(LIMIT * 10), /^552 5\.3\.4 The mail is too big/);
  });

  test('A7 8-bit and SMTPUTF8', async () => {
    const message = makeMessage({
      from: 'Märy <mary.smith@company.com>',
      to: 'Jürgen <jürgen@sign.company.com>',
      subject: 'Vertrag für Jürgen – «Prüfung»',
      text: 'Bitte prüfen: äöüß €',
      parts: [pdfPart('Vertrag Müller.pdf')],
    });
    const request = await expectOpened(message, {
      to: ['jürgen@sign.company.com'],
      parameters: 'BODY=8BITMIME SMTPUTF8',
    });
    expect(request).toMatchObject({
      subject: 'Vertrag für Jürgen – «Prüfung»',
      text: 'Bitte prüfen: äöüß €',
      documents: [{ name: 'Vertrag Müller.pdf' }],
      sessions: [{ party: { personId: 'jurgen' } }],
    });
  });

  test('A7 a forged verdict header is deleted and believed by nobody', async () => {
    const request = await expectOpened(
      makeMessage({ headers: ['X-Signpost-Verdict: forged', 'x-signpost-verdict: again', 'X-Signpost-Other: x'] }),
    );
    expect(request.sender.personId).toBe('mary.smith');
  });

  test('what the gatekeeper just admits is not refused behind it: 25 servers on the way', async () => {
    await expectOpened(makeMessage({ headers: Array.from({ length: 25 }, (_, n) => `Received: from a by b; ${n}`) }));
  });

  test('A7 same Message-ID with another level: two requests; the very same: one', async () => {
    const messageId = `<same-${Date.now()}@company.com>`;
    const first = await expectOpened(makeMessage({ messageId, subject: 'Contract' }));
    const second = await expectOpened(makeMessage({ messageId, subject: '[advanced] Contract' }));
    expect(first.levelIsDefault).toBe(true);
    expect(second.levelIsDefault).toBe(false);
    const before = (await allRequests()).length;
    expect((await deliver(makeMessage({ messageId, subject: 'Contract' }))).final.code).toBe(250);
    await emptyQueue();
    expect((await allRequests()).length).toBe(before);
  });

  test('a message split by recipient is one request for all of To', async () => {
    const message = makeMessage({
      to: `${JOHN}, anna.muller@sign.company.com`,
      cc: 'jurgen@company.com',
      subject: 'Split',
    });
    const request = await expectOpened(message);
    const before = (await allRequests()).length;
    expect((await deliver(message, { to: ['anna.muller@sign.company.com'] })).final.code).toBe(250);
    await emptyQueue();
    expect((await allRequests()).length).toBe(before);
    expect(request.sessions.map(({ party }) => party.personId)).toEqual(['john.doe', 'anna.muller']);
    expect(request.copies.map(({ personId }) => personId)).toEqual(['jurgen']);
  });

  test('self@, an alias and upper case are the one person, once', async () => {
    const request = await expectOpened(
      makeMessage({ to: 'self@sign.company.com, JD@Sign.Company.COM, john.doe@sign.company.com' }),
      { to: ['self@sign.company.com', 'JD@sign.company.com'] },
    );
    expect(request.sessions.map(({ party }) => party.personId)).toEqual(['mary.smith', 'john.doe']);
  });

  test("mail that is not for the sign domain passes, whoever's it is", async () => {
    const { final } = await deliver(makeMessage({ from: 'a@outside.example', to: 'b@elsewhere.example' }), {
      from: 'a@outside.example',
      to: ['b@elsewhere.example'],
      client: STRANGER,
    });
    expect(final.code).toBe(250);
    const mail = await company.site.mailboxes.waitFor(({ to }) => to.includes('b@elsewhere.example'));
    expect(mail.raw.toString()).not.toMatch(/^X-Signpost/im);
  });

  test('a delivery report with the null sender reaches the outbox row', async () => {
    const { core } = company.gateway;
    const request = await expectOpened(makeMessage());
    const [row] = await core.store.outbox.listForRequest(request.id);
    const report = async (message: Buffer): Promise<string | undefined> => {
      const to = [`bounce+${row!.id}@sign.company.com`];
      expect((await deliver(message, { from: '', to, client: STRANGER })).final.code).toBe(250);
      await emptyQueue();
      return (await core.store.outbox.find(row!.id))?.state;
    };
    expect(await report(makeMessage({ subject: 'Out of office', headers: ['Auto-Submitted: auto-replied'] }))).not.toBe(
      'bounced',
    );
    const status =
      'Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; a@b.c\r\nAction: failed\r\nStatus: 5.1.1\r\n';
    const parts = [{ headers: ['Content-Type: message/delivery-status'], body: status }];
    expect(await report(makeMessage({ subject: 'Undelivered', parts }))).toBe('bounced');
  });
});

async function emptyQueue(): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if ((await queued()).length === 0) return;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error('the queue does not get empty');
}
