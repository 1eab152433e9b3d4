/**
 * `signpost check --mail`: a message goes by Postfix to the gateway, and the gateway's answer comes back to the gateway the
 * same way. It opens no request and no person gets mail. Each leg is a line; the first that breaks says where.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport } from 'nodemailer';
import { isLoopback } from '../config/loopback.ts';
import type { Config } from '../config/schema.ts';
import { checkId } from '../intake/check-address.ts';
import type { VerdictKey } from '../intake/verdict.ts';
import { checkAddress } from '../outbound/addresses.ts';
import type { Admission, AdmissionStore } from '../store/admissions.ts';
import type { OutboxStore } from '../store/store.ts';
import { answerRow } from './answer.ts';
import { type Line, ok, wrong } from './line.ts';
import { reason } from './listeners.ts';

export interface RoundTripParts {
  readonly config: Pick<Config, 'mail' | 'domains'>;
  readonly verdictKey: VerdictKey;
  readonly admissions: Pick<AdmissionStore, 'find'>;
  readonly outbox: Pick<OutboxStore, 'find'>;
  readonly now: () => Date;
  /** How long each leg may take, milliseconds; 30,000. */
  readonly patience?: number;
}

const POLL = 200;
const QUEUE = 'postqueue -p   (and /var/log/mail.log) say where it is';
const LOG = 'journalctl -u signpost -n 50';

export async function* roundTrip(parts: RoundTripParts): AsyncGenerator<Line> {
  const { config, now, admissions, outbox } = parts;
  const domain = config.domains[0]!.sign;
  const id = checkId('out', randomBytes(4).toString('hex'), now(), parts.verdictKey);
  const messageId = `<check.${id}@${domain}>`;
  const refused = await handIn(config, domain, id, messageId);
  if (refused !== null) return yield refused;

  const gate = await stage(parts, messageId, 'gate');
  if (gate === null)
    return yield wrong(
      'mail: milter',
      'Postfix took the message, but the milter never saw it',
      'smtpd_milters in main.cf; signpost check says the line',
    );
  yield ok('mail: milter', `admitted under queue id ${gate.queueId}`);
  const intake = await stage(parts, messageId, 'intake');
  if (intake === null) return yield wrong('mail: LMTP', `queue id ${gate.queueId} was not handed to Signpost`, QUEUE);
  if (intake.code !== 250) return yield wrong('mail: LMTP', `Signpost put it off: ${intake.code} ${intake.text}`, LOG);
  yield ok('mail: LMTP', intake.text);

  const row = answerRow(id);
  const sent = await until(parts, async () => {
    const found = await outbox.find(row);
    return found?.state === 'pending' ? null : found;
  });
  if (sent === null) {
    const waiting = await outbox.find(row);
    if (waiting === null) return yield wrong('mail: answer', 'the gateway wrote none', LOG);
    return yield wrong(
      'mail: answer',
      `it waits: ${waiting.lastReply ?? 'it was not tried yet'}`,
      'look at mail.smtp, and at Postfix',
    );
  }
  if (sent.state !== 'sent')
    return yield wrong('mail: answer', `${sent.state}: ${sent.lastReply}`, 'look at mail.smtp, and at Postfix');
  yield ok('mail: answer', `Postfix took it: ${sent.lastReply}`);
  const back = await until(
    parts,
    async () => (await admissions.find({ messageId: sent.messageId })).find(come) ?? null,
  );
  yield back === null
    ? wrong('mail: back', `the answer (${sent.lastReply}) did not come back`, QUEUE)
    : ok('mail: back', `the answer came back to Signpost under queue id ${back.queueId}`);
}

const come = ({ stage, code }: Admission): boolean => stage === 'intake' && code === 250;

/** The newest that is known of the message at that stage. */
function stage(parts: RoundTripParts, messageId: string, name: Admission['stage']): Promise<Admission | null> {
  return until(
    parts,
    async () => (await parts.admissions.find({ messageId })).findLast(one => one.stage === name) ?? null,
  );
}

async function until<T>({ patience = 30_000 }: RoundTripParts, look: () => Promise<T | null>): Promise<T | null> {
  for (let waited = 0; ; waited += POLL) {
    const found = await look();
    if (found !== null || waited >= patience) return found;
    await sleep(POLL);
  }
}

/** Over SMTP as anybody's mail; null when Postfix took it. */
async function handIn(
  { mail }: RoundTripParts['config'],
  domain: string,
  id: string,
  messageId: string,
): Promise<Line | null> {
  const { host, port } = mail.smtp;
  const to = checkAddress(id, domain);
  const transport = createTransport({
    host,
    port,
    ignoreTLS: isLoopback(host),
    ...(isLoopback(host) ? {} : { tls: { rejectUnauthorized: false } }),
    connectionTimeout: 10_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    await transport.sendMail({
      // The null sender: whatever goes wrong, nobody gets a report.
      envelope: { from: '', to: [to] },
      from: { name: 'signpost check', address: `${mail.from}@${domain}` },
      to,
      subject: 'signpost check',
      messageId,
      headers: { 'Auto-Submitted': 'auto-generated' },
      text: 'This message proves that mail reaches Signpost. Nobody needs to do anything.\n',
    });
    return null;
  } catch (error) {
    return refusalLine(error, `${host}:${port}`);
  } finally {
    transport.close();
  }
}

function refusalLine(error: unknown, where: string): Line {
  const { command, response, responseCode } = error as { command?: string; response?: string; responseCode?: number };
  const item = 'mail: Postfix';
  if (responseCode === undefined)
    return wrong(item, `${where} can't be talked to: ${reason(error)}`, 'systemctl start postfix; look at mail.smtp');
  const said = `${where} refused it after ${command ?? 'the message'}: ${response}`;
  if (/relay/i.test(response ?? '')) return wrong(item, said, 'relay_domains in main.cf; signpost check says the line');
  if (responseCode === 451 && /tempfail|milter|try again later|unavailable/i.test(response ?? ''))
    return wrong(item, said, 'the milter does not answer Postfix: is the gateway up, and smtpd_milters its address?');
  return wrong(item, said, 'look at /var/log/mail.log for the reason');
}
