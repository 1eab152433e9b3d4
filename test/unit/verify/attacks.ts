/**
 * Attack files made from our own results: shadow attacks (hide, replace, hide and replace), incremental tampering,
 * signature wrapping, universal forgery, games with the file's structure. Everything else in them is as it should be.
 */
import { append, type RawIncrement, type RawObject } from '../signatures/attacker.ts';

export interface Attack {
  readonly name: string;
  readonly make: () => Uint8Array | Promise<Uint8Array>;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const bytes = (value: string): Uint8Array => Buffer.from(value, 'latin1');

/** Object numbers of test/support/pades.ts' first revision. */
const CATALOG = 1;
const PAGES = 2;
const PAGE = 3;
const FORM = 4;
const CONTENT = 5;
const FONT = 6;
const INFO = 10;
const SEAL = 11;
const SIGNATORY = 12;

const stream = (content: string, entries = ''): string =>
  `<< ${entries} /Length ${content.length} >>\nstream\n${content}\nendstream`;
const EVIL = stream('BT /F1 20 Tf 50 700 Td (1,000,000) Tj ET');

/** The newest text of an object. */
function newest(file: Uint8Array, number: number): string {
  const found = [...text(file).matchAll(new RegExp(`(?:^|\\n)${number} 0 obj\\n(.*?)\\nendobj`, 'gs'))].at(-1)?.[1];
  if (found === undefined) throw new Error(`no object ${number}`);
  return found;
}

const sizeOf = (file: Uint8Array): number => Number([...text(file).matchAll(/\/Size (\d+)/g)].at(-1)![1]);

function replaced(value: string, from: string | RegExp, to: string): string {
  const changed = value.replace(from, () => to);
  if (changed === value) throw new Error(`nothing to replace: ${from}`);
  return changed;
}

/** Appends a revision of these objects. */
const add = (file: Uint8Array, ...objects: readonly RawObject[]): Uint8Array =>
  append(file, { objects: objects.toSorted((a, b) => a.number - b.number) });

const edit = (file: Uint8Array, number: number, from: string | RegExp, to: string): Uint8Array =>
  add(file, { number, text: replaced(newest(file, number), from, to) });

/** The newest definition's number of whatever matches, by the order of the file. */
function numberOf(file: Uint8Array, pattern: RegExp): number {
  const objects = [...text(file).matchAll(/(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj/gs)];
  const found = objects.findLast(match => pattern.test(match[2]!));
  if (!found) throw new Error(`no object like ${pattern}`);
  return Number(found[1]);
}

/** A change with the whole structure right: `closed` is any finished result of ours. */
const increments: Readonly<Record<string, (file: Uint8Array) => Uint8Array>> = {
  'page content replaced': file => add(file, { number: CONTENT, text: EVIL }),
  'page shows another content': file =>
    add(
      file,
      { number: sizeOf(file), text: EVIL },
      { number: PAGE, text: replaced(newest(file, PAGE), '/Contents 5 0 R', `/Contents ${sizeOf(file)} 0 R`) },
    ),
  'page shows one content more': file =>
    add(
      file,
      { number: sizeOf(file), text: EVIL },
      { number: PAGE, text: replaced(newest(file, PAGE), '/Contents 5 0 R', `/Contents [5 0 R ${sizeOf(file)} 0 R]`) },
    ),
  'page cropped': file => edit(file, PAGE, '/MediaBox [0 0 595 842]', '/MediaBox [0 0 595 400]'),
  'page rotated': file => edit(file, PAGE, '/Type /Page', '/Type /Page /Rotate 180'),
  'a page more': file =>
    add(
      file,
      { number: sizeOf(file), text: '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R >>' },
      { number: PAGES, text: `<< /Type /Pages /Kids [3 0 R ${sizeOf(file)} 0 R] /Count 2 >>` },
    ),
  'another page tree': file =>
    add(
      file,
      { number: sizeOf(file), text: '<< /Type /Pages /Kids [3 0 R 3 0 R] /Count 2 >>' },
      { number: CATALOG, text: replaced(newest(file, CATALOG), /\/Pages 2 0 R/, `/Pages ${sizeOf(file)} 0 R`) },
    ),
  'font replaced': file => edit(file, FONT, '/BaseFont /Sans', '/BaseFont /Evil'),
  'resources replaced': file => edit(file, PAGE, '/F1 6 0 R', '/F1 8 0 R'),
  'a free text over the page': file => annotation(file, '/Subtype /FreeText /Contents (1,000,000) /DA (/F1 20 Tf)'),
  'a stamp over the page': file => annotation(file, '/Subtype /Stamp /Name /Approved'),
  'a link over the page': file => annotation(file, '/Subtype /Link /A << /S /URI /URI (http://evil.example) >>'),
  'a note on the page': file => annotation(file, '/Subtype /Text /Contents (void)'),
  'a widget over the page': file => annotation(file, '/Subtype /Widget /FT /Tx /T (Evil) /V (1,000,000)'),
  'annotations removed': file => edit(file, PAGE, /\/Annots \[[^\]]*\]/, '/Annots []'),
  'a signed field moved': file => edit(file, SIGNATORY, /\/Rect \[[^\]]*\]/, '/Rect [0 0 595 842]'),
  'a signed field hidden': file => edit(file, SIGNATORY, '/F 132', '/F 2'),
  'a signed field renamed': file => edit(file, SIGNATORY, '(Signatory1)', '(Signatory9)'),
  'a signed field with an action': file =>
    edit(file, SIGNATORY, '/FT /Sig', '/FT /Sig\n/A << /S /JavaScript /JS (1) >>'),
  'a signed field without lock': file => edit(file, SIGNATORY, /\/Lock <<.*?>>\n?/s, ''),
  'the signature taken out of its field': file => edit(file, SIGNATORY, /\/V \d+ 0 R/, ''),
  'the signature of another in a field': file =>
    edit(file, SIGNATORY, /\/V \d+ 0 R/, /\/V \d+ 0 R/.exec(newest(file, SEAL))![0]),
  'a signed field shows something else': file =>
    add(
      file,
      { number: sizeOf(file), text: stream('(evil) Tj', '/Type /XObject /Subtype /Form /BBox [0 0 9 9]') },
      { number: SIGNATORY, text: replaced(newest(file, SIGNATORY), /\/N \d+ 0 R/, `/N ${sizeOf(file)} 0 R`) },
    ),
  'an appearance overwritten': file => {
    const number = Number(/\/N (\d+) 0 R/.exec(newest(file, SIGNATORY))![1]);
    return add(file, { number, text: stream('(evil) Tj', '/Type /XObject /Subtype /Form /BBox [0 0 9 9]') });
  },
  'a signature dictionary with another name': file =>
    edit(file, Number(/\/V (\d+) 0 R/.exec(newest(file, SIGNATORY))![1]), /\/Name [(<][^)>]*[)>]/, '/Name (Evil Eve)'),
  'a signature dictionary overwritten': file =>
    add(file, { number: Number(/\/V (\d+) 0 R/.exec(newest(file, SIGNATORY))![1]), text: '<< /Type /Sig >>' }),
  'a form without fields': file => edit(file, FORM, /\/Fields \[[^\]]*\]/, '/Fields []'),
  'a form without one of its fields': file => edit(file, FORM, `${SIGNATORY} 0 R`, ''),
  'a form in another order': file => edit(file, FORM, /\/Fields \[11 0 R 12 0 R/, '/Fields [12 0 R 11 0 R'),
  'a form that has appearances made anew': file => edit(file, FORM, '/SigFlags 3', '/SigFlags 3 /NeedAppearances true'),
  'a form with default appearances': file => edit(file, FORM, '/SigFlags 3', '/SigFlags 3 /DA (/F1 99 Tf)'),
  'a dynamic form': file =>
    add(
      file,
      { number: sizeOf(file), text: stream('<xdp:xdp/>') },
      { number: FORM, text: replaced(newest(file, FORM), '/SigFlags 3', `/SigFlags 3 /XFA ${sizeOf(file)} 0 R`) },
    ),
  'a field more, filled in': file =>
    field(file, '<< /Type /Annot /Subtype /Widget /FT /Tx /T (Sum) /V (1,000,000) /Rect [0 0 99 99] >>'),
  'a visible empty signature field more': file =>
    field(file, '<< /Type /Annot /Subtype /Widget /FT /Sig /T (More) /Rect [0 0 595 842] /P 3 0 R >>'),
  'a signature field more with a signature that is none': file =>
    add(
      file,
      { number: sizeOf(file) + 1, text: '<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached >>' },
      {
        number: sizeOf(file),
        text: `<< /Type /Annot /Subtype /Widget /FT /Sig /T (More) /Rect [0 0 0 0] /V ${sizeOf(file) + 1} 0 R >>`,
      },
      { number: FORM, text: replaced(newest(file, FORM), '/Fields [', `/Fields [${sizeOf(file)} 0 R `) },
    ),
  'a second field for a signature': file => {
    const [value] = /\/V \d+ 0 R/.exec(newest(file, SIGNATORY))!;
    return field(file, `<< /Type /Annot /Subtype /Widget /FT /Sig /T (Twin) /Rect [0 0 0 0] ${value} >>`);
  },
  'a second field of the same name': file =>
    field(file, '<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signatory1) /Rect [0 0 0 0] >>'),
  'a script at opening': file => catalog(file, '/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>'),
  layers: file => catalog(file, '/OCProperties << /OCGs [] /D << >> >>'),
  'names and scripts': file => catalog(file, '/Names << /JavaScript << /Names [] >> >>'),
  'viewer preferences': file => catalog(file, '/ViewerPreferences << /HideToolbar true >>'),
  'page labels': file => catalog(file, '/PageLabels << /Nums [] >>'),
  'metadata of a certified file': file =>
    add(
      file,
      { number: sizeOf(file), text: stream('<x/>', '/Type /Metadata /Subtype /XML') },
      {
        number: CATALOG,
        text: replaced(newest(file, CATALOG), '/Type /Catalog', `/Type /Catalog\n/Metadata ${sizeOf(file)} 0 R`),
      },
    ),
  'certification taken away': file => edit(file, CATALOG, /\/Perms <<.*?>>\n?/s, ''),
  'document information changed': file => add(file, { number: INFO, text: '<< /Title (Evil) >>' }),
  'an object that nothing needs': file => add(file, { number: sizeOf(file), text: EVIL }),
  'an object stream': file =>
    add(file, { number: sizeOf(file), text: stream('5 0 <</Evil 1>>', '/Type /ObjStm /N 1 /First 4') }),
};

function annotation(file: Uint8Array, entries: string): Uint8Array {
  const number = sizeOf(file);
  return add(
    file,
    { number, text: `<< /Type /Annot /Rect [0 0 595 842] /F 4 ${entries} >>` },
    { number: PAGE, text: replaced(newest(file, PAGE), '/Annots [', `/Annots [${number} 0 R `) },
  );
}

function field(file: Uint8Array, dictionary: string): Uint8Array {
  const number = sizeOf(file);
  const form = replaced(
    newest(file, FORM),
    /\/Fields \[([^\]]*)\]/,
    `/Fields [${/\/Fields \[([^\]]*)\]/.exec(newest(file, FORM))![1]} ${number} 0 R]`,
  );
  return add(file, { number, text: dictionary }, { number: FORM, text: form });
}

const catalog = (file: Uint8Array, entries: string): Uint8Array =>
  edit(file, CATALOG, '/Type /Catalog', `/Type /Catalog\n${entries}`);

/** Only where the file has a DSS and a document timestamp. */
const evidence: Readonly<Record<string, (file: Uint8Array) => Uint8Array>> = {
  'the evidence removed': file => edit(file, CATALOG, /\/DSS \d+ 0 R\n?/, ''),
  'one piece of evidence removed': file => edit(file, numberOf(file, /\/Type \/DSS/), /\/CRLs \[[^\]]*\]\n?/, ''),
  'a piece of evidence overwritten': file => {
    const number = Number(/\/Certs \[(\d+) 0 R/.exec(newest(file, numberOf(file, /\/Type \/DSS/)))![1]);
    return add(file, { number, text: stream('evil') });
  },
  'the page content as a part of the evidence': file =>
    add(
      file,
      { number: CONTENT, text: '[ ]' },
      {
        number: numberOf(file, /\/Type \/DSS/),
        text: replaced(newest(file, numberOf(file, /\/Type \/DSS/)), /\/CRLs \[[^\]]*\]/, '/CRLs 5 0 R'),
      },
    ),
  'another thing in the evidence': file =>
    edit(file, numberOf(file, /\/Type \/DSS/), '/Type /DSS', '/Type /DSS\n/Evil << /S /JavaScript >>'),
  'the document timestamp in another field': file =>
    edit(file, numberOf(file, /\(Timestamp\d+\)/), '/Rect [0 0 0 0]', '/Rect [0 0 595 842]'),
};

/** The structure itself. */
const structures: Readonly<Record<string, (file: Uint8Array) => Uint8Array>> = {
  'octets after the end': file => Buffer.concat([file, bytes('evil')]),
  'a comment after the end': file => Buffer.concat([file, bytes('% evil\n')]),
  'another end of file': file => Buffer.concat([file, bytes('%%EOF\n')]),
  'a second startxref': file => Buffer.concat([file, bytes('startxref\n9\n%%EOF\n')]),
  'octets before the header': file => Buffer.concat([bytes('evil\n'), file]),
  'another file behind': file => Buffer.concat([file, file]),
  'the end cut off': file => file.subarray(0, -10),
  'half of it': file => file.subarray(0, file.length >> 1),
  'the last revision skipped by Prev': file => {
    const offsets = [...text(file).matchAll(/startxref\n(\d+)/g)].map(match => match[1]!);
    return appendTo(file, { trailer: trailer => trailer.replace(/\/Prev \d+/, `/Prev ${offsets.at(-3)}`) });
  },
  'another catalog': file =>
    append(file, {
      objects: [{ number: sizeOf(file), text: newest(file, CATALOG) }],
      trailer: trailer => replaced(trailer, '/Root 1 0 R', `/Root ${sizeOf(file)} 0 R`),
    }),
  'another document information': file =>
    append(file, {
      objects: [{ number: sizeOf(file), text: '<< /Title (Evil) >>' }],
      trailer: trailer => replaced(trailer, '/Info 10 0 R', `/Info ${sizeOf(file)} 0 R`),
    }),
  'another identifier': file => appendTo(file, { trailer: trailer => replaced(trailer, '/ID [<00', '/ID [<01') }),
  'a smaller size': file => appendTo(file, { trailer: trailer => replaced(trailer, /\/Size \d+/, '/Size 12') }),
  'page content freed': file =>
    appendTo(file, { table: table => table.replace('xref\n', 'xref\n5 1\n0000000000 00001 f \n') }),
  'a page freed': file =>
    appendTo(file, { table: table => table.replace('xref\n', 'xref\n3 1\n0000000000 00001 f \n') }),
  'the table entry of the page content on another object': file => {
    const offset = String(text(file).indexOf('\n7 0 obj') + 1).padStart(10, '0');
    return appendTo(file, { table: table => table.replace('xref\n', `xref\n5 1\n${offset} 00000 n \n`) });
  },
  'an object that no table lists': file =>
    append(file, { objects: [{ number: CONTENT, text: EVIL }], table: () => 'xref\n' }),
  'a comment with an object in it': file => appendTo(file, { between: '% 5 0 obj << >> endobj\n' }),
  'a chain that loops': file => appendTo(file, { startxref: () => Number(/startxref\n(\d+)/.exec(text(file))![1]) }),
};

/** A revision that writes the pages' tree again as it was. */
const appendTo = (file: Uint8Array, change: Partial<RawIncrement>): Uint8Array =>
  append(file, { objects: [{ number: PAGES, text: newest(file, PAGES) }], ...change });

/** Rewrites the last signature of a file; lengths stay. */
const last = (file: Uint8Array, pattern: RegExp, change: (found: string) => string): Uint8Array => {
  const whole = text(file);
  const match = [...whole.matchAll(pattern)].at(-1)!;
  const to = change(match[0]);
  if (to === match[0]) throw new Error(`nothing changed: ${pattern}`);
  return bytes(whole.slice(0, match.index) + to.padEnd(match[0].length) + whole.slice(match.index + match[0].length));
};

const BYTE_RANGE = /\/ByteRange \[[^\]]*\] */g;
const CONTENTS = /\/Contents <[0-9A-F]*>/g;
const numbers = (found: string): number[] => [...found.matchAll(/\d+/g)].map(match => Number(match[0]));

const signatures: Readonly<Record<string, (file: Uint8Array) => Uint8Array>> = {
  'ByteRange that leaves the end out': file =>
    last(file, BYTE_RANGE, found => {
      const [, a, b, c] = numbers(found);
      return `/ByteRange [0 ${a} ${b} ${c! - 9}]`;
    }),
  'ByteRange that starts later': file =>
    last(file, BYTE_RANGE, found => {
      const [, a, b, c] = numbers(found);
      return `/ByteRange [1 ${a! - 1} ${b} ${c}]`;
    }),
  'ByteRange with a bigger gap': file =>
    last(file, BYTE_RANGE, found => {
      const [, a, b, c] = numbers(found);
      return `/ByteRange [0 ${a} ${b! + 2} ${c! - 2}]`;
    }),
  'ByteRange with six numbers': file => last(file, BYTE_RANGE, found => `/ByteRange [${numbers(found).join(' ')} 0 0]`),
  'ByteRange with one number': file => last(file, BYTE_RANGE, () => '/ByteRange [0]'),
  'ByteRange of names': file => last(file, BYTE_RANGE, () => '/ByteRange [/a /b /c /d]'),
  'no ByteRange': file => last(file, BYTE_RANGE, () => ''),
  'ByteRange null': file => last(file, BYTE_RANGE, () => '/ByteRange null'),
  'a gap that is no Contents': file => last(file, CONTENTS, found => found.replace('/Contents', '/Padding1')),
  'Contents of zeros': file => last(file, CONTENTS, found => found.replace(/[1-9A-F]/g, '0')),
  'empty Contents': file => last(file, CONTENTS, () => '/Contents <>'),
  'Contents null': file => last(file, CONTENTS, () => '/Contents null'),
  'Contents with blanks': file => last(file, CONTENTS, found => `${found.slice(0, -5)}    >`),
  'a shorter Contents and something in the gap': file =>
    last(file, CONTENTS, found => `${found.slice(0, -200)}>/Evil(${'x'.repeat(190)})`),
  'Contents of an earlier signature': file => {
    const [first] = [...text(file).matchAll(CONTENTS)];
    return last(file, CONTENTS, () => first![0]);
  },
  'something after the signature value': file => last(file, CONTENTS, found => `${found.slice(0, -3)}01>`),
  'another kind of signature': file => last(file, /\/SubFilter \/\S+/g, () => '/SubFilter /adbe.x509'),
  'a kind with SHA-1': file => last(file, /\/SubFilter \/\S+/g, () => '/SubFilter /adbe.pkcs7.sha1'.slice(0, 25)),
  'a timestamp that calls itself a signature': file =>
    last(file, /\/Type \/(?:Sig|DocTimeStamp)\n/g, () => '/Type /Evil\n'),
};

export interface Bases {
  /** Finished, with DSS and document timestamp. */
  readonly closed: Uint8Array;
  /** Signed by all, not closed. */
  readonly head: Uint8Array;
}

/** Everything that an outsider can do to a finished file, and to one that isn't closed. */
export function attacksOn({ closed, head }: Bases): Attack[] {
  const on = (
    where: string,
    file: Uint8Array,
    list: Readonly<Record<string, (file: Uint8Array) => Uint8Array>>,
  ): Attack[] => Object.entries(list).map(([name, make]) => ({ name: `${where}: ${name}`, make: () => make(file) }));
  return [
    ...on('finished', closed, increments),
    ...on('finished', closed, evidence),
    ...on('finished', closed, structures),
    ...on('finished', closed, signatures),
    ...on('signed', head, increments),
    ...on('signed', head, structures),
    ...on('signed', head, signatures),
  ];
}

/** Between two genuine signatures, or before the company closes: whoever signs later covers the change. */
export const shadows: Readonly<Record<string, (head: Uint8Array) => Uint8Array>> = {
  ...increments,
  'page content freed': structures['page content freed']!,
  'an object that no table lists': structures['an object that no table lists']!,
};

export const unchanged = (file: Uint8Array): Uint8Array => appendTo(file, {});
export { newest, sizeOf, stream };
