/** What a whole message asks for, before the mail server says 250: everything that can be refused is refused here. */
import type { Config } from '../config/schema.ts';
import type { Directory } from '../directory/directory.ts';
import { DocumentRefused, type Documents } from '../documents/documents.ts';
import type { Submission } from '../requests/model.ts';
import type { ReadXml } from '../signatures/xades.ts';
import { XmlRefused } from '../signatures/xml/gate.ts';
import { addressesOf, parseAddress } from './addresses.ts';
import type { Limit } from './at-most.ts';
import { splitMessage } from './raw-message.ts';
import { refusals } from './refusals.ts';
import { ADMITTED, type Asked, readSubmission, type SubmissionContext } from './submission.ts';
import type { Transaction } from './transaction.ts';
import type { Authenticated } from './who.ts';

export interface JudgeDeps {
  readonly config: SubmissionContext['config'] & Pick<Config, 'domains'>;
  readonly directory: Directory;
  readonly documents: Pick<Documents, 'inspect'>;
  /** Reads XML in a child, to refuse what is hostile. */
  readonly readXml: ReadXml;
  /** Whether the sender may ask for this one, too. @throws TooManyRequests */
  readonly checkLimits: (submission: Submission) => Promise<void>;
  /** Bounds how many large messages are read at a time: each takes several times its size in memory. */
  readonly reading: Limit;
}

/** @throws Refusal, TooManyRequests, DirectoryUnavailable */
export async function judgeRequest(
  raw: Buffer,
  { recipients, sender }: Pick<Transaction, 'recipients' | 'sender'>,
  who: Authenticated,
  time: Date,
  queueId: string,
  deps: JudgeDeps,
): Promise<Asked> {
  const asked = await deps.reading(() => readSubmission(raw, who.person, who.method, time, queueId, deps, ADMITTED));
  checkRelayed(raw, sender, who);
  const hidden = recipients.filter(({ address, personId }) => {
    const named = personId === null ? false : asked.named.persons.has(personId);
    return !named && !asked.named.addresses.has(address.address);
  });
  if (hidden.length > 0) throw refusals.hiddenRecipient(hidden.map(({ address }) => address.address));
  await deps.checkLimits(asked.submission);
  for (const document of asked.submission.documents) await inspect(document, asked.submission, deps);
  return asked;
}

async function inspect(
  { name, bytes, kind }: Submission['documents'][number],
  { level }: Submission,
  { documents, readXml }: JudgeDeps,
): Promise<void> {
  try {
    if (kind === 'xml') await readXml(bytes);
    if (kind !== undefined) return;
    const { signatures } = await documents.inspect(bytes);
    if (signatures !== undefined && level === 'standard') throw refusals.document(name, 'already-signed-standard');
  } catch (error) {
    if (error instanceof DocumentRefused) throw refusals.document(name, error.reason);
    if (error instanceof XmlRefused) throw refusals.xml(name, error.message);
    throw error;
  }
}

/** A relay has checked the envelope sender, and nobody has checked who else it may write as. @throws Refusal */
export function checkRelayed(raw: Buffer, sender: string, { method }: Authenticated): void {
  const [from] = method === 'relay' ? addressesOf(splitMessage(raw), 'from') : [];
  if (from && from.address !== parseAddress(sender)?.address) throw refusals.relaySenderDiffers(sender);
}
