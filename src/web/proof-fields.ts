/** The fields with which somebody shows who they are: as many as the company asks for. */
import type { Alternatives, Proof, ProofAsk } from '../client/protocol.ts';
import { type App, errorNotice } from './app.ts';
import { busy, h, notice } from './dom.ts';
import type { Texts } from './texts/catalogue.ts';

export interface ProofFields {
  /** To be put into a form. */
  readonly elements: readonly HTMLElement[];
  /** Where messages are said. */
  say(...children: Node[]): void;
  /** What is shown; null, and said why, when it can't be enough. */
  read(): Pick<ProofAsk, 'password' | 'code'> | null;
}

/**
 * @param alternatives any one of them is enough
 * @param mailCode asks for a code by mail; false when that can't be done yet, which it says itself
 */
export function proofFields(
  { texts }: Pick<App, 'texts'>,
  alternatives: Alternatives,
  mailCode: () => Promise<boolean>,
): ProofFields {
  const wanted = new Set(alternatives.flat());
  const byMail = wanted.has('mailed-code');
  const messages = h('div', null);
  const password = h('input', { type: 'password', name: 'password', autocomplete: 'current-password' });
  const code = h('input', {
    class: 'code',
    name: 'code',
    inputmode: 'numeric',
    autocomplete: 'one-time-code',
    maxlength: 11,
  });
  const say = (...children: Node[]): void => messages.replaceChildren(...children);
  const send = h('button', { type: 'button', class: 'plain' }, texts.sendCode);
  send.addEventListener('click', () => {
    void busy(send, texts.sending, async () => {
      try {
        if (!(await mailCode())) return;
        say(notice('success', texts.codeSent));
        code.focus();
      } catch (error) {
        say(errorNotice(error, texts));
      }
    });
  });
  const complain = (text: string, field: HTMLInputElement): null => {
    say(notice('error', text));
    field.focus();
    return null;
  };
  const needed = texts.devices.needed(inWords(alternatives, texts));
  return {
    elements: [
      ...(alternatives.length > 1 || byMail ? [h('p', { class: 'soft small' }, needed)] : []),
      ...(wanted.has('password') ? [labelled(texts.devices.password, texts.devices.passwordHint, password)] : []),
      ...(byMail ? [h('div', { class: 'row' }, send)] : []),
      ...(byMail || wanted.has('admin-code') ? [labelled(texts.code, texts.codeHint, code)] : []),
      messages,
    ],
    say,
    read() {
      const digits = code.value.replace(/\s/g, '');
      const shown = { password: password.value || null, code: digits || null };
      if (digits !== '' && !/^\d{6}(\d{3})?$/.test(digits)) return complain(texts.badCode, code);
      if (!couldBeEnough(shown, alternatives))
        return complain(needed, wanted.has('password') && shown.password === null ? password : code);
      return shown;
    },
  };
}

function labelled(label: string, hint: string, field: HTMLInputElement): HTMLElement {
  return h('label', null, label, h('span', { class: 'soft small' }, hint), field);
}

/** A code may be of either kind: only the gateway knows. */
function couldBeEnough(shown: Pick<ProofAsk, 'password' | 'code'>, alternatives: Alternatives): boolean {
  const given = (proof: Proof): boolean => (proof === 'password' ? shown.password : shown.code) !== null;
  return alternatives.some(set => set.every(given));
}

function inWords(alternatives: Alternatives, { devices }: Texts): string {
  return alternatives.map(set => set.map(proof => devices.proof[proof]).join(devices.and)).join(devices.or);
}
