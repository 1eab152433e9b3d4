/** A raw message as an MTA shows it to a milter, and a milter's changes applied to it as Postfix applies them. */
import type { HeaderField } from './handler.ts';
import type { Modification } from './wire.ts';

export interface RawMessage {
  /** Values as they follow the colon, leading space included, folded lines separated by LF. */
  readonly fields: readonly HeaderField[];
  readonly body: Buffer;
}

export interface Envelope {
  readonly sender: string;
  readonly recipients: readonly string[];
}

export interface ModifiedMessage extends Envelope {
  /** Parameters given with a changed sender. */
  readonly senderParameters: string | null;
  /** CRLF line ends. */
  readonly message: Buffer;
  /** Why the message is to be held; null: it isn't. */
  readonly quarantine: string | null;
}

/** Splits a message with CRLF (or LF) line ends. A line that can be no header field begins the body, as in Postfix. */
export function parseMessage(message: Uint8Array): RawMessage {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const fields: { name: Buffer; value: Buffer }[] = [];
  let at = 0;
  while (at < bytes.length) {
    const lf = bytes.indexOf(0x0a, at);
    const next = lf < 0 ? bytes.length : lf + 1;
    let end = lf < 0 ? bytes.length : lf;
    if (end > at && bytes[end - 1] === 0x0d) end -= 1;
    const line = bytes.subarray(at, end);
    const last = fields.at(-1);
    if (line.length === 0) return { fields, body: bytes.subarray(next) };
    if (last && (line[0] === 0x20 || line[0] === 0x09)) {
      last.value = Buffer.concat([last.value, Buffer.from('\n'), line]);
    } else {
      const name = /^([!-9;-~]+)[ \t]*:/.exec(line.toString('latin1'));
      if (!name) return { fields, body: bytes.subarray(at) };
      fields.push({ name: line.subarray(0, name[1]!.length), value: line.subarray(name[0].length) });
    }
    at = next;
  }
  return { fields, body: Buffer.alloc(0) };
}

/**
 * The message and its envelope after the changes, one after the other.
 * Postfix counts inserts from its own Received field; put that on top before, or count without it.
 */
export function applyModifications(
  message: RawMessage,
  envelope: Envelope,
  modifications: readonly Modification[],
  leadingSpace: boolean,
): ModifiedMessage {
  const fields = [...message.fields];
  const recipients = [...envelope.recipients];
  const body: Uint8Array[] = [];
  let { sender } = envelope;
  let senderParameters: string | null = null;
  let quarantine: string | null = null;
  const field = (name: string, value: string): HeaderField => ({
    name: Buffer.from(name),
    value: Buffer.from(leadingSpace ? value : ` ${value}`),
  });
  for (const change of modifications) {
    switch (change.reply) {
      case 'addHeader':
        fields.push(field(change.name, change.value));
        break;
      case 'insertHeader':
        fields.splice(change.index, 0, field(change.name, change.value));
        break;
      case 'changeHeader': {
        const at = indexOf(fields, change.name, change.occurrence);
        if (change.value !== '') {
          // Postfix appends what it cannot find (cleanup_upd_header).
          fields.splice(at < 0 ? fields.length : at, at < 0 ? 0 : 1, field(change.name, change.value));
        } else if (at >= 0) fields.splice(at, 1);
        break;
      }
      case 'addRecipient': {
        const address = bare(change.address);
        if (!recipients.includes(address)) recipients.push(address);
        break;
      }
      case 'deleteRecipient': {
        const address = bare(change.address);
        for (let at = recipients.length - 1; at >= 0; at -= 1) if (recipients[at] === address) recipients.splice(at, 1);
        break;
      }
      case 'changeSender':
        sender = bare(change.address);
        senderParameters = change.parameters ?? null;
        break;
      case 'replaceBody':
        body.push(change.chunk);
        break;
      case 'quarantine':
        quarantine = change.reason;
    }
  }
  const bytes = serialise({ fields, body: body.length > 0 ? Buffer.concat(body) : message.body });
  return { sender, senderParameters, recipients, message: bytes, quarantine };
}

function indexOf(fields: readonly HeaderField[], name: string, occurrence: number): number {
  let left = Math.max(occurrence, 1);
  return fields.findIndex(field => {
    if (Buffer.from(field.name).toString('latin1').toLowerCase() === name.toLowerCase()) left -= 1;
    else return false;
    return left === 0;
  });
}

function serialise({ fields, body }: RawMessage): Buffer {
  const lines = fields.flatMap(({ name, value }) => [name, COLON, crlf(value), CRLF]);
  return Buffer.concat([...lines, CRLF, body]);
}

const COLON = Buffer.from(':');
const CRLF = Buffer.from('\r\n');

function crlf(value: Uint8Array): Buffer {
  return Buffer.from(Buffer.from(value).toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
}

function bare(address: string): string {
  return address.replace(/^<(.*)>$/s, '$1');
}
