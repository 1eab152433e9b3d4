import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { DocumentLayout, SignatureField } from '../../../src/documents/layout.ts';
import { documentWorker, layoutPlan } from '../../support/documents.ts';
import { endlessPdfs, firstExtra, formPdf, objectStreamPdf, pdfOf, qpdf, simplePdf } from '../../support/pdfs.ts';
import { has, run } from '../../support/tools.ts';

const worker = documentWorker();
const folder = mkdtempSync('/tmp/signpost-first-');
afterAll(async () => {
  await worker.close();
  rmSync(folder, { recursive: true, force: true });
});

const tools = has('qpdf', 'poppler-utils');
let count = 0;

/** Writes a PDF to a file. */
function file(pdf: Uint8Array): string {
  const path = join(folder, `${count++}.pdf`);
  writeFileSync(path, pdf);
  return path;
}

type Json = Record<string, unknown>;

/** qpdf's view of the objects, by number. */
function objectsOf(pdf: Uint8Array): (number: number) => Json {
  const { output } = run('/usr/bin/qpdf', ['--json=2', '--json-key=qpdf', file(pdf)]);
  const [, objects] = (JSON.parse(output) as { qpdf: [unknown, Record<string, { value?: Json; stream?: Json }>] }).qpdf;
  return number => {
    const found = objects[`obj:${number} 0 R`];
    expect(found, `object ${number}`).toBeDefined();
    return (found!.value ?? found!.stream!.dict) as Json;
  };
}

const allFields = (layout: DocumentLayout): SignatureField[] => [layout.seal!, ...layout.signatories, layout.closing];
const pictures = (pdf: Uint8Array, last: number) =>
  run('/usr/bin/pdftoppm', ['-r', '40', '-l', String(last), file(pdf)]).output;
const text = (pdf: Uint8Array) => run('/usr/bin/pdftotext', ['-layout', file(pdf), '-']).output;

test.skipIf(!tools)('is one clean revision with a classic cross-reference table', async () => {
  const input = qpdf(simplePdf({ pages: 3 }), ['--object-streams=generate', '--linearize']);
  const { bytes } = await worker.firstRevision(input, layoutPlan());
  const source = Buffer.from(bytes).toString('latin1');
  expect(source).toMatch(/^%PDF-1\.7\n%[\x80-\xff]{4}\n/);
  expect(source).not.toMatch(/ObjStm|\/XRef|\/Prev|\/Linearized/);
  expect(source.match(/startxref/g)).toHaveLength(1);
  expect(source.match(/%%EOF/g)).toHaveLength(1);
  expect(source).toMatch(/\/ID \[ <[0-9a-f]{32}> <[0-9a-f]{32}> \]/);
  // Generation 0 and no gaps: every entry but the first is in use.
  const table = /xref\n0 (\d+)\n0000000000 65535 f \n((?:\d{10} 00000 n \n)+)trailer/.exec(source)!;
  expect(table[2]!.length / 20).toBe(Number(table[1]) - 1);
  expect(run('/usr/bin/qpdf', ['--check', file(bytes)])).toMatchObject({ status: 0 });
});

test.skipIf(!tools)('the layout names the objects that stand in the file', async () => {
  const signatories = [
    { name: 'John Doe', title: 'Head of Sales', level: 'advanced' as const },
    { name: 'Zoë Łukasiewicz', title: null, level: 'advanced' as const },
  ];
  const { bytes, layout } = await worker.firstRevision(simplePdf({ pages: 2 }), layoutPlan({ signatories }));
  const object = objectsOf(bytes);
  const catalog = object(layout.catalogObject);
  expect(catalog['/Type']).toBe('/Catalog');
  expect(catalog['/AcroForm']).toBe(`${layout.acroFormObject} 0 R`);

  const form = object(layout.acroFormObject);
  expect(form).toMatchObject({ '/SigFlags': 3, '/Fields': allFields(layout).map(field => `${field.object} 0 R`) });
  expect(form).not.toHaveProperty('/NeedAppearances');
  expect(layout.signatories.map(field => field.name)).toEqual(['Signatory 1', 'Signatory 2']);
  for (const field of allFields(layout)) {
    expect(object(field.object)).toMatchObject({
      '/Type': '/Annot',
      '/Subtype': '/Widget',
      '/FT': '/Sig',
      '/T': `u:${field.name}`,
      '/F': 132,
      '/P': `${field.pageObject} 0 R`,
    });
    const page = object(field.pageObject);
    expect(page['/Type']).toBe('/Page');
    expect(page['/Annots']).toContain(`${field.object} 0 R`);
    const { box } = field;
    const rect = box ? [box.x, box.y, box.x + box.width, box.y + box.height] : [0, 0, 0, 0];
    expect(object(field.object)['/Rect']).toEqual(rect.map(side => expect.closeTo(side, 2)));
    if (box) expect(box.page).toBe(2);
  }
  expect(layout.seal!.box).toBeNull();

  const lockOf = (field: SignatureField) => object(Number.parseInt(String(object(field.object)['/Lock']), 10));
  expect(lockOf(layout.closing)).toEqual({ '/Type': '/SigFieldLock', '/Action': '/All' });
  expect(lockOf(layout.signatories[1]!)).toEqual({
    '/Type': '/SigFieldLock',
    '/Action': '/Include',
    '/Fields': ['u:Signatory 2'],
  });
  for (const font of [layout.regular, layout.bold])
    expect(object(font.object)).toMatchObject({ '/Type': '/Font', '/Subtype': '/Type0', '/Encoding': '/Identity-H' });
});

test('the fonts hold every character that an appearance can need', async () => {
  const signatories = [{ name: 'Дмитрий Ψ 山田 👩', title: null, level: 'advanced' as const }];
  const { layout } = await worker.firstRevision(simplePdf(), layoutPlan({ signatories }));
  const latin = Array.from({ length: 0x180 - 0x20 }, (_, index) => String.fromCodePoint(0x20 + index));
  const needed = [...latin.filter(character => !/[\p{Cc}\p{Cf}]/u.test(character)), ...'–—·✓’„“”…€Дмитрий Ψ山田👩'];
  for (const font of [layout.regular, layout.bold]) {
    expect(needed.filter(character => !(character in font.glyphs))).toEqual([]);
    expect(font.glyphs.A).toEqual([expect.stringMatching(/^[0-9a-f]{4}$/), expect.any(Number)]);
    // What no font has is seen to be missing.
    expect(font.glyphs['👩']![0]).toBe('0000');
    for (const character of 'ДΨ山田') expect(font.glyphs[character]![0]).not.toBe('0000');
  }
});

test.skipIf(!tools)('the signature page says who signs, as text that can be searched', async () => {
  const signatories = [{ name: 'Željko Ďurčanský', title: 'Geschäftsführer', level: 'advanced' as const }];
  const title = { en: 'Signatures', fr: 'Signatures', de: 'Unterschriften' };
  for (const language of ['en', 'fr', 'de'] as const) {
    const { bytes } = await worker.firstRevision(simplePdf(), layoutPlan({ signatories, language }));
    const said = text(bytes);
    for (const part of [
      title[language],
      'Željko Ďurčanský',
      'Geschäftsführer',
      'Company Ltd',
      'GB123456789',
      'ABCD2345EFGH6789',
    ])
      expect(said).toContain(part);
  }
});

test.skipIf(!tools)('twenty signatories get their boxes, on as many pages as they need', async () => {
  const signatories = Array.from({ length: 20 }, (_, index) => ({
    name: `Person ${index + 1}`,
    title: null,
    level: 'advanced' as const,
  }));
  const { bytes, layout } = await worker.firstRevision(simplePdf(), layoutPlan({ signatories }));
  const boxes = [...layout.signatories, layout.closing].map(field => field.box!);
  expect(boxes).toHaveLength(21);
  boxes.forEach((box, index) => {
    expect(box.x).toBeGreaterThan(0);
    expect(box.x + box.width).toBeLessThan(595);
    expect(box.y).toBeGreaterThan(70);
    expect(box.y + box.height).toBeLessThan(842);
    const next = boxes[index + 1];
    if (next?.page === box.page) expect(next.y + next.height).toBeLessThan(box.y);
    else if (next) expect(next.page).toBe(box.page + 1);
  });
  expect(run('/usr/bin/qpdf', ['--check', file(bytes)])).toMatchObject({ status: 0 });
  expect(text(bytes)).toContain('Person 20');
});

test.skipIf(!tools)('names in any script are text that can be searched, in the fonts of the file', async () => {
  const names = ['محمد العربي', 'שרה כהן', '山田太郎', '张伟', '김민준', 'Արմեն', 'გიორგი', 'Дмитрий Ψάλτης'];
  const signatories = names.map(name => ({ name, title: null, level: 'standard' as const }));
  const company = { name: 'شركة المثال', vat: 'LU12345678' };
  const marks = { signaturePage: true, paraphs: true, watermark: true };
  const { bytes } = await worker.firstRevision(simplePdf({ pages: 2 }), layoutPlan({ signatories, company, marks }));
  // Poppler sets marks of direction around what runs from right to left.
  const pages = text(bytes)
    .replace(/[\u200e\u200f\u202a-\u202e]/g, '')
    .split('\f');
  for (const name of names)
    for (const part of [pages[0], pages[1], pages.slice(2).join('')]) expect(part).toContain(name);
  for (const page of pages.slice(0, 2)) expect(page).toContain('LU12345678');
  const fonts = run('/usr/bin/pdffonts', [file(bytes)]).output.split('\n');
  const ours = fonts.filter(line => line.includes('SIGNPO+'));
  expect(ours).toHaveLength(2);
  for (const line of ours) expect(line).toMatch(/CID TrueType +Identity-H +yes +yes +yes/);
  expect(run('/usr/bin/qpdf', ['--check', file(bytes)])).toMatchObject({ status: 0 });
});

test('no field has a name that another begins with, and each signature locks its own', async () => {
  const signatories = Array.from({ length: 12 }, (_, index) => ({
    name: `Person ${index + 1}`,
    title: null,
    level: index % 2 ? ('advanced' as const) : ('standard' as const),
  }));
  const marks = { signaturePage: true, paraphs: true, watermark: false };
  const { bytes, layout } = await worker.firstRevision(simplePdf({ pages: 2 }), layoutPlan({ signatories, marks }));
  const source = Buffer.from(bytes).toString('latin1');
  const names = layout.signatories.map(({ name }) => name);
  for (const name of names) expect(names.filter(other => other.startsWith(name))).toEqual([name]);
  for (const [index, { name, paraphs, level }] of layout.signatories.entries()) {
    expect(level).toBe(signatories[index]!.level);
    expect(paraphs.map(({ box }) => box.page)).toEqual([0, 1]);
    const number = name.replace('Signatory ', '');
    expect(source).toMatch(
      new RegExp(`/Fields \\[ \\(${name}\\) \\(Paraph ${number} page 1\\) \\(Paraph ${number} page 2\\) \\]`),
    );
  }
});

test.skipIf(!tools).each([
  ['portrait', { size: [595, 842] }, '595 x 842'],
  ['landscape', { size: [842, 595] }, '842 x 595'],
  ['turned', { size: [612, 792], rotate: 90 }, '792 x 612'],
  ['a stamp', { size: [100, 60] }, '595 x 842'],
  ['a poster', { size: [3000, 4000] }, '595 x 842'],
] as const)('the signature page fits the last page: %s', async (_, options, size) => {
  const { bytes } = await worker.firstRevision(simplePdf(options), layoutPlan());
  expect(run('/usr/bin/pdfinfo', ['-f', '2', '-l', '2', file(bytes)]).output).toMatch(`Page    2 size:  ${size}`);
});

test.skipIf(!tools)('form fields become part of the page and look as before', async () => {
  const { bytes, layout } = await worker.firstRevision(formPdf(), layoutPlan());
  const page = text(bytes).split('\f')[0]!;
  expect(page).toContain('Filled in');
  expect(page).toContain('No appearance');
  const object = objectsOf(bytes);
  expect(object(layout.acroFormObject)['/Fields']).toHaveLength(3);
  // The field without an appearance is drawn by each viewer in its own way: without it the pages are equal.
  const drawn = formPdf();
  const value = Buffer.from(drawn).indexOf('(No appearance)');
  drawn.fill(' '.charCodeAt(0), value + 1, value + 14);
  const flat = await worker.firstRevision(drawn, layoutPlan());
  expect(pictures(flat.bytes, 1)).toBe(pictures(drawn, 1));
});

test.skipIf(!tools)(
  'form fields land in their place on a page that leaves its graphics state open, or closes too much',
  async () => {
    const plain = formPdf();
    const shown = Buffer.from(plain).toString('latin1');
    // The same length, so that offsets hold: the text of the page makes room.
    for (const state of ['q 2 0 0 2 0 0 cm q ', 'Q Q 2 0 0 2 0 0 cm ']) {
      const text = '(Agreement) Tj 0 -30 Td (Page 1) Tj ET';
      const changed = Buffer.from(shown.replace(text, `ET (q Q) pop ${state}`.padEnd(text.length)), 'latin1');
      expect(changed.length).toBe(plain.length);
      const { bytes } = await worker.firstRevision(changed, layoutPlan());
      const words = run('/usr/bin/pdftotext', ['-bbox', '-l', '1', file(bytes), '-']).output;
      expect(words).toMatch(/xMin="74\.0+" yMin="32\d\.\d+" [^>]*>Filled</);
    }
  },
);

test.skipIf(!tools)('a value that the appearance does not show is drawn anew where the form asks for it', async () => {
  const number = firstExtra();
  const stale = simplePdf({
    catalog: `/AcroForm << /Fields [${number} 0 R] /NeedAppearances true /DR << /Font << /Helv 3 0 R >> >> >>`,
    page: `/Annots [${number} 0 R]`,
    extra: [
      `<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /V (New value) /DA (/Helv 12 Tf 0 g) /F 4 /Rect [72 500 272 524] /AP << /N ${number + 1} 0 R >> >>`,
      {
        dict: '/Type /XObject /Subtype /Form /BBox [0 0 200 24] /Resources << /Font << /F1 3 0 R >> >>',
        data: Buffer.from('BT /F1 12 Tf 2 7 Td (Old value) Tj ET'),
      },
    ],
  });
  const said = text((await worker.firstRevision(stale, layoutPlan())).bytes);
  expect(said).toContain('New value');
  expect(said).not.toContain('Old value');
});

test.skipIf(!tools)('what nothing leads to is gone: older revisions, hidden pages, fields', async () => {
  const base = simplePdf({ text: 'First draft' });
  const contents = 'BT /F1 18 Tf 72 700 Td (Final text) Tj ET';
  const update = `5 0 obj\n<< /Length ${contents.length} >>\nstream\n${contents}\nendstream\nendobj\n`;
  const previous = Buffer.from(base)
    .toString('latin1')
    .match(/startxref\n(\d+)/)![1];
  const table = `xref\n5 1\n${String(base.length).padStart(10, '0')} 00000 n \ntrailer\n<< /Size 6 /Root 1 0 R /Prev ${previous} >>\n`;
  const updated = Buffer.concat([
    base,
    Buffer.from(`${update}${table}startxref\n${base.length + update.length}\n%%EOF\n`),
  ]);
  const { bytes } = await worker.firstRevision(updated, layoutPlan());
  expect(text(bytes)).toContain('Final text');
  expect(Buffer.from(bytes).includes('First draft')).toBe(false);

  const number = firstExtra();
  const linked = simplePdf({
    page: `/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /Dest [${number} 0 R /Fit] >>]`,
    catalog: '/AcroForm << /Fields [<< /FT /Tx /T (Secret) /V (Hidden value) >>] >>',
    extra: ['<< /Type /Page /MediaBox [0 0 9 9] /Note (Hidden page) >>'],
  });
  const clean = Buffer.from((await worker.firstRevision(linked, layoutPlan())).bytes);
  expect(clean.includes('Hidden page')).toBe(false);
  expect(clean.includes('Hidden value')).toBe(false);
});

test.skipIf(!tools)('metadata, bookmarks and layers stay', async () => {
  const number = firstExtra();
  const input = simplePdf({
    catalog: `/Lang (de-DE) /Outlines ${number} 0 R /OCProperties << /OCGs [${number + 2} 0 R] /D << /Order [${number + 2} 0 R] >> >>`,
    extra: [
      `<< /Type /Outlines /First ${number + 1} 0 R /Last ${number + 1} 0 R /Count 1 >>`,
      `<< /Title (Chapter one) /Parent ${number} 0 R /Dest [4 0 R /Fit] >>`,
      '<< /Type /OCG /Name (Stamp) >>',
      '<< /Title (The agreement) /Author (Mary) >>',
    ],
  });
  const titled = Buffer.from(
    Buffer.from(input)
      .toString('latin1')
      .replace('/Root 1 0 R ', `/Root 1 0 R /Info ${number + 3} 0 R `),
    'latin1',
  );
  const { bytes } = await worker.firstRevision(titled, layoutPlan());
  const info = run('/usr/bin/pdfinfo', [file(bytes)]).output;
  expect(info).toContain('The agreement');
  expect(info).toContain('Mary');
  const source = Buffer.from(bytes).toString('latin1');
  for (const part of ['(de-DE)', '(Chapter one)', '(Stamp)']) expect(source).toContain(part);
});

test('equal input gives equal bytes', async () => {
  const other = documentWorker();
  try {
    const [one, two] = await Promise.all(
      [worker, other].map(each =>
        each.firstRevision(
          formPdf(),
          layoutPlan({ signatories: [{ name: 'Ωmega', title: null, level: 'advanced' as const }] }),
        ),
      ),
    );
    expect(Buffer.compare(one!.bytes, two!.bytes)).toBe(0);
    expect(one!.layout).toEqual(two!.layout);
  } finally {
    await other.close();
  }
});

test.skipIf(!tools)('pages keep what they inherit', async () => {
  const input = pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Count 2 /Kids [3 0 R] /MediaBox [0 0 400 500] /Resources << /Font << /F1 7 0 R >> >> >>',
    '<< /Type /Pages /Count 2 /Kids [4 0 R 5 0 R] /Parent 2 0 R /Rotate 90 >>',
    '<< /Type /Page /Parent 3 0 R /Contents 6 0 R >>',
    '<< /Type /Page /Parent 3 0 R /Contents 6 0 R /Rotate 0 /MediaBox [0 0 500 500] >>',
    { dict: '', data: Buffer.from('BT /F1 18 Tf 72 300 Td (Inherited) Tj ET') },
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ]);
  const { bytes } = await worker.firstRevision(input, layoutPlan());
  expect(pictures(bytes, 2)).toBe(pictures(input, 2));
  expect(text(bytes).match(/Inherited/g)).toHaveLength(2);
  const info = run('/usr/bin/pdfinfo', ['-l', '2', file(bytes)]).output;
  expect(info).toMatch(
    /Page +1 size: +400 x 500[\s\S]*Page +1 rot: +90[\s\S]*Page +2 size: +500 x 500[\s\S]*Page +2 rot: +0/,
  );
});

test.skipIf(!tools)('odd page trees come out as plain ones', async () => {
  const twice = simplePdf({ pages: 2 });
  const source = Buffer.from(twice).toString('latin1');
  const repeated = Buffer.from(source.replace('[4 0 R 6 0 R]', '[4 0 R 4 0 R]'), 'latin1');
  for (const input of [repeated, endlessPdfs['parents in a circle']!(), objectStreamPdf([[7, '(x)']])]) {
    const { bytes } = await worker.firstRevision(input, layoutPlan());
    expect(run('/usr/bin/qpdf', ['--check', file(bytes)])).toMatchObject({ status: 0 });
  }
  expect((await worker.inspect(repeated)).pages).toBe(2);
});
