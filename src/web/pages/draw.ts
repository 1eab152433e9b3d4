/** The whole screen to draw one's signature or initials on, or to type them. */
import { MARK_LIMITS, type Mark, parseMark } from '../../documents/strokes.ts';
import type { App } from '../app.ts';
import { openDialog } from '../dialog.ts';
import { h, notice } from '../dom.ts';
import { createPad } from '../pad.ts';

/**
 * @param start what it begins with: the one that is remembered, or the one to change
 * @param typed what stands in the field for those who type
 * @returns null when the person leaves
 */
export function askForMark(
  { texts }: App,
  kind: 'signature' | 'paraph',
  start: Mark | null,
  typed: string,
): Promise<Mark | null> {
  const words = texts.pad[kind];
  const messages = h('div', null);
  const pad = createPad(words.area, () => messages.replaceChildren());
  const input = h('input', { name: 'typed', maxlength: MARK_LIMITS.text, autocomplete: 'off', spellcheck: 'false' });
  input.value = start?.kind === 'typed' ? start.text : typed;
  const field = h('label', null, words.typed, input);
  const undo = h('button', { type: 'button', class: 'plain', onclick: () => pad.undo() }, texts.pad.undo);
  const clear = h('button', { type: 'button', class: 'plain', onclick: () => pad.clear() }, texts.pad.clear);
  const change = h('button', { type: 'button', class: 'plain' });
  const cancel = h('button', { type: 'button', class: 'plain' }, texts.cancel);
  const done = h('button', { type: 'button' }, texts.pad.done);
  const hint = h('p', { class: 'soft small hint' });
  const sheet = h('div', { class: `sheet ${kind}` });

  let drawn = start?.kind !== 'typed';
  const choose = (): void => {
    sheet.replaceChildren(drawn ? pad.element : field);
    const turn = matchMedia('(pointer: coarse)').matches ? texts.pad.turn : '';
    hint.textContent = [drawn && texts.pad.hint, drawn && turn, words.hint].filter(Boolean).join(' ');
    change.textContent = drawn ? texts.pad.typeInstead : texts.pad.drawInstead;
    undo.hidden = clear.hidden = !drawn;
    messages.replaceChildren();
  };
  change.addEventListener('click', () => {
    drawn = !drawn;
    choose();
    if (!drawn) input.focus();
  });

  return new Promise(resolve => {
    const tools = h('div', { class: 'row tools' }, undo, clear, change, cancel, done);
    const dialog = openDialog(words.title, hint, sheet, messages, tools);
    dialog.classList.add('pad');
    choose();
    if (start?.kind === 'drawn') pad.load(start.drawing);
    let mark: Mark | null = null;
    const finish = (): void => {
      mark = read();
      if (mark) dialog.close();
      else messages.replaceChildren(notice('error', words.missing));
    };
    done.addEventListener('click', finish);
    input.addEventListener('keydown', event => {
      if (event.key !== 'Enter') return;
      // The focus goes back to the button that opened this: the same key must not press it.
      event.preventDefault();
      finish();
    });
    cancel.addEventListener('click', () => dialog.close());
    dialog.addEventListener('close', () => {
      pad.close();
      resolve(mark);
    });
    (drawn ? dialog.querySelector('h2') : input)?.focus();
  });

  /** As the gateway will read it; null when there is nothing, or nothing that shows. */
  function read(): Mark | null {
    const drawing = pad.read();
    try {
      if (!drawn) return parseMark({ kind: 'typed', text: input.value });
      return drawing && parseMark({ kind: 'drawn', drawing });
    } catch {
      return null;
    }
  }
}
