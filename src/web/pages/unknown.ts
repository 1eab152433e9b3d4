/** Unknown link, another person's, a device that was removed, a request that isn't finished: one page. */
import type { App } from '../app.ts';
import { h, show } from '../dom.ts';
import { showEnrolment } from './enrolment.ts';

/**
 * @param token of the link that led here, or null
 * @param again what to show when the device has been set up anew
 */
export function showUnknown(app: App, token: string | null, again: () => void): void {
  const { texts } = app;
  const setUp = (): void => showEnrolment(app, token, again);
  show(
    h(
      'div',
      { class: 'narrow' },
      h('h1', null, texts.unknownTitle),
      h('p', null, texts.unknownText),
      h('button', { type: 'button', class: 'plain', onclick: setUp }, texts.unknownOther),
    ),
  );
}
