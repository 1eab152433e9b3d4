import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { createTransport } from 'nodemailer';
import { describe, expect, test } from 'vitest';
import { sortAttachments } from '../../../src/intake/attachments.ts';
import { MAX_HEADER, passGate } from '../../../src/intake/message-gate.ts';
import { Refusal } from '../../../src/intake/refusal.ts';
import { attachment, BOUNDARY, makeMessage, pdfPart, type TestMessage } from '../../support/message.ts';
import { simplePdf } from '../../support/pdfs.ts';

const pdf = Buffer.from(simplePdf());

const plain = (headers: readonly string[], body: string): TestMessage => ({ headers, body });
const mixed = (body: string): TestMessage =>
  plain([`Content-Type: multipart/mixed; boundary="${BOUNDARY}"`], body.replaceAll('\n', '\r\n'));

describe('ambiguous messages are refused', () => {
  test.each<[string, TestMessage | string, string]>([
    ['no header', '\r\nhello\r\n', 'no From'],
    ['bare LF', 'From: a@b.org\nMessage-ID: <a@b.org>\n\nhello\n', 'line ends'],
    ['bare CR', 'From: a@b.org\r\nMessage-ID: <a@b.org>\r\n\r\nhel\rlo\r\n', 'line ends'],
    ['bare LF in the body', 'From: a@b.org\r\nMessage-ID: <a@b.org>\r\n\r\nhel\nlo\r\n', 'line ends'],
    ['NUL', { text: 'a\u0000' }, 'NUL'],
    ['999 bytes in a line', { text: 'x'.repeat(999) }, 'a line of 999 bytes'],
    ['two From', { headers: ['FROM: x@y.org'] }, 'two from'],
    ['two Subject', { headers: ['subject: other'] }, 'two subject'],
    ['two Date', { headers: ['Date: now'] }, 'two date'],
    ['two Message-ID', { headers: ['Message-Id: <a@b.org>'] }, 'two message-id'],
    ['two To', { headers: ['To: a@b.org'] }, 'two to'],
    ['two Content-Type', { headers: ['Content-Type: text/plain'] }, 'two content-type'],
    ['two MIME-Version', { headers: ['MIME-Version: 1.0'] }, 'two mime-version'],
    [
      'two transfer encodings',
      { headers: ['Content-Transfer-Encoding: 7bit', 'Content-Transfer-Encoding: 8bit'] },
      'two content-transfer',
    ],
    ['Resent-To', { headers: ['Resent-To: a@b.org'] }, 're-sent'],
    ['no Message-ID', { without: ['Message-ID'] }, 'Message-ID'],
    ['a Message-ID with white space', { messageId: '<a b@c.org>' }, 'Message-ID'],
    ['two Message-IDs in one', { messageId: '<a@c.org> <b@c.org>' }, 'Message-ID'],
    ['no MIME-Version', { without: ['MIME-Version'] }, 'MIME-Version'],
    ['white space before the colon', { headers: ['Subject : x'] }, 'field name'],
    ['a line without colon', { headers: ['hello world'] }, 'field name'],
    ['a fold at the start', { headers: [' folded'] }, 'continuation'],
    ['a letter beyond ASCII in a field name', { headers: ['Süb: x'] }, 'field name'],
    ['a control in a field', { subject: 'a\u0007b' }, 'control'],
    ['a huge header', { headers: Array.from({ length: 100 }, () => `X-A: ${'x'.repeat(900)}`) }, 'header is too long'],
    ['a comment in Content-Type', plain(['Content-Type: text/plain (x); charset=utf-8'], 'x'), "can't be read"],
    ['a parameter twice', plain(['Content-Type: multipart/mixed; boundary=a; boundary=b'], 'x'), "can't be read"],
    [
      'a boundary in pieces',
      plain(['Content-Type: multipart/mixed; boundary*0=a; boundary*1=b'], 'x'),
      'proper boundary',
    ],
    [
      'a boundary twice over',
      plain(['Content-Type: multipart/mixed; boundary=a; boundary*=b'], 'x'),
      'proper boundary',
    ],
    ['no boundary', plain(['Content-Type: multipart/mixed'], 'x'), 'proper boundary'],
    [
      'a boundary that ends in a space',
      plain(['Content-Type: multipart/mixed; boundary="a "'], 'x'),
      'proper boundary',
    ],
    ['no parts', mixed('hello\n'), 'no end'],
    ['no end', mixed(`--${BOUNDARY}\n\nhello\n`), 'no end'],
    [
      'parts after the end',
      mixed(`--${BOUNDARY}\n\nhello\n--${BOUNDARY}--\n--${BOUNDARY}\n\nmore\n--${BOUNDARY}--\n`),
      'after its end',
    ],
    ['a boundary line with a tail', mixed(`--${BOUNDARY}x\n\nhello\n--${BOUNDARY}--\n`), 'after it'],
    [
      'a boundary within a boundary',
      mixed(`--${BOUNDARY}\nContent-Type: multipart/mixed; boundary=${BOUNDARY}x\n\nhello\n--${BOUNDARY}--\n`),
      'overlap',
    ],
    [
      'a multipart in base64',
      plain([`Content-Type: multipart/mixed; boundary=${BOUNDARY}`, 'Content-Transfer-Encoding: base64'], 'x'),
      'transfer encoding',
    ],
    [
      'a part with two types',
      mixed(`--${BOUNDARY}\nContent-Type: text/plain\nContent-Type: application/pdf\n\nx\n--${BOUNDARY}--\n`),
      'two content-type',
    ],
    [
      'a part with two encodings',
      mixed(
        `--${BOUNDARY}\nContent-Transfer-Encoding: base64\nContent-Transfer-Encoding: 7bit\n\nx\n--${BOUNDARY}--\n`,
      ),
      'two content-transfer',
    ],
    [
      'an unknown encoding',
      {
        parts: [{ ...pdfPart(), headers: ['Content-Type: application/pdf', 'Content-Transfer-Encoding: x-uuencode'] }],
      },
      'unknown transfer',
    ],
    ['text after the padding', { parts: [{ ...pdfPart(), body: 'QQ==\r\nQUJD' }] }, 'base64'],
    ['padding bits that are not zero', { parts: [{ ...pdfPart(), body: 'QR==' }] }, 'base64'],
    ['no padding', { parts: [{ ...pdfPart(), body: 'QQ' }] }, 'base64'],
    ['foreign letters in base64', { parts: [{ ...pdfPart(), body: 'QU*JD' }] }, 'base64'],
    ['base64url', { parts: [{ ...pdfPart(), body: '__--' }] }, 'base64'],
    [
      'a bad escape in a quoted-printable attachment',
      {
        parts: [
          {
            headers: ['Content-Type: application/pdf', 'Content-Transfer-Encoding: quoted-printable'],
            body: '%PDF-1.4 =ZZ',
          },
        ],
      },
      'quoted-printable',
    ],
    [
      'a PDF that is shown as text',
      { parts: [{ headers: ['Content-Type: text/plain'], body: '%PDF-1.4 x' }] },
      'different attachments',
    ],
    [
      'a name that makes text an attachment for one reader',
      { parts: [{ headers: ['Content-Disposition: inline; filename="x.pdf"'], body: '%PDF-1.4 x' }] },
      'different attachments',
    ],
    [
      'message/external-body',
      plain(['Content-Type: message/external-body; access-type=URL'], 'x'),
      'keeps its attachment elsewhere',
    ],
    ['PGP/MIME', plain(['Content-Type: multipart/encrypted; boundary=a'], 'x'), 'encrypted'],
    ['PGP in the text', { text: '-----BEGIN PGP MESSAGE-----\r\nabc' }, 'encrypted'],
    [
      'too many parts',
      { parts: Array.from({ length: 100 }, () => attachment(Buffer.from('x'), 'x.txt', 'text/plain')) },
      'more than 100 parts',
    ],
  ])('%s', async (_, message, says) => {
    const raw = typeof message === 'string' ? Buffer.from(message) : makeMessage(message);
    const refusal = await passGate(raw).then(
      () => null,
      (error: unknown) => error,
    );
    expect(refusal).toBeInstanceOf(Refusal);
    expect((refusal as Refusal).message).toContain(says);
  });

  test('parts nested too deep', async () => {
    let body = 'x';
    for (let depth = 0; depth < 12; depth += 1) {
      body = `--b${depth}-\r\nContent-Type: multipart/mixed; boundary="b${depth - 1}-"\r\n\r\n${body}\r\n--b${depth}---\r\n`;
    }
    const raw = makeMessage(plain(['Content-Type: multipart/mixed; boundary="b11-"'], body));
    await expect(passGate(raw)).rejects.toThrow('nested');
  });
});

describe('ordinary mail passes', () => {
  test('as nodemailer makes it, with every part decoded the same by both readers', async () => {
    const transport = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
    const { message } = await transport.sendMail({
      from: 'Märy <mary.smith@company.com>',
      to: 'john.doe@sign.company.com',
      subject: 'Vertrag für Ärzte',
      text: 'Hallo äöü',
      html: '<p>Hallo <img src="cid:logo"></p>',
      attachments: [
        {
          filename: 'Vertrag äöü mit einem sehr langen Namen, der in mehreren Stücken kodiert werden muss.pdf',
          content: pdf,
        },
        { filename: 'logo.png', content: Buffer.from('89504e47', 'hex'), cid: 'logo' },
        { filename: 'unknown', content: pdf, contentType: 'application/octet-stream' },
        {
          filename: 'qp.pdf',
          content: pdf,
          encoding: 'quoted-printable' as never,
          contentTransferEncoding: 'quoted-printable',
        },
        { filename: 'card.vcf', content: 'BEGIN:VCARD\r\nEND:VCARD\r\n', contentType: 'text/vcard' },
        { filename: 'smime.p7s', content: Buffer.from('3080', 'hex'), contentType: 'application/pkcs7-signature' },
      ],
    });
    const mail = await passGate(message as Buffer);
    const { documents, passedOver } = sortAttachments(mail, 10);
    expect(documents.map(({ name }) => name)).toEqual([
      'Vertrag äöü mit einem sehr langen Namen, der in mehreren Stücken kodiert werden muss.pdf',
      'unknown.pdf',
      'qp.pdf',
    ]);
    for (const { bytes } of documents) expect(bytes.equals(pdf)).toBe(true);
    expect([...passedOver].sort()).toEqual(['card.vcf', 'logo.png', 'smime.p7s']);
    expect(mail.text.trim()).toBe('Hallo äöü');
  });

  test('a mail that is nothing but the PDF', async () => {
    const mail = await passGate(
      makeMessage({
        headers: ['Content-Type: application/pdf; name=x.pdf', 'Content-Transfer-Encoding: base64'],
        body: `${pdf.toString('base64').replace(/.{76}/g, '$&\r\n')}\r\n`,
      }),
    );
    expect(sortAttachments(mail, 10).documents[0]!.bytes.equals(pdf)).toBe(true);
  });

  test('the text of a mail in HTML only, and footers', async () => {
    const footer = { headers: ['Content-Type: text/html'], body: '<p>Please <b>sign</b></p>' };
    const html = await passGate(makeMessage({ text: '', parts: [footer, pdfPart()] }));
    expect(html.text.trim()).toBe('Please sign');
    const parts = [footer, pdfPart()].map(({ headers, body }) => `--b\r\n${headers.join('\r\n')}\r\n\r\n${body}\r\n`);
    const only = await passGate(
      makeMessage({ headers: ['Content-Type: multipart/mixed; boundary=b'], body: `${parts.join('')}--b--\r\n` }),
    );
    expect(only.text.trim()).toBe('Please sign');
    const listed = await passGate(
      makeMessage({ parts: [pdfPart(), { headers: ['Content-Type: text/plain'], body: 'unsubscribe here' }] }),
    );
    expect(sortAttachments(listed, 10).passedOver).toEqual(['text below the mail']);
  });

  test('a line of 998 bytes, a header at its limit', async () => {
    await passGate(makeMessage({ text: 'x'.repeat(998) }));
    const empty = makeMessage({ messageId: '<a@b.org>' });
    const length = empty.indexOf('\r\n\r\n') + 2;
    const filler = MAX_HEADER - length;
    const headers = Array.from({ length: Math.floor(filler / 100) - 1 }, () => `X-A: ${'x'.repeat(93)}`);
    headers.push(`X-A: ${'x'.repeat((filler % 100) + 93)}`);
    await passGate(makeMessage({ messageId: '<a@b.org>', headers }));
    await expect(passGate(makeMessage({ messageId: '<a@b.org>', headers: [...headers, 'X-A: b'] }))).rejects.toThrow(
      'header is too long',
    );
  });

  test('sloppy quoted-printable in the text is nobody’s loss', async () => {
    const sloppy = {
      headers: ['Content-Type: text/html', 'Content-Transfer-Encoding: quoted-printable'],
      body: '<p style="x=y">50=% off</p>',
    };
    await passGate(makeMessage({ parts: [sloppy, pdfPart()] }));
  });
});

describe('hostile bytes', () => {
  const sample = makeMessage({ subject: 'Fuzz' });

  test('a mutated message is refused in words or read, never a crash', async () => {
    const edits = fc.array(
      fc.record({
        at: fc.nat(sample.length - 1),
        remove: fc.nat(20),
        insert: fc.constantFrom(
          '',
          '\r\n',
          '\n',
          '\0',
          '--',
          `\r\n--${BOUNDARY}`,
          'Content-Type: text/plain\r\n',
          '=',
          ';',
          '"',
          ' ',
          '(',
          'é',
        ),
      }),
      { minLength: 1, maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(edits, async changes => {
        let bytes: Buffer = sample;
        for (const { at, remove, insert } of changes) {
          bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(insert), bytes.subarray(at + remove)]);
        }
        try {
          await passGate(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
        }
      }),
      { numRuns: 600, seed: 4 },
    );
  });

  test('long runs of white space, brackets and semicolons are no burden', async () => {
    const run = (text: string): string => `${text.repeat(900)}\r\n `.repeat(60);
    for (const text of [' ', ';', '(', '"', '=', 'a@', '=?', ',']) {
      for (const name of ['To', 'Subject', 'Content-Type', 'Content-Disposition', 'References']) {
        const raw = makeMessage({ without: [name], headers: [`${name}: a${run(text)}b`] });
        await passGate(raw).catch(error => expect(error).toBeInstanceOf(Refusal));
      }
    }
  });
});

const corpora = join(process.env.SIGNPOST_CORPORA ?? '../shared/corpora', 'mail');
const files = ((): string[] => {
  try {
    return readdirSync(corpora).filter(name => name.endsWith('.eml'));
  } catch {
    return [];
  }
})();

describe.skipIf(files.length === 0)('public mail test suites', () => {
  test.each(files)('%s is read or refused in words', async name => {
    const bytes = Buffer.from(readFileSync(join(corpora, name), 'latin1').replace(/\r?\n/g, '\r\n'), 'latin1');
    try {
      const mail = await passGate(bytes);
      for (const part of mail.attachments) expect(part.digest).toMatch(/^[0-9a-f]{64}$/);
    } catch (error) {
      expect(error).toBeInstanceOf(Refusal);
      expect((error as Refusal).text.length).toBeGreaterThan(0);
    }
  });
});
