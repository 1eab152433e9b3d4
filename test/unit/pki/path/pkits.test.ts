/** NIST's Public Key Interoperability Test Suite: every case that lies in the corpora folder. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { validatePath } from '../../../../src/pki/path/path.ts';
import { type AlgorithmPolicy, CURRENT_ALGORITHMS } from '../../../../src/pki/path/signature.ts';
import { corpora } from './support.ts';

interface Case {
  readonly id: string;
  readonly name: string;
  readonly cert: string;
  readonly other_certs?: readonly string[];
  readonly crls?: readonly string[];
  readonly valid: boolean;
  readonly params?: Readonly<Record<string, unknown>>;
}

const FOLDER = corpora('pkits');
const TIME = new Date('2024-01-01T00:00:00Z');
const CASES = join(FOLDER, 'cases.json');

/** PKITS is of 2011: DSA with SHA-1, 1024 bits, and parameters that are inherited. */
const ALGORITHMS: AlgorithmPolicy = {
  ...CURRENT_ALGORITHMS,
  signatures: new Set([...CURRENT_ALGORITHMS.signatures, 'rsa-sha1', 'dsa-sha1']),
  rsaBits: 1024,
  dsaBits: 1024,
  inheritedParameters: true,
};

const certificate = (name: string) => ({ name, der: new Uint8Array(readFileSync(join(FOLDER, 'certs', name))) });
const crl = (name: string) => new Uint8Array(readFileSync(join(FOLDER, 'crls', name)));

function parametersOf({ params = {} }: Case) {
  const { user_initial_policy_set: policies = null, ...flags } = params;
  const known = {
    initial_explicit_policy: 'requireExplicitPolicy',
    initial_policy_mapping_inhibit: 'inhibitPolicyMapping',
    initial_any_policy_inhibit: 'inhibitAnyPolicy',
  };
  const given = Object.entries(flags).map(([name, value]) => {
    const known_ = Object.entries(known).find(([key]) => key === name)?.[1];
    if (!known_ || typeof value !== 'boolean') throw new Error(`a parameter that this test doesn't know: ${name}`);
    return [known_, value];
  });
  return {
    ...Object.fromEntries(given),
    initialPolicies: Array.isArray(policies) ? new Set<string>(policies) : null,
    algorithms: ALGORITHMS,
    // A CA without key usage is valid for RFC 5280 §6.1.4 (n).
    requireKeyUsage: false,
  };
}

const inputOf = (one: Case) => ({
  certificate: certificate(one.cert),
  candidates: (one.other_certs ?? []).map(certificate),
  anchors: [certificate('TrustAnchorRootCertificate.crt')],
  time: TIME,
  parameters: parametersOf(one),
  revocation: { crls: ['TrustAnchorRootCRL.crl', ...(one.crls ?? [])].map(crl) },
});

const cases: readonly Case[] = existsSync(CASES) ? JSON.parse(readFileSync(CASES, 'utf8')) : [];

describe('PKITS', () => {
  it.each(cases.map(one => [one.id, one.name, one] as const))('C1 PKITS %s %s', (_id, _name, one) => {
    const verdict = validatePath(inputOf(one));
    expect(verdict, JSON.stringify(verdict, ['valid', 'rule', 'message'])).toMatchObject({ valid: one.valid });
  });

  it.skipIf(cases.length === 0)(
    `C1 PKITS cases lie in ${FOLDER}, and none is valid without the list of the anchor`,
    () => {
      for (const one of cases) {
        const input = inputOf(one);
        const crls = input.revocation.crls.slice(1);
        expect(validatePath({ ...input, revocation: { crls } })).toMatchObject({ valid: false });
      }
    },
  );

  it.skipIf(cases.length === 0)('C1 PKITS none is valid with one bit of its certificate flipped', () => {
    for (const one of cases) {
      const input = inputOf(one);
      for (let bit = 0; bit < input.certificate.der.length * 8; bit += 997) {
        const [at, mask] = [bit >> 3, 1 << (bit & 7)];
        const flipped = {
          ...input.certificate,
          der: input.certificate.der.with(at, input.certificate.der[at]! ^ mask),
        };
        expect(validatePath({ ...input, certificate: flipped })).toMatchObject({ valid: false });
      }
    }
  });
});
