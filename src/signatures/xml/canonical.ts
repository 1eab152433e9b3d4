/**
 * Parsing and exclusive canonicalisation (W3C xml-exc-c14n) by libxml2. Only what passed the gate comes here, and only in
 * a document child (src/documents/worker-child.ts).
 */
import { ParseOption, XmlC14NMode, XmlDocument, XmlElement, XmlLibError, type XmlNode } from 'libxml2-wasm';
import { passXmlGate, type RootEnd, XmlRefused } from './gate.ts';

/** The gate bounds what libxml2 would bound; without DOCTYPE nothing is loaded or expanded. Errors of namespaces count. */
const OPTIONS =
  ParseOption.XML_PARSE_NO_XXE |
  ParseOption.XML_PARSE_NONET |
  ParseOption.XML_PARSE_NO_SYS_CATALOG |
  ParseOption.XML_PARSE_HUGE;

export interface OpenXml {
  readonly document: XmlDocument;
  readonly rootEnd: RootEnd;
}

/**
 * Hands the parsed file to `work`, then frees it.
 * @param signed whether a signature is expected in the file
 * @throws XmlRefused
 */
export function withXml<T>(bytes: Uint8Array, signed: boolean, work: (xml: OpenXml) => T): T {
  const rootEnd = passXmlGate(bytes, signed);
  let document: XmlDocument;
  try {
    document = XmlDocument.fromBuffer(bytes, { option: OPTIONS });
  } catch (error) {
    if (!(error instanceof XmlLibError)) throw error;
    throw new XmlRefused('not-well-formed', `the XML is not well-formed: ${firstLine(error.message)}`);
  }
  try {
    if (document.dtd !== null) throw new XmlRefused('doctype', 'XML files with a DOCTYPE are not accepted');
    return work({ document, rootEnd });
  } finally {
    document.dispose();
  }
}

const firstLine = (text: string): string => text.split('\n', 1)[0]!.slice(0, 200);

/**
 * The canonical octets of a document or of one element in it, without comments.
 * @throws XmlRefused when it has none: canonical XML knows no relative namespace names
 */
export function canonical(node: XmlDocument | XmlNode): Uint8Array {
  const chunks: Buffer[] = [];
  let size = 0;
  const handler = {
    write(chunk: Uint8Array): number {
      // The chunk is a view of libxml2's memory.
      chunks.push(Buffer.from(chunk));
      size += chunk.length;
      return chunk.length;
    },
    close: () => true,
  };
  try {
    node.canonicalize(handler, { mode: XmlC14NMode.XML_C14N_EXCLUSIVE_1_0, withComments: false });
  } catch {
    throw new XmlRefused('not-well-formed', 'the XML has no canonical form: is a namespace name relative?');
  }
  return new Uint8Array(Buffer.concat(chunks, size));
}

/** The child elements of an element; its other children are passed over. */
export function elementsOf(parent: XmlElement): XmlElement[] {
  const elements: XmlElement[] = [];
  for (let node = parent.firstChild; node !== null; node = node.next) {
    if (node instanceof XmlElement) elements.push(node);
  }
  return elements;
}
