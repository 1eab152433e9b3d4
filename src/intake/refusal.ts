/** A refusal at the mail entrance: what the other side hears, in letters that an SMTP reply may have. */
import type { Language } from '../directory/directory.ts';

export type OtherLanguage = Exclude<Language, 'en'>;

/** What the other side hears: an SMTP code, an enhanced status code (RFC 3463) and lines of text. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: number;
  readonly enhanced: string;
  readonly text: readonly string[];
  /** The same in the other languages. */
  translations: Readonly<Partial<Record<OtherLanguage, () => readonly string[]>>> = {};
  constructor(code: number, enhanced: string, ...text: readonly string[]) {
    const lines = text.map(line => ascii(line, 440));
    super(lines.join(' '));
    this.code = code;
    this.enhanced = enhanced;
    this.text = lines;
  }

  /** English, and then the person's own language. */
  textFor(language: Language): readonly string[] {
    const own = language === 'en' ? undefined : this.translations[language];
    if (own === undefined) return this.text;
    return [...this.text, ...own().map(line => ascii(language === 'de' ? withoutUmlauts(line) : line, 440))];
  }
}

const UMLAUTS: Readonly<Record<string, string>> = {
  \u00e4: 'ae',
  \u00f6: 'oe',
  \u00fc: 'ue',
  \u00c4: 'Ae',
  \u00d6: 'Oe',
  \u00dc: 'Ue',
  \u00df: 'ss',
};

function withoutUmlauts(german: string): string {
  return german.replace(/[\u00e4\u00f6\u00fc\u00c4\u00d6\u00dc\u00df]/g, letter => UMLAUTS[letter]!);
}

/** Text from outside made fit for an SMTP reply: accents dropped, other letters as '?', no controls, no '%'. */
export function ascii(text: string, limit: number): string {
  const plain = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/\u2026/g, '...')
    .replace(/[\u2010-\u2015]/g, '-')
    .replace(/[\u2018\u2019\u201a]/g, "'")
    .replace(/[\u201c-\u201e]|\u00ab ?| ?\u00bb/g, '"')
    .replaceAll('\u0153', 'oe')
    .replace(/[^\x20-\x7e]/gu, '?')
    .replaceAll('%', '_');
  return plain.length <= limit ? plain : `${plain.slice(0, limit - 3)}...`;
}

/** A name or word from the message, quoted and short. */
export const quoted = (text: string): string => `"${ascii(text, 80).replaceAll('"', "'")}"`;

/** "25 MiB" */
export function size(bytes: number): string {
  return bytes % (1024 * 1024) === 0 ? `${bytes / (1024 * 1024)} MiB` : `${Math.floor(bytes / 1024)} KiB`;
}
