/**
 * Whom to trust, and at what time (EN 319 102-1 §5.5 and §5.6, simplified): the chain and the revocation of a certificate
 * are judged for the earliest time at which the signature is proven to have existed, else for now.
 */
import { equal } from '../../pki/der.ts';
import { signerFault } from '../../pki/path/profiles.ts';
import type { Certificate } from '../../pki/x509.ts';
import type { CheckedSignature, CheckedToken } from './checked.ts';
import { type ChainLink, fault, passed, type RevocationFact, type TimestampReport, type Verdict } from './result.ts';
import { judgeRevocation, type Moment, show } from './revocation.ts';
import type { RevocationSource } from './statements.ts';
import { describeCertificate, describeName } from './subject.ts';
import { issuerOf, judgeChain } from './trust.ts';

/** All that is known beside the signatures themselves. */
export interface Evidence {
  readonly anchors: readonly Certificate[];
  readonly timestampAnchors: readonly Certificate[];
  /** From anybody. */
  readonly candidates: readonly Certificate[];
  readonly sources: readonly RevocationSource[];
  readonly now: Date;
}

export interface Judgement {
  readonly fault: Verdict | null;
  readonly chain: readonly ChainLink[];
  readonly revocation: readonly RevocationFact[];
  /** There was an authentic answer about each certificate below the anchor, in the file. */
  readonly evidenceInFile: boolean;
}

const NOTHING: Judgement = { fault: null, chain: [], revocation: [], evidenceInFile: false };

function judgeCertificate(certificate: Certificate, evidence: Evidence, moment: Moment): Judgement {
  const { anchors, candidates, sources, now } = evidence;
  const { chain, fault: broken } = judgeChain(certificate, candidates, anchors, moment.time);
  const isAnchor = (link: Certificate): boolean => anchors.some(anchor => equal(anchor.der, link.der));
  const facts: RevocationFact[] = [];
  let doubt: Verdict | null = null;
  for (const [i, link] of chain.entries()) {
    const issuer = chain[i + 1];
    if (!issuer || isAnchor(link)) break;
    const judged = judgeRevocation(link, issuer, sources, moment, now);
    facts.push(judged.fact);
    doubt = graver(doubt, judged.fault);
  }
  return {
    fault: doubt?.subIndication === 'REVOKED' ? doubt : (broken ?? doubt),
    chain: chain.map(link => describeCertificate(link, isAnchor(link))),
    revocation: facts,
    evidenceInFile: facts.length > 0 && facts.every(({ where }) => where === 'file'),
  };
}

/** A revocation weighs more than not knowing. */
function graver(a: Verdict | null, b: Verdict | null): Verdict | null {
  if (a === null || b === null) return a ?? b;
  return a.subIndication === 'TRY_LATER' ? b : a;
}

/** @param moment when the signature is proven to have existed */
export function judgeSigner({ signer, certificates }: CheckedSignature, evidence: Evidence, moment: Moment): Judgement {
  if (signer === null) return NOTHING;
  const judged = judgeCertificate(signer, evidence, moment);
  if (judged.fault?.subIndication === 'OUT_OF_BOUNDS_NO_POE')
    return { ...judged, fault: outOfBounds(signer, moment) ?? judged.fault };
  return { ...judged, fault: judged.fault ?? purposeFault(signer) ?? strayCertificate(certificates, evidence) };
}

/** EN 319 102-1 §5.5.4: made before its certificate began, or certainly after its end. */
function outOfBounds({ notBefore, notAfter }: Certificate, moment: Moment): Verdict | null {
  if (moment.proven && moment.time < notBefore)
    return fault('NOT_YET_VALID', `it was made before its certificate began on ${show(notBefore)}`);
  if (moment.notBefore !== null && moment.notBefore > notAfter)
    return fault('EXPIRED', `it was made after its certificate had expired on ${show(notAfter)}`);
  return null;
}

/** A key made for something else (a web server, timestamps, a CA) signs no documents. */
function purposeFault(signer: Certificate): Verdict | null {
  const broken = signerFault(signer);
  return broken && fault('CHAIN_CONSTRAINTS_FAILURE', broken.message);
}

/** A certificate that came along and leads nowhere may be a damaged one: no signature covers it. */
function strayCertificate(certificates: readonly Certificate[], { anchors, candidates }: Evidence): Verdict | null {
  const pool = [...anchors, ...candidates];
  const stray = certificates.find(certificate => issuerOf(certificate, pool) === null);
  if (!stray) return null;
  const { name } = describeName(stray.subject);
  return fault('CERTIFICATE_CHAIN_GENERAL_FAILURE', `it carries a certificate (${name}) that nobody known has signed`);
}

/**
 * @param moment when the token is proven to have existed; its authority's certificate must have been good from the token's
 *   time until then
 */
export function judgeTimestamp(token: CheckedToken, all: Evidence, moment: Moment): TimestampReport {
  const evidence: Evidence = { ...all, anchors: [...all.anchors, ...all.timestampAnchors] };
  const { signer, time } = token;
  const authority = signer && describeName(signer.subject).name;
  if (signer === null || time === null || token.fault !== null) {
    const verdict = token.fault ?? fault('FORMAT_FAILURE', 'a timestamp that can’t be read');
    return { ...verdict, time, authority, chain: [], revocation: [] };
  }
  // Nothing later proves it: what was known of the authority when it stamped has to do, as long as its key is in use.
  const effective = moment.proven ? moment : { ...moment, time };
  const judged = judgeCertificate(signer, evidence, effective);
  let broken = judged.fault;
  if (broken === null && time > new Date(evidence.now.getTime() + 300_000))
    broken = fault('TIMESTAMP_ORDER_FAILURE', `its time, ${show(time)}, is in the future`);
  if (broken === null && moment.time > signer.notAfter)
    broken = fault('OUT_OF_BOUNDS_NO_POE', `the certificate of ${authority} expired on ${show(signer.notAfter)}`);
  if (broken === null && time < signer.notBefore)
    broken = fault('NOT_YET_VALID', `it is older than the certificate of ${authority}`);
  broken ??= strayCertificate(token.certificates, evidence);
  const verdict = broken ?? passed(`${authority} proves ${show(time)}`);
  return { ...verdict, time, authority, chain: judged.chain, revocation: judged.revocation };
}
