/** Path building (RFC 4158): every path from a certificate to an anchor by names and signatures, the likely ones first. */
import { equal } from '../der.ts';
import type { PathCertificate } from './certificate.ts';
import { type Name, sameName } from './name.ts';
import type { Rule } from './rules.ts';
import { lacksParameters } from './signature.ts';
import type { Work } from './work.ts';

/** Certificates of a path, anchor and target included. */
const MAX_LENGTH = 12;

/** Certificates by subject, each once. */
export class Pool {
  readonly #bySubject = new Map<string, PathCertificate[]>();
  readonly #ids = new Set<string>();

  constructor(certificates: readonly PathCertificate[]) {
    for (const certificate of certificates) {
      if (this.#ids.has(certificate.id)) continue;
      this.#ids.add(certificate.id);
      const key = keyOf(certificate.subject);
      const list = this.#bySubject.get(key);
      if (list) list.push(certificate);
      else this.#bySubject.set(key, [certificate]);
    }
  }

  has({ id }: PathCertificate): boolean {
    return this.#ids.has(id);
  }

  named(name: Name): readonly PathCertificate[] {
    return this.#bySubject.get(keyOf(name)) ?? [];
  }
}

const keyOf = (name: Name): string => name.rdns.join();

/** What keeps an issuer of the right name out of a path. */
export type Note = (rule: Rule, message: string, certificate: PathCertificate) => void;

/**
 * Paths from anchor to target, both included, as RFC 5280 §6.1 wants them; nothing but names and signatures is checked.
 * @param note hears why an issuer was passed over
 * @throws PathInvalid too-complex
 */
export function* paths(
  target: PathCertificate,
  anchors: Pool,
  candidates: Pool,
  work: Work,
  note: Note,
): Generator<readonly PathCertificate[]> {
  if (anchors.has(target)) yield [target];
  else yield* climb([target]);

  function* climb(path: readonly PathCertificate[]): Generator<readonly PathCertificate[]> {
    const first = path[0]!;
    const issuers = [
      ...anchors.named(first.issuer),
      ...candidates.named(first.issuer).filter(candidate => !anchors.has(candidate)),
    ].toSorted((a, b) => unlikeliness(first, a) - unlikeliness(first, b));
    for (const issuer of issuers) {
      work.step();
      if (path.some(below => isSame(below, issuer)) || !mayHaveSigned(first, issuer, work, note)) continue;
      const longer = [issuer, ...path];
      if (anchors.has(issuer)) yield longer;
      else if (longer.length < MAX_LENGTH) yield* climb(longer);
    }
  }
}

/** RFC 4158 §2.4.2: a path that comes back to one name and key proves nothing more. */
function isSame(a: PathCertificate, b: PathCertificate): boolean {
  return a.id === b.id || (sameName(a.subject, b.subject) && a.keyInfo.id === b.keyInfo.id);
}

/** RFC 4158 §3.5.12: key identifiers say where to look first; they prove nothing. */
function unlikeliness({ authorityKeyIdentifier: wanted }: PathCertificate, issuer: PathCertificate): number {
  if (!wanted || !issuer.subjectKeyIdentifier) return 1;
  return equal(wanted, issuer.subjectKeyIdentifier) ? 0 : 2;
}

function mayHaveSigned(certificate: PathCertificate, issuer: PathCertificate, work: Work, note: Note): boolean {
  if (work.algorithms.inheritedParameters && lacksParameters(issuer.keyInfo)) return true;
  const key = work.key(issuer.keyInfo, null);
  const fault = key ? work.fault(certificate, key) : 'algorithm';
  if (fault === 'signature') note(fault, 'a signature does not hold', certificate);
  if (fault === 'algorithm') note(fault, 'an algorithm or key that is not allowed', certificate);
  return fault === null;
}
