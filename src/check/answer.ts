/** The gateway's part in `signpost check --mail`: a message that came in is answered to the gateway itself, once. */
import type { Logger } from 'pino';
import { checkId, readCheckId } from '../intake/check-address.ts';
import type { VerdictKey } from '../intake/verdict.ts';
import { checkAddress } from '../outbound/addresses.ts';
import type { MailComposer } from '../outbound/mail.ts';
import type { Store } from '../store/store.ts';

export interface AnswerParts {
  readonly store: Store;
  readonly composer: MailComposer;
  /** The first sign domain. */
  readonly domain: string;
  readonly verdictKeys: readonly [VerdictKey, ...VerdictKey[]];
  readonly now: () => Date;
  readonly logger: Logger;
  readonly wake: () => void;
}

/** The outbox row of the answer: it follows from the id of the check, so that there is one, and so that the command finds it. */
export const answerRow = (id: string): string => id.slice(-16);

/** @param id of the address that the message came to; safe to repeat */
export async function answerCheck(parts: AnswerParts, id: string): Promise<void> {
  const { store, domain, verdictKeys, now, logger } = parts;
  const said = readCheckId(id, verdictKeys, now());
  if (said === null) return;
  logger.info({ leg: said.leg, check: said.number }, 'a message of signpost check came through');
  if (said.leg === 'back') return;
  const time = now();
  const rowId = answerRow(id);
  const back = checkAddress(checkId('back', said.number, time, verdictKeys[0]), domain);
  const to = { name: 'Signpost', mail: back, language: 'en' as const };
  const mail = await parts.composer.compose({ kind: 'check-answer' }, to, rowId, time);
  const row = {
    id: rowId,
    requestId: null,
    kind: 'check-answer',
    topic: '',
    recipient: back,
    envelopeFrom: mail.envelope.from,
    messageId: mail.messageId,
    blob: await store.blobs.put(mail.bytes),
    state: 'pending' as const,
    attempts: 0,
    nextAttemptAt: time,
    lastReply: null,
    createdAt: time,
  };
  // False: it was answered before.
  if (await store.requests.commit({ outbox: [row] })) parts.wake();
}
