/**
 * All signatures of one file, judged together: document timestamps prove when what they cover existed, newest first, so
 * that each is judged for the time at which it was last needed (EN 319 102-1 §5.6, simplified).
 */
import { digest } from '../../pki/algorithms.ts';
import { type Certificate, parseCertificate } from '../../pki/x509.ts';
import { type CheckedSignature, type CheckedToken, checkTimestamp } from './checked.ts';
import { type Evidence, type Judgement, judgeSigner, judgeTimestamp } from './judge.ts';
import type { Lock } from './pdf-form.ts';
import {
  type BaselineLevel,
  type Change,
  type Coverage,
  fault,
  passed,
  type SignatureKind,
  type SignatureReport,
  type Subject,
  type TimestampReport,
  type Verdict,
  type VerifyInput,
  worst,
} from './result.ts';
import { type Moment, show } from './revocation.ts';
import type { RevocationSource } from './statements.ts';
import { describeName } from './subject.ts';

interface Placed {
  readonly field: string | null;
  /** Later ones cover earlier ones. */
  readonly order: number;
  readonly coverage: Coverage | null;
  readonly changes: readonly Change[];
  /** As the signature itself says. */
  readonly signerName: string | null;
  readonly docMdp: number | null;
  readonly locks: readonly Lock[];
}

export type Signed = Placed &
  (
    | { readonly kind: 'signature'; readonly checked: CheckedSignature; readonly baseline: boolean }
    /** `hasStore`: it covers a document security store. */
    | { readonly kind: 'timestamp'; readonly token: CheckedToken; readonly hasStore: boolean }
  );

interface Known {
  readonly certificates: readonly Certificate[];
  readonly sources: readonly RevocationSource[];
}

/** @param signed oldest first */
export function judgeSigned(signed: readonly Signed[], input: VerifyInput, store: Known): SignatureReport[] {
  const own = signed.map(item => (item.kind === 'signature' ? tokensOf(item.checked) : [item.token]));
  const evidence = evidenceOf(signed, own.flat(), input, store);
  const { now } = input;

  // Newest first: a timestamp is needed for as long as nothing later covers it.
  const proofs: Moment[] = [];
  const stamps: TimestampReport[][] = [];
  let proof: Moment = { time: now, proven: false, notBefore: null };
  for (const [i, item] of [...signed.entries()].toReversed()) {
    proofs[i] = proof;
    stamps[i] = own[i]!.map(token => ordered(judgeTimestamp(token, evidence, proof), proof));
    const [stamp] = stamps[i]!;
    if (item.kind !== 'timestamp' || stamp?.indication !== 'TOTAL-PASSED' || stamp.time === null) continue;
    proof = { time: stamp.time, proven: true, notBefore: null };
  }

  return signed.map((item, i) => {
    const earlier = signed.flatMap((other, j) => (other.order < item.order ? stamps[j]! : []));
    const notBefore = latest(earlier);
    if (item.kind === 'timestamp') return timestampReport(item, stamps[i]![0]!);
    const later = signed.filter(other => other.order > item.order).flatMap(soundStamp);
    const form = {
      timestamped: later.length > 0 || own[i]!.some(token => token.fault === null),
      archived: later.some(({ hasStore }) => hasStore),
    };
    return signatureReport(item, stamps[i]!, { ...proofs[i]!, notBefore }, form, evidence);
  });
}

/** A document timestamp that holds in itself. */
const soundStamp = (item: Signed): (Signed & { kind: 'timestamp' })[] =>
  item.kind === 'timestamp' && item.token.fault === null ? [item] : [];

const tokensOf = ({ timestamps, timestamped }: CheckedSignature): CheckedToken[] =>
  timestamps.map(token => checkTimestamp(token, hash => digest(hash, timestamped)));

function evidenceOf(
  signed: readonly Signed[],
  tokens: readonly CheckedToken[],
  input: VerifyInput,
  store: Known,
): Evidence {
  const checked = signed.flatMap(item => (item.kind === 'signature' ? [item.checked] : []));
  const all = [
    ...checked.flatMap(({ certificates }) => certificates),
    ...tokens.flatMap(({ certificates }) => certificates),
    ...store.certificates,
    ...input.certificates.map(parseCertificate),
  ];
  const byDer = new Map(all.map(certificate => [Buffer.from(certificate.der).toString('latin1'), certificate]));
  return {
    anchors: input.anchors.map(parseCertificate),
    timestampAnchors: input.timestampAnchors.map(parseCertificate),
    candidates: [...byDer.values()],
    sources: [
      ...store.sources,
      ...checked.flatMap(({ sources }) => sources),
      ...input.crls.map((der): RevocationSource => ({ kind: 'CRL', der, where: 'gateway' })),
    ],
    now: input.now,
  };
}

/** Whatever covers a timestamp can't be older than it. */
function ordered(report: TimestampReport, proof: Moment): TimestampReport {
  if (report.indication !== 'TOTAL-PASSED' || !proof.proven || report.time === null || report.time <= proof.time)
    return report;
  const text = `its time, ${show(report.time)}, is after that of a timestamp that covers it`;
  return { ...report, ...fault('TIMESTAMP_ORDER_FAILURE', text) };
}

function latest(stamps: readonly TimestampReport[]): Date | null {
  const times = stamps.flatMap(({ indication, time }) => (indication === 'TOTAL-PASSED' && time ? [time] : []));
  return times.reduce<Date | null>((found, time) => (found === null || time > found ? time : found), null);
}

/** What was changed later, where it may not have been. */
function modification(changes: readonly Change[]): Verdict | null {
  const bad = changes.find(({ allowed }) => !allowed);
  if (!bad) return null;
  const where = bad.object === null ? `revision ${bad.revision}` : `object ${bad.object} in revision ${bad.revision}`;
  return fault('FORMAT_FAILURE', `the file was modified after signing: ${bad.text} (${where})`);
}

function timestampReport(item: Signed & { kind: 'timestamp' }, stamp: TimestampReport): SignatureReport {
  const { signer, algorithm, fault: broken } = item.token;
  const changed = broken === null ? modification(item.changes) : null;
  const { indication, subIndication, reason } = changed ?? stamp;
  return {
    indication,
    subIndication,
    reason,
    kind: 'document-timestamp',
    field: item.field,
    signer: signer && describeName(signer.subject),
    person: null,
    level: null,
    algorithm,
    claimedTime: null,
    provenTime: stamp.indication === 'TOTAL-PASSED' ? stamp.time : null,
    intact: broken === null && changed === null,
    timestamps: [stamp],
    chain: stamp.chain,
    revocation: stamp.revocation,
    coverage: item.coverage,
    changes: item.changes,
  };
}

function signatureReport(
  item: Signed & { kind: 'signature' },
  stamps: readonly TimestampReport[],
  proof: Moment,
  form: Form,
  evidence: Evidence,
): SignatureReport {
  const { checked } = item;
  const { signer } = checked;
  const subject = signer && describeName(signer.subject);
  const kind = kindOf(item, subject);
  const own = stamps.flatMap(({ indication, time }) => (indication === 'TOTAL-PASSED' && time ? [time] : []));
  const times = proof.proven ? [...own, proof.time] : own;
  const best = times.length > 0 ? new Date(Math.min(...times.map(time => time.getTime()))) : null;
  const moment: Moment = { time: best ?? proof.time, proven: best !== null, notBefore: proof.notBefore };
  const judged = judgeSigner(checked, evidence, moment);
  const changed = checked.fault === null ? modification(item.changes) : null;
  // A timestamp that is itself broken is no reason to believe; one whose authority isn't trusted counts as absent.
  const damaged = stamps.find(({ subIndication }) => subIndication !== null && BROKEN.has(subIndication));
  const bad =
    checked.fault ??
    changed ??
    (damaged && fault('GENERIC', `its timestamp can’t be relied on: ${damaged.reason}`)) ??
    worst([checked.doubt, judged.fault].filter(one => one !== null));
  const verdict =
    bad ??
    passed(
      best
        ? `it was valid when it was proven to exist, on ${show(best)}`
        : 'it is valid now; no timestamp proves when it was made',
    );
  return {
    indication: verdict.indication,
    subIndication: verdict.subIndication,
    reason: verdict.reason,
    kind,
    field: item.field,
    signer: subject,
    person: kind === 'approval' ? item.signerName : null,
    level: item.baseline && checked.fault === null ? levelOf(judged, form) : null,
    algorithm: checked.algorithm,
    claimedTime: checked.claimedTime,
    provenTime: best,
    intact: checked.fault === null && changed === null,
    timestamps: stamps,
    chain: judged.chain,
    revocation: judged.revocation,
    coverage: item.coverage,
    changes: item.changes,
  };
}

const BROKEN = new Set([
  'FORMAT_FAILURE',
  'HASH_FAILURE',
  'SIG_CRYPTO_FAILURE',
  'SIG_CONSTRAINTS_FAILURE',
  'NO_SIGNING_CERTIFICATE_FOUND',
  'CRYPTO_CONSTRAINTS_FAILURE',
  'GENERIC',
  'TIMESTAMP_ORDER_FAILURE',
  'CERTIFICATE_CHAIN_GENERAL_FAILURE',
]);

/** The level is what the file holds, whomever one trusts. */
function levelOf({ evidenceInFile }: Judgement, { timestamped, archived }: Form): BaselineLevel {
  if (!timestamped) return 'B-B';
  if (!evidenceInFile) return 'B-T';
  return archived ? 'B-LTA' : 'B-LT';
}

interface Form {
  readonly timestamped: boolean;
  /** A document timestamp covers the evidence. */
  readonly archived: boolean;
}

function kindOf({ docMdp, locks, field, signerName }: Placed, subject: Subject | null): SignatureKind {
  if (docMdp !== null) return 'certifying-seal';
  if (subject === null || subject.person || subject.organization === null) return 'signature';
  if (locks.some(({ action }) => action === 'All')) return 'closing-seal';
  // Standard: the company seals, in the field of the person whom the signature names, and locks that field.
  const isOwn = locks.some(({ action, fields }) => action === 'Include' && field !== null && fields.includes(field));
  const isCompany = signerName === null || signerName === subject.organization || signerName === subject.name;
  return isOwn && !isCompany ? 'approval' : 'seal';
}
