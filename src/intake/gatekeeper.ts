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
import { type Directory, DirectoryUnavailable } from '../directory/directory.ts';
import { DocumentRefused, type Documents } from '../documents/documents.ts';
import { parseOwnAddress } from '../outbound/addresses.ts';
import type { Submission } from '../requests/model.ts';
import { TooManyRequests } from '../requests/requests.ts';
import type { ReadXml } from '../signatures/xades.ts';
import { XmlRefused } from '../signatures/xml/gate.ts';
import { isDiskFull } from '../store/errors.ts';
import { type Address, parseAddress } from './addresses.ts';
import type { Limit } from './at-most.ts';
import { isMailDomain, type PartiesContext, resolveOnSignDomain, signDomain } from './parties.ts';
import { splitMessage, unfold } from './raw-message.ts';
import { ambiguousLine, Refusal, refusals } from './refusal.ts';
import { ADMITTED, type Asked, readSubmission } from './submission.ts';
import { signVerdict, VERDICT_HEADER, type VerdictKey } from './verdict.ts';
import { type Authenticated, authenticate, relayMatcher } from './who.ts';

export interface GatekeeperDeps {
  readonly config: Pick<Config, 'domains' | 'mail' | 'levels' | 'requests' | 'seal' | 'documents'>;
  readonly directory: Directory;
  readonly documents: Pick<Documents, 'inspect'>;
  /** Reads XML in a child, to refuse what is hostile. */
  readonly readXml: ReadXml;
  /** The newest first: it signs. */
  readonly verdictKeys: readonly [VerdictKey, ...VerdictKey[]];
  /** Whether the sender may ask for this one, too. @throws TooManyRequests */
  readonly checkLimits: (submission: Submission) => Promise<void>;
  /** Bounds how many large messages are read at a time: each takes several times its size in memory. */
  readonly reading: Limit;
  readonly now: () => Date;
  readonly log: Logger;
}

const CONTINUE: MilterVerdict = { action: 'continue' };

/** One envelope recipient that passed RCPT. */
interface Recipient {
  readonly address: Address;
  /** Null for addresses on the company's mail domains: they get the mail as mail. */
  readonly personId: string | null;
  readonly onSignDomain: boolean;
}

/** What is known about the message that is coming in. */
interface Transaction {
  readonly sender: string;
  readonly macros: Macros;
  who: Authenticated | null;
  readonly recipients: Recipient[];
  /** The first recipient outside the company, accepted before any on a sign domain. */
  external: string | null;
  chunks: Uint8Array[];
  /** Bytes so far, as on the wire (RFC 1870 §5). Nothing is kept beyond the limit. */
  size: number;
  readonly fields: string[];
  readonly authenticationResults: string[];
  /** As written, for the log. */
  messageId: string | null;
}

/** A factory of handlers, one per SMTP connection. */
export function createGatekeeper(deps: GatekeeperDeps): () => MilterHandler {
  const isRelay = relayMatcher(deps.config.mail.authenticatingRelays);
  return () => new Gatekeeper(deps, isRelay);
}

class Gatekeeper implements MilterHandler {
  readonly #deps: GatekeeperDeps;
  readonly #isRelay: (address: string) => boolean;
  #client: ClientInfo | null = null;
  #transaction: Transaction | null = null;

  constructor(deps: GatekeeperDeps, isRelay: (address: string) => boolean) {
    this.#deps = deps;
    this.#isRelay = isRelay;
  }

  connect(client: ClientInfo): MilterVerdict {
    this.#client = client;
    return CONTINUE;
  }

  /** Refuses nothing yet: whether this is mail for us shows at RCPT. */
  mail(address: string, _parameters: readonly string[], macros: Macros): MilterVerdict {
    this.#transaction = {
      sender: address,
      macros,
      who: null,
      recipients: [],
      external: null,
      chunks: [],
      size: 0,
      fields: [],
      authenticationResults: [],
      messageId: null,
    };
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
      const outside = !isMailDomain(domain, domains);
      if (outside && isForUs(transaction)) {
        throw refusals.externalRecipient(address);
      }
      if (outside) transaction.external ??= address;
      else if (parsed) transaction.recipients.push({ address: parsed, personId: null, onSignDomain: false });
    });
  }

  async #admitRecipient(transaction: Transaction, address: Address): Promise<Recipient> {
    const own = parseOwnAddress(address.local);
    if (transaction.sender === '') {
      if (own?.kind !== 'bounce') throw refusals.nullSender();
      return { address, personId: null, onSignDomain: true };
    }
    if (own?.kind === 'bounce') throw refusals.bounceAddress();
    // Before any look-up: strangers learn nothing about who exists.
    transaction.who ??= await authenticate(
      transaction.sender,
      this.#client,
      transaction.macros,
      this.#deps.directory,
      this.#isRelay,
    );
    const entry = signDomain(address.domain, this.#deps.config.domains)!;
    const resolution = await resolveOnSignDomain(address, entry, transaction.who.person, this.#context());
    if (resolution.kind === 'own') throw resolution.refusal;
    if (resolution.kind === 'unknown') throw refusals.unknownRecipient(address.address, resolution.suggestions);
    if (resolution.kind === 'ambiguous') throw refusals.badRecipients([ambiguousLine(address.address)]);
    return { address, personId: resolution.person.id, onSignDomain: true };
  }

  /** Of mail that has no recipient on a sign domain, the mail server need not even send the rest. */
  data(): MilterVerdict {
    return this.#transaction && isForUs(this.#transaction) ? CONTINUE : { action: 'accept' };
  }

  header(field: HeaderField): MilterVerdict {
    const transaction = this.#transaction;
    if (!transaction) return CONTINUE;
    const name = Buffer.from(field.name).toString('latin1').trim().toLowerCase();
    transaction.fields.push(name);
    if (name === 'authentication-results') {
      transaction.authenticationResults.push(Buffer.from(field.value).toString('latin1'));
    }
    if (name === 'message-id') transaction.messageId ??= unfold(Buffer.from(field.value));
    // Folds arrive separated by LF; on the wire every line ends with CRLF.
    const value = Buffer.from(field.value).toString('latin1').replace(/\r?\n/g, '\r\n');
    this.#collect(Buffer.concat([field.name, Buffer.from(`:${value}\r\n`, 'latin1')]));
    return CONTINUE;
  }

  endOfHeaders(): MilterVerdict {
    this.#collect(Buffer.from('\r\n'));
    return CONTINUE;
  }

  body(chunk: Uint8Array): MilterVerdict {
    this.#collect(chunk);
    return CONTINUE;
  }

  #collect(bytes: Uint8Array): void {
    const transaction = this.#transaction;
    if (!transaction || !isForUs(transaction)) return;
    transaction.size += bytes.length;
    if (transaction.size > this.#deps.config.mail.maxMessageSize) transaction.chunks.length = 0;
    else transaction.chunks.push(bytes);
  }

  endOfMessage(modifications: Modifications, macros: Macros): Promise<MilterVerdict> {
    const current = this.#transaction;
    const answer = this.#answer(macros, {}, async transaction => {
      if (!isForUs(transaction)) return;
      const { config, verdictKeys, log, now } = this.#deps;
      if (transaction.size > config.mail.maxMessageSize) throw refusals.tooBig(config.mail.maxMessageSize);
      const raw = Buffer.concat(transaction.chunks);
      // A large mail is kept once while it waits for its turn.
      transaction.chunks = [];
      const time = now();
      const queueId = macros.get('i') ?? '';
      const asked = transaction.who ? await this.#judge(raw, transaction, transaction.who, time, queueId) : null;
      removeForged(modifications, transaction, [...config.domains.map(({ sign }) => sign), macros.get('j') ?? '']);
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
          level: asked?.submission.level,
          documents: asked?.submission.documents.length,
          bytes: raw.length,
        },
        'message admitted',
      );
    });
    return answer.finally(() => {
      if (this.#transaction === current) this.#transaction = null;
    });
  }

  /** Everything that can be refused is refused here, before the mail server says 250. */
  async #judge(
    raw: Buffer,
    { recipients }: Transaction,
    who: Authenticated,
    time: Date,
    queueId: string,
  ): Promise<Asked> {
    const { config, directory, documents, readXml, checkLimits } = this.#deps;
    const asked = await this.#deps.reading(() =>
      readSubmission(raw, who.person, time, queueId, { config, directory }, ADMITTED),
    );
    const hidden = recipients.filter(({ address, personId }) => {
      const named = personId === null ? false : asked.named.persons.has(personId);
      return !named && !asked.named.addresses.has(address.address);
    });
    if (hidden.length > 0) throw refusals.hiddenRecipient(hidden.map(({ address }) => address.address));
    await checkLimits(asked.submission);
    for (const { name, bytes, kind } of asked.submission.documents) {
      try {
        if (kind === 'xml') await readXml(bytes);
        if (kind !== undefined) continue;
        const { signatures } = await documents.inspect(bytes);
        if (signatures !== undefined && asked.submission.level === 'standard')
          throw refusals.document(name, 'already-signed-standard');
      } catch (error) {
        if (error instanceof DocumentRefused) throw refusals.document(name, error.reason);
        if (error instanceof XmlRefused) throw refusals.xml(name, error.message);
        throw error;
      }
    }
    return asked;
  }

  abort(): void {
    this.#transaction = null;
  }

  close(): void {
    this.#transaction = null;
  }

  #context(): PartiesContext {
    const { directory, config } = this.#deps;
    return { directory, domains: config.domains, serviceLocal: config.mail.from };
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
      return {
        action: 'reply',
        code: refusal.code,
        enhanced: refusal.enhanced,
        text: refusal.textFor(transaction.who?.person.language ?? 'en'),
      };
    }
  }
}

/** Somebody on a sign domain has been accepted. */
function isForUs({ recipients }: Transaction): boolean {
  return recipients.some(({ onSignDomain }) => onSignDomain);
}

/** What the other side hears about an error, whatever it is. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof TooManyRequests) return refusals.tooManyRequests(error.limit, error.allowed);
  if (error instanceof DirectoryUnavailable) return refusals.directoryUnavailable();
  return isDiskFull(error) ? refusals.diskFull() : refusals.ourFault();
}

/** Takes away what only we may write: X-Signpost-* and Authentication-Results in our name (RFC 8601 §5). */
function removeForged(
  modifications: Modifications,
  { fields, authenticationResults }: Transaction,
  ownIds: readonly string[],
): void {
  const counts = new Map<string, number>();
  for (const name of fields) if (name.startsWith('x-signpost-')) counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const [name, count] of counts) {
    // From the last: an earlier deletion must not shift the number of a later one.
    for (let occurrence = count; occurrence >= 1; occurrence -= 1) modifications.deleteHeader(name, occurrence);
  }
  for (let index = authenticationResults.length - 1; index >= 0; index -= 1) {
    const id = /^[\s]*([^\s;]+)/.exec(authenticationResults[index]!)?.[1]?.toLowerCase();
    if (id !== undefined && ownIds.includes(id)) modifications.deleteHeader('Authentication-Results', index + 1);
  }
}
