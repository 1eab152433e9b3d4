/** What waits for this device's person, and the device itself. */

import { Problem } from '../../client/connection.ts';
import type { DeviceInfo, OwnDevice, Waiting } from '../../client/protocol.ts';
import { type App, errorNotice, showFailure, showLoading, showOwner, when } from '../app.ts';
import { busy, h, notice, show } from '../dom.ts';
import { rememberMarks } from '../remembered.ts';
import { showEnrolment } from './enrolment.ts';
import { devicesSection, newcomersSection } from './own-devices.ts';

export async function showHome(app: App): Promise<void> {
  const { device, texts } = app;
  showOwner(app);
  if (device.enrolled === null) return showWelcome(app);
  showLoading(texts);
  try {
    const [info, waiting, devices] = await Promise.all([device.info(), device.waiting(), device.own.list()]);
    showOverview(app, info, waiting, devices);
  } catch (error) {
    // Removed by the person elsewhere, or by the admin: this browser starts anew.
    if (error instanceof Problem && error.type === 'not-found') return showWelcome(app);
    showFailure(error, texts, () => void showHome(app));
  }
}

function showWelcome(app: App, ...before: Node[]): void {
  const { texts } = app;
  const setUp = (): void => showEnrolment(app, null, () => void showHome(app));
  show(
    h(
      'div',
      { class: 'narrow' },
      ...before,
      h('h1', null, texts.homeTitle),
      h('p', null, texts.homeText),
      h('button', { type: 'button', onclick: setUp }, texts.homeSetUp),
    ),
  );
}

function showOverview(app: App, info: DeviceInfo, waiting: readonly Waiting[], devices: readonly OwnDevice[]): void {
  const { device, texts } = app;
  const messages = h('div', null);
  const remove = h('button', { type: 'button', class: 'danger' }, texts.removeDevice);
  let sure = false;
  remove.addEventListener('click', () => {
    if (!sure) {
      sure = true;
      messages.replaceChildren(notice('warning', texts.removeConfirm));
      return;
    }
    void busy(remove, texts.removing, async () => {
      try {
        await device.remove();
        await rememberMarks(null);
        showOwner(app);
        showWelcome(app, notice('success', texts.removed));
      } catch (error) {
        messages.replaceChildren(errorNotice(error, texts));
      }
    });
  });
  const row = ({ link, subject, sender, expiresAt }: Waiting): HTMLElement =>
    h(
      'li',
      null,
      h(
        'a',
        { href: `/s/${link}` },
        h('strong', null, subject),
        h('span', { class: 'soft small' }, texts.fromUntil(sender.name, when(expiresAt, texts))),
      ),
    );
  show(
    h(
      'div',
      { class: 'narrow' },
      h('h1', null, texts.waitingForYou),
      newcomersSection(app),
      waiting.length === 0
        ? h('p', { class: 'soft' }, texts.nothingWaits)
        : h('ul', { class: 'list' }, ...waiting.map(row)),
      ...devicesSection(app, devices, () => void showHome(app)),
      h('h2', null, texts.thisDevice),
      h('p', { class: 'soft' }, texts.deviceFacts(info.name, when(info.createdAt, texts))),
      messages,
      remove,
    ),
  );
}
