/** D1 A signed copy in other hands: the request that it asked for is there once, whichever way which copy came first. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dkimSign } from '../../support/dkim.ts';
import { simplePdf } from '../../support/pdfs.ts';
import { canRun, type Envelope, KEYS, MARY, mail, RELAY, type SendersWorld, startSendersWorld } from './world.ts';

let world: SendersWorld;
beforeAll(async () => {
  if (canRun) world = await startSendersWorld();
});
afterAll(() => world?.stop());

const asText = (pdf: Uint8Array): Buffer =>
  dkimSign(
    mail({
      parts: [
        {
          headers: [
            'Content-Type: application/pdf; name="a.pdf"',
            'Content-Transfer-Encoding: quoted-printable',
            'Content-Disposition: attachment; filename="a.pdf"',
          ],
          body: [...pdf]
            .map(byte => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`)
            .join('')
            .replace(/(=..){25}/g, '$&=\r\n'),
        },
      ],
    }),
    KEYS.company,
  );

describe.skipIf(!canRun)('D1 a copy that is sent again from elsewhere', () => {
  test.each<[string, Envelope]>([
    ['by login', { login: MARY }],
    ['through a relay', { client: RELAY }],
    ['by its signature', {}],
  ])('is the same request as the mail that came %s', async (_, envelope) => {
    const message = dkimSign(mail({ headers: ['References: <a@b.example>'] }), KEYS.company);
    await world.opened(message, envelope);
    const before = (await world.requests()).length;
    const copy = Buffer.from(message.toString('latin1').replace(/References: .*\r\n/, ''), 'latin1');
    expect((await world.deliver(copy)).final.code).toBe(250);
    const { postfix } = world.company.site;
    await expect.poll(() => postfix!.log().match(/was opened before/g)?.length ?? 0).toBeGreaterThan(0);
    await expect.poll(async () => (await postfix!.queue()).length).toBe(0);
    expect(await world.requests()).toHaveLength(before);
  });

  test('may not have a document whose blanks the signature lets change', async () => {
    await world.refused(asText(simplePdf({ text: 'x' })), /^550 5\.7\.1 An attachment travels as plain text/);
  });

  test('may have it as text where its sender logged in', async () => {
    await world.opened(asText(simplePdf({ text: 'y' })), { login: MARY });
  });
});

describe.skipIf(!canRun)('D6 an address that Postfix rewrites to the sign domain', () => {
  test.each([
    'john.doe@sign.company.com.',
    'sign.company.com!john.doe',
    'sign.company.com!john.doe@mx.sign.company.com',
    'john.doe%sign.company.com',
    'john.doe%sign.company.com@mx.sign.company.com',
    'john.doe@sign.company.com@mx.sign.company.com',
    '"john.doe@sign.company.com"',
    '"john.doe@sign.company.com"@mx.sign.company.com',
  ])('%s: refused, and never a report to a forged sender', async address => {
    await world.refused(mail(), /^550 5\.1\.3 This is not a mail address/, {
      from: 'boss@evil.example',
      to: [address],
    });
  });
});
