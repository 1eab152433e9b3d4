/**
 * Whether a certificate leads to an anchor at some time. The one place where verification asks about chains.
 */
import { equal } from '../../pki/der.ts';
import { buildChain } from '../../pki/path/path.ts';
import { PathInvalid } from '../../pki/path/rules.ts';
import type { Certificate } from '../../pki/x509.ts';
import { fault, type Verdict } from './result.ts';

export interface ChainJudgement {
  /** As far as it is known: certificate first. Each is signed by the next. */
  readonly chain: readonly Certificate[];
  /** Null when it leads to an anchor and every rule holds at that time. */
  readonly fault: Verdict | null;
}

const MAX_LENGTH = 8;

/** @param candidates possible issuers, from anybody */
export function judgeChain(
  certificate: Certificate,
  candidates: readonly Certificate[],
  anchors: readonly Certificate[],
  time: Date,
): ChainJudgement {
  try {
    return { chain: buildChain(certificate, candidates, anchors, time), fault: null };
  } catch (error) {
    if (!(error instanceof PathInvalid)) throw error;
    const chain = knownChain(certificate, [...anchors, ...candidates]);
    return { chain, fault: explain(chain, anchors, time, error.message) };
  }
}

function explain(chain: readonly Certificate[], anchors: readonly Certificate[], time: Date, message: string): Verdict {
  const when = time.toISOString().slice(0, 10);
  if (anchors.length === 0)
    return fault('NO_CERTIFICATE_CHAIN_FOUND', 'no trusted certificates were given, so nobody vouches for who this is');
  if (!chain.some(link => anchors.some(anchor => equal(anchor.der, link.der))))
    return fault('NO_CERTIFICATE_CHAIN_FOUND', 'its certificate does not lead to a trusted one');
  const [certificate] = chain;
  if (certificate && (time < certificate.notBefore || time > certificate.notAfter))
    return fault('OUT_OF_BOUNDS_NO_POE', `its certificate was not valid on ${when}, the time that it is judged for`);
  return fault('CERTIFICATE_CHAIN_GENERAL_FAILURE', `its chain of certificates breaks a rule: ${message}`);
}

/** Issuers by name and signature alone: for showing, and to tell a broken rule from an unknown issuer. */
function knownChain(certificate: Certificate, candidates: readonly Certificate[]): Certificate[] {
  const chain = [certificate];
  for (let last = certificate; chain.length < MAX_LENGTH && !equal(last.issuer, last.subject); ) {
    const issuer = issuerOf(last, candidates);
    if (issuer === null || chain.some(link => equal(link.der, issuer.der))) break;
    chain.push(issuer);
    last = issuer;
  }
  return chain;
}

/** The certificate among `candidates` whose key signed this one. */
export function issuerOf(certificate: Certificate, candidates: readonly Certificate[]): Certificate | null {
  return (
    candidates.find(
      ({ subject, publicKey }) => equal(subject, certificate.issuer) && certificate.signedBy(publicKey),
    ) ?? null
  );
}
