/** How much of the documents has come. */
import type { Progress } from '../client/device.ts';
import { h } from './dom.ts';
import type { Texts } from './texts/index.ts';

export function downloadProgress(texts: Texts): { readonly element: HTMLElement; readonly report: Progress } {
  const percent = h('p', { class: 'soft' }, texts.downloading(0));
  const bar = h('progress', { max: 100, value: 0, 'aria-label': texts.downloading(0) });
  return {
    element: h('div', null, percent, bar),
    report(received, total) {
      const share = total === null || total === 0 ? 0 : Math.min(100, Math.round((received / total) * 100));
      percent.textContent = texts.downloading(share);
      bar.value = share;
    },
  };
}
