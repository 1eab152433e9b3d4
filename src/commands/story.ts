/** One message's whole story: what happened when, in plain words, and what is waited for now. */
import { type Entry, parseEntry } from '../evidence/entry.ts';
import type { EvidenceLog } from '../evidence/log.ts';
import type { Request, Session } from '../requests/model.ts';
import type { Admission } from '../store/admissions.ts';
import type { OutboxRow } from '../store/store.ts';

export interface Event {
  readonly at: Date;
  readonly text: string;
}

export interface Story {
  readonly title: string;
  /** In the order of time. */
  readonly events: readonly Event[];
  readonly now: string;
}

/** A message that opened no request, as far as is known. @param admissions at least one, oldest first */
export function messageStory(admissions: readonly Admission[]): Story {
  const [first] = admissions as [Admission];
  const newest = admissions.at(-1)!;
  const named = admissions.find(({ messageId }) => messageId !== null)?.messageId;
  return {
    title: `Message ${named ?? newest.queueId ?? ''} from ${senderOf(first)}`,
    events: admissions.map(admissionEvent),
    now: outlook(newest),
  };
}

function outlook({ stage, code, text }: Admission): string {
  if (stage === 'gate' && code === 250)
    return 'Postfix has it in its queue and has not handed it over yet: postqueue -p shows why.';
  if (code === 250) return `Nothing is waited for: ${text}.`;
  if (code >= 500) return 'Nothing is waited for: it was refused for good, and the sender was told the reason above.';
  return stage === 'gate'
    ? "The sender's mail server comes back with it by itself."
    : 'Postfix tries again by itself until its maximal_queue_lifetime.';
}

export function requestStory(
  request: Request,
  admissions: readonly Admission[],
  mails: readonly OutboxRow[],
  evidence: Pick<EvidenceLog, 'ofRequest'>,
): Story {
  const happened = evidence.ofRequest(request.id).flatMap(({ body }) => evidenceEvent(request, parseEntry(body)));
  const events = [...admissions.map(admissionEvent), ...happened, ...mails.flatMap(mailEvents)];
  return {
    title: `Request ${request.id}, “${request.subject}”, of ${request.sender.name} <${request.sender.mail}>`,
    // Equal times stay in the order of cause and effect, in which they stand.
    events: events.toSorted((a, b) => a.at.getTime() - b.at.getTime()),
    now: waitedFor(request, mails),
  };
}

const senderOf = ({ sender }: Admission): string => (sender === '' ? 'a mail server (null sender)' : sender);

function admissionEvent(admission: Admission): Event {
  const { at, stage, queueId, client, recipients, method, code, text } = admission;
  const id = queueId === null ? 'before it had a queue id' : `queue id ${queueId}`;
  const to = recipients.length === 0 ? '' : ` to ${recipients.join(', ')}`;
  if (stage === 'intake')
    return {
      at,
      text:
        code === 250
          ? `Postfix handed it over (${id}): ${text}`
          : `When Postfix handed it over (${id}), it heard ${code} ${text}`,
    };
  const from = `mail from ${senderOf(admission)}${to} came from ${client ?? 'this machine'} (${id})`;
  if (code === 250)
    return {
      at,
      text: `${from} and was admitted${method === null ? '' : `; sender recognised by ${HOW[method] ?? method}`}`,
    };
  return { at, text: `${from} and was ${code >= 500 ? 'refused' : 'put off'}: ${code} ${text}` };
}

const HOW: Readonly<Record<string, string>> = {
  sasl: 'their login (SASL)',
  relay: 'an authenticating relay',
  dmarc: "their domain's proof (DMARC)",
  arc: "a forwarder's seal (ARC)",
};

function evidenceEvent(request: Request, entry: Entry): Event[] {
  const session = request.sessions.find(({ id }) => id === entry.subjects.session);
  const text = inWords(request, entry, session);
  return text === null ? [] : [{ at: new Date(entry.time), text }];
}

/** Null for what only the log needs. */
function inWords(request: Request, { kind, facts }: Entry, session: Session | undefined): string | null {
  const who = session === undefined ? 'somebody' : session.party.name;
  switch (kind) {
    case 'request.admitted': {
      const names = request.sessions.map(({ party }) => party.name).join(', ');
      const documents = request.documents.map(({ name }) => name).join(', ');
      const asked =
        names === '' ? 'sealed' : `signed by ${names}${request.mode === 'ordered' ? ', in this order' : ''}`;
      return `request ${request.id} opened: ${documents}, to be ${asked}, level ${request.level}`;
    }
    case 'request.open':
      return 'the documents are prepared';
    case 'request.closing':
      return 'everybody has signed; the documents are being closed';
    case 'request.changed':
      return null;
    case 'request.extended':
      return 'the finished documents got fresh evidence and a new timestamp';
    case 'request.prolonged':
      return `the deadline moved to ${String(facts.to).slice(0, 16).replace('T', ' ')}`;
    case 'request.reply':
      return `a reply asked to “${String(facts.command)}”: ${String(facts.result)}`;
    case 'session.open':
      return `it is the turn of ${who}`;
    case 'session.closed':
      return null;
    case 'turn.granted':
      return `${who} pressed “sign”`;
    case 'session.asked':
      return `${who} was asked to approve`;
    case 'session.wrong-answer':
      return `the answer of ${who} was wrong (${String(facts.count)})`;
    case 'session.signed':
      return `${who} signed`;
    case 'session.rejected':
      return `${who} rejected${session?.comment ? `: “${session.comment}”` : ''}`;
    default:
      // "request.finished" → "request: finished"
      return kind.replace('.', ': ');
  }
}

/** A mail of ours that belongs to no request. */
export function mailStory(row: OutboxRow): Story {
  return {
    title: `Mail “${row.kind}” to ${row.recipient}`,
    events: mailEvents(row),
    now: row.state === 'pending' ? 'It is tried again by itself.' : 'Nothing is waited for.',
  };
}

function mailEvents(row: OutboxRow): Event[] {
  const what = `mail “${row.kind}” to ${row.recipient}`;
  const said = row.lastReply === null ? '' : `: ${row.lastReply}`;
  const written = { at: row.createdAt, text: `${what} written` };
  switch (row.state) {
    case 'sent':
      return [written, { at: row.nextAttemptAt, text: `${what} sent${said}` }];
    case 'failed':
      return [written, { at: row.nextAttemptAt, text: `${what} failed for good${said}` }];
    case 'bounced':
      return [written, { at: row.nextAttemptAt, text: `${what} sent, and later came back as undeliverable${said}` }];
    case 'pending':
      return [{ at: row.createdAt, text: `${what} written; ${waiting(row)}` }];
  }
}

function waiting({ attempts, lastReply, nextAttemptAt }: OutboxRow): string {
  return attempts === 0
    ? 'not sent yet'
    : `not sent after ${attempts} tries (${lastReply}); next one at ${moment(nextAttemptAt)}`;
}

function waitedFor(request: Request, mails: readonly OutboxRow[]): string {
  const unsent = mails.filter(({ state }) => state === 'pending');
  const mailing = unsent.length === 0 ? '' : ` ${unsent.length} of its mails are still to be sent.`;
  return `${ofRequest(request, mails)}${mailing}`;
}

function ofRequest(request: Request, mails: readonly OutboxRow[]): string {
  switch (request.state) {
    case 'preparing':
      return 'The gateway prepares the documents; if that takes minutes, its log says why.';
    case 'closing':
      return 'The gateway closes the documents; if that takes minutes, its log says why (a timestamp authority that is away, mostly).';
    case 'open': {
      const names = request.sessions
        .filter(({ state }) => state === 'open')
        .map(({ party }) => `${party.name} (${mailed(party.mail, mails)})`);
      return `Waits for ${names.join(', ')}; until ${moment(request.expiresAt)}.`;
    }
    default:
      return `Nothing is waited for: it is ${request.state} since ${moment(request.endedAt ?? request.expiresAt)}.`;
  }
}

function mailed(recipient: string, mails: readonly OutboxRow[]): string {
  const row = mails.find(one => one.kind === 'please-sign' && one.recipient === recipient);
  if (row === undefined || row.state === 'pending') return 'the mail with the link has not gone out yet';
  if (row.state === 'sent') return `mailed ${moment(row.nextAttemptAt)}`;
  return `the mail with the link ${row.state === 'bounced' ? 'came back' : 'failed'}`;
}

/** "2026-11-24 09:30:05" */
export function moment(date: Date): string {
  return date.toISOString().slice(0, 19).replace('T', ' ');
}
