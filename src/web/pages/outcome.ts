/** What happened, who is next, what comes by mail: the same after a press, a reload or on a second phone. */
import type { View } from '../../client/protocol.ts';
import { type App, when } from '../app.ts';
import { h, show } from '../dom.ts';

export function showOutcome(app: App, view: View): void {
  const { good, title, lines } = describe(app, view);
  const mark =
    good === null ? false : h('span', { class: `state${good ? '' : ' bad'}`, 'aria-hidden': 'true' }, icon(good));
  const finished =
    view.state === 'finished' &&
    h('a', { class: 'button', href: `/r/${view.request}` }, app.texts.openFinished(view.documents.length));
  show(
    h(
      'div',
      { class: 'narrow' },
      h('div', { class: 'card' }, mark, h('h1', null, title), ...lines.map(line => h('p', null, line)), finished),
      h('p', { class: 'soft small' }, `${view.request} · ${view.subject}`),
      h('p', null, h('a', { href: '/' }, app.texts.homeTitle)),
    ),
  );
}

function describe({ texts }: App, view: View): { good: boolean | null; title: string; lines: string[] } {
  if (view.session === 'signed' && ['open', 'closing', 'finished'].includes(view.state)) {
    const left = view.signatories
      .filter(({ state }) => state === 'open' || state === 'waiting')
      .map(({ name }) => name);
    const next =
      left.length > 0
        ? texts.next(left.join(', '))
        : view.state === 'finished'
          ? texts.ended.finished
          : texts.nobodyNext;
    return {
      good: true,
      title: texts.signedTitle,
      lines: [texts.signedText(view.you.name), next, ...(view.state === 'finished' ? [] : [texts.byMail])],
    };
  }
  if (view.session === 'rejected') return { good: false, title: texts.rejectedTitle, lines: [texts.rejectedText] };
  if (view.session === 'waiting') return { good: null, title: texts.waitingTitle, lines: [texts.waitingText] };
  const lines = [
    ...(view.state in texts.ended ? [texts.ended[view.state as keyof typeof texts.ended]] : []),
    ...(view.comment === null ? [] : [texts.quoted(view.comment)]),
  ];
  return {
    good: null,
    title: texts.endedTitle,
    lines: [...lines, ...(view.endedAt === null ? [] : [when(view.endedAt, texts)])],
  };
}

function icon(good: boolean): SVGElement {
  const namespace = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(namespace, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('width', '28');
  svg.setAttribute('height', '28');
  const path = document.createElementNS(namespace, 'path');
  path.setAttribute('d', good ? 'M5 12.5l4.5 4.5L19 7.5' : 'M7 7l10 10M17 7L7 17');
  path.setAttribute('fill', 'none');
  path.setAttribute('stroke', 'currentColor');
  path.setAttribute('stroke-width', '2.5');
  path.setAttribute('stroke-linecap', 'round');
  path.setAttribute('stroke-linejoin', 'round');
  svg.append(path);
  return svg;
}
