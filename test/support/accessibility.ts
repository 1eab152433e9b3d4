/** What axe-core says of a page against WCAG 2.2 AA, and whether it fits the screen. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type AxeModule from 'axe-core';
import type { Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];

declare const axe: typeof AxeModule;

/** What axe-core finds, and how far the page is wider than the screen. */
export async function findings(page: Page): Promise<string[]> {
  // Not a script tag: the page's content security policy would refuse it.
  await page.evaluate(AXE);
  const { violations, passes } = await page.evaluate(
    values => axe.run(document, { runOnly: { type: 'tag', values } }),
    TAGS,
  );
  if (passes.length < 5) return ['axe-core found hardly anything to look at'];
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
  const { actions, screen } = await page.evaluate(() => ({
    actions: document.querySelector('.actions')?.getBoundingClientRect().height ?? 0,
    screen: document.documentElement.clientHeight,
  }));
  if (actions > screen * 0.55) return [`the choices take ${actions} of ${screen} px: no room for the document`];
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide <= 0) return found;
  const widest = await page.evaluate(() => {
    const { clientWidth } = document.documentElement;
    return [...document.querySelectorAll('main *')]
      .filter(element => element.getBoundingClientRect().right > clientWidth)
      .map(({ outerHTML }) => outerHTML.slice(0, 100));
  });
  return [...found, `${wide} px wider than the screen: ${widest.join(' | ')}`];
}

export async function withBigText(page: Page, look: () => Promise<string[]>): Promise<string[]> {
  await page.evaluate(() => {
    document.documentElement.style.fontSize = '200%';
  });
  const found = await look();
  await page.evaluate(() => {
    document.documentElement.style.fontSize = '';
  });
  return found;
}
