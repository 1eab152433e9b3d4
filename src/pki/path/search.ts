/** Finds a valid path among all that can be built, with revocation. */
import { type Note, Pool, paths } from './build.ts';
import type { PathCertificate } from './certificate.ts';
import type { Crl } from './crl.ts';
import { checkRevocation, type RevocationContext } from './revocation.ts';
import { PathInvalid } from './rules.ts';
import type { WorkingKey } from './signature.ts';
import { type PathParameters, type ValidPath, validate } from './validate.ts';
import { Work } from './work.ts';

export interface SearchInput {
  readonly anchors: readonly PathCertificate[];
  readonly candidates: readonly PathCertificate[];
  readonly time: Date;
  readonly parameters: PathParameters;
  readonly revocation: { readonly crls: readonly Crl[]; readonly time: Date; readonly useDeltas: boolean } | null;
}

export interface FoundPath extends ValidPath {
  /** From anchor to target. */
  readonly path: readonly PathCertificate[];
  /** The CRLs that say that nothing in it is revoked. */
  readonly crls: readonly Crl[];
}

/** CRL signers whose CRLs are signed by others, and so on. */
const MAX_DEPTH = 3;

export class Search {
  readonly #input: SearchInput;
  readonly #work: Work;
  readonly #candidates: Pool;

  constructor(input: SearchInput) {
    this.#input = input;
    this.#work = new Work(input.parameters.algorithms);
    this.#candidates = new Pool(input.candidates);
  }

  /** @throws PathInvalid of the first path that leads to an anchor; a revocation goes first */
  find(target: PathCertificate): FoundPath {
    return this.#find(target, new Pool(this.#input.anchors), this.#input.parameters, []);
  }

  /** @param pending certificates whose revocation is being looked up, the last one by a CRL of `target` */
  #find(
    target: PathCertificate,
    anchors: Pool,
    parameters: PathParameters,
    pending: readonly PathCertificate[],
  ): FoundPath {
    let broken: PathInvalid | null = null;
    let obstacle: PathInvalid | null = null;
    const note: Note = (...fault) => {
      obstacle = new PathInvalid(...fault);
    };
    for (const path of paths(target, anchors, this.#candidates, this.#work, note)) {
      this.#work.path();
      try {
        const valid = validate(path, this.#input.time, parameters, this.#work);
        return { ...valid, path, crls: this.#checkRevocations(path, valid.keys, pending) };
      } catch (error) {
        if (!(error instanceof PathInvalid) || error.rule === 'too-complex') throw error;
        if (broken === null || (error.rule === 'revoked' && broken.rule !== 'revoked')) broken = error;
      }
    }
    throw broken ?? obstacle ?? new PathInvalid('no-path', 'no issuer known that leads to an anchor', target);
  }

  /** From the anchor down, so that whoever signs a CRL is known not to be revoked. */
  #checkRevocations(
    path: readonly PathCertificate[],
    keys: readonly WorkingKey[],
    pending: readonly PathCertificate[],
  ): readonly Crl[] {
    const { revocation } = this.#input;
    if (!revocation) return [];
    const links = path.map((certificate, i) => ({ certificate, key: keys[i]! }));
    return path.flatMap((certificate, i) => {
      if (i === 0 || isOwnWitness(certificate, i === path.length - 1, pending)) return [];
      const within = [...pending, certificate];
      if (pending.some(({ id }) => id === certificate.id) || within.length > MAX_DEPTH)
        throw new PathInvalid('revocation-unknown', 'revocation lists that vouch for each other', certificate);
      const context: RevocationContext = {
        ...revocation,
        work: this.#work,
        signers: crl => this.#candidates.named(crl.issuer),
        keyOf: signer => this.#signerKey(signer, path[0]!, within),
      };
      return checkRevocation(certificate, links.slice(0, i), context);
    });
  }

  /** §6.3.3 (f): a path to the same anchor. The policies of those who list revocations are nobody's concern. */
  #signerKey(signer: PathCertificate, anchor: PathCertificate, pending: readonly PathCertificate[]): WorkingKey {
    const parameters: PathParameters = {
      ...this.#input.parameters,
      initialPolicies: null,
      requireExplicitPolicy: false,
    };
    return this.#find(signer, new Pool([anchor]), parameters, pending).keys.at(-1)!;
  }
}

/** The signer of a CRL about itself, which its issuer named for that. */
function isOwnWitness({ id }: PathCertificate, isTarget: boolean, pending: readonly PathCertificate[]): boolean {
  return isTarget && pending.at(-1)?.id === id;
}
