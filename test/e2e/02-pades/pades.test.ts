/**
 * The signed file in the eyes of software that isn't ours: poppler, NSS, OpenSSL and qpdf.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkGrant } from '../../../src/client/grant.ts';
import type { DocumentLayout } from '../../../src/documents/layout.ts';
import { createDocuments } from '../../../src/documents/pipeline.ts';
import type { DocumentWorker } from '../../../src/documents/worker.ts';
import type { LoadedPki } from '../../../src/pki/load.ts';
import type { SignatureAlgorithm } from '../../../src/pki/pki.ts';
import { documentWorker } from '../../support/documents.ts';
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
import { simplePdf } from '../../support/pdfs.ts';
import { has } from '../../support/tools.ts';
import { certification, compare, fieldMdp, key, kindOf, member, resolve } from './compare.ts';
import {
  type Found,
  findSignatures,
  type Json,
  opensslCms,
  opensslTs,
  pdfsig,
  pem,
  qpdfCheck,
  qpdfObjects,
  takeApart,
} from './signed-file.ts';

const NAMES = ['Jeanne Doé', 'Max Mustermann', 'Zoë Çelik'];

const cases: readonly { readonly algorithm: SignatureAlgorithm; readonly names: readonly string[] }[] = [
  { algorithm: 'ecdsa-p256-sha256', names: NAMES.slice(0, 1) },
  { algorithm: 'rsa-sha256', names: NAMES.slice(0, 1) },
  { algorithm: 'ecdsa-p256-sha256', names: NAMES },
];

for (const { algorithm, names } of cases) {
  describe(`A2 ${names.length} of ${names.length} signed, company keys ${algorithm}`, () => {
    let server: RevocationServer;
    let worker: DocumentWorker;
    let pki: LoadedPki;
    let layout: DocumentLayout;
    let signed: Uint8Array;
    let signatures: Found[];
    let trust: string;

    beforeAll(async () => {
      server = await serveRevocation();
      pki = await makePki(algorithm, server.url);
      server.pki = pki;
      trust = pki.anchors.map(pem).join('');
      worker = documentWorker();
      const documents = createDocuments({ worker, pki, company: COMPANY });
      const prepared = await documents.prepare(simplePdf(), planFor(names));
      layout = prepared.layout;
      let head = prepared.bytes;
      // In another order than they were asked, each on the newest revision.
      for (const [turn, index] of [...names.keys()].reverse().entries()) {
        const signatory = await makeSignatory(pki, names[index]!);
        const revision = await documents.prepareSignature(head, layout, markOf(signatory, index, turn));
        // Everybody has read the first revision, and checks what was appended since.
        const granted = await checkGrant({
          known: prepared.bytes,
          appended: revision.bytes.subarray(prepared.bytes.length),
          byteRange: revision.byteRange,
          signedAttributes: revision.signedAttributes,
          certificate: signatory.certificate,
          layoutOfMine: layout.signatories[index]!,
        });
        expect(granted.changed).toHaveLength(turn);
        head = await completeFor(documents, pki, revision, signatory);
      }
      signed = await documents.close(head, layout, new Date(Date.UTC(2026, 10, 24, 15)));
      signatures = findSignatures(signed);
    });

    afterAll(async () => {
      server.close();
      await worker.close();
    });

    test('has one signature each for seal, signatories and closing, and a document timestamp at its very end', () => {
      expect(signatures).toHaveLength(names.length + 3);
      expect(signatures.at(-1)!.end).toBe(signed.length);
    });

    test.skipIf(!has('poppler-utils', 'libnss3-tools'))('pdfsig finds every signature valid and trusted', async () => {
      const text = await pdfsig(signed, trust);
      const count = (phrase: string) => text.split(phrase).length - 1;
      expect(count('Signature Validation: Signature is Valid.'), text).toBe(names.length + 2);
      // poppler 22.12 may not judge again a certificate that it has judged in the same run ("Unknown issue": so with files
      // that pdfsig itself signed twice by one key). So each certificate counts where it stands first.
      const judged = new Map<string, string>();
      for (const block of text.split('Signature #').slice(1, names.length + 3)) {
        const [, subject, verdict] =
          block.match(/full Distinguished Name: ([^\n]*).*Certificate Validation: ([^\n]*)/s) ?? [];
        if (subject && verdict && !judged.has(subject)) judged.set(subject, verdict);
      }
      expect([...judged.values()], text).toEqual([...names, 'seal'].map(() => 'Certificate is Trusted.'));
      // It does not judge the document timestamp; of all others it says nothing else.
      expect(count('Signature Validation:'), text).toBe(names.length + 3);
      expect(count('Signature has not yet been verified.'), text).toBe(1);
      expect(count('Certificate Validation:'), text).toBe(names.length + 2);
      expect(count('Signature Type: ETSI.CAdES.detached'), text).toBe(names.length + 2);
      for (const name of names) expect(text).toContain(`Signer Certificate Common Name: ${name}`);
    });

    test.skipIf(!has('qpdf'))('qpdf finds nothing wrong, in any revision', () => {
      for (const { end } of signatures) {
        const { status, output } = qpdfCheck(signed.subarray(0, end));
        expect(output).toContain('No syntax or stream encoding errors found');
        expect(output).not.toMatch(/warn|error:/i);
        expect(status).toBe(0);
      }
    });

    test.skipIf(!has('openssl'))('openssl accepts each CMS as CAdES', () => {
      for (const signature of signatures.slice(0, -1)) {
        expect(opensslCms(signature, trust)).toMatchObject({ status: 0 });
        const covered = Uint8Array.from(signature.covered);
        covered[100]! ^= 1;
        expect(opensslCms({ ...signature, covered }, trust).status).not.toBe(0);
      }
    });

    test.skipIf(!has('openssl'))('openssl accepts each signature-time-stamp and the document timestamp', () => {
      for (const { cms } of signatures.slice(0, -1)) {
        const { value, token } = takeApart(cms);
        expect(opensslTs(token, value, trust)).toMatchObject({
          status: 0,
          output: expect.stringContaining('Verification: OK'),
        });
        expect(opensslTs(token, signed, trust).status).not.toBe(0);
      }
      const { cms, covered } = signatures.at(-1)!;
      expect(opensslTs(cms, covered, trust)).toMatchObject({
        status: 0,
        output: expect.stringContaining('Verification: OK'),
      });
    });

    test.skipIf(!has('qpdf'))('each revision changes only what its kind may, and no locked field', () => {
      const cuts = signatures.map(({ end }) => qpdfObjects(signed.subarray(0, end)));
      expect(certification(cuts[0]!, layout)).toBe(2);
      const locked = new Set<string>();
      const order = [...names.keys()].reverse();
      for (const [turn, index] of [...order, names.length].entries()) {
        const field = layout.signatories[index] ?? layout.closing;
        const changes = compare(cuts[turn]!, cuts[turn + 1]!);
        expect(Object.keys(changes.changed)).toEqual([key(field.object)]);
        expect(changes.changed[key(field.object)]).toEqual(['/AP', '/V']);
        expect(changes.added.map(added => kindOf(cuts[turn + 1]![added]!))).toEqual(['/Sig', '/XObject']);
        expect(locked.has(field.name)).toBe(false);
        const mdp = fieldMdp(cuts[turn + 1]!, field.object);
        if (field === layout.closing) expect(mdp).toEqual({ action: '/All', fields: [] });
        else expect(mdp).toEqual({ action: '/Include', fields: [field.name] });
        for (const name of mdp.fields) locked.add(name);
      }
      // After the closing seal: the DSS, and the document timestamp in a new, invisible field.
      const closed = cuts.at(-2)!;
      const last = cuts.at(-1)!;
      const { changed, added } = compare(closed, last);
      expect(changed).toEqual({ [key(layout.catalogObject)]: ['/DSS'], [key(layout.acroFormObject)]: ['/Fields'] });
      expect(
        added
          .map(name => kindOf(last[name]!))
          .filter(kind => kind !== 'stream')
          .sort(),
      ).toEqual(['/Annot', '/DSS', '/DocTimeStamp']);
      const widget = added.map(name => last[name]!.value).find(value => member(value, '/Type') === '/Annot');
      expect(member(widget, '/Rect')).toEqual([0, 0, 0, 0]);
      const before = member(closed[key(layout.acroFormObject)]!.value, '/Fields') as readonly Json[];
      const after = member(last[key(layout.acroFormObject)]!.value, '/Fields') as readonly Json[];
      expect(after.slice(0, -1)).toEqual(before);
    });

    test.skipIf(!has('qpdf', 'openssl'))(
      'the DSS has certificates, OCSP answers and CRL for every signature',
      async () => {
        const objects = qpdfObjects(signed);
        const dss = resolve(objects, member(objects[key(layout.catalogObject)]!.value, '/DSS'));
        const vri = member(dss, '/VRI') as { readonly [name: string]: Json };
        const { createHash } = await import('node:crypto');
        const text = Buffer.from(signed).toString('latin1');
        const contents = [...text.matchAll(/\/Contents <([0-9A-F]+)>/g)].map(match => Buffer.from(match[1]!, 'hex'));
        const names = contents
          .slice(0, -1)
          .map(octets => `/${createHash('sha1').update(octets).digest('hex').toUpperCase()}`);
        expect(Object.keys(vri).sort()).toEqual(names.sort());
        for (const entry of Object.values(vri)) {
          expect((member(entry, '/Cert') as readonly Json[]).length).toBe(4);
          expect((member(entry, '/OCSP') as readonly Json[]).length).toBe(2);
          expect((member(entry, '/CRL') as readonly Json[]).length).toBeGreaterThan(0);
        }
      },
    );
  });
}
