/** One signatory's request: fetches it, shows what fits its state, and the document with its three choices. */

import { Problem } from '../../client/connection.ts';
import type { View } from '../../client/protocol.ts';
import { type App, errorNotice, showFailure, showLoading, showOwner, when } from '../app.ts';
import { closer, openDialog } from '../dialog.ts';
import { h, show } from '../dom.ts';
import { openFileViewer } from '../file-viewer.ts';
import { downloadProgress } from '../progress.ts';
import type { Texts } from '../texts/catalogue.ts';
import { openViewer, type Viewer } from '../viewer.ts';
import { approveDocuments } from './approve.ts';
import { confirmSignature, rejectDialog } from './decide.ts';
import { showOutcome } from './outcome.ts';
import { prepareToSign } from './prepare.ts';
import { showUnknown } from './unknown.ts';

/** How often a document that is still being prepared is asked for again. */
const PREPARING_POLL = 1000;

export async function openRequest(app: App, token: string): Promise<void> {
  const { device, texts } = app;
  showOwner(app);
  showLoading(texts);
  try {
    const view = await device.view(token);
    if (view.state === 'preparing') {
      show(h('div', { class: 'narrow' }, h('p', { role: 'status' }, texts.preparingText)));
      setTimeout(() => void openRequest(app, token), PREPARING_POLL);
      return;
    }
    if (view.session !== 'open' || view.state !== 'open') return showOutcome(app, view);
    await review(app, token, view);
  } catch (error) {
    if (error instanceof Problem && error.type === 'not-found')
      return void showUnknown(app, token, () => void openRequest(app, token));
    showFailure(error, texts, () => void openRequest(app, token));
  }
}

async function review(app: App, token: string, view: View): Promise<void> {
  const { device, texts } = app;
  const progress = downloadProgress(texts);
  const place = h('div', null, progress.element);
  const actions = h('div', { class: 'actions' });
  show(...introduction(app, view), place, actions);

  const documents = await device.download(token, view, progress.report);
  const decide = view.level === 'standard' ? approveDocuments : confirmSignature;
  const sign = h('button', { type: 'button', class: 'sign', onclick: () => void press() }, texts.sign);
  const press = async (): Promise<void> => {
    try {
      const ready = await prepareToSign(app, token, view);
      if (ready) await decide(app, token, ready, documents, finish);
    } catch (error) {
      const dialog = openDialog(texts.failedTitle, errorNotice(error, texts));
      dialog.append(closer(dialog, sign, texts.cancel));
    }
  };
  const unreadable = (): string => {
    sign.remove();
    return texts.unreadable;
  };
  const viewers: Viewer[] = [];
  try {
    for (const [index, bytes] of documents.entries()) {
      const { name, kind, pages } = view.documents[index]!;
      // Two documents may have one name.
      const label = documents.length === 1 ? name : `${index + 1}: ${name}`;
      viewers.push(
        kind === 'pdf'
          ? await openViewer(name, label, pages, bytes, texts, unreadable)
          : await openFileViewer(name, label, bytes, texts),
      );
    }
  } catch (error) {
    console.error(error);
    place.replaceChildren(h('div', { class: 'notice error', role: 'alert' }, texts.unreadable));
    return;
  }
  place.replaceChildren(...contents(texts, view, viewers), ...viewers.map(({ element }) => element));

  const close = (): void => {
    for (const viewer of viewers) viewer.close();
  };
  const reject = h(
    'button',
    { type: 'button', class: 'danger', onclick: () => rejectDialog(app, token, view, finish) },
    texts.reject,
  );
  const later = h('button', { type: 'button', class: 'plain', onclick: () => finish(null) }, texts.later);
  actions.append(h('div', { class: 'row' }, sign, reject, later));

  /** @param after null: later */
  function finish(after: View | null): void {
    close();
    if (after) showOutcome(app, after);
    else showLater();
  }

  function showLater(): void {
    show(
      h(
        'div',
        { class: 'narrow' },
        h('h1', null, texts.laterTitle),
        h('p', null, texts.laterText(when(view.expiresAt, texts))),
        h('button', { type: 'button', class: 'plain', onclick: () => void openRequest(app, token) }, texts.laterOpen),
      ),
    );
  }
}

/** The way from one document to another, where there are several: to its beginning, with the focus. */
function contents(texts: Texts, { documents }: View, viewers: readonly Viewer[]): Node[] {
  if (viewers.length < 2) return [];
  const open = (element: HTMLElement): void => {
    element.tabIndex = -1;
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: 'start' });
  };
  const items = viewers.map(({ element }, index) =>
    h(
      'li',
      null,
      h('button', { type: 'button', class: 'plain', onclick: () => open(element) }, documents[index]!.name),
    ),
  );
  return [h('nav', { class: 'contents', 'aria-label': texts.documents(viewers.length) }, h('ol', null, ...items))];
}

/** Who asks, what for, until when, who else. */
function introduction({ texts }: App, view: View): Node[] {
  const others = view.signatories.length > 1;
  return [
    h('h1', null, texts.asksYou(view.sender.name)),
    h(
      'dl',
      { class: 'facts' },
      h('dt', null, texts.from),
      h('dd', null, `${view.sender.name} <${view.sender.mail}>`),
      h('dt', null, texts.subject),
      h('dd', null, view.subject),
      h('dt', null, texts.until),
      h('dd', null, when(view.expiresAt, texts)),
      others && h('dt', null, texts.signatories),
      others &&
        h(
          'dd',
          null,
          view.signatories
            .map(({ name, state, you }) => `${name} (${you ? texts.you : texts.state[state]})`)
            .join(', '),
        ),
    ),
    ...(view.text.trim() === '' ? [] : [h('blockquote', null, view.text.trim())]),
  ];
}
