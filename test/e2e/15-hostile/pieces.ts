/** What hostile PDFs are made of: bombs, damaged structure, containers of two formats, fonts that never end. */
import { constants, crc32, deflateRawSync, deflateSync } from 'node:zlib';
import { firstExtra, type PdfObject, pdfOf, simplePdf } from '../../support/pdfs.ts';

const FIRST = firstExtra();
export const GIGABYTE = 2 ** 30;

/** Zlib data of this many bytes of spaces: a thousandth of that. */
export function inflatable(bytes: number): Buffer {
  // A fully flushed run of blocks stands alone: repeating it repeats what it expands to.
  const run = deflateRawSync(Buffer.alloc(1 << 20, ' '), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  const end = Buffer.from([3, 0, 0, 0, 0, 0]);
  return Buffer.concat([Buffer.from([0x78, 0xda]), ...Array.from({ length: bytes >> 20 || 1 }, () => run), end]);
}

/** Ten gigabytes, in 10 MB. */
export const tenGigabytes = (): Buffer => {
  const one = inflatable(GIGABYTE).subarray(2, -6);
  return Buffer.concat([
    Buffer.from([0x78, 0xda]),
    ...Array.from({ length: 10 }, () => one),
    Buffer.from([3, 0, 0, 0, 0, 0]),
  ]);
};

/** Ten gigabytes in some 30 kB, by two layers of deflate. */
export const deflatedTwice = (): Buffer => deflateSync(tenGigabytes(), { level: 9 });

export const TWICE = '/Filter [/FlateDecode /FlateDecode]';

/** A sound page with these entries, and objects from number 6. */
export const page = (
  entries: { catalog?: string; page?: string; resources?: string },
  ...extra: PdfObject[]
): Uint8Array => simplePdf({ ...entries, extra });

/** Number of the first extra object of `page`. */
export const X = `${FIRST} 0 R`;
export const Y = `${FIRST + 1} 0 R`;
export const Z = `${FIRST + 2} 0 R`;

/** A stream that the page draws as /X. */
export const drawn = (dict: string, data: Uint8Array = new Uint8Array()): Uint8Array =>
  page({ resources: `/XObject << /X ${X} >>` }, { dict, data });

export const FORM = '/Type /XObject /Subtype /Form /BBox [0 0 9 9]';
export const IMAGE = '/Type /XObject /Subtype /Image /ColorSpace /DeviceGray /BitsPerComponent 8';

/** A link over the page with this action. */
export const link = (action: string): Uint8Array =>
  page({ page: `/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 99 99] /A ${action} >>]` });

/** The sound page with something in its source replaced; what it is must stand there. */
export function edited(from: string | RegExp, to: string, pdf: Uint8Array = simplePdf()): Uint8Array {
  const source = Buffer.from(pdf).toString('latin1');
  const changed = source.replace(from, to);
  if (changed === source) throw new Error(`${from} does not stand in the file`);
  return Buffer.from(changed, 'latin1');
}

/** The page's content has its number twice; the cross-reference table knows the first. */
export function duplicated(): Uint8Array {
  const other =
    '5 0 obj\n<< /Length 44 >>\nstream\nBT /F1 18 Tf 72 742 Td (Another text) Tj ET    \nendstream\nendobj\nxref\n';
  const source = Buffer.from(simplePdf()).toString('latin1');
  const start = source.lastIndexOf('xref\n', source.indexOf('trailer'));
  const moved = source.slice(0, start) + other + source.slice(start + 5);
  return Buffer.from(moved.replace(/startxref\n\d+/, `startxref\n${start + other.length - 5}`), 'latin1');
}

/** 100,000 page objects, each of its own. */
export function distinctPages(count = 100_000): Uint8Array {
  const kids = Array.from({ length: count }, (_, index) => `${index + 3} 0 R`).join(' ');
  return pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count ${count} /Kids [${kids}] >>`,
    ...Array.from({ length: count }, () => '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>'),
  ]);
}

/** A page set in this font: its entries, and what lies in its font file. */
export function inFont(font: string, descriptor: string, file: PdfObject): Uint8Array {
  return page(
    { resources: `/Font << /F1 ${X} >>` },
    `<< /Type /Font /FontDescriptor ${Y} ${font} >>`,
    `<< /Type /FontDescriptor /FontName /Bad /Flags 32 /FontBBox [0 0 1000 1000] /Ascent 800 /Descent 0 /ItalicAngle 0 /CapHeight 700 /StemV 80 ${descriptor} ${Z} >>`,
    file,
  );
}

/** TrueType whose one glyph is composed of itself, with a table that ends behind the file. */
export function endlessTrueType(): Buffer {
  const glyph = Buffer.from('ffff0000000003e803e8002000000000', 'hex');
  const tables: readonly [string, Buffer][] = [
    ['glyf', glyph],
    ['head', Buffer.from(`000100000001000000000000${'5f0f3cf5'}000b03e8${'00'.repeat(34)}`, 'hex')],
    ['hhea', Buffer.from(`00010000${'00'.repeat(30)}ffff`, 'hex')],
    ['loca', Buffer.from('00000008', 'hex')],
    ['maxp', Buffer.from(`00010000ffff${'ff'.repeat(26)}`, 'hex')],
  ];
  let offset = 12 + tables.length * 16;
  const head = Buffer.alloc(12);
  head.writeUInt32BE(0x00010000);
  head.writeUInt16BE(tables.length, 4);
  const records = tables.map(([tag, data]) => {
    const record = Buffer.alloc(16);
    record.write(tag, 'latin1');
    record.writeUInt32BE(offset, 8);
    record.writeUInt32BE(tag === 'hhea' ? 0xfffffff0 : data.length, 12);
    offset += data.length;
    return record;
  });
  return Buffer.concat([head, ...records, ...tables.map(([, data]) => data)]);
}

/** Bytes before and after a PDF, such as of a ZIP archive that holds it as its only file, stored. */
export function zipAround(pdf: Uint8Array): { readonly before: Buffer; readonly after: Buffer } {
  const name = Buffer.from('contract.txt');
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt32LE(crc32(pdf), 10);
  fields.writeUInt32LE(pdf.length, 14);
  fields.writeUInt32LE(pdf.length, 18);
  fields.writeUInt16LE(name.length, 22);
  const before = Buffer.concat([Buffer.from('PK\x03\x04'), fields, name]);
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), fields, Buffer.alloc(14), name]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(before.length + pdf.length, 16);
  return { before, after: Buffer.concat([central, end]) };
}

/** With a signature's dictionary that the catalog leads to, and a cross-reference table that is right again. */
export function withSignature(pdf: Uint8Array): Uint8Array {
  const signature =
    '<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange [0 10 20 30] /Contents <3000> >>';
  const source = Buffer.from(pdf)
    .toString('latin1')
    .replace(
      '/Type /Catalog',
      `/Type /Catalog /AcroForm << /SigFlags 3 /Fields [<< /FT /Sig /T (S) /V ${signature} >>] >>`,
    );
  return Buffer.from(
    source
      .replace(/\nxref\n0 (\d+)\n[\s\S]*?trailer/, (_, size: string) => {
        const offsets = new Map(
          [...source.matchAll(/^(\d+) 0 obj$/gm)].map(({ 1: number, index }) => [Number(number), index]),
        );
        const rows = Array.from({ length: Math.min(Number(size), 200_000) - 1 }, (__, index) => {
          const offset = offsets.get(index + 1);
          return offset === undefined ? '0000000000 65535 f \n' : `${String(offset).padStart(10, '0')} 00000 n \n`;
        });
        return `\nxref\n0 ${rows.length + 1}\n0000000000 65535 f \n${rows.join('')}trailer`;
      })
      .replace(/startxref\n\d+(?![\s\S]*startxref)/, () => `startxref\n${source.lastIndexOf('\nxref\n') + 1}`),
    'latin1',
  );
}
