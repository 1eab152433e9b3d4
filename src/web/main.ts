/** Chooses the page by the address. Every link shows the same to a browser that isn't set up. */
import { linkToken, requestNumber } from '../client/device.ts';
import { type App, openApp, showFailure } from './app.ts';
import { h, show } from './dom.ts';
import { showEnrolment } from './pages/enrolment.ts';
import { openFinished } from './pages/finished.ts';
import { showHome } from './pages/home.ts';
import { openRequest } from './pages/request.ts';
import { showTrust } from './pages/trust.ts';
import { chooseTexts } from './texts/index.ts';

async function start(): Promise<void> {
  const texts = chooseTexts(navigator.languages);
  document.documentElement.lang = texts.language;
  if (location.pathname === '/trust') return showTrust(texts);
  if (location.pathname === '/verify') {
    const { showVerify } = await import('./pages/verify.ts');
    return showVerify(texts.language);
  }
  if (!globalThis.isSecureContext || !globalThis.crypto?.subtle) {
    return show(h('div', { class: 'narrow' }, h('h1', null, texts.failedTitle), h('p', null, texts.insecure)));
  }
  let app: App;
  try {
    app = await openApp();
  } catch (error) {
    return showFailure(error, texts, () => location.reload());
  }
  const path = location.pathname;
  const token = path.startsWith('/s/') ? linkToken(path.slice(3)) : null;
  const number = path.startsWith('/r/') ? requestNumber(path.slice(3)) : null;
  if (token === null && number === null) return showHome(app);
  const open = (): void => void (token !== null ? openRequest(app, token) : openFinished(app, number!));
  if (app.device.enrolled === null) return showEnrolment(app, token, open);
  open();
}

void start();
