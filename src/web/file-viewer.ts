/**
 * Shows the exact bytes of a document that isn't a PDF: pictures as pictures, text as text, anything else by its name,
 * size and SHA-256. By the bytes alone: neither name nor type from outside decides.
 */
import { hex, sha256 } from '../client/bytes.ts';
import { h } from './dom.ts';
import type { Texts } from './texts/catalogue.ts';
import type { Viewer } from './viewer.ts';

/** More text than this nobody reads on a page; it would only make the browser slow. */
const MOST_TEXT = 1024 * 1024;

/** @param label what screen readers call it */
export async function openFileViewer(name: string, label: string, bytes: Uint8Array, texts: Texts): Promise<Viewer> {
  const urls: string[] = [];
  const link = (type: string): string => {
    const url = URL.createObjectURL(new Blob([bytes.slice()], { type }));
    urls.push(url);
    return url;
  };
  const content = (await pictureOf(bytes, name, link)) ?? textOf(bytes) ?? h('p', null, texts.notShown);
  const element = h(
    'section',
    { class: 'document' },
    h(
      'div',
      { class: 'tools' },
      h('span', { class: 'name' }, name),
      h('span', { class: 'small soft' }, texts.size(bytes.length)),
      // Never a type that the browser would open in our name.
      h('a', { class: 'button plain', href: link('application/octet-stream'), download: name }, texts.download),
    ),
    h('div', { class: 'file', tabindex: 0, role: 'region', 'aria-label': texts.document(label) }, content),
    h('p', { class: 'digest small soft' }, `SHA-256 ${hex(await sha256(bytes))}`),
  );
  return {
    element,
    close() {
      for (const url of urls) URL.revokeObjectURL(url);
    },
  };
}

/** The picture, where the browser can draw it. */
async function pictureOf(
  bytes: Uint8Array,
  name: string,
  link: (type: string) => string,
): Promise<HTMLImageElement | null> {
  const type = pictureType(bytes);
  if (type === null) return null;
  const image = h('img', { src: link(type), alt: name });
  try {
    await image.decode();
    return image;
  } catch {
    return null;
  }
}

function pictureType(bytes: Uint8Array): string | null {
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, 12));
  if (start.startsWith('\u2030PNG\r\n\u001a\n')) return 'image/png';
  if (start.startsWith('\u00ff\u00d8\u00ff')) return 'image/jpeg';
  if (/^GIF8[79]a/.test(start)) return 'image/gif';
  return /^RIFF....WEBP/s.test(start) ? 'image/webp' : null;
}

/** UTF-8 without controls that a text has no use for. */
function textOf(bytes: Uint8Array): HTMLElement | null {
  if (bytes.length === 0 || bytes.length > MOST_TEXT) return null;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
  if (/(?![\t\n\f\r])\p{Cc}/u.test(text)) return null;
  return h('pre', null, visible(text));
}

/** What can't be seen but changes what is read (writing direction, zero width, tags) is spelt out. */
function visible(text: string): string {
  return text.replace(
    /(?![\t\n\r])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    character => `[U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`,
  );
}
