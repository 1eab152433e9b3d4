/**
 * A small front door for machines without Postfix (DESIGN.md decision 13): smtp-server that asks our milter through a
 * milter client and hands on by LMTP, as Postfix would. For trying out only: it has no queue, so while the gateway is
 * away its senders are told to come back; a company's mail needs a real mail server.
 */
import { randomBytes } from 'node:crypto';
import { createTransport } from 'nodemailer';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { MilterClient, MilterUnavailable } from '../../milter/client.ts';
import type { Verdict } from '../../milter/handler.ts';
import { applyModifications, type Envelope, parseMessage } from '../../milter/message.ts';

export interface FrontDoor {
  readonly port: number;
  stop(): Promise<void>;
}

export interface FrontDoorOptions {
  readonly milterPort: number;
  readonly lmtpPort: number;
  /** Mail to these goes by LMTP to the gateway; everything else to the smart host. */
  readonly signDomains: readonly string[];
  readonly smartHostPort: number;
  /** 0: any free one. */
  readonly port?: number;
}

const MAX_SIZE = 52_428_800;

interface Conversation {
  readonly milter: MilterClient;
  readonly queueId: string;
}

export async function startFrontDoor(options: FrontDoorOptions): Promise<FrontDoor> {
  const conversations = new WeakMap<SMTPServerSession, Conversation>();
  const end = async (session: SMTPServerSession): Promise<void> => {
    const conversation = conversations.get(session);
    conversations.delete(session);
    await conversation?.milter.quit();
  };

  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    size: MAX_SIZE,
    banner: 'Signpost try-out front door (not a mail server for production)',
    onMailFrom(address, session, callback) {
      const start = async (): Promise<void> => {
        await end(session);
        const milter = await MilterClient.connect({ address: { host: '127.0.0.1', port: options.milterPort } });
        const queueId = randomBytes(6).toString('hex').toUpperCase();
        conversations.set(session, { milter, queueId });
        const client = {
          hostname: `[${session.remoteAddress}]`,
          family: 'inet',
          address: session.remoteAddress,
          port: session.remotePort,
        } as const;
        refuse(
          await milter.greet(client, {
            client_addr: session.remoteAddress,
            client_name: client.hostname,
            j: 'localhost',
          }),
        );
        refuse(await milter.helo(session.hostNameAppearsAs || 'localhost'));
        refuse(
          await milter.mail(address.address, parameters(address.args), {
            i: queueId,
            client_addr: session.remoteAddress,
            mail_addr: address.address,
          }),
        );
      };
      start().then(
        () => callback(),
        error => callback(asReply(error)),
      );
    },
    onRcptTo(address, session, callback) {
      const { milter, queueId } = conversations.get(session)!;
      milter
        .rcpt(address.address, [], { i: queueId, rcpt_addr: address.address })
        .then(refuse)
        .then(
          () => callback(),
          error => callback(asReply(error)),
        );
    },
    onData(stream, session, callback) {
      const finish = async (): Promise<string> => {
        const { milter, queueId } = conversations.get(session)!;
        const message = await readAll(stream);
        const macros = { i: queueId };
        const data = await milter.data(macros);
        refuse(data);
        // Accepted at once (it is none of the milter's business): the milter hears no more of it.
        const content =
          data.action === 'accept'
            ? { verdict: data, modifications: [] }
            : await milter.content(message, { endOfHeaders: macros, endOfMessage: macros });
        refuse(content.verdict);
        const envelope = {
          sender: session.envelope.mailFrom ? session.envelope.mailFrom.address : '',
          recipients: session.envelope.rcptTo.map(({ address }) => address),
        };
        // As in Postfix, the milter never saw this field, and positions count from it.
        const received = Buffer.from(
          `Received: from ${session.clientHostname} by localhost; ${new Date().toUTCString()}\r\n`,
        );
        const changed = applyModifications(
          parseMessage(Buffer.concat([received, message])),
          envelope,
          content.modifications,
          milter.leadingSpace,
        );
        await handOn(changed, changed.message);
        return `2.0.0 Ok: ${queueId} taken`;
      };
      finish()
        .finally(() => end(session))
        .then(
          reply => callback(null, reply),
          error => callback(asReply(error)),
        );
    },
    onClose(session) {
      void end(session);
    },
  });
  // A client that hangs up is its own affair.
  server.on('error', () => {});

  /** @throws the next server's refusal */
  async function handOn({ sender, recipients }: Envelope, message: Buffer): Promise<void> {
    const ours = (recipient: string): boolean =>
      options.signDomains.includes(recipient.slice(recipient.lastIndexOf('@') + 1).toLowerCase());
    for (const [port, lmtp, to] of [
      [options.lmtpPort, true, recipients.filter(ours)],
      [options.smartHostPort, false, recipients.filter(recipient => !ours(recipient))],
    ] as const) {
      if (to.length === 0) continue;
      const transport = createTransport({
        host: '127.0.0.1',
        port,
        lmtp,
        ignoreTLS: true,
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      try {
        await transport.sendMail({ envelope: { from: sender, to }, raw: message });
      } finally {
        transport.close();
      }
    }
  }

  await new Promise<void>(resolve => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return { port: address.port, stop: () => new Promise(resolve => server.close(() => resolve())) };
}

/** A milter or LMTP listener that is away makes the sender wait, never lose. */
function asReply(error: unknown): Error {
  if (error instanceof Error && 'responseCode' in error) return error;
  const cause =
    error instanceof MilterUnavailable ? 'the gateway does not answer' : 'the message could not be handed on';
  return Object.assign(new Error(`4.3.0 Try again later: ${cause}`), { responseCode: 451 });
}

/** @throws the milter's refusal as an SMTP reply */
function refuse(verdict: Verdict): void {
  const reply = (code: number, text: string): Error => Object.assign(new Error(text), { responseCode: code });
  if (verdict.action === 'reply') throw reply(verdict.code, `${verdict.enhanced} ${verdict.text.join(' ')}`);
  if (verdict.action === 'reject') throw reply(550, '5.7.1 Command rejected');
  if (verdict.action === 'tempfail') throw reply(451, '4.7.1 Service unavailable - try again later');
}

function parameters(args: unknown): string[] {
  return Object.entries((args as Record<string, string | true> | false) || {}).map(([name, value]) =>
    value === true ? name : `${name}=${value}`,
  );
}

async function readAll(stream: SMTPServerDataStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  if (stream.sizeExceeded)
    throw Object.assign(new Error('5.3.4 Message size exceeds fixed limit'), { responseCode: 552 });
  return Buffer.concat(chunks);
}
