/** The way from Postfix's queue into the gateway: lost replies, and mail that did not come through the gatekeeper. */
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Request } from '../../../src/requests/model.ts';
import { waitForLetter } from '../../../src/tryout/letters.ts';
import { freePort } from '../../../src/tryout/ports.ts';
import { PEOPLE, SIGN_DOMAIN } from '../../../src/tryout/site.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { type LossyProxy, startLossyProxy } from '../../support/lossy-proxy.ts';
import { makeMessage } from '../../support/message.ts';
import { SmtpClient, type SmtpReply } from '../../support/smtp.ts';
import { hasPostfix } from '../../support/tools.ts';

const MARY = 'mary.smith@company.com';
const JOHN = 'john.doe@sign.company.com';
const ANNA = 'anna.muller@sign.company.com';

let proxy: LossyProxy;
let company: Company;
let lmtpPort = 0;
/** Where nobody lives: refuses every recipient. */
const refusing = {
  port: 0,
  server: new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    onRcptTo: (_, __, callback) => callback(new Error('no such mailbox')),
  }),
};

beforeAll(async () => {
  if (!hasPostfix) return;
  refusing.port = await freePort();
  await new Promise<void>(resolve => refusing.server.listen(refusing.port, '127.0.0.1', resolve));
  proxy = await startLossyProxy(await freePort(), () => lmtpPort);
  company = await startCompany({
    people: [...PEOPLE, { id: 'dead.letter', name: 'Dead Letter' }],
    postfixExtra: [
      `transport_maps = inline:{ {${SIGN_DOMAIN} = lmtp:inet:127.0.0.1:${proxy.port}}, {dead.letter@company.com = smtp:[127.0.0.1]:${refusing.port}} }`,
    ],
  });
  const { lmtp } = company.site.config.mail;
  if ('port' in lmtp) lmtpPort = lmtp.port;
});
afterAll(async () => {
  await company?.stop();
  await proxy?.stop();
  await new Promise<void>(resolve => refusing.server.close(resolve));
});

async function allRequests(): Promise<Request[]> {
  const { requests } = company.gateway.core;
  return [...(await requests.list({ ended: false })), ...(await requests.list({ ended: true }))];
}

async function mail(message: Uint8Array, to = [JOHN]): Promise<void> {
  const client = await SmtpClient.connect(company.site.smtpPort);
  expect((await client.send(MARY, to, message)).final).toMatchObject({ code: 250 });
  client.close();
}

/** Past Postfix, straight to LMTP: one reply for each recipient. */
async function handIn(message: string, to = [JOHN]): Promise<SmtpReply[]> {
  const client = await SmtpClient.connect(lmtpPort, 'client.test', { lmtp: true });
  try {
    const { final } = await client.send(MARY, to, Buffer.from(message, 'latin1'), 'BODY=8BITMIME SMTPUTF8');
    const replies = [final];
    while (replies.length < to.length) replies.push(await client.reply());
    return replies;
  } finally {
    client.close();
  }
}

async function emptyQueue(): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    const queue = await company.site.postfix!.queue();
    if (queue.every(({ sender }) => sender !== MARY)) return;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error('the queue does not get empty');
}

describe.skipIf(!hasPostfix)('LMTP', () => {
  test('A7 Postfix retrying after a lost LMTP reply: one request', async () => {
    const before = (await allRequests()).length;
    const lost = proxy.loseReply(/^250 2\.0\.0 request \w+ opened/m);
    await mail(makeMessage({ subject: 'Lost reply' }));
    await lost;
    expect((await allRequests()).length).toBe(before + 1);
    await company.site.postfix!.flush();
    await emptyQueue();
    expect((await allRequests()).length).toBe(before + 1);
    expect(proxy.sent.filter(text => text.includes('Subject: Lost reply'))).toHaveLength(2);
  });

  test('what the gatekeeper admitted is believed again, in whole and in part, and not when anything changed', async () => {
    await mail(makeMessage({ subject: 'Once more', to: `${JOHN}, ${ANNA}` }), [JOHN, ANNA]);
    await emptyQueue();
    const count = (await allRequests()).length;
    const conversation = proxy.sent.find(text => text.includes('Subject: Once more'))!;
    const message = /DATA\r\n([\s\S]*?)\r\n\.\r\n/.exec(conversation)![1]!.replace(/^\.\./gm, '.');
    expect(message).toMatch(/^X-Signpost-Verdict: /m);
    const again = /^2\.0\.0 request \w+ was opened before$/;

    const whole = await handIn(message, [JOHN, ANNA]);
    expect(whole.map(({ code }) => code)).toEqual([250, 250]);
    for (const { text } of whole) expect(text).toMatch(again);
    expect((await handIn(message, [ANNA]))[0]!.text).toMatch(again);
    // Fields that a mail server adds, and their place, are not bound.
    expect((await handIn(`Received: from x by y; now\r\n${message}`))[0]!.text).toMatch(again);

    const verdict = /^X-Signpost-Verdict: .*\r\n(?:[ \t].*\r\n)*/m.exec(message)![0];
    const changed: readonly [string, string, readonly string[]][] = [
      ['without the header', message.replace(verdict, ''), [JOHN]],
      ['with the header twice', verdict + message, [JOHN]],
      ['a letter of the header', message.replace(/(X-Signpost-Verdict: .{40})./, '$1_'), [JOHN]],
      ['another recipient', message, [JOHN, 'mary.smith@sign.company.com']],
      ['the subject', message.replace('Subject: Once more', 'Subject: Once mode'), [JOHN]],
      ['the To field', message.replace(`To: ${JOHN}`, 'To: self@sign.company.com'), [JOHN]],
      ['a second From', `From: john.doe@company.com\r\n${message}`, [JOHN]],
      ['a Sender', `Sender: john.doe@company.com\r\n${message}`, [JOHN]],
      ['the body', message.replace('Please sign this.', 'Please sign thus.'), [JOHN]],
    ];
    for (const [what, bytes, to] of changed) {
      expect(bytes !== message || to.length > 1, what).toBe(true);
      const replies = await handIn(bytes, [...to]);
      expect(replies, what).toHaveLength(to.length);
      for (const reply of replies) {
        expect(reply, what).toMatchObject({ code: 451, text: expect.stringMatching(/^4\.7\.1 .*gatekeeper/) });
      }
    }
    expect((await allRequests()).length).toBe(count);
  });

  test("Postfix's own report about a mail of ours reaches its outbox row, and the sender hears of it", async () => {
    await mail(makeMessage({ subject: 'To nobody', to: 'dead.letter@sign.company.com' }), [
      'dead.letter@sign.company.com',
    ]);
    const { store } = company.gateway.core;
    const bounced = async (): Promise<boolean> => {
      const request = (await allRequests()).find(({ subject }) => subject === 'To nobody');
      const rows = request ? await store.outbox.listForRequest(request.id) : [];
      return rows.some(({ recipient, state }) => recipient === 'dead.letter@company.com' && state === 'bounced');
    };
    let tries = 0;
    while (!(await bounced())) {
      expect(tries++, company.site.postfix!.log().split('\n').slice(-15).join('\n')).toBeLessThan(400);
      await new Promise(resolve => setTimeout(resolve, 50));
    }
    const letter = await waitForLetter(company.site.mailboxes, 'mary.smith@company.com', 'undeliverable');
    expect(letter.parsed.subject).toBe('Re: To nobody');
    expect(letter.parsed.text).toContain('(dead.letter@company.com) came back');
  });

  test('equal recipients in one transaction get each their reply, so that nobody waits for ever', async () => {
    const client = await SmtpClient.connect(lmtpPort, 'client.test', { lmtp: true });
    await client.command(`MAIL FROM:<${MARY}>`);
    expect(await client.command(`RCPT TO:<${JOHN}>`)).toMatchObject({ code: 250 });
    expect(await client.command(`RCPT TO:<${JOHN.toUpperCase()}>`)).toMatchObject({ code: 452 });
    client.close();
  });

  test('a message over the limit is read to its end, not kept, and refused', async () => {
    const size = company.site.config.mail.maxMessageSize + 1024 * 1024;
    const reply = await handIn(`Subject: big\r\n\r\n${`${'x'.repeat(998)}\r\n`.repeat(size / 1000)}`);
    expect(reply[0]).toMatchObject({ code: 552, text: expect.stringMatching(/^5\.3\.4 /) });
  });

  test('says that it takes 8-bit and UTF-8 addresses', async () => {
    const client = await SmtpClient.connect(lmtpPort, 'client.test', { lmtp: true });
    const { text } = await client.command('LHLO again.test');
    expect(text).toMatch(/^8BITMIME$/m);
    expect(text).toMatch(/^SMTPUTF8$/m);
    client.close();
  });
});
