/**
 * Whether a certificate was revoked at the time that counts (EN 319 102-1 §5.2.5, §5.2.6 and §5.6.2.4, simplified): when
 * the signature is proven to have existed then, what was revoked later doesn't matter.
 */
import type { Certificate } from '../../pki/x509.ts';
import { fault, type RevocationFact, type Verdict } from './result.ts';
import { type RevocationSource, type Statement, statementsAbout } from './statements.ts';
import { describeName } from './subject.ts';

/** CRLReason certificateHold (RFC 5280 §5.3.1). */
const HOLD = 6;
/** How long a statement without nextUpdate is fresh; and how far clocks may differ. */
const DAY = 86_400_000;
const CLOCK_SKEW = 5 * 60_000;

export interface Moment {
  /** The signature existed then. Where nothing proves that, it is now. */
  readonly time: Date;
  readonly proven: boolean;
  /** The signature did not exist before this, by a timestamp that it covers; null where nothing says so. */
  readonly notBefore: Date | null;
}

export interface RevocationJudgement {
  readonly fact: RevocationFact;
  readonly fault: Verdict | null;
}

export function judgeRevocation(
  certificate: Certificate,
  issuer: Certificate,
  sources: readonly RevocationSource[],
  moment: Moment,
  now: Date,
): RevocationJudgement {
  const latest = new Date(now.getTime() + CLOCK_SKEW);
  const statements = statementsAbout(certificate, issuer, sources).filter(({ thisUpdate }) => thisUpdate <= latest);
  const revoked = statements
    .filter(({ revokedAt }) => revokedAt !== null)
    .toSorted((a, b) => a.revokedAt!.getTime() - b.revokedAt!.getTime())[0];
  if (revoked) return judgeRevoked(certificate, revoked, moment);
  const fresh = statements
    .filter(statement => isFresh(statement, certificate, moment.time))
    .toSorted((a, b) => rank(a) - rank(b) || b.thisUpdate.getTime() - a.thisUpdate.getTime())[0];
  if (!fresh) return unknown(certificate, statements, moment);
  const text = `not revoked, by ${sourceText(fresh)} of ${show(fresh.thisUpdate)}`;
  return { fact: factOf(certificate, 'good', fresh, text), fault: null };
}

/** Issued after the moment, or still current then; and while the issuer still listed this certificate (RFC 5280 §3.3). */
function isFresh({ thisUpdate, nextUpdate }: Statement, certificate: Certificate, time: Date): boolean {
  const until = nextUpdate ?? new Date(thisUpdate.getTime() + DAY);
  return until >= time && thisUpdate <= certificate.notAfter;
}

const rank = ({ source }: Statement): number => (source === 'OCSP' ? 0 : 1);

function judgeRevoked(certificate: Certificate, statement: Statement, moment: Moment): RevocationJudgement {
  const revokedAt = statement.revokedAt!;
  const { name } = describeName(certificate.subject);
  const since = `revoked on ${show(revokedAt)}, by ${sourceText(statement)} of ${show(statement.thisUpdate)}`;
  if (moment.proven && revokedAt > moment.time) {
    const text = `${since}; that is after ${show(moment.time)}, when it is proven to have been in use, and does not matter`;
    return { fact: factOf(certificate, 'good', statement, text), fault: null };
  }
  const fact = factOf(certificate, 'revoked', statement, since);
  if (statement.reason === HOLD)
    return { fact, fault: fault('TRY_LATER', `the certificate of ${name} was suspended on ${show(revokedAt)}`) };
  if (moment.notBefore !== null && moment.notBefore >= revokedAt)
    return { fact, fault: fault('REVOKED', `the certificate of ${name} had been revoked before it was used`) };
  return {
    fact,
    fault: fault(
      'REVOKED_NO_POE',
      `the certificate of ${name} was revoked on ${show(revokedAt)}, and nothing proves that it was used before that`,
    ),
  };
}

function unknown(certificate: Certificate, stale: readonly Statement[], moment: Moment): RevocationJudgement {
  const { name } = describeName(certificate.subject);
  const what =
    stale.length === 0
      ? 'neither the file nor this gateway holds an authentic OCSP answer or list about it'
      : `what is known about it does not reach to ${show(moment.time)}`;
  return {
    fact: factOf(certificate, 'unknown', null, what),
    fault: fault('TRY_LATER', `whether the certificate of ${name} was revoked is not known: ${what}`),
  };
}

function factOf(
  certificate: Certificate,
  status: RevocationFact['status'],
  statement: Statement | null,
  text: string,
): RevocationFact {
  return {
    certificate: describeName(certificate.subject).name,
    status,
    source: statement?.source ?? null,
    where: statement?.where ?? null,
    issuedAt: statement?.thisUpdate ?? null,
    revokedAt: statement?.revokedAt ?? null,
    text,
  };
}

function sourceText({ source, where }: Statement): string {
  const what = source === 'OCSP' ? 'an OCSP answer' : 'a revocation list';
  return where === 'file' ? `${what} in the file` : `${what} of this gateway`;
}

/** "2026-11-24 14:03:09 UTC" */
export const show = (time: Date): string => `${time.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
