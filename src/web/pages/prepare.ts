/** Before a signature: what this document asks for beyond what the device was set up with, inside the same flow. */
import { Problem } from '../../client/connection.ts';
import type { Alternatives, View } from '../../client/protocol.ts';
import { type App, errorNotice } from '../app.ts';
import { closer, openDialog } from '../dialog.ts';
import { busy, h, notice } from '../dom.ts';
import { proofFields } from '../proof-fields.ts';

/**
 * Asks for what is missing, if anything.
 * @param shown the view that the person sees
 * @returns the same with what the device may now do; null when the person doesn't go on
 */
export async function prepareToSign(app: App, token: string, shown: View): Promise<View | null> {
  let view = shown;
  if (view.proofs.length > 0) {
    if (!(await askForProof(app, token, view.proofs))) return null;
    view = await refreshed(app, token, shown);
  }
  if (view.passkey.use !== 'required' || view.passkey.id !== null) return view;
  if (!(await askForPasskey(app, token))) return null;
  return refreshed(app, token, shown);
}

/** Only what concerns the device: the documents stay those that were shown. */
async function refreshed({ device }: App, token: string, shown: View): Promise<View> {
  const { proofs, passkey } = await device.view(token);
  return { ...shown, proofs, passkey };
}

function askForProof(app: App, token: string, alternatives: Alternatives): Promise<boolean> {
  const { device, texts } = app;
  const words = texts.devices;
  return new Promise(resolve => {
    let proved = false;
    const fields = proofFields(app, alternatives, async () => {
      await device.own.requestCode(token);
      return true;
    });
    const go = h('button', { type: 'submit' }, words.prove);
    const form = h('form', { novalidate: true }, ...fields.elements);
    const dialog = openDialog(words.proveTitle, h('p', null, words.proveText), form);
    form.append(h('div', { class: 'row' }, go, closer(dialog, go, texts.cancel)));
    form.addEventListener('submit', event => {
      event.preventDefault();
      const shown = fields.read();
      if (shown === null) return;
      void busy(go, words.proving, async () => {
        try {
          await device.own.prove({ ...shown, link: token });
          proved = true;
          dialog.close();
        } catch (error) {
          fields.say(errorNotice(error, texts));
        }
      });
    });
    dialog.addEventListener('close', () => resolve(proved));
  });
}

type Passkey = 'added' | 'more-proof' | 'cancelled';

/** @returns whether there is one now */
async function askForPasskey(app: App, token: string): Promise<boolean> {
  let outcome = await passkeyDialog(app);
  if (outcome === 'more-proof') {
    // A device that was set up long ago shows first that it is still the person's.
    const { proofs } = await app.device.enrolmentOptions();
    if (!(await askForProof(app, token, proofs))) return false;
    outcome = await passkeyDialog(app);
  }
  return outcome === 'added';
}

async function passkeyDialog(app: App): Promise<Passkey> {
  const { device, texts } = app;
  const words = texts.devices;
  const available = await device.own.canHavePasskey();
  return new Promise(resolve => {
    let outcome: Passkey = 'cancelled';
    const messages = h('div', null);
    const add = h('button', { type: 'button' }, words.passkeyAdd);
    const text = available ? h('p', null, words.passkeyRequired) : notice('error', words.passkeyNone);
    const dialog = openDialog(words.passkeyTitle, text, messages);
    dialog.append(h('div', { class: 'row' }, available && add, closer(dialog, add, texts.cancel)));
    add.addEventListener('click', () => {
      void busy(add, words.passkeyAdding, async () => {
        try {
          await device.own.addPasskey();
          outcome = 'added';
          dialog.close();
        } catch (error) {
          if (error instanceof Problem && error.type === 'more-proof') {
            outcome = 'more-proof';
            dialog.close();
          } else messages.replaceChildren(errorNotice(error, texts));
        }
      });
    });
    dialog.addEventListener('close', () => resolve(outcome));
  });
}
