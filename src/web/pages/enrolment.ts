/** Setting up this browser: the same page for every link, known or not. */
import type { EnrolmentOptions } from '../../client/protocol.ts';
import { type App, errorNotice, showFailure, showLoading, showOwner } from '../app.ts';
import { busy, h, notice, show } from '../dom.ts';
import { proofFields } from '../proof-fields.ts';
import type { Texts } from '../texts/catalogue.ts';
import { offerPasskey } from './passkey.ts';
import { resumeWaiting, showWaiting } from './waiting.ts';

/**
 * @param token of the link that led here, or null
 * @param done what to show when the device is set up
 */
export function showEnrolment(app: App, token: string | null, done: () => void): void {
  void openEnrolment(app, token, done);
}

async function openEnrolment(app: App, token: string | null, done: () => void): Promise<void> {
  const { device, texts } = app;
  showLoading(texts);
  try {
    const options = await device.enrolmentOptions();
    const setUp = (): void => {
      showOwner(app);
      void offerPasskey(app, options.passkeys, done);
    };
    const again = (): void => showForm(app, token, options, setUp);
    // A page that was left while another device was asked.
    if (!(device.enrolling && (await resumeWaiting(app, token, { done: setUp, again })))) again();
  } catch (error) {
    showFailure(error, texts, () => void openEnrolment(app, token, done));
  }
}

function showForm(app: App, token: string | null, options: EnrolmentOptions, done: () => void): void {
  const { device, texts } = app;
  const address = h('input', {
    type: 'email',
    name: 'address',
    autocomplete: 'username',
    inputmode: 'email',
    autocapitalize: 'off',
    spellcheck: 'false',
  });
  const addressIsThere = (): boolean => {
    const fits = /^\S+@\S+\.\S+$/.test(address.value.trim());
    address.setAttribute('aria-invalid', String(!fits));
    if (!fits) {
      fields.say(notice('error', texts.badAddress));
      address.focus();
    }
    return fits;
  };
  const fields = proofFields(app, options.proofs, async () => {
    if (!addressIsThere()) return false;
    await device.requestCode(address.value.trim(), token);
    return true;
  });
  const setUp = h('button', { type: 'submit' }, texts.setUp);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (!addressIsThere()) return;
    const shown = fields.read();
    if (shown === null) return;
    void busy(setUp, texts.settingUp, async () => {
      try {
        const answer = await device.enrol({
          address: address.value.trim(),
          ...shown,
          link: token,
          name: browserName(texts),
          kind: 'browser',
        });
        if (answer.state === 'enrolled') return done();
        showWaiting(app, token, answer, { done, again: () => showForm(app, token, options, done) });
      } catch (error) {
        fields.say(errorNotice(error, texts));
      }
    });
  };
  show(
    h(
      'div',
      { class: 'narrow' },
      h('h1', null, texts.enrolTitle),
      h('p', { class: 'soft' }, texts.enrolIntro),
      h(
        'form',
        { class: 'card', novalidate: true, onsubmit: submit },
        h('label', null, texts.address, h('span', { class: 'soft small' }, texts.addressHint), address),
        ...fields.elements,
        setUp,
      ),
    ),
  );
}

function browserName(texts: Texts): string {
  const agent = navigator.userAgent;
  const browser = /Edg\//.test(agent)
    ? 'Edge'
    : /Firefox\//.test(agent)
      ? 'Firefox'
      : /Chrom(e|ium)\//.test(agent)
        ? 'Chrome'
        : /Safari\//.test(agent)
          ? 'Safari'
          : texts.otherBrowser;
  const system = /Android/.test(agent)
    ? 'Android'
    : /iPhone|iPad/.test(agent)
      ? 'iOS'
      : /Windows/.test(agent)
        ? 'Windows'
        : /Mac OS/.test(agent)
          ? 'macOS'
          : 'Linux';
  return texts.browserOn(browser, system);
}
