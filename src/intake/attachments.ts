/** Which attachments are documents, which are passed over, and which are refused (EXPERIENCE.md section 3). */
import { looksLikePdf } from '../client/grant-file.ts';
import { cleanLine } from '../outbound/clean.ts';
import type { FileKind } from '../requests/model.ts';
import { type Attachment, type GatedMessage, isPdf } from './message-gate.ts';
import { refusals } from './refusals.ts';

export interface Documents {
  /** `name` is clean: a display name without controls, bidi marks or path. `kind` is absent for a PDF. */
  readonly documents: readonly { readonly name: string; readonly bytes: Buffer; readonly kind?: FileKind }[];
  readonly passedOver: readonly string[];
}

/**
 * @param otherFiles whether other files than PDFs may be documents, too: those that are attached by name, so that neither
 *   pictures in the text nor what mail programs add by themselves is ever signed
 * @throws Refusal
 */
export function sortAttachments(
  mail: Pick<GatedMessage, 'attachments' | 'footers'>,
  maxDocuments: number,
  otherFiles = false,
): Documents {
  const documents: { name: string; bytes: Buffer; kind?: FileKind }[] = [];
  const passedOver: string[] = [];
  for (const part of mail.attachments) {
    const name = cleanFileName(part.name ?? '');
    if (isPdf(part.bytes)) {
      documents.push({ name: documentName(name, documents.length + 1), bytes: part.bytes });
      continue;
    }
    const called = name === '' ? part.type : name;
    refuseWrappings(part, called);
    if (!otherFiles) refuseWhatCannotBeSigned(part, called);
    refuseFalsePdf(part, called);
    if (otherFiles && isOwnFile(part, name)) {
      documents.push({ name, bytes: part.bytes, kind: /\.xml$/i.test(name) ? 'xml' : 'file' });
      continue;
    }
    passedOver.push(called);
  }
  for (let footer = 0; footer < mail.footers; footer += 1) passedOver.push('text below the mail');
  if (documents.length === 0) {
    throw refusals.noDocument(
      mail.attachments.some(({ type }) => type === 'message/rfc822'),
      otherFiles,
    );
  }
  if (documents.length > maxDocuments) throw refusals.tooManyDocuments(maxDocuments);
  return { documents, passedOver };
}

/** The last part of a path, on one line, without controls, bidi marks and leading dots; may be empty. */
export function cleanFileName(name: string): string {
  const base = name.split(/[/\\]/).at(-1) ?? '';
  return cleanLine(base, 120)
    .replace(/[\u200b-\u200f\u061c]/g, '')
    .replace(/^[\s.]+/, '')
    .trim();
}

function documentName(name: string, number: number): string {
  if (name === '' || /^pdf$/i.test(name)) return `document-${number}.pdf`;
  return /\.pdf$/i.test(name) ? name : `${name}.pdf`;
}

const OFFICE_NAME = /\.(docx?|docm|dotx?|odt|ott|rtf|xlsx?|xlsm|ods|pptx?|odp|pages|numbers|key)$/i;
const OFFICE_TYPE =
  /^application\/(msword|rtf|vnd\.(openxmlformats-officedocument|oasis\.opendocument|ms-(word|excel|powerpoint)).*)$|^text\/rtf$/;
const ARCHIVE_NAME = /\.(zip|7z|rar|tar|tgz|gz|bz2|xz|zst)$/i;
const ARCHIVE_TYPE =
  /^application\/(zip|x-zip-compressed|x-7z-compressed|x-rar|x-rar-compressed|vnd\.rar|gzip|x-gzip|x-tar)$/;

/** What mail programs and servers add by themselves: signatures of the mail, vCards, invitations, other mails. */
const ADDED_TYPE =
  /^(application\/(x-)?pkcs7-(signature|mime)|application\/pgp-(signature|keys)|text\/(x-)?vcard|text\/directory|text\/calendar|application\/ics|message\/.*|multipart\/.*)$/;
const ADDED_NAME = /\.(p7s|p7m|p7c|asc|sig|vcf|ics|eml)$|^(att|winmail)\d*\.(dat|txt|htm|html)$/i;

function isOwnFile({ type, file, bytes }: Attachment, name: string): boolean {
  if (!file || name === '' || ADDED_TYPE.test(type) || ADDED_NAME.test(name)) return false;
  if (bytes.length === 0) throw refusals.emptyAttachment(name);
  // A header just beyond where PDFs have it: devices would refuse to sign it as anything else.
  if (looksLikePdf(bytes)) throw refusals.notAPdf(name);
  return true;
}

const startsWith = ({ bytes }: Attachment, hex: string): boolean =>
  bytes.subarray(0, hex.length / 2).toString('hex') === hex;

/** Refused whatever is allowed: what hides the attachments themselves. */
function refuseWrappings(part: Attachment, name: string): void {
  if (
    part.type === 'application/ms-tnef' ||
    part.type === 'application/vnd.ms-tnef' ||
    /^win-?mail\.dat$/i.test(name) ||
    startsWith(part, '789f3e22')
  ) {
    throw refusals.winmail();
  }
  if (/\.p7m$/i.test(name)) throw refusals.encryptedMail();
}

function refuseWhatCannotBeSigned(part: Attachment, name: string): void {
  const starts = (hex: string): boolean => startsWith(part, hex);
  const head = part.bytes.subarray(0, 4096).toString('latin1');
  if (
    OFFICE_NAME.test(name) ||
    OFFICE_TYPE.test(part.type) ||
    starts('d0cf11e0a1b11ae1') ||
    head.startsWith('{\\rtf') ||
    (head.startsWith('PK') && (head.includes('[Content_Types].xml') || head.includes('vnd.oasis.opendocument')))
  ) {
    throw refusals.office(name);
  }
  // zip, 7z, rar, gzip by their first bytes, whatever they are called
  if (
    ARCHIVE_NAME.test(name) ||
    ARCHIVE_TYPE.test(part.type) ||
    ['504b0304', '504b0506', '377abcaf271c', '526172211a07', '1f8b08'].some(starts)
  ) {
    throw refusals.archive(name);
  }
}

/** Refused whatever is allowed. */
function refuseFalsePdf(part: Attachment, name: string): void {
  if (part.type === 'application/pdf' || part.type === 'application/x-pdf' || /\.pdf$/i.test(name))
    throw part.bytes.length === 0 ? refusals.emptyAttachment(name) : refusals.notAPdf(name);
}
