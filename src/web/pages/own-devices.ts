/** The person's devices on the home page: newcomers to confirm, what has changed, the list, names and ends. */
import { Problem } from '../../client/connection.ts';
import type { Newcomer, OwnDevice } from '../../client/protocol.ts';
import { type App, errorNotice, when } from '../app.ts';
import { busy, h, notice } from '../dom.ts';

/** How often newcomers are asked for while the page is open, milliseconds. */
const POLL = 4000;
/** Where this browser notes what the person has seen. */
const SEEN = 'signpost-seen-devices';

/** Devices that want to be confirmed appear by themselves. */
export function newcomersSection(app: App): HTMLElement {
  const { device, texts } = app;
  const section = h('div', { 'aria-live': 'polite' });
  const shown = new Map<string, HTMLElement>();
  const look = async (): Promise<void> => {
    const newcomers = await device.own.newcomers().catch(() => null);
    if (newcomers === null) return;
    for (const newcomer of newcomers) {
      if (shown.has(newcomer.id)) continue;
      const card = newcomerCard(app, newcomer);
      shown.set(newcomer.id, card);
      section.append(card);
    }
    for (const [id, card] of shown) {
      if (newcomers.some(newcomer => newcomer.id === id) || card.querySelector('button') === null) continue;
      if (card.querySelector('[aria-busy="true"]')) continue;
      card.replaceChildren(h('p', null, texts.devices.newcomerGone));
    }
  };
  const poll = async (): Promise<void> => {
    await look();
    while (section.isConnected) {
      await new Promise(resolve => setTimeout(resolve, POLL));
      if (section.isConnected) await look();
    }
  };
  // After the page is shown.
  setTimeout(() => void poll());
  return section;
}

function newcomerCard({ device, texts }: App, { id, name, code, replaces }: Newcomer): HTMLElement {
  const words = texts.devices;
  const messages = h('div', null);
  const yes = h('button', { type: 'button' }, words.newcomerYes);
  const no = h('button', { type: 'button', class: 'plain' }, words.newcomerNo);
  const card = h(
    'section',
    { class: 'card' },
    h('h2', null, words.newcomerTitle),
    h('p', null, words.newcomerText(name)),
    h('p', { class: 'matching' }, code),
    replaces !== null && h('p', null, words.newcomerReplaces(replaces)),
    messages,
    h('div', { class: 'row' }, yes, no),
  );
  const answer = (button: HTMLButtonElement, confirmed: boolean): void => {
    void busy(button, words.answering, async () => {
      try {
        await device.own.answer(id, confirmed);
        card.replaceChildren(
          confirmed ? notice('success', words.newcomerAdded(name)) : notice('warning', words.newcomerRefused(name)),
        );
      } catch (error) {
        if (error instanceof Problem && error.type === 'not-found')
          card.replaceChildren(notice('warning', words.newcomerGone));
        else messages.replaceChildren(errorNotice(error, texts));
      }
    });
  };
  yes.addEventListener('click', () => answer(yes, true));
  no.addEventListener('click', () => answer(no, false));
  return card;
}

/**
 * What has changed since this device looked last, and the list of all.
 * @param changed what to show after a change
 */
export function devicesSection(app: App, devices: readonly OwnDevice[], changed: () => void): HTMLElement[] {
  const { texts } = app;
  const words = texts.devices;
  const messages = h('div', null);
  const row = ({ id, name, createdAt, endedAt, own }: OwnDevice): HTMLElement =>
    h(
      'li',
      { class: 'device' },
      h('strong', null, name),
      h(
        'span',
        { class: 'soft small' },
        endedAt === null ? words.since(when(createdAt, texts)) : words.ended(when(endedAt, texts)),
        own && ` (${words.own})`,
      ),
      endedAt === null && !own && removeButton(app, id, name, messages, changed),
    );
  return [
    ...noticesOf(app, devices),
    h('h2', null, words.yours),
    h('ul', { class: 'list' }, ...devices.map(row)),
    messages,
    renameForm(app, devices.find(({ own }) => own)?.name ?? '', messages, changed),
  ];
}

function removeButton(
  { device, texts }: App,
  id: string,
  name: string,
  messages: HTMLElement,
  changed: () => void,
): HTMLButtonElement {
  const words = texts.devices;
  const button = h('button', { type: 'button', class: 'danger' }, words.removeOther(name));
  let sure = false;
  button.addEventListener('click', () => {
    if (!sure) {
      sure = true;
      messages.replaceChildren(notice('warning', words.removeOtherConfirm(name)));
      return;
    }
    void busy(button, texts.removing, async () => {
      try {
        await device.own.remove(id);
        changed();
      } catch (error) {
        messages.replaceChildren(errorNotice(error, texts));
      }
    });
  });
  return button;
}

function renameForm({ device, texts }: App, name: string, messages: HTMLElement, changed: () => void): HTMLElement {
  const words = texts.devices;
  const field = h('input', { type: 'text', name: 'name', value: name, maxlength: 60, autocomplete: 'off' });
  const save = h('button', { type: 'submit', class: 'plain' }, words.saveName);
  const submit = (event: Event): void => {
    event.preventDefault();
    const wanted = field.value.trim();
    if (wanted === '') {
      field.focus();
      return;
    }
    void busy(save, words.saving, async () => {
      try {
        await device.own.rename(wanted);
        changed();
      } catch (error) {
        messages.replaceChildren(errorNotice(error, texts));
      }
    });
  };
  return h(
    'details',
    null,
    h('summary', null, words.rename),
    h('form', { novalidate: true, onsubmit: submit }, h('label', null, words.name, field), save),
  );
}

/** Told to the older devices until the person has seen it there. */
function noticesOf({ texts }: App, devices: readonly OwnDevice[]): HTMLElement[] {
  const words = texts.devices;
  const since = devices.find(({ own }) => own)?.createdAt ?? new Date();
  const seen = new Set(readSeen());
  return devices
    .filter(({ own, createdAt, endedAt }) => !own && (endedAt ?? createdAt) > since)
    .map(({ id, name, createdAt, endedAt }) => ({
      key: `${id} ${endedAt === null ? 'added' : 'ended'}`,
      text:
        endedAt === null ? words.wasAdded(name, when(createdAt, texts)) : words.wasRemoved(name, when(endedAt, texts)),
    }))
    .filter(({ key }) => !seen.has(key))
    .map(({ key, text }) => {
      const box = notice('warning', h('p', null, text));
      const gotIt = (): void => {
        writeSeen([...readSeen(), key]);
        box.remove();
      };
      box.append(h('button', { type: 'button', class: 'plain', onclick: gotIt }, words.gotIt));
      return box;
    });
}

/** Only a comfort: a browser that keeps nothing shows the notices again. */
function readSeen(): readonly string[] {
  try {
    return (localStorage.getItem(SEEN) ?? '').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

function writeSeen(keys: readonly string[]): void {
  try {
    localStorage.setItem(SEEN, keys.slice(-100).join('\n'));
  } catch (error) {
    console.warn('what was seen is not remembered', error);
  }
}
