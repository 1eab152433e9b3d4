/** The two decisions: each says in one sentence what it does before it is done. */

import type { SigningStep } from '../../client/device.ts';
import { Tampered } from '../../client/grant.ts';
import type { View } from '../../client/protocol.ts';
import { type App, errorNotice } from '../app.ts';
import { closer, openDialog } from '../dialog.ts';
import { announce, busy, h, notice } from '../dom.ts';

export function confirmSignature(
  app: App,
  token: string,
  view: View,
  documents: readonly Uint8Array[],
  done: (after: View) => void,
): void {
  const { device, texts } = app;
  const what = view.documents
    .map(
      ({ name, kind, pages, length }) =>
        `${texts.quoted(name)} (${kind === 'pdf' ? texts.pages(pages) : texts.size(length)})`,
    )
    .join(', ');
  const now = h('button', { type: 'button' }, texts.signNow);
  const dialog = openDialog(texts.confirmTitle, h('p', null, texts.confirm(what, view.you.name)));
  signWhenPressed(app, dialog, now, done, onStep => device.sign(token, view, documents, onStep));
  dialog.append(h('div', { class: 'row' }, now, closer(dialog, now, texts.cancel)));
}

/**
 * Runs the signing behind a button of a dialog: says where it is and what went wrong; a second press is the same press.
 * @param done gets the session afterwards, when the dialog is closed
 */
export function signWhenPressed(
  { texts }: App,
  dialog: HTMLDialogElement,
  now: HTMLButtonElement,
  done: (after: View) => void,
  work: (onStep: (step: SigningStep) => void) => Promise<View>,
): void {
  const messages = h('div', null);
  const progress = h('progress', { hidden: true, 'aria-label': texts.signing });
  dialog.append(messages, progress);
  now.addEventListener('click', () => {
    void busy(now, texts.signing, async () => {
      messages.replaceChildren();
      progress.hidden = false;
      try {
        const after = await work(step => {
          now.textContent = texts.step[step];
          announce(texts.step[step]);
        });
        dialog.close();
        done(after);
      } catch (error) {
        if (error instanceof Tampered) {
          // Nothing on this page may be signed any more.
          now.remove();
          messages.replaceChildren(
            notice('error', h('strong', null, texts.tampered), h('p', null, texts.tamperedText(error.message))),
          );
        } else messages.replaceChildren(errorNotice(error, texts));
      } finally {
        progress.hidden = true;
      }
    });
  });
}

export function rejectDialog(app: App, token: string, view: View, done: (after: View) => void): void {
  const { device, texts } = app;
  const messages = h('div', null);
  const required = view.rejectionComment === 'required';
  const comment = h('textarea', { name: 'comment', maxlength: 2000 });
  const now = h('button', { type: 'button', class: 'danger' }, texts.rejectNow);
  const hint = h('span', { class: 'soft small' }, required ? texts.commentRequired : texts.commentOptional);
  const label = h('label', null, texts.comment, hint, comment);
  const dialog = openDialog(texts.rejectTitle, h('p', null, texts.rejectText(view.sender.name)), label, messages);
  now.addEventListener('click', () => {
    const text = comment.value.trim();
    if (required && text === '') {
      messages.replaceChildren(notice('error', texts.problem['comment-required']));
      comment.focus();
      return;
    }
    void busy(now, texts.rejecting, async () => {
      try {
        const after = await device.reject(token, text === '' ? null : text);
        dialog.close();
        done(after);
      } catch (error) {
        messages.replaceChildren(errorNotice(error, texts));
      }
    });
  });
  dialog.append(h('div', { class: 'row' }, now, closer(dialog, now, texts.cancel)));
}
