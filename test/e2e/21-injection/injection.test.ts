/**
 * Strings that try to be more than text: as subject, file name, display name and title in the directory, and comment of a
 * refusal. Judged against the same mails and pages made from harmless words: same header fields, parts and elements.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { ParsedMail } from 'mailparser';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Request } from '../../../src/requests/model.ts';
import { enrolByMail, type Phone, type Phones, startPhones } from '../../../src/tryout/browser.ts';
import { type Letter, read, waitForLetter } from '../../../src/tryout/letters.ts';
import { addressOf, PEOPLE, SIGN_DOMAIN } from '../../../src/tryout/site.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { attachment, makeMessage } from '../../support/message.ts';
import { simplePdf } from '../../support/pdfs.ts';
import { SmtpClient } from '../../support/smtp.ts';
import { has, hasPostfix } from '../../support/tools.ts';
import { STRINGS } from './strings.ts';

const BIN = new URL('../../../bin/signpost.js', import.meta.url).pathname;
const JOHN = addressOf('john.doe');
const NAMES = Object.keys(STRINGS);
const HARMLESS = 'Plain words';
const all: readonly string[] = [HARMLESS, ...Object.values(STRINGS)];

/** What stands in one mail besides its text. */
interface Shape {
  readonly fields: readonly string[];
  readonly parts: readonly string[];
  readonly elements: readonly string[];
}

/** The content types of a message's parts, split as RFC 2046 §5.1.1 says. */
function typesOf(part: string): string[] {
  const end = part.indexOf('\r\n\r\n');
  const head = part.slice(0, end).replace(/\r\n[ \t]+/g, ' ');
  const [, type, parameters] = /^Content-Type: *([^;\r]+)(.*)/im.exec(head) ?? [];
  const boundary = /boundary="?([^";\r]+)/i.exec(parameters ?? '')?.[1];
  if (boundary === undefined) return [type!];
  const inner = part.slice(end).split(`\r\n--${boundary}`).slice(1, -1);
  return [type!, ...inner.flatMap(each => typesOf(each.replace(/^[ \t]*\r\n/, '')))];
}

const encoded = (text: string): string => `=?utf-8?B?${Buffer.from(text.toWellFormed()).toString('base64')}?=`;
const percent = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(/['()*]/g, letter => `%${letter.charCodeAt(0).toString(16)}`);

describe.skipIf(!hasPostfix || !has('chromium'))('injection', () => {
  let company: Company;
  let phones: Phones;
  let john: Phone;
  const problems: string[] = [];
  /** By the index in `all`. */
  const requests = new Map<number, Request>();

  beforeAll(async () => {
    company = await startCompany({
      people: [
        ...PEOPLE,
        ...all.map((text, index) => ({
          id: `person-${index}`,
          name: `Person ${text}`.slice(0, 200),
          title: `Title ${text}`.slice(0, 200),
        })),
      ],
    });
    phones = await startPhones();
    john = await phones.open();
    watch(john);
    await mailAll();
  });
  afterAll(async () => {
    await phones?.close();
    await company?.stop();
  });

  function watch({ page }: Phone): void {
    page.on('dialog', dialog => {
      problems.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('pageerror', error => problems.push(`error: ${error.message}`));
    page.on('console', message => {
      if (/Content Security Policy|Refused to/.test(message.text())) problems.push(message.text());
    });
    page.on('request', request => {
      const { protocol, origin } = new URL(request.url());
      if (protocol.startsWith('http') && origin !== company.site.config.publicUrl)
        problems.push(`asked ${request.url()}`);
    });
    page.on('response', response => {
      const policy = response.headers()['content-security-policy'] ?? '';
      if (!response.url().startsWith('http')) return;
      if (!policy.startsWith("default-src 'none'") || policy.includes('unsafe'))
        problems.push(`${response.url()}: ${policy}`);
    });
  }

  /** Each string in everything that a sender can write, by a sender whose directory entry is made of it. */
  async function mailAll(): Promise<void> {
    const pdf = simplePdf({ pages: 1 });
    const smtp = await SmtpClient.connect(company.site.smtpPort);
    for (const [index, text] of all.entries()) {
      const from = addressOf(`person-${index}`);
      const part = attachment(pdf);
      const message = makeMessage({
        from: `${encoded(text)} <${from}>`,
        to: `${encoded(text)} <john.doe@${SIGN_DOMAIN}>`,
        subject: encoded(`Contract: ${text}`),
        messageId: `<injection-${index}@company.com>`,
        text,
        parts: [
          {
            headers: [
              `Content-Type: application/pdf; name*=utf-8''${percent(text)}`,
              'Content-Transfer-Encoding: base64',
              `Content-Disposition: attachment; filename*=utf-8''${percent(text)}`,
            ],
            body: part.body,
          },
        ],
      });
      await smtp.send(from, [`john.doe@${SIGN_DOMAIN}`], message, 'BODY=8BITMIME');
    }
    smtp.close();
    const waiting = async (): Promise<boolean> =>
      (await company.site.postfix!.queue()).some(({ sender }) => String(sender).startsWith('person-'));
    while (await waiting()) await new Promise(resolve => setTimeout(resolve, 50));
    for (const request of await company.gateway.core.requests.list({ ended: false })) {
      requests.set(Number(/injection-(\d+)/.exec(request.messageId ?? '')![1]), request);
    }
  }

  /** Not one that the sender wrote. */
  const ownLink = ({ parsed }: Letter): string =>
    new RegExp(`${company.site.config.publicUrl}/s/[\\w-]+`).exec(parsed.text!)![0];

  async function lettersOf(request: Request, kind: string, to: string): Promise<Letter> {
    return waitForLetter(company.site.mailboxes, to, kind, letter => letter.request === request.id);
  }

  /** The mail's HTML, shown with scripts allowed and no policy: the worst mail program. */
  async function elementsOf({ html }: ParsedMail): Promise<string[]> {
    const { page } = reader;
    await page.setContent(String(html), { waitUntil: 'domcontentloaded' });
    if (await page.evaluate('"injected" in globalThis')) problems.push('a mail ran a script');
    return page.evaluate('[...document.querySelectorAll("*")].map(each => each.tagName)');
  }
  let reader: Phone;

  async function shapeOf({ mail, parsed }: Letter): Promise<Shape> {
    const raw = mail.raw.toString('latin1');
    expect(raw).not.toMatch(/\0|\r(?!\n)|(?<!\r)\n/);
    const head = raw.slice(0, raw.indexOf('\r\n\r\n'));
    return {
      fields: head
        .split('\r\n')
        .filter(line => !/^[ \t]/.test(line))
        .map(line => line.slice(0, line.indexOf(':'))),
      parts: typesOf(raw),
      elements: await elementsOf(parsed),
    };
  }

  test('D7 there are at least 50, and nearly all open a request', () => {
    expect(NAMES.length).toBeGreaterThanOrEqual(50);
    const refused = NAMES.filter((_, index) => !requests.has(index + 1));
    expect(refused.length, refused.join(', ')).toBeLessThanOrEqual(NAMES.length - 50);
  });

  test('D7 mails: no header field, part, recipient, element or address more than from harmless words', {
    timeout: 300_000,
  }, async () => {
    reader = await phones.open();
    reader.page.on('dialog', dialog => void dialog.dismiss());
    const plain = requests.get(0)!;
    for (const kind of ['accepted', 'please-sign'] as const) {
      const to = (index: number): string => (kind === 'accepted' ? addressOf(`person-${index}`) : JOHN);
      const expected = await shapeOf(await lettersOf(plain, kind, to(0)));
      for (const [index, request] of requests) {
        const letter = await lettersOf(request, kind, to(index));
        const what = `${kind}: ${NAMES[index - 1] ?? HARMLESS}`;
        expect(await shapeOf(letter), what).toEqual(expected);
        const { parsed, mail } = letter;
        expect(mail.to, what).toEqual([to(index)]);
        expect(
          [parsed.to]
            .flat()
            .flatMap(each => each?.value ?? [])
            .map(({ address }) => address),
          what,
        ).toEqual([to(index)]);
        expect([parsed.cc, parsed.bcc], what).toEqual([undefined, undefined]);
        expect(
          parsed.from!.value.map(({ address }) => address),
          what,
        ).toEqual([`signpost@${SIGN_DOMAIN}`]);
        expect(parsed.subject, what).not.toMatch(
          /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2067\u2069\u2028\u2029]/u,
        );
        for (const [, address] of String(parsed.html).matchAll(/\s(?:href|src)="([^"]*)"/g)) {
          expect(
            address!.startsWith(`${company.site.config.publicUrl}/`) || /^(cid|mailto|data:image):?/.test(address!),
            `${what}: ${address}`,
          ).toBe(true);
        }
      }
    }
    await reader.context.close();
  });

  test('D7 pages: no script, no element and no policy violation, on the phone and after its refusal', {
    timeout: 400_000,
  }, async () => {
    const { page } = john;
    const elements = (): Promise<string[]> =>
      page.evaluate(
        '[...document.querySelectorAll("body *")].map(each => each.tagName).filter(name => !["CANVAS", "BR"].includes(name))',
      );
    let shown: string[] | null = null;
    for (const [index, request] of [...requests].toSorted(([a], [b]) => a - b)) {
      const what = NAMES[index - 1] ?? HARMLESS;
      await page.goto(ownLink(await lettersOf(request, 'please-sign', JOHN)));
      if (index === 0) await enrolByMail(john, company.site.mailboxes, JOHN);
      await page.getByRole('button', { name: 'Reject…' }).waitFor();
      // The text layer comes with the page; what stands around it is ours.
      const now = (await elements()).filter(name => name !== 'SPAN');
      shown ??= now;
      expect(new Set(now), what).toEqual(new Set(shown));
      await page.getByRole('button', { name: 'Reject…' }).click();
      await page.getByLabel('Why?').fill(all[index]!);
      await page.getByRole('button', { name: 'Reject', exact: true }).click();
      await page.getByRole('heading', { name: 'Rejected' }).waitFor();
      expect(await page.evaluate('"injected" in globalThis'), what).toBe(false);
      expect(
        await page.locator('script:not([src]), style, iframe, form[action], base, object, embed, svg script').count(),
        what,
      ).toBe(0);
    }
    expect(problems).toEqual([]);
  });

  test('D7 the comment in the mails about the refusal, and what an admin sees on a terminal', {
    timeout: 200_000,
  }, async () => {
    reader = await phones.open();
    reader.page.on('dialog', dialog => void dialog.dismiss());
    const plain = await shapeOf(await lettersOf(requests.get(0)!, 'rejected', addressOf('person-0')));
    for (const [index, request] of requests) {
      const what = NAMES[index - 1] ?? HARMLESS;
      const letter = await lettersOf(request, 'rejected', addressOf(`person-${index}`));
      const { fields, parts, elements } = await shapeOf(letter);
      expect({ fields, parts }, what).toEqual({ fields: plain.fields, parts: plain.parts });
      expect(new Set(elements), what).toEqual(
        new Set([...plain.elements, 'BR']).intersection(new Set([...elements, ...plain.elements])),
      );
      expect(letter.mail.to, what).toEqual([addressOf(`person-${index}`)]);
    }
    await reader.context.close();
    expect(problems).toEqual([]);

    const signpost = (...args: string[]): Promise<string> =>
      new Promise((resolve, reject) => {
        execFile(process.execPath, [BIN, ...args, '--config', company.site.configFile], (error, stdout) =>
          error ? reject(error) : resolve(stdout),
        );
      });
    const list = await signpost('requests', 'list', '--ended');
    expect(list.split('\n').length).toBe(requests.size + 2);
    const terminal = NAMES.indexOf('a terminal') + 1;
    const lines = NAMES.indexOf('CRLF and Bcc') + 1;
    for (const text of [
      list,
      await signpost('requests', 'show', requests.get(terminal)!.id),
      await signpost('requests', 'show', requests.get(lines)!.id),
    ]) {
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      expect(text).not.toMatch(/^Bcc:/m);
    }
  });

  test('D7 nobody else got any mail, no file was made, and the tables are all there', async () => {
    const own = new Set(
      [...company.site.mailboxes.mails.flatMap(({ to }) => to)].filter(
        to => !/^(person-\d+|john\.doe)@company\.com$/.test(to),
      ),
    );
    expect([...own]).toEqual([]);
    for (const mail of company.site.mailboxes.mails) expect((await read(mail)).kind).not.toBe('');
    expect(existsSync('/tmp/signpost-injected')).toBe(false);
    expect((await company.gateway.core.requests.list({ ended: true })).length).toBe(requests.size);
  });
});
