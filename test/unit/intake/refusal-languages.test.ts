/** Refusals in the sender's language: sayable in SMTP, and saying the same facts as the English ones. */
import { describe, expect, test } from 'vitest';
import { refusals } from '../../../src/intake/refusals.ts';
import { english } from '../../../src/intake/texts/en.ts';

/** Facts for each maker, in the order of its parameters. */
const FACTS: Readonly<Record<string, readonly unknown[]>> = {
  notProven: ['company.com', ['DKIM: no signature']],
  unknownRecipient: ['jon@sign.company.com', ['john@sign.company.com']],
  badRecipients: [['"a" is not known here.']],
  hiddenRecipient: [['a@sign.company.com']],
  sealHasNoSignatory: [['a@company.com']],
  hiddenLevel: ['Qualified', 'qualified', 'advanced', false],
  notOffered: ['qualified', ['standard', 'advanced']],
  dueTooLate: ['2030-01-01', 30],
  noDocument: [true, false],
  mayNotAsk: ['advanced', [{ mail: 'boss@company.com', levels: ['standard'] }]],
  document: ['Vertrag.pdf', 'javascript'],
  tooManyRequests: ['per-pair', 50],
  tooBig: [25 * 1024 * 1024],
};

const names = Object.keys(english) as (keyof typeof english)[];

describe.each(['fr', 'de'] as const)('D10 refusals in %s', language => {
  test.each(names)('%s', name => {
    const make = refusals[name] as (...facts: unknown[]) => ReturnType<(typeof refusals)['ourFault']>;
    const refusal = make(...(FACTS[name] ?? ['Strange "thing"', 'other', 'third']));
    const lines = refusal.textFor(language);
    const own = lines.slice(refusal.text.length);
    expect(lines.slice(0, refusal.text.length)).toEqual(refusal.text);
    expect(own.length).toBeGreaterThan(0);
    for (const line of own) {
      expect(line).toMatch(/^[\x20-\x7e]{10,440}$/);
      // An unknown letter, and a fact that didn't arrive.
      expect(line).not.toMatch(/\w\?\w|undefined|NaN|\[object/);
      expect(refusal.text).not.toContain(line);
    }
    // libmilter's clients take 32 lines (milter/reply.ts).
    expect(lines.length).toBeLessThanOrEqual(32);
  });
});

test('umlauts are written out in German, accents dropped in French; English stays alone', () => {
  const refusal = refusals.tooBig(1024 * 1024);
  expect(refusal.textFor('de').join(' ')).toContain('Die Mail ist zu gross');
  expect(refusal.textFor('fr').join(' ')).toContain('La limite est de 1 Mio pour tout le message (les pieces jointes');
  expect(refusal.textFor('en')).toEqual(refusal.text);
});
