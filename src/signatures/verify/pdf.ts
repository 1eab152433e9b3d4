/**
 * Signed PDFs (ISO 32000-2 §12.8; PAdES, ETSI EN 319 142-1): finds every signature, judges each in its place, what was
 * changed after it, and whom and when to believe.
 */
import { createHash } from 'node:crypto';
import { type FoundField, signatureFields } from '../../documents/file/fields.ts';
import { openFile, type PdfFile } from '../../documents/file/file.ts';
import { PdfSyntaxError } from '../../documents/file/parser.ts';
import { asOf, type Revision, readRevisions } from '../../documents/file/revisions.ts';
import { isDict, nameOf, refOf } from '../../documents/file/values.ts';
import type { Hash } from '../../pki/algorithms.ts';
import { DerError } from '../../pki/der.ts';
import { type Certificate, parseCertificate } from '../../pki/x509.ts';
import { type CheckedSignature, type CheckedToken, checkCms, checkTimestamp } from './checked.ts';
import { judgeSigned, type Signed } from './judge-file.ts';
import { judgeRevision } from './pdf-changes.ts';
import { readStore, storeContents } from './pdf-dss.ts';
import { formNodes } from './pdf-form.ts';
import { type PlacedSignature, placeSignature } from './pdf-signature.ts';
import { objectsOf, referencesIn } from './pdf-values.ts';
import { type Change, type FileReport, fault, type SignatureReport, type Verdict, type VerifyInput } from './result.ts';
import { concludeFile } from './sentences.ts';
import type { RevocationSource } from './statements.ts';

const MAX_REVISIONS = 500;
const MAX_SIGNATURES = 200;

export function verifyPdf(input: VerifyInput): FileReport {
  try {
    return verify(input);
  } catch (error) {
    if (!(error instanceof PdfSyntaxError)) throw error;
    // A signature's dictionary can't be compressed: without this word there is none.
    if (!Buffer.from(input.file).includes('ByteRange')) return concludeFile('pdf', [], []);
    return concludeFile(
      'pdf',
      [],
      [fault('FORMAT_FAILURE', `the file is not built as a PDF must be: ${error.message}`)],
    );
  }
}

function verify(input: VerifyInput): FileReport {
  const file = openFile(input.file);
  const revisions = readRevisions(file);
  if (revisions.length > MAX_REVISIONS) throw new PdfSyntaxError('it has too many revisions');
  const states = revisions.map(revision => asOf(file, revision));
  const fields = signatureFields(file).filter(({ signature }) => signature !== null);
  if (fields.length > MAX_SIGNATURES) throw new PdfSyntaxError('it has too many signatures');
  const faults = fileFaults(states, fields);

  const placed = fields.map(field => place(file, states, field, revisions));
  const good = placed.flatMap(item => ('signature' in item ? [item.signature] : []));
  good.sort((a, b) => a.revision.index - b.revision.index);
  const changes = changesAfter(states, revisions, good);
  const store = storeOf(file);
  const signed = good.map(signature => check(file, signature, store.certificates, changes, revisions.length));
  const reports = judgeSigned(signed, input, store);
  const broken = placed.flatMap(item => ('report' in item ? [item.report] : []));
  return concludeFile('pdf', [...reports, ...broken], faults);
}

type Placed = { readonly signature: PlacedSignature } | { readonly report: SignatureReport };

function place(file: PdfFile, states: readonly PdfFile[], field: FoundField, revisions: readonly Revision[]): Placed {
  try {
    const signature = placeSignature(file, field, revisions);
    const then = signatureFields(states[signature.revision.index]!);
    const same = then.find(({ signature: value }) => value?.object === signature.object);
    if (same?.name !== field.name) throw new PdfSyntaxError('it did not stand in this field when it was made');
    return { signature };
  } catch (error) {
    if (!(error instanceof PdfSyntaxError)) throw error;
    return { report: brokenReport(field.name, fault('FORMAT_FAILURE', `field ${field.name}: ${error.message}`)) };
  }
}

function brokenReport(field: string, verdict: Verdict): SignatureReport {
  return {
    ...verdict,
    kind: 'signature',
    field,
    signer: null,
    person: null,
    level: null,
    algorithm: null,
    claimedTime: null,
    provenTime: null,
    intact: false,
    timestamps: [],
    chain: [],
    revocation: [],
    coverage: null,
    changes: [],
  };
}

/** What is wrong with the signatures of the file as a whole. */
function fileFaults(states: readonly PdfFile[], fields: readonly FoundField[]): Verdict[] {
  const objects = fields.map(({ signature }) => signature?.object ?? null);
  const names = fields.map(({ name }) => name);
  const faults: Verdict[] = [];
  const wrong = (text: string): void => {
    faults.push(fault('FORMAT_FAILURE', text));
  };
  if (new Set(objects).size < objects.length) wrong('one signature stands in two fields');
  if (new Set(names).size < names.length) wrong('two signatures claim one field');
  for (const state of states) {
    for (const { name, signature } of signatureFields(state)) {
      if (signature !== null && !objects.includes(signature.object))
        wrong(`the signature in field ${name} was removed later`);
    }
    for (const number of unreachable(state, objects)) wrong(`object ${number} is a signature that stands in no field`);
  }
  return faults;
}

/** Signature dictionaries that no field holds; usage rights (§12.8.2.3) are another thing. */
function* unreachable(state: PdfFile, known: readonly (number | null)[]): Iterable<number> {
  const permissions = state.resolve(state.dict(state.trailer.root).get('Perms'));
  const rights = isDict(permissions) ? refOf(permissions.get('UR3')) : null;
  for (const { number, value } of newObjects(state)) {
    if (!isDict(value) || known.includes(number) || number === rights) continue;
    const type = nameOf(value.get('Type'));
    if (type === 'Sig' || type === 'DocTimeStamp' || (value.has('ByteRange') && value.has('Contents'))) yield number;
  }
}

/** The objects of a state's newest section: older ones were looked at in their own state. */
function* newObjects(state: PdfFile) {
  const [newest, second] = state.sections();
  // A linearized file's two sections are one revision.
  const sections = second && second.offset > newest!.offset ? [newest!, second] : [newest!];
  for (const section of sections) {
    for (const [number] of section.entries()) {
      const found = state.find(number);
      if (found !== null) yield found;
    }
  }
}

/** By revision: what each revision after the first signature did. */
function changesAfter(
  states: readonly PdfFile[],
  revisions: readonly Revision[],
  signatures: readonly PlacedSignature[],
): ReadonlyMap<number, readonly Change[]> {
  const changes = new Map<number, readonly Change[]>();
  const first = signatures[0]?.revision.index;
  if (first === undefined || first === revisions.length - 1) return changes;
  const dangling = new Set<number>();
  const start = states[first]!;
  for (const { value } of objectsOf(start)) {
    for (const number of referencesIn(value)) if (start.entry(number) === null) dangling.add(number);
  }
  for (const revision of revisions.slice(first + 1)) {
    const before = signatures.filter(signature => signature.revision.index < revision.index);
    const limits = before.map(({ docMdp }) => docMdp).filter(value => value !== null);
    const state = states[revision.index]!;
    const judged = judgeRevision(states[revision.index - 1]!, state, revision, {
      docMdp: limits.length > 0 ? Math.min(...limits) : null,
      locks: before.flatMap(({ locks, revision: { index } }) =>
        locks.length === 0 ? [] : locks.map(lock => ({ ...lock, present: namesIn(states[index]!) })),
      ),
      dangling,
    });
    changes.set(revision.index, judged);
    for (const { value } of newObjects(state)) {
      for (const number of referencesIn(value)) if (state.entry(number) === null) dangling.add(number);
    }
  }
  return changes;
}

const namesIn = (state: PdfFile): ReadonlySet<string> =>
  new Set([...formNodes(state).values()].map(({ name }) => name));

/** What the file brings for later validation. */
function storeOf(file: PdfFile): { certificates: Certificate[]; sources: RevocationSource[] } {
  const certificates: Certificate[] = [];
  const sources: RevocationSource[] = [];
  const store = readStore(file);
  for (const { kind, der } of store ? storeContents(file, store) : []) {
    if (kind === 'OCSP' || kind === 'CRL') sources.push({ kind, der, where: 'file' });
    if (kind !== 'certificate') continue;
    try {
      certificates.push(parseCertificate(der));
    } catch (error) {
      if (!(error instanceof DerError)) throw error;
    }
  }
  return { certificates, sources };
}

function check(
  file: PdfFile,
  signature: PlacedSignature,
  others: readonly Certificate[],
  changes: ReadonlyMap<number, readonly Change[]>,
  revisions: number,
): Signed {
  const { byteRange, revision, subFilter, field, value, signerName, docMdp, locks } = signature;
  const [, first, second, rest] = byteRange;
  const digestOf = (hash: Hash): Uint8Array =>
    createHash(hash)
      .update(file.bytes.subarray(0, first))
      .update(file.bytes.subarray(second, second + rest))
      .digest();
  const later = [...changes].filter(([index]) => index > revision.index).flatMap(([, list]) => list);
  const coverage = {
    octets: first + rest,
    of: file.bytes.length,
    revision: revision.index + 1,
    revisions,
    whole: revision.index + 1 === revisions,
  };
  const place = { field, order: revision.index, coverage, changes: later, hasStore: false, signerName, docMdp, locks };
  if (subFilter === 'ETSI.RFC3161') {
    const token: CheckedToken = checkTimestamp(value, digestOf);
    return { ...place, kind: 'timestamp', token, hasStore: readStore(asOf(file, revision)) !== null };
  }
  const isCades = subFilter === 'ETSI.CAdES.detached';
  const signed = (): Uint8Array =>
    Buffer.concat([file.bytes.subarray(0, first), file.bytes.subarray(second, second + rest)]);
  const checked: CheckedSignature = checkCms(
    value,
    {
      digestOf,
      signingCertificate: isCades ? 'required' : 'optional',
      content: 'detached',
      ...(isCades ? {} : { bare: signed }),
    },
    others,
  );
  return {
    ...place,
    kind: 'signature',
    checked: { ...checked, claimedTime: signature.claimedTime ?? checked.claimedTime },
    baseline: isCades,
  };
}
