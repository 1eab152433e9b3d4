/**
 * A hostile gateway: what it asks a device to sign, after the person has read the document, isn't what was shown.
 * The gateway is the real one; only what its phone API hears of a granted turn is replaced.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { PDFDocument } from '@cantoo/pdf-lib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CertifiedMark } from '../../../src/documents/documents.ts';
import { openFile } from '../../../src/documents/file/file.ts';
import { dict, octets, ref } from '../../../src/documents/file/values.ts';
import { renewedId } from '../../../src/documents/increment.ts';
import { writeIncrement } from '../../../src/documents/increment-writer.ts';
import type { Grant, Requests } from '../../../src/requests/requests.ts';
import { enrolByMail, type Phones, startPhones, waitForReview } from '../../../src/tryout/browser.ts';
import { linkIn } from '../../../src/tryout/letters.ts';
import { addressOf } from '../../../src/tryout/site.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { has, hasPostfix } from '../../support/tools.ts';

const MAIN = new URL('../../../src/commands/main.ts', import.meta.url).pathname;

type Attack = 'none' | 'another document' | 'another digest' | 'a changed page in a sound increment';
const REASONS: Record<Attack, RegExp> = {
  none: /^/,
  'another document': /the document is not the one that was shown/,
  'another digest': /the attributes to be signed do not fit this document/,
  'a changed page in a sound increment': /is no signature field/,
};
const ATTACKS: Exclude<Attack, 'none'>[] = [
  'another document',
  'another digest',
  'a changed page in a sound increment',
];

describe.skipIf(!hasPostfix || !has('chromium'))('a hostile gateway', () => {
  let company: Company;
  let phones: Phones;
  let attack: Attack = 'none';

  /** Grants honestly, then lies about the documents. Everything it says is consistent in itself. */
  const hostile = (requests: Requests): Requests => ({
    ...requests,
    async grantTurn(sessionId, device, ask) {
      const grant = await requests.grantTurn(sessionId, device, ask);
      if (attack === 'none') return grant;
      const { core } = company.gateway;
      const request = (await core.store.requests.findBySession(sessionId))!;
      const index = request.sessions.findIndex(({ id }) => id === sessionId);
      const certificate = (await core.pki.ca.find(ask.certificateSerial))!.certificate;
      const mark: CertifiedMark = {
        index,
        name: request.sessions[index]!.party.name,
        company: 'Company',
        level: 'advanced',
        signature: null,
        paraph: null,
        place: null,
        device: null,
        signingTime: grant.signingTime,
        utcOffset: ask.utcOffset,
        certificate,
      };
      const head = await requests.readHead(request, 0);
      return { ...grant, documents: [await lie(head, mark, request.documents[0]!.layout!, grant)] };
    },
  });

  async function lie(
    head: Uint8Array,
    mark: CertifiedMark,
    layout: Parameters<Company['gateway']['core']['documents']['prepareSignature']>[1],
    grant: Grant,
  ): Promise<Grant['documents'][number]> {
    const { documents } = company.gateway.core;
    const honest = grant.documents[0]!;
    if (attack === 'another digest') {
      const signedAttributes = Uint8Array.from(honest.signedAttributes);
      // message-digest's value is 32 bytes after the tag and length 04 20.
      const at = Buffer.from(signedAttributes).indexOf(Buffer.from('0420', 'hex'));
      signedAttributes[at + 2]! ^= 1;
      return { ...honest, signedAttributes };
    }
    const evil =
      attack === 'another document' ? await written(head) : withOtherPage(head, layout.signatories[0]!.pageObject);
    const prepared = await documents.prepareSignature(evil, layout, mark);
    const known = attack === 'another document' ? 0 : head.length;
    return {
      known,
      appended: prepared.bytes.subarray(known),
      byteRange: prepared.byteRange,
      signedAttributes: prepared.signedAttributes,
    };
  }

  beforeAll(async () => {
    company = await startCompany({ gateway: { wrapRequests: hostile } });
    phones = await startPhones();
  });
  afterAll(async () => {
    await phones?.close();
    await company?.stop();
  });

  test.each(ATTACKS)('A4 the page refuses to sign: %s', async kind => {
    attack = 'none';
    const [letter] = await company.ask('mary.smith', ['self']);
    const phone = await phones.open();
    await phone.page.goto(linkIn(letter!));
    await enrolByMail(phone, company.site.mailboxes, addressOf('mary.smith'));
    await waitForReview(phone);
    attack = kind;
    await phone.page.getByRole('button', { name: 'Sign…' }).click();
    await phone.page.getByRole('button', { name: 'Sign now' }).click();
    await phone.page.getByText('Not signed: the document has changed').waitFor();
    expect(await phone.page.getByRole('button', { name: 'Sign now' }).count()).toBe(0);
    const request = (await company.gateway.core.requests.find(letter!.request!))!;
    expect(request.sessions[0]!.state).toBe('open');
    await phone.context.close();
  });

  test('A4 signpost device refuses each of them with exit status 1 and says why; then signs the honest one', async () => {
    attack = 'none';
    const store = join(company.folder, 'device');
    const { code } = await company.gateway.core.devices.createAdminCode('john.doe');
    const enrolled = await device([
      'enrol',
      company.site.config.publicUrl,
      addressOf('john.doe'),
      '--code',
      code,
      '--store',
      store,
    ]);
    expect(enrolled, enrolled.output).toMatchObject({ status: 0 });
    const [letter] = await company.ask('mary.smith', ['john.doe']);
    for (const kind of ATTACKS) {
      attack = kind;
      const { status, output } = await device(['sign', linkIn(letter!), '--yes', '--store', store]);
      expect({ kind, status, output }).toMatchObject({
        status: 1,
        output: expect.stringMatching(REASONS[kind]),
      });
      expect((await company.gateway.core.requests.find(letter!.request!))!.sessions[0]!.state).toBe('open');
    }
    attack = 'none';
    const honest = await device(['sign', linkIn(letter!), '--yes', '--store', store]);
    expect(honest, honest.output).toMatchObject({ status: 0 });
  });
});

function device(args: string[]): Promise<{ status: number | null; output: string }> {
  return new Promise(resolve => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, 'device', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('close', status => resolve({ status, output }));
  });
}

/** The same document with a sentence more, written anew. */
async function written(head: Uint8Array): Promise<Uint8Array> {
  const pdf = await PDFDocument.load(head);
  pdf.getPage(0).drawText('and 1,000,000 EUR more', { x: 72, y: 400 });
  return pdf.save({ useObjectStreams: false });
}

/** An increment exactly as ours are written, which gives a page other content. */
function withOtherPage(head: Uint8Array, page: number): Uint8Array {
  const file = openFile(head);
  const stream = octets('BT /F1 12 Tf 72 400 Td (and 1,000,000 EUR more) Tj ET');
  const content = file.trailer.size;
  const { appended } = writeIncrement(
    file,
    [
      { number: page, value: new Map([...file.dict(page), ['Contents', ref(content)]]) },
      { number: content, value: dict({ Length: stream.length }), stream },
    ],
    renewedId(file, 'evil'),
  );
  return Buffer.concat([head, appended]);
}
