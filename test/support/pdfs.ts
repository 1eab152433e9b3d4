/** Small PDFs for tests, written by hand so that they share no code with what is tested. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, deflateRawSync, deflateSync } from 'node:zlib';

/** An indirect object: its dictionary or value as PDF source, and stream data if it is a stream. */
export type PdfObject = string | { readonly dict: string; readonly data: Uint8Array };

/**
 * A PDF of these objects, numbered from 1, with a classic cross-reference table. Object 1 is the catalog.
 * `trailer` adds entries to the trailer dictionary.
 */
export function pdfOf(objects: readonly PdfObject[], trailer = ''): Uint8Array {
  const chunks: Buffer[] = [Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1')];
  let length = chunks[0]!.length;
  const add = (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
  };
  const offsets = objects.map((object, index) => {
    const offset = length;
    add(Buffer.from(`${index + 1} 0 obj\n`));
    if (typeof object === 'string') add(Buffer.from(`${object}\n`));
    else {
      add(Buffer.from(`<< ${object.dict} /Length ${object.data.length} >>\nstream\n`));
      add(Buffer.from(object.data));
      add(Buffer.from('\nendstream\n'));
    }
    add(Buffer.from('endobj\n'));
    return offset;
  });
  const start = length;
  const entries = offsets.map(offset => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const size = objects.length + 1;
  add(Buffer.from(`xref\n0 ${size}\n0000000000 65535 f \n${entries}`));
  add(Buffer.from(`trailer\n<< /Size ${size} /Root 1 0 R ${trailer} >>\nstartxref\n${start}\n%%EOF\n`));
  return new Uint8Array(Buffer.concat(chunks));
}

export interface SimplePdf {
  readonly pages?: number;
  /** Printable ASCII. */
  readonly text?: string;
  /** Width and height in points. */
  readonly size?: readonly [number, number];
  readonly rotate?: 0 | 90 | 180 | 270;
  /** More entries of the catalog, of the first page, and of the first page's resources. */
  readonly catalog?: string;
  readonly page?: string;
  readonly resources?: string;
  /** More objects, numbered from `firstExtra(pages)`. */
  readonly extra?: readonly PdfObject[];
}

/** Number of the first object of SimplePdf.extra: the catalog, the page tree, the font, and two objects a page come first. */
export const firstExtra = (pages = 1): number => 4 + 2 * pages;

/** A valid PDF whose pages each show the text and their number. */
export function simplePdf(options: SimplePdf = {}): Uint8Array {
  const { pages = 1, text = 'Agreement', size = [595, 842], rotate = 0, extra = [] } = options;
  const escaped = text.replace(/[\\()]/g, '\\$&');
  const objects: PdfObject[] = [
    `<< /Type /Catalog /Pages 2 0 R ${options.catalog ?? ''} >>`,
    `<< /Type /Pages /Count ${pages} /Kids [${Array.from({ length: pages }, (_, i) => `${4 + 2 * i} 0 R`).join(' ')}] >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  for (let index = 0; index < pages; index++) {
    const more = index === 0 ? (options.page ?? '') : '';
    const resources = index === 0 ? (options.resources ?? '') : '';
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${size[0]} ${size[1]}] /Rotate ${rotate} /Contents ${5 + 2 * index} 0 R ` +
        `/Resources << /Font << /F1 3 0 R >> ${resources} >> ${more} >>`,
      {
        dict: '',
        data: Buffer.from(`BT /F1 18 Tf 72 ${size[1] - 100} Td (${escaped}) Tj 0 -30 Td (Page ${index + 1}) Tj ET`),
      },
    );
  }
  return pdfOf([...objects, ...extra]);
}

/** Runs qpdf over a PDF, for example to encrypt, linearize or make object streams. */
export function qpdf(pdf: Uint8Array, args: readonly string[]): Uint8Array {
  const folder = mkdtempSync('/tmp/signpost-pdf-');
  try {
    writeFileSync(join(folder, 'in.pdf'), pdf);
    execFileSync('/usr/bin/qpdf', [join(folder, 'in.pdf'), ...args, join(folder, 'out.pdf')], { stdio: 'pipe' });
    return new Uint8Array(readFileSync(join(folder, 'out.pdf')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Needs a password to open; or, with an empty one, only forbids editing. Needs qpdf. */
export const encryptedPdf = (password = 'secret'): Uint8Array =>
  qpdf(simplePdf(), ['--encrypt', password, 'owner', '256', '--']);

const script = '<< /S /JavaScript /JS (app.alert\\(1\\)) >>';

/** Places where a script can stand, each as a PDF. */
export const scriptedPdfs: Readonly<Record<string, () => Uint8Array>> = {
  OpenAction: () => simplePdf({ catalog: `/OpenAction ${script}` }),
  'name tree': () =>
    simplePdf({ catalog: `/Names << /JavaScript << /Names [(a) ${firstExtra()} 0 R] >> >>`, extra: [script] }),
  'catalog AA': () => simplePdf({ catalog: `/AA << /WC ${script} >>` }),
  'page AA': () => simplePdf({ page: `/AA << /O ${script} >>` }),
  link: () => simplePdf({ page: `/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 99 99] /A ${script} >>]` }),
  'second action of a link': () =>
    simplePdf({
      page: `/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 99 99] /A << /S /URI /URI (http://a.example/) /Next [${script}] >> >>]`,
    }),
  field: () =>
    simplePdf({
      catalog: `/AcroForm << /Fields [${firstExtra()} 0 R] >>`,
      page: `/Annots [${firstExtra()} 0 R]`,
      extra: [`<< /Subtype /Widget /FT /Tx /T (a) /Rect [9 9 99 29] /AA << /K ${script} >> >>`],
    }),
  'field without a widget': () =>
    simplePdf({
      catalog: `/AcroForm << /Fields [${firstExtra()} 0 R] /CO [${firstExtra()} 0 R] >>`,
      extra: [`<< /FT /Tx /T (a) /AA << /C ${script} >> >>`],
    }),
  rendition: () =>
    simplePdf({
      page: '/Annots [<< /Type /Annot /Subtype /Screen /Rect [0 0 99 99] /A << /S /Rendition /JS (app.alert\\(1\\)) >> >>]',
    }),
  bookmark: () =>
    simplePdf({
      catalog: `/Outlines << /First ${firstExtra()} 0 R /Last ${firstExtra()} 0 R >>`,
      extra: [`<< /Title (a) /A ${script} >>`],
    }),
  'escaped name': () => simplePdf({ catalog: '/OpenAction << /#53 /J#61vaScr#69pt /J#53 (app.alert\\(1\\)) >>' }),
  'object stream': () => objectStreamPdf([[7, script]], '/OpenAction 7 0 R'),
};

/** A PDF with a script. Most common place first: the action run when the file opens. */
export const scriptedPdf = (): Uint8Array => scriptedPdfs.OpenAction!();

/** A PDF with these objects (number, source) in a compressed object stream and a cross-reference stream. */
export function objectStreamPdf(objects: readonly (readonly [number, string])[], catalog = ''): Uint8Array {
  const numbers: string[] = [];
  let body = '';
  for (const [number, source] of objects) {
    numbers.push(`${number} ${body.length}`);
    body += `${source}\n`;
  }
  const head = `${numbers.join(' ')}\n`;
  return withObjectStream(
    deflateSync(Buffer.from(head + body)),
    `/N ${objects.length} /First ${head.length} /Filter /FlateDecode`,
    objects.map(([number]) => number),
    catalog,
  );
}

function withObjectStream(data: Uint8Array, dict: string, numbers: readonly number[], catalog = ''): Uint8Array {
  const parts: Buffer[] = [Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1')];
  const offsets = new Map<number, number>();
  const at = () => parts.reduce((sum, part) => sum + part.length, 0);
  const add = (number: number, source: string, stream?: Uint8Array) => {
    offsets.set(number, at());
    parts.push(Buffer.from(`${number} 0 obj\n${source}\n`));
    if (stream) parts.push(Buffer.from('stream\n'), Buffer.from(stream), Buffer.from('\nendstream\n'));
    parts.push(Buffer.from('endobj\n'));
  };
  add(1, `<< /Type /Catalog /Pages 2 0 R ${catalog} >>`);
  add(2, '<< /Type /Pages /Count 1 /Kids [3 0 R] >>');
  add(3, '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>');
  add(4, `<< /Type /ObjStm ${dict} /Length ${data.length} >>`, data);
  const size = Math.max(5, ...numbers) + 1;
  const start = at();
  const rows = Array.from({ length: size }, (_, number) => {
    const row = Buffer.alloc(7);
    const offset = number === 5 ? start : offsets.get(number);
    if (offset !== undefined) {
      row[0] = 1;
      row.writeUInt32BE(offset, 1);
    } else if (numbers.includes(number)) {
      row[0] = 2;
      row.writeUInt32BE(4, 1);
      row.writeUInt16BE(numbers.indexOf(number), 5);
    }
    return row;
  });
  const table = deflateSync(Buffer.concat(rows));
  add(5, `<< /Type /XRef /Size ${size} /W [1 4 2] /Root 1 0 R /Filter /FlateDecode /Length ${table.length} >>`, table);
  parts.push(Buffer.from(`startxref\n${start}\n%%EOF\n`));
  return new Uint8Array(Buffer.concat(parts));
}

/** A few kilobytes whose object stream expands to 4 GB (deflated twice). */
export function bombPdf(): Uint8Array {
  // A fully flushed run of blocks stands alone: repeating it repeats what it expands to.
  const run = deflateRawSync(Buffer.alloc(1 << 20, ' '), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  const end = Buffer.from([3, 0, 0, 0, 0, 0]);
  const once = Buffer.concat([Buffer.from([0x78, 0xda]), ...Array.from({ length: 4096 }, () => run), end]);
  const twice = deflateSync(once, { level: 9 });
  return withObjectStream(twice, '/N 1 /First 64000000 /Filter [/FlateDecode /FlateDecode]', [7]);
}

export const xfaPdf = (): Uint8Array =>
  simplePdf({
    catalog: `/AcroForm << /Fields [] /XFA ${firstExtra()} 0 R >> /NeedsRendering true`,
    extra: [{ dict: '', data: Buffer.from('<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"/>') }],
  });

export const launchPdf = (): Uint8Array => simplePdf({ catalog: '/OpenAction << /S /Launch /F (calc.exe) >>' });

/** The page's second content stream lies in another file. */
export const externalStreamPdf = (): Uint8Array =>
  simplePdf({
    resources: `/XObject << /X ${firstExtra()} 0 R >>`,
    extra: [
      {
        dict: '/Type /XObject /Subtype /Form /BBox [0 0 9 9] /F (http://evil.example/page.bin)',
        data: new Uint8Array(),
      },
    ],
  });

/** A PDF with an embedded file. */
export const attachmentPdf = (name = 'factur-x.xml', content: Uint8Array = Buffer.from('<Invoice/>')): Uint8Array =>
  simplePdf({
    catalog: `/Names << /EmbeddedFiles << /Names [(a) ${firstExtra()} 0 R] >> >> /AF [${firstExtra()} 0 R]`,
    extra: [
      `<< /Type /Filespec /F (${name}) /UF (${name}) /AFRelationship /Data /EF << /F ${firstExtra() + 1} 0 R >> >>`,
      { dict: '/Type /EmbeddedFile /Subtype /text#2Fxml /Filter /FlateDecode', data: deflateSync(content) },
    ],
  });

/** A layer that is off until somebody switches it on. */
export const hiddenLayerPdf = (): Uint8Array =>
  simplePdf({
    catalog: `/OCProperties << /OCGs [${firstExtra()} 0 R] /D << /OFF [${firstExtra()} 0 R] >> >>`,
    resources: `/Properties << /L ${firstExtra()} 0 R >>`,
    extra: ['<< /Type /OCG /Name (Other terms) >>'],
  });

/** A text field with an appearance, one without, and a check box that is on. */
export function formPdf(): Uint8Array {
  const first = firstExtra();
  const appearance = (source: string): PdfObject => ({
    dict: '/Type /XObject /Subtype /Form /BBox [0 0 200 24] /Resources << /Font << /F1 3 0 R >> >>',
    data: Buffer.from(source),
  });
  return simplePdf({
    catalog: `/AcroForm << /Fields [${first} 0 R ${first + 1} 0 R ${first + 2} 0 R] /DR << /Font << /Helv 3 0 R >> >> /DA (/Helv 12 Tf 0 g) >>`,
    page: `/Annots [${first} 0 R ${first + 1} 0 R ${first + 2} 0 R]`,
    extra: [
      `<< /Type /Annot /Subtype /Widget /FT /Tx /T (with) /V (Filled in) /Rect [72 500 272 524] /F 4 /AP << /N ${first + 3} 0 R >> >>`,
      '<< /Type /Annot /Subtype /Widget /FT /Tx /T (without) /V (No appearance) /DA (/Helv 12 Tf 0 g) /Rect [72 450 272 474] /F 4 >>',
      `<< /Type /Annot /Subtype /Widget /FT /Btn /T (box) /V /On /AS /On /Rect [72 400 272 424] /F 4 /AP << /N << /On ${first + 4} 0 R /Off ${first + 5} 0 R >> >> >>`,
      appearance('/Tx BMC q BT /F1 12 Tf 2 7 Td (Filled in) Tj ET Q EMC'),
      appearance('0.2 g 0 0 24 24 re f'),
      appearance('0 0 24 24 re S'),
    ],
  });
}

/** A signature field that has a value. */
export const signedPdf = (): Uint8Array =>
  simplePdf({
    catalog: `/AcroForm << /SigFlags 3 /Fields [${firstExtra()} 0 R] >>`,
    page: `/Annots [${firstExtra()} 0 R]`,
    extra: [
      `<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature1) /Rect [0 0 0 0] /V ${firstExtra() + 1} 0 R >>`,
      '<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /ByteRange [0 10 20 30] /Contents <3000> >>',
    ],
  });

/** One page object that stands in the tree again and again: 100,000 pages in 1 MB. */
export const manyPagesPdf = (pages = 100_000): Uint8Array =>
  pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count ${pages} /Kids [${'3 0 R '.repeat(pages)}] >>`,
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>',
  ]);

/** Structures without an end, by name. Some readers open them; none may hang on them. */
export const endlessPdfs: Readonly<Record<string, () => Uint8Array>> = {
  'page tree loop': () => pdfOf(['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Count 1 /Kids [2 0 R] >>']),
  'doubling page tree': () =>
    pdfOf([
      '<< /Type /Catalog /Pages 2 0 R >>',
      ...Array.from(
        { length: 40 },
        (_, i) => `<< /Type /Pages /Count ${2 ** (40 - i)} /Kids [${i + 3} 0 R ${i + 3} 0 R] >>`,
      ),
      '<< /Type /Page /MediaBox [0 0 9 9] >>',
    ]),
  'deep nesting': () => simplePdf({ catalog: `/Deep ${'['.repeat(200_000)}${']'.repeat(200_000)}` }),
  'unclosed nesting': () => simplePdf({ catalog: `/Deep ${'[<</A'.repeat(200_000)}` }),
  'reference to itself': () => simplePdf({ catalog: `/Self ${firstExtra()} 0 R`, extra: [`${firstExtra()} 0 R`] }),
  'parents in a circle': () =>
    pdfOf([
      '<< /Type /Catalog /Pages 2 0 R >>',
      '<< /Type /Pages /Count 1 /Kids [3 0 R] /Parent 3 0 R >>',
      '<< /Type /Page /Parent 2 0 R >>',
    ]),
  'huge counts': () =>
    pdfOf([
      '<< /Type /Catalog /Pages 2 0 R >>',
      '<< /Type /Pages /Count 999999999999 /Kids [3 0 R] >>',
      '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9e99 1] >>',
    ]),
};

/** A cross-reference stream that claims a billion entries. Written as /XR#65f, it is seen only once it is parsed. */
export function xrefBombPdf(type: '/XRef' | '/XR#65f' = '/XRef'): Uint8Array {
  const table = deflateSync(Buffer.alloc(16));
  return pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>',
    { dict: `/Type ${type} /Size 1000000000 /W [1 2 1] /Root 1 0 R /Filter /FlateDecode`, data: table },
  ]);
}
