/** The texts of all mails, in each language that we speak. */
import type { Language } from '../../directory/directory.ts';
import type { Catalogue } from './catalogue.ts';
import { de } from './de.ts';
import { en } from './en.ts';
import { fr } from './fr.ts';

export type { Catalogue } from './catalogue.ts';

const CATALOGUES: Record<Language, Catalogue> = { en, fr, de };

export function catalogue(language: Language): Catalogue {
  return CATALOGUES[language];
}
