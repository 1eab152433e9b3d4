/**
 * LMTP intake (RFC 2033): takes the messages that the gatekeeper admitted and answers 250 only when they are safe. It
 * believes the verdict header and nothing else, and refuses to listen where other machines could reach it.
 */
import { chmodSync } from 'node:fs';
import type { Logger } from 'pino';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { isLoopback } from '../config/loopback.ts';
import type { Config, Listen } from '../config/schema.ts';
import { removeStaleSocket } from '../config/stale-socket.ts';
import type { Directory, Language } from '../directory/directory.ts';
import { parseOwnAddress } from '../outbound/addresses.ts';
import type { Replies } from '../replies/replies.ts';
import { type Requests, TooManyRequests } from '../requests/requests.ts';
import type { Admission } from '../store/admissions.ts';
import { parseAddress } from './addresses.ts';
import type { Limit } from './at-most.ts';
import { rawValue, splitMessage } from './raw-message.ts';
import { Refusal } from './refusal.ts';
import { refusals } from './refusals.ts';
import { DELIVERED, readSubmission } from './submission.ts';
import { toRefusal } from './to-refusal.ts';
import { checkVerdict, type Verdict, VerdictInvalid, type VerdictKey } from './verdict.ts';

export interface LmtpDeps {
  /** Unix socket or loopback TCP. */
  readonly listen: Listen;
  readonly config: Pick<Config, 'domains' | 'mail' | 'levels' | 'requests' | 'seal' | 'documents' | 'policy'>;
  readonly directory: Directory;
  /** Every key that may have signed a verdict within its lifetime. */
  readonly verdictKeys: readonly VerdictKey[];
  readonly requests: Pick<Requests, 'open'>;
  /** Bounds how many large messages are read at a time; shared with the gatekeeper. */
  readonly reading: Limit;
  /** A message of `signpost check` came through; `id` as in check-address.ts. */
  readonly onCheck?: (id: string) => Promise<void>;
  /** Remembers what became of each message, for `signpost why`. */
  readonly note?: (admission: Admission) => void;
  /** Takes what comes to addresses of ours. */
  readonly replies: Pick<Replies, 'take'>;
  readonly now: () => Date;
  readonly log: Logger;
}

export interface Lmtp {
  /** The TCP port in use, or null for a unix socket. */
  readonly port: number | null;
  stop(): Promise<void>;
}

/** What mail servers may add to a message after the gatekeeper measured it. */
const HEADROOM = 128 * 1024;

/** @throws Error when it would be reachable from elsewhere, or can't listen */
export async function startLmtp(deps: LmtpDeps): Promise<Lmtp> {
  const { listen, log } = deps;
  if ('host' in listen && !isLoopback(listen.host)) {
    throw new Error(`mail.lmtp: ${listen.host} is not loopback; other machines could hand in mail past the gatekeeper`);
  }
  const server = new SMTPServer({
    lmtp: true,
    name: deps.config.domains[0]!.sign,
    banner: 'Signpost',
    // The size is ours to count (below): the limit may change, and the library doesn't enforce it.
    hideSize: true,
    // Our replies carry their own enhanced codes.
    hideENHANCEDSTATUSCODES: true,
    hideDSN: true,
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    socketTimeout: 10 * 60_000,
    closeTimeout: 10_000,
    onRcptTo(address, session, callback) {
      // The library answers equal recipients once, and the client would wait for the second reply for ever.
      const again = session.envelope.rcptTo.some(
        ({ address: other }) => other.toLowerCase() === address.address.toLowerCase(),
      );
      callback(
        again ? reply(new Refusal(452, '4.5.3', 'This recipient is there already; it will be tried again.')) : null,
      );
    },
    onData(stream, session, callback) {
      takeIn(stream, session, deps).then(
        // The declaration of the library knows only one reply; its LMTP takes one for each recipient.
        replies => callback(null, replies as unknown as string),
        (error: unknown) => callback(reply(toRefusal(error))),
      );
    },
  });
  server.on('error', error => log.warn({ err: error }, 'LMTP connection failed'));
  if ('path' in listen) await removeStaleSocket(listen.path);
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    const ready = (): void => {
      server.server.off('error', reject);
      resolve();
    };
    if ('path' in listen) server.listen(listen.path, ready);
    else server.listen(listen.port, listen.host, ready);
  });
  // The folder says who may come in; the mail server runs as another user than we do.
  if ('path' in listen) chmodSync(listen.path, 0o666);
  const address = server.server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : null,
    stop: () => new Promise(resolve => server.close(() => resolve())),
  };
}

type Reply = string | Error;

/** On one line, which Postfix reads up to 2048 bytes of. */
function reply(refusal: Refusal, language: Language = 'en'): Error {
  return Object.assign(new Error(`${refusal.enhanced} ${refusal.textFor(language).join(' ')}`.slice(0, 1800)), {
    responseCode: refusal.code,
  });
}

/** What is known of a message by the time that it has its replies. */
interface Facts {
  senderId: string | null;
  queueId: string | null;
  messageId: string | null;
  method: string | null;
  requestId: string | null;
}

/** One reply for each recipient, in their order. What became of the message is remembered. */
async function takeIn(stream: SMTPServerDataStream, session: SMTPServerSession, deps: LmtpDeps): Promise<Reply[]> {
  const facts: Facts = { senderId: null, queueId: null, messageId: null, method: null, requestId: null };
  const replies = await repliesTo(stream, session, deps, facts);
  const { senderId: _, ...remembered } = facts;
  const { mailFrom, rcptTo } = session.envelope;
  const [first = ''] = replies;
  deps.note?.({
    ...remembered,
    at: deps.now(),
    stage: 'intake',
    sender: mailFrom === false ? '' : mailFrom.address,
    client: null,
    recipients: rcptTo.map(({ address }) => address),
    code: typeof first === 'string' ? 250 : ((first as Error & { responseCode?: number }).responseCode ?? 451),
    text: typeof first === 'string' ? first : first.message,
  });
  return replies;
}

async function repliesTo(
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  deps: LmtpDeps,
  facts: Facts,
): Promise<Reply[]> {
  const { log, config } = deps;
  const { mailFrom } = session.envelope;
  const recipients = session.envelope.rcptTo.map(({ address }) => address);
  const everybody = (answer: Reply): Reply[] => recipients.map(() => answer);
  try {
    const raw = await read(stream, config.mail.maxMessageSize + HEADROOM);
    if (raw === null) throw refusals.tooBig(config.mail.maxMessageSize);
    const message = splitMessage(raw);
    facts.messageId = rawValue(message, 'message-id');
    let verdict: Verdict;
    try {
      verdict = checkVerdict(message, deps.verdictKeys, config.mail.verdictLifetime, deps.now());
      checkEnvelope(verdict, recipients);
    } catch (error) {
      if (!(error instanceof VerdictInvalid)) throw error;
      log.error(
        { alarm: 'no-verdict', reason: error.message, recipients, bytes: raw.length },
        'a message came in past the gatekeeper and was not taken: check smtpd_milters',
      );
      return everybody(reply(refusals.noVerdict()));
    }
    const { method, queueId, senderId } = verdict;
    Object.assign(facts, { method, queueId, senderId });
    const own = recipients.map(recipient => parseOwnAddress(recipient.slice(0, recipient.lastIndexOf('@'))));
    if (own.every(address => address !== null)) return await takeOwn(raw, own, verdict, deps);
    if (method === 'bounce') throw refusals.nullSender();
    const sender = await deps.directory.findById(verdict.senderId);
    if (!sender) throw refusals.unknownSender(mailFrom === false ? '' : mailFrom.address);
    const { submission } = await deps.reading(() =>
      readSubmission(raw, sender, method, verdict.time, verdict.queueId, deps, DELIVERED),
    );
    const { request, created } = await deps.requests.open(submission);
    facts.requestId = request.id;
    log.info(
      { queueId, messageId: submission.messageId, request: request.id, created, recipients: recipients.length },
      created ? 'request opened' : 'request was open already',
    );
    return everybody(`2.0.0 request ${request.id} ${created ? 'opened' : 'was opened before'}`);
  } catch (error) {
    const refusal = toRefusal(error);
    const about = { queueId: facts.queueId, code: refusal.code, reason: refusal.message };
    if (error instanceof Refusal || error instanceof TooManyRequests) log.warn(about, 'admitted message refused');
    else log.error({ ...about, err: error }, 'put off by a fault of ours');
    return everybody(reply(refusal, await languageOf(facts.senderId, deps)));
  }
}

/** What a refusal now says comes to the sender in a delivery report. */
async function languageOf(senderId: string | null, { directory }: LmtpDeps): Promise<Language> {
  const person = senderId === null || senderId === '' ? null : await directory.findById(senderId).catch(() => null);
  return person?.language ?? 'en';
}

async function takeOwn(
  raw: Buffer,
  own: readonly NonNullable<ReturnType<typeof parseOwnAddress>>[],
  verdict: Verdict,
  deps: LmtpDeps,
): Promise<Reply[]> {
  const replies: Reply[] = [];
  for (const address of own) {
    if (address.kind === 'check') {
      await deps.onCheck?.(address.id);
      replies.push('2.0.0 check taken');
      continue;
    }
    const outcome = await deps.reading(() => deps.replies.take(raw, address, verdict));
    replies.push(`2.0.0 taken: ${outcome}`);
  }
  return replies;
}

/** LMTP may see a part of the accepted recipients, never others. @throws VerdictInvalid */
function checkEnvelope(verdict: Verdict, recipients: readonly string[]): void {
  for (const recipient of recipients) {
    const address = parseAddress(recipient)?.address;
    if (address === undefined || !verdict.recipients.includes(address)) {
      throw new VerdictInvalid('given for other recipients');
    }
  }
}

/** The whole message, or null when it is over the limit; then nothing more of it is kept. */
async function read(stream: SMTPServerDataStream, limit: number): Promise<Buffer | null> {
  let chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) chunks = [];
    else chunks.push(chunk);
  }
  return size > limit ? null : Buffer.concat(chunks);
}
