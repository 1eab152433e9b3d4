/** Which parts of a mail are documents where other files than PDFs may be signed: those attached by name, nothing else. */
import { expect, test } from 'vitest';
import { sortAttachments } from '../../../src/intake/attachments.ts';
import { passGate } from '../../../src/intake/message-gate.ts';
import { makeMessage, pdfPart, type TestPart } from '../../support/message.ts';

const part = (name: string | null, type: string, disposition: string | null, bytes = 'some bytes'): TestPart => ({
  headers: [
    `Content-Type: ${type}`,
    'Content-Transfer-Encoding: base64',
    ...(disposition === null
      ? []
      : [`Content-Disposition: ${disposition}${name === null ? '' : `; filename="${name}"`}`]),
  ],
  body: Buffer.from(bytes)
    .toString('base64')
    .replace(/.{76}(?=.)/g, '$&\r\n'),
});
const attached = (name: string | null, type: string, bytes?: string): TestPart => part(name, type, 'attachment', bytes);

/** HTML with a logo that Exchange calls an attachment. */
const related: TestPart = {
  headers: ['Content-Type: multipart/related; boundary="rel"'],
  body: [
    '--rel',
    'Content-Type: text/html; charset=utf-8',
    '',
    '<img src="cid:logo">',
    '--rel',
    'Content-Type: image/png; name="logo.png"',
    'Content-ID: <logo>',
    'Content-Disposition: attachment; filename="logo.png"',
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from('\x89PNG').toString('base64'),
    '--rel--',
    '',
  ].join('\r\n'),
};

async function sorted(otherFiles: boolean, ...parts: TestPart[]) {
  const { documents, passedOver } = sortAttachments(await passGate(makeMessage({ parts })), 20, otherFiles);
  return { documents: documents.map(({ name, kind = 'pdf' }) => `${name} ${kind}`), passedOver: [...passedOver] };
}

test('what a person attached is a document, what mail programs add is passed over', async () => {
  const { documents, passedOver } = await sorted(
    true,
    related,
    pdfPart('contract.pdf'),
    attached('terms.docx', 'application/octet-stream', 'PK\x03\x04'),
    attached('drawings.zip', 'application/zip', 'PK\x03\x04'),
    attached('invoice.XML', 'application/xml', '<a/>'),
    attached('note.txt', 'text/plain', 'hello'),
    attached('photo.jpg', 'image/jpeg'),
    part('inline.png', 'image/png', 'inline'),
    attached('smime.p7s', 'application/pkcs7-signature'),
    attached('signature.asc', 'application/pgp-signature'),
    attached('mary.vcf', 'text/vcard'),
    attached('meeting.ics', 'text/calendar'),
    attached(null, 'application/octet-stream'),
  );
  expect(documents).toEqual([
    'contract.pdf pdf',
    'terms.docx file',
    'drawings.zip file',
    'invoice.XML xml',
    'note.txt file',
    'photo.jpg file',
  ]);
  expect(passedOver).toEqual([
    'logo.png',
    'inline.png',
    'smime.p7s',
    'signature.asc',
    'mary.vcf',
    'meeting.ics',
    'application/octet-stream',
  ]);
});

test('the bytes are those that were mailed, line ends and all', async () => {
  const text = 'one\ntwo\r\nthree\u2028\r';
  const mail = await passGate(makeMessage({ parts: [attached('note.txt', 'text/plain; format=flowed', text)] }));
  const [document] = sortAttachments(mail, 10, true).documents;
  expect(document!.bytes.toString()).toBe(text);
});

test.each<[string, TestPart, string]>([
  ['winmail.dat', attached('winmail.dat', 'application/ms-tnef'), 'winmail.dat'],
  ['an encrypted mail', attached('smime.p7m', 'application/octet-stream'), 'encrypted'],
  ['a false PDF', attached('a.pdf', 'application/octet-stream'), 'called a PDF but is none'],
  ['a PDF with too much before it', attached('a.bin', 'image/x', `${' '.repeat(1022)}%PDF-1.7`), 'is called a PDF'],
  ['an empty file', attached('a.bin', 'application/octet-stream', ''), 'is empty'],
  ['only what was added', attached('mary.vcf', 'text/vcard'), 'no file attached'],
])('%s is refused all the same', async (_, one, says) => {
  await expect(sorted(true, one)).rejects.toThrow(says);
});

test('A7 where the configuration does not allow it, nothing has changed', async () => {
  await expect(sorted(false, pdfPart(), attached('a.zip', 'application/zip', 'PK\x03\x04'))).rejects.toThrow('archive');
  await expect(sorted(false, attached('invoice.xml', 'application/xml', '<a/>'))).rejects.toThrow('no PDF attached');
  expect(await sorted(false, pdfPart(), attached('photo.jpg', 'image/jpeg'))).toEqual({
    documents: ['contract.pdf pdf'],
    passedOver: ['photo.jpg'],
  });
});
