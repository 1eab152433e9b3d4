/** Standard: the person draws, looks once more, says what of the place is told, and signs. */
import { initials } from '../../client/approval.ts';
import type { Mark, View } from '../../client/protocol.ts';
import type { App } from '../app.ts';
import { closer, openDialog } from '../dialog.ts';
import { h } from '../dom.ts';
import { markPicture } from '../pad.ts';
import { recallMarks, rememberMarks } from '../remembered.ts';
import { signWhenPressed } from './decide.ts';
import { askForMark } from './draw.ts';
import { choosePlace } from './place.ts';

export async function approveDocuments(
  app: App,
  token: string,
  view: View,
  documents: readonly Uint8Array[],
  done: (after: View) => void,
): Promise<void> {
  const remembered = await recallMarks();
  const { name } = view.you;
  const signature = await askForMark(app, 'signature', remembered?.signature ?? null, name);
  if (!signature) return;
  // A document of one page needs no sign on each of its pages.
  const several = view.documents.some(({ pages }) => pages > 1);
  const typed: Mark = { kind: 'typed', text: initials(name) };
  const paraph = several ? await askForMark(app, 'paraph', remembered?.paraph ?? typed, typed.text) : null;
  if (several && !paraph) return;
  confirmApproval(app, token, view, documents, { signature, paraph }, remembered !== null, done);
}

function confirmApproval(
  app: App,
  token: string,
  view: View,
  documents: readonly Uint8Array[],
  marks: { readonly signature: Mark; readonly paraph: Mark | null },
  remembered: boolean,
  done: (after: View) => void,
): void {
  const { device, texts } = app;
  const what = view.documents.map(({ name, pages }) => `${texts.quoted(name)} (${texts.pages(pages)})`).join(', ');
  const place = choosePlace(texts);
  const remember = h('input', { type: 'checkbox', name: 'remember', checked: remembered });
  const now = h('button', { type: 'button' }, texts.signNow);
  const dialog = openDialog(
    texts.confirmTitle,
    h('p', null, texts.confirmStandard(what, view.you.name)),
    h(
      'div',
      { class: 'marks' },
      markPicture(marks.signature, texts.pad.signature.picture),
      marks.paraph && markPicture(marks.paraph, texts.pad.paraph.picture),
    ),
    place.element,
    h('label', { class: 'choice' }, remember, texts.pad.remember),
  );
  signWhenPressed(app, dialog, now, done, async onStep => {
    const after = await device.approve(token, view, documents, { ...marks, place: place.read() }, onStep);
    // What was remembered before is replaced or, where that isn't wanted any more, forgotten.
    if (remember.checked) {
      const earlier = await recallMarks();
      await rememberMarks({ signature: marks.signature, paraph: marks.paraph ?? earlier?.paraph ?? null });
    } else await rememberMarks(null);
    return after;
  });
  dialog.append(h('div', { class: 'row' }, now, closer(dialog, now, texts.cancel)));
}
