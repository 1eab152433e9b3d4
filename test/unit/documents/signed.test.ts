/** Documents that arrive signed are read strictly: what readers would see differently is refused, whatever it is. */
import { afterAll, describe, expect, test } from 'vitest';
import { openFile } from '../../../src/documents/file/file.ts';
import { octets, type PdfDict, type PdfValue } from '../../../src/documents/file/values.ts';
import { type NewObject, writeIncrement } from '../../../src/documents/increment-writer.ts';
import { documentWorker, layoutPlan } from '../../support/documents.ts';
import { firstExtra, simplePdf } from '../../support/pdfs.ts';

const worker = documentWorker();
afterAll(() => worker.close());
const n = firstExtra();

/** A signature in its field, as far as inspection looks at it. */
function signed(
  options: { catalog?: string; page?: string; lock?: string; reference?: string; pages?: number; rotate?: 0 | 90 } = {},
): Uint8Array {
  return simplePdf({
    pages: options.pages ?? 1,
    rotate: options.rotate ?? 0,
    catalog: `/AcroForm << /SigFlags 3 /Fields [${n} 0 R] >> ${options.catalog ?? ''}`,
    page: `/Annots [${n} 0 R] ${options.page ?? ''}`,
    extra: [
      `<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature1) /Rect [14 14 100 40] /V ${n + 1} 0 R ${options.lock ?? ''} >>`,
      `<< /Type /Sig /Name (Olga) /ByteRange [0 10 20 30] /Contents <3000> /Reference [${options.reference ?? ''}] >>`,
    ],
  });
}

function increment(pdf: Uint8Array, ...objects: readonly NewObject[]): Uint8Array {
  return Buffer.concat([pdf, writeIncrement(openFile(pdf), objects, 'id').appended]);
}

const catalogOf = (pdf: Uint8Array): PdfDict => openFile(pdf).dict(1);
const script: PdfValue = new Map<string, PdfValue>([
  ['S', { name: 'JavaScript' }],
  ['JS', { string: 'app.alert(1)' }],
]);

describe('a signed document', () => {
  test('is recognised, and told', async () => {
    expect(await worker.inspect(signed())).toEqual({
      pages: 1,
      attachments: [],
      formFields: 0,
      signatures: { count: 1, signers: ['Olga'], invisibleOnly: false },
    });
  });

  test.each<[string, () => Uint8Array, string]>([
    ['with a script', () => signed({ catalog: '/OpenAction << /S /JavaScript /JS (a) >>' }), 'javascript'],
    [
      'with a script in a later revision',
      () => increment(signed(), { number: 1, value: new Map([...catalogOf(signed()), ['OpenAction', script]]) }),
      'javascript',
    ],
    [
      'with XFA',
      () => {
        const pdf = signed();
        return increment(pdf, {
          number: 1,
          value: new Map<string, PdfValue>([
            ...catalogOf(pdf),
            ['AcroForm', new Map([...(catalogOf(pdf).get('AcroForm') as PdfDict), ['XFA', { string: 'x' }]])],
          ]),
        });
      },
      'xfa',
    ],
    ['with something after its end', () => Buffer.concat([signed(), octets('x')]), 'damaged'],
    ['with something before its header', () => Buffer.concat([octets('x\n'), signed()]), 'damaged'],
    ['with a reference beyond its last object', () => signed({ catalog: '/A 4711 0 R' }), 'damaged'],
    ['with a key that stands twice', () => signed({ page: '/A 1 /A 2' }), 'damaged'],
    [
      'with a signature that is certified for no change',
      () => signed({ reference: '<< /TransformMethod /DocMDP /TransformParams << /P 1 >> >>' }),
      'certified-no-changes',
    ],
    ['with a lock on everything', () => signed({ lock: '/Lock << /Action /All /P 1 >>' }), 'certified-no-changes'],
    [
      'with permissions that nobody understands',
      () => signed({ reference: '<< /TransformMethod /DocMDP /TransformParams << /P 7 >> >>' }),
      'damaged',
    ],
    [
      'whose form lists its field twice',
      () => {
        const pdf = signed();
        return increment(pdf, {
          number: 1,
          value: new Map([
            ...catalogOf(pdf),
            ['AcroForm', new Map<string, PdfValue>([['Fields', [{ ref: n }, { ref: n }]]])],
          ]),
        });
      },
      'damaged',
    ],
    [
      'whose signature stands outside the form',
      () => {
        const pdf = signed();
        return increment(pdf, {
          number: 1,
          value: new Map([...catalogOf(pdf), ['AcroForm', new Map<string, PdfValue>([['Fields', []]])]]),
        });
      },
      'damaged',
    ],
  ])('%s is refused', async (_, make, reason) => {
    await expect(worker.inspect(make())).rejects.toMatchObject({ reason });
    await expect(worker.firstRevision(make(), layoutPlan())).rejects.toMatchObject({ reason });
  });

  test('is seen through its cross-references only: an object that they don’t name is nothing', async () => {
    // A catalog with a script, for readers that scan; with the right offsets, the next revision covers it.
    const hidden = Buffer.concat([
      signed(),
      octets('1 0 obj\n<< /Type /Catalog /OpenAction << /S /JavaScript /JS (a) >> >>\nendobj\n'),
    ]);
    const pdf = signed();
    const { appended } = writeIncrement(
      { ...openFile(pdf), bytes: hidden },
      [{ number: openFile(pdf).trailer.size, value: 1 }],
      '',
    );
    expect(await worker.inspect(Buffer.concat([hidden, appended]))).toMatchObject({ signatures: { count: 1 } });
  });

  test('gets stamps on its last page, clear of what stands there', async () => {
    const pdf = signed({ pages: 1 });
    const { bytes, layout } = await worker.firstRevision(pdf, layoutPlan());
    expect(Buffer.compare(bytes.subarray(0, pdf.length), pdf)).toBe(0);
    expect(layout.seal).toBeNull();
    const [one] = layout.signatories;
    // The first place is the signature's own.
    expect(one!.box).toMatchObject({ page: 0, width: 160 });
    expect(one!.box!.x).toBeGreaterThan(100);
    const page = openFile(bytes).dict(one!.pageObject);
    expect(page.get('Annots')).toEqual([{ ref: n }, { ref: one!.object }, { ref: layout.closing.object }]);
    // Two signatories whose names would need a field of the same name.
    const again = await worker.firstRevision(bytes, layoutPlan());
    expect(again.layout.signatories[0]!.name).toBe(`${one!.name} (2)`);
  });

  test.each([
    ['of which pages may not change', { reference: '<< /TransformMethod /DocMDP /TransformParams << /P 2 >> >>' }],
    [
      'whose fields are all locked',
      { reference: '<< /TransformMethod /FieldMDP /TransformParams << /Action /All >> >>' },
    ],
    ['whose last page is turned', { rotate: 90 }],
  ] as const)('%s stays as it is until somebody signs', async (_, options) => {
    const pdf = signed(options);
    const { bytes, layout } = await worker.firstRevision(pdf, layoutPlan());
    expect(Buffer.compare(bytes, pdf)).toBe(0);
    expect([...layout.signatories, layout.closing].map(({ object, box }) => [object, box])).toEqual([
      [0, null],
      [0, null],
    ]);
  });

  test('gets no marks of Standard', async () => {
    const plan = layoutPlan();
    const signatories = plan.signatories.map(signatory => ({ ...signatory, level: 'standard' as const }));
    await expect(worker.firstRevision(signed(), { ...plan, signatories })).rejects.toMatchObject({
      reason: 'already-signed-standard',
    });
  });
});
