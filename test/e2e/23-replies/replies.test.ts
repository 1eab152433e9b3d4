/** What people do by reply, through real Postfix: every word by the right and by each wrong party. */
import ICAL from 'ical.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Request } from '../../../src/requests/model.ts';
import { addressOf } from '../../../src/tryout/site.ts';
import { hasPostfix } from '../../support/tools.ts';
import { ANNA, addressOfRequest, Desk, EVE, HOUR, JOHN, MARY, PAUL, STRANGER } from './desk.ts';

const DAY = 24 * HOUR;
const COMMANDS = ['status', 'remind', 'extend 5 days', 'cancel', 'reject: no'];
const NOT_YOURS = /^5\.7\.1 There is no request of yours/;

let desk: Desk;
beforeAll(async () => {
  if (hasPostfix) desk = await Desk.open();
});
afterAll(() => desk?.company.stop());

/** Title and first sentence. */
async function answer(person: string, request: Request, count = 1): Promise<string> {
  const { parsed } = await desk.letter('answer', person, request, count);
  return (parsed.text ?? '').split('\n').slice(0, 5).join('|');
}

describe.skipIf(!hasPostfix)('D5 each word', () => {
  test('by each wrong party: refused while they are on the line, nobody is mailed, nothing happens', async () => {
    const request = await desk.request();
    const ended = await desk.request();
    await desk.company.gateway.core.requests.cancel(ended.id);
    await desk.quiet();
    const before = desk.company.site.mailboxes.mails.length;
    const refused: [string, string, RegExp][] = [
      ...[JOHN, ANNA, PAUL].flatMap((who): [string, string, RegExp][] =>
        ['remind', 'extend 5 days', 'cancel', 'annuler', 'Erinnern'].map(word => [
          who,
          word,
          /^5\.7\.1 Only the person who asked/,
        ]),
      ),
      ...[MARY, PAUL].map((who): [string, string, RegExp] => [
        who,
        'reject: no',
        /^5\.7\.1 Only somebody who was asked/,
      ]),
      ...COMMANDS.map((word): [string, string, RegExp] => [EVE, word, NOT_YOURS]),
      ...COMMANDS.map((word): [string, string, RegExp] => [
        STRANGER,
        word,
        /^5\.7\.1 The sender address .* belongs to nobody/,
      ]),
    ];
    for (const [who, word, says] of refused) {
      const said = await desk.reply(who, request, word);
      expect(said, `${who}: ${word}`).toMatchObject({ code: 550, text: expect.stringMatching(says) });
    }
    // The same answer for what exists and what doesn't.
    for (const id of ['000000000000', 'x'])
      expect(await desk.reply(EVE, { id }, 'cancel')).toMatchObject({
        code: 550,
        text: expect.stringMatching(NOT_YOURS),
      });
    expect(await desk.reply(EVE, ended, 'status')).toMatchObject({ code: 550, text: expect.stringMatching(NOT_YOURS) });
    // In somebody else's name.
    const forged = await desk.reply(MARY, request, 'cancel', { envelope: addressOf(EVE) });
    expect(forged.code).toBe(550);
    await desk.quiet();
    expect(await desk.fresh(request)).toEqual(request);
    expect(desk.company.site.mailboxes.mails.length).toBe(before);
    const log = desk.store.evidence.ofRequest(request.id).map(({ body }) => body);
    expect(log.filter(body => body.includes('request.reply'))).toEqual([]);
  });

  test('status, by every party, in their language', async () => {
    const request = await desk.request();
    for (const who of [MARY, JOHN, ANNA, PAUL]) {
      expect((await desk.reply(who, request, 'Status?')).code).toBe(250);
      expect(await answer(who, request)).toMatch(/^How the request stands/);
      const { parsed, mail } = await desk.letter('answer', who, request);
      expect(parsed.text).toContain('Signed so far: 0 of 2. The request is open until');
      expect(parsed.text).toContain('Not signed by:');
      // No link, nobody's.
      expect(mail.raw.toString()).not.toMatch(/\/s\//);
      expect(mail.raw.toString()).toMatch(/^Auto-Submitted: auto-replied\r$/m);
    }
  });

  test('reject by a signatory; not before their turn; without a device, and nothing is signed', async () => {
    const request = await desk.request('[in order]');
    expect((await desk.reply(ANNA, request, 'reject: me first')).code).toBe(250);
    expect(await answer(ANNA, request)).toMatch(/^It isn’t your turn yet/);
    expect((await desk.reply(JOHN, request, 'ablehnen: § 4 ist falsch')).code).toBe(250);
    for (const who of [MARY, JOHN, ANNA, PAUL]) await desk.letter('rejected', who, request);
    const { parsed } = await desk.letter('rejected', MARY, request);
    expect(parsed.text).toContain('> § 4 ist falsch');
    const after = await desk.fresh(request);
    expect(after.sessions.map(({ state, comment, deviceId }) => [state, comment, deviceId])).toEqual([
      ['rejected', '§ 4 ist falsch', null],
      ['closed', null, null],
    ]);
  });

  test('anything else: one short answer that says what can be done, and where questions go', async () => {
    const request = await desk.request();
    expect((await desk.reply(JOHN, request, 'Yes, I agree and sign.')).code).toBe(250);
    const { parsed } = await desk.letter('answer', JOHN, request);
    expect(parsed.text).toContain('reject: your reason');
    expect(parsed.text).toContain('Nothing is ever signed by reply.');
    expect(parsed.text).toContain('write to Mary Smith (mary.smith@company.com)');
    expect(parsed.text).not.toContain('cancel');
    expect((await desk.reply(MARY, request, 'Thank you!')).code).toBe(250);
    const own = (await desk.letter('answer', MARY, request)).parsed.text!;
    for (const word of ['status', 'remind', 'extend 5 days', 'cancel']) expect(own).toContain(word);
    await desk.quiet();
    expect(await desk.fresh(request)).toEqual(request);
  });

  test('the same reply delivered twice acts once', async () => {
    const request = await desk.request();
    const again = { messageId: '<once@company.com>' };
    for (const _ of [1, 2, 3]) expect((await desk.reply(MARY, request, 'extend 1 day', again)).code).toBe(250);
    await answer(MARY, request);
    await desk.quiet();
    expect((await desk.fresh(request)).prolonged).toBe(1);
    expect(await desk.letters('answer', MARY, request)).toHaveLength(1);
    for (const _ of [1, 2]) await desk.reply(MARY, request, 'cancel', { messageId: '<twice@company.com>' });
    await desk.letter('cancelled', MARY, request);
    await desk.quiet();
    expect(await desk.letters('cancelled', MARY, request)).toHaveLength(1);
    expect(await desk.letters('answer', MARY, request)).toHaveLength(1);
  });
});

const GMAIL =
  '<div dir="ltr">COMMAND</div><br><div class="gmail_quote"><div class="gmail_attr">On Tue, 24 Nov 2026 at 10:00, Mary Smith via Signpost &lt;<a href="mailto:signpost@sign.company.com">signpost@sign.company.com</a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0 0 0 .8ex"><p>cancel</p><p>reject: quoted</p></blockquote></div>';
const OUTLOOK =
  '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style>p.MsoNormal{margin:0}</style></head><body><div class="WordSection1"><p class="MsoNormal">COMMAND<o:p></o:p></p><p class="MsoNormal"><o:p>&nbsp;</o:p></p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt"><p class="MsoNormal"><b>Von:</b> Mary Smith via Signpost &lt;signpost@sign.company.com&gt;<br><b>Gesendet:</b> Dienstag, 24. November 2026 10:00<br><b>An:</b> Mary Smith<br><b>Betreff:</b> Re: Contract</p></div></div><p class="MsoNormal">cancel</p></div></body></html>';
const APPLE =
  '<html><body style="overflow-wrap: break-word;">COMMAND<br><div><br><blockquote type="cite"><div>Le 24 nov. 2026 à 10:00, Mary Smith via Signpost &lt;signpost@sign.company.com&gt; a écrit :</div><br><div>cancel</div></blockquote></div></body></html>';

describe.skipIf(!hasPostfix)('D5 quotations', () => {
  test('nobody’s quoted words do anything: text and HTML, top and bottom, three languages', async () => {
    const request = await desk.request();
    const quotations = [
      '> cancel',
      'On Tue, 24 Nov 2026 at 10:00, Mary Smith <m@company.com> wrote:\r\n> cancel',
      '-----Original Message-----\r\nFrom: Mary\r\n\r\ncancel',
      'Von: Mary\r\nGesendet: heute\r\n\r\ncancel',
      'De : Mary\r\nEnvoyé : hier\r\n\r\ncancel',
      '> Please sign\r\n> cancel\r\ncancel',
    ];
    const html = [GMAIL, OUTLOOK, APPLE].map(page => page.replace('COMMAND', ''));
    for (const text of quotations) expect((await desk.reply(MARY, request, text)).code, text).toBe(250);
    for (const page of html) expect((await htmlReply(MARY, request, page)).code, page).toBe(250);
    await desk.quiet();
    expect(await desk.fresh(request)).toEqual(request);
    // The sender's own words, above and below, do.
    for (const [count, text] of [
      'extend 1 day\r\n\r\nOn Tue, 24 Nov 2026 at 10:00, Mary Smith <m@company.com> wrote:\r\n> cancel',
      'On Tue, 24 Nov 2026 at 10:00, Mary Smith via Signpost\r\n<signpost@sign.company.com> wrote:\r\n\r\n> cancel\r\n\r\nextend 1 day\r\n-- \r\nMary',
    ].entries()) {
      expect((await desk.reply(MARY, request, text)).code).toBe(250);
      await desk.until(async () => (await desk.fresh(request)).prolonged === count + 1 || undefined);
    }
    for (const [count, page] of [GMAIL, OUTLOOK, APPLE].entries()) {
      expect((await htmlReply(MARY, request, page.replace('COMMAND', 'Extend 1 day'))).code).toBe(250);
      await desk.until(async () => (await desk.fresh(request)).prolonged === count + 3 || undefined);
    }
    expect((await desk.fresh(request)).state).toBe('open');
  });

  test('mail that was written to others, list mail and a request’s mixture are no replies', async () => {
    const request = await desk.request();
    const cases: [string, Parameters<Desk['reply']>[3], RegExp][] = [
      ['to somebody else', { to: addressOf(JOHN) }, NOT_YOURS],
      ['to another request', { to: addressOfRequest({ id: '000000000000' }) }, NOT_YOURS],
      ['from a list', { headers: ['List-Id: <all.company.com>'] }, /mailing list/],
      ['in bulk', { headers: ['Precedence: bulk'] }, /Precedence/],
      ['in a circle', { headers: Array.from({ length: 30 }, (_, n) => `Received: from a${n} by b; now`) }, /servers/],
      ['one of ours', { messageId: '<x.answer@sign.company.com>' }, /one of our own/],
    ];
    for (const [what, more, says] of cases) {
      const said = await desk.reply(MARY, request, 'cancel', more);
      expect(said, what).toMatchObject({ code: 550, text: expect.stringMatching(says) });
    }
    await desk.quiet();
    expect(await desk.fresh(request)).toEqual(request);
  });
});

describe.skipIf(!hasPostfix)('D5 with time going by', () => {
  test('extend, remind and cancel by the sender: told, recorded, the calendar follows', async () => {
    const request = await desk.request();
    const first = await desk.letter('please-sign', JOHN, request);
    expect((await desk.reply(MARY, request, 'Verlängern um 5 Tage', { messageId: '<extend@company.com>' })).code).toBe(
      250,
    );
    expect(await answer(MARY, request)).toMatch(/^There is more time to sign/);
    const { parsed } = await desk.letter('answer', MARY, request);
    expect(parsed.inReplyTo).toBe('<extend@company.com>');
    const longer = await desk.fresh(request);
    expect(longer.expiresAt.getTime() - request.expiresAt.getTime()).toBe(5 * DAY);
    const told = await desk.letter('reminder', JOHN, request);
    const [old, now] = [first, told].map(letter => {
      const file = letter.parsed.attachments.find(({ contentType }) => contentType === 'text/calendar')!;
      const calendar = new ICAL.Component(ICAL.parse(file.content.toString()) as unknown as string);
      return new ICAL.Event(calendar.getFirstSubcomponent('vevent')!);
    });
    expect([now!.uid, now!.sequence]).toEqual([old!.uid, old!.sequence + 1]);
    expect(now!.endDate.toJSDate().getTime() - old!.endDate.toJSDate().getTime()).toBe(5 * DAY);

    // Just told, so nobody is reminded; four hours later they are.
    expect((await desk.reply(MARY, request, 'remind')).code).toBe(250);
    expect(await answer(MARY, request, 2)).toMatch(/^No reminder was sent/);
    desk.pass(4.1 * HOUR);
    expect((await desk.reply(MARY, request, 'rappel')).code).toBe(250);
    expect(await answer(MARY, request, 3)).toMatch(/^The reminder is on its way.*Reminded: John Doe, Anna Müller\./s);
    await desk.letter('reminder', JOHN, request, 2);
    await desk.letter('reminder', ANNA, request, 2);

    expect((await desk.reply(MARY, request, 'extend 99 days')).code).toBe(250);
    expect(await answer(MARY, request, 4)).toMatch(/^The time was not extended/);

    expect((await desk.reply(MARY, request, 'Cancel!', { messageId: '<cancel@company.com>' })).code).toBe(250);
    for (const who of [MARY, JOHN, ANNA, PAUL]) await desk.letter('cancelled', who, request);
    expect((await desk.fresh(request)).state).toBe('cancelled');
    const acts = desk.store.evidence
      .ofRequest(request.id)
      .map(({ body }) => JSON.parse(body) as { kind: string; subjects: object; facts: Record<string, unknown> })
      .filter(({ kind }) => kind === 'request.reply');
    expect(acts.map(({ facts }) => [facts.command, facts.result])).toEqual([
      ['extend', 'prolonged'],
      ['remind', 'reminded'],
      ['cancel', 'cancelled'],
    ]);
    expect(acts[2]).toMatchObject({
      subjects: { request: request.id, person: MARY },
      facts: { messageId: '<cancel@company.com>', authenticated: 'relay', queueId: expect.stringMatching(/^\w+$/) },
    });
    // Whoever asks once more hears how it ended: the sender, and a signatory of what was.
    expect((await desk.reply(MARY, request, 'remind')).code).toBe(250);
    expect(await answer(MARY, request, 5)).toMatch(/^This request has ended.*The request was cancelled on/s);
    expect((await desk.reply(JOHN, request, 'reject: too late')).code).toBe(250);
    expect(await answer(JOHN, request)).toMatch(/^This request has ended/);
  });
});

function htmlReply(from: string, request: Request, page: string) {
  const headers = ['Content-Type: text/html; charset=utf-8', 'Content-Transfer-Encoding: 8bit'];
  return desk.reply(from, request, '', { headers, body: `${page}\r\n` });
}
