/** Unknown link, another person's, a request that isn't finished: one page. A device that was removed starts anew. */
import { Problem } from '../../client/connection.ts';
import type { SignpostDevice } from '../../client/device.ts';
import type { App } from '../app.ts';
import { h, show } from '../dom.ts';
import { showEnrolment } from './enrolment.ts';

/**
 * @param token of the link that led here, or null
 * @param again what to show when the device has been set up anew
 */
export async function showUnknown(app: App, token: string | null, again: () => void): Promise<void> {
  const { device, texts } = app;
  const setUp = (): void => showEnrolment(app, token, again);
  if (await wasRemoved(device)) return setUp();
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

/** Its person set up another in its place, or the admin revoked it: the gateway knows it no more, whatever it asks. */
async function wasRemoved(device: SignpostDevice): Promise<boolean> {
  try {
    await device.info();
    return false;
  } catch (error) {
    return error instanceof Problem && error.type === 'not-found';
  }
}
