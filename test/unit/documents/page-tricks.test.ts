/** Pages that viewers may show differently, and what only printers would show: one look for everybody after intake. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { documentWorker, layoutPlan } from '../../support/documents.ts';
import { firstExtra, type PdfObject, simplePdf } from '../../support/pdfs.ts';
import { has, run } from '../../support/tools.ts';

const worker = documentWorker();
const folder = mkdtempSync('/tmp/signpost-tricks-');
afterAll(async () => {
  await worker.close();
  rmSync(folder, { recursive: true, force: true });
});

async function revisionOf(pdf: Uint8Array): Promise<{ path: string; source: string }> {
  const { bytes } = await worker.firstRevision(pdf, layoutPlan());
  const path = join(folder, 'revision.pdf');
  writeFileSync(path, bytes);
  return { path, source: Buffer.from(bytes).toString('latin1') };
}

test.skipIf(!has('qpdf', 'poppler-utils')).each([
  ['45', 0],
  ['-90', 270],
  ['630', 270],
  ['720.0', 0],
  ['99999999999999999999', 0],
  ['/Name', 0],
])('a page turned by %s is turned by %i', async (rotate, expected) => {
  // The second Rotate is the one that counts: a dictionary's later key.
  const { path } = await revisionOf(simplePdf({ page: `/Rotate ${rotate}` }));
  expect(run('/usr/bin/qpdf', ['--check', path])).toMatchObject({ status: 0 });
  expect(run('/usr/bin/pdfinfo', ['-f', '1', '-l', '1', path]).output).toMatch(
    new RegExp(`Page +1 rot: +${expected}\\n`),
  );
});

test.skipIf(!has('qpdf'))('what isn’t a stream in a page’s contents goes', async () => {
  const { path } = await revisionOf(simplePdf({ page: '/Contents [[5 0 R] 5 0 R 4 0 R null (text)]' }));
  expect(run('/usr/bin/qpdf', ['--check', path])).toMatchObject({ status: 0 });
});

const picture = (more: string): PdfObject => ({
  dict: `/Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray ${more}`,
  data: Buffer.from([128]),
});
const first = firstExtra();

test.each<{ name: string; extra: readonly PdfObject[] }>([
  {
    name: 'another picture for print',
    extra: [picture(`/Alternates [<< /Image ${first + 1} 0 R /DefaultForPrinting true >>]`), picture('/Name /Trick')],
  },
  { name: 'a file that a print shop swaps in', extra: [picture('/OPI << /2.0 << /F (Trick.tif) >> >>')] },
  { name: 'PostScript', extra: [{ dict: '/Type /XObject /Subtype /PS', data: Buffer.from('(Trick) show') }] },
  {
    name: 'PostScript in a form',
    extra: [
      {
        dict: '/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Subtype2 /PS',
        data: Buffer.from('0 0 9 9 re f'),
      },
    ],
  },
])('$name goes', async ({ extra }) => {
  const { source } = await revisionOf(simplePdf({ resources: `/XObject << /X ${first} 0 R >>`, extra }));
  expect(source).not.toMatch(/Trick|Alternates|OPI|\/PS\b/);
});
