/** What tests of signed documents need: a company PKI of their own, signatories with keys, a small first revision. */
import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { certificationRequest } from '../../src/client/csr.ts';
import type { Person } from '../../src/directory/directory.ts';
import type { CertifiedMark, Documents, PreparedSignature } from '../../src/documents/documents.ts';
import type { DocumentLayout, LayoutFont, LayoutPlan, SignatureField } from '../../src/documents/layout.ts';
import type { DocumentsParts } from '../../src/documents/pipeline.ts';
import { createPki } from '../../src/pki/create.ts';
import { type LoadedPki, loadPki } from '../../src/pki/load.ts';
import type { SignatureAlgorithm } from '../../src/pki/pki.ts';
import { SqliteCertificateStore } from '../../src/store/certificates.ts';
import { openDatabase } from '../../src/store/database.ts';
import { MIGRATIONS } from '../../src/store/migrations.ts';
import { SqliteTimestampStore } from '../../src/store/timestamps.ts';

export const COMPANY = { name: 'Example Société SA', vat: 'LU12345678', country: 'LU' } as const;

/** @param publicUrl of a revocation server, where its answers are asked for */
export async function makePki(algorithm: SignatureAlgorithm, publicUrl = 'http://127.0.0.1:8080'): Promise<LoadedPki> {
  const folder = mkdtempSync(join(tmpdir(), 'signpost-pki-'));
  const now = () => new Date();
  try {
    await createPki(folder, { company: COMPANY, publicUrl, passphrase: 'a test', algorithm, now });
    const database = openDatabase(':memory:', MIGRATIONS);
    return await loadPki({
      config: {
        folder,
        company: COMPANY,
        publicUrl,
        certificates: { validity: 30 * 86_400_000 },
        timestamps: { authorities: ['embedded'] },
      },
      passphrase: 'a test',
      certificates: new SqliteCertificateStore(database),
      timestamps: new SqliteTimestampStore(database),
      now,
      logger: pino({ level: 'silent' }),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export interface RevocationServer {
  readonly url: string;
  /** The PKI that it answers for, made after its address is known. */
  pki: LoadedPki | null;
  close(): void;
}

/** Answers OCSP (RFC 6960 appendix A) and CRL requests as the gateway does: NSS asks where the certificates say. */
export async function serveRevocation(): Promise<RevocationServer> {
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const path = decodeURIComponent(request.url ?? '');
    const ca = running.pki?.ca;
    if (ca !== undefined && path.startsWith('/ocsp')) {
      const asked =
        request.method === 'GET' ? Buffer.from(path.slice('/ocsp/'.length), 'base64') : Buffer.concat(chunks);
      response.setHeader('content-type', 'application/ocsp-response').end((await ca.ocsp(asked)).der);
    } else if (ca !== undefined && path.startsWith('/crl')) {
      response.setHeader('content-type', 'application/pkix-crl').end(await ca.crl());
    } else response.writeHead(404).end();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const running: RevocationServer = {
    url: `http://127.0.0.1:${port}`,
    pki: null,
    close: () => server.close(),
  };
  return running;
}

export interface Signatory {
  readonly name: string;
  readonly certificate: Uint8Array;
  sign(data: Uint8Array): Uint8Array;
}

/** A person with a device's key and certificate. */
export async function makeSignatory(pki: LoadedPki, name: string): Promise<Signatory> {
  const [givenName, surname] = name.split(' ') as [string, string];
  const mail = `${givenName}.${surname}`
    .toLowerCase()
    .replace(/[^a-z.]/g, 'x')
    .concat('@company.example');
  const person: Person = {
    id: mail,
    name,
    givenName,
    surname,
    mail,
    addresses: [mail],
    language: 'en',
    title: null,
    groups: [],
    delegates: [],
    mobile: null,
  };
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const { certificate } = await pki.ca.issueForPerson(
    await certificationRequest(keys),
    person,
    `device ${randomUUID()}`,
  );
  const key = createPrivateKey({
    key: Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)),
    format: 'der',
    type: 'pkcs8',
  });
  return { name, certificate, sign: data => sign('sha256', data, key) };
}

export const markOf = (signatory: Signatory, index: number, minutes = 0): CertifiedMark => ({
  index,
  name: signatory.name,
  company: COMPANY.name,
  level: 'advanced',
  signature: null,
  paraph: null,
  place: null,
  device: null,
  signingTime: new Date(Date.UTC(2026, 10, 24, 14, 3 + minutes, 9)),
  utcOffset: 60,
  certificate: signatory.certificate,
});

export function completeFor(
  documents: Documents,
  pki: LoadedPki,
  prepared: PreparedSignature,
  signatory: Signatory,
): Promise<Uint8Array> {
  return documents.completeSignature(prepared, {
    certificate: signatory.certificate,
    issuers: pki.ca.issuersOf(signatory.certificate),
    algorithm: 'ecdsa-p256-sha256',
    signature: signatory.sign(prepared.signedAttributes),
  });
}

export const planFor = (names: readonly string[], language: LayoutPlan['language'] = 'en'): LayoutPlan => ({
  company: COMPANY,
  requestId: '0123456789AB',
  signatories: names.map(name => ({ name, title: null, level: 'advanced' })),
  marks: { signaturePage: true, paraphs: false, watermark: false },
  language,
  date: new Date(Date.UTC(2026, 10, 24, 14, 0, 0)),
});

/** Writes first revisions as the contract describes them, by other code than the gateway's; for tests that are not about it. */
export const smallWorker: DocumentsParts['worker'] = {
  inspect: async () => ({ pages: 1, attachments: [], formFields: 0 }),
  firstRevision: async (_, plan) => firstRevision(plan),
};

function firstRevision(plan: LayoutPlan): { bytes: Uint8Array; layout: DocumentLayout } {
  const names = ['Seal', ...plan.signatories.map((_, i) => `Signatory${i + 1}`), 'Closing'];
  const firstField = 11;
  const fields = names.map((name, i): SignatureField => {
    const box = i === 0 ? null : { page: 0, x: 50, y: 700 - 110 * i, width: 260, height: 90 };
    return { name, object: firstField + i, pageObject: 3, box };
  });
  const fieldObject = ({ name, box }: SignatureField) => {
    const rect = box ? `${box.x} ${box.y} ${box.x + box.width} ${box.y + box.height}` : '0 0 0 0';
    const lock = name === 'Closing' ? '/Action /All' : `/Action /Include /Fields [(${name})]`;
    return (
      `<< /Type /Annot /Subtype /Widget /FT /Sig /T (${name}) /Rect [${rect}] /F 132 /P 3 0 R ` +
      `${name === 'Seal' ? '' : `/Lock << /Type /SigFieldLock ${lock} >> `}>>`
    );
  };
  const refs = fields.map(({ object }) => `${object} 0 R`).join(' ');
  const content = 'BT /F1 20 Tf 50 780 Td <0021> Tj ET';
  const cid = (name: string) =>
    `<< /Type /Font /Subtype /CIDFontType2 /BaseFont /${name} /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /CIDToGIDMap /Identity >>`;
  const font = (name: string, descendant: number) =>
    `<< /Type /Font /Subtype /Type0 /BaseFont /${name} /Encoding /Identity-H /DescendantFonts [${descendant} 0 R] >>`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R /AcroForm 4 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Resources << /Font << /F1 6 0 R >> >> /Annots [${refs}] >>`,
    `<< /Fields [${refs}] /SigFlags 3 >>`,
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    font('Sans', 7),
    cid('Sans'),
    font('Sans-Bold', 9),
    cid('Sans-Bold'),
    '<< /Producer (a test) >>',
    ...fields.map(fieldObject),
  ];
  let text = '%PDF-1.7\n%\xe2\xe3\xcf\xd3\n';
  let table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n`;
  objects.forEach((object, i) => {
    table += `${String(text.length).padStart(10, '0')} 00000 n \n`;
    text += `${i + 1} 0 obj\n${object}\nendobj\n`;
  });
  const id = '<00112233445566778899AABBCCDDEEFF>';
  const trailer = `<< /Size ${objects.length + 1} /Root 1 0 R /Info 10 0 R /ID [${id} ${id}] >>`;
  text += `${table}trailer\n${trailer}\nstartxref\n${text.length}\n%%EOF`;
  const glyphs = Object.fromEntries(
    Array.from({ length: 95 }, (_, i) => [
      String.fromCharCode(32 + i),
      [(i + 3).toString(16).padStart(4, '0'), 600] as const,
    ]),
  );
  const layoutFont = (object: number): LayoutFont => ({ object, glyphs });
  return {
    bytes: Buffer.from(text, 'latin1'),
    layout: {
      seal: fields[0]!,
      signatories: fields.slice(1, -1).map(field => ({ ...field, level: 'advanced', paraphs: [] })),
      closing: fields.at(-1)!,
      regular: layoutFont(6),
      bold: layoutFont(8),
      catalogObject: 1,
      acroFormObject: 4,
    },
  };
}
