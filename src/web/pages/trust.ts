/** Why a PDF reader shows a yellow mark, and how to trust the company's signatures. */
import { h, show } from '../dom.ts';
import type { Texts } from '../texts/index.ts';

export function showTrust(texts: Texts): void {
  show(
    h(
      'div',
      { class: 'narrow' },
      h('h1', null, texts.trustTitle),
      h('p', null, texts.trustIntro),
      h('p', null, h('a', { class: 'button', href: '/trust.pem', download: 'trust.pem' }, texts.trustDownload)),
      h('h2', null, texts.trustAdobe),
      h('ol', null, ...texts.trustAdobeSteps.map(step => h('li', null, step))),
      h('h2', null, texts.trustWindows),
      h('p', null, texts.trustWindowsText),
      h('h2', null, texts.trustOthers),
      h('p', null, texts.trustOthersText),
    ),
  );
}
