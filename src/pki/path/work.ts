/** The work spent on one verdict: bounded, because certificates and CRLs come from anybody, and never done twice. */
import { DerError } from '../der.ts';
import type { KeyInfo, SignedObject } from './certificate.ts';
import { PathInvalid } from './rules.ts';
import { type AlgorithmPolicy, signatureFault, usableKey, type WorkingKey, withParameters } from './signature.ts';

/** For one verdict: signatures checked, whole paths validated, certificates and CRLs looked at. */
const MAX_SIGNATURES = 512;
const MAX_PATHS = 128;
const MAX_STEPS = 20_000;

export class Work {
  readonly algorithms: AlgorithmPolicy;
  readonly #checked = new Map<string, 'algorithm' | 'signature' | null>();
  readonly #keys = new Map<string, WorkingKey | null>();
  #steps = 0;
  #paths = 0;

  constructor(algorithms: AlgorithmPolicy) {
    this.algorithms = algorithms;
  }

  /** One more whole path. @throws PathInvalid too-complex */
  path(): void {
    if (++this.#paths > MAX_PATHS) throw new PathInvalid('too-complex', 'too many possible paths');
  }

  /** One more certificate or CRL. @throws PathInvalid too-complex */
  step(): void {
    if (++this.#steps > MAX_STEPS) throw new PathInvalid('too-complex', 'too many possible paths');
  }

  /**
   * The working_public_key (RFC 5280 §6.1.4 (d) to (f)).
   * @param issuer whose parameters it may take; null for an anchor
   * @returns null for a key that can't be used or isn't allowed
   */
  key(own: KeyInfo, issuer: KeyInfo | null): WorkingKey | null {
    const info = issuer && this.algorithms.inheritedParameters ? withParameters(own, issuer) : own;
    const known = this.#keys.get(info.id);
    if (known !== undefined) return known;
    const key = usableKey(info, this.algorithms);
    this.#keys.set(info.id, key);
    return key;
  }

  /** Why `signed` wasn't signed by this key; null when it was. @throws PathInvalid too-complex */
  fault(signed: SignedObject, key: WorkingKey): 'algorithm' | 'signature' | null {
    const id = `${signed.id} ${key.info.id}`;
    const known = this.#checked.get(id);
    if (known !== undefined) return known;
    if (this.#checked.size >= MAX_SIGNATURES) throw new PathInvalid('too-complex', 'too many possible issuers');
    const fault = this.#check(signed, key);
    this.#checked.set(id, fault);
    return fault;
  }

  #check(signed: SignedObject, key: WorkingKey): 'algorithm' | 'signature' | null {
    try {
      return signatureFault(signed, key, this.algorithms);
    } catch (error) {
      if (error instanceof DerError) return 'algorithm';
      throw error;
    }
  }
}
