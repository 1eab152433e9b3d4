/** The policy tree of RFC 5280 §6.1 word for word, as it was before RFC 9618: exponential, and so a reference for small paths. */
import { OID } from '../../../../src/pki/oids.ts';

export interface PolicyLink {
  readonly selfIssued: boolean;
  readonly policies: readonly string[] | null;
  readonly mappings: readonly (readonly [string, string])[] | null;
  readonly requireExplicit: number | null;
  readonly inhibitMapping: number | null;
  readonly inhibitAny: number | null;
}

export interface PolicyInputs {
  /** Empty is any policy. */
  readonly initial: readonly string[];
  readonly explicit: boolean;
  readonly inhibitMapping: boolean;
  readonly inhibitAny: boolean;
}

interface Node {
  readonly policy: string;
  readonly depth: number;
  readonly parent: Node | null;
  expected: readonly string[];
  readonly children: Node[];
}

const ANY = OID.anyPolicy;

const allOf = (node: Node): Node[] => [node, ...node.children.flatMap(allOf)];

function remove(node: Node): void {
  node.parent?.children.splice(node.parent.children.indexOf(node), 1);
}

function add(parent: Node, policy: string, expected: readonly string[]): void {
  parent.children.push({ policy, depth: parent.depth + 1, parent, expected, children: [] });
}

/** Deletes nodes above `depth` without children, again and again; null when the root goes. */
function prune(root: Node, depth: number): Node | null {
  for (;;) {
    const barren = allOf(root).find(node => node.depth < depth && node.children.length === 0);
    if (!barren) return root;
    if (barren === root) return null;
    remove(barren);
  }
}

/** Whether the policies of a path are valid. @param path from the certificate below the anchor to the target */
export function policiesAreValid(path: readonly PolicyLink[], inputs: PolicyInputs): boolean {
  const n = path.length;
  let root: Node | null = { policy: ANY, depth: 0, parent: null, expected: [ANY], children: [] };
  let explicit = inputs.explicit ? 0 : n + 1;
  let any = inputs.inhibitAny ? 0 : n + 1;
  let mapping = inputs.inhibitMapping ? 0 : n + 1;
  for (const [index, link] of path.entries()) {
    const i = index + 1;
    const at = (depth: number): Node[] => (root ? allOf(root).filter(node => node.depth === depth) : []);
    if (link.policies && root) {
      for (const policy of link.policies.filter(one => one !== ANY)) {
        const matching = at(i - 1).filter(node => node.expected.includes(policy));
        for (const node of matching) add(node, policy, [policy]);
        if (matching.length > 0) continue;
        for (const node of at(i - 1).filter(one => one.policy === ANY)) add(node, policy, [policy]);
      }
      if (link.policies.includes(ANY) && (any > 0 || (i < n && link.selfIssued))) {
        for (const node of at(i - 1)) {
          for (const policy of node.expected) {
            if (!node.children.some(child => child.policy === policy)) add(node, policy, [policy]);
          }
        }
      }
      root = prune(root, i);
    } else root = null;
    if (explicit === 0 && root === null) return false;
    if (i === n) break;

    if (link.mappings && root) {
      for (const policy of new Set(link.mappings.map(([issuer]) => issuer))) {
        const mapped = link.mappings.filter(([issuer]) => issuer === policy).map(([, subject]) => subject);
        const nodes = at(i).filter(node => node.policy === policy);
        if (mapping > 0) {
          for (const node of nodes) node.expected = mapped;
          const wild = at(i).find(node => node.policy === ANY);
          if (nodes.length === 0 && wild?.parent) add(wild.parent, policy, mapped);
        } else if (root) {
          nodes.forEach(remove);
          root = prune(root, i);
        }
      }
    }
    if (!link.selfIssued)
      [explicit, mapping, any] = [explicit, mapping, any].map(value => Math.max(0, value - 1)) as [
        number,
        number,
        number,
      ];
    explicit = Math.min(explicit, link.requireExplicit ?? explicit);
    mapping = Math.min(mapping, link.inhibitMapping ?? mapping);
    any = Math.min(any, link.inhibitAny ?? any);
  }
  explicit = path.at(-1)?.requireExplicit === 0 ? 0 : Math.max(0, explicit - 1);
  if (root && inputs.initial.length > 0) root = intersected(root, inputs.initial, n);
  return explicit > 0 || root !== null;
}

/** §6.1.5 (g)(iii) */
function intersected(root: Node, initial: readonly string[], n: number): Node | null {
  const set = allOf(root).filter(node => node.parent?.policy === ANY);
  for (const node of set) if (node.policy !== ANY && !initial.includes(node.policy)) remove(node);
  const wild = allOf(root).find(node => node.depth === n && node.policy === ANY);
  if (wild?.parent) {
    for (const policy of initial) {
      if (!set.some(node => node.policy === policy && node.depth > 0)) add(wild.parent, policy, [policy]);
    }
    remove(wild);
  }
  return prune(root, n);
}
