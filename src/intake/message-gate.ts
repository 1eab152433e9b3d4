/**
 * The gate on a message's raw bytes: what passes has one reading only. Our own MIME walk and mailparser must see the
 * same attachments, so that neither's blind spot decides what is signed (THREATS.md "Ambiguous headers", "MIME tricks").
 */
import { simpleParser } from 'mailparser';
import { checkFields, type Leaf, walkParts } from './mime-tree.ts';
import { type RawMessage, splitMessage } from './raw-message.ts';
import { Refusal } from './refusal.ts';
import { refusals } from './refusals.ts';
import { type SecondReading, secondReading } from './second-reading.ts';

/** Longest line without its line end (RFC 5322 §2.1.1). */
export const MAX_LINE = 998;
/** Largest header block that a client may send; what our own mail servers add comes on top. */
export const MAX_HEADER = 64 * 1024;
const MAX_HTML = 256 * 1024;

export interface Attachment extends Leaf {
  /** Decoded file name as mailparser reads it; null when there is none. Not clean: from outside. */
  readonly name: string | null;
}

export interface GatedMessage {
  readonly message: RawMessage;
  /** In the mail's order. */
  readonly attachments: readonly Attachment[];
  /** Parts that are shown as text, beyond the mail's own first text (footers of lists and gateways). */
  readonly footers: number;
  /** The sender's words as plain text, from text/plain or else from HTML. Not clean: from outside. */
  readonly text: string;
}

/**
 * @param raw the whole message, CRLF line ends
 * @param maxHeader bytes
 * @throws Refusal
 */
export async function passGate(raw: Buffer, maxHeader = MAX_HEADER): Promise<GatedMessage> {
  const message = passHead(raw, maxHeader);
  const leaves = walkParts(message);
  const own = leaves.filter(leaf => leaf.attached);
  const parsed = await readAgain(raw);
  const disagree = (): never => {
    throw refusals.malformed('two mail programs would see different attachments in it');
  };
  if (parsed.attachments.length !== own.length) return disagree();
  const attachments = own.map((leaf, index): Attachment => {
    const other = parsed.attachments[index]!;
    // mailparser unfolds attached text (format=flowed); a document is never judged as text.
    const same = other.digest === leaf.digest;
    if (!same && (!leaf.type.startsWith('text/') || isPdf(leaf.bytes) || isPdf(other.head))) return disagree();
    return { ...leaf, name: other.name };
  });
  // A PDF that is shown as text has no place among the attachments: the two readings would part ways downstream.
  const shown = leaves.filter(leaf => !leaf.attached);
  if (shown.some(leaf => leaf.bytes.subarray(0, 5).toString('latin1') === '%PDF-')) return disagree();
  if (shown.some(leaf => leaf.bytes.subarray(0, 2048).includes('-----BEGIN PGP MESSAGE-----'))) {
    throw refusals.encryptedMail();
  }
  return { message, attachments, footers: countFooters(shown), text: await textOf(parsed) };
}

/**
 * The gate on the header alone.
 *
 * @param raw the whole message, or its header with the empty line
 * @throws Refusal
 */
export function passHead(raw: Buffer, maxHeader = MAX_HEADER): RawMessage {
  checkBytes(raw);
  const message = splitMessage(raw);
  if (message.headerLength > maxHeader) throw refusals.malformed('its header is too long');
  if (message.defects.length > 0) throw refusals.malformed(message.defects[0]!);
  for (const field of message.fields) {
    // Controls in a field: what is left is TAB and the line ends of folds, which checkBytes has paired.
    if (/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(field.value.toString('latin1'))) {
      throw refusals.malformed(`its ${field.key} line has control characters`);
    }
  }
  checkFields(message);
  return message;
}

/** A PDF is known by its bytes: the header within the first 1024 (ISO 32000-2 Annex I), not by name or type. */
export function isPdf(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1024)).includes('%PDF-');
}

/** @throws Refusal on NUL, a line end that isn't CRLF, or a line that is too long */
function checkBytes(raw: Buffer): void {
  if (raw.includes(0)) throw refusals.malformed('it contains NUL bytes');
  let start = 0;
  let carriageReturn = raw.indexOf(0x0d);
  while (start < raw.length) {
    const newline = raw.indexOf(0x0a, start);
    const end = newline === -1 ? raw.length : newline - 1;
    if (newline !== -1 && carriageReturn !== end) throw refusals.malformed('its line ends are not CRLF');
    if (newline === -1 && carriageReturn !== -1) throw refusals.malformed('its line ends are not CRLF');
    if (end - start > MAX_LINE) {
      throw refusals.malformed(`it has a line of ${end - start} bytes, and mail allows ${MAX_LINE}`);
    }
    if (newline === -1) return;
    start = newline + 1;
    carriageReturn = raw.indexOf(0x0d, start);
  }
}

async function readAgain(raw: Buffer): Promise<SecondReading> {
  try {
    return await secondReading(raw);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw refusals.malformed('a second mail program could not read it');
  }
}

/** Only what is already known to be one reading is turned into words; text is never signed, only quoted. */
async function textOf(parsed: SecondReading): Promise<string> {
  if (parsed.text.trim() !== '') return parsed.text;
  if (parsed.html === '' || parsed.html.length > MAX_HTML) return '';
  // mailparser makes text only of HTML that is the whole mail, or that stands beside other text: so it gets the HTML alone.
  const alone = Buffer.from(`Content-Type: text/html; charset=utf-8\r\n\r\n${parsed.html}`);
  try {
    return (await simpleParser(alone, { skipTextToHtml: true, maxHtmlLengthToParse: MAX_HTML })).text ?? '';
  } catch {
    return '';
  }
}

/** Shown text after the first of each kind: two kinds are the alternatives of one text. */
function countFooters(shown: readonly Leaf[]): number {
  const plain = shown.filter(leaf => leaf.type === 'text/plain').length;
  const html = shown.filter(leaf => leaf.type === 'text/html').length;
  return Math.max(plain, html, 1) - 1;
}
