/**
 * Backscatter: forged, external and automatic messages, whoever they name, make nobody any mail. Everything that leaves
 * this Postfix goes to one sink, which counts; reports of Postfix's own would come there, too.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitForLetter } from '../../../src/tryout/letters.ts';
import { SIGN_DOMAIN } from '../../../src/tryout/site.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { makeMessage, type TestMessage } from '../../support/message.ts';
import { SmtpClient } from '../../support/smtp.ts';
import { hasPostfix } from '../../support/tools.ts';

const MESSAGES = process.env.SIGNPOST_LONG === '1' ? 1000 : 260;
const CONNECTIONS = 8;
const MARY = 'mary.smith@company.com';
const JOHN = `john.doe@${SIGN_DOMAIN}`;
/** Not among the relays that are believed, nor among Postfix's own networks. */
const STRANGER = '127.0.0.2';
const RELAY = '127.0.0.1';

interface Forged {
  readonly from: string;
  readonly to: readonly string[];
  readonly client: string;
  readonly message: TestMessage;
}

/** One message of each kind; the number makes it another one. */
const KINDS: Readonly<Record<string, (n: number) => Forged>> = {
  'an employee forged by a stranger': () => ({ from: MARY, to: [JOHN], client: STRANGER, message: {} }),
  'a stranger': n => ({
    from: `s${n}@outside.example`,
    to: [JOHN],
    client: STRANGER,
    message: { from: `s${n}@outside.example` },
  }),
  'a stranger with the employee in From': n => ({
    from: `s${n}@outside.example`,
    to: [JOHN],
    client: STRANGER,
    message: {},
  }),
  'a victim outside as envelope sender and in Reply-To': n => ({
    from: `victim${n}@outside.example`,
    to: [JOHN],
    client: STRANGER,
    message: {
      headers: [`Reply-To: victim${n}@outside.example`, `Disposition-Notification-To: victim${n}@outside.example`],
    },
  }),
  'another person than the envelope says, from a relay': () => ({
    from: MARY,
    to: [JOHN],
    client: RELAY,
    message: { from: 'John Doe <john.doe@company.com>' },
  }),
  'a person who does not exist, from a relay': n => ({
    from: `nobody${n}@company.com`,
    to: [JOHN],
    client: RELAY,
    message: { from: `nobody${n}@company.com` },
  }),
  'a stranger by a relay': n => ({
    from: `s${n}@outside.example`,
    to: [JOHN],
    client: RELAY,
    message: { from: `s${n}@outside.example` },
  }),
  'the null sender to a signatory': () => ({ from: '', to: [JOHN], client: STRANGER, message: {} }),
  'the null sender to a signatory, from a relay': () => ({ from: '', to: [JOHN], client: RELAY, message: {} }),
  'the null sender to our own address': () => ({
    from: '',
    to: [`signpost@${SIGN_DOMAIN}`],
    client: STRANGER,
    message: {},
  }),
  'the null sender to a return path that never was': n => ({
    from: '',
    to: [`bounce+${n.toString(32).toUpperCase().padStart(12, 'A')}@${SIGN_DOMAIN}`],
    client: STRANGER,
    message: {
      headers: ['Content-Type: multipart/report; report-type=delivery-status; boundary=b'],
      body: `--b\r\n\r\nIt failed.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; victim${n}@outside.example\r\nAction: failed\r\nStatus: 5.1.1\r\n--b--\r\n`,
    },
  }),
  'the null sender to a postmaster': () => ({
    from: '',
    to: [`postmaster@${SIGN_DOMAIN}`],
    client: STRANGER,
    message: {},
  }),
  'an unknown recipient': n => ({
    from: `s${n}@outside.example`,
    to: [`nobody${n}@${SIGN_DOMAIN}`],
    client: STRANGER,
    message: {},
  }),
  'an unknown recipient, from an employee': n => ({
    from: MARY,
    to: [`nobody${n}@${SIGN_DOMAIN}`],
    client: RELAY,
    message: {},
  }),
  'an outsider among the recipients': n => ({
    from: MARY,
    to: [JOHN, `victim${n}@outside.example`],
    client: STRANGER,
    message: { to: `${JOHN}, victim${n}@outside.example` },
  }),
  'a relay attempt': n => ({ from: MARY, to: [`victim${n}@outside.example`], client: STRANGER, message: {} }),
  'a percent hack': n => ({
    from: MARY,
    to: [`victim${n}%outside.example@${SIGN_DOMAIN}`],
    client: STRANGER,
    message: {},
  }),
  'a source route': n => ({
    from: MARY,
    to: [`@${SIGN_DOMAIN}:victim${n}@outside.example`],
    client: STRANGER,
    message: {},
  }),
  'automatic, from an employee': () => ({
    from: MARY,
    to: [JOHN],
    client: RELAY,
    message: { headers: ['Auto-Submitted: auto-replied'] },
  }),
  'bulk, from an employee': () => ({
    from: MARY,
    to: [JOHN],
    client: RELAY,
    message: { headers: ['Precedence: bulk'] },
  }),
  'a list, from an employee': () => ({
    from: MARY,
    to: [JOHN],
    client: RELAY,
    message: { headers: ['List-Id: <all.company.com>'] },
  }),
  'a mail of ours coming back': n => ({
    from: MARY,
    to: [JOHN],
    client: RELAY,
    message: { messageId: `<loop${n}@${SIGN_DOMAIN}>` },
  }),
  'a mail that has gone in circles': () => ({
    from: MARY,
    to: [JOHN],
    client: RELAY,
    message: {
      headers: Array.from({ length: 26 }, (_, i) => `Received: from a${i} by b${i}; Tue, 24 Nov 2026 10:00:00 +0000`),
    },
  }),
  'our own address as sender': n => ({
    from: `signpost@${SIGN_DOMAIN}`,
    to: [JOHN],
    client: n % 2 ? RELAY : STRANGER,
    message: { from: `signpost@${SIGN_DOMAIN}` },
  }),
  'a return path of ours as sender': n => ({
    from: `bounce+AAAAAAAAAA${n % 10}2@${SIGN_DOMAIN}`,
    to: [JOHN],
    client: STRANGER,
    message: { from: 'MAILER-DAEMON@company.com' },
  }),
  'no document, and a stranger': n => ({
    from: `s${n}@outside.example`,
    to: [JOHN],
    client: STRANGER,
    message: { parts: [] },
  }),
};

let company: Company;

beforeAll(async () => {
  if (!hasPostfix) return;
  company = await startCompany({ postfixExtra: ['smtpd_error_sleep_time = 0', 'mynetworks = 127.0.0.1/32'] });
});
afterAll(() => company?.stop());

async function deliver({ from, to, client, message }: Forged): Promise<number[]> {
  const smtp = await SmtpClient.connect(company.site.smtpPort, 'client.test', { localAddress: client });
  try {
    const { recipients, final } = await smtp.send(from, to, makeMessage(message));
    return [...recipients.map(({ code }) => code), final.code];
  } finally {
    smtp.close();
  }
}

async function requestsAndRows(): Promise<number> {
  const { requests, store } = company.gateway.core;
  const all = [...(await requests.list({ ended: false })), ...(await requests.list({ ended: true }))];
  const rows = await Promise.all(all.map(({ id }) => store.outbox.listForRequest(id)));
  return all.length + rows.flat().length;
}

describe.skipIf(!hasPostfix)('backscatter', () => {
  test(`D6 ${MESSAGES} forged, external and null-sender messages: not one mail leaves`, {
    timeout: 300_000,
  }, async () => {
    const kinds = Object.entries(KINDS);
    const taken = new Set<string>();
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < MESSAGES) {
        const n = next++;
        const [name, make] = kinds[n % kinds.length]!;
        const codes = await deliver(make(n));
        expect(codes.at(-1), name).toBeGreaterThan(0);
        if (codes.at(-1) === 250) taken.add(name);
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, worker));
    // Nothing waits in a queue to leave later.
    await expect.poll(() => company.site.postfix!.queue(), { timeout: 60_000 }).toEqual([]);
    expect(company.site.mailboxes.mails).toEqual([]);
    expect(await requestsAndRows()).toBe(0);
    // Reports about mail that we don't know are swallowed, at most.
    expect([...taken].filter(name => !name.startsWith('the null sender to a return path'))).toEqual([]);
  });

  test('D6 the control: the same sink counts the two mails that a true request makes', async () => {
    await expect(deliver({ from: MARY, to: [JOHN], client: RELAY, message: { subject: 'True' } })).resolves.toEqual([
      250, 250,
    ]);
    await waitForLetter(company.site.mailboxes, MARY, 'accepted');
    await waitForLetter(company.site.mailboxes, 'john.doe@company.com', 'please-sign');
    expect(await requestsAndRows()).toBeGreaterThan(0);
  });

  test('D6 the control: what this Postfix relays for others comes to that sink, too', async () => {
    const { mails } = company.site.mailboxes;
    const before = mails.length;
    // Not for us, so that neither the milter nor the gateway has a say: what goes through leaves.
    await deliver({ from: MARY, to: ['somebody@outside.example'], client: RELAY, message: {} });
    await expect.poll(() => mails.length, { timeout: 30_000 }).toBe(before + 1);
  });
});
