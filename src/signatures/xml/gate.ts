/**
 * What an XML file must pass before a parser sees it (THREATS.md): UTF-8, no DOCTYPE and so no entities of its own, bounds
 * on size, depth, elements and attributes, ids that are unique. Whether it is well-formed the parser decides; this reads
 * just enough markup (XML 1.0 §2, §3) to count, and to find where the root element ends.
 */

export type XmlRefusalReason =
  | 'encoding'
  | 'version'
  | 'doctype'
  | 'entity'
  | 'not-well-formed'
  | 'duplicate-id'
  | 'already-signed'
  | 'too-big'
  | 'too-deep'
  | 'too-many-elements'
  | 'too-many-attributes'
  | 'too-complex'
  | 'too-slow';

/** The file can't be signed or verified as XML; `message` says why. */
export class XmlRefused extends Error {
  override readonly name = 'XmlRefused';
  readonly reason: XmlRefusalReason;
  constructor(reason: XmlRefusalReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

export const XML_LIMITS = {
  /** Bytes. */
  size: 20 * 1024 * 1024,
  depth: 200,
  elements: 500_000,
  /** Of one element, namespace declarations among them. */
  attributes: 256,
} as const;

/** What a signature of ours adds at most, so that whatever could be signed can be verified. */
const SIGNATURE = { size: 65_536, elements: 100 } as const;

/** Where the root element ends, in octets of the file. */
export interface RootEnd {
  /** Where the end tag begins, or the "/>" of an empty root. */
  readonly offset: number;
  /** The root's name when it is an empty element, which has no end tag; else null. */
  readonly empty: string | null;
}

const BLANK = /^[ \t\r\n]*$/;
const DECLARATION =
  /^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.(\d+)"|'1\.(\d+)')(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"([^"<>]*)"|'([^'<>]*)'))?[^<>]*\?>/;
const START = /<([^\s<>/=!?"'&]+)/y;
const ATTRIBUTE = /[ \t\r\n]+([^\s<>/="'&]+)[ \t\r\n]*=[ \t\r\n]*(?:"([^"<]*)"|'([^'<]*)')/y;
const TAG_END = /[ \t\r\n]*(\/?)>/y;
const END_TAG = /<\/([^\s<>/=!?"'&]+)[ \t\r\n]*>/y;
const STRANGE_REFERENCE = /&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)/;
/** What counts as an id in signed documents (XMLDSig §4.5, xml:id). */
const ID_NAMES = new Set(['Id', 'ID', 'id', 'xml:id']);
/** Ids of our own signatures begin so; see xades.ts. */
export const ID_PREFIX = 'signpost-xades-';

/** @param signed whether a signature is expected in the file. @throws XmlRefused */
export function passXmlGate(bytes: Uint8Array, signed: boolean): RootEnd {
  const more = signed ? SIGNATURE : { size: 0, elements: 0 };
  if (bytes.length > XML_LIMITS.size + more.size)
    throw new XmlRefused('too-big', `XML files may have at most ${XML_LIMITS.size / 1024 / 1024} MiB`);
  const text = decode(bytes);
  const start = text.startsWith('\ufeff') ? 1 : 0;
  const end = new Gate(text, XML_LIMITS.elements + more.elements).read(checkDeclaration(text, start));
  return { offset: Buffer.byteLength(text.slice(0, end.index)), empty: end.empty };
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new XmlRefused('encoding', 'XML files must be in UTF-8');
  }
}

/** @returns where the document goes on after the XML declaration, where there is one */
function checkDeclaration(text: string, start: number): number {
  if (!/^<\?xml[ \t\r\n?]/.test(text.slice(start, start + 6))) return start;
  const head = text.slice(start, start + 1000);
  const match = DECLARATION.exec(head);
  if (match === null) throw new XmlRefused('not-well-formed', 'the XML declaration is broken');
  if ((match[1] ?? match[2]) !== '0') throw new XmlRefused('version', 'only XML 1.0 can be signed');
  const encoding = match[3] ?? match[4];
  if (encoding !== undefined && !/^utf-?8$/i.test(encoding))
    throw new XmlRefused('encoding', 'XML files must be in UTF-8');
  return start + match[0].length;
}

class Gate {
  readonly #text: string;
  readonly #maxElements: number;
  #position = 0;
  #depth = 0;
  #elements = 0;
  readonly #ids = new Set<string>();
  #root: string | null = null;

  constructor(text: string, maxElements: number) {
    this.#text = text;
    this.#maxElements = maxElements;
  }

  read(start: number): { readonly index: number; readonly empty: string | null } {
    this.#position = start;
    let end: { index: number; empty: string | null } | null = null;
    for (;;) {
      const index = this.#text.indexOf('<', this.#position);
      const between = this.#text.slice(this.#position, index < 0 ? this.#text.length : index);
      if (this.#depth === 0 ? !BLANK.test(between) : STRANGE_REFERENCE.test(between))
        throw this.#depth === 0 ? broken('text outside of the root element') : entity();
      if (index < 0) break;
      this.#position = index;
      const before = this.#depth;
      const empty = this.#markup();
      if (this.#depth === 0 && (before > 0 || empty !== null)) {
        if (end !== null) throw broken('a second root element');
        end = { index: empty === null ? index : this.#position - 2, empty };
      }
    }
    if (end === null || this.#depth > 0) throw broken('the root element does not end');
    return end;
  }

  /** Passes one piece of markup. @returns the name of an empty root element, else null */
  #markup(): string | null {
    const at = (what: string): boolean => this.#text.startsWith(what, this.#position);
    if (at('<!--')) this.#skip('<!--', '-->');
    else if (at('<![CDATA[')) {
      if (this.#depth === 0) throw broken('text outside of the root element');
      this.#skip('<![CDATA[', ']]>');
    } else if (at('<?')) this.#skip('<?', '?>');
    else if (at('<!')) throw new XmlRefused('doctype', 'XML files with a DOCTYPE are not accepted');
    else if (at('</')) {
      this.#match(END_TAG);
      if (--this.#depth < 0) throw broken('an end tag too many');
    } else return this.#startTag();
    return null;
  }

  #startTag(): string | null {
    const name = this.#match(START)[1]!;
    if (this.#depth === 0) {
      if (this.#root !== null) throw broken('a second root element');
      this.#root = name;
    }
    if (++this.#elements > this.#maxElements)
      throw new XmlRefused('too-many-elements', `XML files may have at most ${XML_LIMITS.elements} elements`);
    this.#attributes();
    if (this.#match(TAG_END)[1] === '/') return this.#depth === 0 ? name : null;
    if (++this.#depth > XML_LIMITS.depth)
      throw new XmlRefused('too-deep', `XML elements may be nested ${XML_LIMITS.depth} deep`);
    return null;
  }

  #attributes(): void {
    for (let count = 1; ; count++) {
      ATTRIBUTE.lastIndex = this.#position;
      const match = ATTRIBUTE.exec(this.#text);
      if (match === null) return;
      if (count > XML_LIMITS.attributes)
        throw new XmlRefused('too-many-attributes', `XML elements may have ${XML_LIMITS.attributes} attributes`);
      this.#position = ATTRIBUTE.lastIndex;
      const value = match[2] ?? match[3]!;
      if (STRANGE_REFERENCE.test(value)) throw entity();
      if (ID_NAMES.has(match[1]!)) this.#id(value);
    }
  }

  #id(value: string): void {
    const id = value.trim();
    // An escaped id could be the same as another one and look different here.
    if (id.includes('&') || this.#ids.has(id)) throw new XmlRefused('duplicate-id', 'two elements have the same id');
    this.#ids.add(id);
  }

  #skip(opening: string, closing: string): void {
    const end = this.#text.indexOf(closing, this.#position + opening.length);
    if (end < 0) throw broken(`${opening} without ${closing}`);
    this.#position = end + closing.length;
  }

  #match(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = this.#position;
    const match = pattern.exec(this.#text);
    if (match === null) throw broken('a broken tag');
    this.#position = pattern.lastIndex;
    return match;
  }
}

const broken = (what: string): XmlRefused => new XmlRefused('not-well-formed', `the XML is not well-formed: ${what}`);
const entity = (): XmlRefused => new XmlRefused('entity', 'XML files with entities of their own are not accepted');
