import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openFile } from '../../../../src/documents/file/file.ts';
import { PdfSyntaxError } from '../../../../src/documents/file/parser.ts';
import { readRevisions, unusedSpans } from '../../../../src/documents/file/revisions.ts';
import { octets } from '../../../../src/documents/file/values.ts';
import { writeIncrement } from '../../../../src/documents/increment-writer.ts';
import { qpdfCheck, qpdfObjects } from '../../../e2e/02-pades/signed-file.ts';
import { planFor, smallWorker } from '../../../support/pades.ts';
import { qpdf, simplePdf } from '../../../support/pdfs.ts';
import { has } from '../../../support/tools.ts';
import { entry, FileText, offsets } from './file-text.ts';

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** Catalog, page tree, page. */
const BODY = [
  '1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n',
  '2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n',
  '3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>\nendobj\n',
];

function plainFile(more: readonly string[] = [], trailer = ''): FileText {
  const file = new FileText('%PDF-1.7\n');
  file.add(...BODY, ...more);
  file.table({ trailer: `/Root 1 0 R ${trailer}` });
  return file;
}

describe('classic tables', () => {
  test('of several subsections and any end of line are read', () => {
    for (const eol of [' \n', ' \r', '\r\n']) {
      const file = new FileText('%PDF-1.4\r');
      file.add(...BODY, '9 2 obj (nine) endobj ');
      const [one, two, three, nine] = offsets(file.text, [1, 2, 3, 9]);
      const lines = (...parts: string[]) => parts.join(eol) + eol;
      file.put(
        `xref \r\n0  2\r${lines('0000000000 65535 f', entry(one!).trim())}2 2 \n${lines(entry(two!).trim(), entry(three!).trim())}` +
          `9 1\n${lines(entry(nine!, 2).trim())}trailer<</Size 10/Root 1 0 R>>\rstartxref\r\n${file.text.length}\r\n%%EOF\r\n  \0`,
      );
      const open = openFile(file.bytes);
      expect(open.dict(3).get('Type')).toEqual({ name: 'Page' });
      expect(open.object(9)).toMatchObject({ generation: 2, value: { string: 'nine' } });
      expect(open.resolve({ ref: 9, generation: 2 })).toEqual({ string: 'nine' });
      // Of another generation, and beyond Size: undefined, so null (§7.3.10).
      expect(open.resolve({ ref: 9 })).toBeNull();
      expect(open.resolve({ ref: 4 })).toBeNull();
      expect(open.resolve({ ref: 99 })).toBeNull();
      expect(() => open.object(4)).toThrow(PdfSyntaxError);
    }
  });

  const evil: Readonly<Record<string, (good: string) => string>> = {
    'no header': text => text.slice(5),
    'something before the header': text => `x${text}`,
    'something after the end': text => `${text}x`,
    'an end without startxref': text => text.replace('startxref', 'startxxxx'),
    'a startxref elsewhere': text => text.replace(/startxref\n\d+/, 'startxref\n7'),
    'a startxref beyond the file': text => text.replace(/startxref\n\d+/, 'startxref\n9999999'),
    'no trailer': text => text.replace('trailer', 'troiler'),
    'no catalog': text => text.replace('/Root 1 0 R', '/Root 7 0 R'),
    'a catalog of another generation': text => text.replace('/Root 1 0 R', '/Root 1 1 R'),
    'a size that leaves the catalog out': text => text.replace('/Size 4', '/Size 1'),
    'a size that is no number': text => text.replace('/Size 4', '/Size [4]'),
    'two sizes': text => text.replace('/Size 4', '/Size 4 /Size 5'),
    encryption: text => text.replace('/Root', '/Encrypt 3 0 R /Root'),
    'an entry that is too short': text => text.replace(' 00000 n \n', ' 00000 n\n'),
    'an entry of another kind': text => text.replace(' 00000 n \n', ' 00000 x \n'),
    'an object in two subsections': text => text.replace('trailer', `1 1\n${entry(9)}trailer`),
    'more entries than the file has room for': text => text.replace('0 4', '0 4000000'),
    'a Prev that is itself': text => text.replace('/Root', `/Prev ${/startxref\n(\d+)/.exec(text)![1]} /Root`),
    'a Prev that is no section': text => text.replace('/Root', '/Prev 20 /Root'),
    'a negative Prev': text => text.replace('/Root', '/Prev -1 /Root'),
    'a hybrid part that is none': text => text.replace('/Root', '/XRefStm 9 /Root'),
    'a broken identifier': text => text.replace('/Root', '/ID [1 2] /Root'),
    'an identifier of three': text => text.replace('/Root', '/ID [(a) (b) (c)] /Root'),
  };
  const good = plainFile().text;
  test('the good file is good', () => expect(openFile(octets(good)).dict(3).size).toBe(3));
  test.each(Object.keys(evil))('%s is refused', what => {
    const text = evil[what]!(good);
    expect(text).not.toBe(good);
    expect(() => {
      const file = openFile(octets(text));
      file.object(3);
      return [...file.sections()];
    }).toThrow(PdfSyntaxError);
  });

  test('that point at each other are refused', () => {
    const file = plainFile();
    const first = file.startxref;
    file.table({ numbers: [1], trailer: '/Size 4 /Root 1 0 R', prev: first });
    const second = file.startxref;
    // The first section now points at the second: both 10 digits wide, so that nothing moves.
    const text = file.text.replace('/Root 1 0 R ', `/Root 1 0 R /Prev ${second} `);
    const moved = text.replace(/startxref\n\d+\n%%EOF\n$/, `startxref\n${text.lastIndexOf('xref\n1 1')}\n%%EOF\n`);
    const loop = moved.replace(
      /\/Prev \d+ /,
      `/Prev ${String(moved.lastIndexOf('xref\n1 1')).padStart(String(second).length, '0')} `,
    );
    expect(() => openFile(octets(loop)).find(2)).not.toThrow();
    expect(() => [...openFile(octets(loop)).sections()]).toThrow(/loops/);
  });
});

describe('streams', () => {
  const xrefStream = (file: FileText, entries: readonly (readonly [number, number, number])[], more = '') =>
    file.stream({ entries, trailer: `/Root 1 0 R ${more}` });

  test('of cross-references and objects are read, with predictors', () => {
    for (const options of [{}, { deflate: true }, { deflate: true, predictor: true }]) {
      const file = new FileText('%PDF-1.7\n');
      file.add(BODY[0]!, BODY[1]!);
      const objects = '3 0 5 10 << /A 1 >> (five)';
      const body = options.deflate ? deflateSync(octets(objects)) : octets(objects);
      file.add(
        `4 0 obj\n<< /Type /ObjStm /N 2 /First 9 /Length ${body.length}${options.deflate ? ' /Filter /FlateDecode' : ''} >>\nstream\n${latin1(body)}\nendstream\nendobj\n`,
      );
      const [one, two, four] = offsets(file.text, [1, 2, 4]);
      file.stream({
        entries: [
          [0, 0, 255],
          [1, one!, 0],
          [1, two!, 0],
          [2, 4, 0],
          [1, four!, 0],
          [2, 4, 1],
        ],
        trailer: '/Root 1 0 R',
        ...options,
      });
      const open = openFile(file.bytes);
      expect(open.object(3)).toMatchObject({ value: new Map([['A', 1]]), container: 4 });
      expect(open.resolve({ ref: 5 })).toEqual({ string: 'five' });
      expect(open.newest.kind).toBe('stream');
      expect(unusedSpans(open, readRevisions(open)[0]!)).toEqual([]);
    }
  });

  test.each<[string, string, number]>([
    ['another number in its place', '9 0 << /A 1 >>', 0],
    ['an index that it has not', '3 0 << /A 1 >>', 7],
    ['a value that runs into the next', '3 0 5 4 << /A 1 >>', 0],
    ['a reference alone', '3 0 1 0 R ', 0],
    ['a number twice', '3 0 3 2 1 2 3 4', 0],
  ])('an object in a stream with %s is refused', (_, objects, index) => {
    const file = new FileText('%PDF-1.7\n');
    file.add(BODY[0]!, BODY[1]!);
    const count = /^(\d+ \d+ )(\d+ \d+ )?(?=<<|\d+ 0 R |\d+ \d+ \d+ \d+$|1 )/.exec(objects)?.[0].length ?? 4;
    file.add(
      `4 0 obj\n<< /Type /ObjStm /N ${count > 5 ? 2 : 1} /First ${count} /Length ${objects.length} >>\nstream\n${objects}\nendstream\nendobj\n`,
    );
    const [one, two, four] = offsets(file.text, [1, 2, 4]);
    xrefStream(file, [
      [0, 0, 255],
      [1, one!, 0],
      [1, two!, 0],
      [2, 4, index],
      [1, four!, 0],
    ]);
    const open = openFile(file.bytes);
    expect(() => open.find(3)).toThrow(PdfSyntaxError);
    expect(open.dict(1).size).toBe(2);
  });

  test('in streams, and lengths in circles, are refused', () => {
    const file = new FileText('%PDF-1.7\n');
    file.add(
      BODY[0]!,
      BODY[1]!,
      // An object stream whose length stands in itself, and one that says it stands in another.
      '4 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Length 5 0 R >>\nstream\n5 0 9\nendstream\nendobj\n',
    );
    const [one, two, four] = offsets(file.text, [1, 2, 4]);
    xrefStream(file, [
      [0, 0, 255],
      [1, one!, 0],
      [1, two!, 0],
      [2, 6, 0],
      [1, four!, 0],
      [2, 4, 0],
      [2, 4, 0],
    ]);
    const open = openFile(file.bytes);
    for (const number of [3, 4, 5, 6]) expect(() => open.find(number)).toThrow(PdfSyntaxError);
  });

  test('that expand without measure are refused, and cost little', () => {
    const bomb = deflateSync(Buffer.alloc(200 << 20));
    const file = new FileText('%PDF-1.7\n');
    file.add(
      BODY[0]!,
      BODY[1]!,
      `4 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length ${bomb.length} >>\nstream\n${latin1(bomb)}\nendstream\nendobj\n`,
    );
    const [one, two, four] = offsets(file.text, [1, 2, 4]);
    const entries = [
      [0, 0, 255] as const,
      [1, one!, 0] as const,
      [1, two!, 0] as const,
      [2, 4, 0] as const,
      [1, four!, 0] as const,
    ];
    xrefStream(file, entries);
    expect(() => openFile(file.bytes).find(3)).toThrow(/expands too much/);
    // A cross-reference stream that is one, and one that says so only.
    const wide = new FileText('%PDF-1.7\n');
    wide.add(...BODY);
    wide.put(
      `9 0 obj\n<< /Type /XRef /Size 10 /W [1 4 2] /Root 1 0 R /Filter /FlateDecode /Length ${bomb.length} >>\nstream\n${latin1(bomb)}\nendstream\nendobj\nstartxref\n${wide.text.length}\n%%EOF\n`,
    );
    expect(() => openFile(wide.bytes)).toThrow(/expands too much/);
    const long = wide.text.replace('/Size 10 /W [1 4 2]', '/Size 2000000000 /W [1 4 2]');
    expect(() => openFile(octets(long))).toThrow(PdfSyntaxError);
  });

  test('all share one budget', () => {
    const file = plainFile();
    const streams = qpdf(file.bytes, ['--object-streams=generate']);
    expect(() => openFile(streams, { maxDecoded: 10 })).toThrow(/expands too much/);
    expect(openFile(streams, { maxDecoded: 10_000 }).trailer.size).toBeGreaterThan(3);
  });
});

describe('hybrid files', () => {
  function hybrid(hiddenOffset: (offset: number) => number): Uint8Array {
    const file = new FileText('%PDF-1.7\n');
    file.add(...BODY, '4 0 obj (visible) endobj\n', '5 0 obj (hidden) endobj\n');
    const [four, five] = offsets(file.text, [4, 5]);
    const at = file.text.length;
    file.streamObject(6, {
      entries: [
        [1, hiddenOffset(four!), 0],
        [1, five!, 0],
      ],
      index: [4, 2],
      trailer: '',
    });
    file.table({ numbers: [1, 2, 3, 4], free: [5], trailer: `/Size 6 /Root 1 0 R /XRefStm ${at}` });
    return file.bytes;
  }

  test('hide objects in a stream behind free entries', () => {
    const open = openFile(hybrid(offset => offset));
    expect(open.resolve({ ref: 4 })).toEqual({ string: 'visible' });
    expect(open.resolve({ ref: 5 })).toEqual({ string: 'hidden' });
    const [revision] = readRevisions(open);
    expect([...revision!.entries()].map(([number]) => number)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(qpdfObjects(hybrid(offset => offset))['obj:5 0 R']).toEqual({ value: 'u:hidden' });
  });

  test('that put an object in two places are refused', () => {
    const open = openFile(hybrid(offset => offset + 1));
    expect(() => open.find(4)).toThrow(/two places/);
  });
});

describe('revisions', () => {
  test.skipIf(!has('qpdf'))('end where they end, and say what they change', async () => {
    for (const how of [
      [],
      ['--object-streams=generate'],
      ['--linearize'],
      ['--linearize', '--object-streams=generate'],
    ]) {
      const first = how.length === 0 ? simplePdf() : qpdf(simplePdf(), how);
      const { root, size } = openFile(first).trailer;
      const catalog = openFile(first).dict(root);
      const one = writeIncrement(openFile(first), [{ number: size, value: { string: 'new' } }], 'one');
      const second = Buffer.concat([first, one.appended]);
      const more = openFile(second).trailer.size;
      const two = writeIncrement(
        openFile(second),
        [
          { number: root, value: new Map([...catalog, ['Lang', { string: 'en' }]]) },
          { number: more, value: new Map(), stream: octets('x') },
        ],
        'two',
      );
      const third = Buffer.concat([second, two.appended]);
      expect(qpdfCheck(third)).toMatchObject({ status: 0 });
      const file = openFile(third);
      const revisions = readRevisions(file);
      expect(revisions.map(({ start, end }) => [start, end])).toEqual([
        [0, first.length],
        [first.length, second.length],
        [second.length, third.length],
      ]);
      expect([...revisions[1]!.entries()].map(([number]) => number).filter(number => number <= size)).toEqual([size]);
      expect([...revisions[2]!.entries()].map(([number]) => number).slice(0, 2)).toEqual(
        [root, more].sort((a, b) => a - b),
      );
      for (const revision of revisions) expect(unusedSpans(file, revision)).toEqual([]);
      const then = openFile(third.subarray(0, revisions[1]!.end));
      expect(then.dict(root)).toEqual(catalog);
      expect(file.dict(root).get('Lang')).toEqual({ string: 'en' });
    }
  });

  test('show what stands between their objects', async () => {
    const { bytes } = await smallWorker.firstRevision(new Uint8Array(), planFor(['A B']));
    const file = openFile(bytes);
    const { appended } = writeIncrement(file, [{ number: file.trailer.size, value: 1 }], '');
    const text = latin1(appended).replace('endobj\n', 'endobj\n7 0 obj 2 endobj');
    const moved = text.replace(/startxref\n(\d+)/, (_, at: string) => `startxref\n${Number(at) + 16}`);
    const whole = openFile(Buffer.concat([bytes, Buffer.from(moved, 'latin1')]));
    const [, revision] = readRevisions(whole);
    const [span] = unusedSpans(whole, revision!);
    expect(latin1(whole.bytes.subarray(span!.start, span!.end))).toBe('7 0 obj 2 endobj');
  });

  test('that the chain skips are seen as such, and a startxref elsewhere is refused', () => {
    const file = plainFile();
    const first = file.startxref;
    file.table({ numbers: [1], trailer: '/Size 4 /Root 1 0 R', prev: first });
    const second = file.startxref;
    // A third section that goes back to the first, before the second: the second revision would be skipped.
    file.table({ numbers: [1], trailer: '/Size 4 /Root 1 0 R', prev: first });
    const skipping = openFile(file.bytes);
    const skipped = readRevisions(skipping);
    expect(skipped).toHaveLength(2);
    expect(unusedSpans(skipping, skipped[1]!)).toMatchObject([{ start: second }]);
    const wrong = file.text.replace(`startxref\n${first}\n`, `startxref\n${first + 1}\n`);
    expect(() => readRevisions(openFile(octets(wrong)))).toThrow(PdfSyntaxError);
  });
});
