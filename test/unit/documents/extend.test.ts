/**
 * Signed files stay provable over years: a company's PKI whose clock the tests move, and timestamp authorities whose
 * certificates end soon.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DocumentRefused } from '../../../src/documents/documents.ts';
import { createExtender, type Extender, ExtensionRefused } from '../../../src/documents/extend.ts';
import { openFile } from '../../../src/documents/file/file.ts';
import { readRevisions } from '../../../src/documents/file/revisions.ts';
import type { DocumentWorker } from '../../../src/documents/worker.ts';
import { TimestampUnavailable } from '../../../src/pki/pki.ts';
import { parseCertificate } from '../../../src/pki/x509.ts';
import { readStore } from '../../../src/signatures/verify/pdf-dss.ts';
import type { FileReport } from '../../../src/signatures/verify/result.ts';
import { verifyFile } from '../../../src/signatures/verify/verify.ts';
import { documentWorker } from '../../support/documents.ts';
import { DAY, finished, makeTimedPki, type TimedPki } from '../../support/extending.ts';
import { simplePdf } from '../../support/pdfs.ts';

let worker: DocumentWorker;
let pki: TimedPki;
let extender: Extender;
let closed: Uint8Array;

beforeAll(async () => {
  worker = documentWorker();
  pki = await makeTimedPki();
  extender = createExtender({ worker, pki: pki.parts, timestampAnchors: [], now: pki.now });
  closed = await finished(pki);
});
afterAll(() => worker.close());

const verify = async (file: Uint8Array): Promise<FileReport> =>
  verifyFile({
    file,
    content: null,
    anchors: pki.parts.anchors,
    timestampAnchors: [],
    certificates: [],
    crls: [],
    now: pki.now(),
  });

const refusal = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => {
      throw new Error('it was not refused');
    },
    (error: Error) => error,
  );

describe('a document through the years', () => {
  test('stays TOTAL-PASSED and B-LTA, extended before each timestamp certificate ends; unextended it does not', async () => {
    expect(await verify(closed)).toMatchObject({ indication: 'TOTAL-PASSED' });
    let file = closed;
    for (let turn = 1; turn <= 3; turn++) {
      const end = (await extender.timestampEnd(file))!;
      expect(end).toEqual(parseCertificate(pki.timestamper()).notAfter);
      pki.moveTo(new Date(end.getTime() - 10 * DAY));
      await pki.renewTimestamper(400 * DAY);
      const before = file;
      file = await extender.extend(file);
      expect(Buffer.compare(file.subarray(0, before.length), before)).toBe(0);
      expect(readRevisions(openFile(file))).toHaveLength(readRevisions(openFile(before)).length + 2);
      expect((await extender.timestampEnd(file))!.getTime()).toBeGreaterThan(end.getTime());
      pki.moveTo(new Date(end.getTime() + DAY));
      const report = await verify(file);
      expect(report, report.reason).toMatchObject({ indication: 'TOTAL-PASSED' });
      expect(report.signatures).toHaveLength(4 + turn);
      for (const { kind, level, changes } of report.signatures) {
        if (kind !== 'document-timestamp') expect(level).toBe('B-LTA');
        expect(changes.filter(({ allowed }) => !allowed)).toEqual([]);
      }
      expect(await verify(before)).toMatchObject({ indication: 'INDETERMINATE' });
    }
    // The person's certificate ended long ago, the first timestamp's too.
    expect(pki.now().getTime()).toBeGreaterThan(pki.start.getTime() + 800 * DAY);
  });

  test('a file whose newest timestamp has aged is refused, saying which', async () => {
    const error = await refusal(extender.extend(closed));
    expect(error).toBeInstanceOf(ExtensionRefused);
    expect(error.message).toMatch(/^the document timestamp of .* does not hold any more: .*expired on /);
  });
});

describe('what an extension adds', () => {
  let world: TimedPki;
  let own: Extender;
  beforeAll(async () => {
    world = await makeTimedPki();
    own = createExtender({ worker, pki: world.parts, timestampAnchors: [], now: world.now });
  });

  test('is merged with the store that is there: nothing is lost, nothing stands twice', async () => {
    const file = await finished(world);
    world.moveTo(new Date(world.now().getTime() + 20 * DAY));
    const once = await own.extend(file);
    const twice = await own.extend(once);
    const stores = [file, once, twice].map(bytes => readStore(openFile(bytes))!);
    for (const [i, store] of stores.entries()) {
      for (const entry of stores[i - 1]?.listed ?? []) expect(store.listed).toContain(entry);
    }
    const opened = openFile(twice);
    const digests = [...stores[2]!.leaves.keys()].map(number =>
      createHash('sha256').update(opened.object(number).stream!).digest('hex'),
    );
    expect(new Set(digests).size).toBe(digests.length);
    const of = (i: number, kind: string) => [...stores[i]!.leaves.values()].filter(leaf => leaf === kind).length;
    // Nobody new within a day; the responder's certificate is renewed more often than the documents are extended.
    expect(of(2, 'certificate')).toBe(of(1, 'certificate'));
    expect(of(1, 'OCSP')).toBeGreaterThan(of(0, 'OCSP'));
    // A new list, which is current for the second extension, too.
    expect([of(0, 'CRL'), of(1, 'CRL'), of(2, 'CRL')]).toEqual([1, 2, 2]);
  });

  test('needs a timestamp: without an authority nothing comes out', async () => {
    const file = await finished(world);
    const down = { stamp: () => Promise.reject(new TimestampUnavailable('down')) };
    const none = createExtender({
      worker,
      pki: { ...world.parts, timestamps: down },
      timestampAnchors: [],
      now: world.now,
    });
    await expect(none.extend(file)).rejects.toThrow(TimestampUnavailable);
  });

  test('a person whose certificate was revoked after signing keeps the signature', async () => {
    const file = await finished(world);
    world.moveTo(new Date(world.now().getTime() + 60_000));
    await world.parts.ca.revoke(world.lastPerson(), 'superseded');
    world.moveTo(new Date(world.now().getTime() + 5 * DAY));
    await own.extend(file);
  });

  test('one bit that changed is found, and the signature that covers it is named', async () => {
    const file = await finished(world);
    const changed = Uint8Array.from(file);
    const at = Buffer.from(file).indexOf('Tj ET');
    changed[at - 5]! ^= 1;
    const error = await refusal(own.extend(changed));
    expect(error).toBeInstanceOf(ExtensionRefused);
    expect(error.message).toMatch(/^the signature of Example Société SA Seal \(field Seal\) does not hold any more: /);
  });

  test('what was added after the end without leave is refused', async () => {
    const file = await finished(world);
    const added = Buffer.concat([file, Buffer.from('\n% more\n')]);
    await expect(own.extend(added)).rejects.toThrow(/damaged|does not hold/);
  });
});

describe('files that can not be extended', () => {
  const reasonOf = async (file: Uint8Array): Promise<string> => {
    const error = await refusal(extender.extend(file));
    return error instanceof DocumentRefused ? error.reason : error.message;
  };

  test('each is refused with its reason', async () => {
    expect(await reasonOf(simplePdf())).toBe('it is not signed; there is nothing to extend');
    expect(await reasonOf(Buffer.from('PK\x03\x04 no PDF'))).toBe('not-pdf');
    expect(await reasonOf(new Uint8Array())).toBe('not-pdf');
    expect(await reasonOf(closed.subarray(0, closed.length - 40))).toBe('damaged');
    const encrypted = Buffer.from(
      Buffer.from(simplePdf()).toString('latin1').replace('/Root', '/Encrypt 1 0 R /Root'),
      'latin1',
    );
    expect(await reasonOf(encrypted)).toBe('encrypted');
  });
});
