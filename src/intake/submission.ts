/** From an admitted message's bytes to the Submission that it asks for. The same for gatekeeper and LMTP. */
import { createHash } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import type { Directory, Person } from '../directory/directory.ts';
import { cleanLine, cleanText } from '../outbound/clean.ts';
import { allowedLevels } from '../policy/policy.ts';
import type { Level, Submission } from '../requests/model.ts';
import { addressesOf } from './addresses.ts';
import { sortAttachments } from './attachments.ts';
import { automaticReason, MAX_RECEIVED } from './automatic.ts';
import { decodeUnstructured, UndecodableWord } from './encoded-words.ts';
import { MAX_HEADER, passGate } from './message-gate.ts';
import { asksForSeal, type Parties, readParties } from './parties.ts';
import { type RawMessage, rawValue } from './raw-message.ts';
import { refusals } from './refusals.ts';
import { readSubject } from './subject.ts';
import { type Authenticated, maySendFor } from './who.ts';

export interface SubmissionContext {
  readonly directory: Directory;
  readonly config: Pick<Config, 'domains' | 'mail' | 'levels' | 'requests' | 'seal' | 'documents' | 'policy'>;
}

/** What one message may have; after the gatekeeper, mail servers of ours add to it. */
export interface MessageLimits {
  /** Bytes. */
  readonly maxHeader: number;
  readonly maxReceived: number;
}

/** Limits at the gatekeeper. */
export const ADMITTED: MessageLimits = { maxHeader: MAX_HEADER, maxReceived: MAX_RECEIVED };
/** Limits behind it: whatever was admitted must pass, however many servers of ours it went through. */
export const DELIVERED: MessageLimits = { maxHeader: 3 * MAX_HEADER, maxReceived: 2 * MAX_RECEIVED };

export interface Asked {
  readonly submission: Submission;
  readonly named: Parties['named'];
}

const MAX_SUBJECT = 2000;
const MAX_TEXT = 20_000;
/** The fields that decide something. A signature that is believed covers all of them (senders/coverage.ts). */
const KEY_FIELDS = ['message-id', 'from', 'to', 'cc', 'subject', 'date'];

/**
 * @param raw whole message
 * @param actor who was authenticated: never taken from the message. The request is in the name of whom From names: this
 *   person, or somebody whose delegate they are
 * @param method how they were authenticated
 * @param at when it was admitted: deadlines count from here, however often it is delivered
 * @throws Refusal, DirectoryUnavailable
 */
export async function readSubmission(
  raw: Buffer,
  actor: Person,
  method: Authenticated['method'],
  at: Date,
  queueId: string | null,
  context: SubmissionContext,
  limits: MessageLimits,
): Promise<Asked> {
  const { config, directory } = context;
  const mail = await passGate(raw, limits.maxHeader);
  const { message } = mail;
  const automatic = automaticReason(
    message,
    config.domains.map(({ sign }) => sign),
    limits.maxReceived,
  );
  if (automatic !== null) throw refusals.automatic(automatic);
  const sender = await authorOf(message, actor, context);
  const subject = readSubjectText(message);
  const ask = readSubject(subject, {
    defaultLevel: config.levels.default,
    offered: config.levels.offered,
    addressed: asksForSeal(message, config.domains) ? 'seal' : null,
    defaultMode: config.requests.mode,
    maxExpiry: config.requests.maxExpiry,
    now: at,
  });
  if (ask.level === 'seal' && !maySeal(sender, config.seal.allowed)) throw refusals.sealNotAllowed();
  const parties = await readParties(message, sender, ask.level, {
    directory,
    domains: config.domains,
    serviceLocal: config.mail.from,
    maxGroupMembers: config.requests.maxGroupMembers,
  });
  checkPolicy(parties.signatories, sender, ask.level, config);
  const { documents, passedOver } = sortAttachments(mail, config.mail.maxDocuments, config.documents.otherFiles);
  const file = documents.find(({ kind }) => kind !== undefined);
  if (file !== undefined && ask.level === 'standard') throw refusals.standardNeedsPdf(file.name);
  // A relaxed signature of the mail (RFC 6376 §3.4.4) holds whatever becomes of its white space.
  const changeable = mail.attachments.find(
    ({ base64, bytes }) => !base64 && documents.some(document => document.bytes === bytes),
  );
  if (changeable && (method === 'dmarc' || method === 'arc')) throw refusals.changeableDocument();
  const messageId = rawValue(message, 'message-id')!;
  return {
    named: parties.named,
    submission: {
      sender,
      signatories: parties.signatories,
      copies: parties.copies,
      ...ask,
      documents,
      passedOver,
      subject: cleanLine(subject, MAX_SUBJECT),
      text: cleanText(mail.text, MAX_TEXT),
      messageId,
      references: references(message),
      key: submissionKey(message, sender, documents),
      queueId,
    },
  };
}

/** @throws Refusal with everybody whom this person may not ask at this level */
function checkPolicy(
  signatories: readonly Person[],
  sender: Person,
  level: Level,
  { policy, levels }: Pick<Config, 'policy' | 'levels'>,
): void {
  const offered = levels.offered.filter(one => one !== 'seal');
  const refused = signatories
    .map(({ mail, ...person }) => ({ mail, levels: allowedLevels(policy, sender, { mail, ...person }, offered) }))
    .filter(({ levels }) => !levels.includes(level));
  if (refused.length > 0) throw refusals.mayNotAsk(level, refused);
}

function maySeal({ id, groups }: Person, allowed: Config['seal']['allowed']): boolean {
  return allowed === 'everyone' || allowed.some(name => name === id || groups.includes(name));
}

/**
 * The person in From (exactly one, with one mailbox): the one who sent it, or one who names them as a delegate. Sender,
 * where there is one, must be one of the two (RFC 5322 §3.6.2).
 *
 * @throws Refusal
 */
export async function authorOf(
  message: RawMessage,
  actor: Person,
  { directory }: Pick<SubmissionContext, 'directory'>,
): Promise<Person> {
  const personIn = async (key: 'from' | 'sender', field: string): Promise<Person | null> => {
    const addresses = addressesOf(message, key);
    if (addresses.length !== 1) throw refusals.badAddressField(field, 'it names several people, and one has to ask');
    return directory.findByMail(addresses[0]!.address);
  };
  const author = await personIn('from', 'From');
  if (!author || !maySendFor(actor, author)) throw refusals.senderDiffers('From');
  if (rawValue(message, 'sender') !== null) {
    const sender = await personIn('sender', 'Sender');
    if (sender?.id !== actor.id && sender?.id !== author.id) throw refusals.senderDiffers('Sender');
  }
  return author;
}

/** @throws Refusal */
function readSubjectText(message: RawMessage): string {
  const raw = rawValue(message, 'subject') ?? '';
  if (raw.length > MAX_SUBJECT * 4) throw refusals.malformed('its subject is too long');
  try {
    const text = decodeUnstructured(Buffer.from(raw, 'latin1'));
    if (text.length > MAX_SUBJECT) throw refusals.malformed('its subject is too long');
    return text;
  } catch (error) {
    if (error instanceof UndecodableWord) throw refusals.badSubject();
    throw error;
  }
}

/** Message-IDs that the mail refers to, oldest first, at most 50. */
export function references(message: RawMessage): string[] {
  const text = `${rawValue(message, 'references') ?? ''} ${rawValue(message, 'in-reply-to') ?? ''}`;
  const ids = text.match(/<[\x21-\x3b\x3d\x3f-\x7e]{1,250}>/g) ?? [];
  return [...new Set(ids)].slice(-50);
}

/**
 * What makes two deliveries the same request (DESIGN.md decision 3): not queue id, Received or verdict, which a retry
 * changes, and not the MIME dress, which a relay may change. Only what the company's own signature covers counts,
 * however this delivery was proven: else whoever holds a signed copy could make a second request of it by changing the
 * rest, or by sending it another way than its author did (DKIM replay).
 */
function submissionKey(message: RawMessage, sender: Person, documents: readonly { readonly bytes: Buffer }[]): string {
  const fields = KEY_FIELDS.map(key => [key, rawValue(message, key)?.replace(/[ \t]+/g, ' ') ?? null]);
  const digests = documents.map(({ bytes }) => createHash('sha256').update(bytes).digest('hex'));
  return createHash('sha256')
    .update(JSON.stringify([sender.id, fields, digests]))
    .digest('hex');
}
