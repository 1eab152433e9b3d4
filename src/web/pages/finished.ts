/** A finished request, for each of its parties: who signed when, and the documents to look at and to keep. */

import { Problem } from '../../client/connection.ts';
import type { FinishedView } from '../../client/protocol.ts';
import { type App, showFailure, showLoading, showOwner, when } from '../app.ts';
import { h, show } from '../dom.ts';
import { openFileViewer } from '../file-viewer.ts';
import { downloadProgress } from '../progress.ts';
import { openViewer } from '../viewer.ts';
import { showUnknown } from './unknown.ts';

export async function openFinished(app: App, requestId: string): Promise<void> {
  const { device, texts } = app;
  const again = (): void => void openFinished(app, requestId);
  showOwner(app);
  showLoading(texts);
  try {
    const view = await device.finished(requestId);
    const progress = downloadProgress(texts);
    const place = h('div', null, progress.element);
    show(...introduction(app, view), place, ...conclusion(app, view));
    const documents = await device.downloadFinished(requestId, view, progress.report);
    const shown: HTMLElement[] = [];
    for (const [index, bytes] of documents.entries()) shown.push(await showDocument(app, view, index, bytes));
    place.replaceChildren(...shown);
  } catch (error) {
    if (error instanceof Problem && error.type === 'not-found') return void showUnknown(app, null, again);
    showFailure(error, texts, again);
  }
}

/** What this browser can't show can still be kept. */
async function showDocument(
  { texts }: App,
  view: FinishedView,
  index: number,
  bytes: Uint8Array,
): Promise<HTMLElement> {
  const { name, kind, pages } = view.documents[index]!;
  try {
    if (kind === 'file') return (await openFileViewer(name, name, bytes, texts)).element;
    return (await openViewer(name, name, pages, bytes, texts, () => texts.finishedUnreadable)).element;
  } catch (error) {
    console.error(error);
    const url = URL.createObjectURL(new Blob([bytes.slice()], { type: 'application/pdf' }));
    return h(
      'div',
      { class: 'notice warning' },
      h('strong', null, name),
      h('p', null, texts.finishedUnreadable),
      h('a', { class: 'button', href: url, download: name }, texts.download),
    );
  }
}

function introduction({ texts }: App, view: FinishedView): Node[] {
  const count = view.documents.length;
  const sealed = view.level === 'seal';
  const signatures = view.signatories.map(({ name, signedAt, you }) =>
    h(
      'div',
      null,
      `${name}${you ? ` (${texts.you})` : ''}`,
      signedAt && h('span', { class: 'soft' }, `, ${when(signedAt, texts)}`),
    ),
  );
  return [
    h('h1', null, sealed ? texts.sealedTitle(count) : texts.finishedTitle(count)),
    h('p', null, sealed ? texts.sealedText(count) : texts.finishedText(count)),
    h(
      'dl',
      { class: 'facts' },
      h('dt', null, texts.from),
      h('dd', null, `${view.sender.name} <${view.sender.mail}>`),
      h('dt', null, texts.subject),
      h('dd', null, view.subject),
      !sealed && h('dt', null, texts.signedBy),
      !sealed && h('dd', null, ...signatures),
      h('dt', null, texts.finishedOn),
      h('dd', null, when(view.finishedAt, texts)),
    ),
  ];
}

function conclusion({ texts }: App, view: FinishedView): Node[] {
  return [
    h('p', null, h('a', { href: '/trust' }, texts.trustTitle)),
    h('p', { class: 'soft small' }, `${view.request} · ${view.company}`),
  ];
}
