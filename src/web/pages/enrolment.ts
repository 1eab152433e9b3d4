/** Setting up this browser: the same page for every link, known or not. */
import { type App, errorNotice, showOwner } from '../app.ts';
import { busy, h, notice, show } from '../dom.ts';

/**
 * @param token of the link that led here, or null
 * @param done what to show when the device is set up
 */
export function showEnrolment(app: App, token: string | null, done: () => void): void {
  const { device, texts } = app;
  const messages = h('div', null);
  const address = h('input', {
    type: 'email',
    name: 'address',
    autocomplete: 'email',
    inputmode: 'email',
    autocapitalize: 'off',
    spellcheck: 'false',
  });
  const code = h('input', {
    class: 'code',
    name: 'code',
    inputmode: 'numeric',
    autocomplete: 'one-time-code',
    maxlength: 9,
  });
  const mailCode = h('button', { type: 'button', class: 'plain' }, texts.sendCode);
  const setUp = h('button', { type: 'submit' }, texts.setUp);
  const say = (...children: Node[]): void => messages.replaceChildren(...children);

  const addressIsThere = (): boolean => {
    const fits = /^\S+@\S+\.\S+$/.test(address.value.trim());
    address.setAttribute('aria-invalid', String(!fits));
    if (!fits) {
      say(notice('error', texts.badAddress));
      address.focus();
    }
    return fits;
  };
  mailCode.addEventListener('click', () => {
    if (!addressIsThere()) return;
    void busy(mailCode, texts.sending, async () => {
      try {
        await device.requestCode(address.value.trim(), token);
        say(notice('success', texts.codeSent));
        code.focus();
      } catch (error) {
        say(errorNotice(error, texts));
      }
    });
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    if (!addressIsThere()) return;
    if (!/^\d{6}$/.test(code.value.replace(/\s/g, ''))) {
      say(notice('error', texts.badCode));
      code.focus();
      return;
    }
    void busy(setUp, texts.settingUp, async () => {
      try {
        await device.enrol({
          address: address.value.trim(),
          code: code.value,
          link: token,
          name: browserName(),
          kind: 'browser',
        });
        showOwner(app);
        done();
      } catch (error) {
        say(errorNotice(error, texts));
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
        h('div', { class: 'row' }, mailCode),
        h('label', null, texts.code, h('span', { class: 'soft small' }, texts.codeHint), code),
        messages,
        setUp,
      ),
    ),
  );
}

/** "Firefox on Android": what people will recognise in a list of their devices. */
function browserName(): string {
  const agent = navigator.userAgent;
  const browser = /Edg\//.test(agent)
    ? 'Edge'
    : /Firefox\//.test(agent)
      ? 'Firefox'
      : /Chrom(e|ium)\//.test(agent)
        ? 'Chrome'
        : /Safari\//.test(agent)
          ? 'Safari'
          : 'Browser';
  const system = /Android/.test(agent)
    ? 'Android'
    : /iPhone|iPad/.test(agent)
      ? 'iOS'
      : /Windows/.test(agent)
        ? 'Windows'
        : /Mac OS/.test(agent)
          ? 'macOS'
          : 'Linux';
  return `${browser} on ${system}`;
}
