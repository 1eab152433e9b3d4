/** The refusals in the languages besides English. A refusal that one of them lacks doesn't compile. */
import type { english } from './en.ts';

/** The sentences of each refusal, from the same facts; details that only English has stand above them in the reply. */
export type Translations = {
  readonly [Name in keyof typeof english]: (...facts: Parameters<(typeof english)[Name]>) => readonly string[];
};
