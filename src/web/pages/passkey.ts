/** Adding a passkey to this device, offered when it is set up. */
import type { PasskeyUse } from '../../client/protocol.ts';
import { type App, errorNotice } from '../app.ts';
import { busy, h, show } from '../dom.ts';

/** Offers a passkey to a device that was just set up, where the company and the browser have them. */
export async function offerPasskey(app: App, use: PasskeyUse, done: () => void): Promise<void> {
  const { device, texts } = app;
  if (use === 'off' || !(await device.own.canHavePasskey())) return done();
  const words = texts.devices;
  const messages = h('div', null);
  const add = h('button', { type: 'button' }, words.passkeyAdd);
  add.addEventListener('click', () => {
    void busy(add, words.passkeyAdding, async () => {
      try {
        await device.own.addPasskey();
        done();
      } catch (error) {
        messages.replaceChildren(errorNotice(error, texts));
      }
    });
  });
  const later = h('button', { type: 'button', class: 'plain', onclick: done }, words.passkeyLater);
  show(
    h(
      'div',
      { class: 'narrow' },
      h('h1', null, words.passkeyTitle),
      h('p', null, words.passkeyText),
      messages,
      h('div', { class: 'row' }, add, later),
    ),
  );
}
