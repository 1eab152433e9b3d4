/** Chooses the page by the address. Every link shows the same to a browser that isn't set up. */
import { linkToken } from '../client/device.ts';
import { type App, openApp, showFailure } from './app.ts';
import { h, show } from './dom.ts';
import { showEnrolment } from './pages/enrolment.ts';
import { showHome } from './pages/home.ts';
import { openRequest } from './pages/request.ts';
import { showTrust } from './pages/trust.ts';
import { chooseTexts } from './texts/index.ts';

async function start(): Promise<void> {
  const texts = chooseTexts(navigator.languages);
  if (location.pathname === '/trust') {
    document.documentElement.lang = texts.language;
    return showTrust(texts);
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
  const token = location.pathname.startsWith('/s/') ? linkToken(location.pathname.slice(3)) : null;
  if (token === null) return showHome(app);
  if (app.device.enrolled === null) return showEnrolment(app, token, () => openRequest(app, token));
  return openRequest(app, token);
}

void start();
