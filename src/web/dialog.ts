/** Modal dialogs: the focus stays inside, Escape leaves, and what is under way is never hidden. */
import { h } from './dom.ts';

export function openDialog(title: string, ...children: Node[]): HTMLDialogElement {
  const dialog = h(
    'dialog',
    { 'aria-labelledby': 'dialog-title' },
    h('h2', { id: 'dialog-title' }, title),
    ...children,
  );
  document.body.append(dialog);
  dialog.addEventListener('close', () => dialog.remove());
  // Escape must not hide what is under way.
  dialog.addEventListener('cancel', event => {
    if (dialog.querySelector('[aria-busy="true"]')) event.preventDefault();
  });
  dialog.showModal();
  return dialog;
}

export function closer(dialog: HTMLDialogElement, working: HTMLButtonElement, label: string): HTMLButtonElement {
  const close = (): void => {
    if (working.getAttribute('aria-busy') !== 'true') dialog.close();
  };
  return h('button', { type: 'button', class: 'plain', onclick: close }, label);
}
