/** Signatures by other software than ours: poppler's with a key in NSS, and OpenSSL's CMS with any permissions. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signatureFields } from '../../src/documents/file/fields.ts';
import { openFile } from '../../src/documents/file/file.ts';
import { dict, name, type PdfValue, ref } from '../../src/documents/file/values.ts';
import { putContents } from '../../src/documents/increment.ts';
import { writeSigned, ZEROED } from '../../src/documents/increment-signature.ts';
import { run } from './tools.ts';

export interface ForeignSigner {
  /** The signer's self-made authority, PEM. */
  readonly trust: string;
  /** Adds a visible signature with pdfsig. */
  poppler(pdf: Uint8Array, field: string): Uint8Array;
  /** Signs an empty field with OpenSSL; certifies where `certify` is given. `bare`: PKCS#7 without signed attributes. */
  openssl(
    pdf: Uint8Array,
    field: string,
    how?: { readonly certify?: 1 | 2 | 3; readonly fieldMdp?: PdfValue; readonly bare?: boolean },
  ): Uint8Array;
  close(): void;
}

function must(program: string, args: readonly string[]): void {
  const { status, output } = run(program, args);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${output}`);
}

export function foreignSigner(): ForeignSigner {
  const folder = mkdtempSync(join(tmpdir(), 'signpost-foreign-'));
  const at = (file: string) => join(folder, file);
  const nss = `sql:${folder}`;
  const key = ['-newkey', 'rsa:2048', '-nodes', '-sha256', '-days', '30'];
  must('openssl', [
    ...['req', '-x509', ...key, '-subj', '/CN=Other Company CA', '-keyout', at('ca.key'), '-out', at('ca.pem')],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  ]);
  must('openssl', ['req', ...key.slice(0, 3), '-subj', '/CN=Olga Other', '-keyout', at('key'), '-out', at('csr')]);
  writeFileSync(at('ext'), 'keyUsage=critical,digitalSignature,nonRepudiation\nextendedKeyUsage=emailProtection\n');
  must('openssl', [
    ...['x509', '-req', '-in', at('csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial'],
    ...['-days', '30', '-sha256', '-extfile', at('ext'), '-out', at('cert.pem')],
  ]);
  must('openssl', [
    ...['pkcs12', '-export', '-in', at('cert.pem'), '-inkey', at('key'), '-name', 'other', '-passout', 'pass:x'],
    ...['-out', at('other.p12')],
  ]);
  must('certutil', ['-N', '-d', nss, '--empty-password']);
  must('certutil', ['-A', '-d', nss, '-n', 'ca', '-t', 'CT,C,C', '-i', at('ca.pem')]);
  must('pk12util', ['-i', at('other.p12'), '-d', nss, '-W', 'x']);

  return {
    trust: readFileSync(at('ca.pem'), 'utf8'),
    poppler(pdf, field) {
      writeFileSync(at('in.pdf'), pdf);
      must('pdfsig', [
        ...[at('in.pdf'), at('out.pdf'), '-add-signature', '-new-signature-field-name', field],
        ...['-nssdir', nss, '-nss-pwd', '', '-nick', 'other', '-reason', 'a test'],
      ]);
      return readFileSync(at('out.pdf'));
    },
    openssl(pdf, field, { certify, fieldMdp, bare } = {}) {
      const file = openFile(pdf);
      const found = signatureFields(file).find(({ name: title }) => title === field);
      if (found?.object == null) throw new Error(`no field ${field}`);
      const number = file.trailer.size;
      const { root } = file.trailer;
      const transform = (method: string, parameters: PdfValue) =>
        dict({ Type: name('SigRef'), TransformMethod: name(method), TransformParams: parameters });
      const references = [
        ...(certify === undefined ? [] : [transform('DocMDP', dict({ P: certify, V: name('1.2') }))]),
        ...(fieldMdp === undefined ? [] : [transform('FieldMDP', fieldMdp)]),
      ];
      const { appended, byteRange } = writeSigned(
        file,
        [
          { number: found.object, value: new Map([...found.dict, ['V', ref(number)]]) },
          ...(certify === undefined
            ? []
            : [{ number: root, value: new Map([...file.dict(root), ['Perms', dict({ DocMDP: ref(number) })]]) }]),
        ],
        {
          number,
          type: 'Sig',
          subFilter: 'ETSI.CAdES.detached',
          contents: ZEROED,
          id: 'openssl signature',
          rest: dict({ Name: { string: 'Olga Other' }, Reference: references.length > 0 ? references : undefined }),
        },
      );
      const whole = Buffer.concat([pdf, appended]);
      // Of the same length.
      if (bare) whole.write('adbe.pkcs7.detached', whole.lastIndexOf('ETSI.CAdES.detached'));
      const [, first, second] = byteRange;
      writeFileSync(at('content'), Buffer.concat([whole.subarray(0, first), whole.subarray(second)]));
      must('openssl', [
        ...[
          'cms',
          '-sign',
          bare ? '-noattr' : '-cades',
          '-binary',
          '-in',
          at('content'),
          '-signer',
          at('cert.pem'),
          '-inkey',
          at('key'),
        ],
        ...['-md', 'sha256', '-outform', 'DER', '-out', at('cms')],
      ]);
      return putContents(whole, byteRange, readFileSync(at('cms')));
    },
    close: () => rmSync(folder, { recursive: true }),
  };
}
