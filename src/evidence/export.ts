/**
 * Everything that proves one request, as files that OpenSSL, sha256sum and a PDF viewer understand, in one ZIP: whoever
 * gets it needs neither this software nor this company.
 */
import { zipSync } from 'fflate';
import type { DocumentWorker } from '../documents/worker.ts';
import type { Pki } from '../pki/pki.ts';
import { type Certificate, parseCertificate, toPem } from '../pki/x509.ts';
import type { Request, RequestDocument, Session } from '../requests/model.ts';
import type { ReadEvidence } from '../requests/requests.ts';
import { splitSigners } from '../signatures/cms-signers.ts';
import { statementsAbout } from '../signatures/verify/statements.ts';
import type { BlobStore } from '../store/store.ts';
import type { Collected } from './collected.ts';
import { sha256 } from './entry.ts';
import type { EvidenceLog } from './log.ts';
import { addPasskey, type ListedPasskey } from './passkey-files.ts';
import { type Proof, proofOf } from './proof.ts';
import { readmeText } from './readme.ts';
import { addDocumentTimestamp, addSignature, covered, type Files, type ListedSignature } from './signature-files.ts';
import { drawSummary } from './summary.ts';

export interface ExportParts {
  readonly blobs: BlobStore;
  readonly log: EvidenceLog;
  readonly worker: Pick<DocumentWorker, 'parts'>;
  readonly pki: Pick<Pki, 'validationData' | 'anchors'>;
  /** Roots of outside timestamp authorities, DER. */
  readonly timestampAnchors: readonly Uint8Array[];
  readonly readEvidence: (session: Session) => Promise<ReadEvidence | null>;
  readonly company: string;
  readonly now: () => Date;
}

/** There is nothing to export yet; `message` says why. */
export class ExportImpossible extends Error {
  override readonly name = 'ExportImpossible';
}

/**
 * @returns the ZIP
 * @throws ExportImpossible; BlobUnreadable; DocumentRefused where a file of ours is damaged
 */
export async function exportEvidence(parts: ExportParts, request: Request): Promise<Uint8Array> {
  const proof = proofOf(parts.log, request.id);
  if (proof === null)
    throw new ExportImpossible(`the log's entries about ${request.id} are not under a timestamp yet; try again later`);
  const files: Files = new Map();
  const anchors = [...parts.pki.anchors, ...parts.timestampAnchors].map(parseCertificate);
  const held = { certificates: [] as Uint8Array[], ocsps: [] as Uint8Array[], crls: [] as Uint8Array[] };
  const signatures: ListedSignature[] = [];
  for (const [index, document] of request.documents.entries())
    signatures.push(...(await addDocument(parts, files, held, anchors, request, document, index + 1)));
  for (const [index, session] of request.sessions.entries())
    signatures.push(...(await addReport(parts, files, anchors, request, session, index + 1)));

  const { answers, lists } = await addRevocation(parts, files, held, anchors, signatures);
  const passkeys: ListedPasskey[] = [];
  for (const [index, session] of request.sessions.entries()) {
    const passkey = await addPasskey(parts.blobs, files, session, index + 1, signatures);
    if (passkey !== null) passkeys.push(passkey);
  }
  addLog(files, proof);
  const { company } = parts;
  const collected = { request, company, signatures, passkeys, answers, lists, proof, madeAt: parts.now() };
  files.set(
    'signatures/list.txt',
    text(
      signatures.map(
        ({ name, kind, time, timestamped }) =>
          `${name.slice('signatures/'.length)} ${kind} ${epoch(time)} ${timestamped ? 'timestamped' : 'bare'}`,
      ),
    ),
  );
  if (passkeys.length > 0)
    files.set(
      'passkeys/list.txt',
      text(passkeys.map(({ name, algorithm, host, octets }) => [name, algorithm, host, ...octets].join(' '))),
    );
  files.set('summary.pdf', await drawSummary(collected));
  files.set('README.txt', new Uint8Array(Buffer.from(readmeText(collected))));
  files.set('SHA256SUMS', text([...files].map(([name, bytes]) => `${sha256(bytes)}  ${name}`)));
  return zipSync(Object.fromEntries(files), { level: 6, mtime: collected.madeAt });
}

/** Seconds since 1970, as `-attime` takes them: the first whole one not before. */
export function epoch(time: Date): number {
  return Math.ceil(time.getTime() / 1000);
}

async function addDocument(
  { blobs, worker }: ExportParts,
  files: Files,
  held: { readonly certificates: Uint8Array[]; readonly ocsps: Uint8Array[]; readonly crls: Uint8Array[] },
  anchors: readonly Certificate[],
  request: Request,
  document: RequestDocument,
  number: number,
): Promise<ListedSignature[]> {
  const original = await blobs.get(document.original);
  const options = { anchors, fallback: request.endedAt ?? request.createdAt };
  const extension = document.kind === undefined ? '.pdf' : document.kind === 'xml' ? '.xml' : '.bin';
  files.set(`documents/${number}-original${extension}`, original);
  const newest = document.finished ?? document.signatures ?? document.head;
  if (newest === null || newest === document.original) return [];
  const bytes = await blobs.get(newest);
  if (document.kind !== undefined) {
    const form = document.finishedForm ?? 'cades-detached';
    const endings = { xades: '.xml', cades: '.p7m', 'cades-detached': '.p7s' };
    files.set(`documents/${number}-${document.finished ? 'finished' : 'signatures'}${endings[form]}`, bytes);
    if (form === 'xades') return [];
    return splitSigners(bytes).map((cms, index) =>
      addSignature(files, `signatures/${number}-${index + 1}`, cms, original, options),
    );
  }
  files.set(`documents/${number}-${document.finished ? 'finished' : 'unfinished'}.pdf`, bytes);
  const pdf = await worker.parts(bytes);
  held.certificates.push(...pdf.certificates);
  held.ocsps.push(...pdf.ocsps);
  held.crls.push(...pdf.crls);
  return pdf.signatures.map(({ kind, byteRange, value }, index) => {
    const name = `signatures/${number}-${index + 1}`;
    const content = covered(bytes, byteRange);
    return kind === 'signature'
      ? addSignature(files, name, value, content, options)
      : addDocumentTimestamp(files, name, value, content, options);
  });
}

/** Standard: the transaction report under the company's seal, and the device's call. */
async function addReport(
  { readEvidence }: ExportParts,
  files: Files,
  anchors: readonly Certificate[],
  request: Request,
  session: Session,
  number: number,
): Promise<ListedSignature[]> {
  const evidence = await readEvidence(session);
  if (evidence === null) return [];
  files.set(`reports/${number}-call.http`, evidence.call);
  const options = { anchors, fallback: session.endedAt ?? request.createdAt };
  return [addSignature(files, `signatures/report-${number}`, evidence.seal, evidence.report, options)];
}

/** Certificates of all signers and their issuers; what OCSP and CRLs said then, from the files, and say now. */
async function addRevocation(
  { pki }: ExportParts,
  files: Files,
  held: {
    readonly certificates: readonly Uint8Array[];
    readonly ocsps: readonly Uint8Array[];
    readonly crls: readonly Uint8Array[];
  },
  anchors: readonly Certificate[],
  signatures: readonly ListedSignature[],
): Promise<Pick<Collected, 'answers' | 'lists'>> {
  const signers = signatures.filter(({ kind }) => kind !== 'foreign').map(({ signer }) => signer);
  const now = await pki.validationData(once(signers.map(({ der }) => der)));
  const certificates = once([...signers.map(({ der }) => der), ...held.certificates, ...now.certificates]).map(
    parseCertificate,
  );
  const names = new Map(certificates.map(({ der }, index) => [sha256(der), `${index + 1}.pem`]));
  for (const { der } of certificates) files.set(`certificates/${names.get(sha256(der))}`, pem([der]));
  files.set('certificates/trusted.pem', pem(once(anchors.map(({ der }) => der))));
  files.set('certificates/all.pem', pem(certificates.map(({ der }) => der)));

  const answers: { file: string; certificate: string; issuer: string }[] = [];
  const lists = new Map<string, Uint8Array>();
  for (const certificate of once(signers.map(({ der }) => der)).map(parseCertificate)) {
    const issuer = [...anchors, ...certificates].find(
      other => Buffer.from(other.subject).equals(certificate.issuer) && certificate.signedBy(other.publicKey),
    );
    if (issuer === undefined) continue;
    const says = (kind: 'OCSP' | 'CRL', der: Uint8Array): boolean =>
      statementsAbout(certificate, issuer, [{ kind, der, where: 'file' }]).length > 0;
    const name = names.get(sha256(certificate.der))!;
    const issuerName = names.get(sha256(issuer.der)) ?? 'trusted.pem';
    once([...held.ocsps, ...now.ocsps])
      .filter(der => says('OCSP', der))
      .forEach((der, index) => {
        const file = `${name.replace('.pem', '')}-${index + 1}.der`;
        files.set(`ocsp/${file}`, der);
        answers.push({ file, certificate: name, issuer: issuerName });
      });
    for (const der of once([...held.crls, ...now.crls])) if (says('CRL', der)) lists.set(sha256(der), der);
  }
  const listNames = [...lists.values()].map((der, index) => {
    files.set(`crl/${index + 1}.crl`, der);
    return `${index + 1}.crl`;
  });
  files.set('ocsp/list.txt', text(answers.map(({ file, certificate, issuer }) => `${file} ${certificate} ${issuer}`)));
  return { answers, lists: listNames };
}

function addLog(files: Files, { entries, chain, tokens }: Proof): void {
  // Exactly the bytes that were hashed.
  for (const { sequence, body } of entries) files.set(`log/entries/${sequence}.json`, text([body], ''));
  files.set(
    'log/chain.txt',
    text(chain.map(({ sequence, previous, bodyHash, hash }) => `${sequence} ${previous} ${bodyHash} ${hash}`)),
  );
  for (const { sequence, token } of tokens) files.set(`log/heads/${sequence}.tst`, token);
}

function pem(certificates: readonly Uint8Array[]): Uint8Array {
  return text(certificates.map(der => toPem(der).trimEnd()));
}

function text(lines: readonly string[], end = '\n'): Uint8Array {
  return new Uint8Array(Buffer.from(lines.map(line => `${line}${end}`).join('')));
}

function once(all: readonly Uint8Array[]): Uint8Array[] {
  return [...new Map(all.map(bytes => [sha256(bytes), bytes])).values()];
}
