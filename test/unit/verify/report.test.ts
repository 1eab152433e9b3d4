/** B10 Transaction reports and their seals: what is said of them, and that no bit of either can be flipped. */
import { createHash, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Approval, approvalData } from '../../../src/client/approval.ts';
import { completeCades, prepareCades } from '../../../src/signatures/cades.ts';
import { formatReport, makeReport } from '../../../src/signatures/report.ts';
import { sealDetached } from '../../../src/signatures/seal.ts';
import { type Answer, answered, parseApproval } from '../../../src/signatures/verify/report.ts';
import { type FileReport, fault, passed } from '../../../src/signatures/verify/result.ts';
import { personSigner } from '../../support/signers.ts';
import { LONG, makeWorld, randomNumbers, type World } from './world.ts';

const APPROVAL: Approval = {
  request: '0123456789AB',
  company: 'Example Société SA',
  level: 'standard',
  sender: { name: 'Mary Smith', mail: 'mary.smith@company.com' },
  signatory: { name: 'John <Joe> Doe', mail: 'john.doe@company.com' },
  subject: 'Please sign our contract',
  documents: [
    { name: 'Contract 1.pdf', sha256: createHash('sha256').update('1').digest('hex') },
    { name: 'Contract 2.pdf', sha256: createHash('sha256').update('2').digest('hex') },
  ],
  place: null,
};
const STOPPED = new Date('2026-11-24T14:03:09Z');
const GOOD: Answer = { verdict: passed('the device answered'), kept: false };
const KEPT: Answer = { ...GOOD, kept: true };

let world: World;
let text: Uint8Array;
let seal: Uint8Array;

const reportOf = (data: Uint8Array): Uint8Array =>
  Buffer.from(
    formatReport(
      makeReport(
        {
          started: new Date('2026-11-24T14:02:00Z'),
          stopped: STOPPED,
          userDn: 'CN=John Doe,O=Example Société SA,C=LU',
          userIp: '192.0.2.7',
          clientId: 'sign.company.com',
          clientIp: '192.0.2.1',
          nonce: randomBytes(20),
          data,
        },
        randomBytes(32),
      ),
    ),
  );

beforeAll(async () => {
  world = await makeWorld();
  text = reportOf(approvalData(APPROVAL));
  seal = await sealDetached(world.pki, text, STOPPED);
});

const verify = async (file: Uint8Array, beside: Uint8Array | null): Promise<FileReport> =>
  world.verify(file, { ...(await world.withCrl()), seal: beside });

describe('a transaction report', () => {
  test('is told in words: who approved which documents when', async () => {
    const report = answered(await verify(text, seal), GOOD);
    expect(report).toMatchObject({ format: 'report', indication: 'TOTAL-PASSED', subIndication: null });
    const [first, second] = APPROVAL.documents;
    expect(report.reason).toBe(
      `John <Joe> Doe approved Contract 1.pdf (SHA-256 ${first!.sha256}), Contract 2.pdf (SHA-256 ${second!.sha256}) on 2026-11-24 14:03:09 UTC, and the person’s own device answered for exactly that.`,
    );
    expect(report.transaction).toMatchObject({ approval: APPROVAL, stopped: STOPPED, address: '192.0.2.7' });
    expect(report.signatures).toMatchObject([{ kind: 'seal', indication: 'TOTAL-PASSED', level: 'B-T' }]);
  });

  test('without the token key: not known, where to ask; what it says and its seal are told all the same', async () => {
    const report = await verify(text, seal);
    expect(report).toMatchObject({ indication: 'INDETERMINATE', subIndication: 'GENERIC' });
    expect(report.reason).toContain('only the gateway that wrote it keeps the token key');
    expect(report.transaction?.approval).toEqual(APPROVAL);
    expect(report.signatures).toMatchObject([{ indication: 'TOTAL-PASSED' }]);
  });

  test('the seal may be what is given, with the report as its content', async () => {
    const report = await world.verify(seal, { ...(await world.withCrl()), content: text });
    expect(answered(report, GOOD)).toMatchObject({ format: 'report', indication: 'TOTAL-PASSED' });
  });

  test('without its seal: only what the gateway itself keeps is confirmed; the HMAC covers neither time nor name', async () => {
    const report = await verify(text, null);
    expect(answered(report, KEPT)).toMatchObject({ indication: 'TOTAL-PASSED', signatures: [] });
    const alone = answered(report, GOOD);
    expect(alone).toMatchObject({ indication: 'INDETERMINATE', reason: expect.stringContaining('seal') });
  });

  test('an answer that is wrong counts, whatever the seal says', async () => {
    const wrong = { verdict: fault('HASH_FAILURE', 'the report was changed'), kept: false };
    expect(answered(await verify(text, seal), wrong)).toMatchObject({
      indication: 'TOTAL-FAILED',
      subIndication: 'HASH_FAILURE',
    });
  });

  test('another report’s seal, and a seal that can’t be read, fail', async () => {
    const other = await sealDetached(world.pki, reportOf(approvalData(APPROVAL)), STOPPED);
    expect(answered(await verify(text, other), KEPT)).toMatchObject({ indication: 'TOTAL-FAILED' });
    const broken = answered(await verify(text, Buffer.from('seal')), KEPT);
    expect(broken).toMatchObject({ indication: 'TOTAL-FAILED', subIndication: 'FORMAT_FAILURE' });
  });

  test('signed by a person instead of the company: not confirmed', async () => {
    const signer = await personSigner(world.pki);
    const prepared = prepareCades(text, { certificate: signer.certificate, signingTime: STOPPED });
    const cms = await completeCades(prepared, text, await signer.sign(prepared.toBeSigned), {
      detached: true,
      timestamps: world.pki.timestamps,
    });
    expect(answered(await verify(text, cms), GOOD)).toMatchObject({
      indication: 'INDETERMINATE',
      subIndication: 'SIG_CONSTRAINTS_FAILURE',
    });
  });

  test('about data of another form: who and when', async () => {
    const file = reportOf(Buffer.from('Transfer 100 EUR'));
    const report = answered(await verify(file, await sealDetached(world.pki, file, STOPPED)), GOOD);
    expect(report.transaction).toMatchObject({ approval: null });
    expect(report.reason).toContain('CN=John Doe,O=Example Société SA,C=LU approved these data on 2026-11-24');
  });

  test('that is none in itself fails, saying where', async () => {
    const lines = Buffer.from(text).toString().split('\n');
    const changed = Buffer.from(lines.with(3, 'User Ip: 1').join('\n'));
    expect(await verify(changed, null)).toMatchObject({
      indication: 'TOTAL-FAILED',
      subIndication: 'FORMAT_FAILURE',
      reason: expect.stringContaining('line 4'),
    });
    expect(await verify(Buffer.from(text).fill(0xff, 100, 101), null)).toMatchObject({ indication: 'TOTAL-FAILED' });
  });

  test('B4 with a flipped bit, or with one in its seal, does not pass', async () => {
    const random = randomNumbers(4);
    const crls = await world.withCrl();
    const escaped: string[] = [];
    for (let i = 0; i < (LONG ? 400 : 80); i++) {
      const inSeal = i % 2 === 1;
      const changed = Uint8Array.from(inSeal ? seal : text);
      const at = random(changed.length);
      changed[at]! ^= 1 << random(8);
      const input = { ...crls, seal: inSeal ? changed : seal };
      const { indication } = answered(await world.verify(inSeal ? text : changed, input), GOOD);
      if (indication === 'TOTAL-PASSED') escaped.push(`${inSeal ? 'seal' : 'report'}: octet ${at}`);
    }
    expect(escaped).toEqual([]);
  });
});

test('only data as this gateway writes them are read as an approval', () => {
  const data = Buffer.from(approvalData({ ...APPROVAL, place: 'Esch' })).toString();
  expect(parseApproval(Buffer.from(data))).toEqual({ ...APPROVAL, place: 'Esch' });
  for (const changed of [
    data.replace('\r\n', '\n'),
    `${data}\r\n`,
    data.replace('SHA-256 ', 'SHA-1 '),
    data.replace('Level: standard', 'Level: none'),
    data.slice(0, -2),
    '',
  ])
    expect(parseApproval(Buffer.from(changed)), changed).toBeNull();
});
