import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitMessage } from '../../../src/intake/raw-message.ts';
import {
  checkVerdict,
  signVerdict,
  VERDICT_HEADER,
  type Verdict,
  VerdictInvalid,
  type VerdictKey,
} from '../../../src/intake/verdict.ts';
import { makeMessage } from '../../support/message.ts';
import { KEY, NOW } from './world.ts';

const DAY = 86_400_000;
const other: VerdictKey = { id: 'k2', secret: Buffer.alloc(32, 9) };
const verdict: Verdict = {
  senderId: 'mary',
  method: 'sasl',
  time: NOW,
  queueId: '4B9D1',
  recipients: ['john.doe@sign.company.com', 'jürgen@sign.company.com'],
};
const message = makeMessage({ headers: ['In-Reply-To: <x@y.org>'], subject: 'A long subject\r\n that is folded' });

const signed = (of: Verdict = verdict, key = KEY, raw: Buffer = message): Buffer => {
  const value = signVerdict(of, splitMessage(raw), key).replaceAll('\n', '\r\n');
  return Buffer.concat([Buffer.from(`${VERDICT_HEADER}: ${value}\r\n`), raw]);
};
const check = (raw: Buffer, keys = [KEY], now = NOW): Verdict => checkVerdict(splitMessage(raw), keys, 10 * DAY, now);

describe('a verdict', () => {
  test('comes back as it was given, in lines that mail takes', () => {
    expect(check(signed())).toEqual(verdict);
    const many = { ...verdict, recipients: Array.from({ length: 200 }, (_, n) => `person.${n}@sign.company.com`) };
    const raw = signed(many);
    expect(check(raw)).toEqual(many);
    for (const line of raw.toString().split('\r\n\r\n')[0]!.split('\r\n')) expect(line.length).toBeLessThan(998);
  });

  test('survives what a mail server may do on the way', () => {
    const raw = signed().toString();
    expect(check(Buffer.from(`Return-Path: <a@b>\r\nReceived: x\r\n${raw}`))).toEqual(verdict);
    expect(check(Buffer.from(raw.replaceAll('\r\n', '\n')))).toEqual(verdict);
    expect(check(Buffer.from(`${raw}\r\n`))).toEqual(verdict);
    expect(check(Buffer.from(raw.replace('Subject: ', 'Subject:\t ')))).toEqual(verdict);
    expect(check(Buffer.from(raw.replace('\r\n that is', '\r\n  that is').replace('  that', ' that')))).toEqual(
      verdict,
    );
  });

  test('of a key that is no longer the newest is believed, of an unknown one not', () => {
    expect(check(signed(verdict, KEY), [other, KEY])).toEqual(verdict);
    expect(() => check(signed(verdict, other))).toThrow('unknown key');
    expect(() => check(signed(verdict, { id: 'k1', secret: other.secret }))).toThrow('does not fit');
  });

  test('of the only key from before keys had names is believed: mail is in the queue during an upgrade', () => {
    const before = signed(verdict, { ...KEY, id: 'v1' });
    expect(check(before, [other, KEY])).toEqual(verdict);
    expect(() => check(before, [other])).toThrow('does not fit');
  });

  test('has a lifetime', () => {
    expect(check(signed(), [KEY], new Date(NOW.getTime() + 10 * DAY))).toEqual(verdict);
    expect(() => check(signed(), [KEY], new Date(NOW.getTime() + 10 * DAY + 1))).toThrow('too old');
    expect(() => check(signed(), [KEY], new Date(NOW.getTime() - DAY))).toThrow('future');
  });

  test('must be there exactly once', () => {
    expect(() => check(message)).toThrow('none');
    expect(() => check(Buffer.concat([Buffer.from(`${VERDICT_HEADER.toLowerCase()}: x\r\n`), signed()]))).toThrow(
      'several',
    );
  });

  test.each([
    ['From', 'mary.smith', 'john.doe'],
    ['To', 'To: john', 'To: jane'],
    ['Subject', 'A long', 'A wrong'],
    ['In-Reply-To', '<x@y.org>', '<y@y.org>'],
    ['Content-Type', 'multipart/mixed', 'multipart/other'],
    ['body', 'Please', 'please'],
    ['end of body', 'boundary-1--\r\n', 'boundary-1--\r\nx\r\n'],
  ])('does not fit when %s changed', (_, from, to) => {
    const raw = signed().toString('latin1');
    expect(raw).toContain(from);
    expect(() =>
      check(Buffer.from(raw.replace(new RegExp(`${from}(?![\\s\\S]*${from})|${from}`), to), 'latin1')),
    ).toThrow('does not fit');
  });

  test.each(['Sender: x@y.org', 'Cc: x@y.org', 'From: x@y.org', 'References: <a@b>', 'Auto-Submitted: no'])(
    'does not fit when somebody adds %s',
    line => {
      expect(() => check(Buffer.concat([Buffer.from(`${line}\r\n`), signed()]))).toThrow('does not fit');
    },
  );

  test('any change of its own letters is noticed', () => {
    const raw = signed();
    const start = raw.indexOf(':') + 2;
    const end = raw.indexOf('\r\nIn-Reply-To');
    fc.assert(
      fc.property(fc.integer({ min: start, max: end - 1 }), fc.constantFrom(...'AZaz09-_.=;'), (at, letter) => {
        if (raw[at] === letter.charCodeAt(0) || raw[at] === 0x0d || raw[at] === 0x0a || raw[at] === 0x20) return;
        const changed = Buffer.from(raw);
        changed[at] = letter.charCodeAt(0);
        let result: Verdict | null = null;
        try {
          result = check(changed);
        } catch (error) {
          expect(error).toBeInstanceOf(VerdictInvalid);
        }
        // base64url has spare bits at the very end; whatever is believed says the same.
        if (result) expect(result).toEqual(verdict);
      }),
      { numRuns: 1500, seed: 6 },
    );
  });
});
