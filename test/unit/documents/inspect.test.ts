import { deflateSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import type { DocumentRefusalReason } from '../../../src/documents/documents.ts';
import { documentWorker } from '../../support/documents.ts';
import {
  attachmentPdf,
  encryptedPdf,
  endlessPdfs,
  externalStreamPdf,
  firstExtra,
  formPdf,
  hiddenLayerPdf,
  launchPdf,
  manyPagesPdf,
  objectStreamPdf,
  pdfOf,
  qpdf,
  scriptedPdfs,
  signedPdf,
  simplePdf,
  xfaPdf,
  xrefBombPdf,
} from '../../support/pdfs.ts';
import { has } from '../../support/tools.ts';

const worker = documentWorker();
afterAll(() => worker.close());

const first = firstExtra();
const link = (action: string) =>
  simplePdf({ page: `/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A ${action} >>]` });
const webPage = '<< /S /URI /URI (https://a.example/) >>';
const layers = (config: string, layer = '') =>
  simplePdf({
    catalog: `/OCProperties << /OCGs [${first} 0 R] /D << ${config} >> >>`,
    resources: `/Properties << /L ${first} 0 R >>`,
    extra: [`<< /Type /OCG /Name (Layer) ${layer} >>`],
  });
const stream = (dict: string, data: Uint8Array) =>
  simplePdf({ resources: `/XObject << /X ${first} 0 R >>`, extra: [{ dict, data }] });

const refused: Record<string, readonly [DocumentRefusalReason, () => Uint8Array]> = {
  'A7 something else': ['not-pdf', () => Buffer.from('PK\x03\x04 not a PDF')],
  'an empty file': ['not-pdf', () => new Uint8Array()],
  'a header far down': ['not-pdf', () => Buffer.concat([Buffer.alloc(1100, 'x'), simplePdf()])],
  'only a header': ['damaged', () => Buffer.from('%PDF-1.7\n')],
  'a file cut in half': ['damaged', () => simplePdf().subarray(0, 300)],
  'no pages': ['damaged', () => pdfOf(['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Count 0 /Kids [] >>'])],
  'A7 XFA': ['xfa', xfaPdf],
  'a program that is started': ['launch', launchPdf],
  'a form that is sent': ['launch', () => link('<< /S /SubmitForm /F (http://a.example/) >>')],
  'a form that fills itself in': ['launch', () => link('<< /S /ImportData /F (a.fdf) >>')],
  'a script in a link': ['javascript', () => link('<< /S /URI /URI (JavaScript:alert\\(1\\)) >>')],
  'a script in 3D artwork': [
    'javascript',
    () => stream('/Type /3D /Subtype /U3D /OnInstantiate (a)', Buffer.from('x')),
  ],
  'a web page that opens with the document': [
    'launch',
    () => simplePdf({ catalog: `/OpenAction << /S /GoTo /D [4 0 R /Fit] /Next [${webPage}] >>` }),
  ],
  'a web page that opens with a page': ['launch', () => simplePdf({ page: `/AA << /O ${webPage} >>` })],
  'a file that opens when an annotation comes into view': [
    'launch',
    () =>
      simplePdf({
        page: '/Annots [<< /Type /Annot /Subtype /Screen /Rect [0 0 9 9] /AA << /PO << /S /GoToR /F (b.pdf) /D [0 /Fit] >> >> >>]',
      }),
  ],
  'a part in another file': ['external-stream', externalStreamPdf],
  'a page of another file': [
    'external-stream',
    () => stream('/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Ref << /F (b.pdf) /Page 0 >>', Buffer.from('')),
  ],
  'a program by its name': ['executable-attachment', () => attachmentPdf('invoice.pdf.EXE')],
  'a program by its name on Windows': ['executable-attachment', () => attachmentPdf('invoice.scr. .')],
  'a program by its content': [
    'executable-attachment',
    () => attachmentPdf('invoice.xml', Buffer.from('MZ\x90\0\x03')),
  ],
  'a hidden layer': ['optional-content', hiddenLayerPdf],
  'layers off by default': ['optional-content', () => layers('/BaseState /OFF')],
  'a layer that only prints': [
    'optional-content',
    () =>
      layers(
        `/AS [<< /Event /View /Category [/View] /OCGs [${first} 0 R] >>]`,
        '/Usage << /View << /ViewState /OFF >> /Print << /PrintState /ON >> >>',
      ),
  ],
  'a layer by zoom': [
    'optional-content',
    () => layers(`/AS [<< /Event /View /Category [/Zoom] /OCGs [${first} 0 R] >>]`, '/Usage << /Zoom << /min 2 >> >>'),
  ],
  'content shown while layers are off': [
    'optional-content',
    () => simplePdf({ resources: '/Properties << /L << /Type /OCMD /OCGs [] /P /AllOff >> >>' }),
  ],
  'layers switched on a click': ['optional-content', () => link('<< /S /SetOCGState /State [] >>')],
  'a signature, and a structure that needs repair': ['damaged', () => Buffer.concat([signedPdf(), Buffer.from('x')])],
  'too many pages': ['too-many-pages', manyPagesPdf],
  'a huge picture': [
    'too-complex',
    () => stream('/Type /XObject /Subtype /Image /Width 99999 /Height 99999 /BitsPerComponent 1', Buffer.from('x')),
  ],
  'a page that expands to 200 MB': [
    'too-complex',
    () =>
      stream(
        '/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Filter /FlateDecode',
        deflateSync(Buffer.alloc(200 << 20)),
      ),
  ],
  'a small picture that expands to 200 MB': [
    'too-complex',
    () =>
      stream(
        '/Type /XObject /Subtype /Image /Width 9 /Height 9 /BitsPerComponent 8 /Filter /FlateDecode',
        deflateSync(Buffer.alloc(200 << 20)),
      ),
  ],
  'an attachment that expands to 200 MB': ['too-complex', () => attachmentPdf('invoice.xml', Buffer.alloc(200 << 20))],
  'a cross-reference stream of a billion entries': ['too-complex', xrefBombPdf],
  'a page that expands twice': [
    'too-complex',
    () =>
      stream(
        '/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Filter [/FlateDecode /FlateDecode]',
        deflateSync(deflateSync(Buffer.alloc(200 << 20))),
      ),
  ],
};
for (const [place, make] of Object.entries(scriptedPdfs)) refused[`A7 a script: ${place}`] = ['javascript', make];

test.each(Object.entries(refused))('refuses %s', async (_, [reason, make]) => {
  await expect(worker.inspect(make())).rejects.toMatchObject({ name: 'DocumentRefused', reason });
});

test.skipIf(!has('qpdf'))('A7 refuses what is encrypted, also where no password is asked', async () => {
  for (const password of ['secret', ''])
    await expect(worker.inspect(encryptedPdf(password))).rejects.toMatchObject({ reason: 'encrypted' });
  const hidden = qpdf(simplePdf(), ['--object-streams=generate', '--encrypt', '', 'owner', '256', '--']);
  await expect(worker.inspect(hidden)).rejects.toMatchObject({ reason: 'encrypted' });
});

const accepted: Record<string, () => Uint8Array> = {
  'links and going to a page': () =>
    simplePdf({
      catalog: '/OpenAction [4 0 R /Fit]',
      page: `/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (https://a.example/) >> >> << /Type /Annot /Subtype /Link /Rect [0 0 9 9] /Dest [4 0 R /Fit] >>]`,
    }),
  'a web page that opens on a click': () =>
    simplePdf({
      page: `/Annots [<< /Type /Annot /Subtype /Screen /Rect [0 0 9 9] /A ${webPage} /AA << /U ${webPage} >> >>]`,
    }),
  'actions that follow each other in a circle': () =>
    simplePdf({ catalog: `/OpenAction ${first} 0 R`, extra: [`<< /S /GoTo /D [4 0 R /Fit] /Next ${first} 0 R >>`] }),
  'a script that nothing leads to': () => simplePdf({ extra: ['<< /S /JavaScript /JS (app.alert\\(1\\)) >>'] }),
  'a font that is called JS': () => simplePdf({ resources: '/ColorSpace << /JS /DeviceGray >>' }),
  'layers that are on': () => layers('/Order []', '/Usage << /Print << /PrintState /ON >> >>'),
  'layers that are on in every event': () =>
    layers(
      `/AS [<< /Event /Print /Category [/Print] /OCGs [${first} 0 R] >>]`,
      '/Usage << /Print << /PrintState /ON >> >>',
    ),
  'usage rights': () =>
    simplePdf({ catalog: '/Perms << /UR3 << /Type /Sig /ByteRange [0 1 2 3] /Contents <00> >> >>' }),
  'an unsigned signature field': () =>
    simplePdf({ catalog: '/AcroForm << /Fields [<< /FT /Sig /T (Sign here) >>] >>' }),
  'junk before the header': () => Buffer.concat([Buffer.from('\n \ufeffHTTP/1.1 200 OK\r\n\r\n'), simplePdf()]),
  'junk after the end': () => Buffer.concat([simplePdf(), Buffer.alloc(5000, '\0')]),
  'objects in object streams': () => objectStreamPdf([[7, '(text)']], '/A 7 0 R'),
  'references in circles': () => endlessPdfs['reference to itself']!(),
};

test.each(Object.entries(accepted))('accepts %s', async (_, make) => {
  expect(await worker.inspect(make())).toEqual({ pages: 1, attachments: [], formFields: 0 });
});

test('tells pages, attachments and form fields', async () => {
  expect(await worker.inspect(simplePdf({ pages: 7 }))).toMatchObject({ pages: 7 });
  expect(await worker.inspect(attachmentPdf())).toMatchObject({ attachments: ['factur-x.xml'] });
  expect(await worker.inspect(formPdf())).toMatchObject({ formFields: 3 });
  // Controls and a mark that turns the reading direction (U+202E), in a name as UTF-16.
  const named = simplePdf({
    catalog: `/AF [<< /Type /Filespec /UF <FEFF0061202E0000000D0062002E0078006D006C> /EF << /F ${first} 0 R >> >>]`,
    extra: [{ dict: '/Type /EmbeddedFile', data: Buffer.from('x') }],
  });
  expect(await worker.inspect(named)).toMatchObject({ attachments: ['ab.xml'] });
});
