/** Who asks, by the SASL login that a real Postfix reports: login, envelope sender and From must be one person. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Company, startCompany } from '../../support/company.ts';
import { type AuthServer, startAuthServer } from '../../support/dovecot-auth.ts';
import { makeMessage } from '../../support/message.ts';
import { SmtpClient, type SmtpReply } from '../../support/smtp.ts';
import { hasPostfix } from '../../support/tools.ts';

const MARY = 'mary.smith@company.com';
const JOHN = 'john.doe@sign.company.com';

let auth: AuthServer;
let company: Company;

beforeAll(async () => {
  if (!hasPostfix) return;
  auth = await startAuthServer({ [MARY]: 'secret', 'jd@company.com': 'secret', ghost: 'secret' });
  company = await startCompany({
    configure: config => {
      (config.mail as Record<string, unknown>).authenticatingRelays = [];
    },
    postfixExtra: [
      'smtpd_sasl_auth_enable = yes',
      'smtpd_sasl_type = dovecot',
      `smtpd_sasl_path = inet:127.0.0.1:${auth.port}`,
      'smtpd_sasl_security_options = noanonymous',
      'smtpd_tls_auth_only = no',
    ],
  });
});
afterAll(async () => {
  await company?.stop();
  await auth?.stop();
});

async function send(login: string | null, from: string, message: Uint8Array): Promise<SmtpReply> {
  const client = await SmtpClient.connect(company.site.smtpPort);
  try {
    if (login !== null) {
      const plain = Buffer.from(`\0${login}\0secret`).toString('base64');
      expect((await client.command(`AUTH PLAIN ${plain}`)).code).toBe(235);
    }
    return (await client.send(from, [JOHN], message)).final;
  } finally {
    client.close();
  }
}

describe.skipIf(!hasPostfix)('SASL login', () => {
  test('the person behind the login may ask', async () => {
    expect(await send(MARY, MARY, makeMessage())).toMatchObject({ code: 250 });
  });

  test('an alias as login, another address of the same person as sender', async () => {
    const reply = await send('jd@company.com', 'john.doe@company.com', makeMessage({ from: 'JD@company.com' }));
    expect(reply).toMatchObject({ code: 250 });
  });

  test.each([
    ['no login', null, MARY, MARY, /^5\.7\.1 Only people of this company/],
    ['an unknown login', 'ghost', MARY, MARY, /^5\.7\.1 Your login is not known/],
    ["another person's envelope sender", 'jd@company.com', MARY, MARY, /^5\.7\.1 You are logged in as somebody else/],
    ["another person's From", 'jd@company.com', 'jd@company.com', MARY, /^5\.7\.1 The From line of the mail names/],
    ['an outside sender', MARY, 'x@outside.example', MARY, /^5\.7\.1 You are logged in as somebody else/],
  ])('A7 %s is refused', async (_, login, envelope, from, text) => {
    const reply = await send(login, envelope, makeMessage({ from }));
    expect(reply.code).toBe(550);
    expect(reply.text).toMatch(text);
  });
});
