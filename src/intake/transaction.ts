/** One message while it comes in through the milter: what is known of it, and its bytes as far as they are kept. */
import type { HeaderField, Macros } from '../../milter/handler.ts';
import type { Claim } from '../senders/domain-proof.ts';
import type { Address } from './addresses.ts';
import type { Budget } from './budget.ts';
import { MAX_HEADER } from './message-gate.ts';
import { unfold } from './raw-message.ts';
import type { Authenticated } from './who.ts';

/** One envelope recipient that passed RCPT. */
export interface Recipient {
  readonly address: Address;
  /** Null for addresses on the company's mail domains: they get the mail as mail; and before the sender is known. */
  readonly personId: string | null;
  readonly onSignDomain: boolean;
}

export class Transaction {
  readonly sender: string;
  readonly macros: Macros;
  who: Authenticated | null = null;
  /** The session proves nothing: the message itself has to, and its sender learns nothing before. */
  stranger = false;
  /** What a stranger's header fields give hope for. */
  claim: Claim | null = null;
  recipients: Recipient[] = [];
  /** The first recipient outside the company, accepted before any on a sign domain. */
  external: string | null = null;
  /** The header is longer than any may be: nothing more of it is kept, for each field takes more than its bytes. */
  longHeader = false;
  /** It went beyond the limit, and nothing of it is kept: the limit may be higher by the time that it ends. */
  tooBig = false;
  /** What strangers may have us keep was used up. */
  crowdedOut = false;
  readonly names: string[] = [];
  readonly authenticationResults: string[] = [];
  /** As written, for the log. */
  messageId: string | null = null;
  readonly #budget: Budget;
  readonly #maxSize: () => number;
  #chunks: Uint8Array[] = [];
  /** Bytes so far, as on the wire (RFC 1870 §5). */
  #size = 0;
  /** How many of them count against the budget. */
  #borrowed = 0;

  /**
   * @param sender reverse-path, '' for the null sender
   * @param budget for what is kept of clients who have not said who they are
   * @param maxSize bytes that a message may have now
   */
  constructor(sender: string, macros: Macros, budget: Budget, maxSize: () => number) {
    this.sender = sender;
    this.macros = macros;
    this.#budget = budget;
    this.#maxSize = maxSize;
  }

  /** Somebody on a sign domain has been accepted. */
  get isForUs(): boolean {
    return this.recipients.some(({ onSignDomain }) => onSignDomain);
  }

  header(field: HeaderField): void {
    if (this.longHeader) return;
    if (this.#size > MAX_HEADER) {
      this.longHeader = true;
      this.#chunks.length = 0;
      return;
    }
    const name = Buffer.from(field.name).toString('latin1').trim().toLowerCase();
    this.names.push(name);
    if (name === 'authentication-results') {
      this.authenticationResults.push(Buffer.from(field.value).toString('latin1'));
    }
    if (name === 'message-id') this.messageId ??= unfold(Buffer.from(field.value));
    // Folds arrive separated by LF; on the wire every line ends with CRLF.
    const value = Buffer.from(field.value).toString('latin1').replace(/\r?\n/g, '\r\n');
    this.collect(Buffer.concat([field.name, Buffer.from(`:${value}\r\n`, 'latin1')]));
  }

  /** Keeps bytes of a message for us, as long as it isn't too big. */
  collect(bytes: Uint8Array): void {
    if (!this.isForUs) return;
    this.#size += bytes.length;
    this.tooBig ||= this.#size > this.#maxSize();
    const keep = !this.tooBig && !this.crowdedOut;
    if (keep && this.who === null) {
      if (this.#budget.take(bytes.length)) this.#borrowed += bytes.length;
      else this.crowdedOut = true;
    }
    if (keep && !this.crowdedOut) this.#chunks.push(bytes);
    else this.#chunks.length = 0;
  }

  /** What has come in so far. */
  read(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** The whole message, which is not kept any more: a large one exists once while it waits for its turn. */
  take(): Buffer {
    const raw = this.read();
    this.#chunks = [];
    return raw;
  }

  /** The message is over: what a stranger's took is free again. */
  end(): void {
    this.#budget.give(this.#borrowed);
    this.#borrowed = 0;
  }
}
