/**
 * Sends the outbox. A row's bytes go out as they were kept, with an envelope of their own; a crash between the server's
 * 250 and the row's update sends the same bytes, with the same Message-ID, once more.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport } from 'nodemailer';
import type { Logger } from 'pino';
import { isLoopback } from '../config/loopback.ts';
import type { BlobStore, OutboxRow, OutboxStore } from '../store/store.ts';
import { classifyError, nextAttempt, type Outcome, oneLine } from './attempt.ts';

export interface SenderOptions {
  readonly outbox: OutboxStore;
  readonly blobs: BlobStore;
  /** The Postfix that takes our mail. Without TLS on loopback, opportunistic TLS elsewhere. */
  readonly smtp: { readonly host: string; readonly port: number };
  readonly now: () => Date;
  readonly logger: Logger;
  /** In [0, 1), for the jitter of retries. */
  readonly random?: () => number;
  /** Mails under way at once; 3. */
  readonly parallel?: number;
  /** How often the outbox is looked at when nothing woke us, in milliseconds; 2,000. */
  readonly pollMs?: number;
  /** A dead process's rows are taken over after so many milliseconds; 60,000. Ours are leased again while they are under way. */
  readonly leaseMs?: number;
  /**
   * The mail will never arrive. Called before the row is marked as failed, so at least once: must be safe to repeat.
   * When it throws, the row stays pending and is tried again.
   */
  readonly onFailed?: (row: OutboxRow, reply: string) => Promise<void> | void;
  /** As `onFailed`, and in its place, when the mail is too big for the receiving side. */
  readonly onTooBig?: (row: OutboxRow, reply: string) => Promise<void> | void;
}

export interface Sender {
  /** Looks at the outbox now: call it after a commit that added rows. */
  wake(): void;
  /** Takes no new rows; resolves when none is under way. */
  pause(): Promise<void>;
  resume(): void;
  /** Lets the mails under way end for up to ten seconds, then cuts the connections. */
  stop(): Promise<void>;
}

/** RFC 5321 §4.5.3.2.6: the server has ten minutes for its reply to the message; a before-queue filter may need them. */
const ATTEMPT_TIMEOUT = 10 * 60_000;
const STOP_TIMEOUT = 10_000;
/** Pause after an unreachable server, doubled each time. */
const FIRST_HOLD = 1000;
const LONGEST_HOLD = 30_000;

/** So many rows can have been settled just before the end of a process that its bytes were not removed. */
const JUST_SETTLED = 1000;

/**
 * A mail's bytes hold links and codes in clear: they stay no longer than they are needed.
 * A failure is only logged: the next start tries again.
 */
async function forgetMail(blobs: BlobStore, row: OutboxRow, logger: Logger): Promise<void> {
  await blobs.remove(row.blob).catch((error: unknown) => {
    logger.error({ row: row.id, err: error }, "the bytes of a settled mail can't be removed");
  });
}

/** Removes what a process that was killed left of mails that it had settled. */
export async function forgetSettledMails(outbox: OutboxStore, blobs: BlobStore, logger: Logger): Promise<void> {
  for (const row of await outbox.listSettled(JUST_SETTLED)) await forgetMail(blobs, row, logger);
}

export function startSender(options: SenderOptions): Sender {
  const { outbox, blobs, now, logger } = options;
  const random = options.random ?? Math.random;
  const parallel = options.parallel ?? 3;
  const leaseMs = options.leaseMs ?? 60_000;
  const pollMs = options.pollMs ?? 2000;
  const loopback = isLoopback(options.smtp.host);
  const transport = createTransport({
    pool: true,
    host: options.smtp.host,
    port: options.smtp.port,
    maxConnections: parallel,
    // Retries are the outbox's business.
    maxRequeues: 0,
    // Below Postfix's smtpd_timeout under stress (10 s), so that no mail meets a connection just being closed.
    idleTimeout: 5000,
    ignoreTLS: loopback,
    // RFC 7435: to another machine, encryption without authentication is better than none.
    ...(loopback ? {} : { tls: { rejectUnauthorized: false } }),
    connectionTimeout: 30_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  });

  /** Rows under way here. A lease that ran out meanwhile comes back to us and is skipped. */
  const underWay = new Map<string, Promise<void>>();
  const stopping = new AbortController();
  let paused = false;
  let hold = 0;
  let unheld = 0;
  let taking: Promise<void> = Promise.resolve();
  let wakeUp: () => void = () => {};
  let woken = false;

  const wake = (): void => {
    woken = true;
    wakeUp();
  };

  async function attempt(row: OutboxRow): Promise<Outcome> {
    let raw: Buffer;
    try {
      raw = Buffer.from(await blobs.get(row.blob));
    } catch (error) {
      logger.error({ row: row.id, err: error }, 'the bytes of a mail can’t be read');
      return { kind: 'later', reply: oneLine(`the mail's bytes can't be read: ${String(error)}`) };
    }
    try {
      const { response } = await transport.sendMail({
        raw,
        envelope: { from: row.envelopeFrom, to: row.recipient, size: raw.length },
        signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(ATTEMPT_TIMEOUT)]),
      });
      return { kind: 'sent', reply: oneLine(response) };
    } catch (error) {
      return classifyError(error);
    }
  }

  /** The row's next state, after whoever must know has been told. */
  async function settle(
    row: OutboxRow,
    outcome: Outcome,
  ): Promise<Pick<OutboxRow, 'state' | 'nextAttemptAt' | 'lastReply'>> {
    const facts = { row: row.id, mail: row.kind, request: row.requestId, reply: outcome.reply };
    const time = now();
    if (outcome.kind === 'sent') {
      hold = 0;
      logger.info(facts, 'mail sent');
      return { state: 'sent', nextAttemptAt: time, lastReply: outcome.reply };
    }
    const next = nextAttempt(row, row.attempts + 1, outcome.kind === 'unreachable', time, random());
    if ((outcome.kind === 'later' || outcome.kind === 'unreachable') && next !== null) {
      logger.warn({ ...facts, next }, 'mail deferred');
      return { state: 'pending', nextAttemptAt: next, lastReply: outcome.reply };
    }
    try {
      if (outcome.kind === 'too-big' && options.onTooBig) await options.onTooBig(row, outcome.reply);
      else await options.onFailed?.(row, outcome.reply);
    } catch (error) {
      logger.error({ ...facts, err: error }, 'a failed mail could not be reported; trying again');
      return { state: 'pending', nextAttemptAt: new Date(time.getTime() + 60_000), lastReply: outcome.reply };
    }
    logger.error(facts, 'mail failed for good');
    return { state: 'failed', nextAttemptAt: time, lastReply: outcome.reply };
  }

  async function deliver(row: OutboxRow): Promise<void> {
    const outcome = await attempt(row);
    // Cut short by stop(): the lease runs out and the row is tried again.
    if (stopping.signal.aborted && outcome.kind !== 'sent') return;
    if (outcome.kind === 'unreachable' && now().getTime() >= unheld) {
      hold = Math.min(LONGEST_HOLD, Math.max(FIRST_HOLD, hold * 2));
      unheld = now().getTime() + hold;
    }
    const result = await settle(row, outcome);
    // A mail that went out must not go out again because the disk was full for a minute.
    for (let wait = 100; ; wait = Math.min(wait * 2, 10_000)) {
      try {
        await outbox.update(row.id, result);
        break;
      } catch (error) {
        logger.error({ row: row.id, err: error }, 'the outbox could not be updated; trying again');
        if (stopping.signal.aborted) return;
        await sleep(wait, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
    if (result.state !== 'pending') await forgetMail(blobs, row, logger);
  }

  async function takeRows(): Promise<void> {
    const free = parallel - underWay.size;
    if (paused || free <= 0 || now().getTime() < unheld) return;
    for (const row of await outbox.lease(free, leaseMs, now())) {
      if (underWay.has(row.id)) continue;
      const delivery = deliver(row)
        .catch(error => logger.error({ row: row.id, err: error }, 'sending a mail failed unexpectedly'))
        .then(() => {
          underWay.delete(row.id);
          wake();
        });
      underWay.set(row.id, delivery);
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      woken = false;
      taking = takeRows().catch(error => logger.error({ err: error }, 'the outbox could not be read; trying again'));
      await taking;
      if (!woken) {
        await new Promise<void>(resolve => {
          const timer = setTimeout(resolve, pollMs);
          wakeUp = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    }
  }

  const settled = async (): Promise<void> => {
    await taking;
    await Promise.all(underWay.values());
  };
  const running = run();
  return { wake, pause, resume, stop };

  async function pause(): Promise<void> {
    paused = true;
    await settled();
  }
  function resume(): void {
    paused = false;
    wake();
  }
  async function stop(): Promise<void> {
    paused = true;
    await Promise.race([settled(), sleep(STOP_TIMEOUT, undefined, { ref: false })]);
    stopping.abort();
    wake();
    await running;
    await settled();
    transport.close({ force: true });
  }
}
