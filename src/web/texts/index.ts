import type { Texts } from './catalogue.ts';
import { de } from './de.ts';
import { en } from './en.ts';
import { fr } from './fr.ts';

export type { Texts } from './catalogue.ts';

/** The texts in the first of the browser's languages that we speak; English else. */
export function chooseTexts(languages: readonly string[]): Texts {
  const spoken = { en, fr, de };
  for (const language of languages) {
    const texts = spoken[language.slice(0, 2).toLowerCase() as keyof typeof spoken];
    if (texts) return texts;
  }
  return en;
}
