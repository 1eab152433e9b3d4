/**
 * Packets ⇄ typed values, both directions of the milter protocol, no I/O. Decoding is strict: a packet that is short,
 * has bytes to spare or is of an unknown kind is a MilterProtocolError.
 */
import type { ClientInfo, Macros } from './handler.ts';
import { encodePacket, Fields, type Packet, uint32 } from './packets.ts';
import { type MacroStage, SMFIA, SMFIC, SMFIM, SMFIR, type Stage } from './protocol.ts';

export interface Negotiation {
  readonly version: number;
  /** SMFIF_* bits. */
  readonly actions: number;
  /** SMFIP_* bits. */
  readonly steps: number;
}

/** What the MTA sends. */
export type Command =
  | ({ readonly command: 'negotiate' } & Negotiation)
  | { readonly command: 'macros'; readonly stage: Stage; readonly macros: Macros }
  | { readonly command: 'connect'; readonly client: ClientInfo }
  | { readonly command: 'helo'; readonly name: string }
  /** The address as the MTA gave it, angle brackets included. */
  | { readonly command: 'mail' | 'rcpt'; readonly address: string; readonly parameters: readonly string[] }
  | { readonly command: 'data' | 'endOfHeaders' | 'abort' | 'quit' | 'quitNewConnection' }
  | { readonly command: 'unknown'; readonly line: string }
  | { readonly command: 'header'; readonly name: Uint8Array; readonly value: Uint8Array }
  | { readonly command: 'body'; readonly chunk: Uint8Array }
  /** `chunk`: a last piece of body, usually empty. */
  | { readonly command: 'endOfMessage'; readonly chunk: Uint8Array };

/** A change to the message (SMFIR_ADDHEADER and its like); header values as they follow the colon. */
export type Modification =
  | { readonly reply: 'addHeader'; readonly name: string; readonly value: string }
  | { readonly reply: 'insertHeader'; readonly index: number; readonly name: string; readonly value: string }
  /** An empty value deletes the field. */
  | { readonly reply: 'changeHeader'; readonly occurrence: number; readonly name: string; readonly value: string }
  | { readonly reply: 'addRecipient' | 'changeSender'; readonly address: string; readonly parameters?: string }
  | { readonly reply: 'deleteRecipient'; readonly address: string }
  | { readonly reply: 'replaceBody'; readonly chunk: Uint8Array }
  | { readonly reply: 'quarantine'; readonly reason: string };

/** What the milter sends. */
export type Reply =
  | ({
      readonly reply: 'negotiate';
      readonly macros: ReadonlyMap<MacroStage, readonly string[]>;
    } & Negotiation)
  | { readonly reply: SimpleReply }
  /** SMTP reply lines as they go to the client, CRLF between them; '%' undoubled. */
  | { readonly reply: 'replyCode'; readonly text: string }
  | Modification;

const SIMPLE_REPLIES = {
  continue: SMFIR.CONTINUE,
  accept: SMFIR.ACCEPT,
  reject: SMFIR.REJECT,
  tempfail: SMFIR.TEMPFAIL,
  discard: SMFIR.DISCARD,
  skip: SMFIR.SKIP,
  progress: SMFIR.PROGRESS,
  shutdown: SMFIR.SHUTDOWN,
  connectionFailed: SMFIR.CONN_FAIL,
} as const;
export type SimpleReply = keyof typeof SIMPLE_REPLIES;
const SIMPLE_BY_CODE = inverted(SIMPLE_REPLIES);

/** The command that a SMFIC_MACRO packet's macros belong to. */
const STAGE_CODES = {
  connect: SMFIC.CONNECT,
  helo: SMFIC.HELO,
  mail: SMFIC.MAIL,
  rcpt: SMFIC.RCPT,
  data: SMFIC.DATA,
  unknown: SMFIC.UNKNOWN,
  header: SMFIC.HEADER,
  endOfHeaders: SMFIC.EOH,
  body: SMFIC.BODY,
  endOfMessage: SMFIC.BODYEOB,
} as const satisfies Record<Stage, string>;
const STAGE_BY_CODE = inverted(STAGE_CODES);
const FAMILY_BY_CODE = inverted(SMFIA);
const MACRO_STAGE_BY_NUMBER: ReadonlyMap<number, MacroStage> = new Map(
  (Object.keys(SMFIM) as MacroStage[]).map(stage => [SMFIM[stage], stage]),
);

function inverted<Name extends string>(codes: Readonly<Record<Name, string>>): ReadonlyMap<string, Name> {
  return new Map((Object.keys(codes) as Name[]).map(name => [codes[name], name]));
}

/** @throws MilterProtocolError */
export function decodeCommand(packet: Packet): Command {
  const fields = new Fields(packet);
  const command = readCommand(packet.code, fields);
  fields.end();
  return command;
}

function readCommand(code: string, fields: Fields): Command {
  switch (code) {
    case SMFIC.OPTNEG:
      return { command: 'negotiate', ...readNegotiation(fields) };
    case SMFIC.MACRO:
      return readMacros(fields);
    case SMFIC.CONNECT:
      return { command: 'connect', client: readClient(fields) };
    case SMFIC.HELO:
      return { command: 'helo', name: fields.string() };
    case SMFIC.MAIL:
      return { command: 'mail', address: fields.string(), parameters: fields.strings() };
    case SMFIC.RCPT:
      return { command: 'rcpt', address: fields.string(), parameters: fields.strings() };
    case SMFIC.DATA:
      return { command: 'data' };
    case SMFIC.UNKNOWN:
      return { command: 'unknown', line: fields.string() };
    case SMFIC.HEADER:
      return { command: 'header', name: fields.bytes(), value: fields.bytes() };
    case SMFIC.EOH:
      return { command: 'endOfHeaders' };
    case SMFIC.BODY:
      return { command: 'body', chunk: fields.rest() };
    case SMFIC.BODYEOB:
      return { command: 'endOfMessage', chunk: fields.rest() };
    case SMFIC.ABORT:
      return { command: 'abort' };
    case SMFIC.QUIT:
      return { command: 'quit' };
    case SMFIC.QUIT_NC:
      return { command: 'quitNewConnection' };
    default:
      throw fields.malformed('no such command');
  }
}

function readNegotiation(fields: Fields): Negotiation {
  return { version: fields.uint32(), actions: fields.uint32(), steps: fields.uint32() };
}

function readMacros(fields: Fields): Command {
  const stage = STAGE_BY_CODE.get(fields.take(1).toString('latin1'));
  if (stage === undefined) throw fields.malformed('macros for no known command');
  const macros = new Map<string, string>();
  while (!fields.empty) {
    const name = fields.string();
    macros.set(/^\{.*\}$/s.test(name) ? name.slice(1, -1) : name, fields.string());
  }
  return { command: 'macros', stage, macros };
}

function readClient(fields: Fields): ClientInfo {
  const hostname = fields.string();
  const family = FAMILY_BY_CODE.get(fields.take(1).toString('latin1'));
  if (family === undefined) throw fields.malformed('no such address family');
  if (family === 'unknown') return { hostname, family, address: '', port: 0 };
  const port = fields.uint16();
  // sendmail writes IPv6:2001:db8::1, Postfix the bare address.
  return { hostname, family, address: fields.string().replace(/^IPv6:/i, ''), port };
}

export function encodeCommand(command: Command): Buffer {
  switch (command.command) {
    case 'negotiate':
      return encodePacket(SMFIC.OPTNEG, uint32(command.version), uint32(command.actions), uint32(command.steps));
    case 'macros':
      return encodePacket(
        SMFIC.MACRO,
        Buffer.from(STAGE_CODES[command.stage], 'latin1'),
        ...[...command.macros].flatMap(([name, value]) => [braced(name), value]),
      );
    case 'connect': {
      const { hostname, family, address, port } = command.client;
      const code = Buffer.from(SMFIA[family], 'latin1');
      if (family === 'unknown') return encodePacket(SMFIC.CONNECT, hostname, code);
      return encodePacket(SMFIC.CONNECT, hostname, code, Buffer.from([port >> 8, port & 0xff]), address);
    }
    case 'helo':
      return encodePacket(SMFIC.HELO, command.name);
    case 'mail':
      return encodePacket(SMFIC.MAIL, command.address, ...command.parameters);
    case 'rcpt':
      return encodePacket(SMFIC.RCPT, command.address, ...command.parameters);
    case 'data':
      return encodePacket(SMFIC.DATA);
    case 'unknown':
      return encodePacket(SMFIC.UNKNOWN, command.line);
    case 'header':
      return encodePacket(SMFIC.HEADER, command.name, NUL, command.value, NUL);
    case 'endOfHeaders':
      return encodePacket(SMFIC.EOH);
    case 'body':
      return encodePacket(SMFIC.BODY, command.chunk);
    case 'endOfMessage':
      return encodePacket(SMFIC.BODYEOB, command.chunk);
    case 'abort':
      return encodePacket(SMFIC.ABORT);
    case 'quit':
      return encodePacket(SMFIC.QUIT);
    case 'quitNewConnection':
      return encodePacket(SMFIC.QUIT_NC);
  }
}

const NUL = Buffer.from([0]);

/** Macro names of more than one letter stand in braces (sendmail's notation). */
function braced(name: string): string {
  return [...name].length === 1 ? name : `{${name}}`;
}

/** @throws RangeError when a string has a NUL in it. */
export function encodeReply(reply: Reply): Buffer {
  switch (reply.reply) {
    case 'negotiate': {
      const lists = [...reply.macros].flatMap(([stage, names]) => [uint32(SMFIM[stage]), names.map(braced).join(' ')]);
      return encodePacket(SMFIR.OPTNEG, uint32(reply.version), uint32(reply.actions), uint32(reply.steps), ...lists);
    }
    case 'replyCode':
      // sendmail uses the text as a format string, Postfix undoes the doubling (milter8.c, SMFIR_REPLYCODE).
      return encodePacket(SMFIR.REPLYCODE, reply.text.replaceAll('%', '%%'));
    case 'addHeader':
      return encodePacket(SMFIR.ADDHEADER, reply.name, reply.value);
    case 'insertHeader':
      return encodePacket(SMFIR.INSHEADER, uint32(reply.index), reply.name, reply.value);
    case 'changeHeader':
      return encodePacket(SMFIR.CHGHEADER, uint32(reply.occurrence), reply.name, reply.value);
    case 'addRecipient':
      return reply.parameters === undefined
        ? encodePacket(SMFIR.ADDRCPT, reply.address)
        : encodePacket(SMFIR.ADDRCPT_PAR, reply.address, reply.parameters);
    case 'deleteRecipient':
      return encodePacket(SMFIR.DELRCPT, reply.address);
    case 'changeSender':
      return reply.parameters === undefined
        ? encodePacket(SMFIR.CHGFROM, reply.address)
        : encodePacket(SMFIR.CHGFROM, reply.address, reply.parameters);
    case 'replaceBody':
      return encodePacket(SMFIR.REPLBODY, reply.chunk);
    case 'quarantine':
      return encodePacket(SMFIR.QUARANTINE, reply.reason);
    default:
      return encodePacket(SIMPLE_REPLIES[reply.reply]);
  }
}

/** @throws MilterProtocolError */
export function decodeReply(packet: Packet): Reply {
  const fields = new Fields(packet);
  const reply = readReply(packet.code, fields);
  fields.end();
  return reply;
}

function readReply(code: string, fields: Fields): Reply {
  const simple = SIMPLE_BY_CODE.get(code);
  if (simple !== undefined) return { reply: simple };
  switch (code) {
    case SMFIR.OPTNEG: {
      const negotiation = readNegotiation(fields);
      const macros = new Map<MacroStage, readonly string[]>();
      while (!fields.empty) {
        const stage = MACRO_STAGE_BY_NUMBER.get(fields.uint32());
        const names = fields.string().split(/[ ,]+/);
        if (stage === undefined) throw fields.malformed('macros for no known stage');
        macros.set(
          stage,
          names.filter(name => name !== '').map(name => name.replace(/^\{(.*)\}$/s, '$1')),
        );
      }
      return { reply: 'negotiate', ...negotiation, macros };
    }
    case SMFIR.REPLYCODE:
      return { reply: 'replyCode', text: fields.string().replace(/%(.?)/gs, '$1') };
    case SMFIR.ADDHEADER:
      return { reply: 'addHeader', name: fields.string(), value: fields.string() };
    case SMFIR.INSHEADER:
      return { reply: 'insertHeader', index: fields.uint32(), name: fields.string(), value: fields.string() };
    case SMFIR.CHGHEADER:
      return { reply: 'changeHeader', occurrence: fields.uint32(), name: fields.string(), value: fields.string() };
    case SMFIR.ADDRCPT:
      return { reply: 'addRecipient', address: fields.string() };
    case SMFIR.ADDRCPT_PAR:
      return { reply: 'addRecipient', address: fields.string(), parameters: fields.empty ? '' : fields.string() };
    case SMFIR.DELRCPT:
      return { reply: 'deleteRecipient', address: fields.string() };
    case SMFIR.CHGFROM: {
      const address = fields.string();
      return { reply: 'changeSender', address, ...(fields.empty ? {} : { parameters: fields.string() }) };
    }
    case SMFIR.REPLBODY:
      return { reply: 'replaceBody', chunk: fields.rest() };
    case SMFIR.QUARANTINE:
      return { reply: 'quarantine', reason: fields.string() };
    default:
      throw fields.malformed('no such reply');
  }
}
