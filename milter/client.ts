/** The MTA's side of the protocol: for tests, and for a front that asks a milter as Postfix would. */
import { connect, type Socket } from 'node:net';
import type { ClientInfo, HeaderField, Verdict } from './handler.ts';
import { CONTINUE } from './handler.ts';
import { parseMessage } from './message.ts';
import { PacketReader } from './packets.ts';
import {
  CHUNK_SIZE,
  type MacroStage,
  SMFIF,
  SMFIM,
  SMFIP,
  STAGE_STEPS,
  type Stage,
  VERSION_MAX,
  VERSION_MIN,
} from './protocol.ts';
import { replyVerdict } from './reply.ts';
import { type Command, decodeReply, encodeCommand, type Modification, type Negotiation, type Reply } from './wire.ts';

/** The milter cannot be reached, hung up, kept silent or spoke nonsense: the message has to wait. */
export class MilterUnavailable extends Error {
  override readonly name = 'MilterUnavailable';
}

export interface MilterClientOptions {
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string };
  /** How long a reply may take; default 300,000 as Postfix's milter_content_timeout. Progress starts it anew. */
  readonly timeoutMilliseconds?: number;
  /** What is offered to the milter; default all of version 6. */
  readonly offer?: Negotiation;
}

/** Macro names (without braces) and their values. */
export type MacroValues = Readonly<Record<string, string>>;

export interface ContentVerdict {
  /** The stage that decided. */
  readonly stage: Stage;
  readonly verdict: Verdict;
  readonly modifications: readonly Modification[];
}

/** All that Postfix 3.7 offers (milter8.c), and SMFIP_MDS_* which it doesn't. */
export const EVERYTHING: Negotiation = {
  version: VERSION_MAX,
  actions: Object.values(SMFIF).reduce((mask, bit) => mask | bit, 0),
  steps: Object.values(SMFIP).reduce((mask, bit) => mask | bit, 0) & ~(SMFIP.MDS_256K | SMFIP.MDS_1M),
};

const NO_MACROS: MacroValues = {};

/** One SMTP connection's conversation with one milter. Every method rejects with MilterUnavailable when that breaks. */
export class MilterClient {
  readonly #socket: Socket;
  readonly #timeoutMilliseconds: number;
  readonly #replies: AsyncGenerator<Reply>;
  #agreed: Extract<Reply, { reply: 'negotiate' }> = { reply: 'negotiate', ...EVERYTHING, macros: new Map() };
  /** The stage that the milter wants to hear no more of, until another comes. */
  #skipped: Stage | null = null;

  private constructor(socket: Socket, timeoutMilliseconds: number) {
    this.#socket = socket;
    this.#timeoutMilliseconds = timeoutMilliseconds;
    this.#replies = readReplies(socket);
  }

  /** Connects and negotiates. */
  static async connect(options: MilterClientOptions): Promise<MilterClient> {
    const socket = connect(options.address);
    const client = new MilterClient(socket, options.timeoutMilliseconds ?? 300_000);
    socket.on('error', () => {});
    socket.on('timeout', () => socket.destroy(new Error('the milter is silent')));
    try {
      await client.#negotiate(options.offer ?? EVERYTHING);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return client;
  }

  /** What the milter asked for. */
  get agreed(): Extract<Reply, { reply: 'negotiate' }> {
    return this.#agreed;
  }

  /** Header values begin with the space after the colon. */
  get leadingSpace(): boolean {
    return (this.#agreed.steps & SMFIP.HDR_LEADSPC) !== 0;
  }

  greet(client: ClientInfo, macros = NO_MACROS): Promise<Verdict> {
    return this.#ask('connect', { command: 'connect', client }, macros);
  }

  helo(name: string, macros = NO_MACROS): Promise<Verdict> {
    return this.#ask('helo', { command: 'helo', name }, macros);
  }

  /** @param address without angle brackets */
  mail(address: string, parameters: readonly string[] = [], macros = NO_MACROS): Promise<Verdict> {
    return this.#ask('mail', { command: 'mail', address: `<${address}>`, parameters }, macros);
  }

  rcpt(address: string, parameters: readonly string[] = [], macros = NO_MACROS): Promise<Verdict> {
    return this.#ask('rcpt', { command: 'rcpt', address: `<${address}>`, parameters }, macros);
  }

  data(macros = NO_MACROS): Promise<Verdict> {
    return this.#ask('data', { command: 'data' }, macros);
  }

  unknown(line: string, macros = NO_MACROS): Promise<Verdict> {
    return this.#ask('unknown', { command: 'unknown', line }, macros);
  }

  /** @param field value as it follows the colon, leading space included */
  header(field: HeaderField, macros = NO_MACROS): Promise<Verdict> {
    const spaced = field.value[0] === 0x20 && !this.leadingSpace;
    const value = spaced ? field.value.subarray(1) : field.value;
    return this.#ask('header', { command: 'header', name: field.name, value }, macros);
  }

  endOfHeaders(macros = NO_MACROS): Promise<Verdict> {
    return this.#ask('endOfHeaders', { command: 'endOfHeaders' }, macros);
  }

  /** @param chunk at most 65,535 bytes */
  body(chunk: Uint8Array, macros = NO_MACROS): Promise<Verdict> {
    return this.#ask('body', { command: 'body', chunk }, macros);
  }

  async endOfMessage(macros = NO_MACROS): Promise<ContentVerdict> {
    const modifications: Modification[] = [];
    const command: Command = { command: 'endOfMessage', chunk: Buffer.alloc(0) };
    const verdict = await this.#ask('endOfMessage', command, macros, modifications);
    return { stage: 'endOfMessage', verdict, modifications };
  }

  /** Headers, body and end of one message, up to the verdict that decides. */
  async content(
    message: Uint8Array,
    macros: { readonly endOfHeaders?: MacroValues; readonly endOfMessage?: MacroValues } = {},
  ): Promise<ContentVerdict> {
    const { fields, body } = parseMessage(message);
    const decided = (stage: Stage, verdict: Verdict): ContentVerdict | null =>
      verdict.action === 'continue' || verdict.action === 'skip' ? null : { stage, verdict, modifications: [] };
    for (const field of fields) {
      const end = decided('header', await this.header(field, macros.endOfHeaders));
      if (end) return end;
    }
    const end = decided('endOfHeaders', await this.endOfHeaders(macros.endOfHeaders));
    if (end) return end;
    for (let at = 0; at < body.length; at += CHUNK_SIZE) {
      const end = decided('body', await this.body(body.subarray(at, at + CHUNK_SIZE), macros.endOfMessage));
      if (end) return end;
    }
    return this.endOfMessage(macros.endOfMessage);
  }

  /** The message is off (RSET, a refusal by somebody else); the connection goes on. */
  abort(): Promise<void> {
    return this.#write({ command: 'abort' });
  }

  /** The next SMTP connection uses this one. */
  async quitNewConnection(): Promise<void> {
    this.#skipped = null;
    await this.#write({ command: 'quitNewConnection' });
  }

  /** Says goodbye and closes. */
  async quit(): Promise<void> {
    await this.#write({ command: 'quit' }).catch(() => {});
    this.#socket.destroySoon();
    if (!this.#socket.closed) await new Promise(resolve => this.#socket.once('close', resolve));
  }

  async #negotiate(offer: Negotiation): Promise<void> {
    await this.#write({ command: 'negotiate', ...offer });
    const reply = await this.#reply();
    if (reply.reply !== 'negotiate') throw new MilterUnavailable(`${reply.reply} in place of a negotiation`);
    const beyond = (reply.actions & ~offer.actions) | (reply.steps & ~offer.steps);
    if (reply.version > offer.version || reply.version < VERSION_MIN || beyond !== 0) {
      throw new MilterUnavailable('the milter asks for what was not offered');
    }
    this.#agreed = reply;
  }

  async #ask(
    stage: Stage,
    command: Command,
    macros: MacroValues,
    modifications: Modification[] | null = null,
  ): Promise<Verdict> {
    const { steps } = this.#agreed;
    if (this.#skipped === stage) return CONTINUE;
    this.#skipped = null;
    // Macros come even for a stage that is left out (milter8_event).
    const known = this.#wanted(stage, macros);
    if (known.size > 0) await this.#write({ command: 'macros', stage, macros: known });
    if ((steps & STAGE_STEPS[stage].omit) !== 0) return CONTINUE;
    await this.#write(command);
    if ((steps & STAGE_STEPS[stage].silent) !== 0) return CONTINUE;
    for (;;) {
      const reply = await this.#reply();
      const verdict = replyVerdict(reply);
      if (verdict) {
        if (verdict.action === 'skip') this.#skipped = stage;
        return verdict;
      }
      if (reply.reply === 'progress') continue;
      if (modifications === null || !isModification(reply)) {
        this.#socket.destroy();
        throw new MilterUnavailable(`${reply.reply} is no answer to ${stage}`);
      }
      modifications.push(reply);
    }
  }

  /** Where the milter named the macros that it wants, it gets those; an empty list changes nothing, as in Postfix. */
  #wanted(stage: Stage, macros: MacroValues): ReadonlyMap<string, string> {
    const names = stage in SMFIM ? (this.#agreed.macros.get(stage as MacroStage) ?? []) : [];
    return new Map(Object.entries(macros).filter(([name]) => names.length === 0 || names.includes(name)));
  }

  async #write(command: Command): Promise<void> {
    if (!this.#socket.writable) throw new MilterUnavailable('the milter is gone', { cause: this.#socket.errored });
    if (this.#socket.write(encodeCommand(command))) return;
    await new Promise<void>(resolve => {
      const done = (): void => {
        this.#socket.off('drain', done).off('close', done);
        resolve();
      };
      this.#socket.on('drain', done).on('close', done);
    });
  }

  async #reply(): Promise<Reply> {
    this.#socket.setTimeout(this.#timeoutMilliseconds);
    try {
      const { value, done } = await this.#replies.next();
      if (done) throw new Error('it hung up');
      return value;
    } catch (error) {
      this.#socket.destroy();
      throw new MilterUnavailable('the milter does not answer', { cause: error });
    } finally {
      this.#socket.setTimeout(0);
    }
  }
}

async function* readReplies(socket: Socket): AsyncGenerator<Reply> {
  // A milter's packets are small but for body chunks; one that says otherwise is not one.
  const reader = new PacketReader(1 << 20);
  for await (const chunk of socket) {
    for (const packet of reader.push(chunk as Buffer)) yield decodeReply(packet);
  }
}

const MODIFICATIONS: ReadonlySet<string> = new Set<Modification['reply']>([
  'addHeader',
  'insertHeader',
  'changeHeader',
  'addRecipient',
  'deleteRecipient',
  'changeSender',
  'replaceBody',
  'quarantine',
]);

function isModification(reply: Reply): reply is Modification {
  return MODIFICATIONS.has(reply.reply);
}
