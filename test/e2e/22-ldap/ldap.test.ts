/**
 * A company whose people are in LDAP: real Postfix, real slapd. Whatever is wrong with the directory, mail is put off and
 * taken later; never is anybody unknown because of it, and never is the wrong person asked.
 */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Request } from '../../../src/requests/model.ts';
import { lookAtPeople } from '../../../src/requests/people.ts';
import { linkIn, waitForLetter } from '../../../src/tryout/letters.ts';
import { commandLineSigners } from '../../../src/tryout/signers.ts';
import { addressOf, SIGN_DOMAIN } from '../../../src/tryout/site.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { INJECTIONS } from '../../support/injections.ts';
import { ldapYaml } from '../../support/ldap-directory.ts';
import { contractLdif } from '../../support/ldap-people.ts';
import { simplePdf } from '../../support/pdfs.ts';
import { BASE, READER_PASSWORD, type Slapd, startSlapd } from '../../support/slapd.ts';
import { SmtpClient } from '../../support/smtp.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';
import { has, hasPostfix } from '../../support/tools.ts';

const MARY = addressOf('mary.smith');
const JOHN = addressOf('john.doe');
const ZOE = addressOf('zoe.celik');
const PATIENCE = 120_000;

function person(uid: string, mail: string, more = ''): string {
  return `dn: uid=${uid},ou=people,${BASE}
objectClass: inetOrgPerson
objectClass: mailAliases
uid: ${uid}
cn: ${uid}
sn: ${uid}
mail: ${mail}
${more}`;
}

describe.skipIf(!hasPostfix || !has('slapd', 'ldap-utils', 'openssl'))('people in LDAP', () => {
  let slapd: Slapd;
  let proxy: TcpProxy;
  let company: Company;
  /** Done once, as soon as the gatekeeper has admitted a message. */
  let onAdmitted: (() => void) | null = null;
  const log: string[] = [];
  let pdf: Uint8Array;
  let number = 0;

  beforeAll(async () => {
    slapd = await startSlapd(
      [
        contractLdif('secret'),
        person('mary', MARY),
        person('twin1', 'twin@company.com'),
        person('twin2', 'twin2@company.com', 'mailAlternateAddress: Twin@company.com\n'),
        person('leaver', 'leaver@company.com'),
      ].join('\n\n'),
    );
    proxy = await startTcpProxy(slapd.port);
    pdf = await simplePdf({ pages: 1, text: 'Contract' });
    const logger = pino(
      { level: 'info' },
      {
        write: line => {
          log.push(line);
          if (!line.includes('"message admitted"')) return;
          onAdmitted?.();
          onAdmitted = null;
        },
      },
    );
    company = await startCompany({
      gateway: { logger },
      configure: config => {
        config.directory = {
          ldap: [
            ldapYaml(slapd, 'openldap', {
              servers: [`ldap://localhost:${proxy.port}`],
              timeout: '1 second',
              userCertificate: true,
            }),
          ],
        };
        config.policy = [
          { signatories: ['sales'], allowed: [{ senders: 'everyone', levels: ['advanced'] }] },
          { signatories: 'everyone', allowed: [{ senders: 'everyone' }] },
        ];
      },
    });
  }, PATIENCE);
  afterAll(async () => {
    await company?.stop();
    await proxy?.stop();
    await slapd?.remove();
  });

  const requests = async (): Promise<Request[]> => {
    const { list } = company.gateway.core.requests;
    return [...(await list({ ended: false })), ...(await list({ ended: true }))];
  };

  /** The server's reply, whether it takes the mail or not. */
  async function send(to: string, subject?: string, from = MARY): Promise<string> {
    number += 1;
    const attachments = [{ filename: 'contract.pdf', content: pdf }];
    try {
      return await company.site.send({ from, to: [to], subject: subject ?? `Contract ${number}`, attachments });
    } catch (error) {
      return (error as { response?: string }).response ?? String(error);
    }
  }

  const asked = (request: Request | undefined): string[] => request!.sessions.map(({ party }) => party.mail).sort();
  async function opened(subject: string): Promise<Request> {
    await waitForLetter(company.site.mailboxes, MARY, 'accepted', ({ parsed }) => parsed.subject!.includes(subject));
    return (await requests()).find(request => request.subject === subject)!;
  }

  test(
    'D3 a group is asked, its people sign, and their certificates stand in the directory',
    async () => {
      expect(await send(`board@${SIGN_DOMAIN}`, 'For the board')).toMatch(/^250/);
      const request = await opened('For the board');
      expect(asked(request)).toEqual([JOHN, ZOE]);
      const folder = join(company.folder, 'devices');
      mkdirSync(folder);
      const signers = await commandLineSigners(company.site, folder);
      for (const who of ['john.doe', 'zoe.celik']) {
        const letter = await waitForLetter(
          company.site.mailboxes,
          addressOf(who),
          'please-sign',
          one => one.request === request.id,
        );
        await signers.sign(who, linkIn(letter));
      }
      await waitForLetter(company.site.mailboxes, JOHN, 'finished', letter => letter.request === request.id);
      const records = await company.gateway.core.pki.ca.list();
      for (const { certificate, personId } of records)
        await company.gateway.core.directory.publishCertificate(personId!, certificate);
      const { stdout } = await promisify(execFile)('ldapsearch', [
        ...['-x', '-LLL', '-o', 'ldif-wrap=no', '-H', `ldap://127.0.0.1:${slapd.port}`],
        ...['-D', `cn=signpost,${BASE}`, '-w', READER_PASSWORD, '-b', BASE, `(mail=${JOHN})`, 'userCertificate;binary'],
      ]);
      const der = /^userCertificate;binary:: (.+)$/m.exec(stdout)?.[1] ?? '';
      expect(new X509Certificate(Buffer.from(der, 'base64')).subject).toContain('CN=John Doe');
    },
    PATIENCE,
  );

  const FAULTS: [string, () => unknown, () => unknown][] = [
    ['down', () => slapd.stop(), () => slapd.start()],
    ['slow', () => set({ delay: 1500 }), well],
    ['silent', () => set('silent'), well],
    ['hanging up', () => set('closing'), well],
    ['answering with garbage', () => set({ answer: Buffer.from('30030201020000', 'hex') }), well],
    ['showing a certificate that nobody vouches for', () => slapd.start('wrong'), () => slapd.start('right')],
  ];
  function set(mood: TcpProxy['mood']): void {
    proxy.cut();
    proxy.mood = mood;
  }
  function well(): void {
    set({ delay: 0 });
  }

  test.each(FAULTS)(
    'D3 a directory that is %s: 451, and a later success',
    async (name, break_, mend) => {
      const subject = `While ${name}`;
      await break_();
      for (const to of ['john.doe', 'stranger', 'board']) {
        expect(await send(`${to}@${SIGN_DOMAIN}`, subject), to).toMatch(/^451[ -]4\.3\.0 .*directory/);
      }
      await mend();
      expect(await send(`john.doe@${SIGN_DOMAIN}`, subject)).toMatch(/^250/);
      expect(asked(await opened(subject))).toEqual([JOHN]);
      expect((await requests()).filter(request => request.subject === subject)).toHaveLength(1);
      expect(await send(`stranger@${SIGN_DOMAIN}`)).toMatch(/^550[ -]5\.1\.1 /);
    },
    PATIENCE,
  );

  test(
    'D3 a directory that fails between gatekeeper and LMTP: Postfix keeps the mail and delivers it once',
    async () => {
      onAdmitted = () => set('closing');
      expect(await send(`john.doe@${SIGN_DOMAIN}`, 'In between')).toMatch(/^250/);
      let queue: readonly Record<string, unknown>[] = [];
      const deferred = () =>
        queue.some(({ sender, recipients }) => sender === MARY && JSON.stringify(recipients).includes('451 4.3.0'));
      for (let tries = 0; tries < 100 && !deferred(); tries += 1) {
        await new Promise(resolve => setTimeout(resolve, 100));
        queue = await company.site.postfix!.queue();
      }
      expect(deferred()).toBe(true);
      expect((await requests()).some(({ subject }) => subject === 'In between')).toBe(false);
      well();
      await company.site.postfix!.flush();
      expect(asked(await opened('In between'))).toEqual([JOHN]);
      expect(company.site.postfix!.log()).not.toMatch(/status=bounced.*In between/);
    },
    PATIENCE,
  );

  test(
    'D3 two people with one address: nobody is asked, and both are named in the log',
    async () => {
      const before = (await requests()).length;
      expect(await send(`twin@${SIGN_DOMAIN}`)).toMatch(/^550[ -]5\.1\.1 .*more than one person/s);
      expect(await send(`john.doe@${SIGN_DOMAIN}`, undefined, 'twin@company.com')).toMatch(
        /^550[ -]5\.7\.1 .*two entries/s,
      );
      expect((await requests()).length).toBe(before);
      expect(log.some(line => line.includes('uid=twin1') && line.includes('uid=twin2'))).toBe(true);
      expect(await send(`twin2@${SIGN_DOMAIN}`, 'For the second twin')).toMatch(/^250/);
      expect(asked(await opened('For the second twin'))).toEqual(['twin2@company.com']);
    },
    PATIENCE,
  );

  test(
    'D3 injection strings as recipients are refused, and are literals in what slapd is asked',
    async () => {
      const before = (await requests()).length;
      const from = slapd.log().length;
      for (const text of INJECTIONS.filter(text => !/[\r\n\0]/.test(text))) {
        for (const local of [text, `"${text.replace(/["\\]/g, '\\$&')}"`]) {
          const client = await SmtpClient.connect(company.site.smtpPort);
          await client.command(`MAIL FROM:<${MARY}>`);
          const { code } = await client.command(`RCPT TO:<${local}@${SIGN_DOMAIN}>`);
          // Postfix itself refuses what is no address.
          expect([501, 550, 553, 555], local).toContain(code);
          client.close();
        }
      }
      expect((await requests()).length).toBe(before);
      const filters = [
        ...slapd
          .log()
          .slice(from)
          .matchAll(/SRCH .* filter="(.*)"$/gm),
      ].map(([, filter]) => filter!);
      const shape = (filter: string) =>
        filter.replace(/=(\\[0-9A-Fa-f]{2}|[^()\\*])*(?=\))/g, '=').replaceAll('(?', '(');
      const address = '(|(mail=)(mailLocalAddress=)(mailAlternateAddress=))';
      const shapes = new Set(filters.map(shape));
      for (const known of [
        `(&(objectClass=)${address})`,
        // Mary's groups, and everybody for "did you mean".
        '(&(objectClass=)(|(member=)))',
        '(objectClass=)',
      ]) {
        shapes.delete(known);
      }
      expect([...shapes]).toEqual([]);
    },
    PATIENCE,
  );

  test(
    'the policy: a level at which somebody may not be asked is refused in words',
    async () => {
      expect(await send(`john.doe@${SIGN_DOMAIN}`, '[standard] Contract')).toMatch(
        /^550[ -]5\.7\.1 .*"john.doe@company.com": only as \[advanced\]/s,
      );
      expect(await send(`mary.smith@${SIGN_DOMAIN}`, '[standard] Contract of my own')).toMatch(/^250/);
    },
    PATIENCE,
  );

  test(
    'D3 removed while a request is open: no signature, and the sender is told; renamed: asked at the new address',
    async () => {
      expect(await send(`leaver@${SIGN_DOMAIN}`, 'Last contract')).toMatch(/^250/);
      const request = await opened('Last contract');
      const letter = await waitForLetter(company.site.mailboxes, addressOf('leaver'), 'please-sign');
      await slapd.modify(
        `dn: uid=leaver,ou=people,${BASE}\nchangetype: modify\nreplace: mail\nmail: married@company.com`,
      );
      const { deps } = company.gateway.core;
      await lookAtPeople(deps);
      const again = await waitForLetter(company.site.mailboxes, 'married@company.com', 'please-sign');
      expect(linkIn(again)).toBe(linkIn(letter));
      await slapd.modify(`dn: uid=leaver,ou=people,${BASE}\nchangetype: delete`);
      await lookAtPeople(deps);
      const told = await waitForLetter(company.site.mailboxes, MARY, 'left');
      expect(told.parsed.text).toContain('married@company.com');
      expect(told.request).toBe(request.id);
    },
    PATIENCE,
  );
});
