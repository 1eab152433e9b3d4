/** Validation of one certification path (RFC 5280 §6.1, policies as updated by RFC 9618); revocation is apart. */
import { KEY_USAGE } from '../extensions.ts';
import { OID } from '../oids.ts';
import type { PathCertificate } from './certificate.ts';
import { sameName } from './name.ts';
import { type NameSpace, nameFault, narrowed } from './name-constraints.ts';
import { constrainedBy, PolicyGraph } from './policy-graph.ts';
import { PathInvalid } from './rules.ts';
import type { AlgorithmPolicy, WorkingKey } from './signature.ts';
import type { Work } from './work.ts';

/** The inputs of RFC 5280 §6.1.1. */
export interface PathParameters {
  /** user-initial-policy-set; null is any-policy. */
  readonly initialPolicies: ReadonlySet<string> | null;
  readonly inhibitPolicyMapping: boolean;
  readonly requireExplicitPolicy: boolean;
  readonly inhibitAnyPolicy: boolean;
  /** initial-permitted-subtrees and initial-excluded-subtrees. */
  readonly names: NameSpace;
  readonly algorithms: AlgorithmPolicy;
  /** Whether an anchor that is a certificate must be in date, and its own constraints count (RFC 5937). */
  readonly anchorRules: boolean;
  /** Whether CAs must have a key usage, as §4.2.1.3 demands of them but §6.1.4 (n) doesn't check. */
  readonly requireKeyUsage: boolean;
}

export interface ValidPath {
  /** The working key of each certificate. */
  readonly keys: readonly WorkingKey[];
  /** authority-constrained and user-constrained policy set. */
  readonly authorityPolicies: ReadonlySet<string>;
  readonly policies: ReadonlySet<string>;
}

/** @param path from anchor to target, both included. @throws PathInvalid */
export function validate(
  path: readonly PathCertificate[],
  time: Date,
  parameters: PathParameters,
  work: Work,
): ValidPath {
  const [anchor, ...certificates] = path as readonly [PathCertificate, ...PathCertificate[]];
  const state = new State(anchor, certificates.length, time, parameters, work);
  certificates.forEach((certificate, i) => {
    const isLast = i === certificates.length - 1;
    state.process(certificate, isLast);
    if (isLast) state.wrapUp(certificate);
    else state.prepare(certificate, true);
  });
  return state.result();
}

/** The state variables of RFC 5280 §6.1.2, and its steps. */
class State {
  readonly #time: Date;
  readonly #parameters: PathParameters;
  readonly #work: Work;
  readonly #keys: WorkingKey[];
  readonly #graph = new PolicyGraph();
  #initialPolicies: ReadonlySet<string> | null;
  #names: NameSpace;
  #explicitPolicy: number;
  #inhibitAnyPolicy: number;
  #policyMapping: number;
  #maxPathLength: number;
  #issuer: PathCertificate;

  constructor(anchor: PathCertificate, length: number, time: Date, parameters: PathParameters, work: Work) {
    this.#time = time;
    this.#parameters = parameters;
    this.#work = work;
    this.#initialPolicies = parameters.initialPolicies;
    this.#names = parameters.names;
    this.#explicitPolicy = parameters.requireExplicitPolicy ? 0 : length + 1;
    this.#inhibitAnyPolicy = parameters.inhibitAnyPolicy ? 0 : length + 1;
    this.#policyMapping = parameters.inhibitPolicyMapping ? 0 : length + 1;
    this.#maxPathLength = length;
    this.#issuer = anchor;
    this.#keys = [this.#usableKey(anchor, null)];
    if (parameters.anchorRules) this.#applyAnchor(anchor, length);
  }

  /** RFC 5937 §3.2: an anchor's constraints are inputs. A version 1 certificate has none. */
  #applyAnchor(anchor: PathCertificate, length: number): void {
    this.#checkTime(anchor);
    this.#checkCritical(anchor);
    if (length === 0 || anchor.version !== 3) return;
    if (anchor.policies) this.#initialPolicies = constrainedBy(anchor.policies.oids, this.#initialPolicies);
    this.prepare(anchor, false);
  }

  /** §6.1.3 */
  process(certificate: PathCertificate, isLast: boolean): void {
    const previous = this.#keys.at(-1)!;
    const fault = this.#work.fault(certificate, previous);
    if (fault === 'algorithm') throw new PathInvalid(fault, 'an algorithm that is not allowed', certificate);
    if (fault === 'signature') throw new PathInvalid(fault, 'a signature does not hold', certificate);
    this.#checkTime(certificate);
    if (!sameName(certificate.issuer, this.#issuer.subject))
      throw new PathInvalid('name-chaining', 'an issuer has another name', certificate);
    if (!certificate.isSelfIssued || isLast) {
      const misnamed = nameFault(certificate.subject, certificate.alternativeNames, this.#names);
      if (misnamed) throw new PathInvalid('name-constraints', `by its issuers' constraints, ${misnamed}`, certificate);
    }
    const anyCounts = this.#inhibitAnyPolicy > 0 || (!isLast && certificate.isSelfIssued);
    if (certificate.policies) this.#graph.extend(certificate.policies.oids, anyCounts);
    else this.#graph.clear();
    if (this.#explicitPolicy === 0 && this.#graph.isNull)
      throw new PathInvalid('policy', 'no policy is common to its certificates', certificate);
    this.#keys.push(this.#usableKey(certificate, previous));
    this.#issuer = certificate;
  }

  /** §6.1.4. @param counts false for an anchor, which is no part of the path */
  prepare(certificate: PathCertificate, counts: boolean): void {
    this.#mapPolicies(certificate);
    if (certificate.nameConstraints) this.#names = narrowed(this.#names, certificate.nameConstraints);
    if (counts && !certificate.isSelfIssued) {
      this.#explicitPolicy = Math.max(0, this.#explicitPolicy - 1);
      this.#policyMapping = Math.max(0, this.#policyMapping - 1);
      this.#inhibitAnyPolicy = Math.max(0, this.#inhibitAnyPolicy - 1);
    }
    const { policyConstraints, inhibitAnyPolicy } = certificate;
    const limit = (value: number, skip: number | null | undefined): number => Math.min(value, skip ?? value);
    this.#explicitPolicy = limit(this.#explicitPolicy, policyConstraints?.requireExplicitPolicy);
    this.#policyMapping = limit(this.#policyMapping, policyConstraints?.inhibitPolicyMapping);
    this.#inhibitAnyPolicy = limit(this.#inhibitAnyPolicy, inhibitAnyPolicy);

    if (!certificate.isCa) throw new PathInvalid('not-a-ca', 'an issuer is not a CA', certificate);
    if (counts && !certificate.isSelfIssued) {
      if (this.#maxPathLength === 0)
        throw new PathInvalid('path-length', 'a path is longer than its CA allows', certificate);
      this.#maxPathLength -= 1;
    }
    this.#maxPathLength = Math.min(this.#maxPathLength, certificate.pathLength);
    this.#checkKeyUsage(certificate, counts);
    this.#checkCritical(certificate);
  }

  #mapPolicies(certificate: PathCertificate): void {
    const { policyMappings } = certificate;
    if (!policyMappings) return;
    for (const [issuer, subjects] of policyMappings) {
      if (issuer === OID.anyPolicy || subjects.has(OID.anyPolicy))
        throw new PathInvalid('policy-mapping', 'a mapping from or to any policy', certificate);
    }
    if (this.#policyMapping > 0) this.#graph.map(policyMappings);
    else this.#graph.remove(policyMappings.keys());
  }

  #checkKeyUsage(certificate: PathCertificate, counts: boolean): void {
    const required = counts && this.#parameters.requireKeyUsage;
    if (!(certificate.keyUsage?.has(KEY_USAGE.keyCertSign) ?? !required))
      throw new PathInvalid('key-usage', 'an issuer may not sign certificates', certificate);
  }

  /** §6.1.5 */
  wrapUp(certificate: PathCertificate): void {
    this.#explicitPolicy = Math.max(0, this.#explicitPolicy - 1);
    if (certificate.policyConstraints?.requireExplicitPolicy === 0) this.#explicitPolicy = 0;
    this.#checkCritical(certificate);
    if (this.#explicitPolicy === 0 && this.result().policies.size === 0)
      throw new PathInvalid('policy', 'none of the policies asked for is valid for it', certificate);
  }

  result(): ValidPath {
    const authorityPolicies = this.#graph.policies();
    const policies = constrainedBy(authorityPolicies, this.#initialPolicies);
    return { keys: this.#keys, authorityPolicies, policies };
  }

  #usableKey(certificate: PathCertificate, previous: WorkingKey | null): WorkingKey {
    const key = this.#work.key(certificate.keyInfo, previous?.info ?? null);
    if (!key) throw new PathInvalid('algorithm', 'a key that is not allowed', certificate);
    return key;
  }

  #checkTime(certificate: PathCertificate): void {
    const { notBefore, notAfter } = certificate;
    if (this.#time < notBefore)
      throw new PathInvalid('not-yet-valid', 'a certificate is out of its validity: it begins later', certificate);
    if (this.#time > notAfter)
      throw new PathInvalid('expired', 'a certificate is out of its validity: it has ended', certificate);
  }

  #checkCritical(certificate: PathCertificate): void {
    if (certificate.unknownCritical)
      throw new PathInvalid(
        'critical-extension',
        `unknown critical extension ${certificate.unknownCritical}`,
        certificate,
      );
  }
}
