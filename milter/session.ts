/**
 * One MTA connection as a state machine: which command is legal when, what the handler is asked, what goes back. No
 * sockets: the caller hands in commands one after the other and sends what it is given.
 */
import type { Logger } from 'pino';
import { CONTINUE, type MilterHandler, type Verdict } from './handler.ts';
import { MacroStore } from './macros.ts';
import { ModificationList } from './modifications.ts';
import { type Agreement, negotiate, type Wishes } from './negotiation.ts';
import { MilterProtocolError } from './packets.ts';
import { DATA_SIZE, PACKET_SLACK, SMFIP, STAGE_STEPS, type Stage } from './protocol.ts';
import { rejects, verdictReply } from './reply.ts';
import type { Command, Reply } from './wire.ts';

export interface SessionOptions {
  /** One handler for each SMTP connection; all implement the same stages. */
  readonly createHandler: () => MilterHandler;
  readonly send: (reply: Reply) => void;
  readonly logger: Logger;
  readonly wishes: Wishes;
  /** How often the MTA hears that a slow endOfMessage is still at work. */
  readonly progressMilliseconds: number;
}

type Phase = 'start' | 'client' | 'envelope' | 'headers' | 'body';
type CommandName = Command['command'];

const ANYWHERE: readonly CommandName[] = ['macros', 'abort', 'quit', 'quitNewConnection'];
const CONTENT: readonly CommandName[] = ['endOfHeaders', 'body', 'endOfMessage'];
/**
 * RCPT and DATA may come again: Postfix goes on in the same transaction after a refused DATA. It tells a HELO in the
 * middle of a transaction before the ABORT that it causes.
 */
const ENVELOPE: readonly CommandName[] = ['rcpt', 'data', 'header', ...CONTENT];
const LEGAL: Readonly<Record<Phase, readonly CommandName[]>> = {
  start: ['negotiate', 'quit'],
  client: ['connect', 'helo', 'mail', 'unknown', ...ANYWHERE],
  envelope: ['helo', 'unknown', ...ENVELOPE, ...ANYWHERE],
  headers: ['header', ...CONTENT, ...ANYWHERE],
  body: ['body', 'endOfMessage', ...ANYWHERE],
};

const TEMPFAIL: Verdict = { action: 'tempfail' };

export class MilterSession {
  readonly #options: SessionOptions;
  readonly #macros = new MacroStore();
  #handler: MilterHandler;
  #phase: Phase = 'start';
  #agreement: Agreement = { version: 0, actions: 0, steps: 0, dataSize: DATA_SIZE['64K'] };
  #connected = false;
  #ended = false;
  /** A verdict that could not be told yet (a stage without reply), or that holds for the rest of the message. */
  #held: { readonly verdict: Verdict; readonly connection: boolean } | null = null;
  /** The handler threw: it hears no more of this message. */
  #failed = false;
  #skipBody = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#handler = options.createHandler();
  }

  /** Most data bytes that a packet may have as things stand. */
  get maxPacket(): number {
    return this.#agreement.dataSize + PACKET_SLACK;
  }

  /** A message is under way. */
  get inMessage(): boolean {
    return this.#phase !== 'start' && this.#phase !== 'client';
  }

  /**
   * Works on one command; resolves when its reply, if it has one, was handed to `send`. Call it for one at a time.
   * @returns false when the MTA has said goodbye
   * @throws MilterProtocolError for a command that is illegal here, or an MTA that cannot do what the handler needs
   */
  async receive(command: Command): Promise<boolean> {
    this.#checkLegal(command.command);
    switch (command.command) {
      case 'negotiate':
        this.#negotiate(command);
        return true;
      case 'macros':
        this.#macros.set(command.stage, command.macros);
        return true;
      case 'abort':
        this.#endMessage(true);
        return true;
      case 'quit':
        this.end();
        return false;
      case 'quitNewConnection':
        this.#newConnection();
        return true;
      case 'endOfMessage':
        await this.#endOfMessage(command.chunk);
        return true;
      default:
        await this.#answer(command.command, () => this.#ask(command));
        return true;
    }
  }

  /** The connection is gone; safe to call more than once. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#endMessage(true);
    this.#tell('close');
  }

  #checkLegal(command: CommandName): void {
    if (this.#ended) throw new MilterProtocolError(`${command} after the end`);
    // Without MAIL (nobody asked for it) a message begins with whatever comes first.
    const begins = this.#phase === 'client' && this.#omitted('mail') && ENVELOPE.includes(command);
    if (!begins && !LEGAL[this.#phase].includes(command)) {
      throw new MilterProtocolError(`${command} is illegal in phase ${this.#phase}`);
    }
    if (command === 'connect') {
      if (this.#connected) throw new MilterProtocolError('a second connect');
      this.#connected = true;
    }
    if (begins || command === 'mail') this.#phase = 'envelope';
    if (command === 'header') this.#phase = 'headers';
    if (CONTENT.includes(command)) this.#phase = 'body';
  }

  #negotiate(command: Extract<Command, { command: 'negotiate' }>): void {
    const { agreement, macros } = negotiate(command, this.#handler, this.#options.wishes);
    this.#agreement = agreement;
    this.#phase = 'client';
    const { version, actions, steps } = agreement;
    this.#options.send({ reply: 'negotiate', version, actions, steps, macros });
  }

  #newConnection(): void {
    this.#endMessage(true);
    this.#tell('close');
    this.#macros.clear();
    this.#connected = false;
    this.#held = null;
    this.#handler = this.#options.createHandler();
  }

  #omitted(stage: Stage): boolean {
    return (this.#agreement.steps & STAGE_STEPS[stage].omit) !== 0;
  }

  /** The handler's answer to one stage; `continue` for a stage that it does not have. */
  async #ask(command: Command): Promise<Verdict> {
    const handler = this.#handler;
    switch (command.command) {
      case 'connect':
        return (await handler.connect?.(command.client, this.#macros.at('connect'))) ?? CONTINUE;
      case 'helo':
        return (await handler.helo?.(command.name, this.#macros.at('helo'))) ?? CONTINUE;
      case 'mail':
      case 'rcpt': {
        const { command: stage, address, parameters } = command;
        return (await handler[stage]?.(bare(address), parameters, this.#macros.at(stage))) ?? CONTINUE;
      }
      case 'data':
      case 'endOfHeaders':
        return (await handler[command.command]?.(this.#macros.at(command.command))) ?? CONTINUE;
      case 'unknown':
        return (await handler.unknown?.(command.line, this.#macros.at('unknown'))) ?? CONTINUE;
      case 'header': {
        const { name, value } = command;
        return (await handler.header?.({ name, value }, this.#macros.at('header'))) ?? CONTINUE;
      }
      case 'body':
        return this.#body(command.chunk);
      default:
        return CONTINUE;
    }
  }

  async #body(chunk: Uint8Array): Promise<Verdict> {
    if (this.#skipBody) return CONTINUE;
    const verdict = (await this.#handler.body?.(chunk, this.#macros.at('body'))) ?? CONTINUE;
    if (verdict.action !== 'skip') return verdict;
    this.#skipBody = true;
    return (this.#agreement.steps & SMFIP.SKIP) === 0 ? CONTINUE : verdict;
  }

  /** Runs a stage, keeps its verdict where no reply is due, else sends it, and draws the conclusion. */
  async #answer(stage: Stage, ask: () => Promise<Verdict>): Promise<void> {
    // A HELO or unknown command in the middle of a message is not the message's own.
    const ofMessage = this.inMessage && stage !== 'helo' && stage !== 'unknown';
    const held = this.#held && (ofMessage || this.#held.connection) ? this.#held.verdict : null;
    const verdict = held ?? (await this.#guarded(stage, ofMessage, ask));
    if (stage === 'rcpt' || stage === 'unknown') this.#macros.drop(stage);
    if ((this.#agreement.steps & STAGE_STEPS[stage].silent) !== 0) {
      if (verdict.action !== 'continue' && verdict.action !== 'skip' && stage !== 'unknown') {
        this.#held ??= { verdict, connection: !ofMessage };
      }
      return;
    }
    this.#options.send(verdictReply(verdict));
    if (ofMessage && isOver(stage, verdict)) this.#endMessage(this.#failed);
  }

  /** A handler's exception is a temporary failure, for the whole message when there is one. */
  async #guarded(stage: Stage, ofMessage: boolean, ask: () => Promise<Verdict>): Promise<Verdict> {
    try {
      const verdict = await ask();
      if (verdict.action === 'skip' && stage !== 'body') throw new RangeError(`'skip' is no answer to ${stage}`);
      verdictReply(verdict);
      return verdict;
    } catch (error) {
      this.#options.logger.error({ err: error, stage }, 'milter handler failed; the message is refused for now');
      if (ofMessage) {
        this.#failed = true;
        this.#held = { verdict: TEMPFAIL, connection: false };
      }
      return TEMPFAIL;
    }
  }

  async #endOfMessage(chunk: Uint8Array): Promise<void> {
    const leadingSpace = (this.#agreement.steps & SMFIP.HDR_LEADSPC) !== 0;
    const modifications = new ModificationList(this.#agreement.actions, leadingSpace);
    const progress = setInterval(() => this.#options.send({ reply: 'progress' }), this.#options.progressMilliseconds);
    try {
      await this.#answer('endOfMessage', async () => {
        // A last piece of body may ride on the end (sendmail); it is asked about first.
        if (chunk.length > 0) {
          const verdict = await this.#body(chunk);
          if (verdict.action !== 'continue' && verdict.action !== 'skip') return verdict;
        }
        const verdict =
          (await this.#handler.endOfMessage?.(modifications, this.#macros.at('endOfMessage'))) ?? CONTINUE;
        const changes = modifications.close();
        if (verdict.action === 'continue' || verdict.action === 'accept') {
          for (const change of changes) this.#options.send(change);
        }
        return verdict;
      });
    } finally {
      clearInterval(progress);
    }
  }

  #endMessage(aborted: boolean): void {
    const wasInMessage = this.inMessage;
    if (wasInMessage) this.#phase = 'client';
    this.#macros.endMessage();
    if (this.#held?.connection === false) this.#held = null;
    this.#failed = false;
    this.#skipBody = false;
    if (wasInMessage && aborted) this.#tell('abort');
  }

  #tell(event: 'abort' | 'close'): void {
    try {
      this.#handler[event]?.();
    } catch (error) {
      this.#options.logger.error({ err: error, stage: event }, 'milter handler failed');
    }
  }
}

/** Whether the MTA sends no more of this message after that verdict. */
function isOver(stage: Stage, verdict: Verdict): boolean {
  if (stage === 'endOfMessage' || verdict.action === 'accept' || verdict.action === 'discard') return true;
  // A refused RCPT is that recipient's affair, and Postfix keeps the transaction after a refused DATA.
  return stage !== 'rcpt' && stage !== 'data' && rejects(verdict);
}

/** `<a@b>` → `a@b`, `<>` → ``; an address without brackets as it is. */
function bare(address: string): string {
  return /^<.*>$/s.test(address) ? address.slice(1, -1) : address;
}
