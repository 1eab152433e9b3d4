import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { encode } from '../../../src/client/der.ts';
import { checkGrant, type GrantToCheck, Tampered } from '../../../src/client/grant.ts';
import type { DocumentLayout } from '../../../src/documents/layout.ts';
import { createDocuments } from '../../../src/documents/pipeline.ts';
import {
  COMPANY,
  completeFor,
  makePki,
  makeSignatory,
  markOf,
  planFor,
  type Signatory,
  smallWorker,
} from '../../support/pades.ts';
import { append, grantFor, type RawIncrement, type RawObject, takeObjects } from './attacker.ts';

const NAMES = ['Jeanne Doé', 'Max Mustermann', 'Zoë Çelik'];

let layout: DocumentLayout;
/** What the third signatory looked at; then the others signed. */
let known: Uint8Array;
let head: Uint8Array;
/** The revision that the third is asked to sign. */
let whole: Uint8Array;
let objects: RawObject[];
let me: Signatory;
let other: Signatory;
let clean: GrantToCheck;
/** Object numbers: the field, and the signature and appearance that the increment adds. */
let field: number;
let signature: number;
let appearance: number;

beforeAll(async () => {
  const pki = await makePki('ecdsa-p256-sha256');
  const documents = createDocuments({ worker: smallWorker, pki, company: COMPANY });
  ({ bytes: known, layout } = await documents.prepare(new Uint8Array(), planFor(NAMES)));
  head = known;
  for (const index of [1, 0]) {
    other = await makeSignatory(pki, NAMES[index]!);
    head = await completeFor(
      documents,
      pki,
      await documents.prepareSignature(head, layout, markOf(other, index)),
      other,
    );
  }
  me = await makeSignatory(pki, NAMES[2]!);
  const prepared = await documents.prepareSignature(head, layout, markOf(me, 2));
  whole = prepared.bytes;
  objects = takeObjects(whole.subarray(head.length));
  [field, signature, appearance] = objects.map(({ number }) => number) as [number, number, number];
  clean = {
    known,
    appended: whole.subarray(known.length),
    byteRange: prepared.byteRange,
    signedAttributes: prepared.signedAttributes,
    certificate: me.certificate,
    layoutOfMine: layout.signatories[2]!,
    signingTime: markOf(me, 2).signingTime,
  };
});

/** The clean increment with one object's text changed. */
const edit = (number: () => number, change: (text: string) => string) => (): RawIncrement => ({
  objects: objects.map(object => (object.number === number() ? { ...object, text: change(object.text) } : object)),
});
const replace = (number: () => number, from: string | RegExp, to: string) =>
  edit(number, text => {
    const changed = text.replace(from, to);
    if (changed === text) throw new Error(`nothing to replace: ${from}`);
    return changed;
  });
/** The clean increment with more objects. */
const add =
  (...more: readonly (() => RawObject)[]) =>
  (): RawIncrement => ({ objects: [...objects, ...more.map(object => object())].sort((a, b) => a.number - b.number) });
const around = (change: Partial<RawIncrement>) => (): RawIncrement => ({ objects, ...change });
const draw = (content: string, resources?: string) =>
  edit(
    () => appearance,
    text => {
      const evil = resources === undefined ? text : text.replace(/\/Resources <<.*?>>>>/s, `/Resources ${resources}`);
      return evil.replace(/\/Length \d+>>\nstream\n.*$/s, `/Length ${content.length}>>\nstream\n${content}\nendstream`);
    },
  );

const EVIL_PAGE = '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 8 0 R >>';
const EVIL_CONTENT = '<< /Length 27 >>\nstream\nBT /F1 20 Tf (1,000,000) Tj ET\nendstream';
const FONT = '<< /Type /Font /Subtype /Type0 /BaseFont /Evil /Encoding /Identity-H /DescendantFonts [7 0 R] >>';

/** Increments with everything else consistent: offsets, ByteRange, digest, attributes. */
const increments: Record<string, () => RawIncrement> = {
  'page content changed in the same revision': add(() => ({ number: 5, text: EVIL_CONTENT })),
  'page object changed in the same revision': add(() => ({ number: 3, text: EVIL_PAGE })),
  'catalog changed in the same revision': add(() => ({ number: 1, text: '<< /Type /Catalog /Pages 2 0 R >>' })),
  'form changed in the same revision': add(() => ({ number: 4, text: '<< /Fields [] /SigFlags 3 >>' })),
  "another's signed field changed in the same revision": add(() => ({
    number: layout.signatories[0]!.object,
    text: '<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signatory1) /Rect [0 0 9 9] >>',
  })),
  "another's signature dictionary replaced": add(() => ({ number: signature - 2, text: '<< /Type /Sig >>' })),
  'font replaced': add(() => ({ number: 6, text: FONT })),
  'an object more': add(() => ({ number: appearance + 1, text: '<< /Evil true >>' })),
  'a second page as an object more': add(() => ({ number: appearance + 1, text: EVIL_PAGE })),
  'an object stream': add(() => ({
    number: appearance + 1,
    text: '<< /Type /ObjStm /N 1 /First 4 /Length 20 >>\nstream\n5 0 <</Evil 1     >>\nendstream',
  })),
  'two signature dictionaries': add(() => ({ ...objects[1]!, number: appearance + 1 })),
  'the signature defined twice': () => ({ objects: [objects[0]!, objects[1]!, objects[1]!, objects[2]!] }),
  'the field defined twice': () => ({ objects: [objects[0]!, ...objects] }),
  'no field': () => ({ objects: objects.slice(1) }),
  'no appearance': () => ({ objects: objects.slice(0, 2) }),
  'objects in another order': () => ({ objects: [objects[1]!, objects[0]!, objects[2]!] }),
  'field moved': replace(() => field, /\/Rect \[[^\]]*\]/, '/Rect [0 0 595 842]'),
  'field renamed': replace(() => field, '(Signatory3)', '(Signatory9)'),
  'field with kids': replace(() => field, '/FT /Sig', '/FT /Sig\n/Kids [3 0 R]'),
  'field with an action': replace(() => field, '/FT /Sig', '/FT /Sig\n/A <</S /URI\n/URI (http://evil.example)>>'),
  'field of another type': replace(() => field, '/FT /Sig', '/FT /Tx'),
  'field with other flags': replace(() => field, '/F 132', '/F 2'),
  'field without lock': replace(() => field, /\/Lock <<.*?>>\n/s, ''),
  'field with a second appearance': replace(() => field, /\/AP <</, '/AP <</D 5 0 R\n'),
  'field showing a page content': replace(() => field, /\/N \d+ 0 R/, '/N 5 0 R'),
  'field naming another signature': replace(() => field, /\/V \d+ 0 R/, '/V 17 0 R'),
  'field with a duplicate key': replace(() => field, '/FT /Sig', '/FT /Sig\n/Rect [0 0 595 842]'),
  'a signature that locks nothing': replace(() => signature, /\/Fields \[\(Signatory3\)\]/, '/Fields []'),
  'a signature without reference': replace(() => signature, /\n\/Reference .*>>\]/s, ''),
  'a signature of another kind': replace(() => signature, 'ETSI.CAdES.detached', 'adbe.pkcs7.sha1'),
  'a signature with another handler': replace(() => signature, '/Adobe.PPKLite', '/Evil.Handler'),
  'a signature with a reason': replace(() => signature, '/M (', '/Reason (I owe you)\n/M ('),
  'a signature with a second Contents': replace(() => signature, '/M (', '/Contents <00>\n/M ('),
  'a signing time that is none': replace(() => signature, /\/M \([^)]*\)/, '/M (yesterday)'),
  'Contents that is signed already': replace(() => signature, '/Contents <00', '/Contents <30'),
  'a smaller Contents': replace(() => signature, '/Contents <0000', '/Contents <'),
  'blanks in Contents': replace(() => signature, '/Contents <0000', '/Contents <  00'),
  'a picture': draw('q\n/Im0 Do\nQ', '<</XObject <</Im0 5 0 R>>>>'),
  'a picture without resource': draw('q\n/Im0 Do\nQ'),
  'an inline picture': draw('BI /W 1 /H 1 /BPC 8 /CS /G ID x EI'),
  'a shading': draw('/Sh0 sh'),
  'a graphics state': draw('/GS0 gs'),
  'a comment in the drawing': draw('q\n%evil\nQ'),
  'marked content in the drawing': draw('/OC /Layer BDC\nEMC'),
  'literal text': draw('BT\n/F1 9 Tf\n(evil) Tj\nET'),
  'another font name': draw('BT\n/F3 9 Tf\n<0041> Tj\nET'),
  'a drawing that ends its stream': draw('q\nendstream\nendobj\n5 0 obj\n<< >>\nendobj\n99 0 obj\nstream\nQ'),
  'a transformed appearance': replace(() => appearance, '/Subtype /Form', '/Subtype /Form\n/Matrix [9 0 0 9 0 0]'),
  'a bigger appearance': replace(() => appearance, /\/BBox \[[^\]]*\]/, '/BBox [0 0 10 10]'),
  'an appearance with a group': replace(
    () => appearance,
    '/Subtype /Form',
    '/Subtype /Form\n/Group <</S /Transparency>>',
  ),
  'an appearance with a layer': replace(() => appearance, '/Subtype /Form', '/Subtype /Form\n/OC 5 0 R'),
  'a new font': () => ({
    objects: [
      objects[0]!,
      objects[1]!,
      { ...objects[2]!, text: objects[2]!.text.replace('/F1 6 0 R', `/F1 ${appearance + 1} 0 R`) },
      { number: appearance + 1, text: FONT },
    ],
  }),
  'a font that is none': replace(() => appearance, '/F1 6 0 R', '/F1 3 0 R'),
  'a third font': replace(() => appearance, '/F1 6 0 R', '/F1 6 0 R\n/F3 8 0 R'),
  'a filtered drawing': replace(() => appearance, '/Subtype /Form', '/Subtype /Form\n/Filter /ASCIIHexDecode'),
  'an external drawing': replace(() => appearance, '/Subtype /Form', '/Subtype /Form\n/F (http://evil.example/a)'),
  'a comment between objects': around({ between: '% 5 0 obj\n' }),
  'blanks between objects': around({ between: '\n' }),
  'a comment at the end': around({ suffix: '% evil\n' }),
  'another end of file': around({ suffix: '%%EOF\n' }),
  'another table entry': around({ table: table => table.replace('xref\n', 'xref\n5 1\n0000000100 00000 n \n') }),
  'a table entry that frees a page content': around({
    table: table => table.replace('xref\n', 'xref\n5 1\n0000000000 00001 f \n'),
  }),
  'a table that points elsewhere': around({ table: table => table.replace(/\d{10} 00000 n/, '0000000009 00000 n') }),
  'a table of another generation': around({ table: table => table.replace(' 00000 n', ' 00001 n') }),
  'a table that misses an object': around({ table: table => table.replace(/xref\n\d+ 1\n.{20}/s, 'xref\n') }),
  'the table entry of the page content on the appearance': around({
    table: table => table.replace('xref\n', `xref\n5 1\n${/\d{10}(?= 00000 n \n$)/.exec(table)![0]} 00000 n \n`),
  }),
  'Prev that skips a revision': around({
    trailer: trailer => trailer.replace(/\/Prev \d+/, `/Prev ${/startxref\n(\d+)/.exec(text(known))![1]}`),
  }),
  'no Prev': around({ trailer: trailer => trailer.replace(/\n\/Prev \d+/, '') }),
  'another catalog in the trailer': around({ trailer: trailer => trailer.replace('/Root 1 0 R', '/Root 3 0 R') }),
  'another Info in the trailer': around({ trailer: trailer => trailer.replace('/Info 10 0 R', '/Info 5 0 R') }),
  'a hybrid trailer': around({ trailer: trailer => trailer.replace('/Prev', '/XRefStm 9\n/Prev') }),
  'encryption in the trailer': around({ trailer: trailer => trailer.replace('/Prev', '/Encrypt 5 0 R\n/Prev') }),
  'another identifier': around({ trailer: trailer => trailer.replace('/ID [<00', '/ID [<01') }),
  'a short identifier': around({ trailer: trailer => trailer.replace(/\/ID \[(\S+) .*\]/, '/ID [$1 <00>]') }),
  'a smaller size': around({ trailer: trailer => trailer.replace(/\/Size \d+/, '/Size 5') }),
  'a bigger size': around({ trailer: trailer => trailer.replace(/\/Size \d+/, '/Size 999') }),
  'startxref on the table before': around({ startxref: () => Number(/startxref\n(\d+)/.exec(text(known))![1]) }),
  'startxref in the signature': around({ startxref: offset => offset - 1000 }),
};

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** Whole revisions before the one to be signed. */
const revisions: Record<string, () => readonly RawIncrement[]> = {
  'a revision that changes page content': () => [{ objects: [{ number: 5, text: EVIL_CONTENT }] }],
  'a revision that changes the page': () => [{ objects: [{ number: 3, text: EVIL_PAGE }] }],
  'a revision that adds a DSS': () => [
    { objects: [{ number: 1, text: '<< /Type /Catalog /Pages 2 0 R /AcroForm 4 0 R /DSS << >> >>' }] },
  ],
  'a revision without objects': () => [{ objects: [] }],
  'a revision of a signature that was never made': () => [
    { objects: takeObjects(head.subarray(known.length)).slice(0, 3).map(zeroed) },
  ],
};

const zeroed = (object: RawObject): RawObject => ({
  ...object,
  text: object.text.replace(/\/Contents <[^>]*>/, `/Contents <${'00'.repeat(16384)}>`),
});

/** A grant for my signature on top of these revisions, its objects numbered to follow them. */
function signedOnTop(before: readonly RawIncrement[]): GrantToCheck {
  const evil = before.reduce(append, known);
  const trailer = text(evil).slice(text(evil).lastIndexOf('trailer'));
  const first = Number(/\/Size (\d+)/.exec(trailer)![1]);
  const renumbered = objects.map(({ number, text: body }) => ({
    number: number === field ? field : number - signature + first,
    text: body.replace(`${signature} 0 R`, `${first} 0 R`).replace(`${appearance} 0 R`, `${first + 1} 0 R`),
  }));
  return grantFor(known, append(evil, { objects: renumbered }), me.certificate);
}

/** The attributes, forged. */
const attributes =
  (change: (items: Uint8Array[]) => Uint8Array[], wrap = encode.set) =>
  () => {
    const { byteRange } = clean;
    const digest = createHash('sha256')
      .update(whole.subarray(0, byteRange[1]))
      .update(whole.subarray(byteRange[2]))
      .digest();
    const attribute = (type: string, ...values: Uint8Array[]) => encode.seq(encode.oid(type), encode.set(...values));
    const certificateHash = createHash('sha256').update(me.certificate).digest();
    const items = [
      attribute('1.2.840.113549.1.9.3', encode.oid('1.2.840.113549.1.7.1')),
      attribute('1.2.840.113549.1.9.4', encode.octetString(digest)),
      attribute('1.2.840.113549.1.9.16.2.47', encode.seq(encode.seq(encode.seq(encode.octetString(certificateHash))))),
    ];
    return { ...clean, signedAttributes: wrap(...change(items)) };
  };

const octet = (bytes: Uint8Array, at: number): Uint8Array => {
  const changed = Uint8Array.from(bytes);
  changed[at]! ^= 1;
  return changed;
};

const grants: Record<string, () => GrantToCheck> = {
  'nothing appended': () => ({ ...clean, appended: new Uint8Array() }),
  'appended cut short': () => ({ ...clean, appended: clean.appended.subarray(0, -1) }),
  'only what others signed': () => grantFor(known, head, me.certificate),
  'a known document that differs': () => ({ ...clean, known: octet(known, 200) }),
  'a known document that is shorter': () => ({ ...clean, known: known.subarray(0, -1) }),
  'ByteRange with another start': () => ({ ...clean, byteRange: [1, ...clean.byteRange.slice(1)] }),
  'ByteRange with a smaller gap': () => ({ ...clean, byteRange: clean.byteRange.map((v, i) => (i === 1 ? v + 2 : v)) }),
  'ByteRange that leaves the end out': () => ({
    ...clean,
    byteRange: clean.byteRange.map((v, i) => (i === 3 ? v - 9 : v)),
  }),
  'ByteRange with more parts': () => ({ ...clean, byteRange: [...clean.byteRange, 0, 0] }),
  'another digest': attributes(([type, , certificate]) => [
    type!,
    encode.seq(encode.oid('1.2.840.113549.1.9.4'), encode.set(encode.octetString(new Uint8Array(32)))),
    certificate!,
  ]),
  'a signing time': attributes(items => [
    ...items,
    encode.seq(encode.oid('1.2.840.113549.1.9.5'), encode.set(encode.tlv(0x17, Buffer.from('261124000000Z')))),
  ]),
  'no signing certificate': attributes(items => items.slice(0, 2)),
  'two message digests': attributes(items => [...items, items[1]!]),
  'attributes out of order': attributes(items => items.reverse(), encode.seq),
  'attributes as SEQUENCE': attributes(items => items, encode.seq),
  'attributes as they stand in a SignerInfo': attributes(
    items => items,
    (...items) => encode.tlv(0xa0, ...items),
  ),
  'octets after the attributes': () => ({
    ...clean,
    signedAttributes: Buffer.concat([clean.signedAttributes, Buffer.of(0)]),
  }),
  'a document instead of attributes': () => ({ ...clean, signedAttributes: Buffer.from('I owe you 1,000,000') }),
  "another's certificate": () => ({ ...clean, certificate: other.certificate }),
  "another's certificate in the attributes": () => ({
    ...clean,
    signedAttributes: grantFor(known, whole, other.certificate).signedAttributes,
  }),
  "another person's field": () => ({ ...clean, layoutOfMine: layout.signatories[0]! }),
  'another time than the grant': () => ({ ...clean, signingTime: new Date(0) }),
};

describe('a device that checks a grant', () => {
  test('signs on what it read', async () => {
    const direct = { ...clean, known: head, appended: whole.subarray(head.length) };
    const { changed, mine } = await checkGrant(direct);
    expect(changed).toEqual([]);
    expect(mine).toMatchObject({ field: 'Signatory3', signer: 'Zoë Çelik' });
  });

  test('signs when two others have signed since it looked, and says who', async () => {
    const { changed, whole: checked } = await checkGrant(clean);
    expect(changed.map(({ signer, field: name }) => [name, signer])).toEqual([
      ['Signatory2', 'Max Mustermann'],
      ['Signatory1', 'Jeanne Doé'],
    ]);
    expect(Buffer.from(checked).equals(whole)).toBe(true);
  });

  test('the attacker of these tests passes as long as it changes nothing', async () => {
    const { mine } = await checkGrant(grantFor(known, append(head, { objects }), me.certificate));
    expect(mine.field).toBe('Signatory3');
  });

  test.each(Object.entries(increments))('A4 refuses %s', async (_, increment) => {
    const grant = grantFor(known, append(head, increment()), me.certificate);
    await expect(checkGrant(grant)).rejects.toThrow(Tampered);
  });

  test('the attacker passes with a signature straight on what was known', async () => {
    const { mine, changed } = await checkGrant(signedOnTop([]));
    expect(mine.field).toBe('Signatory3');
    expect(changed).toEqual([]);
  });

  test.each(Object.entries(revisions))('A4 refuses %s', async (_, before) => {
    await expect(checkGrant(signedOnTop(before()))).rejects.toThrow(Tampered);
  });

  test.each(Object.entries(grants))('A4 refuses %s', async (_, grant) => {
    await expect(checkGrant(grant())).rejects.toThrow(Tampered);
  });

  test('A4 refuses any single octet changed in what was appended, all else made to fit', async () => {
    const identifier = text(whole).lastIndexOf('/ID [');
    for (let at = head.length; at < whole.length; at += 97) {
      const grant = { ...clean, appended: octet(clean.appended, at - known.length) };
      const [, first, second] = clean.byteRange as readonly [number, number, number, number];
      // The digest over the changed file, but the octets of the gap and of the free identifier.
      const bytes = Buffer.concat([known, grant.appended]);
      const digest = createHash('sha256').update(bytes.subarray(0, first)).update(bytes.subarray(second)).digest();
      const inContent = at > text(whole).lastIndexOf('stream\nq') && at < text(whole).lastIndexOf('\nendstream');
      const inName = /\/Name <[^>]*>|\/M \([^)]*\)/g;
      const free = [...text(whole).slice(head.length).matchAll(inName)].some(
        match => at - head.length >= match.index && at - head.length < match.index + match[0].length,
      );
      if (free || inContent || (at > identifier && at < identifier + 80)) continue;
      const forged = attributes(([type, , certificate]) => [
        type!,
        encode.seq(encode.oid('1.2.840.113549.1.9.4'), encode.set(encode.octetString(digest))),
        certificate!,
      ])();
      await expect(checkGrant({ ...forged, appended: grant.appended }), `octet ${at}`).rejects.toThrow(Tampered);
    }
  });
});
