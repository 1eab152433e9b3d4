/** Collects and checks what a handler wants changed, so that it takes effect as a whole or not at all. */
import type { Modifications } from './handler.ts';
import { CHUNK_SIZE, SMFIF } from './protocol.ts';
import type { Modification } from './wire.ts';

/** What a handler may be allowed to do to a message. */
export const ACTIONS = {
  /** addHeader and insertHeader. */
  addHeaders: SMFIF.ADDHDRS,
  /** changeHeader and deleteHeader. */
  changeHeaders: SMFIF.CHGHDRS,
  replaceBody: SMFIF.CHGBODY,
  addRecipients: SMFIF.ADDRCPT,
  deleteRecipients: SMFIF.DELRCPT,
  changeSender: SMFIF.CHGFROM,
  quarantine: SMFIF.QUARANTINE,
} as const;
export type Action = keyof typeof ACTIONS;

/** Every method throws a RangeError for what cannot be sent, and an Error for what was not negotiated. */
export class ModificationList implements Modifications {
  readonly #granted: number;
  /** HDR_LEADSPC: the value begins right after the colon, so the space is ours to write. */
  readonly #space: string;
  readonly #edits: Modification[] = [];
  readonly #body: Modification[] = [];
  #open = true;

  constructor(granted: number, leadingSpace: boolean) {
    this.#granted = granted;
    this.#space = leadingSpace ? ' ' : '';
  }

  /** Takes no more from now on; all that was collected, the new body in one run (Postfix wants it so). */
  close(): readonly Modification[] {
    this.#open = false;
    return [...this.#edits, ...this.#body];
  }

  addHeader(name: string, value: string): void {
    this.#allow('addHeaders');
    this.#edits.push({ reply: 'addHeader', name: fieldName(name), value: this.#value(value) });
  }

  insertHeader(index: number, name: string, value: string): void {
    this.#allow('addHeaders');
    const at = position(index, 0);
    this.#edits.push({ reply: 'insertHeader', index: at, name: fieldName(name), value: this.#value(value) });
  }

  changeHeader(name: string, occurrence: number, value: string): void {
    this.#allow('changeHeaders');
    if (value === '') throw new RangeError('an empty value would delete the field: say deleteHeader');
    const at = position(occurrence, 1);
    this.#edits.push({ reply: 'changeHeader', occurrence: at, name: fieldName(name), value: this.#value(value) });
  }

  deleteHeader(name: string, occurrence: number): void {
    this.#allow('changeHeaders');
    const at = position(occurrence, 1);
    this.#edits.push({ reply: 'changeHeader', occurrence: at, name: fieldName(name), value: '' });
  }

  addRecipient(address: string): void {
    this.#allow('addRecipients');
    this.#edits.push({ reply: 'addRecipient', address: path(address) });
  }

  deleteRecipient(address: string): void {
    this.#allow('deleteRecipients');
    this.#edits.push({ reply: 'deleteRecipient', address: path(address) });
  }

  changeSender(address: string, parameters?: string): void {
    this.#allow('changeSender');
    const more = parameters === undefined ? {} : { parameters: oneLine(parameters) };
    this.#edits.push({ reply: 'changeSender', address: path(address), ...more });
  }

  replaceBody(bytes: Uint8Array): void {
    this.#allow('replaceBody');
    // An empty body is still a replacement: at least one chunk.
    let at = 0;
    do {
      this.#body.push({ reply: 'replaceBody', chunk: bytes.subarray(at, at + CHUNK_SIZE) });
      at += CHUNK_SIZE;
    } while (at < bytes.length);
  }

  quarantine(reason: string): void {
    this.#allow('quarantine');
    this.#edits.push({ reply: 'quarantine', reason: oneLine(reason) });
  }

  #allow(action: Action): void {
    if (!this.#open) throw new Error('modifications are legal only during endOfMessage');
    if ((this.#granted & ACTIONS[action]) === 0) throw new Error(`the action ${action} was not negotiated`);
  }

  #value(value: string): string {
    const folded = value.replaceAll('\r\n', '\n');
    // A line that does not begin with a space would be a header field of its own.
    if (/[\0\r]|\n(?![ \t])/.test(folded)) throw new RangeError('a header value with NUL, CR or an unfolded line');
    return this.#space + folded;
  }
}

/** RFC 5322 §2.2: printable ASCII but the colon. */
function fieldName(name: string): string {
  if (!/^[!-9;-~]+$/.test(name)) throw new RangeError(`${JSON.stringify(name)} is not a header field name`);
  return name;
}

function position(index: number, least: number): number {
  if (!Number.isInteger(index) || index < least || index > 0x7fff_fffe) throw new RangeError(`no such place: ${index}`);
  return index;
}

/** RFC 5321 §4.1.2: the address as it goes between angle brackets. */
function path(address: string): string {
  if (/[\x00-\x1f\x7f<>]/.test(address)) throw new RangeError(`${JSON.stringify(address)} is not a mail address`);
  return `<${address}>`;
}

function oneLine(text: string): string {
  if (/[\x00-\x1f\x7f]/.test(text)) throw new RangeError('controls have no place here');
  return text;
}
