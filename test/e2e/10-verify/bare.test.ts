/** PKCS#7 signatures without signed attributes, as old software makes them: they hold, but say less than PAdES asks for. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromPem } from '../../../src/pki/x509.ts';
import type { FileReport } from '../../../src/signatures/verify/result.ts';
import { verifyFile } from '../../../src/signatures/verify/verify.ts';
import { type ForeignSigner, foreignSigner } from '../../support/foreign.ts';
import { pdfOf } from '../../support/pdfs.ts';
import { has, run } from '../../support/tools.ts';
import { append } from '../../unit/signatures/attacker.ts';

const CONTENT = 'BT /F1 18 Tf 72 700 Td (I owe you 100 EUR) Tj ET';

describe.skipIf(!has('poppler-utils', 'libnss3-tools', 'openssl'))('without signed attributes', () => {
  let foreign: ForeignSigner;
  let folder: string;
  let signed: Uint8Array;

  beforeAll(() => {
    foreign = foreignSigner();
    folder = mkdtempSync(join(tmpdir(), 'signpost-bare-'));
    const pdf = pdfOf([
      '<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R] /SigFlags 3 >> >>',
      '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
      '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [5 0 R] /Resources << >> >>',
      { dict: '', data: Buffer.from(CONTENT) },
      '<< /Type /Annot /Subtype /Widget /FT /Sig /T (Olga) /F 132 /Rect [0 0 0 0] /P 3 0 R >>',
    ]);
    signed = foreign.openssl(pdf, 'Olga', { bare: true });
  });
  afterAll(() => {
    foreign?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const verify = (file: Uint8Array): Promise<FileReport> =>
    verifyFile({
      file,
      content: null,
      anchors: fromPem(foreign.trust),
      timestampAnchors: [],
      certificates: [],
      crls: [],
      now: new Date(),
    });

  function pdfsig(file: Uint8Array): string {
    const path = join(folder, 'signed.pdf');
    writeFileSync(path, file);
    return run('pdfsig', ['-nocert', path]).output;
  }

  const replaced = (from: string, to: string): Uint8Array =>
    Buffer.from(Buffer.from(signed).toString('latin1').replace(from, to), 'latin1');

  test('it holds, which pdfsig says, too; what it lacks keeps a question open', async () => {
    expect(pdfsig(signed)).toContain('Signature is Valid');
    const report = await verify(signed);
    expect(report).toMatchObject({ indication: 'INDETERMINATE', subIndication: 'SIG_CONSTRAINTS_FAILURE' });
    expect(report.reason).toContain(
      'unchanged since it was signed, but one question stays open: it has no signed attributes',
    );
    expect(report.signatures).toMatchObject([{ intact: true, level: null, signer: { name: 'Olga Other' } }]);
  });

  test('changed content and changed signature fail', async () => {
    const changed = replaced('100 EUR', '900 EUR');
    expect(pdfsig(changed)).not.toContain('Signature is Valid');
    expect(await verify(changed)).toMatchObject({ indication: 'TOTAL-FAILED', subIndication: 'SIG_CRYPTO_FAILURE' });
  });

  test('a change behind it fails', async () => {
    const text = `<< /Length ${CONTENT.length} >>\nstream\n${CONTENT.replace('100', '900')}\nendstream`;
    const report = await verify(append(signed, { objects: [{ number: 4, text }] }));
    expect(report).toMatchObject({ indication: 'TOTAL-FAILED', subIndication: 'FORMAT_FAILURE' });
    expect(report.reason).toContain('modified after signing');
  });

  test('where CAdES is claimed, signed attributes are a matter of form', async () => {
    const report = await verify(replaced('/adbe.pkcs7.detached', '/ETSI.CAdES.detached'));
    expect(report).toMatchObject({ indication: 'TOTAL-FAILED', subIndication: 'FORMAT_FAILURE' });
    expect(report.reason).toContain('no signed attributes');
  });
});
