/**
 * `signpost verify` as a person calls it, on files from the real pipeline, beside what pdfsig and openssl say of the same
 * files.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Documents } from '../../../src/documents/documents.ts';
import { createDocuments } from '../../../src/documents/pipeline.ts';
import type { DocumentWorker } from '../../../src/documents/worker.ts';
import type { LoadedPki } from '../../../src/pki/load.ts';
import { completeCades, prepareCades } from '../../../src/signatures/cades.ts';
import { documentWorker } from '../../support/documents.ts';
import { foreignSigner } from '../../support/foreign.ts';
import { COMPANY, completeFor, makePki, makeSignatory, markOf, planFor } from '../../support/pades.ts';
import { simplePdf } from '../../support/pdfs.ts';
import { sealSigner } from '../../support/signers.ts';
import { has, run } from '../../support/tools.ts';
import { append } from '../../unit/signatures/attacker.ts';
import { findSignatures, opensslCms, pdfsig, pem } from '../02-pades/signed-file.ts';

const SIGNPOST = fileURLToPath(new URL('../../../bin/signpost.js', import.meta.url));

let folder: string;
let worker: DocumentWorker;
let pki: LoadedPki;
let documents: Documents;
let trust: string;
let closed: Uint8Array;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signpost-verify-'));
  worker = documentWorker();
  pki = await makePki('ecdsa-p256-sha256');
  documents = createDocuments({ worker, pki, company: COMPANY });
  trust = pki.anchors.map(pem).join('');
  writeFileSync(join(folder, 'trust.pem'), trust);
  closed = await signedBy(await simplePdf({ pages: 2, text: 'A contract' }), ['Jeanne Doé', 'Max Mustermann']);
});

afterAll(async () => {
  await worker?.close();
  rmSync(folder, { recursive: true });
});

async function signedBy(pdf: Uint8Array, names: readonly string[]): Promise<Uint8Array> {
  const { bytes, layout } = await documents.prepare(pdf, planFor(names));
  let head = bytes;
  for (const [index, name] of names.entries()) {
    const signatory = await makeSignatory(pki, name);
    const prepared = await documents.prepareSignature(head, layout, markOf(signatory, index));
    head = await completeFor(documents, pki, prepared, signatory);
  }
  return documents.close(head, layout, new Date());
}

const at = (name: string): string => join(folder, name);

function verify(...args: readonly string[]): { status: number; output: string } {
  return run(process.execPath, [SIGNPOST, 'verify', '--config', at('none.yaml'), ...args]);
}

function verifyBytes(bytes: Uint8Array, ...args: readonly string[]): { status: number; output: string } {
  writeFileSync(at('file'), bytes);
  return verify(at('file'), '--trust', at('trust.pem'), ...args);
}

/** Page content replaced, in a revision that is right in itself. */
function tampered(pdf: Uint8Array): Uint8Array {
  const content = Buffer.from(pdf)
    .toString('latin1')
    .match(/\/Contents \[?\s*(\d+) 0 R/)![1];
  return append(pdf, { objects: [{ number: Number(content), text: '<< /Length 3 >>\nstream\nq Q\nendstream' }] });
}

describe('signpost verify', () => {
  test('says of a finished document that it is unchanged, who signed and when: status 0', () => {
    const { status, output } = verifyBytes(closed);
    expect(output).toContain('This PDF is unchanged and every signature in it is valid: Jeanne Doé, Max Mustermann.');
    for (const words of [
      'Certifying company seal by Example Société SA Seal: TOTAL-PASSED',
      'Advanced signature by Jeanne Doé: TOTAL-PASSED',
      'Closing company seal',
      'Document timestamp',
      'PAdES B-LTA',
      'not revoked, by an OCSP answer in the file',
    ])
      expect(output).toContain(words);
    expect(status).toBe(0);
  });

  test('without trust: unchanged, not confirmed, and how to give trust: status 1', () => {
    writeFileSync(at('file'), closed);
    const { status, output } = verify(at('file'));
    expect(output).toContain('INDETERMINATE (NO_CERTIFICATE_CHAIN_FOUND)');
    expect(output).toContain('--trust FILE.pem');
    expect(status).toBe(1);
  });

  test('of a changed file: what was changed, where: status 2', () => {
    const { status, output } = verifyBytes(tampered(closed));
    expect(output).toMatch(
      /Don’t rely on this PDF: the file was modified after signing: .* \(object \d+ in revision \d+\)/,
    );
    expect(output).toContain('NOT ALLOWED: revision');
    expect(status).toBe(2);
  });

  test('called wrongly: status 3', () => {
    expect(verify().status).toBe(3);
    expect(verify(at('missing.pdf')).status).toBe(3);
    expect(verify('--nonsense', at('file')).status).toBe(3);
    expect(verify(at('file'), '--trust', at('file')).status).toBe(3);
  });

  test('of several files the worst counts; --json is one list', () => {
    writeFileSync(at('good.pdf'), closed);
    writeFileSync(at('bad.pdf'), tampered(closed));
    const { status, output } = verify(at('good.pdf'), at('bad.pdf'), '--trust', at('trust.pem'), '--json');
    const reports = JSON.parse(output) as { file: string; indication: string }[];
    expect(reports.map(({ file, indication }) => [file, indication])).toEqual([
      [at('good.pdf'), 'TOTAL-PASSED'],
      [at('bad.pdf'), 'TOTAL-FAILED'],
    ]);
    expect(status).toBe(2);
  });

  test('of a detached signature with its content, without it, and with another', async () => {
    const content = Buffer.from('I agree.');
    const signer = sealSigner(pki);
    const prepared = prepareCades(content, { certificate: signer.certificate, signingTime: new Date() });
    const signature = await signer.sign(prepared.toBeSigned);
    const p7s = await completeCades(prepared, content, signature, { detached: true, timestamps: pki.timestamps });
    writeFileSync(at('content'), content);
    writeFileSync(at('other'), 'I disagree.');
    expect(verifyBytes(p7s).output).toContain('SIGNED_DATA_NOT_FOUND');
    // No list of what is revoked is at hand.
    expect(verifyBytes(p7s, '--content', at('content'))).toMatchObject({
      status: 1,
      output: expect.stringContaining('TRY_LATER'),
    });
    expect(verifyBytes(p7s, '--content', at('other'))).toMatchObject({
      status: 2,
      output: expect.stringContaining('HASH_FAILURE'),
    });
  });

  test('of a file that asks for too much: an answer, in time', () => {
    const bomb = Buffer.concat([closed, Buffer.from('\n1 0 obj '), Buffer.alloc(5_000_000, '['), Buffer.from(closed)]);
    expect(verifyBytes(bomb).status).not.toBe(0);
  });
});

describe('beside other tools', () => {
  test.skipIf(!has('poppler-utils', 'libnss3-tools', 'openssl'))(
    'B5 pdfsig and openssl agree on a clean file, and see what was signed in a changed one',
    async () => {
      expect(await pdfsig(closed, trust)).not.toMatch(/Signature is Invalid|Digest Mismatch/);
      for (const found of findSignatures(closed).slice(0, -1)) expect(opensslCms(found, trust).status).toBe(0);
      expect(verifyBytes(closed).status).toBe(0);
      const [first] = findSignatures(closed);
      const broken = Buffer.from(closed);
      broken[first!.end - 300]! ^= 1;
      expect(await pdfsig(broken, trust)).toContain('Digest Mismatch');
      expect(opensslCms(findSignatures(broken)[0]!, trust).status).not.toBe(0);
      expect(verifyBytes(broken).status).toBe(2);
    },
  );

  test.skipIf(!has('poppler-utils', 'libnss3-tools', 'openssl'))(
    'signatures of others: theirs, and ours on top of theirs',
    async () => {
      const foreign = foreignSigner();
      try {
        writeFileSync(at('trust.pem'), trust + foreign.trust);
        const theirs = foreign.poppler(await simplePdf({ pages: 1, text: 'Theirs' }), 'Olga');
        const { status, output } = verifyBytes(theirs);
        expect(output).toContain('Advanced signature by Olga Other');
        expect(output).toContain('TRY_LATER');
        expect(status).toBe(1);
        const both = verifyBytes(await signedBy(theirs, ['Jeanne Doé']));
        expect(both.output).toContain('Advanced signature by Jeanne Doé: TOTAL-PASSED');
        expect(both.output).not.toContain('NOT ALLOWED');
        expect(both.status).toBe(1);
        expect(verifyBytes(tampered(theirs)).status).toBe(2);
      } finally {
        writeFileSync(at('trust.pem'), trust);
        foreign.close();
      }
    },
  );
});
