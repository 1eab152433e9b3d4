/** D1 Everybody entitled gets through at the first try, whichever way their mail comes. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dkimRecordOf } from '../../../src/outbound/dkim-key.ts';
import type { Request } from '../../../src/requests/model.ts';
import { arcSeal, dkimSign, SIGNED } from '../../support/dkim.ts';
import { independentDkim } from '../../support/dkim-verifier.ts';
import { has } from '../../support/tools.ts';
import {
  canRun,
  type Envelope,
  KEYS,
  MARY,
  mail,
  OUTSIDE,
  RELAY,
  type SendersWorld,
  SIGN_JOHN,
  SPF_FR,
  startSendersWorld,
} from './world.ts';

let world: SendersWorld;
beforeAll(async () => {
  if (canRun) world = await startSendersWorld();
});
afterAll(() => world?.stop());

const ANNA = 'anna.muller@company.com';
const MARIE = 'marie@company.fr';

/** A forwarder that puts its mark into the subject: the company's own signature is broken. */
const forwarded = (message: Buffer): Buffer =>
  Buffer.from(message.toString('latin1').replace('Subject: ', 'Subject: Fwd: '), 'latin1');

const CASES: readonly [string, () => Buffer, Envelope, string?][] = [
  ['a login', () => mail(), { login: MARY, client: OUTSIDE }],
  [
    'a login that is an alias',
    () => mail({ from: 'jd@company.com' }),
    { login: 'jd@company.com', from: 'john.doe@company.com' },
    'john.doe',
  ],
  [
    'a login in upper case',
    () => mail({ from: ANNA }),
    { login: 'ANNA.MULLER@COMPANY.COM', from: ANNA },
    'anna.muller',
  ],
  ['a delegate who logs in', () => mail({ from: ANNA, headers: [`Sender: ${MARY}`] }), { login: MARY }, 'anna.muller'],
  [
    'a delegate with the envelope of whom they write for',
    () => mail({ from: ANNA }),
    { login: MARY, from: ANNA },
    'anna.muller',
  ],
  ['a relay by its address', () => mail(), { client: RELAY }],
  ['a relay by its certificate', () => mail(), { certificate: 'relay' }],
  ['DKIM', () => dkimSign(mail(), KEYS.company), {}],
  ['DKIM, simple', () => dkimSign(mail(), KEYS.company, { simple: true }), {}],
  ['DKIM with an Ed25519 key', () => dkimSign(mail(), KEYS.ed25519), {}],
  ['DKIM with a long key, over TCP', () => dkimSign(mail(), KEYS.large), {}],
  ['DKIM with a key that lies with a provider', () => dkimSign(mail(), KEYS.delegated), {}],
  ['DKIM that signs everything twice', () => dkimSign(mail(), KEYS.company, { h: `${SIGNED}:${SIGNED}` }), {}],
  ['DKIM with Cc, signed', () => dkimSign(mail({ cc: ANNA }), KEYS.company), {}],
  [
    'DKIM without Cc in h= when there is none',
    () => dkimSign(mail(), KEYS.company, { h: SIGNED.replace('cc:', '') }),
    {},
  ],
  ['DKIM with a domain in upper case', () => dkimSign(mail(), KEYS.company, { tags: { d: 'Company.COM' } }), {}],
  [
    'DKIM that has not expired',
    () => dkimSign(mail(), KEYS.company, { tags: { x: Math.floor(Date.now() / 1000) + 600 } }),
    {},
  ],
  ['DKIM below the signature of a stranger', () => dkimSign(dkimSign(mail(), KEYS.company), KEYS.evil), {}],
  [
    'DKIM beside a signature that is broken',
    () => dkimSign(dkimSign(mail(), KEYS.company), KEYS.company, { tags: { bh: 'AAAA' } }),
    {},
  ],
  [
    'DKIM from an alias',
    () => dkimSign(mail({ from: 'JD <jd@company.com>' }), KEYS.company),
    { from: 'jd@company.com' },
    'john.doe',
  ],
  [
    'DKIM by a delegate',
    () => dkimSign(mail({ from: ANNA, headers: [`Sender: ${MARY}`] }), KEYS.company),
    {},
    'anna.muller',
  ],
  [
    'DKIM in upper case',
    () => dkimSign(mail({ from: 'MARY.SMITH@COMPANY.COM', to: 'JOHN.DOE@SIGN.COMPANY.COM' }), KEYS.company),
    { from: 'Mary.Smith@Company.Com', to: ['John.Doe@Sign.Company.Com'] },
  ],
  [
    'DKIM with a name in an encoded word',
    () => dkimSign(mail({ from: `=?utf-8?q?M=C3=A4ry?= <${MARY}>` }), KEYS.company),
    {},
  ],
  [
    'DKIM with an SMTPUTF8 name',
    () => dkimSign(mail({ from: 'Jürgen Groß <jürgen@company.com>' }), KEYS.company),
    { from: 'jürgen@company.com', parameters: 'SMTPUTF8 BODY=8BITMIME' },
    'jurgen',
  ],
  [
    'DKIM to oneself',
    () => dkimSign(mail({ to: 'self@sign.company.com' }), KEYS.company),
    { to: ['self@sign.company.com'] },
  ],
  ['SPF alone, where configured', () => mail({ from: MARIE }), { from: MARIE, client: SPF_FR }, 'marie'],
  [
    'ARC of a forwarder that changed the subject',
    () => arcSeal(forwarded(dkimSign(mail(), KEYS.company)), KEYS.forwarder),
    {},
  ],
  [
    'ARC of two forwarders',
    () =>
      arcSeal(forwarded(arcSeal(forwarded(dkimSign(mail(), KEYS.company)), KEYS.forwarder)), KEYS.second, {
        instance: 2,
        saw: 'arc=pass; dkim=fail header.d=company.com; dmarc=fail header.from=company.com',
      }),
    {},
  ],
  [
    'ARC of a forwarder that saw SPF pass, where configured',
    () =>
      arcSeal(forwarded(mail({ from: MARIE })), KEYS.forwarder, {
        saw: 'spf=pass smtp.mailfrom=marie@company.fr; dmarc=pass (p=REJECT) header.from=company.fr',
      }),
    { from: MARIE },
    'marie',
  ],
];

describe.skipIf(!canRun)('D1 gets through at the first try', () => {
  test.each(CASES)('D1 %s', async (_, message, envelope, sender = 'mary.smith') => {
    const request: Request = await world.opened(message(), envelope);
    expect(request.sender.mail).toBe(`${sender}@company.com`);
  });

  test.skipIf(!has('python3-dkim'))('D1 DKIM by another signer (Debian dkimsign)', async () => {
    const script = `import sys, dkim
message = sys.stdin.buffer.read()
key = sys.argv[1].encode()
sys.stdout.buffer.write(dkim.sign(message, b's1', b'company.com', key, canonicalize=(b'relaxed', b'simple')) + message)`;
    const key = KEYS.company.privateKey.export({ type: 'pkcs1', format: 'pem' }) as string;
    const signed = execFileSync('/usr/bin/python3', ['-c', script, key], { input: mail() });
    expect(signed.toString('latin1')).toMatch(/^DKIM-Signature: /);
    await world.opened(signed);
  });

  test('D1 two transactions for two signatories are one request', async () => {
    const message = dkimSign(mail({ to: `${SIGN_JOHN}, anna.muller@sign.company.com` }), KEYS.company);
    const request = await world.opened(message);
    const count = (await world.requests()).length;
    const { final } = await world.deliver(message, { to: ['anna.muller@sign.company.com'] });
    expect(final.code).toBe(250);
    const log = (): string => world.company.site.postfix!.log();
    for (let tries = 0; !log().includes(`request ${request.id} was opened before`); tries += 1) {
      expect(tries, log().split('\n').slice(-10).join('\n')).toBeLessThan(200);
      await new Promise(resolve => setTimeout(resolve, 50));
    }
    expect((await world.requests()).length).toBe(count);
  });

  test.skipIf(!has('python3-dkim', 'python3-dnspython'))(
    'our own mail arrives with a signature that holds, judged by Debian dkim',
    async () => {
      await world.opened(dkimSign(mail({ subject: 'Signed by us' }), KEYS.company));
      const record = (await dkimRecordOf(world.company.site.config.folder, 'sign.company.com'))!;
      world.dns.zone.set(record.name, { TXT: [record.text] });
      for (const kind of ['accepted', 'please-sign']) {
        const { raw } = await world.company.site.mailboxes.waitFor(
          letter => letter.raw.includes('Signed by us') && letter.raw.includes(`Signpost-Status: ${kind}`),
        );
        expect(await independentDkim(raw, world.dns)).toBe(true);
        const changed = Buffer.from(raw.toString('latin1').replace('Signed by us', 'Signed by me'), 'latin1');
        expect(await independentDkim(changed, world.dns)).toBe(false);
      }
    },
  );

  test('D1 Authentication-Results say what was found, in place of what was forged', async () => {
    const forged = [
      'Authentication-Results: mx.sign.company.com; dmarc=pass header.from=forged.example',
      'Authentication-Results: (hello) "mx.sign.company.com" 1; dmarc=pass header.from=forged.example',
      'Authentication-Results: sign.company.com; dmarc=pass header.from=forged.example',
      'Authentication-Results: other.example; dmarc=pass header.from=other.example',
      'X-Signpost-Verdict: forged',
    ];
    const message = dkimSign(mail({ subject: 'Who am I', cc: ANNA, headers: forged }), KEYS.company);
    await world.opened(message, { to: [SIGN_JOHN, ANNA] });
    const letter = await world.company.site.mailboxes.waitFor(
      ({ to, raw }) => to.includes(ANNA) && raw.includes('Subject: Who am I'),
    );
    const header = letter.raw
      .toString('latin1')
      .split('\r\n\r\n')[0]!
      .replace(/\r\n[ \t]+/g, ' ');
    const results = header.split('\r\n').filter(line => line.startsWith('Authentication-Results:'));
    expect(results).toEqual([
      'Authentication-Results: mx.sign.company.com; dkim=pass header.d=company.com header.s=s1; dmarc=pass header.from=company.com',
      'Authentication-Results: other.example; dmarc=pass header.from=other.example',
    ]);
    expect(header).not.toContain('forged');
  });
});
