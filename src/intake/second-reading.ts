/** What mailparser sees in a message, in a stream: of attachments only what tells whether two readings agree is kept. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type AttachmentStream, MailParser, type MessageText } from 'mailparser';
import { MAX_PARTS } from './mime-tree.ts';

export interface SeenAttachment {
  /** Decoded; null when there is none. Not clean: from outside. */
  readonly name: string | null;
  /** SHA-256 of the decoded bytes, hex. */
  readonly digest: string;
  /** The first 1024 bytes. */
  readonly head: Buffer;
}

export interface SecondReading {
  /** In the mail's order. */
  readonly attachments: readonly SeenAttachment[];
  readonly text: string;
  readonly html: string;
}

const OPTIONS = {
  skipHtmlToText: true,
  skipTextToHtml: true,
  skipTextLinks: true,
  skipImageLinks: true,
  keepDeliveryStatus: true,
  // A mail inside the mail is an attachment, not more of this mail.
  ignoreEmbedded: true,
  maxHeadSize: 256 * 1024,
  maxChildNodes: MAX_PARTS + 1,
};
const HEAD = 1024;
const SLICE = 64 * 1024;

/** @throws Error whatever the parser stumbles over */
export async function secondReading(raw: Buffer): Promise<SecondReading> {
  const parser = new MailParser(OPTIONS);
  // Slice by slice: of a whole message the parser would keep several copies at a time.
  Readable.from(slices(raw)).pipe(parser);
  const attachments: SeenAttachment[] = [];
  let text = '';
  let html = '';
  for await (const part of parser as AsyncIterable<AttachmentStream | MessageText>) {
    if (part.type === 'attachment') attachments.push(await look(part));
    else {
      text = part.text ?? '';
      html = typeof part.html === 'string' ? part.html : '';
    }
  }
  return { attachments, text, html };
}

function* slices(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += SLICE) yield bytes.subarray(at, at + SLICE);
}

async function look(attachment: AttachmentStream): Promise<SeenAttachment> {
  const hash = createHash('sha256');
  const head: Buffer[] = [];
  let length = 0;
  // The library's declaration names the base class only.
  for await (const chunk of attachment.content as Readable as AsyncIterable<Buffer>) {
    hash.update(chunk);
    if (length < HEAD) head.push(Buffer.from(chunk.subarray(0, HEAD - length)));
    length += chunk.length;
  }
  attachment.release?.();
  return { name: attachment.filename ?? null, digest: hash.digest('hex'), head: Buffer.concat(head) };
}
