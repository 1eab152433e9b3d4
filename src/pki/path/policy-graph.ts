/** The policies that all certificates of a path share, through their mappings (RFC 5280 §6.1 as updated by RFC 9618 §5). */
import { OID } from '../oids.ts';

interface Node {
  /** expected_policy_set: what would satisfy this policy in the next certificate. */
  expected: ReadonlySet<string>;
  readonly parents: ReadonlySet<Node>;
}

/** Nodes of one depth by their valid_policy: at most one each, which keeps the graph from growing exponentially. */
type Level = Map<string, Node>;

const ANY = OID.anyPolicy;

export class PolicyGraph {
  /** By depth. Empty is the RFC's NULL. */
  #levels: Level[] = [new Map([[ANY, { expected: new Set([ANY]), parents: new Set<Node>() }]])];

  get isNull(): boolean {
    return this.#levels.length === 0;
  }

  clear(): void {
    this.#levels = [];
  }

  /**
   * RFC 9618 §5.3, step (d), for the next certificate.
   * @param policies what its certificate policies extension names
   * @param anyCounts whether anyPolicy in it means anything: it isn't inhibited, or the certificate is self-issued
   */
  extend(policies: ReadonlySet<string>, anyCounts: boolean): void {
    const above = this.#levels.at(-1);
    if (!above) return;
    const expecting = new Map<string, Set<Node>>();
    for (const node of above.values()) {
      for (const policy of node.expected) expecting.set(policy, (expecting.get(policy) ?? new Set()).add(node));
    }
    const level: Level = new Map();
    const add = (policy: string, parents: ReadonlySet<Node>) =>
      level.set(policy, { expected: new Set([policy]), parents });
    const any = above.get(ANY);
    for (const policy of policies) {
      if (policy === ANY) continue;
      const parents = expecting.get(policy) ?? (any && new Set([any]));
      if (parents) add(policy, parents);
    }
    if (policies.has(ANY) && anyCounts) {
      for (const [policy, parents] of expecting) if (!level.has(policy)) add(policy, parents);
    }
    this.#levels.push(level);
    this.#prune();
  }

  /** RFC 9618 §5.4, step (b), while mapping is allowed. */
  map(mappings: ReadonlyMap<string, ReadonlySet<string>>): void {
    const level = this.#levels.at(-1);
    const anyAbove = this.#levels.at(-2)?.get(ANY);
    for (const [policy, mapped] of mappings) {
      const node = level?.get(policy);
      if (node) node.expected = mapped;
      else if (level?.has(ANY) && anyAbove) level.set(policy, { expected: mapped, parents: new Set([anyAbove]) });
    }
  }

  /** The same step once mapping is inhibited: what would be mapped is lost. */
  remove(policies: Iterable<string>): void {
    for (const policy of policies) this.#levels.at(-1)?.delete(policy);
    this.#prune();
  }

  /** Deletes what has no child at the last depth. */
  #prune(): void {
    for (let depth = this.#levels.length - 1; depth > 0; depth--) {
      const used = new Set<Node>();
      for (const { parents } of this.#levels[depth]!.values()) for (const parent of parents) used.add(parent);
      const above = this.#levels[depth - 1]!;
      for (const [policy, node] of above) if (!used.has(node)) above.delete(policy);
    }
    if (this.#levels.at(-1)?.size === 0) this.clear();
  }

  /** authority_constrained_policy_set (RFC 9618 §5.5, step (g)): in the anchor's terms; anyPolicy stands for all. */
  policies(): ReadonlySet<string> {
    const policies = new Set<string>();
    this.#levels.forEach((level, depth) => {
      const anyAbove = this.#levels[depth - 1]?.get(ANY);
      for (const [policy, { parents }] of level) {
        if (policy !== ANY && anyAbove && parents.has(anyAbove)) policies.add(policy);
      }
    });
    if (this.#levels.at(-1)?.has(ANY)) policies.add(ANY);
    return policies;
  }
}

/** user_constrained_policy_set. @param initial user-initial-policy-set; null is any-policy */
export function constrainedBy(policies: ReadonlySet<string>, initial: ReadonlySet<string> | null): ReadonlySet<string> {
  if (initial === null || initial.has(ANY)) return policies;
  return policies.has(ANY) ? initial : policies.intersection(initial);
}
