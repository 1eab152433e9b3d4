/**
 * Shows the exact bytes that will be signed: pages drawn by pdf.js when they come near the screen, zoom, a text layer
 * for selecting and screen readers, a download of the same bytes.
 */
import type { PDFDocumentProxy, PDFPageProxy } from 'pdfjs-dist';
import workerUrl from 'pdfjs-dist/build/pdf.worker.min.mjs?url';
import { announce, h } from './dom.ts';
import type { Texts } from './texts/catalogue.ts';

const ZOOMS = [0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4] as const;
/** A phone's browser gives up on larger canvases (Safari: 16.7 million pixels). */
const MAX_PIXELS = 16_000_000;

export interface Viewer {
  readonly element: HTMLElement;
  /** Frees the worker and the canvases. */
  close(): void;
}

/**
 * @param label what screen readers call it
 * @param broken called when a page can't be drawn after all (then nothing may be signed): what to say in its place
 * @param ownPages pages of the document itself; those that follow are signature pages
 * @throws Error when pdf.js can't read the bytes: nothing is shown then, so nothing may be signed
 */
export async function openViewer(
  name: string,
  label: string,
  ownPages: number,
  bytes: Uint8Array,
  texts: Texts,
  broken: () => string,
): Promise<Viewer> {
  const pdfjs = await import('pdfjs-dist');
  pdfjs.GlobalWorkerOptions.workerSrc = workerUrl;
  const task = pdfjs.getDocument({
    // pdf.js takes the buffer for itself; the caller's bytes are what is hashed and signed.
    data: bytes.slice(),
    cMapUrl: '/pdfjs/cmaps/',
    standardFontDataUrl: '/pdfjs/standard_fonts/',
    wasmUrl: '/pdfjs/wasm/',
    // WebAssembly would need 'wasm-unsafe-eval' in the content security policy; pdf.js has plain versions.
    useWasm: false,
    enableXfa: false,
    // The same letters on every device: a phone's own fonts could differ from what others see.
    useSystemFonts: false,
  });
  const pdf = await task.promise;
  const pages = h('div', { class: 'pages', tabindex: 0, role: 'region', 'aria-label': texts.document(label) });
  const added = pdf.numPages - ownPages;
  const pageCount = added > 0 ? `${texts.pages(ownPages)} + ${texts.signaturePages(added)}` : texts.pages(pdf.numPages);
  const position = h('span', { class: 'small soft' }, pageCount);
  let zoom = 1;
  const sheets = await makeSheets(pdf, pages);

  const layOut = (): void => {
    const available = Math.max(200, (pages.clientWidth || 360) - 24);
    for (const sheet of sheets) sheet.resize((Math.min(available, 900) / sheet.width) * zoom);
  };
  const step = (direction: 1 | -1): void => {
    const next = direction === 1 ? ZOOMS.find(value => value > zoom) : ZOOMS.findLast(value => value < zoom);
    if (next === undefined) return;
    zoom = next;
    layOut();
    announce(texts.zoomed(Math.round(zoom * 100)));
  };
  const url = URL.createObjectURL(new Blob([bytes.slice()], { type: 'application/pdf' }));
  const element = h(
    'section',
    { class: 'document' },
    h(
      'div',
      { class: 'tools' },
      h('span', { class: 'name' }, name),
      position,
      h('button', { type: 'button', class: 'plain icon', 'aria-label': texts.zoomOut, onclick: () => step(-1) }, '−'),
      h('button', { type: 'button', class: 'plain icon', 'aria-label': texts.zoomIn, onclick: () => step(1) }, '+'),
      h('a', { class: 'button plain', href: url, download: name }, texts.download),
    ),
    pages,
  );

  const watcher = new IntersectionObserver(
    entries => {
      for (const entry of entries) {
        const sheet = sheets.find(({ element: page }) => page === entry.target);
        if (entry.isIntersecting) sheet?.show();
        else sheet?.release();
      }
    },
    { root: pages, rootMargin: '800px' },
  );
  for (const sheet of sheets) watcher.observe(sheet.element);
  const resized = new ResizeObserver(() => layOut());
  resized.observe(pages);

  return {
    element,
    close() {
      watcher.disconnect();
      resized.disconnect();
      URL.revokeObjectURL(url);
      void task.destroy();
    },
  };

  async function makeSheets(document: PDFDocumentProxy, into: HTMLElement): Promise<Sheet[]> {
    // The first page's size stands for all until a page is drawn: a document of 2,000 pages opens at once.
    const first = (await document.getPage(1)).getViewport({ scale: 1 });
    return Array.from({ length: document.numPages }, (_, index) => {
      const sheet = new Sheet(document, index + 1, first, pdfjs.TextLayer, texts, broken);
      into.append(sheet.element);
      return sheet;
    });
  }
}

type TextLayerClass = typeof import('pdfjs-dist')['TextLayer'];

/** One page: a box of the right size, drawn when it comes near and emptied when it goes far. */
class Sheet {
  readonly element: HTMLElement;
  width: number;
  #height: number;
  #scale = 1;
  #drawn: number | null = null;
  #near = false;
  #page: PDFPageProxy | null = null;
  readonly #document: PDFDocumentProxy;
  readonly #number: number;
  readonly #textLayer: TextLayerClass;
  readonly #broken: () => string;

  constructor(
    document: PDFDocumentProxy,
    number: number,
    size: { readonly width: number; readonly height: number },
    textLayer: TextLayerClass,
    texts: Texts,
    broken: () => string,
  ) {
    this.#document = document;
    this.#number = number;
    this.width = size.width;
    this.#height = size.height;
    this.#textLayer = textLayer;
    this.#broken = broken;
    this.element = h('div', { class: 'page', role: 'group', 'aria-label': texts.page(number) });
  }

  resize(scale: number): void {
    this.#scale = scale;
    this.element.style.width = `${Math.floor(this.width * scale)}px`;
    this.element.style.height = `${Math.floor(this.#height * scale)}px`;
    if (this.#near) this.show();
  }

  show(): void {
    this.#near = true;
    this.#draw().catch((error: unknown) => {
      // Gone far, or the viewer closed, while it was being drawn.
      if (!this.#near || !this.element.isConnected) return;
      console.error(error);
      this.element.replaceChildren(h('p', { class: 'notice error', role: 'alert' }, this.#broken()));
    });
  }

  async #draw(): Promise<void> {
    const scale = this.#scale;
    if (this.#drawn === scale) return;
    this.#drawn = scale;
    this.#page ??= await this.#document.getPage(this.#number);
    const natural = this.#page.getViewport({ scale: 1 });
    if (natural.width !== this.width || natural.height !== this.#height) {
      this.width = natural.width;
      this.#height = natural.height;
      this.element.style.width = `${Math.floor(this.width * scale)}px`;
      this.element.style.height = `${Math.floor(this.#height * scale)}px`;
    }
    const density = Math.min(
      devicePixelRatio || 1,
      Math.sqrt(MAX_PIXELS / (natural.width * natural.height * scale * scale)),
    );
    const viewport = this.#page.getViewport({ scale: scale * density });
    const canvas = h('canvas', {
      width: Math.floor(viewport.width),
      height: Math.floor(viewport.height),
      'aria-hidden': 'true',
    });
    await this.#page.render({ canvas, viewport }).promise;
    if (this.#drawn !== scale || !this.#near) return;
    const layer = h('div', { class: 'textLayer' });
    layer.style.setProperty('--total-scale-factor', String(scale));
    this.element.replaceChildren(canvas, layer);
    await new this.#textLayer({
      textContentSource: this.#page.streamTextContent(),
      container: layer,
      viewport: this.#page.getViewport({ scale }),
    }).render();
  }

  release(): void {
    this.#near = false;
    this.#drawn = null;
    this.element.replaceChildren();
  }
}
