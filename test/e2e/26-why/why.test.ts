/** `signpost why` after real mail through Postfix: admitted, refused by the gate, refused at once, and signed. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addressOf, SIGN_DOMAIN } from '../../../src/tryout/site.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { simplePdf } from '../../support/pdfs.ts';
import { hasPostfix } from '../../support/tools.ts';

const BIN = new URL('../../../bin/signpost.js', import.meta.url).pathname;
const execute = promisify(execFile);
let company: Company;

async function why(what: string, ...args: string[]): Promise<{ said: string; status: number }> {
  const asked = [BIN, 'why', what, '--config', company.site.configFile, ...args];
  return execute(process.execPath, asked).then(
    ({ stdout }) => ({ said: stdout, status: 0 }),
    (error: { stderr: string; code: number }) => ({ said: error.stderr, status: error.code }),
  );
}

async function mail(to: string, subject: string, messageId: string, content: Uint8Array): Promise<string> {
  return company.site.send({
    from: addressOf('mary.smith'),
    to: [to],
    subject,
    messageId,
    attachments: [{ filename: 'contract.pdf', content }],
  });
}

const TIME = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`;

describe.skipIf(!hasPostfix)('signpost why', () => {
  beforeAll(async () => {
    company = await startCompany();
  });
  afterAll(() => company.stop());

  test('a request’s whole story, by its number, its queue id and its Message-ID alike', async () => {
    const pdf = await simplePdf({ pages: 1, text: 'Contract' });
    const reply = await mail(`john.doe@${SIGN_DOMAIN}`, 'Advanced: contract', '<story-1@company.com>', pdf);
    const queueId = /queued as (\w+)/.exec(reply)![1]!;
    await company.site.mailboxes.waitFor(({ to }) => to.includes(addressOf('john.doe')));
    const [request] = await company.gateway.core.requests.list({ ended: false });
    const { outbox } = company.gateway.core.store;
    await expect
      .poll(async () => (await outbox.listForRequest(request!.id)).every(({ state }) => state === 'sent'), {
        timeout: 20_000,
      })
      .toBe(true);

    const { said } = await why(request!.id);
    const lines = said.trimEnd().split('\n');
    expect(lines[0]).toBe(`Request ${request!.id}, “Advanced: contract”, of Mary Smith <mary.smith@company.com>`);
    const told = [
      `mail from mary.smith@company.com to john.doe@sign.company.com came from 127.0.0.1 \\(queue id ${queueId}\\) and was admitted; sender recognised by an authenticating relay`,
      `Postfix handed it over \\(queue id ${queueId}\\): 2.0.0 request ${request!.id} opened`,
      `request ${request!.id} opened: contract.pdf, to be signed by John Doe, level advanced`,
      'the documents are prepared',
      'mail “please-sign” to john.doe@company.com sent: 250 .*',
      'mail “accepted” to mary.smith@company.com sent: 250 .*',
    ];
    for (const text of told) {
      expect(
        lines.filter(line => new RegExp(`^  ${TIME}  ${text}$`).test(line)),
        text,
      ).toHaveLength(1);
    }
    expect(said).toMatch(new RegExp(`Now: Waits for John Doe \\(mailed ${TIME}\\); until ${TIME}\\.`));
    // The mail that Postfix passed on to John leads there, too.
    const outgoing = /mail “please-sign” to \S+ sent: 250 .* queued as (\w+)$/m.exec(said)![1]!;
    expect((await why(outgoing)).said).toBe(said);
    // No secret on the way: neither link nor session.
    expect(said).not.toContain(request!.sessions[0]!.id);
    expect((await why(queueId)).said).toBe(said);
    expect((await why('<story-1@company.com>')).said).toBe(said);
    expect((await why('story-1@company.com')).said).toBe(said);

    await company.gateway.core.requests.cancel(request!.id);
    const after = await why(request!.id.toLowerCase());
    expect(after.said).toMatch(new RegExp(`${TIME}  request: cancelled`));
    expect(after.said).toMatch(new RegExp(`Now: Nothing is waited for: it is cancelled since ${TIME}\\.`));
  });

  test('a refused message: the sentence that the sender heard, by queue id, Message-ID and sender', async () => {
    const encrypted = Buffer.from('%PDF-1.7 not really one');
    const refused = mail(`john.doe@${SIGN_DOMAIN}`, 'broken', '<story-2@company.com>', encrypted);
    const error = await refused.catch((caught: Error & { response: string }) => caught);
    if (typeof error === 'string') throw new Error('it was taken');
    const { said } = await why('<story-2@company.com>');
    expect(said).toContain('Message <story-2@company.com> from mary.smith@company.com');
    const heard = /and was refused: (\d{3} .*)$/m.exec(said)![1]!;
    const plain = (text: string): string => text.replace(/\s*\d{3}[- ]\d\.\d\.\d /g, ' ').replace(/\s+/g, ' ');
    expect(plain(error.response)).toContain(plain(heard).trim().split(' ').slice(1, 8).join(' '));
    expect(said).toContain('Now: Nothing is waited for: it was refused for good');
    const queueId = /queue id (\w+)\)/.exec(said)![1]!;
    expect((await why(queueId)).said).toBe(said);
    expect((await why('mary.smith@company.com')).said).toContain(said.trimEnd());
  });

  test('one that was refused before it had a queue id is found by its sender', async () => {
    await expect(mail(`nobody.here@${SIGN_DOMAIN}`, 'x', '<story-3@company.com>', Buffer.from('%PDF'))).rejects.toThrow(
      /550/,
    );
    const { said } = await why('mary.smith@company.com');
    expect(said).toMatch(
      /to nobody\.here@sign\.company\.com came from 127\.0\.0\.1 \(.*\) and was refused: 550 5\.1\.1 /,
    );
  });

  test('what nobody knows is said so, with where else to look', async () => {
    const { said, status } = await why('4XyZunknown');
    expect(status).toBe(1);
    expect(said).toContain('nothing is known of 4XyZunknown');
    expect(said).toContain('/var/log/mail.log');
  });
});
