/**
 * The watch: looks on a schedule, and tells the admin by mail what ends soon (30, 14, 7 and 1 days before) and what went
 * wrong, once when it begins and once when it is over. What was told is remembered in the transaction that holds the
 * mails, so that neither a restart nor a crash repeats or loses any.
 */
import type { Logger } from 'pino';
import type { Directory, Language } from '../directory/directory.ts';
import type { MailComposer, Recipient } from '../outbound/mail.ts';
import type { WatchMail } from '../outbound/watch-letters.ts';
import type { RandomBytes } from '../requests/ids.ts';
import { composeRow } from '../requests/mails.ts';
import type { Store, WatchMark, WatchStore } from '../store/store.ts';
import { daysLeft, dueWarning, type Ending, FAULTS, type Fault, type Findings } from './matters.ts';

export interface WatchParts {
  readonly look: () => Promise<Findings>;
  readonly store: Store & { readonly watch: WatchStore };
  readonly composer: MailComposer;
  readonly directory: Pick<Directory, 'findByMail'>;
  /** Who is told. */
  readonly admin: readonly string[];
  /** Of admins whom the directory doesn't know. */
  readonly language: Language;
  readonly now: () => Date;
  readonly randomBytes: RandomBytes;
  readonly logger: Logger;
  /** Called after mails were put into the outbox. */
  readonly wake: () => void;
}

interface News {
  readonly mark: WatchMark;
  readonly mail: WatchMail;
}

/** Looks once, and tells what is new. @throws Error when it can't be remembered; nothing is told then, and the next look tries again */
export async function watchOnce(parts: WatchParts): Promise<void> {
  const { store, logger } = parts;
  const { endings, faults } = await parts.look();
  const marks = await store.watch.marks();
  const now = parts.now();
  const news = [
    ...endings.flatMap(ending => endingNews(ending, marks, now)),
    ...faults.flatMap(fault => faultNews(fault, marks, now)),
    ...mendedNews(faults, marks, now),
  ];
  if (news.length === 0) return;
  for (const { mail } of news) {
    if (mail.kind === 'watch-mended') logger.info(mail, 'a fault is over');
    else if (mail.kind === 'watch-fault') logger.error(mail, 'a fault has begun');
    else logger.warn(mail, 'a certificate ends soon');
  }
  const outbox = [];
  for (const to of await recipients(parts)) {
    for (const { mail } of news) outbox.push(await composeRow(parts, mail, to));
  }
  if (!(await store.requests.commit({ outbox, marks: news.map(({ mark }) => mark) })))
    throw new Error('the outbox refused new rows');
  parts.wake();
}

/** The item names the certificate, so that its successor is watched from the beginning. */
function endingNews(ending: Ending, marks: ReadonlyMap<string, WatchMark>, now: Date): News[] {
  const item = `certificate:${ending.certificate}:${ending.serial}`;
  const warning = dueWarning(ending, now);
  const told = marks.get(item)?.told;
  if (warning === null || (told !== undefined && Number(told) <= warning)) return [];
  const { certificate, name, notAfter } = ending;
  return [
    {
      mark: { item, told: String(warning), at: now },
      mail: { kind: 'watch-ending', certificate, name, ends: notAfter, days: daysLeft(ending, now) },
    },
  ];
}

const FAULT = 'fault';
const itemOf = ({ kind, about }: Fault): string => `${FAULT}:${kind}:${about}`;

function faultNews(fault: Fault, marks: ReadonlyMap<string, WatchMark>, now: Date): News[] {
  const item = itemOf(fault);
  if (marks.has(item)) return [];
  const { kind, detail } = fault;
  return [{ mark: { item, told: detail, at: now }, mail: { kind: 'watch-fault', fault: kind, detail, at: now } }];
}

function mendedNews(faults: readonly Fault[], marks: ReadonlyMap<string, WatchMark>, now: Date): News[] {
  const present = new Set(faults.map(itemOf));
  return openFaults(marks).flatMap(({ item, fault, since }) =>
    present.has(item)
      ? []
      : [{ mark: { item, told: null, at: now }, mail: { kind: 'watch-mended', fault: fault.kind, since, at: now } }],
  );
}

/** The faults that the admin was told about and that weren't over at the last look. */
export function openFaults(
  marks: ReadonlyMap<string, WatchMark>,
): readonly { readonly item: string; readonly fault: Fault; readonly since: Date }[] {
  return [...marks.values()].flatMap(({ item, told, at }) => {
    const [prefix, name, ...about] = item.split(':');
    const kind = FAULTS.find(one => one === name);
    if (prefix !== FAULT || kind === undefined) return [];
    return [{ item, fault: { kind, about: about.join(':'), detail: told ?? '' }, since: at }];
  });
}

/** An admin who is somebody in the directory reads their own language. */
async function recipients({ admin, directory, language, logger }: WatchParts): Promise<Recipient[]> {
  const all: Recipient[] = [];
  for (const mail of admin) {
    const person = await directory.findByMail(mail).catch((error: unknown) => {
      logger.warn({ err: error }, 'the directory does not answer; the admin is told in the company’s language');
      return null;
    });
    all.push({ name: person?.name ?? mail, mail, language: person?.language ?? language });
  }
  return all;
}

export interface Watch {
  /** Ends the look that is under way. */
  stop(): Promise<void>;
}

/** setInterval takes no more. */
const LONGEST = 2 ** 31 - 1;

/** @param parts `every`: milliseconds between looks; the first comes at once */
export function startWatch(parts: WatchParts & { readonly every: number }): Watch {
  let running: Promise<void> = Promise.resolve();
  const round = (): void => {
    running = running.then(async () => {
      try {
        await watchOnce(parts);
      } catch (error) {
        parts.logger.error({ err: error }, 'the watch could not do its work; trying again at the next look');
      }
    });
  };
  const timer = setInterval(round, Math.min(parts.every, LONGEST));
  round();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
