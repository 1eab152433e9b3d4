/**
 * What a milter implements: one handler per SMTP connection, made by a factory. Knows nothing of signing.
 * Every callback is optional and may be asynchronous; while one runs longer than a few seconds the server keeps the
 * MTA waiting with SMFIR_PROGRESS where the protocol allows it (end of message).
 */

/** Macros as the MTA sent them, names without braces: `i`, `auth_authen`, `client_addr`, … */
export type Macros = ReadonlyMap<string, string>;

export interface ClientInfo {
  /** Verified host name, or the address in brackets. */
  readonly hostname: string;
  readonly family: 'inet' | 'inet6' | 'unix' | 'unknown';
  /** IP address without prefix, socket path, or '' when unknown. */
  readonly address: string;
  readonly port: number;
}

export interface HeaderField {
  /** Name as received. */
  readonly name: Uint8Array;
  /** Raw value after the colon, with its leading space when negotiated; folded lines separated by LF. */
  readonly value: Uint8Array;
}

export type Verdict =
  | { readonly action: 'continue' }
  | { readonly action: 'accept' }
  | { readonly action: 'discard' }
  | { readonly action: 'reject' }
  | { readonly action: 'tempfail' }
  /** From `body` only: go on, but without the rest of the body. */
  | { readonly action: 'skip' }
  /** A reply of our own; `code` 4xx or 5xx, `enhanced` like '5.7.1'; a text of several lines becomes a multi-line reply. */
  | { readonly action: 'reply'; readonly code: number; readonly enhanced: string; readonly text: readonly string[] };

/**
 * Changes to the message; legal only during endOfMessage, and only what the server was told to negotiate (`actions`).
 * They take effect together when endOfMessage ends in 'continue' or 'accept', in the order they were asked for. Two
 * traps of the MTAs: an inserted field counts at once, so change and delete before inserting; and a deleted field counts
 * no more, so delete the last occurrence first.
 * A header value is given without the space after the colon; LF followed by a space or tab folds it.
 */
export interface Modifications {
  addHeader(name: string, value: string): void;
  /** At position `index` (0 = top) among all header fields. */
  insertHeader(index: number, name: string, value: string): void;
  /** Changes the `occurrence`-th (1-based) field of that name. */
  changeHeader(name: string, occurrence: number, value: string): void;
  deleteHeader(name: string, occurrence: number): void;
  addRecipient(address: string): void;
  deleteRecipient(address: string): void;
  changeSender(address: string, parameters?: string): void;
  replaceBody(bytes: Uint8Array): void;
  quarantine(reason: string): void;
}

export interface MilterHandler {
  connect?(client: ClientInfo, macros: Macros): Verdict | Promise<Verdict>;
  helo?(name: string, macros: Macros): Verdict | Promise<Verdict>;
  /** `address` without angle brackets, '' for the null sender; `parameters` such as 'SIZE=123'. */
  mail?(address: string, parameters: readonly string[], macros: Macros): Verdict | Promise<Verdict>;
  /** A rejecting verdict rejects this recipient only. */
  rcpt?(address: string, parameters: readonly string[], macros: Macros): Verdict | Promise<Verdict>;
  /** A rejecting verdict leaves the transaction open: rcpt, data or abort may follow. */
  data?(macros: Macros): Verdict | Promise<Verdict>;
  unknown?(command: string, macros: Macros): Verdict | Promise<Verdict>;
  header?(field: HeaderField, macros: Macros): Verdict | Promise<Verdict>;
  endOfHeaders?(macros: Macros): Verdict | Promise<Verdict>;
  body?(chunk: Uint8Array, macros: Macros): Verdict | Promise<Verdict>;
  endOfMessage?(modifications: Modifications, macros: Macros): Verdict | Promise<Verdict>;
  /** The current message is over without a verdict (RSET, lost connection): forget it. */
  abort?(): void;
  /** The connection has ended; nothing comes after this. */
  close?(): void;
}

export const CONTINUE: Verdict = { action: 'continue' };
