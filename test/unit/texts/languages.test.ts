/**
 * D10 Every catalogue that people read: nothing untranslated, and each language written as it is printed: its quotation
 * marks, apostrophes and, in French, spaces that don't break before : ; ! ? and inside « ».
 */
import { describe, expect, test } from 'vitest';
import { LANGUAGES, type Language } from '../../../src/directory/directory.ts';
import type { Panel } from '../../../src/documents/appearance.ts';
import { sealPanel, signatoryPanel } from '../../../src/documents/appearance-texts.ts';
import { PAGE_TEXTS } from '../../../src/documents/signature-page-texts.ts';
import { de as refusalsDe } from '../../../src/intake/texts/de.ts';
import { english } from '../../../src/intake/texts/en.ts';
import { fr as refusalsFr } from '../../../src/intake/texts/fr.ts';
import { catalogue } from '../../../src/outbound/texts/index.ts';
import { REPLY_TEXTS } from '../../../src/outbound/texts/replies.ts';
import { WATCH_TEXTS } from '../../../src/outbound/texts/watch.ts';
import { chooseTexts } from '../../../src/web/texts/index.ts';
import { VERIFY_TEXTS } from '../../../src/web/texts/verify.ts';

/** What stands for a name, number or date that a text is about; no letter, so that it is no word of any language. */
const FACT = '7';
const FACTS: readonly (readonly unknown[])[] = [
  Array(6).fill(FACT),
  Array(6).fill(0),
  Array(6).fill(1),
  Array(6).fill(2),
  // Lists, and texts of a refusal that hang on a limit or a reason.
  [[FACT, FACT], FACT],
  [FACT, [FACT]],
  [true, true],
  [false],
  ...['per-sender', 'per-pair', 'per-day'].map(limit => [limit, 2]),
  ...Object.keys(catalogue('en').failed.reasons).map(reason => [FACT, reason]),
];

/** The codes and truth values among them: no words of a text. */
const CODES = new RegExp(['true', 'false', ...FACTS.flat(2).filter(fact => /[a-z]/.test(String(fact)))].join('|'), 'g');

/** The words of a text, without the facts in it. */
const wordsOf = (text: string): string => (text.replace(CODES, '').match(/\p{L}+/gu) ?? []).join(' ');

/** Every text below a value, by where it stands; functions are called with all kinds of facts that they take. */
function textsOf(value: unknown, at = ''): ReadonlyMap<string, string> {
  if (typeof value === 'string') return new Map([[at, value]]);
  if (typeof value === 'function') {
    const found = new Map<string, string>();
    for (const [index, facts] of FACTS.entries()) {
      let said: unknown;
      try {
        said = value(...facts);
      } catch {
        // Not a fact of this text.
        continue;
      }
      for (const [where, text] of textsOf(said, `${at}(${index})`))
        if (!/undefined|NaN|\[object/.test(text)) found.set(where, text);
    }
    return found;
  }
  if (typeof value !== 'object' || value === null) return new Map();
  return new Map(
    Object.entries(value).flatMap(([key, inner]) => [...textsOf(inner, at === '' ? key : `${at}.${key}`)]),
  );
}

const mark = {
  name: FACT,
  company: FACT,
  place: FACT,
  device: FACT,
  title: null,
  level: 'advanced',
  signingTime: new Date(0),
  utcOffset: 0,
  signature: { kind: 'typed', text: FACT },
} as unknown as Parameters<typeof signatoryPanel>[1];

/** What of a person's panel is words. */
const written = ({ caption, rows, signature }: Panel): object => ({ caption, rows, note: signature?.note });

const REFUSALS = { fr: refusalsFr, de: refusalsDe };
const CATALOGUES: Readonly<Record<string, (language: Language) => unknown>> = {
  mails: catalogue,
  replies: language => REPLY_TEXTS[language],
  watch: language => WATCH_TEXTS[language],
  pages: language => ({ ...chooseTexts([language]), language: '' }),
  verification: language => VERIFY_TEXTS[language],
  'signature page': language => PAGE_TEXTS[language],
  appearance: language => ({
    person: written(signatoryPanel(language, mark, { issuer: FACT, serial: FACT })),
    simple: written(signatoryPanel(language, { ...mark, level: 'standard' }, null)),
    certified: sealPanel(
      language,
      'certified',
      { name: FACT, vat: FACT },
      { time: new Date(0), utcOffset: 0, issuer: FACT },
    ),
    closed: sealPanel(language, 'closed', { name: FACT, vat: FACT }, { time: new Date(0), utcOffset: 0, issuer: FACT }),
  }),
};

/** Where another language rightly has the very words of English. One that no text needs any more fails below. */
const SAME: Readonly<Record<'fr' | 'de', readonly string[]>> = {
  // Words that both languages have; UTC.
  fr: [
    'Document',
    'Documents',
    'documents',
    'Page',
    'page',
    'pages',
    'Signature',
    'Signatures',
    'signature',
    'signatures',
    'UTC',
  ],
  // Words that both have, the word of a reply that asks how a request stands, a program's name, UTC.
  de: ['Browser', 'In Adobe Reader', 'UTC', 'status'],
};
const needed = { fr: new Set<string>(), de: new Set<string>() };

/** What no print of that language has. */
const NOT_PRINTED: Readonly<Record<Language, readonly (readonly [what: string, pattern: RegExp])[]>> = {
  en: [
    ['a straight quotation mark or apostrophe', /["']/],
    ['a space before a mark', /[ \u00a0][:;!?]/],
  ],
  fr: [
    ['a straight quotation mark or apostrophe', /["']/],
    ['an English or German quotation mark', /[“”„]/],
    ['a mark without a space that does not break', /[^\u00a0\u202f:;!?](?:[!?]|[:;](?=[ ]|$))/],
    ['« without one', /«(?!\u00a0)/],
    ['» without one', /(?<!\u00a0)»/],
    ['three dots', /\.\.\./],
  ],
  de: [
    ['a straight quotation mark or apostrophe', /["']/],
    ['an English or French quotation mark', /[”«»]/],
    ['a quotation that is not „ “', /“[^„]*“|„[^“]*(?:„|$)/],
    ['a space before a mark', /[ \u00a0][:;!?]/],
    ['familiar address', /\b(?:[Dd]u|[Dd]ein\p{L}*|[Dd]ir|[Dd]ich)\b/u],
  ],
};

function faults(texts: ReadonlyMap<string, string>, language: Language): string[] {
  return [...texts].flatMap(([at, text]) =>
    NOT_PRINTED[language].filter(([, pattern]) => pattern.test(text)).map(([what]) => `${at} has ${what}: ${text}`),
  );
}

describe.each(Object.entries(CATALOGUES))('D10 %s', (_, of) => {
  const inEnglish = textsOf(of('en'));

  test.each(['fr', 'de'] as const)('nothing is untranslated: %s', language => {
    const own = textsOf(of(language));
    expect(own.size).toBeGreaterThan(5);
    const same = [...own.entries()]
      .map(([at, text]) => ({ at, words: wordsOf(text) }))
      .filter(({ at, words }) => words !== '' && words === wordsOf(inEnglish.get(at) ?? ''));
    for (const { words } of same) needed[language].add(words);
    expect(same.filter(({ words }) => !SAME[language].includes(words))).toEqual([]);
  });

  test.each(LANGUAGES)('is written as it is printed: %s', language => {
    expect(faults(textsOf(of(language)), language)).toEqual([]);
  });
});

describe('D10 refusals', () => {
  const known = new Set(textsOf(english).values());

  test.each(['fr', 'de'] as const)('each has its own sentences, written as they are printed: %s', language => {
    const own = textsOf(REFUSALS[language]);
    const names = new Set([...own.keys()].map(at => at.split('(')[0]!));
    expect([...names].toSorted()).toEqual(Object.keys(english).toSorted());
    expect([...own].filter(([, text]) => known.has(text))).toEqual([]);
    // What is quoted from a mail stands in straight marks, as in every SMTP reply.
    const ours = new Map([...own].map(([at, text]) => [at, text.replace(/"[^"]*"/g, FACT)]));
    expect(faults(ours, language)).toEqual([]);
  });
});

test('D10 every exception is needed', () => {
  for (const language of ['fr', 'de'] as const)
    expect([...needed[language]].toSorted()).toEqual(SAME[language].toSorted());
});
