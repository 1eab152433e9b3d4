/** Builds pages from elements: untrusted text can only ever become text. */

type Child = Node | string | null | undefined | false;

interface Properties {
  readonly [name: string]: string | number | boolean | null | undefined | ((event: Event) => void);
}

/** An element. A function is an event listener (`onclick`), true an empty attribute; null, undefined and false are left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties | null,
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/** Shows a page: replaces the main part, moves the focus to its heading (for keyboards and screen readers), scrolls up. */
export function show(...children: Child[]): void {
  const main = document.getElementById('main')!;
  main.replaceChildren(...children.filter((child): child is Node | string => Boolean(child)));
  const heading = main.querySelector('h1');
  if (heading) {
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    document.title = `${heading.textContent} · Signpost`;
  }
  scrollTo(0, 0);
}

/** Says something to screen readers without moving the focus. */
export function announce(text: string): void {
  document.getElementById('live')!.textContent = text;
}

/** Runs an action behind a button: disabled meanwhile, so that a second press is the same press. */
export async function busy(button: HTMLButtonElement, label: string, action: () => Promise<void>): Promise<void> {
  if (button.getAttribute('aria-busy') === 'true') return;
  const before = button.textContent;
  button.setAttribute('aria-busy', 'true');
  button.setAttribute('aria-disabled', 'true');
  button.textContent = label;
  announce(label);
  try {
    await action();
  } finally {
    button.removeAttribute('aria-busy');
    button.removeAttribute('aria-disabled');
    button.textContent = before;
  }
}

/** A message in a box: what went wrong and what to do next. */
export function notice(kind: 'error' | 'warning' | 'success', ...children: Child[]): HTMLElement {
  return h('div', { class: `notice ${kind}`, role: kind === 'success' ? 'status' : 'alert' }, ...children);
}
