/** The client module in a real browser: keys that can't be read, kept in IndexedDB, and the whole way with them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type Browser, chromium } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { has, PACKAGES } from '../../support/tools.ts';
import { type Gateway, JOHN, startGateway } from '../http/gateway.ts';

declare global {
  interface Window {
    readonly signpost: typeof import('./browser-entry.ts');
  }
}

/** What phones load: one file, nothing of Node in it. */
async function bundle(): Promise<string> {
  const entry = fileURLToPath(new URL('browser-entry.ts', import.meta.url));
  const output = await build({
    configFile: false,
    logLevel: 'error',
    build: { write: false, lib: { entry, name: 'signpost', formats: ['iife'] } },
  });
  const [first] = Array.isArray(output) ? output : [output];
  if (!first || !('output' in first)) throw new Error('vite built nothing');
  return first.output[0].code;
}

describe.skipIf(!has('chromium'))('in Chromium', () => {
  let gateway: Gateway;
  let browser: Browser;
  let code: string;
  beforeAll(async () => {
    code = await bundle();
    gateway = await startGateway();
    // Before the first request: a page is read once.
    writeFileSync(join(gateway.folder, 'web', 'assets', 'app-1a2b3c4d.js'), code);
    writeFileSync(
      join(gateway.folder, 'web', 'index.html'),
      '<!doctype html><link rel=icon href="data:,"><script src="/assets/app-1a2b3c4d.js"></script>',
    );
    browser = await chromium.launch({ executablePath: PACKAGES.chromium, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.close();
  });

  test('the module is small and has nothing of Node in it', () => {
    expect(gzipSync(code).length).toBeLessThan(24_000);
    expect(code).not.toMatch(/node:|\bBuffer\b|\bprocess\./);
  });

  test('enrols, survives a reload, signs; no key can be read; a violation of the content policy there is none', async () => {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', message => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', error => complaints.push(error.message));
    const request = await gateway.submit([JOHN]);
    const token = gateway.tokenOf(request, JOHN);
    await page.goto(`${gateway.url}/s/${token}`);
    const { code: adminCode } = await gateway.devices.createAdminCode(JOHN.id);
    const enrolled = await page.evaluate(
      async ({ address, code }) => {
        const { SignpostDevice, indexedDbStore } = window.signpost;
        const device = await SignpostDevice.open({ origin: location.origin, store: indexedDbStore() });
        await device.requestCode(address, null);
        return device.enrol({ address, code, link: null, name: 'Chromium', kind: 'browser' });
      },
      { address: JOHN.mail, code: adminCode },
    );
    expect(enrolled).toMatchObject({ state: 'enrolled', enrolled: { person: { name: 'John Doe' } } });

    await page.reload();
    const result = await page.evaluate(async link => {
      const { SignpostDevice, indexedDbStore } = window.signpost;
      const device = await SignpostDevice.open({ origin: location.origin, store: indexedDbStore() });
      const view = await device.view(link);
      const received: (number | null)[] = [];
      const documents = await device.download(link, view, (bytes, total) => received.push(bytes, total));
      const after = await device.sign(link, view, documents);
      const { device: memory } = await indexedDbStore().load();
      const keys = [memory!.authentication.privateKey, memory!.signing!.keys.privateKey];
      const exported = await Promise.all(
        keys.flatMap(key => [
          crypto.subtle.exportKey('jwk', key).then(() => 'read', String),
          crypto.subtle.exportKey('pkcs8', key).then(() => 'read', String),
        ]),
      );
      return { session: after.session, exported, received, extractable: keys.map(key => key.extractable) };
    }, token);
    expect(result.session).toBe('signed');
    expect(result.extractable).toEqual([false, false]);
    for (const outcome of result.exported) expect(outcome).toContain('InvalidAccessError');
    const length = request.documents[0]!.headLength;
    expect(result.received.slice(-2)).toEqual([length, length]);
    expect(complaints).toEqual([]);
    await gateway.until(request.id, ({ state }) => state === 'finished');
    await page.close();
  });
});
