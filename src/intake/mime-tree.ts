/**
 * Our own small walk through a message's MIME parts (RFC 2046 §5.1). It knows one way to read a message and refuses
 * whatever another parser could cut differently: boundaries that overlap, parts without end, text after the padding.
 */
import { createHash } from 'node:crypto';
import { decodeBody, type Parameterized, parameterized, transferEncoding } from './mime-header.ts';
import { type RawMessage, rawValue, splitMessage } from './raw-message.ts';
import { refusals } from './refusals.ts';

export const MAX_PARTS = 100;
export const MAX_DEPTH = 10;

/** A part that has no parts. */
export interface Leaf {
  /** Lower-case media type. */
  readonly type: string;
  /** False for what a mail program shows as the mail's text. */
  readonly attached: boolean;
  /** Attached as a file of its own: not a picture in the text, and not what belongs to one (multipart/related). */
  readonly file: boolean;
  /** Sent as base64: white space that changes on the way changes nothing in it. */
  readonly base64: boolean;
  readonly bytes: Buffer;
  /** SHA-256 of the decoded bytes, hex. */
  readonly digest: string;
}

/** All leaves in order. @throws Refusal */
export function walkParts(message: RawMessage): Leaf[] {
  const leaves: Leaf[] = [];
  let parts = 0;
  const visit = (part: RawMessage, boundaries: readonly string[], defaultType: string, related = false): void => {
    parts += 1;
    if (parts > MAX_PARTS) throw refusals.malformed(`it has more than ${MAX_PARTS} parts`);
    if (boundaries.length > MAX_DEPTH) throw refusals.malformed(`its parts are nested more than ${MAX_DEPTH} deep`);
    if (part.defects.length > 0) throw refusals.malformed(part.defects[0]!);
    const contentType = parameterized(part, 'content-type');
    const disposition = parameterized(part, 'content-disposition');
    const encoding = transferEncoding(part);
    const type = contentType?.value ?? (disposition?.value === 'attachment' ? 'application/octet-stream' : defaultType);
    refuseType(type, contentType);

    if (type.startsWith('multipart/')) {
      if (encoding !== 'identity') throw refusals.malformed('a multipart has a transfer encoding');
      const boundary = boundaryOf(contentType!, boundaries);
      const inside = [...boundaries, boundary];
      const childType = type === 'multipart/digest' ? 'message/rfc822' : 'text/plain';
      for (const bytes of cut(part.body, boundary)) {
        visit(splitMessage(bytes), inside, childType, related || type === 'multipart/related');
      }
      return;
    }
    const shown =
      (type === 'text/plain' || type === 'text/html') && (disposition === null || disposition.value === 'inline');
    const bytes = decodeBody(part.body, encoding, !shown);
    leaves.push({
      type,
      attached: !shown,
      file: disposition?.value === 'attachment' && !related,
      base64: encoding === 'base64',
      bytes,
      digest: createHash('sha256').update(bytes).digest('hex'),
    });
  };
  visit(message, [], 'text/plain');
  return leaves;
}

function refuseType(type: string, contentType: Parameterized | null): void {
  if (type === 'message/partial' || type === 'message/external-body') throw refusals.partialMessage();
  if (type === 'multipart/encrypted' || type === 'application/pgp-encrypted') throw refusals.encryptedMail();
  if (type === 'application/pkcs7-mime' || type === 'application/x-pkcs7-mime') {
    const kind = contentType?.parameters.get('smime-type')?.toLowerCase();
    if (kind === 'signed-data') throw refusals.opaqueSigned();
    if (kind !== 'certs-only') throw refusals.encryptedMail();
  }
}

/** @throws Refusal */
function boundaryOf(contentType: Parameterized, outer: readonly string[]): string {
  const boundary = contentType.parameters.get('boundary');
  const pieces = [...contentType.parameters.keys()].filter(name => name.startsWith('boundary*'));
  // bchars (RFC 2046 §5.1.1)
  if (
    boundary === undefined ||
    pieces.length > 0 ||
    !/^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/.test(boundary)
  ) {
    throw refusals.malformed('a multipart has no proper boundary');
  }
  // Where one is the beginning of the other, parsers disagree on which multipart a line ends.
  if (outer.some(other => other.startsWith(boundary) || boundary.startsWith(other))) {
    throw refusals.malformed('two boundaries overlap');
  }
  return boundary;
}

/** The bytes of each part between the delimiter lines. @throws Refusal */
function cut(body: Buffer, boundary: string): Buffer[] {
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  const parts: Buffer[] = [];
  let start = -1;
  let closed = false;
  for (let at = body.indexOf(delimiter); at !== -1; at = body.indexOf(delimiter, at + delimiter.length)) {
    if (at > 0 && body[at - 1] !== 0x0a) continue;
    const newline = body.indexOf(0x0a, at);
    const lineEnd = newline === -1 ? body.length : newline + 1;
    const rest = body.toString('latin1', at + delimiter.length, lineEnd).trimEnd();
    if (rest !== '' && rest !== '--') throw refusals.malformed('a boundary line has something after it');
    if (closed) throw refusals.malformed('a multipart goes on after its end');
    if (start !== -1) {
      // The line end before a delimiter belongs to the delimiter.
      const end = at >= start + 2 && body[at - 2] === 0x0d ? at - 2 : Math.max(start, at - 1);
      parts.push(body.subarray(start, end));
      if (parts.length > MAX_PARTS) throw refusals.malformed(`it has more than ${MAX_PARTS} parts`);
    }
    if (rest === '--') closed = true;
    start = lineEnd;
  }
  if (!closed || parts.length === 0)
    throw refusals.malformed('a multipart has no end; a part of the mail may be missing');
  return parts;
}

/** The fields that a mail may have once only; two of them and readers pick different ones (RFC 5322 §3.6). */
const ONCE = [
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'bcc',
  'subject',
  'date',
  'message-id',
  'in-reply-to',
  'references',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
  'content-disposition',
];

/** Refuses duplicates, resent fields and a MIME structure without MIME-Version. @throws Refusal */
export function checkFields(message: RawMessage): void {
  const seen = new Set<string>();
  for (const { key } of message.fields) {
    if (key.startsWith('resent-')) {
      throw refusals.malformed('it was re-sent ("Resent-" lines), so its sender is not clear');
    }
    if (ONCE.includes(key) && seen.has(key)) throw refusals.malformed(`it has two ${key} lines`);
    seen.add(key);
  }
  if (!seen.has('from')) throw refusals.malformed('it has no From line');
  if (!/^<[^<>\s@]+@[^<>\s@]+>$/.test(rawValue(message, 'message-id') ?? '')) {
    throw refusals.malformed('it has no proper Message-ID line');
  }
  const structured = seen.has('content-type') || seen.has('content-transfer-encoding');
  // A comment may follow: Apple Mail names itself there.
  if (structured && !/^1\.0(\s*\(.*\))?$/.test(rawValue(message, 'mime-version') ?? '')) {
    throw refusals.malformed('it has attachments but no proper MIME-Version line');
  }
}
