/** A whole mail through a milter, as an MTA would put it: one call, every stage's verdict, the changed message. */
import type { ContentVerdict, MacroValues, MilterClient } from './client.ts';
import { type ClientInfo, CONTINUE, type Verdict } from './handler.ts';
import { applyModifications, type ModifiedMessage, parseMessage } from './message.ts';
import type { Stage } from './protocol.ts';
import { rejects } from './reply.ts';

export interface Submission {
  readonly client: ClientInfo;
  readonly helo: string;
  readonly sender: string;
  readonly senderParameters?: readonly string[];
  readonly recipients: readonly string[];
  readonly message: Uint8Array;
  readonly macros?: {
    readonly connect?: MacroValues;
    readonly helo?: MacroValues;
    readonly mail?: MacroValues;
    readonly rcpt?: (address: string) => MacroValues;
    readonly data?: MacroValues;
    readonly endOfHeaders?: MacroValues;
    readonly endOfMessage?: MacroValues;
  };
}

export interface SubmissionResult {
  /** The stage whose verdict settled the mail; the milter heard nothing after it. */
  readonly stage: Stage;
  readonly verdict: Verdict;
  /** In order; those not reached are missing. */
  readonly recipients: readonly { readonly address: string; readonly verdict: Verdict }[];
  /** Null when the verdict refuses or discards the mail. */
  readonly result: ModifiedMessage | null;
}

/**
 * Sends one mail on a freshly negotiated client; afterwards that has said `abort` or is between messages.
 * @throws MilterUnavailable
 */
export async function submit(milter: MilterClient, mail: Submission): Promise<SubmissionResult> {
  const { macros = {} } = mail;
  const recipients: { address: string; verdict: Verdict }[] = [];
  const settled = (
    stage: Stage,
    verdict: Verdict,
    modifications: ContentVerdict['modifications'] = [],
  ): SubmissionResult => {
    const taken = verdict.action === 'continue' || verdict.action === 'accept';
    const refused = new Set(recipients.filter(each => rejects(each.verdict)).map(each => each.address));
    const envelope = { sender: mail.sender, recipients: mail.recipients.filter(address => !refused.has(address)) };
    const result = taken
      ? applyModifications(parseMessage(mail.message), envelope, modifications, milter.leadingSpace)
      : null;
    return { stage, verdict, recipients, result };
  };

  const greeted = await milter.greet(mail.client, macros.connect);
  if (greeted.action !== 'continue') return settled('connect', greeted);
  const helo = await milter.helo(mail.helo, macros.helo);
  if (helo.action !== 'continue') return settled('helo', helo);
  const sender = await milter.mail(mail.sender, mail.senderParameters, macros.mail);
  if (sender.action !== 'continue') return settled('mail', sender);

  let refusal: Verdict = CONTINUE;
  for (const address of mail.recipients) {
    const verdict = await milter.rcpt(address, [], macros.rcpt?.(address));
    recipients.push({ address, verdict });
    if (rejects(verdict)) refusal = verdict;
    else if (verdict.action !== 'continue') return settled('rcpt', verdict);
  }
  if (recipients.every(each => rejects(each.verdict))) {
    await milter.abort();
    return settled('rcpt', refusal);
  }
  const data = await milter.data(macros.data);
  if (rejects(data)) await milter.abort();
  if (data.action !== 'continue') return settled('data', data);
  const { stage, verdict, modifications } = await milter.content(mail.message, macros);
  return settled(stage, verdict, modifications);
}
