import { describe, expect, test } from 'vitest';
import { certification, permissionsOf, readLock, signatureFields } from '../../../../src/documents/file/fields.ts';
import { openFile } from '../../../../src/documents/file/file.ts';
import { PdfSyntaxError } from '../../../../src/documents/file/parser.ts';
import type { PdfDict } from '../../../../src/documents/file/values.ts';
import { firstExtra, simplePdf } from '../../../support/pdfs.ts';

const n = firstExtra();
const form = (fields: string, ...extra: readonly string[]) =>
  openFile(simplePdf({ catalog: `/AcroForm << /Fields [${fields}] >>`, extra }));

describe('signature fields', () => {
  test('are found in the tree, with what they inherit', () => {
    const file = form(
      `${n} 0 R ${n + 4} 0 R << /FT /Sig /T (direct) /V << /Type /Sig >> >>`,
      `<< /FT /Sig /T (group) /Kids [${n + 1} 0 R ${n + 2} 0 R] >>`,
      `<< /T (one) /Subtype /Widget /V ${n + 5} 0 R >>`,
      `<< /T <FEFF00E9> /Kids [${n + 3} 0 R] >>`,
      '<< /Subtype /Widget >>',
      '<< /FT /Tx /T (text) >>',
      '<< /Type /Sig /Name (Olga) >>',
    );
    expect(
      signatureFields(file).map(({ name, object, widgets, signature }) => [name, object, widgets, signature?.object]),
    ).toEqual([
      ['group.one', n + 1, [n + 1], n + 5],
      ['group.é', n + 2, [n + 3], undefined],
      ['direct', null, [], null],
    ]);
  });

  test('of a file without a form are none', () => {
    expect(signatureFields(openFile(simplePdf()))).toEqual([]);
    expect(signatureFields(openFile(simplePdf({ catalog: '/AcroForm 99 0 R' })))).toEqual([]);
    expect(signatureFields(form(''))).toEqual([]);
  });

  test.each<[string, () => ReturnType<typeof form>]>([
    ['in circles', () => form(`${n} 0 R`, `<< /FT /Sig /T (a) /Kids [${n} 0 R] >>`)],
    ['twice', () => form(`${n} 0 R ${n} 0 R`, '<< /FT /Sig /T (a) >>')],
    ['that are no dictionaries', () => form('(a)')],
    ['with signatures that are none', () => form('<< /FT /Sig /T (a) /V (b) >>')],
    ['without number', () => form('<< /FT /Sig /T (a) >> '.repeat(60_001))],
    [
      'too deep',
      () =>
        form(
          `${n} 0 R`,
          ...Array.from({ length: 40 }, (_, i) => `<< /T (a) /FT /Sig /Kids [${n + 1 + i} 0 R] >>`),
          '<< /T (a) >>',
        ),
    ],
  ])('%s are refused', (_, make) => {
    expect(() => signatureFields(make())).toThrow(PdfSyntaxError);
  });
});

describe('permissions', () => {
  const of = (references: string) => {
    const file = openFile(simplePdf({ catalog: `/S << /Reference [${references}] >>` }));
    return permissionsOf(file, file.dict(file.trailer.root).get('S') as PdfDict);
  };

  test('are what the references say, the strictest counts', () => {
    const docMdp = (p: string) => `<< /TransformMethod /DocMDP /TransformParams << ${p} >> >>`;
    expect(of('')).toEqual({ docMdp: null, fieldMdp: null });
    expect(of(docMdp('/P 1')).docMdp).toBe(1);
    // The default (table 257).
    expect(of(docMdp('')).docMdp).toBe(2);
    expect(of(`${docMdp('/P 3')} ${docMdp('/P 2')}`).docMdp).toBe(2);
    expect(
      of('<< /TransformMethod /FieldMDP /TransformParams << /Action /Include /Fields [(a) <FEFF00E9>] >> >>').fieldMdp,
    ).toEqual({ action: 'Include', fields: ['a', 'é'] });
  });

  test.each([
    '(a)',
    '<< /TransformMethod /DocMDP /TransformParams << /P 4 >> >>',
    '<< /TransformMethod /DocMDP /TransformParams << /P (1) >> >>',
    '<< /TransformMethod /FieldMDP >>',
    '<< /TransformMethod /FieldMDP /TransformParams << /Action /Some >> >>',
    '<< /TransformMethod /FieldMDP /TransformParams << /Action /Include /Fields [1] >> >>',
  ])('in broken references are refused: %s', references => {
    expect(() => of(references)).toThrow(PdfSyntaxError);
  });

  test('of certification are named by the catalog', () => {
    const perms = (value: string) =>
      openFile(simplePdf({ catalog: `/Perms << /DocMDP ${value} >>`, extra: ['<< /Type /Sig >>'] }));
    expect(certification(perms(`${n} 0 R`))).toMatchObject({ object: n });
    expect(certification(perms('99 0 R'))).toBeNull();
    expect(certification(openFile(simplePdf()))).toBeNull();
    expect(readLock(openFile(simplePdf()), new Map())).toBeNull();
  });
});
