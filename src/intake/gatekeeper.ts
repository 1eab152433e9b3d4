/**
 * The gatekeeper: a milter handler that admits a message to the sign domains or says why not, while the sender is still
 * on the line (DESIGN.md decision 2). Mail that has no recipient on a sign domain is none of its business: it passes
 * unread, because the same mail server also carries the company's other mail and our own.
 */
import type { Logger } from 'pino';
import type {
  ClientInfo,
  HeaderField,
  Macros,
  MilterHandler,
  Verdict as MilterVerdict,
  Modifications,
} from '../../milter/handler.ts';
import type { Config } from '../config/schema.ts';
import type { Dns } from '../dns/resolver.ts';
import { parseOwnAddress } from '../outbound/addresses.ts';
import { type Replies, repliesAddress } from '../replies/replies.ts';
import { TooManyRequests } from '../requests/requests.ts';
import { type Connection, type ProofRules, prove, screen } from '../senders/domain-proof.ts';
import { writeResults } from '../senders/results.ts';
import type { Admission } from '../store/admissions.ts';
import { type Address, parseAddress } from './addresses.ts';
import { Budget } from './budget.ts';
import { readCheckId } from './check-address.ts';
import { checkRelayed, type JudgeDeps, judgeRequest } from './judge.ts';
import { passHead } from './message-gate.ts';
import { removeForged } from './own-fields.ts';
import { isMailDomain, type PartiesContext, resolveOnSignDomain, signDomain } from './parties.ts';
import { splitMessage } from './raw-message.ts';
import { Refusal } from './refusal.ts';
import { refusals } from './refusals.ts';
import { ambiguousLine } from './texts/en.ts';
import { toRefusal } from './to-refusal.ts';
import { type Recipient, Transaction } from './transaction.ts';
import { signVerdict, VERDICT_HEADER, type VerdictKey } from './verdict.ts';
import { type Authenticated, authenticate, relayMatcher } from './who.ts';

export interface GatekeeperDeps extends JudgeDeps {
  readonly config: Pick<
    Config,
    'domains' | 'mail' | 'senders' | 'levels' | 'requests' | 'seal' | 'documents' | 'policy'
  >;
  /** Asked about the domains of senders who did not log in. */
  readonly dns: Dns;
  /** Judges mail to addresses of ours. */
  readonly replies: Pick<Replies, 'judge'>;
  /** The newest first: it signs. */
  readonly verdictKeys: readonly [VerdictKey, ...VerdictKey[]];
  /** Remembers what became of each message, for `signpost why`. */
  readonly note?: (admission: Admission) => void;
  readonly now: () => Date;
  readonly log: Logger;
}

/** How many messages of full size are kept at a time for clients who have not said who they are. */
const STRANGERS_AT_ONCE = 4;

/** Addresses of ours that one mail may go to: for each the whole mail is read. */
const MOST_OWN = 10;

const CONTINUE: MilterVerdict = { action: 'continue' };

/** A factory of handlers, one per SMTP connection. */
export function createGatekeeper(deps: GatekeeperDeps): () => MilterHandler {
  // Read again for each connection: the list may change while the gateway runs.
  const isRelay = () => relayMatcher(deps.config.mail.authenticatingRelays);
  const budget = new Budget(STRANGERS_AT_ONCE * deps.config.mail.maxMessageSize);
  return () => new Gatekeeper(deps, isRelay(), budget);
}

class Gatekeeper implements MilterHandler {
  readonly #deps: GatekeeperDeps;
  readonly #isRelay: (address: string) => boolean;
  readonly #budget: Budget;
  #client: ClientInfo | null = null;
  #helo = '';
  #transaction: Transaction | null = null;

  constructor(deps: GatekeeperDeps, isRelay: (address: string) => boolean, budget: Budget) {
    this.#deps = deps;
    this.#isRelay = isRelay;
    this.#budget = budget;
  }

  connect(client: ClientInfo): MilterVerdict {
    this.#client = client;
    return CONTINUE;
  }

  helo(name: string): MilterVerdict {
    this.#helo = name;
    return CONTINUE;
  }

  /** Refuses nothing yet: whether this is mail for us shows at RCPT. */
  mail(address: string, _parameters: readonly string[], macros: Macros): MilterVerdict {
    this.#forget();
    const { mail } = this.#deps.config;
    this.#transaction = new Transaction(address, macros, this.#budget, () => mail.maxMessageSize);
    return CONTINUE;
  }

  rcpt(address: string, _parameters: readonly string[], macros: Macros): Promise<MilterVerdict> {
    return this.#answer(macros, { recipient: address }, async transaction => {
      const { domains } = this.#deps.config;
      const parsed = parseAddress(address);
      const domain = parsed?.domain ?? address.slice(address.lastIndexOf('@') + 1).toLowerCase();
      if (signDomain(domain, domains)) {
        if (!parsed) throw refusals.badRecipientSyntax();
        if (transaction.external !== null) throw refusals.externalBefore(transaction.external);
        transaction.recipients.push(await this.#admitRecipient(transaction, parsed));
        return;
      }
      // Whatever else the mail server rewrites to a sign domain (a dot at its end, "%", "!") would pass here unread.
      if (signDomain(domainAfterRewriting(macros), domains)) throw refusals.badRecipientSyntax();
      const outside = !isMailDomain(domain, domains);
      if (outside && transaction.isForUs) {
        throw refusals.externalRecipient(address);
      }
      if (outside) transaction.external ??= address;
      else if (parsed) transaction.recipients.push({ address: parsed, personId: null, onSignDomain: false });
    });
  }

  async #admitRecipient(transaction: Transaction, address: Address): Promise<Recipient> {
    const own = parseOwnAddress(address.local);
    if (own?.kind === 'check') {
      if (readCheckId(own.id, this.#deps.verdictKeys, this.#deps.now()) === null) throw refusals.checkAddress();
      return { address, personId: null, onSignDomain: true };
    }
    if (transaction.sender === '') {
      if (!repliesAddress(address.local)) throw refusals.nullSender();
      return { address, personId: null, onSignDomain: true };
    }
    // Before any look-up: strangers learn nothing about who exists.
    transaction.who ??= await authenticate(
      transaction.sender,
      this.#client,
      transaction.macros,
      this.#deps.directory,
      this.#isRelay,
      this.#deps.config.mail.relayCertificates,
    );
    if (!transaction.who) {
      this.#admitStranger(transaction);
      return { address, personId: null, onSignDomain: true };
    }
    return this.#resolve(address, transaction.who);
  }

  /** Who names no address of ours as sender can't prove that it is theirs. @throws Refusal */
  #admitStranger(transaction: Transaction): void {
    const { config } = this.#deps;
    const sender = parseAddress(transaction.sender);
    if (!config.senders.dmarc || !sender || !isMailDomain(sender.domain, config.domains)) {
      throw refusals.notAuthenticated();
    }
    transaction.stranger = true;
  }

  async #resolve(address: Address, who: Authenticated): Promise<Recipient> {
    if (repliesAddress(address.local)) return { address, personId: null, onSignDomain: true };
    const entry = signDomain(address.domain, this.#deps.config.domains)!;
    const resolution = await resolveOnSignDomain(address, entry, who.person, this.#context());
    if (resolution.kind === 'own') throw resolution.refusal;
    if (resolution.kind === 'unknown') throw refusals.unknownRecipient(address.address, resolution.suggestions);
    if (resolution.kind === 'ambiguous') throw refusals.badRecipients([ambiguousLine(address.address)]);
    // Of a group, the address itself must stand in To or Cc.
    const personId = resolution.kind === 'person' ? resolution.person.id : null;
    return { address, personId, onSignDomain: true };
  }

  /** Of mail that has no recipient on a sign domain, the mail server need not even send the rest. */
  data(): MilterVerdict {
    return this.#transaction?.isForUs ? CONTINUE : { action: 'accept' };
  }

  header(field: HeaderField): MilterVerdict {
    this.#transaction?.header(field);
    return CONTINUE;
  }

  async endOfHeaders(macros: Macros): Promise<MilterVerdict> {
    this.#transaction?.collect(Buffer.from('\r\n'));
    const verdict = await this.#answer(macros, {}, async transaction => {
      if (transaction.longHeader) throw refusals.malformed('its header is too long');
      if (!transaction.stranger) return;
      const head = passHead(transaction.read());
      transaction.claim = screen(head, this.#connection(transaction), this.#rules(), this.#deps.now());
    });
    // Refused: nothing of the body is wanted.
    if (verdict !== CONTINUE) this.#forget();
    return verdict;
  }

  body(chunk: Uint8Array): MilterVerdict {
    this.#transaction?.collect(chunk);
    return CONTINUE;
  }

  #forget(): void {
    this.#transaction?.end();
    this.#transaction = null;
  }

  endOfMessage(modifications: Modifications, macros: Macros): Promise<MilterVerdict> {
    const current = this.#transaction;
    const answer = this.#answer(macros, {}, async transaction => {
      if (!transaction.isForUs) return;
      const { config, verdictKeys, log, now } = this.#deps;
      if (transaction.tooBig) throw refusals.tooBig(config.mail.maxMessageSize);
      if (transaction.crowdedOut) throw refusals.tooManyStrangers();
      const raw = transaction.take();
      const time = now();
      const queueId = macros.get('i') ?? '';
      if (transaction.stranger) await this.#proveSender(raw, transaction, time);
      const asked = (await this.#judgeOwn(raw, transaction))
        ? null
        : transaction.who && (await judgeRequest(raw, transaction, transaction.who, time, queueId, this.#deps));
      const id = (macros.get('j') ?? config.domains[0]!.sign).toLowerCase();
      removeForged(modifications, transaction, [...config.domains.map(({ sign }) => sign), id]);
      // Before all that came in (RFC 8601 §5).
      modifications.insertHeader(0, 'Authentication-Results', writeResults(id, transaction.who?.results ?? []));
      const verdict = {
        senderId: transaction.who?.person.id ?? '',
        method: transaction.who?.method ?? ('bounce' as const),
        time,
        queueId,
        recipients: transaction.recipients
          .filter(recipient => recipient.onSignDomain)
          .map(({ address }) => address.address),
      };
      modifications.addHeader(VERDICT_HEADER, signVerdict(verdict, splitMessage(raw), verdictKeys[0]));
      log.info(
        {
          queueId,
          sender: verdict.senderId,
          method: verdict.method,
          recipients: verdict.recipients.length,
          messageId: transaction.messageId,
          inTheNameOf: asked?.submission.sender.id,
          level: asked?.submission.level,
          documents: asked?.submission.documents.length,
          bytes: raw.length,
        },
        'message admitted',
      );
      this.#note(transaction, queueId, verdict.recipients, 250, 'admitted');
    });
    return answer.finally(() => {
      if (this.#transaction === current) this.#forget();
    });
  }

  /** Now that the whole message is there: its domain proves who sent it, and its recipients can be looked up. */
  async #proveSender(raw: Buffer, transaction: Transaction, time: Date): Promise<void> {
    const { directory, dns } = this.#deps;
    if (!transaction.claim) throw refusals.notAuthenticated();
    const proof = await prove(raw, transaction.claim, this.#connection(transaction), this.#rules(), dns, time);
    const person = await directory.findByMail(transaction.sender);
    if (!person) throw refusals.unknownSender(transaction.sender);
    const who = { person, ...proof };
    transaction.who = who;
    transaction.recipients = await Promise.all(
      transaction.recipients.map(recipient =>
        recipient.onSignDomain ? this.#resolve(recipient.address, who) : recipient,
      ),
    );
  }

  #connection({ sender }: Transaction): Connection {
    return { address: this.#client?.address ?? '', helo: this.#helo, sender };
  }

  #rules(): ProofRules {
    const { domains, senders } = this.#deps.config;
    return { domains, ...senders };
  }

  /** False when the mail is to nobody but people; to an address of ours and to people is refused. */
  async #judgeOwn(raw: Buffer, { recipients, sender, who }: Transaction): Promise<boolean> {
    const ours = recipients.filter(({ onSignDomain }) => onSignDomain);
    const own = ours.flatMap(({ address }) => repliesAddress(address.local) ?? []);
    if (own.length === 0) return false;
    if (own.length < ours.length || own.length > MOST_OWN) throw refusals.requestAddress();
    if (who) checkRelayed(raw, sender, who);
    await this.#deps.reading(() => this.#deps.replies.judge(raw, own, who));
    return true;
  }

  abort(): void {
    this.#forget();
  }

  close(): void {
    this.#forget();
  }

  #context(): PartiesContext {
    const { directory, config } = this.#deps;
    return {
      directory,
      domains: config.domains,
      serviceLocal: config.mail.from,
      maxGroupMembers: config.requests.maxGroupMembers,
    };
  }

  #note(
    { sender, who, messageId }: Transaction,
    queueId: string | null,
    recipients: readonly string[],
    code: number,
    text: string,
  ): void {
    this.#deps.note?.({
      at: this.#deps.now(),
      stage: 'gate',
      queueId: queueId || null,
      messageId,
      sender,
      client: this.#client?.address ?? null,
      recipients,
      method: who?.method ?? null,
      code,
      text,
      requestId: null,
    });
  }

  /** Turns what went wrong into the reply that the client hears; a fault of ours is never permanent. */
  async #answer(
    macros: Macros,
    facts: Record<string, string>,
    work: (transaction: Transaction) => Promise<void>,
  ): Promise<MilterVerdict> {
    const transaction = this.#transaction;
    if (!transaction) return CONTINUE;
    try {
      await work(transaction);
      return CONTINUE;
    } catch (error) {
      const refusal = toRefusal(error);
      const about = {
        queueId: macros.get('i') ?? null,
        messageId: transaction.messageId,
        client: this.#client?.address,
        sender: transaction.sender,
        ...facts,
        code: refusal.code,
        reason: refusal.message,
      };
      if (error instanceof Refusal || error instanceof TooManyRequests) this.#deps.log.info(about, 'refused');
      else this.#deps.log.error({ ...about, err: error }, 'put off by a fault of ours');
      const recipients = facts.recipient ?? transaction.recipients.map(({ address }) => address.address);
      this.#note(
        transaction,
        about.queueId,
        [recipients].flat(),
        refusal.code,
        `${refusal.enhanced} ${refusal.message}`,
      );
      return {
        action: 'reply',
        code: refusal.code,
        enhanced: refusal.enhanced,
        text: refusal.textFor(transaction.who?.person.language ?? 'en'),
      };
    }
  }
}

/** Domain of the recipient as Postfix will deliver it, by its {rcpt_addr}; '' when it doesn't say. */
function domainAfterRewriting(macros: Macros): string {
  const address = macros.get('rcpt_addr') ?? '';
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase();
}
