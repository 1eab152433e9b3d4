import jsqr from 'jsqr';
import { simpleParser } from 'mailparser';
import { PNG } from 'pngjs';
import { describe, expect, test } from 'vitest';
import { LANGUAGES } from '../../../src/directory/directory.ts';
import type { Mail } from '../../../src/outbound/mail.ts';
import type { Party } from '../../../src/requests/model.ts';
import { hasPython, header, type ParsedMail, parseWithPython } from './parse.ts';
import {
  composer,
  composeSample,
  date,
  john,
  link,
  mary,
  party,
  paul,
  publicUrl,
  request,
  samples,
  session,
  zoe,
} from './samples.ts';

const ROW = 'a1b2c3d4e5f6g7h8';
const OCTETS = 'application/octet-stream';
const names = Object.keys(samples);
const NASTY = 'Évil"<x@evil.org>\r\nBcc: victim@evil.org\r\n\r\n<script>alert(1)</script>\u202egpj\u2066\u0000\u0007';

async function compose(mail: Mail, to: Party = john): Promise<ParsedMail> {
  const { bytes } = await composer.compose(mail, to, ROW, date);
  return parseWithPython([bytes])[0]!;
}

/** Every kind in every language, read by Python. */
async function parseAll(): Promise<[label: string, mail: ParsedMail][]> {
  const all = names.flatMap(name => LANGUAGES.map(language => ({ name, language })));
  const composed = await Promise.all(all.map(({ name, language }) => composeSample(name, language)));
  const parsed = parseWithPython(composed.map(({ bytes }) => bytes));
  return all.map(({ name, language }, index) => [`${name} ${language}`, parsed[index]!]);
}

const pleaseSign = (change: Parameters<typeof request>[0] = {}, signatory: Party = john): Mail => ({
  kind: 'please-sign',
  request: request(change),
  session: session(signatory),
  link,
});

describe('files other than PDFs', () => {
  test.each(LANGUAGES)(
    'come with a sentence on what they are, not with the type of a signed mail: %s',
    async language => {
      const raw = Buffer.from((await composeSample('finished-other-files', language)).bytes);
      const types = raw.toString().match(/^Content-Type: application\/\S+/gm);
      expect(types).toEqual(Array.from({ length: 3 }, () => `Content-Type: ${OCTETS}`));
      const mail = await simpleParser(raw);
      const files = ['Brief an Zoë.txt', 'Brief an Zoë.txt.p7s', 'plan.png.p7m'];
      expect(mail.attachments.map(({ filename }) => filename)).toEqual(files);
      for (const shown of [...files, 'CAdES']) {
        expect(mail.text).toContain(shown);
        expect(mail.html).toContain(shown);
      }
      const pdfs = await simpleParser(Buffer.from((await composeSample('finished', language)).bytes));
      expect(pdfs.text).not.toContain('CAdES');
    },
  );
});

describe('bytes', () => {
  test('every kind is 7-bit clean, ends lines with CRLF and has no long line', async () => {
    for (const name of names) {
      for (const language of LANGUAGES) {
        const raw = Buffer.from((await composeSample(name, language)).bytes).toString('latin1');
        expect(raw, name).not.toMatch(/[\u0080-\u00ff]/);
        expect(raw.replaceAll('\r\n', ''), name).not.toMatch(/[\r\n\0]/);
        expect(Math.max(...raw.split('\r\n').map(line => line.length)), name).toBeLessThanOrEqual(78);
      }
    }
  });

  test('the same inputs give the same bytes, another row other Message-IDs and boundaries', async () => {
    for (const name of names) {
      const first = await composeSample(name);
      await new Promise(resolve => setTimeout(resolve, 5));
      const second = await composeSample(name);
      expect(Buffer.from(first.bytes).equals(second.bytes), name).toBe(true);
      const other = await composeSample(name, undefined, 'zzzzzzzzzzzzzzzz');
      expect(other.messageId).not.toBe(first.messageId);
      expect(Buffer.from(other.bytes).includes(ROW), name).toBe(false);
    }
  });

  test.skipIf(!hasPython)(
    'no session id, link hash or personal link is in a mail, but the link in its own signatory’s',
    async () => {
      for (const [label, { text, html, headers }] of await parseAll()) {
        const all = JSON.stringify([text, html, headers]);
        expect(all, label).not.toMatch(/SECRETSESSION|c0ffee/);
        expect(all.includes('/s/'), label).toBe(/please-sign|reminder/.test(label));
      }
    },
  );

  test('an address or row id that could leave its place is refused', async () => {
    const mail: Mail = { kind: 'enrolment-code', code: '123456', minutes: 15 };
    for (const address of [
      'a@b.org\r\nRCPT TO:<x@y.org>',
      'a@b.org>',
      'a b@c.org',
      'a@b.org, c@d.org',
      '"a"@b.org',
      '',
      'a@',
    ]) {
      await expect(composer.compose(mail, { ...john, mail: address }, ROW, date), address).rejects.toThrow(/address/);
    }
    await expect(composer.compose(mail, john, 'row\r\nX: y', date)).rejects.toThrow(/row/);
  });
});

describe.skipIf(!hasPython)('as Python’s email package reads it', () => {
  test('every kind in every language has no defect and the expected structure', async () => {
    for (const [label, mail] of await parseAll()) {
      const [name, language] = label.split(' ');
      expect(mail.defects, label).toEqual([]);
      const alternative = ['multipart/alternative', 'text/plain'];
      expect(mail.structure, name).toEqual(
        /^(please-sign|reminder)/.test(label)
          ? ['multipart/mixed', ...alternative, 'multipart/related', 'text/html', 'image/png', 'text/calendar']
          : /^(rejected|cancelled)/.test(label)
            ? ['multipart/mixed', ...alternative, 'text/html', 'text/calendar']
            : name === 'finished'
              ? ['multipart/mixed', ...alternative, 'text/html', 'application/pdf', 'application/pdf']
              : name === 'finished-other-files'
                ? ['multipart/mixed', ...alternative, 'text/html', ...Array.from({ length: 3 }, () => OCTETS)]
                : name === 'sealed'
                  ? ['multipart/mixed', ...alternative, 'text/html', 'application/pdf']
                  : [...alternative, 'text/html'],
      );
      expect(mail.html).toContain(`<html lang="${language}">`);
      expect(mail.html + mail.text).not.toMatch(/undefined|\[object|NaN/);
    }
  });

  test('a sealed document comes back without a word about signatories', async () => {
    for (const name of ['sealed', 'sealed-link']) {
      const { text } = parseWithPython([(await composeSample(name)).bytes])[0]!;
      expect(text).toContain('The company has sealed and timestamped');
      expect(text).toContain('Company seal');
      expect(text).not.toMatch(/signator|Signed by|have signed/);
    }
  });

  test('headers of a mail about a request', async () => {
    const sample = await composeSample('please-sign');
    const mail = parseWithPython([sample.bytes])[0]!;
    expect(mail.from).toEqual([['Mary Smith via Signpost', 'signpost@sign.company.com']]);
    expect(mail.to).toEqual([['John Doe', 'john.doe@company.com']]);
    expect(header(mail, 'Reply-To')).toBe('request+7k3m9qtx2b4c@sign.company.com');
    expect(header(mail, 'Subject')).toBe('Lease contract Harbour Street 12');
    expect(header(mail, 'Message-ID')).toBe(`<${ROW}.please-sign@sign.company.com>`);
    expect(header(mail, 'Date')).toBe('Tue, 24 Nov 2026 09:30:00 +0000');
    expect(header(mail, 'In-Reply-To')).toBe('<20261124093000.ABCD@mail.company.com>');
    expect(header(mail, 'References')).toBe(
      '<first@mail.company.com> <second@mail.company.com> <20261124093000.ABCD@mail.company.com>',
    );
    expect(header(mail, 'Auto-Submitted')).toBe('auto-generated');
    expect(header(mail, 'X-Auto-Response-Suppress')).toBe('All');
    expect(header(mail, 'Signpost-Request')).toBe('7K3M9QTX2B4C');
    expect(header(mail, 'Signpost-Status')).toBe('please-sign');
    expect(
      mail.headers.map(([name]) => name.toLowerCase()).filter(name => /^(list-|precedence|bcc|cc)/.test(name)),
    ).toEqual([]);
    expect(sample.envelope).toEqual({ from: `bounce+${ROW}@sign.company.com`, to: 'john.doe@company.com' });
    expect(sample.messageId).toBe(`<${ROW}.please-sign@sign.company.com>`);
  });

  test('nobody gets mail in their own name, and mail about no request is the company’s', async () => {
    const own = parseWithPython([(await composeSample('accepted')).bytes])[0]!;
    expect(own.from[0]![0]).toBe('Harbour & Sons Ltd via Signpost');
    const code = parseWithPython([(await composeSample('enrolment-code')).bytes])[0]!;
    expect(code.from[0]![0]).toBe('Harbour & Sons Ltd via Signpost');
    expect(header(code, 'Reply-To')).toBeUndefined();
    expect(header(code, 'Signpost-Request')).toBeUndefined();
    expect(header(code, 'Subject')).not.toContain('482915');
  });

  test('the subject is the sender’s, with at most one Re:', async () => {
    const subjectOf = async (subject: string, to = john): Promise<string | undefined> =>
      header(await compose(pleaseSign({ subject }), to), 'Subject');
    expect(await subjectOf('Contract')).toBe('Contract');
    expect(await subjectOf('Re: AW: Re: Contract')).toBe('Re: Contract');
    expect(await subjectOf('Re: Fwd: Contract')).toBe('Re: Fwd: Contract');
    expect(await subjectOf('Contract', mary)).toBe('Re: Contract');
    expect(await subjectOf('RE: Contract', mary)).toBe('Re: Contract');
    expect(await subjectOf('  ')).toBe('Document to sign');
    expect(header(await compose({ kind: 'expired', request: request() }), 'Subject')).toBe(
      'Re: Lease contract Harbour Street 12',
    );
  });

  test('very long subjects and names are cut between letters, others arrive whole', async () => {
    const whole = '契約書の署名をお願いします 👩‍👩‍👧‍👦 عقد الإيجار חוזה שכירות Ñandú';
    const mail = await compose(pleaseSign({ subject: whole, sender: { ...mary, name: '山田 太郎' } }));
    expect(header(mail, 'Subject')).toBe(whole);
    expect(mail.from[0]![0]).toBe('山田 太郎 via Signpost');
    expect(mail.defects).toEqual([]);
    for (const letter of ['👩‍👩‍👧‍👦', 'é', 'x', 'ж ']) {
      const { defects, headers, to } = await compose(pleaseSign({ subject: letter.repeat(5000) }), {
        ...john,
        name: letter.repeat(5000),
      });
      expect(defects).toEqual([]);
      const subject = headers.find(([name]) => name === 'Subject')![1];
      expect(subject).toBe(
        `${letter
          .repeat(subject.replace('…', '').trimEnd().length / letter.length + 1)
          .slice(0, subject.length - 1)
          .trimEnd()}…`,
      );
      expect([...new Intl.Segmenter('en').segment(subject)].length).toBeLessThanOrEqual(250);
      expect(to).toHaveLength(1);
      expect(to[0]![1]).toBe(john.mail);
    }
  });

  test('hostile ids of other mails are left out, many are bounded', async () => {
    const mail = await compose(
      pleaseSign({
        messageId: '<ok@x>',
        references: [
          '<a@b>\r\nBcc: <x@y.org>',
          'plain',
          '<sp ace@x>',
          '<é@x>',
          ...Array.from({ length: 500 }, (_, i) => `<r${i}@x>`),
        ],
      }),
    );
    const references = header(mail, 'References')!.split(' ');
    expect(references).toHaveLength(20);
    expect(references.at(-1)).toBe('<ok@x>');
    expect(references[0]).toBe('<r481@x>');
    expect(header(mail, 'Bcc')).toBeUndefined();
    const none = await compose(pleaseSign({ messageId: 'not one\r\nBcc: x@y.org' }));
    expect(header(none, 'In-Reply-To')).toBeUndefined();
    expect(header(none, 'References')).toBeUndefined();
  });

  test('text and HTML say the same', async () => {
    const flat = (text: string): string => text.replace(/\s+/g, ' ');
    for (const [label, mail] of await parseAll()) {
      const page = flat(mail.htmlTexts.join(' '));
      for (const line of mail.text.split('\n')) {
        if (/^(-+ ?|>?)$/.test(line)) continue;
        const said = flat(line.replace(/^(> | +- | {2}(?=\d\.)| +)/, '').trim());
        // A fact's label and value are two cells of the page.
        for (const part of page.includes(said) ? [said] : said.split(/(?<=^[^:]*): (.*)/)) {
          expect(page, `${label}: ${line}`).toContain(part.replace(/:$/, '').trim());
        }
      }
      const text = flat(mail.text.replace(/^> ?/gm, ''));
      for (const said of mail.htmlTexts) {
        // What introduces the picture, and the button's address, and the mark.
        if (/^(✓|Signpost)$|scan|oder öffnen sie|or open this|ou ouvrez ce/i.test(said)) continue;
        expect(text, label).toContain(said);
      }
    }
  });

  test('please-sign says who, what, why, until when and what to do', async () => {
    const mail = await compose(pleaseSign());
    expect(mail.text).toContain('Mary Smith asks you to sign');
    expect(mail.text).toContain('Asked by: Mary Smith (mary.smith@company.com)');
    expect(mail.text).toContain('Lease contract Harbour Street 12.pdf (14\u00a0pages)');
    expect(mail.text).toContain('Annex A – floor plan.pdf (1\u00a0page)');
    expect(mail.text).toContain('> here is the lease as agreed on Friday; only § 4 (deposit) has changed.');
    expect(mail.text).toContain('Open until: Tuesday, 1 December 2026 at 10:30 (UTC+01:00)');
    expect(mail.text).toContain(`View and sign:\n${link}`);
    expect(mail.attachments.map(({ type }) => type)).toEqual(['image/png', 'text/calendar']);
  });

  test('the sender’s text is quoted shortened', async () => {
    const { text, htmlTexts } = await compose(pleaseSign({ text: 'word '.repeat(10_000) }));
    expect(/> (.*)/.exec(text)![1]!.length).toBeLessThanOrEqual(600);
    expect(text).toContain('…');
    expect(Math.max(...htmlTexts.map(said => said.length))).toBeLessThanOrEqual(600);
  });

  test('the QR code is an inline picture with a text and decodes to the link', async () => {
    for (const kind of ['please-sign', 'reminder']) {
      const mail = parseWithPython([(await composeSample(kind)).bytes])[0]!;
      const picture = mail.attachments[0]!;
      expect(picture.disposition).toBe('inline');
      expect(mail.html).toContain(`<img src="cid:${picture.cid!.slice(1, -1)}" alt="QR code`);
      const { data, width, height } = PNG.sync.read(Buffer.from(picture.base64, 'base64'));
      expect(jsqr.default(new Uint8ClampedArray(data), width, height)?.data).toBe(link);
    }
  });

  test('accepted names the level as default, who signs, the expiry and what was passed over', async () => {
    const { text } = await compose({ kind: 'accepted', request: request() }, mary);
    expect(text).toContain('Level: Advanced electronic signature (the default, because your subject named none)');
    expect(text).toContain('  - John Doe (john.doe@company.com)\n  - Zoë Müller-Lefèvre (zoe.mueller@company.com)');
    expect(text).toContain('Passed over:\n  - image001.png\n  - smime.p7s');
    expect(text).toContain('Request number: 7K3M9QTX2B4C');
    const named = await compose(
      { kind: 'accepted', request: request({ levelIsDefault: false, passedOver: [], copies: [], mode: 'ordered' }) },
      mary,
    );
    expect(named.text).toContain('Level: Advanced electronic signature\n');
    expect(named.text).not.toMatch(/Passed over|Copies/);
    expect(named.text).toContain('Signatories, in this order:\n  1. John Doe');
  });

  test('finished carries the files whole, says who signed and links to the help page', async () => {
    const files = [
      { name: '../../Vertrag "neu".PDF', bytes: Buffer.from([0, 13, 10, 255, 10, 46, 13, 10]) },
      { name: '契約.pdf', bytes: Buffer.from('%PDF-1.7') },
      { name: '契約.pdf', bytes: Buffer.from('%PDF-1.6') },
    ];
    const signed = session(john, { state: 'signed', endedAt: date });
    const mail = await compose({ kind: 'finished', request: request({ sessions: [signed] }), files }, paul);
    expect(mail.defects).toEqual([]);
    expect(mail.attachments.map(({ name, type, disposition }) => [name, type, disposition])).toEqual([
      ['Vertrag neu signed.pdf', 'application/pdf', 'attachment'],
      ['契約 signed.pdf', 'application/pdf', 'attachment'],
      ['契約 signed (2).pdf', 'application/pdf', 'attachment'],
    ]);
    for (const [index, { base64 }] of mail.attachments.entries()) {
      expect(Buffer.from(base64, 'base64').equals(files[index]!.bytes)).toBe(true);
    }
    expect(mail.text).toContain(
      'Signed by: John Doe (john.doe@company.com), Tuesday, 24 November 2026 at 10:30 (UTC+01:00)',
    );
    expect(mail.text).toContain(`${publicUrl}/trust`);
    expect(mail.text).toContain('yellow');
  });

  test('too big to attach: a link to the page of the request, which names the files as the attachments are named', async () => {
    const { mail } = samples['finished-link']!;
    for (const [language, words] of [
      ['en', 'too big for your mailbox'],
      ['fr', 'trop volumineux pour votre boîte'],
      ['de', 'zu groß für Ihr Postfach'],
    ] as const) {
      const letter = await compose(mail, { ...paul, language });
      const page = `${publicUrl}/r/7K3M9QTX2B4C`;
      expect(letter.attachments).toEqual([]);
      expect(letter.text.replace(/\s+/g, ' ')).toContain(words);
      expect(letter.htmlTexts.join(' ')).toContain(words);
      expect(letter.text).toContain(page);
      expect(letter.html.split(`href="${page}"`), 'the button and the link as text').toHaveLength(3);
      expect(letter.htmlTexts).toContain(page);
      for (const text of [letter.text, letter.htmlTexts.join('\n')]) {
        expect(text).toContain('Lease contract Harbour Street 12 signed.pdf');
        expect(text).toContain('Annex A – floor plan signed.pdf');
      }
    }
  });

  test('rejected, expired, cancelled and failed say who, why and what to do', async () => {
    const rejecting = session(zoe, { state: 'rejected', endedAt: date, comment: 'Too dear.\nSorry' });
    const sessions = [session(john, { state: 'signed', endedAt: date }), rejecting];
    const rejected: Mail = { kind: 'rejected', request: request({ sessions }), session: rejecting };
    expect((await compose(rejected, john)).text).toMatch(
      /Zoë Müller-Lefèvre has rejected the request.*> Too dear\.\n> Sorry.*no effect/s,
    );
    expect((await compose(rejected, zoe)).text).toContain('You have rejected the request');
    expect((await compose(rejected, mary)).text).toContain('mail it anew');
    const silent: Mail = { ...rejected, session: { ...rejecting, comment: null } };
    expect((await compose(silent, john)).text).toContain('No reason was given.');
    const ended = request({ sessions: [sessions[0]!, session(zoe)] });
    expect((await compose({ kind: 'expired', request: ended })).text).toContain('Not signed by: Zoë Müller-Lefèvre');
    expect((await compose({ kind: 'cancelled', request: ended })).text).toContain(
      'The request by Mary Smith was cancelled',
    );
    expect((await compose({ kind: 'failed', request: ended, reason: 'encrypted' }, mary)).text).toContain(
      'by a password',
    );
    expect((await compose({ kind: 'failed', request: ended, reason: 'The disk\r\nwas full' }, mary)).text).toContain(
      'Reason: The disk was full',
    );
  });

  test('strings made to break out add no header, recipient or element', async () => {
    const hostile = { ...mary, name: NASTY };
    const change = {
      sender: hostile,
      subject: NASTY,
      text: NASTY,
      passedOver: [NASTY],
      copies: [hostile],
      documents: request().documents.map(document => ({ ...document, name: NASTY })),
    };
    const victim = { ...john, name: NASTY };
    const evil = session(victim, { comment: NASTY, state: 'rejected', endedAt: date });
    const broken = request({ ...change, sessions: [evil] });
    const mails: Mail[] = [
      { kind: 'accepted', request: broken },
      { kind: 'please-sign', request: broken, session: evil, link },
      { kind: 'reminder', request: broken, session: evil, link },
      { kind: 'signed-by-one', request: broken, session: evil },
      { kind: 'finished', request: broken, files: [{ name: NASTY, bytes: Buffer.from('x') }] },
      { kind: 'finished-link', request: broken },
      { kind: 'rejected', request: broken, session: evil },
      { kind: 'expired', request: broken },
      { kind: 'cancelled', request: broken },
      { kind: 'failed', request: broken, reason: NASTY },
      { kind: 'away', request: broken, party: victim, text: NASTY },
      {
        kind: 'answer',
        request: broken,
        answer: { name: 'reminded', parties: [victim] },
        to: { messageId: `<a@b>\r\nBcc: victim@evil.org`, references: [NASTY, '<a b@c>'] },
      },
      { kind: 'answer', request: broken, answer: { name: 'status' }, to: { messageId: NASTY, references: [] } },
      { kind: 'enrolment-code', code: NASTY, minutes: 15 },
      { kind: 'device-enrolled', deviceName: NASTY, at: date },
      { kind: 'device-removed', deviceName: NASTY, at: date },
    ];
    const allowed = new Set((await parseAll()).flatMap(([, { elements }]) => elements));
    for (const mail of mails) {
      const { bytes, envelope } = await composer.compose(mail, { ...victim, mail: 'victim@company.com' }, ROW, date);
      expect(envelope.to).toBe('victim@company.com');
      const parsed = parseWithPython([bytes])[0]!;
      expect(parsed.defects, mail.kind).toEqual([]);
      expect(header(parsed, 'Bcc')).toBeUndefined();
      expect(parsed.to.map(([, address]) => address)).toEqual(['victim@company.com']);
      expect(parsed.from.map(([, address]) => address)).toEqual(['signpost@sign.company.com']);
      for (const element of parsed.elements) expect(allowed, mail.kind).toContain(element);
      const seen = [
        ...parsed.headers.flat(),
        parsed.text,
        parsed.html,
        ...parsed.attachments.map(({ name }) => name ?? ''),
      ].join('\n');
      expect(seen, mail.kind).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u2028\u2029\u0000\u0007]/);
      // mailparser agrees.
      const second = await simpleParser(Buffer.from(bytes));
      expect(second.bcc).toBeUndefined();
      expect(second.to).toMatchObject({ value: [{ address: 'victim@company.com' }] });
      expect(second.from?.value).toMatchObject([{ address: 'signpost@sign.company.com' }]);
      expect(second.messageId).toBe(`<${ROW}.${mail.kind}@sign.company.com>`);
    }
  });

  test('a right-to-left name can’t reorder what stands around it', async () => {
    const dana = party('דנה כהן', 'dana@company.com');
    const mail = await compose(
      pleaseSign({ sender: dana, documents: [{ ...request().documents[0]!, name: 'חוזה 2026.pdf' }] }),
    );
    expect(mail.text).toContain('Asked by: \u2068דנה כהן\u2069 (dana@company.com)');
    expect(mail.text).toContain('\u2068חוזה 2026.pdf\u2069 (14\u00a0pages)');
    expect(mail.from[0]![0]).toBe('דנה כהן via Signpost');
  });
});

test('mailparser reads what was meant: parts, file names, threading', async () => {
  const { bytes } = await composeSample('finished', 'fr');
  const mail = await simpleParser(Buffer.from(bytes));
  expect(mail.subject).toBe('Re: Lease contract Harbour Street 12');
  expect(mail.from?.text).toBe('"Mary Smith via Signpost" <signpost@sign.company.com>');
  expect(mail.attachments.map(({ filename }) => filename)).toEqual([
    'Lease contract Harbour Street 12 signed.pdf',
    'Annex A – floor plan signed.pdf',
  ]);
  expect(mail.inReplyTo).toBe('<20261124093000.ABCD@mail.company.com>');
  expect(mail.text).toContain('Signés\u00a0: vos 2 documents');
  expect(mail.headers.get('signpost-status')).toBe('finished');
});
