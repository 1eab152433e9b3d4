/** The refusals as the gatekeeper throws them: each says itself in English and in the sender's language. */
import type { OtherLanguage, Refusal } from './refusal.ts';
import type { Translations } from './texts/catalogue.ts';
import { de } from './texts/de.ts';
import { english } from './texts/en.ts';
import { fr } from './texts/fr.ts';

const TRANSLATIONS: Readonly<Record<OtherLanguage, Translations>> = { fr, de };

/** The refusals, each able to say itself in the other languages, too. */
export const refusals: typeof english = translated(english);

/** Wraps each maker; its parameters stay what they are. */
function translated(makers: typeof english): typeof english {
  const wrap = ([name, make]: [string, (...facts: never[]) => Refusal]) => {
    const say = (language: OtherLanguage, facts: never[]) => {
      const translation = TRANSLATIONS[language][name as keyof typeof english] as (
        ...facts: never[]
      ) => readonly string[];
      return translation(...facts);
    };
    const wrapped = (...facts: never[]): Refusal => {
      const refusal = make(...facts);
      refusal.translations = { fr: () => say('fr', facts), de: () => say('de', facts) };
      return refusal;
    };
    return [name, wrapped];
  };
  return Object.fromEntries(Object.entries(makers).map(wrap)) as typeof english;
}
