/** Mailboxes that answer by themselves, and machines that answer machines. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Request } from '../../../src/requests/model.ts';
import { type Letter, linkIn, read } from '../../../src/tryout/letters.ts';
import { addressOf } from '../../../src/tryout/site.ts';
import { startCompany } from '../../support/company.ts';
import { makeMessage } from '../../support/message.ts';
import { SmtpClient } from '../../support/smtp.ts';
import { hasPostfix } from '../../support/tools.ts';
import { ANNA, addressOfRequest, Desk, EVE, JOHN, MARY, PAUL } from './desk.ts';

let desk: Desk;
beforeAll(async () => {
  if (hasPostfix) desk = await Desk.open();
});
afterAll(() => desk?.company.stop());

/** How mailboxes mark what they write by themselves. */
const MARKS = [
  'Auto-Submitted: auto-replied',
  'Auto-Submitted: auto-replied (vacation); owner-email="john.doe@company.com"',
  'X-Autoreply: yes',
  'X-Autorespond: away',
  'Precedence: auto_reply',
  'X-Auto-Response-Suppress: All',
];

interface Notice {
  readonly text?: string;
  readonly from?: string;
  readonly headers?: readonly string[];
  /** Envelope sender. */
  readonly sender?: string;
  /** Where it goes: the Reply-To, or the return path. */
  readonly to?: string;
}

/** What John's mailbox sends back to a mail of ours. */
async function notice(about: Letter, more: Notice = {}) {
  const to = more.to ?? about.mail.from;
  const message = makeMessage({
    from: addressOf(more.from ?? JOHN),
    to,
    subject: 'Automatic reply: Contract',
    headers: [...(more.headers ?? ['Auto-Submitted: auto-replied']), `In-Reply-To: ${about.parsed.messageId}`],
    parts: [],
    text: more.text ?? 'I am away until 7 December.\r\nPlease write to sales@company.com.',
  });
  return (await desk.send(more.sender ?? '', [to], message)).final;
}

const asked = (request: Request, who: string = JOHN): Promise<Letter> => desk.letter('please-sign', who, request);

describe.skipIf(!hasPostfix)('D5 absences', () => {
  test('are passed on to the sender, once per signatory and request, whatever their mark and way; nobody is answered', async () => {
    for (const mark of MARKS) {
      const request = await desk.request();
      const letter = await asked(request);
      const headers = [mark];
      const ways: Notice[] = [
        { headers },
        { headers, to: addressOfRequest(request) },
        { headers, sender: addressOf(JOHN) },
        { headers, sender: addressOf(JOHN), to: addressOfRequest(request) },
      ];
      // Each way is the first once.
      const first = MARKS.indexOf(mark) % ways.length;
      for (const way of [...ways.slice(first), ...ways.slice(0, first)])
        expect(await notice(letter, way), `${mark} ${JSON.stringify(way)}`).toMatchObject({ code: 250 });
      const { parsed } = await desk.letter('away', MARY, request);
      expect(parsed.text).toMatch(/^John Doe may be away/);
      expect(parsed.text).toContain('> I am away until 7 December.');
      await desk.quiet();
      expect(await desk.letters('away', MARY, request)).toHaveLength(1);
      for (const who of [MARY, JOHN, ANNA]) expect(await desk.letters('answer', who, request)).toEqual([]);
      expect(await desk.fresh(request)).toEqual(request);
    }
  });

  test('of each signatory; not of the sender, of copies, of who has nothing to do any more; not what is no absence', async () => {
    const request = await desk.request();
    const letter = await asked(request);
    const report = 'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"';
    const read = makeMessage({
      from: addressOf(JOHN),
      to: letter.mail.from,
      headers: ['Auto-Submitted: auto-replied', report],
      body: '--b\r\n\r\nYour mail was read.\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\nDisposition: automatic-action/MDN-sent-automatically; displayed\r\n--b--\r\n',
    });
    expect((await desk.send('', [letter.mail.from], read)).final.code).toBe(250);
    const accepted = await desk.letter('accepted', MARY, request);
    expect((await notice(accepted, { from: MARY })).code).toBe(250);
    expect((await notice(accepted, { from: PAUL, sender: addressOf(PAUL), to: addressOfRequest(request) })).code).toBe(
      250,
    );
    await desk.quiet();
    expect(await desk.letters('away', MARY, request)).toEqual([]);
    expect((await notice(await asked(request, ANNA), { from: ANNA })).code).toBe(250);
    expect((await desk.letter('away', MARY, request)).parsed.text).toMatch(/^Anna Müller may be away/);
    await desk.company.gateway.core.requests.cancel(request.id);
    expect((await notice(letter)).code).toBe(250);
    await desk.quiet();
    expect(await desk.letters('away', MARY, request)).toHaveLength(1);
  });

  test('that quote our mail don’t give the link away', async () => {
    for (const quote of [
      (link: string) => `Away.\r\n\r\n> ${link}`,
      (link: string) => `Away. You wrote: ${link}`,
      (link: string) => `Away.\r\n${link.slice(0, -14)}\r\n${link.slice(-14)}`,
      (link: string) => `Away. https://safe.test/?url=${encodeURIComponent(link)}`,
    ]) {
      const request = await desk.request();
      const letter = await asked(request);
      const link = linkIn(letter);
      expect((await notice(letter, { text: quote(link) })).code).toBe(250);
      const { mail, parsed } = await desk.letter('away', MARY, request);
      const token = link.split('/s/')[1]!;
      for (const part of [token.slice(0, 12), token.slice(-12)]) {
        expect(parsed.text).not.toContain(part);
        expect(mail.raw.toString()).not.toContain(part);
      }
    }
  });

  test('D6 null-sender mail that names no mail of ours, and people who write to a return path, get nothing sent', async () => {
    const request = await desk.request();
    const letter = await asked(request);
    const other = await asked(await desk.request());
    await desk.quiet();
    const before = desk.company.site.mailboxes.mails.length;
    const to = addressOfRequest(request);
    const forged = [
      '<x@y.org>',
      '<0123456789abcdef.please-sign@sign.company.com>',
      letter.parsed.messageId!.replace('please-sign', 'reminder'),
      // Another request's.
      other.parsed.messageId!,
    ];
    for (const id of forged) {
      const message = makeMessage({
        from: addressOf(JOHN),
        to,
        headers: ['Auto-Submitted: auto-replied', `In-Reply-To: ${id}`],
        parts: [],
      });
      expect((await desk.send('', [to], message)).final, id).toMatchObject({ code: 550 });
    }
    const person = await desk.reply(JOHN, request, 'cancel', { to: letter.mail.from });
    expect(person.code).toBe(550);
    expect(await notice(letter, { headers: ['X-Other: 1'], sender: addressOf(JOHN) })).toMatchObject({
      code: 550,
      text: expect.stringContaining('delivery reports only'),
    });
    expect((await notice(letter, { from: EVE, sender: addressOf(EVE), to })).code).toBe(550);
    await desk.quiet();
    expect(desk.company.site.mailboxes.mails.length).toBe(before);
  });
});

describe.skipIf(!hasPostfix)('D5 machines facing each other', () => {
  test('an out-of-office without any mark, answering every mail of ours: at most two mails come of it', async () => {
    const request = await desk.request();
    const first = await asked(request, ANNA);
    const { mailboxes } = desk.company.site;
    let answered = 0;
    let seen = mailboxes.mails.indexOf(first.mail);
    // Until nothing comes any more.
    for (;;) {
      for (; seen < mailboxes.mails.length; seen += 1) {
        const letter = await read(mailboxes.mails[seen]!);
        if (letter.request !== request.id || !letter.mail.to.includes(addressOf(ANNA))) continue;
        answered += 1;
        expect(answered).toBeLessThanOrEqual(2);
        const headers = [`In-Reply-To: ${letter.parsed.messageId}`];
        const reply = await desk.reply(ANNA, request, 'I am on holiday until Monday.', { headers });
        expect(reply.code).toBe(250);
      }
      await desk.quiet();
      if (seen === mailboxes.mails.length) break;
    }
    expect(answered).toBe(2);
  });

  test('whoever goes on and on is refused for the day, and nothing is done', async () => {
    const request = await desk.request();
    for (let count = 0; count < 20; count += 1) expect((await desk.reply(MARY, request, 'status')).code).toBe(250);
    await desk.quiet();
    expect(await desk.letters('answer', MARY, request)).toHaveLength(20);
    const refused = { code: 550, text: expect.stringContaining('too often to this request today') };
    expect(await desk.reply(MARY, request, 'cancel')).toMatchObject(refused);
    expect((await desk.reply(JOHN, request, 'status')).code).toBe(250);
    expect(await desk.fresh(request)).toEqual(request);
  });

  test('two gateways whose mailboxes are each other, with an out-of-office on both: at most two mails each', async () => {
    const domains = { sign: 'sign.partner.test', mail: 'partner.test' };
    const partner = await startCompany({ domains });
    try {
      const request = await desk.request();
      const here = desk.company.site.mailboxes;
      const theirs = partner.site.mailboxes;
      const since = here.mails.indexOf((await asked(request)).mail);
      const mine = async (): Promise<Letter[]> =>
        (await Promise.all(here.mails.slice(since).map(read))).filter(({ request: id }) => id === request.id);
      const forward = async (port: number, letter: Letter, to: string): Promise<number> => {
        const client = await SmtpClient.connect(port);
        const { final } = await client.send(letter.mail.from, [to], letter.mail.raw);
        client.close();
        return final.code;
      };
      let seen = 0;
      let back = 0;
      for (;;) {
        const letters = await mine();
        for (; seen < letters.length; seen += 1) {
          const letter = letters[seen]!;
          if (!letter.mail.to.includes(addressOf(JOHN))) continue;
          // John's mailbox sends everything on to the other gateway, and says that he is away.
          expect(await forward(partner.site.smtpPort, letter, 'john.doe@sign.partner.test')).toBe(550);
          await notice(letter);
          await notice(letter, { headers: [], sender: addressOf(JOHN), to: addressOfRequest(request) });
        }
        // What the other one mails comes to this one's request.
        for (; back < theirs.mails.length; back += 1)
          expect(
            await forward(desk.company.site.smtpPort, await read(theirs.mails[back]!), addressOfRequest(request)),
          ).toBe(550);
        await desk.quiet();
        if (seen === (await mine()).length && back === theirs.mails.length) break;
      }
      const letters = await mine();
      const count = (who: string): number => letters.filter(({ mail }) => mail.to.includes(addressOf(who))).length;
      expect(count(JOHN)).toBeLessThanOrEqual(2);
      // Beside what Mary always gets: that he is away.
      expect(letters.filter(({ kind }) => kind === 'away')).toHaveLength(1);
      expect(theirs.mails).toHaveLength(0);
    } finally {
      await partner.stop();
    }
  });
});
