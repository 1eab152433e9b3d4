/** `signpost why QUEUE-ID|MESSAGE-ID|REQUEST`: one message's whole story. */
import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { type Core, openCore } from '../gateway/core.ts';
import { createLogger } from '../gateway/logger.ts';
import type { Request } from '../requests/model.ts';
import type { Admission } from '../store/admissions.ts';
import type { OutboxRow } from '../store/store.ts';
import { type ConfigOptions, configOption, jsonOption } from './options.ts';
import { say } from './say.ts';
import { mailStory, messageStory, moment, requestStory, type Story } from './story.ts';

interface Options extends ConfigOptions {
  readonly json?: boolean;
}

export function whyCommand(): Command {
  return new Command('why')
    .description("tell one message's whole story, and what is waited for now; of a sender the newest messages")
    .argument('<what>', "Postfix's queue id, a Message-ID, a request number, or a sender's address")
    .addOption(configOption())
    .addOption(jsonOption())
    .action(async (what: string, options: Options) => {
      const core = await openCore(loadConfig(options.config), { logger: createLogger('error') });
      try {
        const stories = await storiesOf(core, what.trim());
        if (stories.length === 0) throw new Error(unknown(what));
        if (options.json) console.log(JSON.stringify(stories, null, 2));
        else stories.forEach(tell);
      } finally {
        await core.close();
      }
    });
}

const unknown = (what: string): string =>
  `nothing is known of ${what}. Signpost remembers 90 days of mail to the sign domains. Mail that Postfix itself refused ` +
  'never came here: look for it in /var/log/mail.log. Older mail: journalctl -u signpost';

async function storiesOf(core: Core, what: string): Promise<Story[]> {
  const { requests, admissions } = core.store;
  const request = await requests.find(what.toUpperCase());
  if (request) return [await ofRequest(core, request)];
  const messageId = /^<.*>$/.test(what) ? what : `<${what}>`;
  const byMessage = await admissions.find({ messageId });
  if (byMessage.length > 0) return storiesOfAdmissions(core, byMessage);
  const byQueue = await admissions.find({ queueId: what });
  if (byQueue.length > 0) return storiesOfAdmissions(core, await withSameMessage(core, byQueue));
  const mails = await core.store.outbox.listQueuedAs(what);
  if (mails.length > 0) return storiesOfMails(core, mails);
  const bySender = what.includes('@') ? await admissions.find({ sender: what }) : [];
  const stories: Story[] = [];
  for (const message of byMessageOf(bySender)) stories.push(...(await storiesOfAdmissions(core, message)));
  return stories;
}

/** Older messages of which only the request is left are found by it, too. */
async function ofRequest(core: Core, request: Request): Promise<Story> {
  const { admissions, outbox, evidence } = core.store;
  const known = [
    ...(request.queueId === null ? [] : await admissions.find({ queueId: request.queueId })),
    ...(await admissions.find({ messageId: request.messageId })),
    ...(await admissions.find({ requestId: request.id })),
  ];
  return requestStory(request, distinct(known), await outbox.listForRequest(request.id), evidence);
}

async function storiesOfAdmissions(core: Core, admissions: readonly Admission[]): Promise<Story[]> {
  const ids = new Set(admissions.flatMap(({ requestId }) => requestId ?? []));
  const stories: Story[] = [];
  for (const id of ids) {
    const request = await core.store.requests.find(id);
    if (request) stories.push(await ofRequest(core, request));
  }
  return stories.length > 0 ? stories : [messageStory(admissions)];
}

/** A mail of ours that an admin sees in Postfix's log. */
async function storiesOfMails(core: Core, mails: readonly OutboxRow[]): Promise<Story[]> {
  const stories: Story[] = [];
  for (const row of mails) {
    const request = row.requestId === null ? null : await core.store.requests.find(row.requestId);
    stories.push(request ? await ofRequest(core, request) : mailStory(row));
  }
  return stories;
}

/** A retry has another queue id and the same Message-ID. */
async function withSameMessage(core: Core, found: readonly Admission[]): Promise<readonly Admission[]> {
  const messageId = found.find(one => one.messageId !== null)?.messageId;
  if (!messageId) return found;
  return distinct([...found, ...(await core.store.admissions.find({ messageId }))]);
}

/** What came of each message, the newest messages last; refusals before there was a Message-ID stand alone. */
function byMessageOf(admissions: readonly Admission[]): Admission[][] {
  const groups = Map.groupBy(admissions, ({ messageId, queueId, at }) => messageId ?? queueId ?? at.toISOString());
  return [...groups.values()].slice(-10);
}

function distinct(admissions: readonly Admission[]): Admission[] {
  const seen = new Map(admissions.map(one => [JSON.stringify(one), one]));
  return [...seen.values()].sort((a, b) => a.at.getTime() - b.at.getTime());
}

function tell({ title, events, now }: Story): void {
  say(title);
  for (const { at, text } of events) say(`  ${moment(at)}  ${text}`);
  say(`  Now: ${now}`);
  say('  (times in UTC)\n');
}
