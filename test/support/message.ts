/** Messages for tests, built byte by byte with no library, so that they can be as wrong as a test wants. */
import { simplePdf } from './pdfs.ts';

export interface TestPart {
  /** Header lines of the part, without line ends. */
  readonly headers: readonly string[];
  readonly body: string | Uint8Array;
}

export interface TestMessage {
  readonly from?: string;
  readonly to?: string;
  readonly cc?: string;
  readonly subject?: string;
  readonly messageId?: string;
  /** More header lines, above the others. */
  readonly headers?: readonly string[];
  /** Names of header lines to leave out. */
  readonly without?: readonly string[];
  readonly text?: string;
  /** The attachments; one small PDF when absent. */
  readonly parts?: readonly TestPart[];
  /** Replaces everything after the empty line; Content-Type must then come from `headers`. */
  readonly body?: string | Uint8Array;
}

export const BOUNDARY = 'test-boundary-1';
let serial = 0;

/** A part in base64. */
export function attachment(bytes: Uint8Array, name = 'contract.pdf', type = 'application/pdf'): TestPart {
  return {
    headers: [
      `Content-Type: ${type}; name="${name}"`,
      'Content-Transfer-Encoding: base64',
      `Content-Disposition: attachment; filename="${name}"`,
    ],
    body: Buffer.from(bytes)
      .toString('base64')
      .replace(/.{76}(?=.)/g, '$&\r\n'),
  };
}

export const pdfPart = (name = 'contract.pdf'): TestPart =>
  attachment(simplePdf({ text: name.replace(/[^ -~]/g, '') }), name);

/** The whole message with CRLF line ends. Strings are written as UTF-8. */
export function makeMessage(message: TestMessage = {}): Buffer {
  serial += 1;
  const fields: [string, string][] = [
    ['From', message.from ?? 'Mary Smith <mary.smith@company.com>'],
    ['To', message.to ?? 'john.doe@sign.company.com'],
    ...(message.cc === undefined ? [] : ([['Cc', message.cc]] as [string, string][])),
    ['Subject', message.subject ?? 'Contract'],
    ['Date', 'Tue, 24 Nov 2026 10:00:00 +0000'],
    ['Message-ID', message.messageId ?? `<test-${process.pid}-${Date.now()}-${serial}@company.com>`],
    ['MIME-Version', '1.0'],
    ...(message.body === undefined
      ? ([['Content-Type', `multipart/mixed; boundary="${BOUNDARY}"`]] as [string, string][])
      : []),
  ];
  const lines = [
    ...(message.headers ?? []),
    ...fields.filter(([name]) => !message.without?.includes(name)).map(([name, value]) => `${name}: ${value}`),
  ];
  const chunks: Buffer[] = [Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)];
  if (message.body !== undefined) return Buffer.concat([...chunks, Buffer.from(message.body as Uint8Array)]);
  const text: TestPart = {
    headers: ['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit'],
    body: message.text ?? 'Please sign this.',
  };
  for (const part of [text, ...(message.parts ?? [pdfPart()])]) {
    chunks.push(Buffer.from(`--${BOUNDARY}\r\n${part.headers.join('\r\n')}\r\n\r\n`));
    chunks.push(Buffer.from(part.body as Uint8Array), Buffer.from('\r\n'));
  }
  chunks.push(Buffer.from(`--${BOUNDARY}--\r\n`));
  return Buffer.concat(chunks);
}
