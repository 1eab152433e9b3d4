/**
 * Documents that arrive signed, by us or by other software, go through the pipeline: they are only added to, and what
 * poppler, NSS, OpenSSL and qpdf say of the signatures that were there doesn't change.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkGrant } from '../../../src/client/grant.ts';
import type { Documents } from '../../../src/documents/documents.ts';
import { signatureFields } from '../../../src/documents/file/fields.ts';
import { openFile } from '../../../src/documents/file/file.ts';
import { readRevisions, unusedSpans } from '../../../src/documents/file/revisions.ts';
import { dict, name } from '../../../src/documents/file/values.ts';
import type { DocumentLayout } from '../../../src/documents/layout.ts';
import { createDocuments } from '../../../src/documents/pipeline.ts';
import type { DocumentWorker } from '../../../src/documents/worker.ts';
import type { LoadedPki } from '../../../src/pki/load.ts';
import { verifyPdf } from '../../../src/signatures/verify/pdf.ts';
import { documentWorker } from '../../support/documents.ts';
import { type ForeignSigner, foreignSigner } from '../../support/foreign.ts';
import {
  COMPANY,
  completeFor,
  makePki,
  makeSignatory,
  markOf,
  planFor,
  type RevocationServer,
  serveRevocation,
} from '../../support/pades.ts';
import { qpdf, simplePdf } from '../../support/pdfs.ts';
import { has } from '../../support/tools.ts';
import { pdfsig, pem, qpdfCheck } from '../02-pades/signed-file.ts';

const ready = has('poppler-utils', 'libnss3-tools', 'qpdf', 'openssl');
if (!ready) console.warn('SKIPPING documents that arrive signed: needs poppler-utils, libnss3-tools, qpdf and openssl');

const NAMES = ['Jeanne Doé', 'Max Mustermann'];

/** An empty page with signature fields of another company's making. */
function formPdf(fields: readonly string[], more = ''): Uint8Array {
  const first = 6;
  const refs = fields.map((_, i) => `${first + i} 0 R`).join(' ');
  return simplePdf({
    catalog: `/AcroForm << /Fields [${refs}] /SigFlags 3 >>`,
    page: `/Annots [${refs}]`,
    extra: fields.map(
      (field, i) =>
        `<< /Type /Annot /Subtype /Widget /FT /Sig /T (${field}) /F 4 /P 4 0 R ${more} /Rect [72 ${500 - 100 * i} 272 ${560 - 100 * i}] >>`,
    ),
  });
}

describe.skipIf(!ready)('documents that arrive signed', () => {
  let server: RevocationServer;
  let worker: DocumentWorker;
  let pki: LoadedPki;
  let documents: Documents;
  let foreign: ForeignSigner;
  let trust: string;

  beforeAll(async () => {
    server = await serveRevocation();
    pki = await makePki('ecdsa-p256-sha256', server.url);
    server.pki = pki;
    trust = pki.anchors.map(pem).join('');
    worker = documentWorker();
    documents = createDocuments({ worker, pki, company: COMPANY });
    foreign = foreignSigner();
  });

  afterAll(async () => {
    server.close();
    foreign.close();
    await worker.close();
  });

  /** The whole way of a request; every device checks what it signs. */
  async function throughThePipeline(pdf: Uint8Array): Promise<{ bytes: Uint8Array; layout: DocumentLayout }> {
    const { bytes: first, layout } = await documents.prepare(pdf, planFor(NAMES));
    let head = first;
    for (const [index, title] of NAMES.entries()) {
      const signatory = await makeSignatory(pki, title);
      const revision = await documents.prepareSignature(head, layout, markOf(signatory, index, index));
      const { changed } = await checkGrant({
        known: first,
        appended: revision.bytes.subarray(first.length),
        byteRange: revision.byteRange,
        signedAttributes: revision.signedAttributes,
        certificate: signatory.certificate,
        layoutOfMine: layout.signatories[index]!,
      });
      expect(changed).toHaveLength(index);
      head = await completeFor(documents, pki, revision, signatory);
    }
    return { bytes: await documents.close(head, layout, new Date(Date.UTC(2026, 10, 24, 15))), layout };
  }

  /** What pdfsig says of each signature's value. */
  async function verdicts(pdf: Uint8Array): Promise<string[]> {
    const text = await pdfsig(pdf, trust);
    return [...text.matchAll(/Signature Validation: (.*)|(Signature has not yet been verified\.)/g)].map(
      match => match[1] ?? match[2]!,
    );
  }

  /** Our own verification finds every earlier signature as it was, and ours good, with nothing but signing in between. */
  function expectVerified(before: Uint8Array, after: Uint8Array): void {
    const ask = (file: Uint8Array) =>
      verifyPdf({
        file,
        content: null,
        anchors: pki.anchors,
        timestampAnchors: [],
        certificates: [],
        crls: [],
        now: new Date(),
      }).signatures;
    const [earlier, now] = [ask(before), ask(after)];
    expect(now).toHaveLength(earlier.length + 4);
    // What the signers before us did to each other's signatures is theirs: poppler leaves objects behind that nothing uses.
    const revisions = readRevisions(openFile(before)).length;
    for (const { field, intact, indication, subIndication } of earlier) {
      const same = now.find(signature => signature.field === field)!;
      expect(same.changes.filter(change => !change.allowed && change.revision > revisions)).toEqual([]);
      expect(same).toMatchObject({ intact, indication, subIndication });
    }
    const known = new Set(earlier.map(({ field }) => field));
    for (const signature of now.filter(({ field }) => !known.has(field))) {
      expect(signature).toMatchObject({ intact: true, indication: 'TOTAL-PASSED' });
    }
  }

  const VALID = 'Signature is Valid.';

  async function expectOnlyAdded(before: Uint8Array, after: Uint8Array): Promise<void> {
    expectVerified(before, after);
    expect(Buffer.compare(after.subarray(0, before.length), before)).toBe(0);
    const earlier = await verdicts(before);
    const now = await verdicts(after);
    expect(earlier).toContain(VALID);
    // pdfsig lists fields in the form's order: ours come last.
    expect(now.slice(0, earlier.length)).toEqual(earlier);
    const added = now.slice(earlier.length);
    // Both signatories and the closing seal; the timestamp is not judged by poppler.
    expect(added.filter(verdict => verdict === VALID)).toHaveLength(3);
    expect(added).toHaveLength(4);
    const file = openFile(after);
    for (const revision of readRevisions(file)) {
      expect(qpdfCheck(after.subarray(0, revision.end))).toMatchObject({ status: 0 });
      if (revision.start >= before.length) expect(unusedSpans(file, revision)).toEqual([]);
    }
  }

  const sources: Readonly<Record<string, () => Uint8Array>> = {
    'poppler, in a file with tables': () => foreign.poppler(simplePdf({ pages: 2 }), 'Other'),
    'poppler, in a file with streams': () =>
      foreign.poppler(qpdf(simplePdf({ pages: 2 }), ['--object-streams=generate']), 'Other'),
    'poppler twice, in a linearized file': () =>
      foreign.poppler(foreign.poppler(qpdf(simplePdf(), ['--linearize']), 'Other'), 'Another'),
    'openssl, in a form of its own': () => foreign.openssl(formPdf(['Other', 'Empty']), 'Other'),
  };

  test.each(Object.keys(sources))('signed by %s: stamps are added, nothing else', async source => {
    const before = sources[source]!();
    const inspection = await documents.inspect(before);
    expect(inspection.signatures).toMatchObject({ count: source.includes('twice') ? 2 : 1, invisibleOnly: false });
    const { bytes, layout } = await throughThePipeline(before);
    expect(layout.seal).toBeNull();
    for (const { box } of [...layout.signatories, layout.closing]) expect(box).not.toBeNull();
    expect(openFile(bytes).newest.kind).toBe(openFile(before).newest.kind);
    await expectOnlyAdded(before, bytes);
  });

  test('certified for filling in and signing (P = 2): the empty fields that it has are signed', async () => {
    const before = foreign.openssl(formPdf(['Author', 'Buyer', 'Seller']), 'Author', { certify: 2 });
    expect((await documents.inspect(before)).signatures).toMatchObject({ invisibleOnly: true });
    const { bytes, layout } = await throughThePipeline(before);
    expect(layout.signatories.map(field => field.name)).toEqual(['Buyer', 'Seller']);
    expect(layout.closing.box).toBeNull();
    await expectOnlyAdded(before, bytes);
  });

  test.each([2, 3] as const)(
    'certified P = %i with too few fields of its own: signatures are invisible, and no page changes',
    async certify => {
      const before = foreign.openssl(formPdf(['Author', 'Buyer']), 'Author', { certify });
      const { bytes, layout } = await throughThePipeline(before);
      for (const { box } of [...layout.signatories, layout.closing]) expect(box).toBeNull();
      const changed = new Set(
        readRevisions(openFile(bytes))
          .slice(2)
          .flatMap(revision => [...revision.entries()].map(([number]) => number)),
      );
      // The page and its content.
      for (const number of [4, 5]) expect(changed.has(number)).toBe(false);
      await expectOnlyAdded(before, bytes);
    },
  );

  test('B2 our own result goes through again: every signature of both rounds is valid', async () => {
    const { bytes: first } = await throughThePipeline(simplePdf({ pages: 2 }));
    const inspection = await documents.inspect(first);
    expect(inspection.signatures).toMatchObject({ count: 5, invisibleOnly: true });
    const { bytes: second } = await throughThePipeline(first);
    await expectOnlyAdded(first, second);
    const fields = signatureFields(openFile(second));
    expect(fields).toHaveLength(9);
    expect(fields.every(({ signature }) => signature !== null)).toBe(true);
    // The store of validation data has what both rounds need.
    const vri = (pdf: Uint8Array) => {
      const file = openFile(pdf);
      const dss = file.resolve(file.dict(file.trailer.root).get('DSS')) as ReadonlyMap<string, unknown>;
      return [...(dss.get('VRI') as ReadonlyMap<string, unknown>).keys()];
    };
    expect(vri(second)).toEqual(expect.arrayContaining(vri(first)));
    expect(vri(second)).toHaveLength(vri(first).length + 3);
  });

  const forbidden: Readonly<Record<string, () => Uint8Array>> = {
    'certified, no changes (P = 1)': () => foreign.openssl(formPdf(['Other', 'Empty']), 'Other', { certify: 1 }),
    'a lock of the document by an approval': () =>
      foreign.openssl(formPdf(['Other'], '/Lock << /Type /SigFieldLock /Action /All /P 1 >>'), 'Other', {
        fieldMdp: dict({ Action: name('All'), V: name('1.2') }),
      }),
  };

  test.each(Object.keys(forbidden))('refused with its own reason: %s', async what => {
    const pdf = forbidden[what]!();
    await expect(documents.inspect(pdf)).rejects.toMatchObject({ reason: 'certified-no-changes' });
    await expect(documents.prepare(pdf, planFor(NAMES))).rejects.toMatchObject({ reason: 'certified-no-changes' });
  });

  test('Standard is refused for a signed document, with its own reason', async () => {
    const plan = planFor(NAMES);
    const signatories = plan.signatories.map(signatory => ({ ...signatory, level: 'standard' as const }));
    await expect(
      documents.prepare(foreign.openssl(formPdf(['Other']), 'Other'), { ...plan, signatories }),
    ).rejects.toMatchObject({ reason: 'already-signed-standard' });
  });
});
