/** `signpost requests list|show|report|cancel`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { type Core, openCore } from '../gateway/core.ts';
import { createLogger } from '../gateway/logger.ts';
import type { Request, Session } from '../requests/model.ts';
import { noteAdminAct } from './admin-act.ts';
import { type ConfigOptions, configOption, jsonOption } from './options.ts';
import { oneLine, say } from './say.ts';
import { printTable } from './table.ts';

interface Options extends ConfigOptions {
  readonly json?: boolean;
  readonly ended?: boolean;
}

export function requestsCommand(): Command {
  const requests = new Command('requests').description('what is being signed');
  requests
    .command('list')
    .description('open requests, or the ended ones')
    .addOption(configOption())
    .addOption(jsonOption())
    .option('--ended', 'the ended ones')
    .action((options: Options) =>
      withCore(options, async core => {
        const found = await core.requests.list({ ended: options.ended === true });
        if (options.json) return print(found.map(summary));
        if (found.length === 0)
          return console.log(options.ended ? 'No request has ended yet.' : 'Nothing is being signed.');
        printTable(
          ['REQUEST', 'STATE', 'CREATED', 'EXPIRES', 'FROM', 'SIGNED', 'SUBJECT'],
          found.map(request => [
            request.id,
            request.state,
            minute(request.createdAt),
            minute(request.expiresAt),
            request.sender.mail,
            `${request.sessions.filter(({ state }) => state === 'signed').length}/${request.sessions.length}`,
            request.subject,
          ]),
        );
      }),
    );
  requests
    .command('show')
    .description('one request: its parties, documents and mails')
    .argument('<request>', 'request number')
    .addOption(configOption())
    .addOption(jsonOption())
    .action((id: string, options: Options) =>
      withCore(options, async core => {
        const request = await core.requests.find(id.toUpperCase());
        if (request === null) throw new Error(`there is no request ${id}`);
        const mails = await core.store.outbox.listForRequest(request.id);
        const shown = {
          ...summary(request),
          mails: mails.map(({ kind, recipient, state, attempts, lastReply }) => ({
            kind,
            recipient,
            state,
            attempts,
            lastReply,
          })),
        };
        if (options.json) return print(shown);
        say(`${request.id}  ${request.state}  ${request.level}, ${request.mode}
From      ${oneLine(request.sender.name)} <${request.sender.mail}>${request.queueId === null ? '' : `  (Postfix queue id ${request.queueId})`}
Subject   ${request.subject}
Created   ${minute(request.createdAt)}   Expires ${minute(request.expiresAt)}${request.endedAt === null ? '' : `   Ended ${minute(request.endedAt)}`}`);
        for (const { name, kind, pages } of request.documents)
          say(`Document  ${name}${kind === undefined ? `, ${pages} page(s)` : ''}`);
        for (const session of request.sessions) {
          say(
            `Signatory ${oneLine(session.party.name)} <${session.party.mail}>: ${session.state}${session.endedAt === null ? '' : ` ${minute(session.endedAt)}`}${session.comment === null ? '' : ` “${oneLine(session.comment)}”`}${session.evidence ? `; report: signpost requests report ${request.id} ${session.party.mail}` : ''}`,
          );
        }
        console.log('Mails');
        printTable(
          ['  KIND', 'TO', 'STATE', 'TRIES', 'LAST REPLY'],
          mails.map(mail => [
            `  ${mail.kind}`,
            mail.recipient,
            mail.state,
            String(mail.attempts),
            mail.lastReply ?? '',
          ]),
        );
      }),
    );
  requests
    .command('report')
    .description('write out the transaction reports of Standard signatures, each with its seal and the signed call')
    .argument('<request>', 'request number')
    .argument('[signatory]', 'address of one signatory; all of them when missing')
    .addOption(configOption())
    .option('--out <folder>', 'where to write them', '.')
    .action((id: string, signatory: string | undefined, options: Options & { readonly out: string }) =>
      withCore(options, async core => {
        const request = await core.requests.find(id.toUpperCase());
        if (request === null) throw new Error(`there is no request ${id}`);
        const asked = request.sessions.filter(({ party }) =>
          [undefined, party.mail].includes(signatory?.toLowerCase()),
        );
        let written = 0;
        for (const session of asked) written += await writeReport(core, request, session, options.out);
        if (written === 0)
          throw new Error(`${request.id} has no transaction report${signatory ? ` of ${signatory}` : ''}`);
      }),
    );
  requests
    .command('cancel')
    .description('end a request; every party is told by mail')
    .argument('<request>', 'request number')
    .addOption(configOption())
    .action((id: string, options: Options) =>
      withCore(options, async core => {
        await noteAdminAct(core, 'requests cancel', { request: id.toUpperCase() });
        const request = await core.requests.cancel(id.toUpperCase());
        console.log(`${request.id} is cancelled; its parties are told by mail.`);
      }),
    );
  return requests;
}

/** @returns how many were written: 1, or 0 for a session without. @throws Error when the report doesn't check */
async function writeReport(core: Core, request: Request, session: Session, folder: string): Promise<number> {
  const evidence = await core.requests.readEvidence(session);
  if (!evidence) return 0;
  const number = request.sessions.indexOf(session) + 1;
  const path = join(folder, `${request.id}-${number}-report.txt`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, evidence.report);
  writeFileSync(`${path}.p7s`, evidence.seal);
  writeFileSync(join(folder, `${request.id}-${number}-call.http`), evidence.call);
  if (evidence.fault !== null) throw new Error(`the report of ${session.party.name} is wrong: ${evidence.fault}`);
  say(`${path}: report of ${session.party.name}, sealed beside it; the hash is that of the device's token key.`);
  return 1;
}

/** No keys, links or hashes: what an admin may read over somebody's shoulder. */
function summary(request: Request): Record<string, unknown> {
  return {
    id: request.id,
    state: request.state,
    level: request.level,
    mode: request.mode,
    sender: request.sender.mail,
    subject: request.subject,
    createdAt: request.createdAt,
    expiresAt: request.expiresAt,
    endedAt: request.endedAt,
    queueId: request.queueId,
    messageId: request.messageId,
    documents: request.documents.map(({ name, pages }) => ({ name, pages })),
    signatories: request.sessions.map(({ party, state, endedAt, comment, evidence }) => ({
      name: party.name,
      mail: party.mail,
      state,
      endedAt,
      comment,
      report: evidence !== undefined,
    })),
    copies: request.copies.map(({ mail }) => mail),
  };
}

async function withCore(options: ConfigOptions, work: (core: Core) => Promise<void>): Promise<void> {
  const core = await openCore(loadConfig(options.config), { logger: createLogger('error') });
  try {
    await work(core);
  } finally {
    await core.close();
  }
}

function minute(date: Date): string {
  return date.toISOString().slice(0, 16).replace('T', ' ');
}

function print(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}
