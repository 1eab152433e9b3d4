/** The work spent on one verdict: bounded, because certificates and CRLs come from anybody, and never done twice. */
import { DerError } from '../der.ts';
import type { SignedObject } from './certificate.ts';
import { PathInvalid } from './rules.ts';
import { type AlgorithmPolicy, signatureFault, type WorkingKey } from './signature.ts';

/** Signatures checked, and certificates looked at, for one verdict. */
const MAX_SIGNATURES = 512;
const MAX_STEPS = 4096;

export class Work {
  readonly algorithms: AlgorithmPolicy;
  readonly #checked = new Map<string, 'algorithm' | 'signature' | null>();
  #steps = 0;

  constructor(algorithms: AlgorithmPolicy) {
    this.algorithms = algorithms;
  }

  /** One more certificate looked at. @throws PathInvalid too-complex */
  step(): void {
    if (++this.#steps > MAX_STEPS) throw new PathInvalid('too-complex', 'too many possible paths');
  }

  /** Why `signed` wasn't signed by this key; null when it was. @throws PathInvalid too-complex */
  fault(signed: SignedObject, key: WorkingKey): 'algorithm' | 'signature' | null {
    const id = `${signed.id} ${key.id}`;
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
