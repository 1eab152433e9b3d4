/** A new device that waits until another one of its person confirms it, takes its place, or until more is shown. */
import { Problem, Unreachable } from '../../client/connection.ts';
import type { EnrolmentAnswer } from '../../client/protocol.ts';
import { type App, errorNotice } from '../app.ts';
import { busy, h, notice, show } from '../dom.ts';
import { proofFields } from '../proof-fields.ts';

/** How often it is asked whether the other device has answered, milliseconds. */
const POLL = 2000;

export interface Ways {
  readonly done: () => void;
  /** Starts anew. */
  readonly again: () => void;
}

type Waiting = Extract<EnrolmentAnswer, { readonly state: 'waiting' }>;

/** Shows the page again that was left. @returns false when nothing waits any more */
export async function resumeWaiting(app: App, token: string | null, ways: Ways): Promise<boolean> {
  try {
    const answer = await app.device.enrolment();
    if (answer.state === 'enrolled') ways.done();
    else showWaiting(app, token, answer, ways);
    return true;
  } catch (error) {
    // No answer yet, or none any more: the form works with the same key.
    if (error instanceof Problem && error.type === 'not-found') return false;
    throw error;
  }
}

export function showWaiting(app: App, token: string | null, waiting: Waiting, ways: Ways): void {
  const { device, texts } = app;
  const words = texts.devices;
  const names = waiting.others.map(({ name }) => texts.quoted(name)).join(', ');
  /** The device that is to be replaced, once one is chosen. */
  let replaces: string | null = null;
  const messages = h('div', null);
  const say = (...children: Node[]): void => messages.replaceChildren(...children);
  const replaceButtons = waiting.others.map(({ id, name }) => {
    const button = h('button', { type: 'button', class: 'plain' }, words.replace(name));
    button.addEventListener('click', () => {
      void busy(button, words.replacing, async () => {
        replaces = id;
        await showMore({}, () => say(notice('warning', words.replaceNeedsMore)), say);
      });
    });
    return button;
  });

  const fields = proofFields(app, waiting.more, async () => {
    await device.requestCode('', token);
    return true;
  });
  const more = h('button', { type: 'submit' }, texts.setUp);
  const submit = (event: Event): void => {
    event.preventDefault();
    const shown = fields.read();
    if (shown === null) return;
    void busy(more, texts.settingUp, () =>
      showMore(shown, () => fields.say(notice('warning', words.replaceNeedsMore)), fields.say),
    );
  };
  const stop = async (): Promise<void> => {
    await device.stopEnrolling();
    ways.again();
  };
  const page = h(
    'div',
    { class: 'narrow' },
    h('h1', null, words.waitingTitle),
    h('p', null, words.waitingText(names, location.origin)),
    h('p', null, words.compare),
    h('p', { class: 'matching' }, waiting.code),
    h('p', { class: 'soft', role: 'status' }, words.waiting),
    h('h2', null, words.lostTitle),
    h('p', null, words.lostText),
    h('div', { class: 'row' }, ...replaceButtons),
    messages,
    h('h2', null, words.moreTitle),
    h('form', { class: 'card', novalidate: true, onsubmit: submit }, ...fields.elements, more),
    h('button', { type: 'button', class: 'plain', onclick: () => void stop() }, words.startAgain),
  );
  show(page);
  void poll();

  async function showMore(
    shown: { readonly password?: string | null; readonly code?: string | null },
    stillWaits: () => void,
    complain: (...children: Node[]) => void,
  ): Promise<void> {
    try {
      const answer = await device.showMore({ ...shown, link: token, replaces });
      if (answer.state === 'enrolled') ways.done();
      else stillWaits();
    } catch (error) {
      complain(errorNotice(error, texts));
    }
  }

  async function poll(): Promise<void> {
    for (;;) {
      await new Promise(resolve => setTimeout(resolve, POLL));
      if (!page.isConnected) return;
      try {
        const answer = await device.enrolment();
        if (!page.isConnected) return;
        if (answer.state === 'enrolled') return ways.done();
      } catch (error) {
        if (error instanceof Unreachable) continue;
        if (!page.isConnected) return;
        return showEnd(error);
      }
    }
  }

  function showEnd(error: unknown): void {
    const refused = error instanceof Problem && error.type === 'not-found';
    show(
      h(
        'div',
        { class: 'narrow' },
        h('h1', null, texts.failedTitle),
        refused ? notice('error', words.notConfirmed) : errorNotice(error, texts),
        h('button', { type: 'button', onclick: () => void stop() }, words.startAgain),
      ),
    );
  }
}
