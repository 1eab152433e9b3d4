/**
 * A mail's content before it is text or HTML: both parts are rendered from one Letter, so they say the same.
 * Every string is cleaned (clean.ts) and unescaped.
 */
import type { Language } from '../directory/directory.ts';

export type Block =
  | { readonly kind: 'paragraph'; readonly text: string; readonly quiet?: boolean }
  | { readonly kind: 'facts'; readonly facts: readonly Fact[] }
  /** Somebody's own words. */
  | { readonly kind: 'quote'; readonly by: string; readonly text: string }
  /** The one big button; `lead` introduces the address where it stands as text. */
  | { readonly kind: 'button'; readonly label: string; readonly url: string; readonly lead: string }
  | { readonly kind: 'picture'; readonly cid: string; readonly alt: string; readonly caption: string }
  /** A code to type. */
  | { readonly kind: 'code'; readonly code: string }
  | { readonly kind: 'link'; readonly text: string; readonly label: string; readonly url: string };

export interface Fact {
  readonly label: string;
  readonly values: readonly string[];
  /** Numbers the values: their order matters. */
  readonly numbered?: boolean;
}

export interface Letter {
  readonly language: Language;
  /** Colours the head: good news, bad news, or neither. */
  readonly tone: 'neutral' | 'good' | 'bad';
  readonly title: string;
  readonly blocks: readonly Block[];
  readonly footer: string;
}
