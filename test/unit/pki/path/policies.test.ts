import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { der } from '../../../../src/pki/der.ts';
import { certificatePolicies, extension } from '../../../../src/pki/extensions.ts';
import { OID } from '../../../../src/pki/oids.ts';
import { validatePath } from '../../../../src/pki/path/path.ts';
import { type PolicyInputs, type PolicyLink, policiesAreValid } from './policy-tree.ts';
import { CA, certificate, key, type Made, NOW, name } from './support.ts';

const ANY = OID.anyPolicy;
const NONE: PolicyLink = {
  selfIssued: false,
  policies: null,
  mappings: null,
  requireExplicit: null,
  inhibitMapping: null,
  inhibitAny: null,
};
const ROOT = certificate({ subject: name('root'), issuer: name('root'), key: key(0), signer: key(0), extensions: CA });

const mappingsOf = (pairs: readonly (readonly [string, string])[]): Uint8Array =>
  extension('2.5.29.33', der.sequence(...pairs.map(pair => der.sequence(...pair.map(der.oid)))), true);

function extensionsOf(link: PolicyLink): Uint8Array[] {
  const skip = (n: number, value: number | null) => (value === null ? [] : [der.primitive(n, Uint8Array.of(value))]);
  const constraints = [...skip(0, link.requireExplicit), ...skip(1, link.inhibitMapping)];
  return [
    ...(link.policies ? [certificatePolicies(...link.policies)] : []),
    ...(link.mappings ? [mappingsOf(link.mappings)] : []),
    ...(constraints.length > 0 ? [extension('2.5.29.36', der.sequence(...constraints), true)] : []),
    ...(link.inhibitAny === null ? [] : [extension('2.5.29.54', der.integer(link.inhibitAny), true)]),
  ];
}

/** The target last. */
function makeChain(links: readonly PolicyLink[]): readonly Made[] {
  let subject = 'root';
  return links.map((link, i) => {
    const issuer = subject;
    if (!link.selfIssued) subject = `number ${i}`;
    return certificate({
      subject: name(subject),
      issuer: name(issuer),
      key: key(i + 1),
      signer: key(i),
      extensions: [...(i < links.length - 1 ? CA : []), ...extensionsOf(link)],
    });
  });
}

function judge(links: readonly PolicyLink[], inputs: PolicyInputs) {
  const chain = makeChain(links);
  return validatePath({
    certificate: chain.at(-1)!,
    candidates: chain.slice(0, -1),
    anchors: [ROOT],
    time: NOW,
    parameters: {
      initialPolicies: inputs.initial.length > 0 ? new Set(inputs.initial) : null,
      requireExplicitPolicy: inputs.explicit,
      inhibitPolicyMapping: inputs.inhibitMapping,
      inhibitAnyPolicy: inputs.inhibitAny,
    },
    revocation: null,
  });
}

const NO_INPUTS: PolicyInputs = { initial: [], explicit: false, inhibitMapping: false, inhibitAny: false };
const EXPLICIT: PolicyInputs = { ...NO_INPUTS, explicit: true };

describe('policies', () => {
  it('by the graph of RFC 9618 are what the tree of RFC 5280 says', () => {
    const policy = fc.constantFrom('1.2.3.1', '1.2.3.2', '1.2.3.3');
    const optional = <T>(arbitrary: fc.Arbitrary<T>, freq = 2) => fc.option(arbitrary, { nil: null, freq });
    const link: fc.Arbitrary<PolicyLink> = fc.record({
      selfIssued: fc.boolean(),
      policies: optional(fc.uniqueArray(fc.oneof(policy, policy, fc.constant(ANY)), { minLength: 1, maxLength: 3 }), 8),
      mappings: optional(fc.uniqueArray(fc.tuple(policy, policy), { minLength: 1, maxLength: 3, selector: String })),
      requireExplicit: optional(fc.nat(2)),
      inhibitMapping: optional(fc.nat(2)),
      inhibitAny: optional(fc.nat(2)),
    });
    const inputs: fc.Arbitrary<PolicyInputs> = fc.record({
      initial: fc.uniqueArray(policy, { maxLength: 2 }),
      explicit: fc.boolean(),
      inhibitMapping: fc.boolean(),
      inhibitAny: fc.boolean(),
    });
    const outcomes = new Set<boolean>();
    fc.assert(
      fc.property(fc.array(link, { minLength: 1, maxLength: 4 }), link, inputs, (authorities, last, given) => {
        const links = [...authorities, { ...last, selfIssued: false, mappings: null }];
        const verdict = judge(links, given);
        outcomes.add(verdict.valid);
        expect(verdict.valid ? 'valid' : verdict.rule).toBe(policiesAreValid(links, given) ? 'valid' : 'policy');
      }),
      { numRuns: 400, seed: 5280 },
    );
    expect(outcomes).toEqual(new Set([true, false]));
  });

  it.each<[string, readonly PolicyLink[], PolicyInputs, readonly string[]]>([
    [
      'the one that all share',
      [
        ['1.2.1', '1.2.2'],
        ['1.2.2', '1.2.3'],
      ].map(policies => ({ ...NONE, policies })),
      EXPLICIT,
      ['1.2.2'],
    ],
    [
      'any, where all say any',
      [
        { ...NONE, policies: [ANY] },
        { ...NONE, policies: [ANY] },
      ],
      EXPLICIT,
      [ANY],
    ],
    [
      'those asked for, where all say any',
      [
        { ...NONE, policies: [ANY] },
        { ...NONE, policies: [ANY] },
      ],
      { ...EXPLICIT, initial: ['1.2.7'] },
      ['1.2.7'],
    ],
    [
      "a mapped one by the anchor's name for it",
      [
        { ...NONE, policies: ['1.2.1'], mappings: [['1.2.1', '1.2.9']] },
        { ...NONE, policies: ['1.2.9'] },
      ],
      EXPLICIT,
      ['1.2.1'],
    ],
    ['none, where none is needed', [NONE, NONE], NO_INPUTS, []],
  ])('that come out are %s', (_, links, inputs, policies) => {
    expect(judge(links, inputs)).toMatchObject({ valid: true, policies: new Set(policies) });
  });

  it.each<[string, readonly (readonly [string, string])[]]>([
    ['from', [[ANY, '1.2.1']]],
    ['to', [['1.2.1', ANY]]],
  ])('are not mapped %s any policy', (_, mappings) => {
    const links = [
      { ...NONE, policies: [ANY, '1.2.1'], mappings },
      { ...NONE, policies: ['1.2.1'] },
    ];
    expect(judge(links, NO_INPUTS)).toMatchObject({ valid: false, rule: 'policy-mapping' });
  });

  it('of many names, each mapped to many in every certificate, end soon (CVE-2023-0464)', () => {
    const oids = Array.from({ length: 30 }, (_, i) => `1.2.3.${i}`);
    const mappings = oids.flatMap(from => oids.map(to => [from, to] as const));
    const links = [
      ...Array.from({ length: 9 }, () => ({ ...NONE, policies: oids, mappings })),
      { ...NONE, policies: oids },
    ];
    expect(judge(links, EXPLICIT)).toMatchObject({ valid: true, policies: new Set(oids) });
    expect(judge([...links.slice(0, -1), { ...NONE, policies: ['1.2.4'] }], EXPLICIT)).toMatchObject({
      rule: 'policy',
    });
  });

  it('critical and with a qualifier that nobody knows refuse the certificate', () => {
    const qualified = (oid: string, critical: boolean) => {
      const qualifier = der.sequence(der.oid(oid), der.ia5String('https://company.com/cps'));
      const policy = der.sequence(der.oid('1.2.1'), der.sequence(qualifier));
      const extensions = [extension(OID.certificatePolicies, der.sequence(policy), critical)];
      const target = certificate({
        subject: name('end'),
        issuer: name('root'),
        key: key(1),
        signer: key(0),
        extensions,
      });
      return validatePath({ certificate: target, candidates: [], anchors: [ROOT], time: NOW, revocation: null });
    };
    expect(qualified('1.3.6.1.5.5.7.2.1', true)).toMatchObject({ valid: true });
    expect(qualified('1.2.3.4', false)).toMatchObject({ valid: true });
    expect(qualified('1.2.3.4', true)).toMatchObject({ valid: false, rule: 'critical-extension' });
  });
});
