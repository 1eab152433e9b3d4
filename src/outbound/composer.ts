/**
 * A mail to final bytes. The same inputs give the same bytes: Message-ID, Date and boundaries come from the outbox row,
 * so a resend is the same message to everybody who sees it twice.
 */
import NodemailerComposer from 'nodemailer/lib/mail-composer';
import QRCode from 'qrcode';
import type { Party, Request } from '../requests/model.ts';
import { bounceAddress, requestAddress } from './addresses.ts';
import { deadlineCalendar } from './calendar.ts';
import { cleanLine, literalWords } from './clean.ts';
import type { MailSigner } from './dkim.ts';
import { signedFileNames } from './filenames.ts';
import { renderHtml } from './layout.ts';
import { isSender } from './letter-parts.ts';
import { writeLetter } from './letters.ts';
import type { ComposedMail, Mail, MailComposer, Recipient } from './mail.ts';
import { renderText } from './text.ts';
import { catalogue } from './texts/index.ts';
import { REPLY_TEXTS } from './texts/replies.ts';

export interface ComposerOptions {
  /** What of the configuration mails need. */
  readonly config: {
    readonly company: { readonly name: string };
    readonly domains: readonly { readonly sign: string }[];
    readonly mail: { readonly from: string };
  };
  /** Where phones reach the gateway, without a slash at the end. */
  readonly publicUrl: string;
  /** IANA name of the zone that dates are shown in, with the offset; by default the machine's. */
  readonly timeZone?: string;
  /** Signs what is composed (DKIM); null: nothing does. */
  readonly signer?: MailSigner | null;
}

/** RFC 5322 §3.2.3 dot-atom (with RFC 6532 letters) at a domain: nothing that could end a header or an SMTP command. */
const ADDRESS =
  /^[\w!#$%&'*+/=?^`{|}~\u00a1-\u1fff\u2c00-\ud7ff.-]{1,64}@[a-z0-9\u00a1-\u1fff\u2c00-\ud7ff-]+(\.[a-z0-9\u00a1-\u1fff\u2c00-\ud7ff-]+)*$/i;
const MESSAGE_ID = /^<[!-;=?-~]{1,250}>$/;
const ROW_ID = /^[a-z0-9]{1,32}$/;
/** Older references are of no use to a reader's thread view, and header lines are bounded. */
const MAX_REFERENCES = 20;
/** Longer subjects are cut; Outlook shows 255. */
const MAX_SUBJECT = 250;

/** @throws Error where an address or row id isn't one; the directory and the store never hand out such */
export function createComposer(options: ComposerOptions): MailComposer {
  const { config } = options;
  const domain = config.domains[0]!.sign;
  const context = {
    company: config.company.name,
    publicUrl: options.publicUrl,
    timeZone: options.timeZone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone,
  };

  return {
    async compose(mail: Mail, to: Recipient | Party, rowId: string, date: Date): Promise<ComposedMail> {
      if (!ROW_ID.test(rowId)) throw new Error(`not an outbox row id: ${JSON.stringify(rowId)}`);
      if (!ADDRESS.test(to.mail)) throw new Error(`not a mail address: ${JSON.stringify(to.mail)}`);
      const request = 'request' in mail ? mail.request : null;
      const messageId = `<${rowId}.${mail.kind}@${domain}>`;
      const envelope = { from: bounceAddress(rowId, domain), to: to.mail };
      const cid = `qr.${rowId}@${domain}`;
      const letter = writeLetter(mail, to, context, cid);

      const bytes = await new NodemailerComposer({
        from: {
          name: fromName(mail.kind === 'answer' ? null : request, to, context.company),
          address: `${config.mail.from}@${domain}`,
        },
        to: { name: cleanLine(to.name, 120), address: to.mail },
        ...(request === null ? {} : { replyTo: requestAddress(request.id, domain) }),
        subject: literalWords(request === null ? letter.title : subjectOf(mail, request, to)),
        messageId,
        ...(request === null ? {} : threading(mail.kind === 'answer' ? mail.to : request)),
        date,
        headers: [
          // RFC 3834 §3.1.7, §5
          { key: 'Auto-Submitted', value: mail.kind === 'answer' ? 'auto-replied' : 'auto-generated' },
          { key: 'X-Auto-Response-Suppress', value: 'All' },
          ...(request === null ? [] : [{ key: 'Signpost-Request', value: request.id }]),
          { key: 'Signpost-Status', value: mail.kind },
        ],
        text: renderText(letter),
        html: renderHtml(letter),
        attachments: [
          ...(await attachmentsOf(mail, cid)),
          ...deadlineOf(mail, to, date, { domain, from: config.mail.from, company: context.company }),
        ],
        envelope,
        boundaryPrefix: '=_signpost',
        baseBoundary: rowId,
        newline: 'windows',
        disableFileAccess: true,
        disableUrlAccess: true,
      })
        .compile()
        .build();
      return { bytes: (await options.signer?.sign(bytes, date)) ?? bytes, messageId, envelope };
    },
  };
}

/** Whoever asked speaks to the others; the company speaks to them, as nobody gets mail from themselves. */
function fromName(request: Request | null, to: Recipient | Party, company: string): string {
  const name = request === null || isSender(to, request) ? company : request.sender.name;
  return `${cleanLine(name, 100)} via Signpost`;
}

/** The sender's own subject. Their first mail from us says "Re:", a signatory's first doesn't. */
function subjectOf(mail: Mail, request: Request, to: Recipient | Party): string {
  const written = cleanLine(request.subject, MAX_SUBJECT);
  const bare = written.replace(/^((re|aw|sv|antw|rép|réf)\s*(\[\d+\])?\s*:\s*)+/i, '');
  const isReply = bare !== written || mail.kind !== 'please-sign' || isSender(to, request);
  return `${isReply ? 'Re: ' : ''}${bare === '' ? catalogue(to.language).noSubject : bare}`;
}

/** RFC 5322 §3.6.4: the sender's mail is the parent of everything we write about it, a reply of the answer to it. */
function threading({ messageId, references }: Pick<Request, 'messageId' | 'references'>): {
  inReplyTo?: string;
  references?: string[];
} {
  if (!MESSAGE_ID.test(messageId)) return {};
  const earlier = references.filter(id => MESSAGE_ID.test(id) && id !== messageId);
  return { inReplyTo: messageId, references: [...earlier.slice(-(MAX_REFERENCES - 1)), messageId] };
}

interface Attachment {
  readonly filename: string | false;
  readonly content: Buffer;
  readonly contentType: string;
  readonly contentDisposition: string;
  readonly cid?: string;
}

async function attachmentsOf(mail: Mail, cid: string): Promise<Attachment[]> {
  switch (mail.kind) {
    case 'please-sign':
    case 'reminder': {
      // Error correction M and four modules of quiet zone (ISO/IEC 18004): read from a screen at arm's length.
      const content = await QRCode.toBuffer(mail.link, { errorCorrectionLevel: 'M', margin: 4, scale: 6 });
      return [{ filename: 'qr.png', content, contentType: 'image/png', contentDisposition: 'inline', cid }];
    }
    case 'finished': {
      const names = signedFileNames(mail.files);
      return mail.files.map((file, index) => ({
        // Not `filename`: nodemailer then adds a Content-Type name in a form that RFC 2047 §5 (3) forbids. The names have
        // neither quotes nor backslashes, and nodemailer encodes others than ASCII (RFC 2231).
        filename: false,
        contentDisposition: `attachment; filename="${names[index]!}"`,
        content: Buffer.from(file.bytes.buffer, file.bytes.byteOffset, file.bytes.byteLength),
        // Types of signatures would make mail programs take the mail itself for signed.
        contentType: file.form === undefined ? 'application/pdf' : 'application/octet-stream',
      }));
    }
    default:
      return [];
  }
}

/** The signatory's deadline for their calendar; taken back where the request ended early. */
function deadlineOf(
  mail: Mail,
  to: Recipient | Party,
  made: Date,
  from: { readonly domain: string; readonly from: string; readonly company: string },
): Attachment[] {
  const asks = mail.kind === 'please-sign' || mail.kind === 'reminder';
  if (!asks && mail.kind !== 'cancelled' && mail.kind !== 'rejected') return [];
  const { request } = mail;
  const index = request.sessions.findIndex(({ party }) => party.mail === to.mail);
  if (index < 0) return [];
  const texts = REPLY_TEXTS[to.language].deadline;
  const subject = cleanLine(request.subject, 120);
  const calendar = deadlineCalendar(
    {
      uid: `deadline.${request.id.toLowerCase()}.${index}@${from.domain}`,
      sequence: (request.prolonged ?? 0) + (asks ? 0 : 1),
      made,
      at: request.expiresAt,
      summary: texts.summary(subject === '' ? catalogue(to.language).noSubject : subject),
      description: texts.description(cleanLine(request.sender.name, 100), request.id),
      organizer: { name: `${cleanLine(from.company, 100)} via Signpost`, mail: `${from.from}@${from.domain}` },
    },
    asks ? 'PUBLISH' : 'CANCEL',
  );
  return [
    {
      filename: 'deadline.ics',
      content: Buffer.from(calendar),
      // RFC 6047 §2.4
      contentType: `text/calendar; charset=utf-8; method=${asks ? 'PUBLISH' : 'CANCEL'}`,
      contentDisposition: 'attachment',
    },
  ];
}
