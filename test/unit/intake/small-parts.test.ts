/** The small readers of the mail entrance: encoded words, automatic mail, attachments, refusals. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanFileName, sortAttachments } from '../../../src/intake/attachments.ts';
import { automaticReason } from '../../../src/intake/automatic.ts';
import { decodeUnstructured, UndecodableWord } from '../../../src/intake/encoded-words.ts';
import type { Attachment } from '../../../src/intake/message-gate.ts';
import { decodeBody } from '../../../src/intake/mime-header.ts';
import { splitMessage } from '../../../src/intake/raw-message.ts';
import { Refusal } from '../../../src/intake/refusal.ts';
import { refusals } from '../../../src/intake/refusals.ts';
import { LEVELS } from '../../../src/requests/model.ts';

describe('encoded words (RFC 2047)', () => {
  // The first rows are the RFC's own examples (section 8).
  test.each([
    ['=?ISO-8859-1?Q?a?=', 'a'],
    ['=?ISO-8859-1?Q?a?= b', 'a b'],
    ['=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=', 'ab'],
    ['=?ISO-8859-1?Q?a?=    =?ISO-8859-1?Q?b?=', 'ab'],
    ['=?ISO-8859-1?Q?a_b?=', 'a b'],
    ['=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=', 'a b'],
    ['=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=', 'Keld Jørn Simonsen'],
    ['=?utf-8?B?w4RydGU=?=', 'Ärte'],
    ['=?utf-8?q?=C3?= =?utf-8?q?=84?=', 'Ä'],
    ['=?us-ascii*en?q?hi?=', 'hi'],
    ['Vertrag für Ärzte', 'Vertrag für Ärzte'],
    ['a = b ? c', 'a = b ? c'],
  ])('%s', (written, text) => {
    expect(decodeUnstructured(Buffer.from(written))).toBe(text);
  });

  test.each([['=?x-unknown?q?a?='], ['=?utf-8?q?=ZZ?='], ['=?utf-8?b?a*b?='], ['=?utf-8?q?=C3?=']])(
    '%s is an error, not a guess',
    written => {
      expect(() => decodeUnstructured(Buffer.from(written))).toThrow(UndecodableWord);
    },
  );

  test('bytes that are not UTF-8 are an error', () => {
    expect(() => decodeUnstructured(Buffer.from('für', 'latin1'))).toThrow(UndecodableWord);
  });
});

describe('quoted-printable', () => {
  const decode = (body: string, strict = true): string =>
    decodeBody(Buffer.from(body, 'latin1'), 'quoted-printable', strict).toString('latin1');

  test('escapes, soft line breaks, trailing white space, line ends', () => {
    expect(decode('a=3D=e9=\r\nb \t\r\n\r\nc\nd=')).toBe('a=\u00e9b\r\n\r\nc\r\nd');
    expect(decode('')).toBe('');
  });

  test.each(['x=4y', 'x=4=\r\n1y', 'x=G1', 'x=4\r\n', 'x==y', 'x= 41'])(
    '%j is refused, and left as it is in mere text',
    body => {
      expect(() => decode(body)).toThrow(Refusal);
      expect(decode(body, false)).toContain('=');
    },
  );
});

describe('automatic mail', () => {
  const reason = (...lines: string[]): string | null =>
    automaticReason(splitMessage(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)), ['sign.company.com']);

  test.each([
    ['Auto-Submitted: auto-replied'],
    ['AUTO-SUBMITTED: auto-generated (vacation)'],
    ['Auto-Submitted:'],
    ['Auto-Submitted: nothing'],
    ['X-Autoreply: yes'],
    ['X-Autorespond: away'],
    ['Precedence: auto_reply'],
    ['Precedence: bulk'],
    ['Precedence: List'],
    ['Precedence: junk'],
    ['List-Id: Board <board.company.com>'],
    ['Message-ID: <abc@sign.company.com>'],
    ['Message-ID: <abc@mx.SIGN.company.com>'],
  ])('%s', line => {
    expect(reason(line)).not.toBeNull();
  });

  test.each([
    ['Auto-Submitted: no'],
    ['Auto-Submitted: No (really)'],
    ['Precedence: first-class'],
    // Exchange puts it into people's mail, too.
    ['X-Auto-Response-Suppress: All'],
    ['X-Autoreply: no'],
    ['Message-ID: <a@company.com>'],
    ['Message-ID: <a@design.company.com>'],
  ])('%s is a person', line => {
    expect(reason(line)).toBeNull();
  });

  test('25 servers are many, 26 are a loop', () => {
    const hops = (count: number): string[] => Array.from({ length: count }, () => 'Received: from a by b; now');
    expect(reason(...hops(25))).toBeNull();
    expect(reason(...hops(26))).not.toBeNull();
  });
});

describe('attachments', () => {
  const part = (name: string | null, bytes: string | Buffer, type = 'application/octet-stream'): Attachment => ({
    type,
    attached: true,
    file: true,
    base64: true,
    name,
    bytes: Buffer.from(bytes as string, 'latin1'),
    digest: '',
  });
  const sort = (...attachments: Attachment[]) => sortAttachments({ attachments, footers: 0 }, 3);

  test('a PDF is known by its bytes, whatever its name and type', () => {
    const { documents, passedOver } = sort(
      part('scan', '%PDF-1.4'),
      part(null, `${'\n'.repeat(900)}%PDF-1.4`, 'image/jpeg'),
      part('../../etc/b\u202efdp.exe.pdf', '%PDF-1.4'),
      part('photo.jpg', '\xff\xd8', 'image/jpeg'),
      part(null, 'BEGIN:VCALENDAR', 'text/calendar'),
    );
    expect(documents.map(({ name }) => name)).toEqual(['scan.pdf', 'document-2.pdf', 'bfdp.exe.pdf']);
    expect(passedOver).toEqual(['photo.jpg', 'text/calendar']);
  });

  test.each<[string, Attachment[], string]>([
    ['none', [], 'no PDF attached'],
    ['a picture only', [part('a.jpg', 'x')], 'no PDF attached'],
    ['a mail inside', [part(null, 'x', 'message/rfc822')], 'inside an attached mail'],
    [
      'a false PDF beside a true one',
      [part('a.pdf', '%PDF-1.4'), part('b.pdf', 'hello')],
      '"b.pdf" is called a PDF but is none',
    ],
    ['an empty file', [part('a.pdf', '')], '"a.pdf" is empty'],
    ['the type alone', [part(null, 'hello', 'application/pdf')], 'is called a PDF but is none'],
    ['too many', [1, 2, 3, 4].map(n => part(`${n}.pdf`, '%PDF-1.4')), 'at most 3'],
    ['tnef by its name', [part('winmail.dat', 'x')], 'winmail.dat'],
    ['tnef by its bytes', [part('x.bin', '\x78\x9f\x3e\x22')], 'winmail.dat'],
    ['zip beside a PDF', [part('a.pdf', '%PDF-1.4'), part('b', 'PK\x03\x04')], 'is an archive'],
    ['7z', [part('b', '7z\xbc\xaf\x27\x1c')], 'is an archive'],
    ['rar', [part('b.rar', 'x')], 'is an archive'],
    ['docx by its name', [part('b.docx', 'PK\x03\x04')], 'office document'],
    ['docx by its bytes', [part('b.zip', 'PK\x03\x04....[Content_Types].xml')], 'office document'],
    ['odt by its bytes', [part(null, 'PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.text')], 'office document'],
    ['old word', [part('b', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1')], 'office document'],
    ['rtf', [part('b', '{\\rtf1')], 'office document'],
    ['an encrypted mail attached', [part('x.p7m', 'x')], 'encrypted'],
  ])('%s is refused', (_, attachments, says) => {
    expect(() => sort(...attachments)).toThrow(Refusal);
    expect(() => sort(...attachments)).toThrow(says);
  });

  test('file names are one clean line and never a path', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), name => {
        expect(cleanFileName(name)).not.toMatch(
          /[/\\\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029]|^\./,
        );
      }),
      { seed: 5 },
    );
    expect(cleanFileName('C:\\Temp\\Contract.pdf')).toBe('Contract.pdf');
    expect(cleanFileName('.hidden')).toBe('hidden');
    expect(cleanFileName('a\r\nBcc: x.pdf')).toBe('a Bcc: x.pdf');
  });
});

describe('refusals', () => {
  const evil = `${'\u202eé%\r\n250 ok\u0000'.repeat(200)}`;
  const all: Refusal[] = [
    refusals.notAuthenticated(),
    refusals.unknownSender(evil),
    refusals.senderIsNotLogin(evil),
    refusals.senderDiffers('From'),
    refusals.unknownRecipient(evil, [evil, evil, evil]),
    refusals.badRecipients(Array.from({ length: 300 }, () => evil)),
    refusals.externalRecipient(evil),
    refusals.hiddenRecipient([evil, evil]),
    refusals.tooBig(26_214_400),
    refusals.malformed(evil),
    refusals.badAddressField('To', evil),
    refusals.automatic(evil),
    refusals.nearMiss(evil, 'advanced'),
    refusals.notOffered('qualified', LEVELS),
    refusals.badDue(evil),
    refusals.notAPdf(evil),
    refusals.office(evil),
    refusals.document(evil, 'javascript'),
  ];

  test('whatever they quote, they are printable ASCII in lines that SMTP takes', () => {
    for (const { code, enhanced, text } of all) {
      expect(enhanced).toMatch(new RegExp(`^${Math.floor(code / 100)}\\.\\d\\.\\d$`));
      expect(text.length).toBeLessThanOrEqual(25);
      for (const line of text) expect(line).toMatch(/^[\x20-\x24\x26-\x7e]{1,449}$/);
    }
  });

  test('accents are dropped, not the letters', () => {
    expect(refusals.notAPdf('Verträge «neu».pdf').text[0]).toContain('"Vertrage \'neu\'.pdf"');
  });
});
