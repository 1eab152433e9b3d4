/** The gate and the parser see the same file: where the gate says that the root ends, a signature can go in and come out. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SignatureInvalid } from '../../../src/signatures/invalid.ts';
import { canonical, withXml } from '../../../src/signatures/xml/canonical.ts';
import { passXmlGate, XmlRefused } from '../../../src/signatures/xml/gate.ts';
import { readXades, readXmlToSign } from '../../../src/signatures/xml/read.ts';

const name = fc.constantFrom('a', 'b', 'n:c', 'Été', 'x-1');
const text = fc.stringMatching(/^[a-z &;<>"'\r\n\t\]é-]{0,12}$/).map(escaped);
const attribute = fc
  .tuple(fc.constantFrom('p', 'q', 'n:r', 'xml:lang'), text)
  .map(([key, value]) => `${key}="${value}"`);
const attributes = fc
  .uniqueArray(attribute, { maxLength: 3, selector: one => one.split('=')[0] })
  .map(list => list.join(' '));
const misc = fc.constantFrom('', '\n', '<!-- </a> -->', '<?pi </b>?>', '<!---->', '\r\n<?x?> ');

const { element } = fc.letrec<{ element: string; content: string }>(tie => ({
  content: fc.oneof(
    { depthSize: 'small' },
    text,
    misc,
    fc.constantFrom('<![CDATA[</a>&b;]]>', '<![CDATA[]]>', '&#13;', '&#x1F58B;'),
    tie('element'),
  ),
  element: fc
    .tuple(name, attributes, fc.array(tie('content'), { maxLength: 4 }), fc.boolean())
    .map(([tag, list, content, open]) => {
      const start = `<${tag} ${list}`;
      return content.length === 0 && !open ? `${start}/>` : `${start}>${content.join('')}</${tag} >`;
    }),
}));
const root = element.map(inner => inner.replace(/^<(\S+) /, '<$1 xmlns:n="urn:n" '));
const file = fc
  .tuple(fc.constantFrom('', '\ufeff', '<?xml version="1.0" encoding="UTF-8"?>'), misc, root, misc)
  .map(parts => parts.join(''));

function escaped(plain: string): string {
  return plain.replace(/[&<"]/g, sign => ({ '&': '&amp;', '<': '&lt;', '"': '&quot;' })[sign]!).replace(/>/g, '&gt;');
}

/** As xades.ts puts a signature in. */
function insert(xml: Buffer, inner: string): Buffer {
  const { offset, empty } = passXmlGate(xml, false);
  const [text, rest] = empty === null ? [inner, offset] : [`>${inner}</${empty}>`, offset + 2];
  return Buffer.concat([xml.subarray(0, offset), Buffer.from(text), xml.subarray(rest)]);
}

describe('the gate', () => {
  test('finds where the root ends in whatever the parser accepts', () => {
    fc.assert(
      fc.property(file, source => {
        const xml = Buffer.from(source);
        const before = withXml(xml, false, ({ document }) => canonical(document));
        const after = withXml(insert(xml, '<inserted/>'), false, ({ document }) => {
          const inserted = document.find('//inserted');
          expect(inserted).toHaveLength(1);
          expect(inserted[0]!.parent!.isSameNode(document.root)).toBe(true);
          inserted[0]!.remove();
          return canonical(document);
        });
        expect(Buffer.from(after).toString()).toBe(Buffer.from(before).toString());
      }),
      { numRuns: 300 },
    );
  });

  test('broken files are refused, and nothing else happens', () => {
    const edit = fc.record({
      at: fc.nat(),
      remove: fc.nat(5),
      add: fc.stringMatching(/^[<>/!?&"'=a-z\u0000[\]-]{0,5}$/),
    });
    fc.assert(
      fc.property(file, fc.array(edit, { minLength: 1, maxLength: 3 }), (source, edits) => {
        let broken = source;
        for (const { at, remove, add } of edits) {
          const position = at % (broken.length + 1);
          broken = broken.slice(0, position) + add + broken.slice(position + remove);
        }
        for (const read of [readXmlToSign, readXades]) {
          try {
            read(Buffer.from(broken));
          } catch (error) {
            expect(error instanceof XmlRefused || error instanceof SignatureInvalid).toBe(true);
          }
        }
      }),
      { numRuns: 600 },
    );
  });
});
