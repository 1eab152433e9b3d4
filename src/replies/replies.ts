/**
 * Mail to the gateway's own addresses: replies to a request (request+ID@, the Reply-To of what we send) and what comes
 * to the return path of our mails (bounce+ROW@). The gatekeeper asks `judge` while the sender is on the line; what it
 * admits comes by LMTP to `take`. Both read the message the same way.
 */
import { createHash } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import { addressesOf } from '../intake/addresses.ts';
import { isSelfAnswer, listOrLoopReason } from '../intake/automatic.ts';
import { type GatedMessage, passGate } from '../intake/message-gate.ts';
import { signDomain } from '../intake/parties.ts';
import { type RawMessage, rawValue } from '../intake/raw-message.ts';
import { refusals } from '../intake/refusals.ts';
import { ADMITTED, authorOf, DELIVERED, references } from '../intake/submission.ts';
import type { Verdict } from '../intake/verdict.ts';
import type { Authenticated } from '../intake/who.ts';
import { parseOwnAddress } from '../outbound/addresses.ts';
import { actByReply, type Command, mayDo, type Outcome, tooManyAnswers, whoMay } from '../requests/by-reply.ts';
import type { Deps } from '../requests/deps.ts';
import { partyOf } from '../requests/mails.ts';
import { parseCommand } from './commands.ts';
import { firstLine } from './first-line.ts';
import { noteReturned, passOn, rowReferredTo, rowTo } from './returned.ts';

export type RepliesAddress =
  | { readonly kind: 'bounce'; readonly rowId: string }
  | { readonly kind: 'request'; readonly requestId: string };

/** What a local part on the sign domain names, when mail to it is for us. */
export function repliesAddress(local: string): RepliesAddress | null {
  const own = parseOwnAddress(local);
  return own?.kind === 'bounce' || own?.kind === 'request' ? own : null;
}

export interface Replies {
  /**
   * @param who null: the null sender
   * @throws Refusal
   */
  judge(raw: Buffer, to: readonly RepliesAddress[], who: Authenticated | null): Promise<void>;
  /** Safe when it resolves, and safe to repeat; the outcome in a word. @throws Refusal */
  take(raw: Buffer, to: RepliesAddress, verdict: Verdict): Promise<string>;
}

type RepliesDeps = Deps & { readonly config: Pick<Config, 'domains'> };

export function createReplies(deps: RepliesDeps): Replies {
  return {
    async judge(raw, to, who) {
      for (const address of to) await (who ? judgeReply(deps, raw, address, who) : judgeReturned(deps, raw, address));
    },
    async take(raw, to, verdict) {
      const outcome = await takeIn(deps, raw, to, verdict);
      deps.logger.info({ queueId: verdict.queueId, kind: to.kind, outcome }, 'mail to an address of ours taken');
      return outcome;
    },
  };
}

/** Delivery reports come to return paths. To a request comes an answer only where it names a mail of ours about it. */
async function judgeReturned(deps: RepliesDeps, raw: Buffer, to: RepliesAddress): Promise<void> {
  if (to.kind === 'bounce') return;
  const { message } = await passGate(raw, ADMITTED.maxHeader);
  if ((await rowReferredTo(deps, to.requestId, references(message))) === null) throw refusals.nullSender();
}

async function judgeReply(deps: RepliesDeps, raw: Buffer, to: RepliesAddress, who: Authenticated): Promise<void> {
  const mail = await passGate(raw, ADMITTED.maxHeader);
  const { message } = mail;
  const machine = listOrLoopReason(message, ownDomains(deps), ADMITTED.maxReceived);
  if (machine !== null) throw refusals.automatic(machine);
  const automatic = isSelfAnswer(message);
  if (to.kind === 'bounce') {
    if (!automatic) throw refusals.bounceAddress();
    return;
  }
  const author = await authorOf(message, who.person, deps);
  const request = await deps.store.requests.find(to.requestId);
  const party = request && partyOf(request, author.id);
  // The same for a request of others as for none.
  if (!request || !party) throw refusals.notYourRequest();
  if (automatic) return;
  checkNamed(deps, message, to.requestId);
  const command = commandOf(mail);
  if (command && !mayDo(request, author.id, command))
    throw whoMay(command) === 'sender' ? refusals.onlyTheSender() : refusals.onlySignatories();
  if (tooManyAnswers(await deps.store.outbox.listForRequest(request.id), party, deps.now()))
    throw refusals.tooManyReplies();
}

/** A mail that was written to others, and only sent here, is no reply to this request. @throws Refusal */
function checkNamed({ config }: RepliesDeps, message: RawMessage, requestId: string): void {
  const named = [...addressesOf(message, 'to'), ...addressesOf(message, 'cc')].some(({ local, domain }) => {
    const own = signDomain(domain, config.domains) ? repliesAddress(local) : null;
    return own?.kind === 'request' && own.requestId === requestId;
  });
  if (!named) throw refusals.notYourRequest();
}

async function takeIn(
  deps: RepliesDeps,
  raw: Buffer,
  to: RepliesAddress,
  { senderId, method, queueId }: Verdict,
): Promise<Outcome | 'bounced' | 'passed-on' | 'left-alone'> {
  if (to.kind === 'bounce' && method === 'bounce') return noteReturned(deps, to.rowId, raw);
  const mail = await passGate(raw, DELIVERED.maxHeader);
  const { message, text } = mail;
  const author = method === 'bounce' ? null : await personOf(deps, senderId, message);
  if (to.kind === 'bounce') return passOn(deps, await deps.store.outbox.find(to.rowId), message, text);
  if (!author || isSelfAnswer(message)) {
    const row =
      (await rowReferredTo(deps, to.requestId, references(message))) ??
      (author && (await rowTo(deps, to.requestId, author.id)));
    return passOn(deps, row, message, text);
  }
  const messageId = rawValue(message, 'message-id')!;
  return actByReply(deps, {
    requestId: to.requestId,
    personId: author.id,
    command: commandOf(mail),
    said: sha256((firstLine(text) ?? '').toLowerCase()),
    key: sha256(JSON.stringify([author.id, messageId])),
    messageId,
    references: references(message),
    method,
    queueId,
  });
}

/** Who wrote it: whom From names, in whose name the authenticated person may write. @throws Refusal */
async function personOf(deps: RepliesDeps, senderId: string, message: RawMessage) {
  const person = await deps.directory.findById(senderId);
  // They have left meanwhile.
  if (!person) throw refusals.unknownSender(addressesOf(message, 'from')[0]?.address ?? '');
  return authorOf(message, person, deps);
}

function commandOf({ text }: Pick<GatedMessage, 'text'>): Command | null {
  const line = firstLine(text);
  return line === null ? null : parseCommand(line);
}

function ownDomains({ config }: RepliesDeps): string[] {
  return config.domains.map(({ sign }) => sign);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
