/** A gateway gone bad, on documents that arrived signed: the device's check of other increments than those of our own files. */
import { beforeAll, describe, expect, test } from 'vitest';
import { checkGrant } from '../../../src/client/grant.ts';
import { signatureFields } from '../../../src/documents/file/fields.ts';
import { openFile } from '../../../src/documents/file/file.ts';
import { octets } from '../../../src/documents/file/values.ts';
import { type Filling, fillSignature, pdfDate, ZEROED } from '../../../src/documents/increment-signature.ts';
import type { LoadedPki } from '../../../src/pki/load.ts';
import { makePki, makeSignatory, type Signatory } from '../../support/pades.ts';
import { firstExtra, qpdf, simplePdf } from '../../support/pdfs.ts';
import { has } from '../../support/tools.ts';
import { append, grantFor, type RawObject, takeObjects } from './attacker.ts';

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
const FIELD = firstExtra();

/** With an empty signature field, and another field that must stay as it is. */
const plain = simplePdf({
  catalog: `/AcroForm << /Fields [${FIELD} 0 R ${FIELD + 1} 0 R] /SigFlags 3 >>`,
  page: `/Annots [${FIELD} 0 R ${FIELD + 1} 0 R]`,
  extra: [
    '<< /Type /Annot /Subtype /Widget /FT /Sig /T (Buyer) /F 4 /P 4 0 R /Rect [72 500 272 560] >>',
    '<< /Type /Annot /Subtype /Widget /FT /Tx /T (Price) /V (100) /F 4 /P 4 0 R /Rect [72 400 272 420] >>',
  ],
});

const filling = (field: Filling['field'], shown: boolean): Filling => ({
  field,
  signer: 'Jeanne Doe',
  time: pdfDate(new Date(Date.UTC(2026, 10, 24, 14, 3, 9)), 60),
  appearance: shown ? { content: octets('q\n0.1 g\n1 1 20 20 re\nf\nQ'), fonts: null } : null,
  contents: ZEROED,
  id: '0123456789abcdef',
});

let pki: LoadedPki;
let jeanne: Signatory;
beforeAll(async () => {
  pki = await makePki('ecdsa-p256-sha256');
  jeanne = await makeSignatory(pki, 'Jeanne Doe');
});

function check(known: Uint8Array, whole: Uint8Array, mine: { name: string; object: number }) {
  return checkGrant({ ...grantFor(known, whole, jeanne.certificate), layoutOfMine: mine });
}

describe.skipIf(!has('qpdf'))('in a file with cross-reference streams', () => {
  let known: Uint8Array;
  let clean: string;
  let mine: { name: string; object: number };
  beforeAll(() => {
    known = qpdf(plain, ['--object-streams=generate', '--deterministic-id']);
    const file = openFile(known);
    const { object } = signatureFields(file)[0]!;
    mine = { name: 'Buyer', object: object! };
    clean = latin1(fillSignature(file, filling(mine.object, true)).appended);
  });

  test('a signature passes', async () => {
    const { mine: checked } = await check(known, Buffer.concat([known, Buffer.from(clean, 'latin1')]), mine);
    expect(checked).toMatchObject({ field: 'Buyer', fieldObject: mine.object, signed: false });
  });

  const evil: Readonly<Record<string, (clean: string) => string>> = {
    'an object between': text => text.replace('endobj\n', 'endobj\n1 0 obj\n<<>>\nendobj\n'),
    'a comment between': text => text.replace('endobj\n', 'endobj\n% hidden\n'),
    'a drawing that paints more than paths': text => text.replace('1 1 20 20 re\nf', 'BT /F1 9 Tf    ET'),
    'a compressed section': text => text.replace('/Type /XRef', '/Filter /FlateDecode\n/Type /XRef'),
    'another key in the section': text => text.replace('/Type /XRef', '/Type /XRef\n/XRefStm 9'),
    'other widths': text => text.replace('/W [1 4 2]', '/W [1 4 1]'),
    'another catalog': text => text.replace(/\/Root (\d+) 0 R/, (_, root: string) => `/Root ${Number(root) + 1} 0 R`),
    'another section before': text => text.replace(/\/Prev \d/, '/Prev 9'),
    'an entry that points elsewhere': text => text.replace(/(stream\n\x01..)(.)/s, '$1\x00'),
    'a second end': text => `${text}startxref\n9\n%%EOF\n`,
    'a table after the section': text => `${text}xref\n0 0\ntrailer\n<<>>\nstartxref\n9\n%%EOF\n`,
    'a value that is not the field’s': text => text.replace('/T (Buyer)', '/T (Other)'),
    'a field that moves': text => text.replace('/Rect [72', '/Rect [73'),
  };
  test.each(Object.keys(evil))('%s is refused', async what => {
    const text = evil[what]!(clean);
    expect(text).not.toBe(clean);
    await expect(check(known, Buffer.concat([known, Buffer.from(text, 'latin1')]), mine)).rejects.toMatchObject({
      name: 'Tampered',
    });
  });
});

describe('a signature that comes with its field', () => {
  const known = plain;
  const mine = { name: 'ABCD Signatory 1', object: 0 };
  const { appended } = fillSignature(openFile(known), filling({ name: mine.name, lock: 'self' }, false));
  const objects = takeObjects(appended);
  /** The file has no identifier and no Info: the trailer has no lines for them. */
  const attack = (changed: readonly RawObject[]) =>
    append(known, { objects: changed, trailer: trailer => trailer.replace(/\n+/g, '\n') });

  test('passes, and shows nothing', async () => {
    const { mine: checked, changed } = await check(known, Buffer.concat([known, appended]), mine);
    expect(checked).toMatchObject({ field: mine.name, fieldObject: 0, pageObject: null, box: { width: 0, height: 0 } });
    expect(changed).toEqual([]);
    // The attacker's writer makes the same where it changes nothing.
    await expect(check(known, attack(objects), mine)).resolves.toBeDefined();
  });

  const change = (from: string | RegExp, to: string) => {
    const changed = objects.map(({ number, text }) => ({ number, text: text.replace(from, to) }));
    expect(changed).not.toEqual(objects);
    return attack(changed);
  };
  const evil: Readonly<Record<string, () => Uint8Array>> = {
    'that is visible': () => change('/Rect [0 0 0 0]', '/Rect [0 0 500 500]'),
    'that draws': () => change('/F 132', '/F 132\n/AP <</N 5 0 R>>'),
    'that stands on a page': () => change('/F 132', '/F 132\n/P 4 0 R'),
    'that acts': () => change('/F 132', '/F 132\n/A <</S /Launch>>'),
    'that locks everything': () => change(/\/Action \/Include\n\/Fields \[[^\]]*\]/g, '/Action /All'),
    'that takes the name of another': () => change(/\(ABCD Signatory 1\)/g, '(Buyer)'),
    'in a form that asks for new appearances': () => change('/SigFlags 3', '/SigFlags 3\n/NeedAppearances true'),
    'in a form that loses a field': () => change(`${FIELD + 1} 0 R `, ''),
    'in a catalog that acts': () => change('/Type /Catalog', '/Type /Catalog\n/OpenAction 7 0 R'),
    'with a page': () => attack([...objects, { number: 4, text: '<</Type /Page>>' }]),
    'with another object': () => attack([...objects, { number: openFile(known).trailer.size + 2, text: '<<>>' }]),
    'after another was changed': () =>
      Buffer.concat([attack([{ number: FIELD + 1, text: '<</FT /Tx /V (999)>>' }]), appended]),
  };
  test.each(Object.keys(evil))('%s is refused', async what => {
    await expect(check(known, evil[what]!(), mine)).rejects.toMatchObject({ name: 'Tampered' });
  });

  test("in another person's name, or in the place of a field that was shown, is refused", async () => {
    const whole = Buffer.concat([known, appended]);
    await expect(check(known, whole, { name: 'ABCD Signatory 2', object: 0 })).rejects.toThrow(/another person/);
    await expect(check(known, whole, { name: mine.name, object: FIELD })).rejects.toThrow(/another person/);
    const filled = Buffer.concat([known, fillSignature(openFile(known), filling(FIELD, true)).appended]);
    await expect(check(known, filled, { name: 'Buyer', object: 0 })).rejects.toThrow(/another person/);
  });
});
