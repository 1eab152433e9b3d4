/** What every page needs: the device, the texts, and how to say that something went wrong. */
import { AnswerRefused, Problem, Unreachable } from '../client/connection.ts';
import { SignpostDevice } from '../client/device.ts';
import { indexedDbStore, StorageRefused } from '../client/indexeddb.ts';
import { browserPasskeys } from '../client/webauthn.ts';
import { h, notice, show } from './dom.ts';
import { chooseTexts, type Texts } from './texts/index.ts';

export interface App {
  readonly device: SignpostDevice;
  readonly texts: Texts;
}

export async function openApp(): Promise<App> {
  const texts = chooseTexts(navigator.languages);
  const device = await SignpostDevice.open({
    origin: location.origin,
    store: indexedDbStore(),
    passkeys: browserPasskeys(),
  });
  return { device, texts };
}

/** Shows in the page's head whose device this is. */
export function showOwner({ device, texts }: App): void {
  const { enrolled } = device;
  document.getElementById('who')!.textContent = enrolled === null ? '' : texts.yourDevice(enrolled.person.name);
}

/** What happened, in the person's language. */
export function explain(error: unknown, texts: Texts): string {
  if (error instanceof Problem) return texts.problem[error.type];
  if (error instanceof Unreachable) return texts.offline;
  if (error instanceof StorageRefused) return texts.noStorage;
  // What the browser's own passkey dialog says when the person declines, or waits too long.
  if (error instanceof DOMException) return texts.devices.passkeyDeclined;
  if (error instanceof AnswerRefused) return `${texts.problem.internal} (${error.message})`;
  console.error(error);
  return texts.problem.internal;
}

export function errorNotice(error: unknown, texts: Texts): HTMLElement {
  return notice('error', h('p', null, explain(error, texts)));
}

/** A page that could not be opened, with a way to try again. */
export function showFailure(error: unknown, texts: Texts, again: () => void): void {
  show(
    h(
      'div',
      { class: 'narrow' },
      h('h1', null, texts.failedTitle),
      errorNotice(error, texts),
      h('button', { type: 'button', onclick: again }, texts.retry),
    ),
  );
}

export function showLoading(texts: Texts): void {
  show(h('div', { class: 'narrow' }, h('p', { class: 'soft' }, texts.loading)));
}

/** Date and time as the reader writes them: their region's form of the page's language. */
export function when(date: Date, texts: Texts): string {
  const locale = navigator.languages.find(language => language.startsWith(texts.language)) ?? texts.language;
  const text = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short' }).format(date);
  return texts.language === 'fr' ? text.replace(/^1\b/, '1er') : text;
}
